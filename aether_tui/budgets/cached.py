"""Measurements for every budget from the cache: the newest are judged, those before are the baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from aether_tui.budgets.costs import days_in
from aether_tui.budgets.file import Budget, BudgetFile
from aether_tui.budgets.model import DRIFT_DAYS, Estimate, Measured, Sample, Series, Spend
from aether_tui.budgets.runs import whole_jobs
from aether_tui.human import duration
from aether_tui.records.model import Value
from aether_tui.text import one_line

Record = Mapping[str, Value]
_DAY = timedelta(days=1)
MODEL_SPEND = {"model.monthly": "cost", "model.tokens": "tokens"}
"""Metrics of a month's model calls, and the column they add up."""


class Rows(Protocol):
    """Named queries over the cache (`aether_tui.diagnostics.frame.Data.rows`)."""

    def __call__(self, name: str, /, **params: Value) -> Sequence[Record]:
        """Rows of a named query."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """Measurements in `[since, until)` are current; instants are naive UTC, as in the cache."""

    since: datetime
    until: datetime

    def days_before(self, days: int) -> datetime:
        """Midnight so many days before the end."""
        return self.until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)

    def month(self) -> datetime:
        """When the month of the last moment began."""
        return (self.until - timedelta(microseconds=1)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def from_cache(rows: Rows, file: BudgetFile, span: Span) -> dict[str, list[Measured]]:
    """What the cache knows about each budget, by its id; a budget nobody measured is absent."""
    measured: dict[str, list[Measured]] = {}
    for budget in file.budgets:
        found = _MEASURES[budget.surface](rows, budget, span)
        if found:
            measured[budget.id] = found
    return measured


def split(budget: Budget, samples: Sequence[Sample], since: datetime) -> Series:
    """Samples, oldest first, into current ones (the last few, none older than `since`) and those before."""
    current = [sample for sample in samples if sample.at is None or sample.at >= since][-budget.min_samples :]
    earlier = samples[: len(samples) - len(current)]
    return Series("", tuple(current), tuple(earlier[-budget.window :]))


def _ci(rows: Rows, budget: Budget, span: Span) -> list[Measured]:
    column = {"pipeline.duration": "wall_s", "pipeline.run": "run_s", "pipeline.queue": "queue_s"}[budget.metric]
    patterns: dict[str, Value] = {key: budget.pattern(key) for key in ("repo", "workflow", "branch", "event")}
    keys: tuple[str, ...] = ("repo", "workflow")
    if "job" in budget.match:
        old, keys = span.days_before(DRIFT_DAYS[0]), (*keys, "job")
        legs = [dict(row) for row in rows("budget_jobs", **patterns, **_reach(budget, span))]
        found: Sequence[Record] = [
            {**job, "old": _before(job["created"], old)}
            for job in sorted(whole_jobs(legs), key=lambda job: str(job["created"]))
            if budget.allows({"job": _text(job["job"])})
        ]
    else:
        found = rows("budget_ci", **patterns, **_reach(budget, span))
    groups = _grouped(found, *keys)
    return [
        replace(
            _series(budget, _name(key, groups), group, span, column, at="created", fingerprint="runner"),
            labels=dict(zip(keys, key, strict=True)),
        )
        for key, group in groups.items()
    ]


def _tests(rows: Rows, budget: Budget, span: Span) -> list[Measured]:
    column = {"suite.duration": "duration_s", "suite.flaky": "flaky"}.get(budget.metric)
    if column is None:  # benchmarks are compared with files
        return []
    keys: tuple[str, ...] = ("repo", "suite")
    patterns: dict[str, Value] = {key: budget.pattern(key) for key in (*keys, "branch")}
    name = "budget_tests"
    if "package" in budget.match:  # its cases alone: a report may hold several
        name, keys, patterns["package"] = "budget_packages", (*keys, "package"), budget.pattern("package")
    groups = _grouped(rows(name, **patterns, **_reach(budget, span)), *keys)
    result: list[Measured] = []
    for key, group in groups.items():
        series = _series(budget, _name(key, groups), group, span, column, at="started")
        series = replace(series, labels=dict(zip(keys, key, strict=True)))
        last = group[-1]
        if last["partial"] and series.now:
            series = replace(series, problem="the last report was cut short")
        if budget.metric == "suite.duration" and series.now and budget.limit and series.now[-1].value > budget.limit:
            series = replace(
                series,
                drivers=tuple(
                    _slow(row) for row in rows("budget_slowest", run=last["id"], package=last.get("package"))
                ),
            )
        result.append(series)
    return result


def _llm(rows: Rows, budget: Budget, span: Span) -> list[Measured]:
    if budget.metric in MODEL_SPEND:
        return list(_model_spend(rows, budget, span))
    column = {"task.cost": "cost", "task.tokens": "tokens", "turn.latency": "latency"}[budget.metric]
    keys = {
        "scenario": "scenario",
        "env": "env",
        "service": "of_service",
        "feature": "of_feature",
        "team": "of_team",
        "model": "model",
    }
    patterns = {parameter: budget.pattern(key) for key, parameter in keys.items()}
    found = rows("budget_tasks", **patterns, drift_since=span.days_before(DRIFT_DAYS[1]), until_day=span.days_before(0))
    old = span.days_before(DRIFT_DAYS[0])
    groups = _grouped([{**row, "old": _before(row["day"], old)} for row in found], "scenario")
    # A model swap must not slip through on tokens and cost; latency of another model is another thing.
    mark = "model" if budget.metric == "turn.latency" else ""
    result: list[Measured] = []
    for key, group in groups.items():
        one = _series(budget, key[0] or "no scenario", group, span, column, at="day", fingerprint=mark, n=f"n_{column}")
        result.append(replace(one, labels={"scenario": key[0]}, drivers=_model_driver(group, one)))
    return result


def _model_driver(group: Sequence[Record], one: Series) -> tuple[str, ...]:
    """`model a → b` when the newest days were answered by another model than those before."""
    first = one.now[0].at if one.now else None
    days = [(row["day"], _text(row["model"])) for row in group if not row["old"] and row["model"]]
    if first is None:
        return ()
    old = sorted({model for day, model in days if isinstance(day, datetime) and day < first})
    new = sorted({model for day, model in days if isinstance(day, datetime) and day >= first})
    return (f"model {', '.join(old)} → {', '.join(new)}",) if old and new and old != new else ()


def calls_matching(budget: Budget) -> dict[str, Value]:
    """Parameters of the queries over model calls: a pattern for every key of `match` they know."""
    return {
        ("env" if key == "env" else f"of_{key}"): budget.pattern(key)
        for key in ("env", "service", "feature", "team", "model")
    }


def _model_spend(rows: Rows, budget: Budget, span: Span) -> Iterable[Measured]:
    """Money or tokens of model calls this month, up to now: traces do not lag."""
    first = span.month()
    column = MODEL_SPEND[budget.metric]
    hours: dict[datetime, Decimal] = {}
    for row in rows("budget_model_hours", since_hour=first - timedelta(days=31), **calls_matching(budget)):
        if isinstance(at := row["hour"], datetime) and row[column] is not None:
            hours[at] = _money(row[column])
    current = [at for at in hours if at >= first]
    if not current:
        return
    known = min(max(current) + timedelta(hours=1), span.until) - first
    past = (first - timedelta(days=1)).replace(day=1)
    told = past + known <= first and min(hours) < past + _DAY
    before = sum((value for at, value in hours.items() if past <= at < past + known), Decimal(0)) if told else None
    unit = "tokens" if column == "tokens" else "USD"
    spent = sum((hours[at] for at in current), Decimal(0))
    last = [value for at, value in hours.items() if past <= at < first]
    whole = sum(last, Decimal(0)) if last and min(hours) < past + _DAY else None
    yield Spend(spent, unit, known / _DAY, days_in(first.date()), before, whole)


def _cost(rows: Rows, budget: Budget, span: Span) -> list[Measured]:
    return [*_estimates(rows, budget), *(_spends(rows, budget, span) if budget.burn else [])]


def _estimates(rows: Rows, budget: Budget) -> Iterable[Measured]:
    projects = [row for row in rows("budget_estimates") if budget.matches({"env": _text(row["environment"])})]
    for (currency,), group in _grouped(projects, "currency").items():
        past = [_past(row) for row in group]
        monthly = sum((_money(row["monthly_cost"]) for row in group), Decimal(0))
        known = [one for one in past if one is not None]
        errors = tuple(one_line(f"{row['project']}: {error}", 200) for row in group for error in _errors(row))
        whole = sum(known, Decimal(0)) if len(known) == len(past) else None
        yield Estimate(monthly, whole, currency or "USD", len(group), errors)


def _errors(row: Record) -> Sequence[str]:
    stated = row["errors"] if isinstance(row["errors"], tuple | list) else ()
    return stated or ([] if row["monthly_cost"] is not None else ["it has no price"])


def _past(row: Record) -> Decimal | None:
    """The cost before the change; what the estimate before said where this one does not."""
    past = row["past_monthly_cost"] if row["past_monthly_cost"] is not None else row["monthly_before"]
    return None if past is None else _money(past)


def _spends(rows: Rows, budget: Budget, span: Span) -> Iterable[Measured]:
    first = span.month()
    before = (first - timedelta(days=1)).replace(day=1)
    by_day: dict[str, dict[datetime, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows("budget_spend", month_before=before):
        day = row["day"]
        if isinstance(day, datetime) and budget.matches({"env": _text(row["environment"])}):
            by_day[_text(row["currency"])][day] += _money(row["billed"])
    for currency, billed in by_day.items():
        current = [day for day in billed if day >= first]
        if not current:
            continue
        # Bills lag: the month so far ends with the last day with charges, or now.
        known = min(max(current) + _DAY, span.until) - first
        days = [before + place * _DAY for place in range((max(current) - first) // _DAY + 1)]
        told = days[-1] < first and all(day in billed for day in days)
        spent = sum((billed[day] for day in current), Decimal(0))
        as_long = sum((billed[day] for day in days), Decimal(0)) if told else None
        last = [before + place * _DAY for place in range((first - before) // _DAY)]
        whole = sum((billed[day] for day in last), Decimal(0)) if all(day in billed for day in last) else None
        yield Spend(spent, currency, known / _DAY, days_in(first.date()), as_long, whole)


_MEASURES = {"ci": _ci, "tests": _tests, "llm": _llm, "cost": _cost}


def _reach(budget: Budget, span: Span) -> dict[str, Value]:
    return {
        "keep": budget.min_samples + budget.window,
        "drift_since": span.days_before(DRIFT_DAYS[1]),
        "drift_until": span.days_before(DRIFT_DAYS[0]),
    }


def _series(
    budget: Budget,
    name: str,
    group: Sequence[Record],
    span: Span,
    column: str,
    *,
    at: str,
    fingerprint: str = "",
    n: str = "",
) -> Series:
    """One series of rows, oldest first; rows marked `old` are those of 90 days ago."""
    samples: list[Sample] = []
    old: list[Sample] = []
    for row in group:
        value, when = row[column], row[at]
        if value is None or not isinstance(when, datetime) or isinstance(value, str | datetime | tuple):
            continue
        count = row[n] if n else 1
        mark = _text(row[fingerprint]) if fingerprint else ""
        sample = Sample(float(value), when, mark, count if isinstance(count, int) else 1)
        (old if row["old"] else samples).append(sample)
    parts = split(budget, samples, span.since)
    mark = parts.now[-1].fingerprint if parts.now else ""
    drift = tuple(sample for sample in old if sample.fingerprint == mark)[-budget.window :]
    # What is 90 days old may also be the newest there is; then it is the baseline, too.
    base = parts.base or tuple(old[-budget.window :])
    problem = "" if parts.now else f"nothing since {span.since:%Y-%m-%d}"
    return replace(parts, name=name, base=base, drift=drift, problem=problem)


def _grouped(rows: Iterable[Record], *keys: str) -> dict[tuple[str, ...], list[Record]]:
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for row in rows:
        groups[tuple(_text(row[key]) for key in keys)].append(row)
    return groups


def _name(key: tuple[str, ...], groups: Mapping[tuple[str, ...], object]) -> str:
    """What tells a series apart from its neighbours: nothing where it is alone."""
    parts = [part.rpartition("/")[2] for place, part in enumerate(key) if len({other[place] for other in groups}) > 1]
    return one_line(" · ".join(part or "unnamed" for part in parts), 60)


def _slow(row: Record) -> str:
    seconds = row["duration_s"]
    return f"{one_line(_text(row['name']), 60)} {duration(seconds) if isinstance(seconds, float) else ''}".strip()


def _before(value: Value, instant: datetime) -> bool:
    return isinstance(value, datetime) and value < instant


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _money(value: Value) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))
