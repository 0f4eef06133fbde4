"""What opens under one budget: its arithmetic and samples, its drivers, its history with steps, its forecast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from aether_tui.budgets.explain import explain_result
from aether_tui.budgets.file import Budget, BudgetFile, Waiver
from aether_tui.budgets.model import Result, Sample, Series
from aether_tui.diagnostics.budgets_live import Live
from aether_tui.human import amount, plural
from aether_tui.report_model import Block, Col, Plot, Point, Row, Table
from aether_tui.report_model import Series as Drawn
from aether_tui.stats.changepoints import Change, changes
from aether_tui.text import one_line

LEAST_HISTORY = 2
SURE = 0.95


def detail(
    file: BudgetFile, budget: Budget, one: Result, series: Series | None, live: Live | None, drivers: Table | None
) -> tuple[Block, ...]:
    """The blocks that open under its row."""
    blocks: list[Block] = [arithmetic(file, budget, one, live)]
    if live is not None:
        fan = forecast_fan(live)
        blocks += [fan] if fan else []
    if drivers is not None:
        blocks.append(drivers)
    if live is not None:
        days = [_midnight(live.days_from + timedelta(days=place)) for place in range(len(live.days))]
        if days:
            spent = list(zip(days, live.days, strict=True))
            blocks.append(history(spent, live.unit, file.currency, None, "Spent per day"))
    elif series is not None and one.n_now:
        points = [(s.at, s.value) for s in (*series.base, *series.now) if s.at is not None]
        if len(points) >= LEAST_HISTORY:
            blocks.append(history(points, budget.kind, file.currency, one.limit, "History"))
    return tuple(blocks)


def arithmetic(file: BudgetFile, budget: Budget, one: Result, live: Live | None) -> Table:
    """Samples, rule, comparison, burn, forecast and waivers, one per line."""
    pairs: list[tuple[str, str]] = []
    for line in explain_result(budget, one, file.currency).splitlines()[1:]:
        key, _, words = line.strip().partition("  ")
        if words:
            pairs.append((key, words.strip()))
        elif pairs:  # a line that goes on
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {key}")
    if live is not None:
        pairs += burn_words(live)
    pairs += [("waiver", waiver_words(waiver)) for waiver in file.waivers if waiver.budget == budget.id]
    rows = tuple(Row(id=f"{place}", cells=(key, words)) for place, (key, words) in enumerate(pairs))
    return Table(
        id="arithmetic", columns=(Col(key="what", title="", priority=10), Col(key="words", title="", priority=9, width=400)), rows=rows
    )  # fmt: skip


def waiver_words(waiver: Waiver) -> str:
    """Who answers until when, and why."""
    return f"{waiver.id} of {one_line(waiver.owner, 80)} until {waiver.expires}: {one_line(waiver.reason, 300)}"


def burn_words(live: Live) -> list[tuple[str, str]]:
    """Burn and forecast in words, with what they rest on."""
    known = [f"{amount(value, '')}× over {hours}" for hours, value in live.burn.items() if value is not None]
    usual = (
        f"usual week of {plural(live.profile_days, 'day')}"
        if live.profile_days
        else "even pace: under 14 days of history"
    )
    told = f"; {live.alarm}: {live.alarm_rule}" if live.alarm else ""
    pairs = [
        (
            "burn",
            f"{', '.join(known)} against the {usual}{told}" if known else "not known: no limit, or too little history",
        )
    ]
    pairs.append(("forecast", forecast_words(live)))
    ahead = live.forecast
    if not ahead.rough:
        past = (
            f"{ahead.held} of {ahead.of} forecasts of {plural(ahead.months, 'past month')} held"
            if ahead.of
            else "no past month"
        )
        pairs.append(("coverage", f"{past}; the band is meant to hold 80 %"))
    pairs.append(("as of", f"{live.as_of:%Y-%m-%d %H:%M} UTC, {live.source}"))
    return pairs


def forecast_words(live: Live) -> str:
    """`2,080 USD [1,960 USD–2,240 USD] at the month's end by weekdays and trend, 80 %; crosses on the 28th [26–30], 83 %`."""
    ahead = live.forecast

    def shown(value: float) -> str:
        return amount(value, "tokens" if live.unit == "tokens" else "money", live.unit)

    if ahead.rough or ahead.low is None or ahead.high is None:
        words = f"{shown(ahead.total)} at the month's end, rough: a run-rate of {plural(ahead.days, 'day')}"
    else:
        words = f"{shown(ahead.total)} [{shown(ahead.low)}–{shown(ahead.high)}] at the month's end by weekdays and trend, 80 %"
    crossing = crossing_words(live)
    return f"{words}; crosses on {crossing}" if crossing else words


def crossing_words(live: Live, *, short: bool = False) -> str:
    """`28 Nov [26–30], 83 %`: when the limit is used up, and how probably this month; nothing when it will not be.

    `short` leaves out the range, and the probability of what is next to certain.
    """
    ahead = live.forecast
    if live.limit is None or ahead.crosses is None or (ahead.crosses_p is not None and ahead.crosses_p < 0.1):
        return ""
    day = f"{ahead.crosses.day} {ahead.crosses:%b}"
    if ahead.rough or ahead.crosses_low is None or ahead.crosses_high is None or ahead.crosses_p is None:
        return f"{day}, rough"
    between = f" [{ahead.crosses_low.day}–{ahead.crosses_high.day}]" if ahead.crosses_low != ahead.crosses_high else ""
    if short:
        return day if ahead.crosses_p >= SURE else f"{day} {ahead.crosses_p:.0%}"
    return f"{day}{between}, {amount(ahead.crosses_p, 'ratio')}"


def forecast_fan(live: Live) -> Plot | None:
    """The month's cumulative spend until now, and the fan from there; None on the last day."""
    ahead = live.forecast
    if not ahead.path:
        return None
    last = live.days_from + timedelta(days=max(len(live.days), 1) - 1)  # the day that runs, where none is whole
    known = [(live.days_from + timedelta(days=place), value) for place, value in enumerate(live.days)]
    running = live.as_of - timedelta(hours=1)
    so_far, total = [], 0.0
    for day, value in known:
        if (day.year, day.month) == (running.year, running.month):
            total += value
            so_far.append((day, total))
    start = max(0.0, live.spent - total)  # charges that are not usage, and the unfinished day
    solid = tuple(Point(x=_x(day), y=value + start) for day, value in so_far)
    ends = [_x(last + timedelta(days=place)) for place in range(1, len(ahead.path) + 1)]
    fan = [tuple(Point(x=x, y=step[place]) for x, step in zip(ends, ahead.path, strict=True)) for place in range(3)]
    drawn = [
        Drawn(label="spent", points=solid),
        Drawn(label="forecast", points=fan[0], kind="points", glyph="•", state="running"),
    ]
    if not ahead.rough:
        drawn += [
            Drawn(label="80 % low", points=fan[1], kind="points", glyph="·"),
            Drawn(label="80 % high", points=fan[2], kind="points", glyph="·"),
        ]
    limits = ((live.limit, "limit"),) if live.limit is not None else ()
    return Plot(
        id="forecast", title="Forecast of this month", series=tuple(drawn), text=forecast_words(live), x_kind="time",
        y_unit="tokens" if live.unit == "tokens" else "USD" if live.unit == "USD" else "", limits=limits,
    )  # fmt: skip


