"""Judging an experiment: effect with interval, sample-ratio check, guardrails, verdict (diagnostics G)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, variance
from typing import Literal

from aether_tui.stats.distributions import norm_cdf, norm_ppf, t_cdf, t_ppf
from aether_tui.stats.intervals import wilson
from aether_tui.stats.sequential import half_width, rho

Verdict = Literal["kill", "iterate", "scale", "invalid"]
Moments = tuple[int, float, float]
"""n, mean and variance of one arm."""
ALIKE = 0.05
"""Where all values are alike t knows no width; from this p value of a test of their order on, what they say is taken as it is."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Treatment minus control with its 1 − α interval and two-sided p value; n of both arms, of pairs the same ones in both.

    `baseline` is the control's; None of pairs, whose differences do not say what they began at.
    """

    effect: float
    ci_low: float
    ci_high: float
    p_value: float
    n_control: int
    n_treatment: int
    baseline: float | None

    @property
    def n(self) -> int:
        """Observations: those of both arms, or pairs."""
        return self.n_control if self.baseline is None else self.n_control + self.n_treatment


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A metric that must not fall more than `margin` below: its interval for treatment minus control (higher is better).

    `early`: looked at before the planned end, when an interval is wide because few were seen yet.
    """

    name: str
    low: float
    high: float
    margin: float
    early: bool = False

    @property
    def holds(self) -> bool:
        """One-sided non-inferiority: the interval does not reach the margin."""
        return self.low > -abs(self.margin)

    @property
    def breached(self) -> bool:
        """The interval reaches the margin; before the planned end only where it is worse for sure, too."""
        return not self.holds and (not self.early or self.high < 0)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and the sentence why; `n_needed` per arm when more data could decide."""

    verdict: Verdict
    why: str
    srm_p: float
    n_needed: int | None = None
    breached: tuple[str, ...] = field(default=())


def proportions(control: tuple[int, int], treatment: tuple[int, int], alpha: float = 0.05) -> Effect:
    """Difference of two proportions (successes, n): Newcombe's hybrid score interval (1998, method 10), pooled z test."""
    (s1, n1), (s2, n2) = control, treatment
    p1, p2 = s1 / n1, s2 / n2
    (l1, u1), (l2, u2) = wilson(s1, n1, 1 - alpha), wilson(s2, n2, 1 - alpha)
    difference = p2 - p1
    low = difference - math.sqrt((p2 - l2) ** 2 + (u1 - p1) ** 2)
    high = difference + math.sqrt((u2 - p2) ** 2 + (p1 - l1) ** 2)
    pooled = (s1 + s2) / (n1 + n2)
    se = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    p_value = 2 * norm_cdf(-abs(difference) / se) if se else 1.0
    return Effect(difference, low, high, p_value, n1, n2, p1)


def means(control: Sequence[float], treatment: Sequence[float], alpha: float = 0.05) -> Effect:
    """Difference of two means by Welch's t (1947). Raises ValueError under two values an arm."""
    if min(len(control), len(treatment)) < 2:
        raise ValueError("each arm needs at least two values")
    return welch(
        (len(control), fmean(control), variance(control)),
        (len(treatment), fmean(treatment), variance(treatment)),
        alpha,
    )


def welch(control: Moments, treatment: Moments, alpha: float = 0.05) -> Effect:
    """`means` from (n, mean, variance) of each arm; of arms that do not vary, p of the exact rank test.

    Raises ValueError under two values an arm, and for arms that do not vary and are too small to tell (under four each).
    """
    (n1, m1, s1), (n2, m2, s2) = control, treatment
    if min(n1, n2) < 2:
        raise ValueError("each arm needs at least two values")
    v1, v2 = s1 / n1, s2 / n2
    difference = m2 - m1
    if v1 + v2 == 0:
        apart = 2 * math.exp(math.lgamma(n1 + 1) + math.lgamma(n2 + 1) - math.lgamma(n1 + n2 + 1))
        return _alike(difference, apart, (n1, n2, m1))
    df = (v1 + v2) ** 2 / (v1 * v1 / (n1 - 1) + v2 * v2 / (n2 - 1))
    return _by_t(difference, math.sqrt(v1 + v2), df, alpha, (n1, n2, m1))


def paired(n: int, mean: float, sd: float, alpha: float = 0.05) -> Effect:
    """Mean of n differences between two answers to the same request, by the paired t; of equal ones, p of the sign test.

    Raises ValueError under two pairs, and for fewer than six that are all alike.
    """
    if n < 2:
        raise ValueError("at least two pairs are needed")
    if sd == 0:
        return _alike(mean, 2.0 ** (1 - n), (n, n, None))
    return _by_t(mean, sd / math.sqrt(n), n - 1, alpha, (n, n, None))


def paired_alike(n: int, difference: float, alpha: float = 0.05) -> Effect:
    """`paired` of shares that differ by the same in every pair, where t knows no width: at most the share of pairs that Wilson's
    interval of 0 of n allows is otherwise, by as much as shares can. The sign test's p value."""
    if n < 2:
        raise ValueError("at least two pairs are needed")
    other = wilson(0, n, 1 - alpha)[1]
    low, high = difference - other * (1 + difference), difference + other * (1 - difference)
    return Effect(difference, low, high, 2.0 ** (1 - n) if difference else 1.0, n, n, None)


