"""Levers of tests: the slowest, the flaky, what stands outside the cases, what waits for something outside."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from aether_tui.diagnostics.frame import Data, Record, real, text, whole
from aether_tui.diagnostics.levers_model import Found, Lever, Unknown, median
from aether_tui.human import amount, duration, plural
from aether_tui.stats.ranks import quantile
from aether_tui.text import one_line

SLOWEST = 5
WAITS_S = 1.0
VARIES = 0.25
"""A case whose middle 80 % of runs spread over a quarter of its median waits for something it does not control."""
_OUTSIDE = re.compile(
    r"http|api|network|socket|database|postgres|sql|redis|queue|kafka|mail|smtp|index|search|browser|docker|s3", re.I
)
WORTH_S = 0.1
END_TO_END = "e2e"
"""Tests of the whole: what they wait for is what they are about."""


def find(data: Data) -> Found:
    """Levers of every suite, and what its reports cannot tell."""
    cases: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for row in data.rows("levers_cases"):
        cases[text(row["repo"]), text(row["suite"])].append(row)
    suites = {(text(row["repo"]), text(row["suite"])): row for row in data.rows("levers_suites")}
    levers: list[Lever] = []
    for key, group in cases.items():
        name = one_line(" · ".join(part for part in key if part), 60) or "unnamed"
        levers += [one for one in (_slow(name, group), _flaky(name, group, suites[key])) if one]
        if key[1] != END_TO_END and (lever := _mock(name, group)):
            levers.append(lever)
    levers += [one for key, row in suites.items() if (one := _setup(one_line(" · ".join(filter(None, key)), 60), row))]
    return levers, _unknown(levers, suites)


def _unknown(levers: Sequence[Lever], suites: dict[tuple[str, str], Record]) -> list[Unknown]:
    if not suites:
        names = "Slowest and flaky tests, set-up, mocking"
        return [
            Unknown(surface="tests", lever=names, reason="no test report in this window; `aether-tui load` JUnit XML")
        ]
    reasons = {
        "Duplicated set-up": "no suite says more time than its cases together: set-up is inside the cases, or not reported",
        "Mocking": "no case of a second or more varies, or names anything, like one that waits for something outside",
        "Flaky tests": "no report says that a case failed and passed in one run",
    }
    found = {one.lever for one in levers}
    return [
        Unknown(surface="tests", lever=name, reason=reason) for name, reason in reasons.items() if name not in found
    ]


def _slow(name: str, cases: Sequence[Record]) -> Lever | None:
    times = [real(row["p50"]) for row in cases]
    if len(times) < 2 * SLOWEST:
        return None
    slowest = cases[:SLOWEST]
    bounds = [quantile(times, 0.9), median(times)]
    low, high = (sum(max(0.0, real(row["p50"]) - bound) for row in slowest) for bound in bounds)
    share = sum(times[:SLOWEST]) / (sum(times) or 1)
    why = (
        f"The slowest {SLOWEST} are {amount(share, 'ratio')} of the suite. Low: each as fast as the 90th percentile of cases. "
        "High: as the median."
    )
    return _lever("tests.slow", "Slowest tests", name, low, high, slowest, why, lambda row: duration(real(row["p50"])))


def _flaky(name: str, cases: Sequence[Record], suite: Record) -> Lever | None:
    flaky = sorted(
        (row for row in cases if whole(row["flaky"])), key=lambda row: -whole(row["flaky"]) / whole(row["n"])
    )
    if not flaky:
        return None
    low = sum(whole(row["flaky"]) / whole(row["n"]) * real(row["p50"]) for row in flaky)
    high = sum(whole(row["flaky"]) / whole(row["n"]) for row in flaky) * real(suite["p50"])
    why = "What a flake costs per run. Low: only the case runs again. High: the whole suite does."
    return _lever(
        "tests.flaky", "Flaky tests", name, low, high, flaky, why, lambda row: f"{row['flaky']} of {row['n']} runs"
    )


def _mock(name: str, cases: Sequence[Record]) -> Lever | None:
    def spread(row: Record) -> float:
        return (real(row["p90"]) - real(row["p10"])) / (real(row["p50"]) or 1.0)

    waits = [
        row
        for row in cases
        if real(row["p50"]) >= WAITS_S
        and ((whole(row["n"]) >= 5 and spread(row) >= VARIES) or _OUTSIDE.search(text(row["name"])))
    ]
    if not waits:
        return None
    quick = median([real(row["p50"]) for row in cases if row not in waits] or [0.0])
    low = sum(real(row["p90"]) - real(row["p10"]) for row in waits)
    high = sum(max(0.0, real(row["p50"]) - min(quick, real(row["p50"]))) for row in waits)
    why = (
        "Cases of a second or more that vary by a quarter between runs, or whose name speaks of something outside. "
        f"Low: what varies. High: each as fast as the others ({duration(quick)}). Whether they may be mocked, a person decides."
    )
    told = lambda row: f"{duration(real(row['p50']))}, varies {amount(spread(row), 'ratio')}"  # noqa: E731
    return _lever("tests.mock", "Mocking", name, min(low, high), max(low, high), waits, why, told)


def _setup(name: str, row: Record) -> Lever | None:
    low, high = max(0.0, real(row["low"])), real(row["high"])
    if not whole(row["stated"]) or high < max(WORTH_S, 0.01 * real(row["p50"])):
        return None
    return Lever(
        id=f"tests.setup.{name}", surface="tests", lever="Duplicated set-up", where=name, low=0.0, high=high, unit="s/run",
        n=whole(row["n"]), of=plural(whole(row["n"]), "run"),
        why="What the suite says it takes beyond its cases: set-up, tear-down, collection. High: all of it but once; quartiles over runs.",
        rows=(("outside the cases", f"{duration(low)} to {duration(high)}"), ("cases", duration(real(row["p50"])))),
    )  # fmt: skip


def _lever(
    identity: str,
    lever: str,
    name: str,
    low: float,
    high: float,
    rows: Sequence[Record],
    why: str,
    told: Callable[[Record], str],
) -> Lever | None:
    if high < WORTH_S:
        return None
    n = max(whole(row["n"]) for row in rows)
    behind = tuple((one_line(text(row["name"]), 70), told(row)) for row in rows[:8])
    return Lever(
        id=f"{identity}.{name}", surface="tests", lever=lever, where=name, low=low, high=high, unit="s/run", n=n,
        of=plural(n, "run"), why=why, rows=behind,
    )  # fmt: skip
