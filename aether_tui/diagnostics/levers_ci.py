"""Levers of CI: critical path, serial stages, shards. Needs of jobs are not recorded, so order is read off the clock."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from aether_tui.diagnostics.frame import Data, text
from aether_tui.diagnostics.levers_model import Found, Lever, Unknown, median, quartiles
from aether_tui.human import duration, plural
from aether_tui.text import one_line

LEAST_RUNS = 5
WORTH_S = 5.0
_SHARD = re.compile(r"^(.*?)[\s_\-(]*(\d+)(?:\s*(?:/|of)\s*\d+)?\)?$")


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a run, by the clock."""

    name: str
    start: datetime
    end: datetime

    @property
    def took_s(self) -> float:
        return (self.end - self.start).total_seconds()


def find(data: Data) -> Found:
    """Levers of every workflow, and what the records cannot tell."""
    runs: dict[tuple[str, str], dict[str, list[Job]]] = defaultdict(lambda: defaultdict(list))
    for row in data.rows("levers_jobs"):
        start, end = row["started"], row["finished"]
        if isinstance(start, datetime) and isinstance(end, datetime):
            job = Job(one_line(text(row["name"]), 60), start, end)
            runs[text(row["repo"]), text(row["workflow"])][text(row["id"])].append(job)
    levers: list[Lever] = []
    for (repo, workflow), by_run in runs.items():
        if len(by_run) >= LEAST_RUNS:
            where = f"{one_line(repo, 60).rpartition('/')[2]} · {one_line(workflow, 40)}"
            levers += _of_workflow(where, list(by_run.values()))
    unknown: list[Unknown] = []
    if not runs:
        reason = "no job of a successful run in this window; connect GitHub or GitLab and run `aether-tui sync`"
        unknown = [Unknown(surface="ci", lever=name, reason=reason) for name in ("Critical path", "Serial stages")]
    if not any(one.lever == "Shard imbalance" for one in levers):
        unknown.append(Unknown(surface="ci", lever="Shard imbalance", reason="no job with numbered shards that differ"))
    return levers, unknown


def _of_workflow(where: str, runs: list[list[Job]]) -> list[Lever]:
    paths = [critical_path(jobs) for jobs in runs]
    usual = Counter(tuple(job.name for job in path) for path in paths).most_common(1)[0][0]
    alike = [(path, jobs) for path, jobs in zip(paths, runs, strict=True) if tuple(job.name for job in path) == usual]
    took = {name: median([path[place].took_s for path, _ in alike]) for place, name in enumerate(usual)}
    rows = tuple((f"{place}. {name}", duration(took[name])) for place, name in enumerate(usual, 1))
    slack = median([longest_slack(path, jobs) for path, jobs in alike])
    levers = []
    if slack >= WORTH_S:
        longest = max(usual, key=lambda name: took[name])
        why = (
            f"{longest} is the longest job of the path that decides when a run ends. At most it can give what no job beside "
            "it takes; how much of that is real, somebody who knows the job must say."
        )
        levers.append(_lever(f"ci.path.{where}", f"Critical path: {longest}", where, 0.0, slack, len(alike), why, rows))
    serial = sum(took.values()) - max(took.values())
    if len(usual) > 1 and serial >= WORTH_S:
        why = "Upper bound: all stages of the path side by side. What needs the stage before it stays behind it."
        name = f"Serial stages: {' → '.join(usual)}"
        levers.append(_lever(f"ci.serial.{where}", name, where, 0.0, serial, len(alike), why, rows))
    return levers + _shards(where, runs)


def critical_path(jobs: list[Job]) -> list[Job]:
    """Back from the job that ended last: what ended last before it began, and so on; first job first."""
    path = [max(jobs, key=lambda job: (job.end, job.name))]
    while before := [
        job for job in jobs if job.end <= path[0].start and job not in path
    ]:  # a job of no time ends as it starts
        path.insert(0, max(before, key=lambda job: (job.end, job.name)))
    return path


def longest_slack(path: list[Job], jobs: list[Job]) -> float:
    """How much sooner the run could end if the longest job of the path took no time: until the longest beside it ends."""
    longest = max(path, key=lambda job: job.took_s)
    beside = [job for job in jobs if job not in path and job.start < longest.end and job.end > longest.start]
    held = max(((job.end - longest.start).total_seconds() for job in beside), default=0.0)
    return max(0.0, longest.took_s - held)


def _shards(where: str, runs: list[list[Job]]) -> list[Lever]:
    """Jobs numbered from 0 or 1 on without a gap; others are versions, such as `node 18` and `python (3.11)`."""
    gaps: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for jobs in runs:
        groups: dict[str, list[tuple[int, Job]]] = defaultdict(list)
        for job in jobs:
            if match := _SHARD.match(job.name):
                groups[match[1]].append((int(match[2]), job))
        for stem, numbered in groups.items():
            numbers, shards = sorted(number for number, _ in numbered), [job for _, job in numbered]
            if len(shards) > 1 and numbers[0] < 2 and numbers == list(range(numbers[0], numbers[0] + len(shards))):
                took = [job.took_s for job in shards]
                gaps[stem].append(max(took) - sum(took) / len(took))
                for job in shards:
                    sizes[stem][job.name].append(job.took_s)
    levers = []
    for stem, found in gaps.items():
        low, high = quartiles(found)
        if len(found) >= LEAST_RUNS and high >= WORTH_S:
            rows = sorted(((name, median(took)) for name, took in sizes[stem].items()), key=lambda item: -item[1])
            told = tuple((name, duration(took)) for name, took in rows)
            why = "The slowest shard over the mean of all: even shards would end together. Quartiles over the runs."
            levers.append(
                _lever(
                    f"ci.shards.{where}.{stem}",
                    "Shard imbalance",
                    f"{where} · {stem}",
                    low,
                    high,
                    len(found),
                    why,
                    told,
                )
            )
    return levers


def _lever(
    identity: str, lever: str, where: str, low: float, high: float, n: int, why: str, rows: tuple[tuple[str, str], ...]
) -> Lever:
    return Lever(
        id=identity, surface="ci", lever=lever, where=where, low=low, high=high, unit="s/run", n=n, of=plural(n, "run"), why=why,
        rows=rows,
    )  # fmt: skip
