"""Rows of GitHub runs, jobs, pull requests and deployments. Pure: no requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from aether_tui.records.tables import DEPLOYMENTS, PIPELINE_JOBS, PIPELINE_RUNS, PULL_REQUESTS
from connectors.base import Row
from connectors.ci_steps import of_steps
from connectors.fields import Node, dig, instant, integer, names, objects, text

_RESULTS = frozenset({"success", "failure", "timed_out", "cancelled", "skipped"})
_RUNNING = frozenset({"queued", "in_progress", "waiting", "pending", "requested"})
_DEPLOYED = {"success": "success", "failure": "failure", "error": "failure"}
_DEPLOYING = frozenset({"in_progress", "queued", "pending"})


def fold(conclusion: str | None, status: str | None) -> str:
    """GitHub's many spellings of how a run or job ended as one of ours; what has no conclusion yet is running."""
    ended = (conclusion or "").lower()
    if not ended:
        return "running" if (status or "").lower() in _RUNNING else "other"
    return ended if ended in _RESULTS else "other"


def github_run_rows(run: Node, repo: str, jobs: Sequence[Node] = ()) -> dict[str, Sequence[Row]]:
    """A run with its jobs of all attempts. GitHub keeps only the last attempt of a run: earlier ones are rebuilt from
    their jobs. Raises ValueError for a run that cannot be read.
    """
    last = integer(run, "run_attempt") or 1
    by_attempt: dict[int, list[Node]] = {}
    for job in jobs:
        by_attempt.setdefault(integer(job, "run_attempt") or 1, []).append(job)
    earlier = [
        _earlier_attempt(run, repo, attempt, by_attempt[attempt]) for attempt in sorted(by_attempt) if attempt < last
    ]
    return {
        PIPELINE_RUNS.name: [*earlier, github_run_row(run, repo, by_attempt.get(last, ()))],
        PIPELINE_JOBS.name: [github_job_row(job, repo) for job in jobs],
    }


def github_run_row(run: Node, repo: str, jobs: Sequence[Node] = ()) -> Row:
    """The latest attempt of a run. With its `jobs` the times are theirs; without, the run's last update stands for its
    end, and how long it queued is not known. Raises ValueError for a run that cannot be read.
    """
    attempt = integer(run, "run_attempt") or 1
    created = instant(run, "created_at")
    requested = instant(run, "run_started_at") or created
    result = fold(text(run, "conclusion"), text(run, "status"))
    started, finished, queue_s = _span(jobs)
    started = started or requested
    if result == "running":
        finished = None
    elif finished is None:
        finished = instant(run, "updated_at")
    return PIPELINE_RUNS.row(
        **_shared(run, repo),
        attempt=attempt,
        started=started,
        finished=finished,
        queue_s=queue_s,
        run_s=seconds(started, finished),
        wall_s=seconds(created if attempt == 1 else requested, finished),
        result=result,
        runner=_runner(jobs),
    )


def _earlier_attempt(run: Node, repo: str, attempt: int, jobs: Sequence[Node]) -> Row:
    started, finished, queue_s = _span(jobs)
    return PIPELINE_RUNS.row(
        **_shared(run, repo),
        attempt=attempt,
        started=started,
        finished=finished,
        queue_s=queue_s,
        run_s=seconds(started, finished),
        wall_s=seconds(instant(run, "created_at") if attempt == 1 else started, finished),
        result=_worst(jobs),
        runner=_runner(jobs),
    )


def _shared(run: Node, repo: str) -> dict[str, str | datetime | None]:
    return {
        "id": text(run, "id"),
        "repo": repo,
        "workflow": text(run, "name"),
        "branch": text(run, "head_branch"),
        "event": text(run, "event"),
        "sha": text(run, "head_sha"),
        "created": instant(run, "created_at"),
        "updated": instant(run, "updated_at"),
    }


def _span(jobs: Sequence[Node]) -> tuple[datetime | None, datetime | None, float | None]:
    """First start, last end, and how long the first job queued."""
    ran = [job for job in jobs if fold(text(job, "conclusion"), text(job, "status")) != "skipped"]
    starts = sorted(
        ((at, number) for number, job in enumerate(ran) if (at := instant(job, "started_at")) is not None),
    )
    ends = [at for job in ran if (at := instant(job, "completed_at")) is not None]
    if not starts:
        return None, None, None
    at, number = starts[0]
    return at, max(ends, default=None), seconds(instant(ran[number], "created_at"), at)


def _worst(jobs: Sequence[Node]) -> str:
    results = {fold(text(job, "conclusion"), text(job, "status")) for job in jobs}
    return next((r for r in ("failure", "timed_out", "cancelled", "success", "skipped") if r in results), "other")


def _runner(jobs: Sequence[Node]) -> str | None:
    labels = [label for job in jobs for label in _texts(dig(job, "labels"))]
    return labels[0] if labels else None


