"""Rows of GitLab pipelines, jobs, merge requests and deployments. Pure: no requests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aether_tui.records.tables import (
    DEPLOYMENTS,
    MOST_MESSAGE,
    PIPELINE_JOBS,
    PIPELINE_RUNS,
    PULL_REQUESTS,
    TEST_CASES,
    TEST_RUNS,
)
from aether_tui.text import begun
from connectors.base import Row, Value
from connectors.ci_steps import size_of_artifacts
from connectors.fields import Node, dig, instant, integer, objects, spent, text
from connectors.github_rows import item_keys, seconds
from connectors.gitlab_attempts import attempts_of

_RESULTS = {"success": "success", "failed": "failure", "canceled": "cancelled", "skipped": "skipped"}
_RUNNING = frozenset({"running", "pending", "created", "preparing", "waiting_for_resource", "scheduled", "canceling"})
_DEPLOYED = {"success": "success", "failed": "failure", "running": "running", "created": "running"}
_STATES = {"opened": "open"}
_BOT = re.compile(r"(project|group)_\d+_bot|service_account_|GitLabDuo$|ghost$", re.IGNORECASE)
_CASES = {"success": "passed"}
_COUNTED = {"passed": "passed", "failed": "failed", "error": "errors", "skipped": "skipped"}


def fold(status: str | None) -> str:
    """GitLab's status as one of our results; waiting of any kind is running, a manual gate is neither."""
    return _RESULTS.get(status or "", "running" if status in _RUNNING else "other")


def project_of(node: Node, fallback: str = "") -> str:
    """The path of the project (`group/sub/name`) from an address in the answer, else its number."""
    for place in ((), ("pipeline",), ("deployable",), ("deployable", "pipeline")):
        address = text(node, *place, "web_url") or ""
        if found := re.match(r"https?://[^/]+/(.+?)/-/", address):
            return found.group(1)
    return text(node, "project_id") or fallback or "?"


def gitlab_pipeline_rows(pipeline: Node, repo: str = "", jobs: Sequence[Node] = ()) -> dict[str, list[Row]]:
    """A pipeline from the list (without durations) or from its details, with its jobs; each time it was retried is an
    attempt. Raises ValueError when it cannot be read.

    GitLab's duration leaves queueing out, so queue and run are its own numbers. Wall ends when the pipeline first came to
    rest, where its `jobs` tell: a manual job or a retry days later moves `finished`. Of a retried one GitLab has one duration
    for all: there the jobs tell.
    """
    found = attempts_of(jobs)
    created, finished = instant(pipeline, "created_at"), instant(pipeline, "finished_at")
    shared = _shared(pipeline, repo)
    runs = []
    for place, one in enumerate(found, 1):
        last = place == len(found)
        alone: dict[str, Value] = {
            "started": instant(pipeline, "started_at"),
            "finished": finished,
            "queue_s": spent(pipeline, "queued_duration"),
            "run_s": spent(pipeline, "duration"),
            "wall_s": seconds(created, finished and (one.rest or finished)),
        }
        told: dict[str, Value] = {
            "started": one.started,
            "finished": one.rest,
            "queue_s": seconds(created if place == 1 else one.queued, one.started),
            "run_s": one.run_s,
            "wall_s": seconds(created if place == 1 else one.queued, one.rest),
        }
        result = fold(text(pipeline, "status")) if last else "failure" if one.failed else "success"
        runs.append(PIPELINE_RUNS.row(**shared, attempt=place, result=result, **(alone if len(found) == 1 else told)))
    rows = [gitlab_job_row(job, repo, place) for place, one in enumerate(found, 1) for job in one.jobs]
    return {PIPELINE_RUNS.name: runs, PIPELINE_JOBS.name: rows}


def _shared(pipeline: Node, repo: str) -> dict[str, Value]:
    source = text(pipeline, "source")
    return {
        "id": text(pipeline, "id"),
        "repo": repo or project_of(pipeline),
        "workflow": text(pipeline, "name") or ("child pipeline" if source == "parent_pipeline" else "pipeline"),
        "branch": text(pipeline, "ref"),
        "event": source,
        "sha": text(pipeline, "sha"),
        "created": instant(pipeline, "created_at"),
        "updated": instant(pipeline, "updated_at"),
    }


def gitlab_job_row(job: Node, repo: str = "", attempt: int = 1) -> Row:
    """One job of an attempt of its pipeline; a retried one has an id of its own. Raises ValueError when it cannot be read."""
    return PIPELINE_JOBS.row(
        id=text(job, "id"),
        attempt=attempt,
        run_id=text(job, "pipeline", "id"),
        repo=repo or project_of(job),
        name=text(job, "name"),
        created=instant(job, "created_at"),
        started=instant(job, "started_at"),
        finished=instant(job, "finished_at"),
        queue_s=spent(job, "queued_duration"),
        run_s=spent(job, "duration"),
        result=fold(text(job, "status")),
        runner=text(job, "runner", "description"),
        artifact_bytes=size_of_artifacts(job),
    )


