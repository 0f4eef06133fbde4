"""Pipeline runs and jobs in JSON: answers of GitHub and GitLab, webhooks, what `gh run list` and `gh run view` print."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aether_tui.errors import ConfigurationError
from aether_tui.records import Row

MAX_BYTES = 256 << 20
_GH = {
    "databaseId": "id", "attempt": "run_attempt", "createdAt": "created_at", "startedAt": "started_at",
    "completedAt": "completed_at", "updatedAt": "updated_at", "headBranch": "head_branch", "headSha": "head_sha",
    "workflowName": "workflow_name",
}  # fmt: skip
"""Keys of `gh … --json` in the words of the API."""
Node = dict[str, object]


@dataclass(slots=True)
class CiRows:
    """Rows of runs and of jobs; a job comes with what it says of its run, for jobs whose run is not there."""

    runs: list[Row] = field(default_factory=list)
    jobs: list[tuple[Row, Mapping[str, str]]] = field(default_factory=list)


def read_ci(path: Path) -> CiRows | None:
    """The runs and jobs of a file; None for any other file. Raises ConfigurationError for one that cannot be read."""
    from connectors.files import read_all

    try:
        documents = list(_documents(read_all(path, MAX_BYTES).decode()))
    except (ValueError, RecursionError):
        return None
    rows = CiRows()
    try:
        known = all(_read(rows, one, {}) for one in documents)
    except ValueError as error:
        raise ConfigurationError(
            f"a run or job that cannot be read: {error}", where=str(path), next_step="leave it out"
        ) from error
    return rows if known and (rows.runs or rows.jobs) else None


def _documents(text: str) -> Iterator[object]:
    """JSON documents, one behind the other: `gh api --paginate` prints one for each page, `--jq` one a line."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        else:
            document, at = decoder.raw_decode(text, at)
            yield document


def _read(rows: CiRows, document: object, about: Node) -> bool:
    """Rows of a run, a job, what holds some, or a list of these; False where there is anything else."""
    if isinstance(document, list):
        return all(_read(rows, one, about) for one in document)
    if not isinstance(document, dict):
        return False
    names = ("workflow_runs", "workflow_run", "jobs", "workflow_job")
    held = next((document[name] for name in names if document.get(name)), None)
    if held is None:
        return bool({"workflow_runs", "total_count"} & document.keys()) or _add(rows, _api(document), about)
    if document.get("jobs") or document.get("workflow_job"):
        about = {key: value for key, value in _api(document).items() if key != "jobs"}
        if "created_at" in about and not _add(rows, about, {}):
            return False
    return _read(rows, held, about)


def _api(node: Mapping[object, object]) -> Node:
    return {_GH.get(str(key), str(key)): value for key, value in node.items()}


def _add(rows: CiRows, node: Node, about: Node) -> bool:
    """The row of one run or job; False when it is neither. `about` is the run that holds a job."""
    from connectors.github_rows import github_job_row, github_run_row
    from connectors.gitlab_rows import gitlab_job_row, gitlab_pipeline_rows

    repository = node.get("repository") or about.get("repository")
    repo = str(repository.get("full_name", "")) if isinstance(repository, dict) else ""
    if "completed_at" in node:
        job = {"run_id": about.get("id"), "run_attempt": about.get("run_attempt"), **node}
        rows.jobs.append((github_job_row(job, repo), _of_run({**about, **node}, repo)))
    elif "stage" in node and "finished_at" in node:
        rows.jobs.append((gitlab_job_row(node), _of_run(node, "")))
    elif "run_attempt" in node or "run_started_at" in node:
        named = {"name": node.get("workflow_name"), "run_started_at": node.get("started_at"), **node}
        if not named["name"]:
            named["name"] = node.get("workflow_name")
        rows.runs.append(github_run_row(named, repo))
    elif "ref" in node and "sha" in node and "status" in node:
        rows.runs += gitlab_pipeline_rows(node)["pipeline_runs"]
    else:
        return False
    return True


def _of_run(job: Node, repo: str) -> dict[str, str]:
    pipeline = job.get("pipeline")
    inner = pipeline if isinstance(pipeline, dict) else {}
    said = {
        "repo": repo,
        "workflow": job.get("workflow_name"),
        "branch": job.get("head_branch") or job.get("ref"),
        "event": job.get("event") or inner.get("source"),
        "sha": job.get("head_sha") or inner.get("sha"),
    }
    return {key: str(value) for key, value in said.items() if value}
