"""Sample size, power and detectable effect of two-arm comparisons.

Proportions: unpooled normal approximation (Fleiss, Levin & Paik 2003, §4) or Cohen's arcsine h (Cohen 1988, ch. 6).
Means: noncentral t (Cohen 1988, ch. 2; as R's `power.t.test`). Ratio metrics: delta method (Deng et al. 2018).
Each is one function of n, `power(n)`; sizes and effects are found by inverting it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from aether_tui.stats.distributions import bisect, nct_cdf, norm_cdf, norm_ppf, t_ppf
from aether_tui.stats.sound import sound

MAX_N = 10**12


@dataclass(frozen=True, slots=True)
class Test:
    """What is asked of a test: error rate, one or two sides, second arm over first."""

    alpha: float = 0.05
    sides: int = 2
    ratio: float = 1.0

    @property
    def z(self) -> float:
        """Critical value of the normal."""
        return norm_ppf(1 - self.alpha / self.sides)


def z_power(effect: float, standard_error: float, test: Test) -> float:
    """Power of a z test of `effect`; with two sides, both tails."""
    sound(effect, standard_error)
    if standard_error == 0:
        return 1.0 if effect else test.alpha
    shift = abs(effect) / standard_error
    other = norm_cdf(-test.z - shift) if test.sides == 2 else 0.0
    return min(1.0, norm_cdf(shift - test.z) + other)


def proportions_power(n: float, p1: float, p2: float, test: Test) -> float:
    """Power to tell p2 from p1 with n in the first arm, unpooled variance."""
    sound(n, p1, p2)
    variance = p1 * (1 - p1) / n + p2 * (1 - p2) / (n * test.ratio)
    return z_power(p2 - p1, math.sqrt(variance), test)


def cohen_h(p1: float, p2: float) -> float:
    """Cohen's h: difference of arcsine-transformed proportions."""
    sound(p1, p2)
    return 2 * math.asin(math.sqrt(p2)) - 2 * math.asin(math.sqrt(p1))


def h_power(n: float, p1: float, p2: float, test: Test) -> float:
    """Power by Cohen's h with n in the first arm."""
    return z_power(cohen_h(p1, p2), math.sqrt((1 + 1 / test.ratio) / n), test)


def t_power(n: float, effect: float, sd: float, test: Test, design: str = "two-sample") -> float:
    """Power of a t test of a mean difference `effect`, n per (first) arm; `sd` is that of the differences when paired."""
    sound(n, effect, sd)
    if design == "two-sample":
        df = n * (1 + test.ratio) - 2
        scale = math.sqrt(n * test.ratio / (1 + test.ratio))
    else:
        df, scale = n - 1, math.sqrt(n)
    if df < 1:
        return 0.0
    if sd == 0:
        return 1.0 if effect else test.alpha
    ncp = abs(effect) / sd * scale
    critical = t_ppf(1 - test.alpha / test.sides, df)
    other = nct_cdf(-critical, df, ncp) if test.sides == 2 else 0.0
    return min(1.0, 1 - nct_cdf(critical, df, ncp) + other)


def ratio_sd(mean_x: float, mean_y: float, sd_x: float, sd_y: float, cov: float) -> float:
    """Standard deviation per unit of the ratio x̄/ȳ by the delta method."""
    sound(mean_x, mean_y, sd_x, sd_y, cov)
    if mean_y == 0:
        raise ValueError("a ratio needs a mean below the line that is not zero")
    variance = (
        sd_x**2 / mean_y**2 - 2 * mean_x * cov / mean_y**3 + mean_x**2 * sd_y**2 / mean_y**4
    )  # fmt: skip
    return math.sqrt(max(variance, 0.0))


def mean_z_power(n: float, effect: float, sd: float, test: Test) -> float:
    """Power of a z test of a mean difference."""
    sound(n, effect, sd)
    return z_power(effect, sd * math.sqrt((1 + 1 / test.ratio) / n), test)


def sample_size(power: Callable[[float], float], target: float, start: float = 2) -> int | None:
    """The smallest whole n with `power(n)` ≥ target; None when even 10¹² is not enough."""
    low, high = start, max(start, 4.0)
    if power(low) >= target:
        return math.ceil(low)
    while power(high) < target:
        low, high = high, high * 2
        if high > MAX_N:
            return None
    first, last = math.floor(low), math.ceil(high)
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (first, middle) if power(middle) >= target else (middle, last)
    return last


def detectable(power: Callable[[float], float], target: float, most: float) -> float | None:
    """The smallest effect in (0, most] with `power(effect)` ≥ target; None when even `most` is not seen."""
    if power(most) < target:
        return None
    return bisect(lambda effect: power(effect) - target, 0.0, most)
