"""Did a dollar buy more than a cycle ago? Effective output per dollar at a fixed task mix (diagnostics A, compounding).

Output per dollar is value-weighted successes over cost. Both cycles are asked what they achieve per dollar on the same tasks:
those of the cycle before (Laspeyres) and those of the cycle after (Paasche); the Fisher index is the geometric mean of the two
ratios (I. Fisher 1922, The Making of Index Numbers). Links are chained: their product is the cumulative gain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aether_tui.stats.distributions import norm_cdf, t_ppf
from aether_tui.stats.intervals import nearest_rank

LEAST_CLUSTERS = 5
"""Clusters needed for an interval."""
LEAST_DAYS = 7
"""Days a cycle needs before its days are resampled."""
METHOD = "delta method over clusters, Student t"


@dataclass(frozen=True, slots=True)
class Work:
    """One cluster in one cycle: value-weighted successes, cost in money, tasks (above 0)."""

    successes: float
    cost: float
    tasks: float


Cycle = Mapping[str, Work]
Interval = tuple[float, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Gain:
    """One cycle against the one before. Gains are ratios: 1.25 is a quarter more per dollar; None where `reason` says why.

    `raw_gain` leaves the change of mix in; `matched_share` is the share of both cycles' tasks in the `clusters` they share.
    """

    cycle: str
    output_per_dollar: float | None
    raw_gain: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    cumulative: float | None = None
    cumulative_low: float | None = None
    cumulative_high: float | None = None
    clusters: int | None = None
    matched_share: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Link:
    """The log of a Fisher gain, and what each cluster pulls it by (they sum to 0)."""

    log: float
    pull: Mapping[str, float]


def gains(cycles: Sequence[tuple[str, Cycle]], level: float = 0.95) -> list[Gain]:
    """One row per cycle in the order given; the first is what the others are measured from."""
    if not cycles:
        return []
    name, first = cycles[0]
    rows = [Gain(name, _per_dollar(first), cumulative=1.0, reason="the first cycle")]
    links: list[_Link | None] = []
    for (_, before), (name, now) in pairwise(cycles):
        shared = sorted(before.keys() & now.keys())
        link = _link(before, now, shared)
        links.append(link)
        gain, low, high = _estimate([link], level)
        total, total_low, total_high = _estimate(links, level)
        reason = "no cluster in both cycles" if not shared else "" if link else "a cycle without success or cost"
        if not reason and total is None:
            reason = "the chain is broken before this cycle"
        if not reason and low is None:
            reason = f"{len(shared)} clusters are too few for an interval"
        rows.append(
            Gain(
                cycle=name,
                output_per_dollar=_per_dollar(now),
                raw_gain=_ratio(_per_dollar(now), _per_dollar(before)),
                gain=gain,
                gain_low=low,
                gain_high=high,
                cumulative=total,
                cumulative_low=total_low,
                cumulative_high=total_high,
                clusters=len(shared),
                matched_share=sum(one[key].tasks for one in (before, now) for key in shared)
                / sum(work.tasks for one in (before, now) for work in one.values()),
                reason=reason,
            )
        )
    return rows


def _link(before: Cycle, now: Cycle, shared: Sequence[str]) -> _Link | None:
    """Half the log of Laspeyres times Paasche; a cluster pulls by its shares of the eight sums."""
    sums, pull = _sums(before, now, shared), dict.fromkeys(shared, 0.0)
    log = _log(sums)
    if log is None:
        return None
    for weight, amounts, total in sums:
        for key, amount in zip(shared, amounts, strict=True):
            pull[key] += weight * amount / total
    return _Link(log, pull)


def _sums(before: Cycle, now: Cycle, shared: Sequence[str]) -> list[tuple[float, list[float], float]]:
    """The eight sums: each with its weight and what it is a sum of."""
    found = []
    for mix in (before, now):
        for cycle, sign in ((now, 0.5), (before, -0.5)):
            for cost in (False, True):
                amounts = [_amount(cycle[key], cost) * mix[key].tasks / cycle[key].tasks for key in shared]
                found.append((-sign if cost else sign, amounts, math.fsum(amounts)))
    return found


def _log(sums: Sequence[tuple[float, list[float], float]]) -> float | None:
    log = 0.0
    for weight, _, total in sums:
        if total <= 0:
            return None
        log += weight * math.log(total)
    return log


def _amount(work: Work, cost: bool) -> float:
    return work.cost if cost else work.successes


def _estimate(links: Sequence[_Link | None], level: float) -> Interval | tuple[None, None, None]:
    """The product of links with its interval: delta method on the log, clusters as the sampled units (Cochran 1977,
    Sampling Techniques, 6.3), Student t with the fewest clusters of a link less one."""
    whole = [link for link in links if link]
    if len(whole) < len(links):
        return None, None, None
    log = math.fsum(link.log for link in whole)
    fewest = min(len(link.pull) for link in whole)
    if fewest < LEAST_CLUSTERS:
        return math.exp(log), None, None
    keys = {key for link in whole for key in link.pull}
    squares = math.fsum(sum(link.pull.get(key, 0.0) for link in whole) ** 2 for key in keys)
    half = t_ppf(0.5 + level / 2, fewest - 1) * math.sqrt(squares * len(keys) / (len(keys) - 1))
    return math.exp(log), math.exp(log - half), math.exp(log + half)


def _per_dollar(cycle: Cycle) -> float | None:
    return _ratio(sum(work.successes for work in cycle.values()), sum(work.cost for work in cycle.values()))


def _ratio(top: float | None, bottom: float | None) -> float | None:
    return top / bottom if top is not None and bottom else None


def resampled(
    days: Sequence[Sequence[Cycle]], draws: int, seed: int, level: float = 0.95
) -> list[tuple[Interval | None, Interval | None]]:
    """(gain, cumulative) of each cycle after the first, with an expanded percentile interval: days of each cycle are drawn with
    replacement (Efron & Tibshirani 1993, An Introduction to the Bootstrap, 13.3), and its tails are as far out as Student's t is
    wider for so many days (Hesterberg 2015, Am. Stat. 69:371). None where a draw had no success.

    `days`: per cycle the work of each day; a cycle needs at least seven of them for an interval.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    drawn: list[list[Cycle]] = []
    for cycle in days:
        keys = sorted({key for day in cycle for key in day})
        cells = np.zeros((len(cycle), len(keys), 3))
        for row, day in enumerate(cycle):
            for key, work in day.items():
                cells[row, keys.index(key)] = work.successes, work.cost, work.tasks
        counts = rng.multinomial(len(cycle), np.full(len(cycle), 1 / len(cycle)), draws)
        sums = np.tensordot(counts, cells, 1)
        drawn.append(
            [
                {key: Work(*map(float, sums[i, j])) for j, key in enumerate(keys) if sums[i, j, 2] > 0}
                for i in range(draws)
            ]
        )
    logs: list[list[float] | None] = []
    for before, now in pairwise(drawn):
        links = [_log(_sums(one, two, sorted(one.keys() & two.keys()))) for one, two in zip(before, now, strict=True)]
        whole = [one for one in links if one is not None]
        logs.append(whole if len(whole) == len(links) else None)
    lengths = [len(cycle) for cycle in days]
    found: list[tuple[Interval | None, Interval | None]] = []
    total: list[float] | None = [0.0] * draws
    for number, link_logs in enumerate(logs, 1):
        total = [a + b for a, b in zip(total, link_logs, strict=True)] if total and link_logs else None
        both, every = min(lengths[number - 1 : number + 1]), min(lengths[: number + 1])
        found.append((_percentiles(link_logs, level, both), _percentiles(total, level, every)))
    return found


def _percentiles(logs: Sequence[float] | None, level: float, days: int) -> Interval | None:
    if not logs or days < LEAST_DAYS:
        return None
    ordered = sorted(logs)
    tail = norm_cdf(-math.sqrt(days / (days - 1)) * t_ppf((1 + level) / 2, days - 1))
    low, middle, high = (ordered[nearest_rank(len(ordered), p) - 1] for p in (tail, 0.5, 1 - tail))
    return math.exp(middle), math.exp(low), math.exp(high)
