"""Answers of Amplitude's Dashboard REST API as product metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from aether_tui.records.tables import PRODUCT_METRICS
from connectors.answers import Answer, listed
from connectors.base import Malformed, Reject, Row
from connectors.fields import dig, integer, number, objects, text

RETURNS = (1, 7, 30)
"""Days after which it is looked whether users returned."""

Found = Row | Reject
"""A row, or a day that is none."""

Measure = Callable[[str, str, date, float | None, str, bool], Row]
"""Metric, segment, day, value, unit and whether the period is still running, to a row."""


def measuring(zone: str, read: datetime) -> Measure:
    """Rows of one reading, in the project's time zone (empty: unknown)."""

    def row(metric: str, segment: str, day: date, value: float | None, unit: str, incomplete: bool) -> Row:
        return PRODUCT_METRICS.row(
            metric=metric,
            segment=segment,
            day=datetime.combine(day, datetime.min.time()),
            zone=zone or None,
            value=value,
            unit=unit,
            incomplete=incomplete,
            updated=read,
        )

    return row


def series_rows(answer: Answer, metric: str, unit: str, zone: str, over_before: date, read: datetime) -> list[Found]:
    """Rows of an answer `{data: {series, seriesLabels | seriesMeta, xValues}}`, one per day and label.

    Raises Malformed when there are none of them, or they do not fit together.
    """
    measure = measuring(zone, read)
    data = dig(answer.json, "data")
    days, series = _lists(answer, data)
    labels = _list(data, "seriesLabels") or _list(data, "seriesMeta")
    rows: list[Found] = []
    for position, values in enumerate(series):
        if not isinstance(values, list) or len(values) != len(days):
            raise Malformed(f"{answer.asked}: {metric} has another number of values than days", hint="report this")
        segment = "" if len(series) == 1 else _label(labels, position)
        for said, value in zip(days, values, strict=True):
            day = _day(said)
            rows.append(
                measure(metric, segment, day, _value(value), unit, day >= over_before) if isinstance(day, date) else day
            )
    return rows


def funnel_rows(answer: Answer, name: str, steps: Sequence[str], whole_before: date, measure: Measure) -> list[Found]:
    """Of the users who entered a funnel on a day, the share that came to each step: the last one without a segment, and how
    many entered. Days from `whole_before` on may still change. Raises Malformed when steps or days do not fit.
    """
    found = dig(next(iter(objects(answer.json, "data")), None), "dayFunnels")
    days, series = _lists(answer, found)
    rows: list[Found] = []
    if len(days) != len(series):
        raise Malformed(f"{answer.asked}: {name} has {len(series)} values for {len(days)} days", hint="report this")
    for said, counts in zip(days, series, strict=True):
        if not isinstance(counts, list) or len(counts) != len(steps):
            raise Malformed(f"{answer.asked}: {name} has other steps than were asked for", hint="report this")
        day = _day(said)
        if isinstance(day, Reject):
            rows.append(day)
            continue
        running = day >= whole_before
        reached = [number({"n": count}, "n") for count in counts]
        entered = reached[0]
        rows.append(measure(f"funnel:{name}", "entered", day, entered, "users", running))
        for position, count in enumerate(reached[1:], 2):
            label = "" if position == len(steps) else f"step {position}: {steps[position - 1]}"
            share = count / entered if entered and count is not None else None
            rows.append(measure(f"funnel:{name}", label, day, share, "ratio", running))
    return rows


def retention_rows(answer: Answer, name: str, measure: Measure) -> list[Found]:
    """Of the users who began on a day, the share that returned 1, 7 and 30 days later; incomplete ones are marked."""
    rows: list[Found] = []
    for series in listed(answer, "data", "series"):
        values = dig(series, "values")
        for start, periods in values.items() if isinstance(values, Mapping) else ():
            day = _day(start)
            if isinstance(day, Reject):
                rows.append(day)
                continue
            for after, period in enumerate(objects({"list": periods}, "list")):
                count, outof = integer(period, "count"), integer(period, "outof")
                if after in RETURNS:
                    share = count / outof if outof and count is not None else None
                    running = dig(period, "incomplete") is True
                    rows.append(measure(f"retention:{name} day {after}", "", day, share, "ratio", running))
    return rows


def _value(value: object) -> float | None:
    """A number, as lists hold it or as charts do: `{"setId": "", "value": 7}`."""
    return number(value if isinstance(value, Mapping) else {"value": value}, "value")


def _label(labels: Sequence[object], position: int) -> str:
    """Labels are texts, `[index, text]` pairs, or objects with a segment index; an absent one is its number."""
    label = labels[position] if position < len(labels) else None
    if isinstance(label, list):
        label = label[-1] if label else None
    if isinstance(label, Mapping):
        label = label.get("label")
    return text({"label": label}, "label") or str(position)


def _day(value: object) -> date | Reject:
    """A day as Amplitude writes it: `2026-11-01`, with a time behind it, or `Nov 01, 2026`; a reject for another form."""
    said = str(value)
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        pass
    try:
        return datetime.strptime(said, "%b %d, %Y").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return Reject(PRODUCT_METRICS.name, f"not a day: {said[:40]!r}", said)


def _lists(answer: Answer, node: object) -> tuple[list[object], list[object]]:
    """Days, and what there is of each. Raises Malformed where there are none: that is not the same as nothing."""
    days, series = dig(node, "xValues"), dig(node, "series")
    if not isinstance(days, list) or not isinstance(series, list):
        raise Malformed(
            f"{answer.asked} answered JSON without series and days: this is not the API", hint="check the url"
        )
    return days, series


def _list(node: object, field: str) -> list[object]:
    value = dig(node, field)
    return value if isinstance(value, list) else []