def github_job_row(job: Node, repo: str) -> Row:
    """One job. Old payloads do not say when it was queued. Raises ValueError for a job that cannot be read."""
    started, finished = instant(job, "started_at"), instant(job, "completed_at")
    created = instant(job, "created_at")
    return PIPELINE_JOBS.row(
        id=text(job, "id"),
        attempt=integer(job, "run_attempt") or 1,
        run_id=text(job, "run_id"),
        repo=repo,
        name=text(job, "name"),
        created=created,
        started=started,
        finished=finished,
        queue_s=seconds(created, started),
        run_s=seconds(started, finished),
        result=fold(text(job, "conclusion"), text(job, "status")),
        runner=_runner([job]),
        **of_steps(job),
    )


def github_pull_request_row(pull: Node, repo: str, commits: Sequence[Node] = (), reviews: Sequence[Node] = ()) -> Row:
    """A pull request with the author date of its earliest commit and the first review by another person (not a bot).

    Raises ValueError for one that cannot be read.
    """
    author = text(pull, "user", "id") or text(pull, "user", "login")
    merged = instant(pull, "merged_at")
    dates = (instant(commit, "commit", "author", "date") for commit in commits)
    reviewed = (
        instant(review, "submitted_at")
        for review in reviews
        if (text(review, "user", "id") or text(review, "user", "login")) != author
        and text(review, "user", "type") != "Bot"
    )
    return PULL_REQUESTS.row(
        repo=repo,
        number=integer(pull, "number"),
        state="merged" if merged else (text(pull, "state") or "").lower() or None,
        created=instant(pull, "created_at"),
        first_commit=min(filter(None, dates), default=None),
        first_review=min(filter(None, reviewed), default=None),
        merged=merged,
        closed=instant(pull, "closed_at"),
        updated=instant(pull, "updated_at"),
        merge_sha=text(pull, "merge_commit_sha") if merged else None,
        base_branch=text(pull, "base", "ref"),
        author=author,
        additions=integer(pull, "additions"),
        deletions=integer(pull, "deletions"),
        labels=names(objects(pull, "labels")),
        item_keys=item_keys(text(pull, "head", "ref") or "", text(pull, "title") or ""),
    )


def item_keys(branch: str, title: str) -> tuple[str, ...]:
    """Keys of work items: `ENG-42` anywhere in a title, also `ada/eng-42-fix` in a branch."""
    found = re.findall(r"\b[A-Z][A-Z0-9_]*-\d+\b", title)
    found += [key.upper() for key in re.findall(r"(?:^|/)([A-Za-z][A-Za-z0-9_]*-\d+)(?=$|[-_/])", branch)]
    return tuple(dict.fromkeys(found))


def github_deployment_row(deployment: Node, repo: str, statuses: Sequence[Node] = ()) -> Row:
    """A deployment; it succeeded only when a status says so. Raises ValueError for one that cannot be read."""
    dated = sorted(
        ((at, status) for status in statuses if (at := instant(status, "created_at"))), key=lambda pair: pair[0]
    )
    final = [(at, _DEPLOYED[state]) for at, status in dated if (state := _lower(status, "state")) in _DEPLOYED]
    deploying = bool(dated) and _lower(dated[-1][1], "state") in _DEPLOYING
    created = instant(deployment, "created_at")
    changes = [instant(deployment, "updated_at"), *(at for at, _ in dated)]
    result = final[-1][1] if final else "running" if deploying else "unknown"
    return DEPLOYMENTS.row(
        id=text(deployment, "id"),
        repo=repo,
        source_environment=text(deployment, "environment"),
        sha=text(deployment, "sha"),
        started=created,
        finished=final[-1][0] if final else None,
        updated=max(filter(None, changes), default=created),
        result=result,
        reason=_reason(deployment),
    )


def github_release_row(release: Node, repo: str, environment: str) -> Row:
    """A published release as a deployment to `environment`. Raises ValueError for one that cannot be read."""
    target = text(release, "target_commitish") or ""
    published = instant(release, "published_at")
    said = " ".join(filter(None, (text(release, name) for name in ("tag_name", "name")))).lower()
    return DEPLOYMENTS.row(
        id=f"release:{text(release, 'id')}",
        repo=repo,
        source_environment=environment,
        sha=target if re.fullmatch(r"[0-9a-f]{40}", target) else None,
        started=published,
        finished=published,
        updated=published,
        result="success",
        reason=next((word for word in ("rollback", "hotfix") if word in said), "unknown"),
    )


def _reason(deployment: Node) -> str:
    """Only what the deployment itself says; an ordinary one says nothing."""
    said = " ".join(filter(None, (text(deployment, name) for name in ("task", "ref", "description")))).lower()
    return next((word for word in ("rollback", "hotfix") if word in said), "unknown")


def _lower(node: Node, field: str) -> str:
    return (text(node, field) or "").lower()


def _texts(value: object) -> Iterable[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def seconds(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds between two instants; None where one is missing or they are reversed."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()
