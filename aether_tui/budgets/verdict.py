"""The gate: every budget against what was measured. Pure; no clock, no input. Nothing measured is never green."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from aether_tui.budgets.case import nothing
from aether_tui.budgets.exact import judge_plan, judge_spend
from aether_tui.budgets.file import BudgetFile, Waiver
from aether_tui.budgets.model import WORST_FIRST, Estimate, Measured, Result, Series, Spend, Surface, Verdict
from aether_tui.budgets.noisy import adjusted, judge_noisy, shift_of


def judge(file: BudgetFile, measured: Mapping[str, Sequence[Measured]], today: date) -> tuple[Result, ...]:
    """Every budget against everything measured for it, worst first; a budget without a measurement is `no-data`."""
    noisy = [
        (budget, series)
        for budget in file.budgets
        for series in measured.get(budget.id, ())
        if isinstance(series, Series)
    ]
    shifts = adjusted([shift_of(budget, series.now, series.comparable()) for budget, series in noisy])
    drifts = adjusted([shift_of(budget, series.now, series.drift) for budget, series in noisy])
    tests = sum(shift is not None for shift in shifts)
    waivers = {waiver.budget: waiver for waiver in file.waivers if waiver.expires >= today}
    results = [
        judge_noisy(budget, series, shift, drift, waivers.get(budget.id), file.currency, tests)
        for (budget, series), shift, drift in zip(noisy, shifts, drifts, strict=True)
    ]
    for budget in file.budgets:
        found = measured.get(budget.id, ())
        waiver = waivers.get(budget.id)
        results += [judge_plan(budget, one, waiver, file.currency) for one in found if isinstance(one, Estimate)]
        results += [judge_spend(budget, one, waiver, file.currency) for one in found if isinstance(one, Spend)]
        if not found:
            results.append(nothing(budget, file.currency))
    return tuple(
        sorted(results, key=lambda one: (WORST_FIRST.index(one.verdict), -(one.share or 0), one.id, one.series))
    )


def overall(file: BudgetFile, results: Sequence[Result], scope: frozenset[Surface] | None = None) -> Verdict:
    """The verdict of the whole run. `scope`: surfaces a change measured; None when everything was looked at.

    What was not measured counts as its `on_missing` says; what a change did not measure does not count, unless it must
    be there (`block`). When nothing was measured the answer is `no-data`.
    """
    policy = {budget.id: budget.on_missing for budget in file.budgets}
    counted: list[Verdict] = []
    for one in results:
        if one.verdict != "no-data":
            counted.append(one.verdict)
        elif policy[one.id] == "block" and (scope is None or one.surface in scope):
            counted.append("block")
        elif policy[one.id] == "warn" and scope is None:
            counted.append("warn")
    if all(one.verdict == "no-data" for one in results) and "block" not in counted:
        return "no-data"
    return min(counted, key=WORST_FIRST.index)


def expired(file: BudgetFile, today: date) -> tuple[Waiver, ...]:
    """Waivers that no longer hold."""
    return tuple(waiver for waiver in file.waivers if waiver.expires < today)
