"""What every drawing of a `Plot` has in common: which points there are, how far they reach, and the words on its axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import structs

from aether_tui import human
from aether_tui.report_model import Plot, Point, Series

_ROUND = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""What is written on an axis that is not even."""


def shown_of(block: Plot) -> list[list[Point]]:
    """The points of each series, by where they lie along the axis."""
    if block.x_kind != "log":
        return [finite(series) for series in block.series]
    return [[structs.replace(point, x=across(block, point.x)) for point in finite(one)] for one in block.series]


def across(block: Plot, x: float) -> float:
    """Where a value lies along the axis."""
    return math.log1p(max(x, 0.0)) if block.x_kind == "log" else x


def x_ticks(block: Plot, left: float, right: float, count: int) -> list[tuple[float, str]]:
    """Where something is written on the axis, and what."""
    if block.x_kind == "log":
        return [(x, x_words(block, value)) for value in _ROUND if left <= (x := across(block, value)) <= right]
    places = [left + (right - left) * n / (count - 1) for n in range(count)]
    return [(x, x_words(block, x, right - left)) for x in places]


def finite(series: Series) -> list[Point]:
    """Its points by x; what is not a number is a gap."""
    points = [point for point in series.points if math.isfinite(point.x)]
    bad = [point for point in points if point.y is not None and not math.isfinite(point.y)]
    if bad:
        points = [Point(x=point.x, y=None) if point in bad else point for point in points]
    return sorted(points, key=lambda point: point.x)


def stack(block: Plot, shown: Sequence[list[Point]]) -> dict[int, list[Point]]:
    """Areas lie on the areas before them: their upper edges, by number of the series."""
    edge: dict[float, float] = {}
    stacked: dict[int, list[Point]] = {}
    for number, series in enumerate(block.series):
        if series.kind == "area":
            for point in shown[number]:
                edge[point.x] = edge.get(point.x, 0.0) + (point.y or 0.0)
            stacked[number] = [Point(x=point.x, y=edge[point.x]) for point in shown[number]]
    return stacked


def levels_of(shown: Sequence[list[Point]], block: Plot) -> tuple[float, float, float, float] | None:
    """Left, right, bottom, top of what is drawn; None when there is nothing."""
    everything = [*shown, *stack(block, shown).values()]
    xs = [point.x for points in everything for point in points]
    ys = [
        y for points in everything for p in points for y in (p.y, p.low, p.high) if y is not None and math.isfinite(y)
    ]
    if not xs or not ys:
        return None
    ys += [y for y, _ in block.limits if math.isfinite(y)]
    if any(series.kind == "area" for series in block.series):
        ys.append(0.0)
    if block.y_unit == "score":
        ys += [0.0, 100.0]
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    if block.x_kind == "log":
        left = 0.0
    if right == left:
        left, right = left - 1, right + 1
    if high == low:
        low, high = low - (abs(low) or 1), high + (abs(high) or 1)
    elif low > 0 and low < 0.5 * high:
        low = 0.0
    return left, right, low, high


def unbroken(points: Sequence[Point]) -> Iterator[list[tuple[float, float]]]:
    """Runs of points without a gap."""
    run: list[tuple[float, float]] = []
    for point in points:
        if point.y is not None:
            run.append((point.x, point.y))
        elif run:
            yield run
            run = []
    if run:
        yield run


def corners(run: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each value holds until the next one."""
    corners = [run[0]]
    for (_, before), (x, y) in itertools.pairwise(run):
        corners += [(x, before), (x, y)]
    return corners


def y_words(block: Plot, value: float, beside: float = 0.0) -> str:
    """A place on the axis; times in the unit of the longest that stands `beside` them."""
    if value == 0:
        return "0"
    return human.duration(value, beside) if block.y_unit == "s" else human.amount(value, block.y_unit)


def x_words(block: Plot, value: float, span: float = 0.0) -> str:
    """A place on the axis; of an axis of that span, as fine as a hundredth of it."""
    if block.x_kind == "time":
        try:
            instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
        except OverflowError:
            return human.NONE
        return f"{instant.day} {instant:%b}"
    places = 2 - math.floor(math.log10(span)) if span > 0 else 6
    return human.number(round(value, max(0, min(places, 6))))
