"""Pipeline runs and their jobs as measurements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from aether_tui.budgets.measurements import Pipelines, Record, Records, Workflow, quantile_of, text_of
from aether_tui.budgets.package import without_matrix
from aether_tui.records.model import Value
from aether_tui.text import one_line

COUNTED = frozenset({"success", "failure", "timed_out"})
"""How a run ends that counts; cancelled, skipped and running ones are excluded."""
_KEY = ("repo", "workflow", "branch", "event", "job", "runner")


def measure_ci(records: Records) -> Pipelines:
    """Durations of pipeline runs, and of their jobs where those are known."""
    runs = records.rows.get("pipeline_runs", [])
    counted = [run for run in runs if run["result"] in COUNTED]
    walls = [seconds for run in counted if (seconds := _wall(run)) is not None]
    queues = [float(run["queue_s"]) for run in counted if isinstance(run["queue_s"], int | float)]
    return Pipelines(
        runs=len(counted),
        excluded=len(runs) - len(counted),
        p50_s=quantile_of(walls, 0.5),
        p85_s=quantile_of(walls, 0.85),
        queue_p50_s=quantile_of(queues, 0.5),
        by_workflow=_grouped(counted),
        problems=tuple(records.problems),
        by_job=_grouped(whole_jobs(records.rows.get("pipeline_jobs", ()), runs)),
    )


def _grouped(runs: Iterable[Record]) -> tuple[Workflow, ...]:
    groups: dict[tuple[str, ...], list[Record]] = {}
    for run in sorted(runs, key=lambda run: str(run["created"])):
        groups.setdefault(tuple(text_of(run.get(name)) for name in _KEY), []).append(run)
    return tuple(_workflow(key, group) for key, group in sorted(groups.items()))


def _workflow(key: tuple[str, ...], group: Sequence[Record]) -> Workflow:
    """One workflow or job; re-runs are counted, but not samples."""
    first = [run for run in group if run["attempt"] in (None, 1)] or group
    timed = [(run, created, wall) for run in first if isinstance(created := run["created"], datetime)
             and (wall := _wall(run)) is not None]  # fmt: skip
    repo, workflow, branch, event, job, runner = key
    walls = [wall for run in group if (wall := _wall(run)) is not None]
    return Workflow(
        repo=repo,
        workflow=one_line(workflow),
        branch=one_line(branch),
        event=event,
        runner=runner,
        runs=len(group),
        p50_s=quantile_of(walls, 0.5),
        samples_s=tuple(wall for _, _, wall in timed),
        created=tuple(created for _, created, _ in timed),
        run_s=tuple(_real(run["run_s"]) for run, _, _ in timed),
        queue_s=tuple(_real(run["queue_s"]) for run, _, _ in timed),
        shas=tuple(text_of(run.get("sha")) for run, _, _ in timed),
        job=one_line(job),
    )


def whole_jobs(jobs: Iterable[Record], runs: Iterable[Record] = ()) -> list[Record]:
    """One row per run and job, about its run where that is among `runs`; what a skipped leg of a matrix would have taken
    is not asked, and a job with a leg that did not end does not count.
    """
    about = {text_of(run["id"]): run for run in runs}
    legs: dict[tuple[str, ...], list[Record]] = {}
    for job in jobs:
        if job["result"] != "skipped":
            key = (
                text_of(job["repo"]),
                text_of(job["run_id"]),
                text_of(job["attempt"]),
                without_matrix(text_of(job["name"])),
            )
            legs.setdefault(key, []).append(job)
    found = []
    for (repo, run_id, _, name), group in legs.items():
        starts = [at for job in group if isinstance(at := job["created"] or job["started"], datetime)]
        begun = [at for job in group if isinstance(at := job["started"], datetime)]
        ends = [at for job in group if isinstance(at := job["finished"], datetime)]
        if any(job["result"] not in COUNTED for job in group) or len(ends) < len(group) or not starts or not begun:
            continue
        of = about.get(run_id, {}) or group[0]
        runner = ", ".join(sorted({text_of(job["runner"]) for job in group} - {""}))
        found.append(
            {key: of.get(key) for key in ("workflow", "branch", "event", "sha")}
            | {
                "repo": repo, "job": name, "runner": one_line(runner, 120), "attempt": group[0]["attempt"],
                "created": min(starts), "wall_s": (max(ends) - min(starts)).total_seconds(),
                "run_s": (max(ends) - min(begun)).total_seconds(), "queue_s": (min(begun) - min(starts)).total_seconds(),
            }
        )  # fmt: skip
    return found


def _wall(run: Record) -> float | None:
    return _real(run["wall_s"] if run["wall_s"] is not None else run["run_s"])


def _real(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None