def gitlab_merge_request_row(
    request: Node, repo: str = "", commits: Sequence[Node] = (), notes: Sequence[Node] = ()
) -> Row:
    """A merge request with the author date of its earliest commit, and the first comment or approval by another person
    (not a bot). Raises ValueError when it cannot be read.
    """
    merged, state, labels = instant(request, "merged_at"), text(request, "state"), dig(request, "labels")
    dates = (instant(commit, "authored_date") for commit in commits)
    author = _person(request)
    reviewed = (instant(note, "created_at") for note in notes if _person(note) != author and _is_review(note))
    return PULL_REQUESTS.row(
        repo=repo or project_of(request),
        number=integer(request, "iid"),
        state=_STATES.get(state or "", state),
        created=instant(request, "created_at"),
        first_commit=min(filter(None, dates), default=None),
        first_review=min(filter(None, reviewed), default=None),
        merged=merged,
        closed=instant(request, "closed_at") or merged,
        updated=instant(request, "updated_at"),
        merge_sha=_merged_as(request) if merged else None,
        base_branch=text(request, "target_branch"),
        author=author,
        labels=tuple(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else (),
        item_keys=item_keys(text(request, "source_branch") or "", text(request, "title") or ""),
    )


def _merged_as(request: Node) -> str | None:
    """The commit that reached the target branch: of a merge, of a squash, or, where it was moved forward, the last of the request."""
    told = (text(request, name) for name in ("merge_commit_sha", "squash_commit_sha", "sha"))
    return next(filter(None, told), None)


def _person(node: Node) -> str | None:
    return text(node, "author", "id") or text(node, "author", "username")


def _is_review(note: Node) -> bool:
    """GitLab writes a note for everything that happens; of its own ones only approvals are reviews."""
    if _BOT.match(text(note, "author", "username") or ""):
        return False
    return dig(note, "system") is not True or (text(note, "body") or "").startswith("approved this merge request")


def gitlab_deployment_row(deployment: Node, repo: str = "") -> Row:
    """A deployment; only the host's own `success` is a success. Raises ValueError when it cannot be read."""
    result = _DEPLOYED.get(text(deployment, "status") or "", "unknown")
    ended = instant(deployment, "deployable", "finished_at") or instant(deployment, "updated_at")
    return DEPLOYMENTS.row(
        id=text(deployment, "id"),
        repo=repo or project_of(deployment),
        source_environment=text(deployment, "environment", "name"),
        sha=text(deployment, "sha"),
        started=instant(deployment, "created_at"),
        finished=ended if result in ("success", "failure") else None,
        updated=instant(deployment, "updated_at"),
        result=result,
        reason="unknown",
    )


def gitlab_test_rows(report: Node, pipeline: Node, repo: str = "") -> dict[str, list[Row]]:
    """The suites of a pipeline's test report, each a test run, with their cases. Counts are those of the cases.

    Raises ValueError when the pipeline cannot be read.
    """
    rows: dict[str, list[Row]] = {TEST_RUNS.name: [], TEST_CASES.name: []}
    shared: dict[str, Value] = {
        "repo": repo or project_of(pipeline),
        "branch": text(pipeline, "ref"),
        "sha": text(pipeline, "sha"),
    }
    started = instant(pipeline, "started_at") or instant(pipeline, "created_at")
    for suite in objects(report, "test_suites"):
        name, cases = text(suite, "name") or "tests", objects(suite, "test_cases")
        run_id = f"{text(pipeline, 'id')}:{name}"
        told = _case_rows(cases, run_id, started)
        results = [_case_result(case) for case in cases]
        times = [took for case in cases if (took := spent(case, "execution_time")) is not None]
        counts: dict[str, Value] = {column: results.count(result) for result, column in _COUNTED.items()}
        rows[TEST_RUNS.name].append(
            TEST_RUNS.row(
                id=run_id,
                suite=name,
                started=started,
                duration_s=sum(times) if times else None,
                suite_time_s=spent(suite, "total_time"),
                tests=len(cases),
                flaky=sum(flaky for _, flaky in told),
                partial=dig(suite, "suite_error") is not None,
                **counts,
                **shared,
            )
        )
        rows[TEST_CASES.name] += [row for row, _ in told]
    return rows


def _case_rows(cases: Sequence[Node], run_id: str, started: Value) -> list[tuple[Row, bool]]:
    """Rows of cases, and whether each is the one that makes its key flaky: failed and passed under one name."""
    seen: dict[str, list[str]] = {}
    rows = []
    for case in cases:
        named = [part for field in ("classname", "name", "file") if (part := text(case, field))]
        earlier = seen.setdefault("::".join(named) or "?", [])
        result = _case_result(case)
        before = _is_flaky(earlier)
        earlier.append(result)
        flaky = _is_flaky(earlier) and not before
        row = TEST_CASES.row(
            run_id=run_id,
            case_key="::".join(named) or "?",
            ordinal=len(earlier) - 1,
            started=started,
            name=text(case, "name"),
            classname=text(case, "classname"),
            duration_s=spent(case, "execution_time"),
            result=result,
            flaky=flaky,
            file=text(case, "file"),
            message=_message(case) if result in {"failed", "error"} else None,
        )
        rows.append((row, flaky))
    return rows


def _case_result(case: Node) -> str:
    status = text(case, "status") or "error"
    return _CASES.get(status, status)


def _is_flaky(results: Sequence[str]) -> bool:
    return "passed" in results and any(result in {"failed", "error"} for result in results)


def _message(case: Node) -> str | None:
    said = text(case, "system_output") or text(case, "system_output", "message")
    return begun(said, MOST_MESSAGE) if said else None
