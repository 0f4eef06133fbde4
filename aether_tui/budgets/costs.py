"""Estimates and bills as monthly costs."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from aether_tui.budgets.measurements import Cost, Project, Record, Records, Resource, money_of, text_of


def measure_cost(records: Records, changes: Sequence[Resource] = ()) -> Cost:
    """Monthly cost of estimates (Infracost) and bills (FOCUS); two currencies, or a plan and a bill, leave the totals null."""
    projects = (*_estimates(records.rows.get("cost_estimates", ())), *_bills(records.rows.get("costs", ())))
    currencies = sorted({project.currency for project in projects})
    billed = {project.through is not None for project in projects}
    problems = list(records.problems)
    if len(currencies) > 1:
        problems.append(f"amounts in {' and '.join(currencies)} are not added up")
    if len(billed) > 1:
        problems.append("a plan and a bill are not added up")
    whole = projects if len(currencies) == len(billed) == 1 else ()
    now = _total(project.monthly_cost for project in whole)
    past = _total(project.past_monthly_cost for project in whole)
    return Cost(
        currency=currencies[0] if len(currencies) == 1 else None,
        past_monthly_cost=past,
        monthly_cost=now,
        diff_monthly_cost=None if any(map(_lost, whole)) else _difference(now, past, new=True not in billed),
        projects=projects,
        problems=tuple(problems),
        changes=tuple(changes),
    )


def _lost(project: Project) -> bool:
    """Whether only the past of a project is known: what is lost was not saved."""
    return project.monthly_cost is None and bool(project.past_monthly_cost)


def _difference(now: Decimal | None, past: Decimal | None, *, new: bool) -> Decimal | None:
    """What changed; a plan without a past is new and costs all of it, a bill without one has nothing to compare with."""
    if now is None or (past is None and not new):
        return None
    return now - (past or Decimal(0))


def _total(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _estimates(rows: Iterable[Record]) -> Iterable[Project]:
    for row in rows:
        errors = row["errors"]
        yield Project(
            name=text_of(row["project"]),
            environment=text_of(row["environment"]),
            monthly_cost=money_of(row["monthly_cost"]),
            past_monthly_cost=money_of(row["past_monthly_cost"]),
            errors=tuple(errors) if isinstance(errors, tuple | list) else (),
            currency=text_of(row["currency"]) or "USD",
        )


def _bills(rows: Iterable[Record]) -> Iterable[Project]:
    """Billed cost by currency and environment: the latest month so far, and as many days of the month before it."""
    bills: dict[str, dict[str, dict[date, Decimal]]] = {}
    ends: dict[str, date] = {}
    for row in rows:
        start, billed = row["charge_start"], money_of(row["billed_cost"])
        if isinstance(start, datetime) and billed is not None:
            currency, day = text_of(row["currency"]) or "USD", start.date()
            days = bills.setdefault(currency, {}).setdefault(text_of(row["environment"]), {})
            days[day] = days.get(day, Decimal(0)) + billed
            ends[currency] = max(ends.get(currency, day), day, _last_day(row, start))
    for currency, environments in sorted(bills.items()):
        through = ends[currency]
        before = _as_long_before(through)
        told = bool(before) and all(any(day in days for days in environments.values()) for day in before)
        month = [through.replace(day=at + 1) for at in range(through.day)]
        for environment, days in sorted(environments.items()):
            yield Project(
                name=environment or "no environment",
                environment=environment,
                monthly_cost=_over(days, month),
                past_monthly_cost=_over(days, before) if told else None,
                errors=(),
                currency=currency,
                through=through,
            )


def _last_day(row: Record, start: datetime) -> date:
    """The last day that a charge for usage is about, in its month: some bills charge a month's usage on its first day."""
    end = row.get("charge_end")
    if not isinstance(end, datetime) or end <= start or text_of(row.get("charge_category")) != "Usage":
        return start.date()
    return min((end - timedelta(microseconds=1)).date(), start.date().replace(day=days_in(start)))


def _as_long_before(through: date) -> list[date]:
    """The same days of the month before, all of it before a whole month; none where that month is too short for it."""
    first = (through.replace(day=1) - timedelta(days=1)).replace(day=1)
    most = days_in(first)
    count = most if through.day == days_in(through) else through.day
    return [first + timedelta(days=at) for at in range(count)] if count <= most else []


def days_in(day: date) -> int:
    """Days of its month."""
    return monthrange(day.year, day.month)[1]


def _over(billed: Mapping[date, Decimal], days: Iterable[date]) -> Decimal:
    return sum((billed.get(day, Decimal(0)) for day in days), Decimal(0))
