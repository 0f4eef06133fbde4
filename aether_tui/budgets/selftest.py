"""A gate that cannot say no is worth nothing: plant a spike in every budget and see it blocked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

from aether_tui.budgets.file import Budget, BudgetFile
from aether_tui.budgets.model import Estimate, Measured, Sample, Series
from aether_tui.budgets.verdict import judge

NOISE = 0.03


def self_test(file: BudgetFile) -> tuple[str, ...]:
    """Ids of budgets that do not block a planted spike, or block the same measurements without it; empty is good."""
    bare = replace(file, waivers=())
    quiet = {budget.id: [_planted(budget, file.currency, spike=False)] for budget in file.budgets}
    spiked = {budget.id: [_planted(budget, file.currency, spike=True)] for budget in file.budgets}
    passed = {one.id for one in judge(bare, quiet, date.min) if one.verdict == "pass"}
    blocked = {one.id for one in judge(bare, spiked, date.min) if one.verdict == "block"}
    return tuple(budget.id for budget in file.budgets if budget.id not in passed & blocked)


def _planted(budget: Budget, currency: str, *, spike: bool) -> Measured:
    """Measurements at half the limit, and with the spike far beyond limit and thresholds."""
    limit = float(budget.limit) if budget.limit is not None else 2000.0
    worst = 1 + 4 * max(budget.block.relative or 0, budget.block.over_limit or 0, 1.0)
    usual = limit / 2 if budget.direction == "lower" else limit * 2
    peak = (limit or 1.0) * worst if budget.direction == "lower" else limit / (2 * worst)
    now = peak if spike else usual
    if budget.surface == "cost":
        return Estimate(monthly=Decimal(str(now)), past=Decimal(str(usual)), currency=currency)
    draw = Random(budget.id)  # a fixed draw, not a secret
    base = tuple(Sample(usual * draw.gauss(1, NOISE)) for _ in range(max(20, budget.min_samples)))
    return Series("", tuple(Sample(now * draw.gauss(1, NOISE)) for _ in range(max(5, budget.min_samples))), base)
