"""What a month's budget does while the month runs: burn against the usual week, forecast, the day it is used up (budgets.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from aether_tui.budgets.cached import MODEL_SPEND, calls_matching
from aether_tui.budgets.file import Budget, BudgetFile
from aether_tui.diagnostics.frame import Clock, Data, real, text, whole
from aether_tui.stats import burn
from aether_tui.stats.burn import DAY, HOUR

if TYPE_CHECKING:
    from aether_tui.stats.projection import Coverage

HISTORY_DAYS = 245
"""Six whole months to look back on, and the eight weeks before them."""
HISTORY_SHOWN = 60
COMPLETE = 0.8
"""A day of a bill is complete when it has this share of the rows of the days before it."""
WINDOWS_H = (1, 2, 6, 24, 72)

Told = Literal["page", "warn", "ticket"]


class Forecast(Struct, frozen=True, kw_only=True):
    """The month's total at its end with its 80 % band; `rough` is a run-rate of too little history, without a band.

    `crosses` and its bounds are the days on which the limit is used up, `crosses_p` how probably that is this month.
    `held` of `of` past forecasts held the real total in the band, in `months` past months.
    """

    total: float
    low: float | None
    high: float | None
    rough: bool
    days: int
    crosses_p: float | None
    crosses: date | None
    crosses_low: date | None
    crosses_high: date | None
    held: int
    of: int
    months: int
    path: tuple[tuple[float, float, float], ...]
    """Cumulative median, low and high from the first unknown day on."""


class Live(Struct, frozen=True, kw_only=True):
    """One monthly budget as it runs. Money in the budget's currency, or tokens; `as_of` ends the last complete hour or day.

    `burn` is by hours of its window: times the budget's own pace, null where the source has no hours or there is no limit.
    """

    id: str
    unit: str
    source: Literal["bill by day", "traces by hour"]
    as_of: datetime
    age_s: float
    spent: float
    limit: float | None
    pace: float
    """Share of the month's usual spend that falls before `as_of`."""
    burn: dict[str, float | None]
    alarm: Told | None
    alarm_rule: str
    profile_days: int
    forecast: Forecast
    days: tuple[float, ...]
    """Spend of each of the last whole days, oldest first; the first is `days_from`."""
    days_from: date

    def rate(self, hours: int) -> float | None:
        """Burn over so many hours."""
        return self.burn.get(f"{hours}h")


def measure_live(data: Data, file: BudgetFile, clock: Clock) -> dict[str, Live]:
    """Every budget of a month that anything was spent on, by its id."""
    found: dict[str, Live] = {}
    for budget in file.budgets:
        series = _model(data, budget, clock) if budget.metric in MODEL_SPEND else _bill(data, budget, file, clock)
        if series is not None and series.spend:
            found[budget.id] = _live(budget, series, file, clock)
    return found


class _Spend(Struct, frozen=True):
    """Spend by whole hour, or by day at its midnight; `once` are charges that are not usage, kept out of the pattern."""

    source: Literal["bill by day", "traces by hour"]
    unit: str
    spend: dict[datetime, float]
    once: dict[datetime, float]
    begin: datetime
    end: datetime
    live: float = 0.0
    """Spent since `end`."""


def _model(data: Data, budget: Budget, clock: Clock) -> _Spend | None:
    """Model calls by hour: the last complete hour, or the hour of the newest call when nothing came in since."""
    since = _midnight(clock.now) - HISTORY_DAYS * DAY
    rows = data.rows("budget_model_hours", since_hour=since, **calls_matching(budget))
    column = MODEL_SPEND[budget.metric]
    spend = {at: real(row[column]) for row in rows if isinstance(at := row["hour"], datetime)}
    if not spend:
        return None
    now = _naive(clock.now).replace(minute=0, second=0, microsecond=0)
    end = min(now, max(spend) + HOUR)
    live = _since(end, spend)
    unit = "tokens" if column == "tokens" else "USD"
    return _Spend(
        "traces by hour", unit, {at: value for at, value in spend.items() if at < end}, {}, min(spend), end, live
    )


def _bill(data: Data, budget: Budget, file: BudgetFile, clock: Clock) -> _Spend | None:
    """The bill by day, up to its last complete day."""
    if not budget.burn:
        return None
    used: dict[datetime, float] = defaultdict(float)
    once: dict[datetime, float] = defaultdict(float)
    counts: dict[datetime, int] = defaultdict(int)
    for row in data.rows("budget_bill_days", since_day=_midnight(clock.now) - HISTORY_DAYS * DAY):
        meant = budget.matches({"env": text(row["environment"])}) and row["currency"] == file.currency
        if isinstance(day := row["day"], datetime) and meant:
            used[day] += real(row["used"])
            once[day] += real(row["other"])
            counts[day] += whole(row["n"])
    end = complete_until(counts, _midnight(clock.now))
    if end is None:
        return None
    kept = {day: value for day, value in used.items() if day < end}
    live = _since(end, used) + _since(end, once)
    return _Spend("bill by day", file.currency, kept, {d: v for d, v in once.items() if d < end}, min(used), end, live)


def _since(end: datetime, spend: Mapping[datetime, float]) -> float:
    """Spent since the end of what is complete, in the same month."""
    following = _following(_month(end))
    return sum(value for at, value in spend.items() if end <= at < following)


