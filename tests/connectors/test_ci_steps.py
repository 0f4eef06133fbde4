"""What the steps of a job tell, by jobs as GitHub and GitLab list them."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.ci_steps import of_steps, size_of_artifacts


def step(name: str, start: int, end: int, conclusion: str = "success") -> dict[str, object]:
    times = {"started_at": f"2026-11-20T10:00:{start:02}Z", "completed_at": f"2026-11-20T10:00:{end:02}Z"}
    return {"name": name, "conclusion": conclusion, **times}


def test_a_cache_that_is_saved_again_was_not_exact() -> None:
    steps = [
        step("Set up job", 0, 2), step("Run actions/checkout@v5", 2, 5), step("Run actions/setup-python@v6", 5, 9),
        step("Install dependencies", 9, 29), step("Run pytest", 29, 40), step("Upload artifacts", 40, 44),
        step("Post Run actions/setup-python@v6", 44, 50), step("Post Run actions/checkout@v5", 50, 50),
    ]  # fmt: skip
    assert of_steps({"steps": steps}) == {"prepare_s": 29.0, "cache_saved": True, "artifact_s": 4.0}
    steps[-2] = step("Post Run actions/setup-python@v6", 44, 45)
    assert of_steps({"steps": steps})["cache_saved"] is False
    steps[-2] = step("Post Run actions/setup-python@v6", 44, 44, "skipped")  # the job failed before it
    assert of_steps({"steps": steps})["cache_saved"] is None


def test_a_job_without_steps_tells_nothing() -> None:
    nothing = {"prepare_s": None, "cache_saved": None, "artifact_s": None}
    assert of_steps({}) == of_steps({"steps": None}) == of_steps({"steps": [{"name": None}]}) == nothing


def test_a_real_job_that_failed(contracts: Path) -> None:
    job = json.loads((contracts / "github" / "webhook_workflow_job_completed.json").read_text())["workflow_job"]
    # 3 s to set up, 1 s checkout, 3 s restoring the cache, 10 s yarn install; its Post steps were skipped.
    assert of_steps(job) == {"prepare_s": 17.0, "cache_saved": None, "artifact_s": None}


def test_the_log_is_no_artifact() -> None:
    kept = [
        {"file_type": "archive", "size": 1000},
        {"file_type": "junit", "size": 24},
        {"file_type": "trace", "size": 10**9},
    ]
    assert size_of_artifacts({"artifacts": kept}) == 1024
    assert size_of_artifacts({"artifacts": []}) is size_of_artifacts({}) is None
