"""What a run did not measure and may carry on (`on_missing: carry`): the last verdict, and how old it is.

The last verdict is not kept anywhere: the newest stored measurements are judged again against those before, so that two
branches never disagree about it and a changed budget counts at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from aether_tui.budgets.baseline import Baseline, match_of
from aether_tui.budgets.case import nothing
from aether_tui.budgets.file import Budget, BudgetFile
from aether_tui.budgets.model import Estimate, Measured, Result, Sample, Series
from aether_tui.budgets.verdict import judge
from aether_tui.human import duration


def carried(
    file: BudgetFile, measured: Mapping[str, Sequence[Measured]], baselines: Sequence[Baseline], now: datetime
) -> tuple[Result, ...]:
    """A row for everything stored that a budget with `on_missing: carry` is about and this run did not measure."""
    rows: list[Result] = []
    for budget in file.budgets:
        if budget.on_missing != "carry":
            continue
        seen = [_without(match_of(budget, one)) for one in measured.get(budget.id, ()) if _measured(one)]
        for stored in baselines:
            meant = stored.metric == budget.metric and stored.lines and budget.matches(stored.match)
            if meant and _without(stored.match) not in seen:
                rows.append(_row(file, budget, stored, now))
    return tuple(rows)


def with_carried(results: Sequence[Result], rows: Sequence[Result]) -> tuple[Result, ...]:
    """The results with these rows in place of those that only say that nothing was measured."""
    ids = {one.id for one in rows}
    kept = [one for one in results if one.verdict != "no-data" or one.id not in ids]
    return (*kept, *sorted(rows, key=lambda one: (one.id, one.series)))


def _row(file: BudgetFile, budget: Budget, stored: Baseline, now: datetime) -> Result:
    own = replace(file, budgets=(budget,))
    last = judge(own, {budget.id: [_last(budget, stored, file.currency)]}, now.date())[0]
    at = stored.samples[-1].at
    age_s = None if at is None else max(0.0, (now.astimezone(UTC).replace(tzinfo=None) - at).total_seconds())
    aged = "" if age_s is None else f", {duration(age_s)} ago"
    name = " · ".join(value for key, value in sorted(stored.match.items()) if "*" in budget.match.get(key, ""))
    why = f"not measured by this run; last {last.verdict}{aged}: {last.why}"
    return msgspec.structs.replace(
        nothing(budget, file.currency), series=name, n_base=len(stored.lines), baseline=last.now, why=why, reason=why,
        next="", carried=last.verdict, age_s=age_s, base_source=stored.name,
    )  # fmt: skip


def _last(budget: Budget, stored: Baseline, currency: str) -> Measured:
    """The newest commit's measurements against those before."""
    samples = stored.samples
    if budget.surface == "cost":
        past = Decimal(str(samples[-2].value)) if len(samples) > 1 else None
        return Estimate(Decimal(str(samples[-1].value)), past, currency)
    newest = samples[-1]
    now = tuple(one for one in samples if _same_change(one, newest))
    before = [one for one in samples if not _same_change(one, newest)]
    return Series("", now, tuple(before[-budget.window :]))


def _same_change(one: Sample, newest: Sample) -> bool:
    return one == newest or bool(newest.commit and one.commit == newest.commit)


def _measured(one: Measured) -> bool:
    return not isinstance(one, Series) or bool(one.now)


def _without(match: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in match.items() if key not in ("branch", "event")}
