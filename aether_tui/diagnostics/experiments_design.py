"""How large and how long an experiment must be, and what to change when that is too much (diagnostics G)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from aether_tui.stats.power import Test, proportions_power, sample_size, t_power

MAX_WEEKS = 8
LOOKS_A_WEEK = 1
PATHS = 4000
"""Simulated experiments of a sequential plan: the power is within 0.015 of the truth."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One way to make it fit, with its number."""

    lever: str
    change: str


@dataclass(frozen=True, slots=True)
class Duration:
    """How long so many units take, in days and whole weeks; `levers` when that is more than `max_weeks`."""

    days: float
    weeks: int
    feasible: bool
    levers: tuple[Lever, ...] = ()


def duration(n_total: float, traffic: float, allocation: float, max_weeks: float = MAX_WEEKS) -> Duration:
    """Time to see `n_total` units of `traffic` a day, of which a share is in the experiment. All above zero."""
    days = n_total / (traffic * allocation)
    weeks = math.ceil(days / 7 - 1e-9)
    if weeks <= max_weeks:
        return Duration(days, weeks, True)
    fits = traffic * allocation * 7 * max_weeks
    wanted = allocation * n_total / fits
    return Duration(days, weeks, False, (
        Lever("allocation", f"{wanted:.3g} of traffic" if wanted <= 1 else
              f"not enough: all of the traffic takes {math.ceil(n_total / traffic / 7)} weeks"),
        Lever("effect", f"detect an effect {math.sqrt(n_total / fits):.3g} times as large"),
        Lever("variance", f"remove {100 * (1 - fits / n_total):.3g} % of the variance (covariates, a closer metric)"),
    ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: a share (no `sd`) or a mean, and how tasks hang together."""

    baseline: float
    mde: float
    sd: float | None = None
    lower_is_better: bool = False
    alpha: float = 0.05
    power: float = 0.8
    treatment_share: float = 0.5
    cluster_size: float = 1.0
    icc: float = 0.0
    cuped_r2: float = 0.0

    @property
    def ratio(self) -> float:
        """Treatment over control."""
        return self.treatment_share / (1 - self.treatment_share)

    @property
    def inflation(self) -> float:
        """Variance beside that of independent tasks: 1 + (m − 1)ρ for clusters (Kish 1965), times 1 − R² for CUPED
        (Deng et al. 2013)."""
        return (1 + (self.cluster_size - 1) * self.icc) * (1 - self.cuped_r2)

    @property
    def moved(self) -> float:
        """The primary metric when the smallest effect is there; a share moves inward when it would leave 0–1."""
        step = -self.mde if self.lower_is_better else self.mde
        if self.sd is None and not 0 < self.baseline + step < 1:
            step = -step
        return self.baseline + step

    @property
    def deviation(self) -> float:
        """Standard deviation of a difference of one task of each arm, after inflation. Of uneven arms the smaller one weighs
        most: the variance is 2 (s v₁ + (1 − s) v₂), s the share of the treatment, so that over as many pairs as `sequential`
        takes it is v₁/n₁ + v₂/n₂."""
        if self.sd is not None:
            return math.sqrt(2 * self.inflation) * self.sd
        share = self.treatment_share
        variance = share * self.baseline * (1 - self.baseline) + (1 - share) * self.moved * (1 - self.moved)
        return math.sqrt(2 * self.inflation * variance)


@dataclass(frozen=True, slots=True)
class Size:
    """Tasks needed: in the control arm, in both."""

    n_control: int
    n_total: int


def size(plan: Plan) -> Size | str:
    """Tasks needed for the plan's power, or the sentence why there is no such number."""
    if plan.sd is None and not (0 < plan.baseline < 1 and 0 < plan.moved < 1):
        hint = f"; {plan.mde:g} % is {plan.mde / 100:g}" if 1 <= plan.mde <= 100 else ""
        return f"an effect of {plan.mde:g} on a share of {plan.baseline:g} leaves 0–1: name shares as fractions{hint}"
    if plan.mde <= 0:
        return "the smallest effect to detect must be above zero"
    test = Test(plan.alpha, 2, plan.ratio)
    curve: Callable[[float], float]
    if plan.sd is None:
        curve = lambda n: proportions_power(n / plan.inflation, plan.baseline, plan.moved, test)  # noqa: E731
    else:
        sd = plan.sd * math.sqrt(plan.inflation)
        curve = lambda n: t_power(n, plan.mde, sd, test)  # noqa: E731
    n = sample_size(curve, plan.power)
    if n is None:
        return f"an effect of {plan.mde:g} needs more than 10¹² tasks; name a larger one"
    return Size(n, math.ceil(n * (1 + plan.ratio)))


@dataclass(frozen=True, slots=True)
class Sequential:
    """A plan with looks: simulated power at the planned size, and the size at which it is what was wanted."""

    looks: int
    power: float
    n_total: int | None


def sequential(plan: Plan, n_total: int, weeks: int, seed: int) -> Sequential:
    """Looking once a week at an asymptotic confidence sequence. Power by simulation, never by inflating a formula."""
    from aether_tui.stats.sequential import simulate_power

    looks = max(2, weeks * LOOKS_A_WEEK)
    # A pair of arms of ratio r has 4r/(1+r)² of the information of equal arms.
    information = 4 * plan.ratio / (1 + plan.ratio) ** 2

    def power(total: int) -> float:
        pairs = max(looks, round(total * information / 2))
        return simulate_power(plan.mde, plan.deviation, pairs, looks, plan.alpha, seed, PATHS)

    at_plan = power(n_total)
    if at_plan >= plan.power:
        return Sequential(looks, at_plan, n_total)
    factors = (1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0)
    found = next((math.ceil(n_total * by) for by in factors if power(math.ceil(n_total * by)) >= plan.power), None)
    return Sequential(looks, at_plan, found)
