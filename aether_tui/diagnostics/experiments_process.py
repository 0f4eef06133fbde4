"""Tests of a way of working: teams that switch back and forth, or one series before and after (diagnostics G)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import fmean, stdev

from aether_tui.diagnostics.experiments import Effect, paired
from aether_tui.stats.distributions import t_cdf, t_ppf

LEAST_TEAMS = 6
LEAST_WEEKS = 8
LEAST_A_SIDE = 3


@dataclass(frozen=True, slots=True)
class TeamWeek:
    """One team in one week, with the new way or without."""

    team: str
    week: date
    treated: bool
    value: float


@dataclass(frozen=True, slots=True)
class Processed:
    """The effect, how it was found, and why there is no verdict when there is none."""

    method: str
    effect: Effect | None
    teams: int
    weeks: int
    reason: str = ""


def judge_process(rows: Sequence[TeamWeek], alpha: float = 0.05) -> Processed:
    """Switchback where every team has both ways more than once over; otherwise one interrupted series of weekly means."""
    weeks = len({row.week for row in rows})
    both = _both_ways(rows)
    switches = any(_switches([row for row in rows if row.team == team]) > 1 for team in both)
    if switches or len(both) >= LEAST_TEAMS:
        return _switchback(both, weeks, alpha)
    return _interrupted(rows, weeks, alpha)


def _both_ways(rows: Sequence[TeamWeek]) -> dict[str, tuple[list[float], list[float]]]:
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        found.setdefault(row.team, ([], []))[row.treated].append(row.value)
    return {team: sides for team, sides in found.items() if all(sides)}


def _switches(rows: Sequence[TeamWeek]) -> int:
    ways = [row.treated for row in sorted(rows, key=lambda row: row.week)]
    return sum(a != b for a, b in pairwise(ways))


def _switchback(both: dict[str, tuple[list[float], list[float]]], weeks: int, alpha: float) -> Processed:
    """Each team against itself; teams are the sample (paired t over teams)."""
    differences = [fmean(treated) - fmean(control) for control, treated in both.values()]
    teams = len(differences)
    short = [f"{teams} of {LEAST_TEAMS} teams"] if teams < LEAST_TEAMS else []
    try:
        effect = paired(teams, fmean(differences), stdev(differences), alpha) if teams > 1 else None
    except ValueError:  # all alike; of enough teams that is a rule
        effect = None
    short += [f"{weeks} of {LEAST_WEEKS} weeks"] if weeks < LEAST_WEEKS else []
    return Processed("team switchback, paired t over teams", effect, teams, weeks, _short(short))


def _interrupted(rows: Sequence[TeamWeek], weeks: int, alpha: float) -> Processed:
    """Step and trend by least squares on weekly means (segmented regression: Wagner et al. 2002, J Clin Pharm Ther 27:299),
    with Newey–West errors of one lag, because a week resembles the last."""
    by_week: dict[date, list[TeamWeek]] = {}
    for row in rows:
        by_week.setdefault(row.week, []).append(row)
    first = min(by_week)
    series = [
        ((week - first).days / 7, fmean(r.value for r in found), fmean(r.treated for r in found) >= 0.5)
        for week, found in sorted(by_week.items())
    ]
    after = sum(treated for _, _, treated in series)
    teams = len({row.team for row in rows})
    method = "interrupted time series: step over a common trend, Newey–West errors"
    short = [f"{weeks} of {LEAST_WEEKS} weeks"] if weeks < LEAST_WEEKS else []
    if min(after, weeks - after) < LEAST_A_SIDE:
        short.append(f"{min(after, weeks - after)} of {LEAST_A_SIDE} weeks on one side of the change")
        return Processed(method, None, teams, weeks, _short(short))
    return Processed(method, _step(series, alpha), teams, weeks, _short(short))


def _step(series: Sequence[tuple[float, float, bool]], alpha: float) -> Effect:
    """Of (week, mean, whether the new way) in the order of weeks; a week nobody counted in is a week all the same."""
    import numpy as np

    y = np.array([value for _, value, _ in series])
    x = np.column_stack([np.ones(len(y)), *np.array([(week, float(treated)) for week, _, treated in series]).T])
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    scores = x * (y - x @ beta)[:, None]
    lagged = scores[1:].T @ scores[:-1]
    meat = scores.T @ scores + 0.5 * (lagged + lagged.T)
    df = len(y) - 3
    variance = float((inverse @ meat @ inverse)[2, 2]) * len(y) / df
    step, se = float(beta[2]), math.sqrt(max(variance, 0.0))
    after = sum(treated for _, _, treated in series)
    base = fmean(value for _, value, treated in series if not treated)
    counts = (len(y) - after, after, base)
    if se < 1e-12 * max(1.0, abs(step)):
        return Effect(step, step, step, 1.0 if step == 0 else 0.0, *counts)
    half = t_ppf(1 - alpha / 2, df) * se
    return Effect(step, step - half, step + half, 2 * t_cdf(-abs(step) / se, df), *counts)


def _short(parts: Sequence[str]) -> str:
    return f"no verdict: {' and '.join(parts)}" if parts else ""
