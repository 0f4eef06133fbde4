"""Rank statistics of two small samples, on the standard library alone: a gate must start fast and need nothing."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from statistics import NormalDist, median

from aether_tui.stats.intervals import nearest_rank
from aether_tui.stats.sound import sound_all

EXACT = 20
"""Both samples at most this size and no ties: exact p-values."""
MAD_TO_SD = 1.4826
"""MAD of a normal distribution times this is its standard deviation."""
FEW = (1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107)
"""What the MAD of 2 to 9 values falls short of that by; of n more by n ÷ (n − 0.8) (Croux & Rousseeuw 1992, COMPSTAT 1:411)."""


def quantile(values: Sequence[float], share: float) -> float:
    """Nearest-rank quantile. Raises ValueError for no values."""
    sound_all(values)
    if not values:
        raise ValueError("no values")
    return sorted(values)[nearest_rank(len(values), share) - 1]


def mad(values: Sequence[float]) -> float:
    """Median absolute deviation from the median, not scaled."""
    sound_all(values)
    middle = median(values)
    return median(abs(value - middle) for value in values)


def mann_whitney_greater(now: Sequence[float], base: Sequence[float]) -> float:
    """P-value of the one-sided Mann–Whitney test that `now` tends to be greater than `base`.

    Exact for at most 20 values each without ties, else normal with tie and continuity correction (Hollander & Wolfe
    1999, ch. 4). Raises ValueError when a sample is empty.
    """
    return mann_whitney(now, base)[0]


def mann_whitney(now: Sequence[float], base: Sequence[float]) -> tuple[float, float]:
    """Both one-sided p-values, that `now` tends to be greater and that it tends to be less, as `mann_whitney_greater`."""
    m, n = len(now), len(base)
    if not m or not n:
        raise ValueError("a sample is empty")
    every = [*now, *base]
    sound_all(every)
    ordered = sorted(base)
    wins = sum([bisect_left(ordered, value) + bisect_right(ordered, value) for value in now])
    ties = sum(size**3 - size for size in Counter(every).values()) if len(set(every)) < m + n else 0
    return tails(wins, m, n, ties)


@lru_cache(maxsize=8192)
def tails(wins: int, m: int, n: int, ties: int) -> tuple[float, float]:
    """Both one-sided p-values of samples of m and n. `wins` is 2U: pairs won count two, tied ones one; `ties` is the sum of
    size³ − size over groups of equal values."""
    if not ties and m <= EXACT and n <= EXACT:
        tail = _u_tails(m, n)
        return tail[wins // 2], tail[m * n - wins // 2]
    total = m + n
    variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0, 1.0
    u, spread, middle = wins / 2, math.sqrt(variance), m * n / 2
    greater, less = ((place - middle - 0.5) / spread for place in (u, m * n - u))
    return 1 - _NORMAL.cdf(greater), 1 - _NORMAL.cdf(less)


_NORMAL = NormalDist()


@cache
def _u_tails(m: int, n: int) -> tuple[float, ...]:
    """Probability of each value of U or a greater one, without ties."""
    above = accumulate(reversed(_u_counts(m, n)))
    return tuple(reversed([count / math.comb(m + n, m) for count in above]))


@cache
def _u_counts(m: int, n: int) -> tuple[int, ...]:
    """Number of arrangements for each value of U: coefficients of the Gaussian binomial of m + n over m."""
    if m > n:
        return _u_counts(n, m)
    size = m * n // 2 + 1  # the upper half mirrors the lower one
    counts = [1] + [0] * (size - 1)
    for step in range(1, m + 1):
        for place in range(size - 1, n + step - 1, -1):  # times (1 − q^(n+step))
            counts[place] -= counts[place - n - step]
        for place in range(step, size):  # divided by (1 − q^step)
            counts[place] += counts[place - step]
    return (*counts, *reversed(counts[: m * n + 1 - size]))


def hodges_lehmann(now: Sequence[float], base: Sequence[float]) -> float:
    """Shift of `now` against `base`: the median of all pairwise differences (Hodges & Lehmann 1963)."""
    sound_all([*now, *base])
    return median(a - b for a in now for b in base)


def shift_interval(now: Sequence[float], base: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Distribution-free interval of the Hodges–Lehmann shift, from the ordered differences (Moses 1965).

    None when the samples are too small for the level.
    """
    sound_all([*now, *base])
    m, n = len(now), len(base)
    differences = sorted(a - b for a in now for b in base)
    tail = (1 - level) / 2
    if m <= EXACT and n <= EXACT:
        counts, total = _u_counts(m, n), math.comb(m + n, m)
        below, cut = 0, 0
        while (below + counts[cut]) / total <= tail:
            below += counts[cut]
            cut += 1
    else:
        spread = math.sqrt(m * n * (m + n + 1) / 12)
        cut = math.floor(m * n / 2 + NormalDist().inv_cdf(tail) * spread)
    if cut < 1:
        return None
    return differences[cut - 1], differences[m * n - cut]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values by Holm's step-down method (Holm 1979), in the given order."""
    sound_all(p_values)
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted


def smallest_detectable(base: Sequence[float], n_now: int, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The smallest relative rise that `n_now` runs would show with this power, given the noise of `base`: σ from the MAD.

    A `base` of few knows its own noise badly: with that in it the power of 0.80 is 0.79 of 20 runs, 0.74 of 10, 0.68 of 5.
    None where even complete separation could not reach `alpha`, the median is 0, or the base shows no noise to go by.
    """
    sound_all(base)
    middle, n = median(base), len(base)
    noise = mad(base)
    if not middle or not noise or n_now < 1:
        return None
    rise = _seen_shift(n_now, n, alpha, power)
    few = FEW[n - 2] if 1 < n < 10 else n / (n - 0.8)
    return None if rise is None else rise * few * MAD_TO_SD * noise / abs(middle)


@lru_cache(maxsize=1024)
def _seen_shift(m: int, n: int, alpha: float, power: float) -> float | None:
    """By how many standard deviations m normal values must lie above n for the test to fall below `alpha` with this power.

    U is taken as normal about its mean and variance under that shift, mn A and mn (A (1 − A) + (m + n − 2) (B − A²)), where A
    and B are the probabilities that a value lies above one and above two of the other sample (Lehmann 1975, Nonparametrics,
    ch. 2), with continuity correction. That errs to the safe side: 0.80 is really 0.87 of 2 against 10, 0.81 of 5 against 20.
    """
    least = bisect_left(range(m * n + 1), True, key=lambda u: tails(2 * u, m, n, 0)[0] < alpha)
    if least > m * n:
        return None
    low, high = 0.0, 16.0
    while high - low > 1e-6:
        shift = (low + high) / 2
        a = _NORMAL.cdf(shift / math.sqrt(2))
        b = sum([_NORMAL.pdf(at) * _NORMAL.cdf(at + shift) ** 2 for at in _GRID]) / 2
        spread = math.sqrt(m * n * (a * (1 - a) + (m + n - 2) * (b - a * a)))
        low, high = (shift, high) if m * n * a - least + 0.5 < _NORMAL.inv_cdf(power) * spread else (low, shift)
    return high


_GRID = [at / 2 for at in range(-16, 17)]
"""Where the integral over a normal value is summed, by the trapezium rule, which is all but exact for it."""
