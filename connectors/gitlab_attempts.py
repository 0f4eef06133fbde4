"""Pipelines that somebody retried: GitLab keeps one pipeline and adds jobs, here each time it ran is an attempt. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.fields import Node, dig, instant, integer, spent, text

_PAUSE = timedelta(minutes=1)


@dataclass(slots=True)
class Attempt:
    """Jobs of one attempt: when it came to `rest` for the first time, how long some job ran until then, and its `jobs`."""

    jobs: list[Node]
    queued: datetime | None = None
    started: datetime | None = None
    rest: datetime | None = None
    run_s: float | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class _Ran:
    queued: datetime
    started: datetime
    ended: datetime
    job: Node


def attempts_of(jobs: Sequence[Node]) -> list[Attempt]:
    """The attempts of a pipeline, from all its jobs (with `include_retried`); at least one, which may be empty.

    A retry after the pipeline came to rest for a minute begins one; a manual job or a job that retries itself does not.
    """
    stretches: list[list[_Ran]] = []
    rest: datetime | None = None
    for one in sorted(_ran(jobs), key=lambda one: (one.queued, one.started)):
        if rest is None or one.queued > rest + _PAUSE:
            stretches.append([])
        stretches[-1].append(one)
        rest = max(rest or one.ended, one.ended)
    again = _retries(jobs)
    found: list[Attempt] = []
    standing: dict[str, Node] = {}
    for stretch in stretches:
        if not found or any(text(one.job, "id") in again for one in stretch):
            found.append(_attempt(stretch))
        else:
            found[-1].jobs += [one.job for one in stretch]
        standing |= {text(one.job, "name") or "": one.job for one in stretch}
        found[-1].failed = any(_fails(job) for job in standing.values())
    found = found or [Attempt([])]
    placed = {text(job, "id") for one in found for job in one.jobs}
    found[-1].jobs += [job for job in jobs if text(job, "id") not in placed]
    return found


def _ran(jobs: Sequence[Node]) -> list[_Ran]:
    found = []
    for job in jobs:
        started, ended = instant(job, "started_at"), instant(job, "finished_at")
        if started and ended:
            found.append(_Ran(started - timedelta(seconds=spent(job, "queued_duration") or 0.0), started, ended, job))
    return found


def _retries(jobs: Sequence[Node]) -> set[str | None]:
    """Ids of jobs that have an older one of their name."""
    seen: set[str] = set()
    again: set[str | None] = set()
    for job in sorted(jobs, key=lambda job: integer(job, "id") or 0):
        if (name := text(job, "name")) is None:
            continue
        if name in seen:
            again.add(text(job, "id"))
        seen.add(name)
    return again


def _attempt(stretch: Sequence[_Ran]) -> Attempt:
    run_s, reached = 0.0, stretch[0].started
    for one in sorted(stretch, key=lambda one: one.started):
        run_s += max(0.0, (one.ended - max(one.started, reached)).total_seconds())
        reached = max(reached, one.ended)
    return Attempt(
        [one.job for one in stretch],
        min(one.queued for one in stretch),
        min(one.started for one in stretch),
        max(one.ended for one in stretch),
        run_s,
    )


def _fails(job: Node) -> bool:
    return text(job, "status") == "failed" and dig(job, "allow_failure") is not True
