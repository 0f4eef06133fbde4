"""Distribution functions on the standard library: normal, Student t (also noncentral), beta.

Checked in tests against scipy over random and extreme arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

from aether_tui.stats.sound import sound

_NORMAL = NormalDist()
_EPS = 3e-16


def norm_cdf(x: float) -> float:
    """P(Z ≤ x) of the standard normal, accurate in both tails."""
    sound(x)
    return 0.5 * math.erfc(-x / math.sqrt(2))


def norm_ppf(p: float) -> float:
    """Quantile of the standard normal (Wichura's AS 241, as in the standard library); ValueError outside (0, 1)."""
    if not 0 < p < 1:
        raise ValueError(f"a probability between 0 and 1 is needed, not {p}")
    return _NORMAL.inv_cdf(p)


def beta_inc(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta Iₓ(a, b), by the continued fraction of DLMF 8.17.22 (modified Lentz)."""
    sound(a, b, x)
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _beta_fraction(b, a, 1 - x) / b
    return front * _beta_fraction(a, b, x) / a


def _beta_fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    h = d
    for m in range(1, 10_000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + step * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + step / c
            c = c if abs(c) > tiny else tiny
            h *= d * c
        if abs(d * c - 1) < _EPS:
            break
    return h


def t_cdf(x: float, df: float) -> float:
    """P(T ≤ x) of Student's t."""
    sound(x, df)
    if math.isinf(df):
        return norm_cdf(x)
    if x * x < df:  # the other way round df / (df + x²) would round to 1
        return 0.5 + math.copysign(0.5 * beta_inc(0.5, df / 2, x * x / (df + x * x)), x)
    tail = 0.5 * beta_inc(df / 2, 0.5, df / (df + x * x))
    return 1 - tail if x > 0 else tail


def t_ppf(p: float, df: float) -> float:
    """Quantile of Student's t."""
    sound(p, df)
    if p == 0.5:
        return 0.0
    low, high = norm_ppf(p), norm_ppf(p)
    step = 1.0 + abs(low)
    while t_cdf(low, df) > p:
        low -= step
        step *= 2
    step = 1.0 + abs(high)
    while t_cdf(high, df) < p:
        high += step
        step *= 2
    return bisect(lambda x: t_cdf(x, df) - p, low, high)


def nct_cdf(x: float, df: float, ncp: float) -> float:
    """P(T ≤ x) of the noncentral t with noncentrality `ncp` (Lenth 1989, AS 243: Poisson-weighted incomplete betas)."""
    sound(x, df, ncp)
    if x < 0:
        return 1 - nct_cdf(-x, df, -ncp)
    if abs(ncp) > 37:  # the Poisson weights underflow; Abramowitz & Stegun 26.7.10
        z = (x * (1 - 1 / (4 * df)) - ncp) / math.sqrt(1 + x * x / (2 * df))
        return norm_cdf(z)
    y = x * x / (x * x + df)
    total = norm_cdf(-ncp)
    if y <= 0:
        return total
    half = ncp * ncp / 2
    p = 0.5 * math.exp(-half)
    q = math.sqrt(2 / math.pi) * p * ncp
    remaining = 0.5 - p
    a, b = 0.5, df / 2
    front = math.lgamma(b)
    odd, even = beta_inc(a, b, y), beta_inc(a + 0.5, b, y)
    log_y, log_rest = -math.log1p(df / (x * x)), math.log(df / (x * x + df))  # 1 − y itself may round to 0
    for _ in range(100_000):
        total += p * odd + q * even
        if (remaining < 1e-15 and abs(p * odd) < 1e-16) or p == q == 0:
            break
        odd -= math.exp(a * log_y + b * log_rest + math.lgamma(a + b) - math.lgamma(a + 1) - front)
        even -= math.exp((a + 0.5) * log_y + b * log_rest + math.lgamma(a + 0.5 + b) - math.lgamma(a + 1.5) - front)
        a += 1
        p *= half / (a - 0.5)
        q *= half / a
        remaining -= p
    return min(max(total, 0.0), 1.0)


def bisect(f: Callable[[float], float], low: float, high: float) -> float:
    """A root of increasing `f` between `low` and `high`, to the last bits."""
    for _ in range(200):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if f(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
