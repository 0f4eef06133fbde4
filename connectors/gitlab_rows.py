"""Rows of GitLab pipelines, jobs, merge requests and deployments. Pure: no requests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aether_tui.records.tables import DEPLOYMENTS, PIPELINE_JOBS, PIPELINE_RUNS, PULL_REQUESTS
from connectors.base import Row
from connectors.fields import Node, dig, instant, integer, number, text
from connectors.github_rows import item_keys, seconds

_RESULTS = {"success": "success", "failed": "failure", "canceled": "cancelled", "skipped": "skipped"}
_RUNNING = frozenset({"running", "pending", "created", "preparing", "waiting_for_resource", "scheduled", "canceling"})
_DEPLOYED = {"success": "success", "failed": "failure", "running": "running", "created": "running"}
_STATES = {"opened": "open"}


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


def gitlab_pipeline_row(pipeline: Node, fallback: str = "") -> Row:
    """A pipeline from the list (without durations) or from its details. Raises ValueError when it cannot be read.

    GitLab's duration leaves queueing out, so queue and run are its own numbers and wall is created to finished.
    """
    created, finished = instant(pipeline, "created_at"), instant(pipeline, "finished_at")
    return PIPELINE_RUNS.row(
        id=text(pipeline, "id"),
        attempt=1,
        repo=project_of(pipeline, fallback),
        workflow=text(pipeline, "name") or "pipeline",
        branch=text(pipeline, "ref"),
        event=text(pipeline, "source"),
        sha=text(pipeline, "sha"),
        created=created,
        started=instant(pipeline, "started_at"),
        finished=finished,
        updated=instant(pipeline, "updated_at"),
        queue_s=number(pipeline, "queued_duration"),
        run_s=number(pipeline, "duration"),
        wall_s=seconds(created, finished),
        result=fold(text(pipeline, "status")),
    )


def gitlab_job_row(job: Node, fallback: str = "") -> Row:
    """One job; a retried one has an id of its own. Raises ValueError when it cannot be read."""
    return PIPELINE_JOBS.row(
        id=text(job, "id"),
        attempt=1,
        run_id=text(job, "pipeline", "id"),
        repo=project_of(job, fallback),
        name=text(job, "name"),
        created=instant(job, "created_at"),
        started=instant(job, "started_at"),
        finished=instant(job, "finished_at"),
        queue_s=number(job, "queued_duration"),
        run_s=number(job, "duration"),
        result=fold(text(job, "status")),
        runner=text(job, "runner", "description"),
    )


def gitlab_merge_request_row(request: Node, fallback: str = "", commits: Sequence[Node] = ()) -> Row:
    """A merge request with the author date of its earliest commit. Raises ValueError when it cannot be read."""
    merged, state, labels = instant(request, "merged_at"), text(request, "state"), dig(request, "labels")
    dates = (instant(commit, "authored_date") for commit in commits)
    return PULL_REQUESTS.row(
        repo=project_of(request, fallback),
        number=integer(request, "iid"),
        state=_STATES.get(state or "", state),
        created=instant(request, "created_at"),
        first_commit=min(filter(None, dates), default=None),
        merged=merged,
        closed=instant(request, "closed_at") or merged,
        updated=instant(request, "updated_at"),
        merge_sha=(text(request, "merge_commit_sha") or text(request, "squash_commit_sha")) if merged else None,
        base_branch=text(request, "target_branch"),
        author=text(request, "author", "id") or text(request, "author", "username"),
        labels=tuple(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else (),
        item_keys=item_keys(text(request, "source_branch") or "", text(request, "title") or ""),
    )


def gitlab_deployment_row(deployment: Node, fallback: str = "") -> Row:
    """A deployment; only the host's own `success` is a success. Raises ValueError when it cannot be read."""
    result = _DEPLOYED.get(text(deployment, "status") or "", "unknown")
    ended = instant(deployment, "deployable", "finished_at") or instant(deployment, "updated_at")
    return DEPLOYMENTS.row(
        id=text(deployment, "id"),
        repo=project_of(deployment, fallback),
        source_environment=text(deployment, "environment", "name"),
        sha=text(deployment, "sha"),
        started=instant(deployment, "created_at"),
        finished=ended if result in ("success", "failure") else None,
        updated=instant(deployment, "updated_at"),
        result=result,
        reason="unknown",
    )
