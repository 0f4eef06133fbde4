"""Levers of what CI jobs do beside their work: caches that miss, artifacts that are moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from aether_tui.diagnostics.frame import Data, Record, real, text, whole
from aether_tui.diagnostics.levers_model import Found, Lever, Unknown, median
from aether_tui.human import duration, plural
from aether_tui.text import one_line

LEAST = 3
"""Runs of each kind, with the cache and without it."""
LEAST_RUNS = 5
WORTH_S = 1.0
SLOW_BYTES_S = 10_000_000
"""What a runner moves at least in a second, where a host tells sizes and no times."""


def find(data: Data) -> Found:
    """Levers of every job's caches and of every workflow's artifacts, and why there are none."""
    jobs: dict[tuple[str, str], dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    rows = data.rows("levers_steps")
    for row in rows:
        jobs[text(row["repo"]), text(row["workflow"])][text(row["name"])].append(row)
    levers: list[Lever] = []
    for (repo, workflow), by_name in jobs.items():
        where = f"{one_line(repo, 60).rpartition('/')[2]} · {one_line(workflow, 40)}"
        levers += [one for one in (_caches(where, by_name), _artifacts(where, by_name)) if one]
    found = {one.lever for one in levers}
    return levers, [
        Unknown(surface="ci", lever=name, reason=reason) for name, reason in _reasons(rows).items() if name not in found
    ]


def _reasons(rows: Sequence[Record]) -> dict[str, str]:
    told = any(row["cache_saved"] is not None for row in rows)
    moved = any(row["artifact_s"] is not None or row["artifact_bytes"] is not None for row in rows)
    no_steps = "no job tells its steps (GitHub does)"
    return {
        "Cache misses": f"no job ran {LEAST} times with and {LEAST} times without its cache" if told
        else "no step of a job saves a cache" if rows else no_steps,
        "Artifact size": "what jobs keep is moved within a second" if moved
        else "no job keeps an artifact" if rows else "no job tells its steps (GitHub) or what it keeps (GitLab)",
    }  # fmt: skip


def _caches(where: str, by_name: dict[str, list[Record]]) -> Lever | None:
    """Setting up after a miss against setting up after a hit, by the share of misses, over the jobs of a workflow."""
    saving, runs, behind = 0.0, 0, []
    for name, group in by_name.items():
        told = [row for row in group if row["prepare_s"] is not None and row["cache_saved"] is not None]
        missed = [real(row["prepare_s"]) for row in told if row["cache_saved"]]
        hit = [real(row["prepare_s"]) for row in told if not row["cache_saved"]]
        if min(len(missed), len(hit)) >= LEAST and median(missed) > median(hit):
            more = len(missed) / len(told) * (median(missed) - median(hit))
            words = (
                f"{duration(median(missed))} against {duration(median(hit))}, {len(missed)} of {len(told)} runs missed"
            )
            saving, runs = saving + more, max(runs, len(told))
            behind.append((more, one_line(name, 60), words))
    if saving < WORTH_S:
        return None
    why = (
        "A job that saves a cache at its end had restored one that was not exact. High: what setting up takes then beyond other runs "
        "(medians), for the share that missed, one job after the other. Low: these jobs do not decide when a run ends."
    )
    rows = tuple((name, words) for _, name, words in sorted(behind, reverse=True))
    return _lever(f"ci.cache.{where}", "Cache misses", where, saving, runs, why, rows)


def _artifacts(where: str, by_name: dict[str, list[Record]]) -> Lever | None:
    """What a run spends on moving artifacts: by the clock, else by their size."""
    runs: dict[str, float] = defaultdict(float)
    of_job: dict[str, list[str]] = {}
    timed = False
    for name, group in by_name.items():
        spent = [(row, real(row["artifact_s"])) for row in group if row["artifact_s"] is not None]
        timed = timed or bool(spent)
        sized = [
            (row, whole(row["artifact_bytes"]) / SLOW_BYTES_S) for row in group if row["artifact_bytes"] is not None
        ]
        for row, seconds in spent or sized:
            runs[text(row["id"])] += seconds
        sizes = [whole(row["artifact_bytes"]) / 1e6 for row, _ in sized]
        words = [f"{median(sizes):,.1f} MB"] if sizes else []
        words += [duration(median([seconds for _, seconds in spent]))] if spent else []
        if words:
            of_job[one_line(name, 60)] = words
    high = median(runs.values()) if len(runs) >= LEAST_RUNS else 0.0
    if high < WORTH_S:
        return None
    how = "by the clock" if timed else f"at {SLOW_BYTES_S / 1e6:.0f} MB a second, as the host tells sizes and no times"
    why = f"What a run spends on moving what its jobs keep, {how} (median). High: nothing is kept. Low: all of it is needed."
    behind = tuple((name, ", ".join(words)) for name, words in of_job.items())
    return _lever(f"ci.artifacts.{where}", "Artifact size", where, high, len(runs), why, behind)


def _lever(
    identity: str, lever: str, where: str, high: float, n: int, why: str, rows: tuple[tuple[str, str], ...]
) -> Lever:
    return Lever(
        id=identity, surface="ci", lever=lever, where=where, low=0.0, high=high, unit="s/run", n=n, of=plural(n, "run"), why=why,
        rows=rows,
    )  # fmt: skip