def _alike(difference: float, p: float, rest: tuple[int, int, float | None]) -> Effect:
    """Values without spread: as they are where an order of so many by chance is rarer than `ALIKE`."""
    if p > ALIKE:
        raise ValueError("all values are alike, and too few of them to say that others would be")
    return Effect(difference, difference, difference, p if difference else 1.0, *rest)


def _by_t(difference: float, se: float, df: float, alpha: float, rest: tuple[int, int, float | None]) -> Effect:
    half = t_ppf(1 - alpha / 2, df) * se
    return Effect(difference, difference - half, difference + half, 2 * t_cdf(-abs(difference) / se, df), *rest)


def at_any_time(effect: Effect, alpha: float, done: float) -> Effect:
    """`effect` seen after a share `done` of what is planned, by an interval and a p value that hold however often one looks:
    the confidence sequence that is tightest at the planned end (`stats.sequential`), and the error rate at which it
    would exclude zero. Looked at every day, 95 % intervals of two equal arms exclude zero in 27 of 100 experiments of four weeks,
    these and the one at the end in 5."""
    z = norm_ppf(1 - alpha / 2)
    wider = half_width(done, math.sqrt(done), 1, alpha) / z
    down, up = effect.effect - effect.ci_low, effect.ci_high - effect.effect
    mixed = rho(1, alpha) ** 2 * done
    seen = norm_ppf(1 - effect.p_value / 2) if effect.p_value > 1e-15 else 8.0
    p = math.sqrt(mixed + 1) * math.exp(-seen * seen * mixed / (2 * (mixed + 1)))
    return replace(effect, ci_low=effect.effect - wider * down, ci_high=effect.effect + wider * up, p_value=min(1.0, p))


def holm_levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """The error rate each test gets in Holm's procedure (Holm 1979, Scand. J. Statist. 6:65); after the first that
    fails, the others keep its rate."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    levels, failed = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        level = failed or alpha / (len(order) - place)
        levels[index] = level
        failed = failed or (level if p_values[index] > level else 0.0)
    return levels


def sample_ratio_p(n_control: int, n_treatment: int, ratio: float = 1.0) -> float:
    """Chi-square p value that arms of these sizes come from an allocation of 1 : `ratio`."""
    total = n_control + n_treatment
    expected = (total / (1 + ratio), total * ratio / (1 + ratio))
    statistic = sum((seen - want) ** 2 / want for seen, want in zip((n_control, n_treatment), expected, strict=True))
    return 2 * norm_cdf(-math.sqrt(statistic))  # chi-square of one degree of freedom is a squared normal


def judge(
    effect: Effect,
    *,
    min_effect: float = 0.0,
    guardrails: Sequence[Guardrail] = (),
    ratio: float = 1.0,
    assigned: tuple[int, int] | None = None,
    planned: Effect | None = None,
) -> Judgement:
    """The rule of diagnostics G, in its order: invalid, kill by guardrail, scale, kill, iterate.

    `assigned`: how many were given to control and treatment, when not all of them were measured. `planned`: the effect as it
    would be read at the planned end, when `effect` is that `at_any_time`.
    """
    srm = sample_ratio_p(*(assigned or (effect.n_control, effect.n_treatment)), ratio)
    if srm < 0.001:
        return Judgement(
            "invalid",
            f"the arms are not the sizes the allocation would give (p {srm:.2g} < .001): find out why before anything else",
            srm,
        )
    breached = tuple(rail.name for rail in guardrails if rail.breached)
    if breached:
        return Judgement("kill", f"guardrail reached its margin: {', '.join(breached)}", srm, breached=breached)
    if effect.ci_low > 0 and effect.effect >= min_effect:
        if unsure := [rail.name for rail in guardrails if not rail.holds]:
            return Judgement("iterate", f"worth having; whether {', '.join(unsure)} holds is not known yet", srm)
        return Judgement("scale", "the whole interval is above zero and the effect is worth having", srm)
    if effect.ci_high <= 0 or effect.ci_high < min_effect:
        return Judgement("kill", "the whole interval is below the smallest effect worth having", srm)
    needed = _n_needed(planned or effect, min_effect)
    more = f"; about {needed:,} per arm would decide" if needed else ""
    holds = "zero or less" if effect.ci_low <= 0 else "effects not worth having"
    return Judgement("iterate", f"the interval holds both {holds} and effects worth having{more}", srm, n_needed=needed)


def _n_needed(effect: Effect, min_effect: float) -> int | None:
    """Per-arm n at which the present estimate would be decided on: where it is worth having its interval excludes zero, else the
    smallest effect that is."""
    half = (effect.ci_high - effect.ci_low) / 2
    distance = effect.effect if effect.effect >= min_effect else min_effect - effect.effect
    if half == 0 or distance == 0:
        return None
    n = max(effect.n_control, effect.n_treatment)
    needed = math.ceil(n * (half / distance) ** 2)
    return needed if n < needed < 10**9 else None