def _month(end: datetime) -> datetime:
    """When the month began that the hour before `end` is in."""
    return (end - HOUR).replace(day=1, hour=0)


def _following(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)


def complete_until(rows: Mapping[datetime, int], today: datetime) -> datetime | None:
    """The end of the last complete day of a bill: over, and with at least 80 % of the usual number of rows.

    Bills arrive in pieces: a day that is only half there would look like a good one. At most three days are held back.
    """
    days = sorted(day for day, count in rows.items() if day < today and count)
    for back in range(min(3, len(days))):
        last = len(days) - 1 - back
        before = [rows[day] for day in days[max(0, last - 7) : last]]
        if not before or rows[days[last]] >= COMPLETE * median(before):
            return days[last] + DAY
    return days[-4] + DAY if len(days) > 3 else None


def _live(budget: Budget, one: _Spend, file: BudgetFile, clock: Clock) -> Live:
    first = _month(one.end)
    limit = None if budget.limit is None or one.unit not in {file.currency, "tokens"} else float(budget.limit)
    usual = burn.profile(one.spend, one.end, one.begin)
    rates = _rates(one, limit, usual)
    rule = burn.alarm_of(_for_rules(one, rates))
    spent = sum(value for days in (one.spend, one.once) for at, value in days.items() if at >= first) + one.live
    return Live(
        id=budget.id,
        unit=one.unit,
        source=one.source,
        as_of=one.end.replace(tzinfo=UTC),
        age_s=max(0.0, (_naive(clock.now) - one.end).total_seconds()),
        spent=spent,
        limit=limit,
        pace=usual.between(first, one.end) / usual.between(first, _following(first)),
        burn={f"{hours}h": rates[hours] for hours in WINDOWS_H},
        alarm=rule.alarm if rule else None,
        alarm_rule=f"{rule.rate:g}× over {rule.long_h} h and {rule.short_h} h" if rule else "",
        profile_days=usual.days,
        forecast=forecast(one.spend, one.end, spent - one.live, limit, clock.seed, one.begin, usual),
        days=tuple(daily(one.spend, one.begin, one.end)[-HISTORY_SHOWN:]),
        days_from=max(one.begin.date(), one.end.date() - timedelta(days=HISTORY_SHOWN)),
    )


def _rates(one: _Spend, limit: float | None, usual: burn.Profile) -> dict[int, float | None]:
    rates: dict[int, float | None] = dict.fromkeys(WINDOWS_H)
    for hours in WINDOWS_H:
        known = one.source == "traces by hour" or hours % 24 == 0
        if limit is not None and known and one.end - one.begin >= hours * HOUR:
            rates[hours] = burn.rate(one.spend, limit, usual, one.end, hours)
    return rates


def _for_rules(one: _Spend, rates: Mapping[int, float | None]) -> dict[int, float | None]:
    """A bill by day has no short windows: its last day stands in for the hours, and nobody is paged by it."""
    if one.source == "traces by hour":
        return dict(rates)
    return {**rates, 1: None, 2: rates[24], 6: rates[24]}


def forecast(
    spend: Mapping[datetime, float],
    end: datetime,
    spent: float,
    limit: float | None,
    seed: int,
    begin: datetime,
    usual: burn.Profile,
) -> Forecast:
    """The month's end, from whole days; of an unfinished one what is usually spent after `end` is still to come."""
    from aether_tui.stats import projection

    days, midnight = daily(spend, begin, end), _midnight(end)
    start, to_come = begin.date(), None
    if not days:
        days, start = [spent], end.date()
    elif end > midnight:
        to_come = usual.between(end, midnight + DAY) / usual.between(midnight, midnight + DAY)
    ahead = projection.project(days, start, spent=spent, limit=limit, seed=seed, to_come=to_come)
    past = _realised(tuple(days), start, seed)

    def on(day: int | None) -> date | None:
        return None if day is None else _month(end).date().replace(day=day)

    low, middle, high = ahead.crosses or (None, None, None)
    return Forecast(
        total=ahead.total, low=ahead.low, high=ahead.high, rough=ahead.rough, days=ahead.days, crosses_p=ahead.crosses_p,
        crosses=on(middle), crosses_low=on(low), crosses_high=on(high), held=past.held, of=past.n, months=past.months,
        path=ahead.path,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _realised(days: tuple[float, ...], start: date, seed: int) -> Coverage:
    """How past forecasts did: the same until a day ends, however often a watched report is built."""
    from aether_tui.stats.projection import realised

    return realised(days, start, seed=seed)


def daily(spend: Mapping[datetime, float], begin: datetime, end: datetime) -> list[float]:
    """Spend of every whole day from the day of `begin` to before `end`; days without an entry spent nothing."""
    first, after = _midnight(begin), _midnight(end)
    days = [0.0] * max(0, (after - first) // DAY)
    for at, value in spend.items():
        if first <= at < after:
            days[(at - first) // DAY] += value
    return days


def _midnight(at: datetime) -> datetime:
    return _naive(at).replace(hour=0, minute=0, second=0, microsecond=0)


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def worst(lives: Iterable[Live]) -> Sequence[Live]:
    """Those that somebody is told about, most urgent first."""
    order: dict[Told, int] = {"page": 0, "warn": 1, "ticket": 2}
    told = [(order[one.alarm], one.id, one) for one in lives if one.alarm is not None]
    return [one for *_, one in sorted(told, key=lambda item: item[:2])]
