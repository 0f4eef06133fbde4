"""Cost per task at today's prices on both sides, so that neither a price change nor a model swap hides in the other.

A sample is scaled by what its calls would cost today over what they cost then; the calls of a model are priced as that many
average ones. The model is a driver: it is named, never compared away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from aether_tui.budgets.file import BudgetFile
from aether_tui.budgets.model import Measured, Sample, Series, Used

Price = Callable[[Used], Decimal | None]
"""What one average call of a model costs today; None where nobody knows."""


def repriced(file: BudgetFile, measured: Mapping[str, Sequence[Measured]], price: Price) -> dict[str, list[Measured]]:
    """The measurements with cost per task at today's prices, and with the models named where they changed."""
    metric = {budget.id: budget.metric for budget in file.budgets}
    return {
        identity: [_of(one, metric[identity], price) if isinstance(one, Series) else one for one in found]
        for identity, found in measured.items()
    }


def _of(one: Series, metric: str, price: Price) -> Series:
    if not any(sample.usage for sample in one.now):
        return one
    named = _driver(one)
    told = replace(one, drivers=(named, *one.drivers)) if named else one
    if metric != "task.cost" or not all(sample.usage for sample in one.base):
        return told  # one side alone at today's prices would be a change nobody made
    known: dict[Used, Decimal | None] = {}

    def today(sample: Sample) -> Sample:
        return replace(sample, value=sample.value * _ratio(sample, price, known))

    return replace(told, now=tuple(map(today, one.now)), base=tuple(map(today, one.base)))


def _ratio(sample: Sample, price: Price, known: dict[Used, Decimal | None]) -> float:
    """Today's cost of the calls over that of then; 1 where one of the two is not known."""
    total = Decimal(0)
    for used in sample.usage:
        if used not in known:
            known[used] = price(used)
        each = known[used]
        if each is None:
            return 1.0
        total += each * used.calls
    return float(total) / sample.usd if sample.usd and sample.usage else 1.0


def _driver(one: Series) -> str:
    """`model a → b` when other models answered than before; empty otherwise, and where it was not kept."""
    before = [sample for sample in one.base if sample.usage]
    if not before:
        return ""
    old, new = _models(before), _models(one.now)
    return f"model {', '.join(old)} → {', '.join(new)}" if old != new else ""


def _models(samples: Sequence[Sample]) -> list[str]:
    return sorted({used.model for sample in samples for used in sample.usage})
