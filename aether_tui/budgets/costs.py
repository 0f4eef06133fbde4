"""Estimates and bills as monthly costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from aether_tui.budgets.measurements import Cost, Project, Record, Records, Resource, money_of, text_of


def measure_cost(records: Records, changes: Sequence[Resource] = ()) -> Cost:
    """Monthly cost of estimates (Infracost) and bills (FOCUS); two currencies leave the totals null."""
    projects = [*_estimates(records.rows.get("cost_estimates", ())), *_bills(records.rows.get("costs", ()))]
    currencies = sorted({currency for currency, _ in projects})
    problems = list(records.problems)
    if len(currencies) > 1:
        problems.append(f"amounts in {' and '.join(currencies)} are not added up")
    whole = [project for _, project in projects] if len(currencies) == 1 else []
    now = _total(project.monthly_cost for project in whole)
    past = _total(project.past_monthly_cost for project in whole)
    return Cost(
        currency=currencies[0] if len(currencies) == 1 else None,
        past_monthly_cost=past,
        monthly_cost=now,
        diff_monthly_cost=_difference(now, past, new=not records.rows.get("costs")),
        projects=tuple(project for _, project in projects),
        problems=tuple(problems),
        changes=tuple(changes),
    )


def _difference(now: Decimal | None, past: Decimal | None, *, new: bool) -> Decimal | None:
    """What changed; a plan without a past is new and costs all of it, a bill without one has nothing to compare with."""
    if now is None or (past is None and not new):
        return None
    return now - (past or Decimal(0))


def _total(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _estimates(rows: Iterable[Record]) -> Iterable[tuple[str, Project]]:
    for row in rows:
        errors = row["errors"]
        yield (
            text_of(row["currency"]) or "USD",
            Project(
                name=text_of(row["project"]),
                environment=text_of(row["environment"]),
                monthly_cost=money_of(row["monthly_cost"]),
                past_monthly_cost=money_of(row["past_monthly_cost"]),
                errors=tuple(errors) if isinstance(errors, tuple | list) else (),
            ),
        )


def _bills(rows: Iterable[Record]) -> Iterable[tuple[str, Project]]:
    """Billed cost by environment: the latest month of the files, and the one before."""
    months: dict[tuple[str, str], dict[str, Decimal]] = {}
    for row in rows:
        start, billed = row["charge_start"], money_of(row["billed_cost"])
        if isinstance(start, datetime) and billed is not None:
            by_month = months.setdefault((text_of(row["currency"]) or "USD", text_of(row["environment"])), {})
            month = f"{start:%Y-%m}"
            by_month[month] = by_month.get(month, Decimal(0)) + billed
    known = sorted({month for by_month in months.values() for month in by_month})
    for (currency, environment), by_month in sorted(months.items()):
        past = by_month.get(known[-2]) if len(known) > 1 else None
        name = environment or "no environment"
        latest = by_month.get(known[-1], Decimal(0))
        yield (
            currency,
            Project(name=name, environment=environment, monthly_cost=latest, past_monthly_cost=past, errors=()),
        )
