"""Intervals for shares, counts, quantiles and ratios: closed forms on the standard library, each with its source."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist

from aether_tui.stats.sound import sound, sound_all

_NORMAL = NormalDist()


def z_score(level: float) -> float:
    """The two-sided normal quantile of a confidence level: 1.96 for 0.95."""
    return _NORMAL.inv_cdf(0.5 + level / 2)


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927, JASA 22:209). Raises ValueError unless 0 ≤ successes ≤ n and n > 0."""
    sound(successes, n, level)
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a share")
    z = z_score(level)
    share, z2 = successes / n, z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    return low, 1.0 if successes == n else min(1.0, centre + half)


@cache
def poisson(events: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean of a Poisson count (Garwood 1936, Biometrika 28:437): both bounds leave the same tail. From 20
    events on by Byar's approximation, within 0.1 % (Breslow & Day 1987, Statistical Methods in Cancer Research II, p. 69).

    Raises ValueError for a negative count.
    """
    sound(events, level)
    if events < 0:
        raise ValueError("a count cannot be negative")
    z, more, tail = z_score(level), events + 1, (1 - level) / 2
    if events < 20:
        return _poisson_mean(events - 1, 1 - tail) if events else 0.0, _poisson_mean(events, tail)
    low, high = (
        (count, 1 - 1 / (9 * count) + side / (3 * math.sqrt(count))) for count, side in ((events, -z), (more, z))
    )
    return low[0] * low[1] ** 3, high[0] * high[1] ** 3


def _poisson_mean(events: int, share: float) -> float:
    """The mean of which at most `events` come in this share of cases; it lies below 100 for the few that are asked for."""
    low, high = 0.0, 100.0
    for _ in range(60):
        mean = (low + high) / 2
        at_most = math.exp(-mean) * math.fsum(mean**k / math.factorial(k) for k in range(events + 1))
        low, high = (mean, high) if at_most > share else (low, mean)
    return low


def nearest_rank(n: int, p: float) -> int:
    """The 1-based rank of the p-quantile of n values: ⌈pn⌉, at least 1. The tolerance keeps 0.85 × 20 at 17."""
    sound(p)
    return max(1, min(n, math.ceil(p * n - 1e-9)))


def quantile_ranks(n: int, p: float, level: float = 0.95) -> tuple[int | None, int | None]:
    """1-based ranks (low, high) of the order statistics that bound the p-quantile with at least `level` confidence
    (binomial, distribution free: David & Nagaraja 2003, Order Statistics, 7.1); None where n is too small for a bound.

    Exact to n = 2,000, by the normal approximation with a rank to spare above.
    """
    sound(p, level)
    if not 0 < p < 1:
        raise ValueError(f"a quantile between 0 and 1 is needed, not {p}")
    tail = (1 - level) / 2
    if n > 2000:
        half = z_score(level) * math.sqrt(n * p * (1 - p))
        low, high = math.floor(n * p - half), math.ceil(n * p + half) + 1
        return (low if low >= 1 else None), (high if high <= n else None)
    first, cumulative = _binomial_cdf(n, p)
    # P(X_(l) > quantile) = P(Bin < l) must be ≤ tail; P(X_(u) < quantile) = P(Bin ≥ u) = 1 − P(Bin ≤ u − 1) ≤ tail.
    low = first + bisect_left(cumulative, tail + 1e-15)
    high = first + bisect_left(cumulative, 1 - tail - 1e-15) + 1
    return (low if low >= 1 else None), (high if high <= n else None)


@cache
def _binomial_cdf(n: int, p: float) -> tuple[int, list[float]]:
    """P(Bin ≤ k) for k from the first of these to n or to where it is 1; twelve deviations below the mean it is 0."""
    first = max(0, math.floor(n * p - 12 * math.sqrt(n * p * (1 - p))) - 1)
    term = math.exp(
        math.lgamma(n + 1)
        - math.lgamma(first + 1)
        - math.lgamma(n - first + 1)
        + first * math.log(p)
        + (n - first) * math.log1p(-p)
    )
    total, odds, found = 0.0, p / (1 - p), []
    for k in range(first, n + 1):
        total += term
        found.append(min(1.0, total))
        if term < 1e-18 and k > n * p:
            break
        term *= (n - k) / (k + 1) * odds
    return first, found


def weighted_quantile(
    values: Sequence[tuple[float, int]], p: float, level: float = 0.95
) -> tuple[float, float | None, float | None]:
    """Nearest-rank p-quantile and its order-statistic bounds of (value, count) pairs in any order.

    Raises ValueError without values.
    """
    sound_all(value for value, _ in values)
    ordered = sorted(values)
    ends: list[int] = []
    total = 0
    for _, count in ordered:
        total += count
        ends.append(total)
    if total == 0:
        raise ValueError("no values")

    def at(rank: int) -> float:
        return ordered[bisect_left(ends, rank)][0]

    low, high = quantile_ranks(total, p, level)
    return at(nearest_rank(total, p)), at(low) if low else None, at(high) if high else None


def quantile(values: Sequence[float], p: float, level: float = 0.95) -> tuple[float, float | None, float | None]:
    """As `weighted_quantile` of single values in any order; ones that are in order already cost least."""
    sound_all(values)
    if not values:
        raise ValueError("no values")
    return quantile_of_part(len(values), p, sorted(values), 1, level)


def quantile_of_part(
    n: int, p: float, part: Sequence[float], rank: int, level: float = 0.95
) -> tuple[float, float | None, float | None]:
    """As `quantile` of `n` values, of which those are at hand that it rests on: a part in order, the first of it with this rank.

    Raises ValueError when the part is too small.
    """
    low, high = quantile_ranks(n, p, level)

    def at(wanted: int) -> float:
        if not rank <= wanted < rank + len(part):
            raise ValueError(f"value {wanted} of {n} is not among those from {rank} to {rank + len(part) - 1}")
        return part[wanted - rank]

    return at(nearest_rank(n, p)), at(low) if low else None, at(high) if high else None


def ratio(pairs: Sequence[tuple[float, float]], level: float = 0.95) -> tuple[float, float | None, float | None]:
    """Σx/Σy over clusters such as days, with the linearised interval of a ratio estimator (Cochran 1977, Sampling
    Techniques, 6.3), clipped at 0; no interval under 5 clusters. Raises ValueError when Σy is not positive."""
    sound_all(value for pair in pairs for value in pair)
    bottom = sum(y for _, y in pairs)
    if bottom <= 0:
        raise ValueError("nothing to divide by")
    top = sum(x for x, _ in pairs)
    return ratio_of_sums(len(pairs), top, bottom, sum((x - top / bottom * y) ** 2 for x, y in pairs), level)


def ratio_of_sums(
    clusters: int, top: float, bottom: float, spread: float, level: float = 0.95
) -> tuple[float, float | None, float | None]:
    """As `ratio` of clusters that were added up where they are stored; `spread` is Σ(x − (Σx/Σy) y)²."""
    sound(top, bottom, spread)
    if bottom <= 0:
        raise ValueError("nothing to divide by")
    value = top / bottom
    if clusters < 5:
        return value, None, None
    half = z_score(level) * math.sqrt(clusters / (clusters - 1) * spread) / bottom
    return value, max(0.0, value - half), value + half
