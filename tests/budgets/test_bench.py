"""Benchmarks and evaluations as inputs: real reports, and each odd one said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.budgets.test_commands import by_id
from tests.command import Done, aether

BUDGETS = """\
version: 1
currency: USD
defaults: {block: {relative: 10%}}
budgets:
  - {id: bench, surface: tests, metric: benchmark.duration, match: {benchmark: "*fib*"}, limit: 3ms}
  - {id: sleep, surface: tests, metric: benchmark.duration, match: {benchmark: "sleep*"}, limit: 150ms}
  - {id: riddle, surface: llm, metric: task.cost, match: {scenario: "*riddle*"}, limit: 0.001 USD/task}
  - {id: wait, surface: llm, metric: turn.latency, match: {scenario: "*riddle*"}, limit: 5 s/turn}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "optimization").mkdir()
    (tmp_path / "optimization" / "budgets.yaml").write_text(BUDGETS)
    return tmp_path


def check(folder: Path, *paths: Path) -> Done:
    return aether("budget", "check", *paths, "--format", "json", cwd=folder)


def test_real_reports(folder: Path, contracts: Path) -> None:
    for name in ("pytest_benchmark", "hyperfine"):
        path = contracts / "bench" / f"{name}.json"
        document = json.loads(path.read_text())
        measured = aether("measure", "tests", path, cwd=folder).json
        if name == "hyperfine":
            wanted = {one["command"]: one["median"] for one in document["results"]}
        else:
            wanted = {one["fullname"]: one["stats"]["median"] for one in document["benchmarks"]}
        assert {one["name"]: one["p50_s"] for one in measured["by_benchmark"]} == pytest.approx(wanted)
    done = check(folder, *((contracts / "bench" / f"{name}.json") for name in ("pytest_benchmark", "hyperfine")))
    verdicts = {f"{one['id']} {one['series']}": one["verdict"] for one in done.json["budgets"]}
    assert verdicts["sleep sleep 0.1"] == "pass"
    assert verdicts["sleep sleep 0.2"] == "block"
    assert verdicts["bench bench.py::test_fib_20"] == "pass"
    assert done.code == 1


def test_a_real_evaluation(folder: Path, contracts: Path) -> None:
    path = contracts / "llm" / "promptfoo_results_excerpt.json"
    done = aether("measure", "tokens", path, cwd=folder)
    (one,) = done.json["by_scenario"]
    assert (one["model"], one["tasks"], one["tokens"], one["cost"], one["latency_p50_s"]) == (
        "openai:gpt-5-mini", 1, [282.0], [0.00049925], 5.794,
    )  # fmt: skip
    assert "holds 1 of 4 results" in done.err
    judged = check(folder, path)
    assert [by_id(judged, name)["verdict"] for name in ("riddle", "wait")] == ["pass", "warn"]


def answer(provider: str, tokens: int, **more: Any) -> dict[str, Any]:
    usage = {"total": tokens, "prompt": tokens - 10, "completion": 10}
    return {"promptIdx": 0, "latencyMs": 900, "cost": 0.0002, "provider": {"id": provider}, "testIdx": 0,
            "response": {"tokenUsage": usage, "cached": False}, **more}  # fmt: skip


def evaluation(folder: Path, *answers: dict[str, Any]) -> Path:
    path = folder / "evaluation.json"
    path.write_text(
        json.dumps({"evalId": "e", "results": {"prompts": [{"label": "riddle {{x}}"}], "results": list(answers)}})
    )
    return path


def test_evaluations_tell_providers_and_tests_apart_and_leave_cached_answers_out(folder: Path) -> None:
    cached = answer("a", 50)
    cached["response"]["cached"] = True
    described = answer("b", 300, testCase={"description": "hard riddle"})
    path = evaluation(folder, answer("a", 100), answer("a", 120), cached, described, answer("b", 90, cost=None))
    done = aether("measure", "tokens", path, cwd=folder)
    found = {one["scenario"]: (one["tokens"], len(one["cost"])) for one in done.json["by_scenario"]}
    assert found == {"riddle {{x}} · a": ([100, 120], 2), "hard riddle · b": ([300], 1), "riddle {{x}} · b": ([90], 0)}
    assert done.json["unpriced"] == 1
    assert "1 results came from promptfoo's cache" in done.err


def hyperfine(folder: Path, seconds: float, code: int = 0) -> Path:
    path = folder / "hyperfine.json"
    result = {"command": "sleep 0.1", "median": seconds, "times": [seconds] * 5, "exit_codes": [code] * 5}
    path.write_text(json.dumps({"results": [result]}))
    return path


def test_a_benchmark_that_failed_never_passes(folder: Path) -> None:
    assert check(folder, hyperfine(folder, 0.1)).code == 0
    failed = check(folder, hyperfine(folder, 0.1, code=1))
    assert (failed.code, by_id(failed, "sleep")["verdict"]) == (3, "inconclusive")


def test_one_report_is_one_measurement_against_the_baseline(folder: Path) -> None:
    for place in range(6):
        done = aether(
            "budget", "baseline", "--update", hyperfine(folder, 0.1 + place / 1000), "--commit", str(place), cwd=folder
        )
        assert done.code == 0, done.err
    (stored,) = (folder / "benchmarks" / "tests").glob("benchmark.duration.*.json")
    assert stored.read_text().count('"value"') == 6
    slower = check(folder, hyperfine(folder, 0.14))
    assert (slower.code, by_id(slower, "sleep")["need_more"], by_id(slower, "sleep")["n_base"]) == (3, 1, 6)


def test_infracost_reports_as_they_are_and_gitlab_pipelines(folder: Path, contracts: Path) -> None:
    (folder / "optimization" / "budgets.yaml").write_text(
        "version: 1\ncurrency: USD\ndefaults: {block: {relative: 10%}}\nbudgets:\n"
        "  - {id: cost, surface: cost, metric: infra.monthly, limit: 100 USD/month}\n"
        "  - {id: ci, surface: ci, metric: pipeline.duration, limit: 5min}\n"
    )
    pipelines = [
        {"id": place, "ref": "main", "sha": "a", "status": "success", "source": "push",
         "created_at": f"2026-11-{place:02}T10:00:00Z", "updated_at": f"2026-11-{place:02}T10:04:00Z",
         "started_at": f"2026-11-{place:02}T10:00:10Z", "finished_at": f"2026-11-{place:02}T10:04:00Z", "duration": 230}
        for place in range(1, 4)
    ]  # fmt: skip
    (folder / "pipelines.json").write_text(json.dumps(pipelines))
    done = check(folder, contracts / "infracost" / "example_diff.json", folder / "pipelines.json")
    assert by_id(done, "cost")["verdict"] == "block"
    assert (by_id(done, "ci")["verdict"], by_id(done, "ci")["n_now"]) == ("pass", 3)


def test_what_it_refuses(folder: Path) -> None:
    (folder / "a.xml").write_text('<testsuite name="unit"><testcase name="a" time="1"/></testsuite>')
    bench = hyperfine(folder, 0.1)
    aether("measure", "tests", "a.xml", bench, cwd=folder).refuses(2, "benchmarks and tests are not one measurement")
    aether("measure", "cost", bench, cwd=folder).refuses(2, "says nothing to `measure cost`")
    bench.write_text(bench.read_text().replace('"command"', '"comand"'))
    aether("measure", "tests", bench, cwd=folder).refuses(2, "hyperfine.json", "hyperfine, promptfoo")
