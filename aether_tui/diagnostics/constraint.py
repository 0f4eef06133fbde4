"""What one thing, improved 30 %, would unlock the most? (diagnostics E): the value stream solved, each lever in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from aether_tui.stats.chain import Solved, Step, solve

Lever = Literal["touch", "wait", "cost", "error", "abandonment", "capacity"]
BETTER = 0.7
MORE_CAPACITY = 1.3


@dataclass(frozen=True, slots=True)
class Improvement:
    """One step's lever improved by 30 %: what changes end to end. Seconds, money per success, shares, items and money a month."""

    step: str
    lever: Lever
    delta_lead_time: float
    delta_cost_per_success: float | None
    delta_success_rate: float
    delta_throughput: float
    delta_money_per_month: float


def money_per_month(solved: Solved, value_per_success: float) -> float:
    """rate × (success × value − cost per item)."""
    return solved.rate_per_month * (solved.success_rate * value_per_success - solved.cost)


def improvements(steps: Sequence[Step], demand_per_month: float, value_per_success: float) -> list[Improvement]:
    """Every lever that exists, ranked by money; ties by lead time. Raises `stats.chain.Singular` as `solve` does."""
    base = solve(steps, demand_per_month)
    found = []
    for index, step in enumerate(steps):
        for lever, better in _levers(step):
            changed = [*steps[:index], better, *steps[index + 1 :]]
            solved = solve(changed, demand_per_month)
            before, after = base.cost_per_success, solved.cost_per_success
            found.append(
                Improvement(
                    step=step.name,
                    lever=lever,
                    delta_lead_time=solved.lead_time_s - base.lead_time_s,
                    delta_cost_per_success=None if before is None or after is None else after - before,
                    delta_success_rate=solved.success_rate - base.success_rate,
                    delta_throughput=solved.rate_per_month - base.rate_per_month,
                    delta_money_per_month=money_per_month(solved, value_per_success)
                    - money_per_month(base, value_per_success),
                )
            )
    return sorted(found, key=lambda item: (-round(item.delta_money_per_month, 9), item.delta_lead_time))


def _levers(step: Step) -> list[tuple[Lever, Step]]:
    levers: list[tuple[Lever, Step]] = []
    if step.touch_s:
        levers.append(("touch", replace(step, touch_s=step.touch_s * BETTER)))
    if step.wait_s:
        levers.append(("wait", replace(step, wait_s=step.wait_s * BETTER)))
    if step.cost:
        levers.append(("cost", replace(step, cost=step.cost * BETTER)))
    if step.error_rate:
        levers.append(("error", replace(step, error_rate=step.error_rate * BETTER)))
    if step.abandon_rate:
        levers.append(("abandonment", replace(step, abandon_rate=step.abandon_rate * BETTER)))
    if step.capacity_per_month is not None:
        levers.append(("capacity", replace(step, capacity_per_month=step.capacity_per_month * MORE_CAPACITY)))
    return levers