def history(
    points: Sequence[tuple[datetime, float]], unit: str, currency: str, limit: float | None, title: str
) -> Plot:
    """Measurements over time, with the places where their level changed."""
    values = [value for _, value in points]
    steps = changes(values)
    marks = tuple((points[step.at][0].replace(tzinfo=UTC).timestamp(), _step(step)) for step in steps)
    told = "; ".join(
        f"{amount(step.before, unit, currency)} to {amount(step.after, unit, currency)} on {_day(points[step.at][0])} "
        f"(p {1 - step.confidence:.1g})"
        for step in steps
    )
    drawn = Drawn(
        label="measured", points=tuple(Point(x=at.replace(tzinfo=UTC).timestamp(), y=value) for at, value in points)
    )
    words = f"{plural(len(points), 'measurement')}: {f'steps {told}' if steps else 'no step'}."
    return Plot(
        id="history", title=f"{title}, {_day(points[0][0])} to {_day(points[-1][0])}", series=(drawn,), text=words, x_kind="time",
        y_unit=_y_unit(unit, currency), limits=((limit, "limit"),) if limit is not None else (), marks=marks, note=words,
    )  # fmt: skip


def age_s(samples: Sequence[Sample], now: datetime) -> float | None:
    """Seconds since the newest of them."""
    known = [sample.at for sample in samples if sample.at is not None]
    return None if not known else max(0.0, (now.astimezone(UTC).replace(tzinfo=None) - max(known)).total_seconds())


def _step(step: Change) -> str:
    share = (step.after - step.before) / abs(step.before) if step.before else None
    return ("up" if step.direction == "up" else "down") + (
        f" {amount(abs(share), 'ratio')}" if share is not None else ""
    )


def _y_unit(unit: str, currency: str) -> str:
    return unit.replace("money", "USD") if currency == "USD" else unit if not unit.startswith("money") else ""


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 (instants in rows are naive UTC)


def _x(day: date) -> float:
    return _midnight(day).replace(tzinfo=UTC).timestamp()
