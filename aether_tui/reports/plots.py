"""Drawings of `Plot` blocks as plain lines, the same for every face. plotext draws and is imported by the first drawing.

One drawing takes about 5 ms and the import 90, so the console draws after its first paint (`ready`).
"""

from __future__ import annotations

import functools
import itertools
import math
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from types import ModuleType

from aether_tui import human
from aether_tui.report_model import GLYPHS, Plot, Point, Series
from aether_tui.reports import draw as draw_text
from aether_tui.reports.axes import (
    across,
    corners,
    finite,
    levels_of,
    shown_of,
    stack,
    unbroken,
    x_ticks,
    x_words,
    y_words,
)
from aether_tui.text import cells, one_line

LINES = ("hd", "•", "∘", "+", "×")
"""Markers of joined series, by their order; `hd` are quarters of a cell, which every font of a terminal has."""
AREAS = "█▒░▓"
BAND = "░"
LIMIT, MARK = "──", "│"
MIN_WIDTH, MIN_HEIGHT = 24, 5
HEIGHT = 12
"""Rows of a drawing where the face does not say."""

_drawing = threading.Lock()  # plotext has one figure per process
_CODES = re.compile(r"\x1b\[[0-9;]*m")


def ready() -> bool:
    """Whether drawing costs no import."""
    return "plotext" in sys.modules and not _drawing.locked()


def load() -> None:
    """Import what draws; for a thread."""
    with _drawing:
        import plotext  # noqa: F401


@functools.lru_cache(maxsize=64)
def draw(block: Plot, width: int, height: int = HEIGHT) -> tuple[str, ...]:
    """The canvas with its axes, `height` lines, and a legend under it; nothing when no point can be drawn."""
    shown = shown_of(block)
    levels = levels_of(shown, block)
    if levels is None or width < MIN_WIDTH:
        return ()
    legend = _wrapped(list(_legend(block, shown)), width)
    return (*_canvas(block, shown, levels, width, max(height, MIN_HEIGHT)), *legend)


def height_of(block: Plot, width: int, height: int = HEIGHT) -> int:
    """How many lines `draw` gives, without drawing."""
    shown = shown_of(block)
    if levels_of(shown, block) is None or width < MIN_WIDTH:
        return 0
    return max(height, MIN_HEIGHT) + len(_wrapped(list(_legend(block, shown)), width))


def numbers(block: Plot) -> list[str]:
    """What the drawing shows, in words: each series' course, then limits and marks."""
    lines = []
    for series in block.series:
        known = [point for point in finite(series) if point.y is not None]
        if not known:
            lines.append(f"{one_line(series.label) or 'series'}: no values")
            continue
        ys = [point.y for point in known if point.y is not None]
        first, last, low, high = (y_words(block, y) for y in (ys[0], ys[-1], min(ys), max(ys)))
        ends = dict.fromkeys((x_words(block, known[0].x), x_words(block, known[-1].x)))
        span = " to ".join(ends)
        told = f"lowest {low}, highest {high}" if len(ys) > 1 else first
        told = f"{first} to {last}, {told}" if len(ys) > 1 and series.kind != "points" else told
        points = human.plural(len(ys), "point")
        lines.append(f"{one_line(series.label) or 'series'}: {told} ({points}, {span})")
        end = known[-1]
        if end.low is not None and end.high is not None:
            lines.append(f"  range at the end {y_words(block, end.low)} to {y_words(block, end.high)}")
    lines += [f"limit {y_words(block, y)}: {one_line(words)}" for y, words in block.limits]
    lines += [f"mark {x_words(block, x)}: {one_line(words)}" for x, words in block.marks]
    return lines


def thin(points: Sequence[Point], columns: int) -> list[Point]:
    """At most two points per column, its lowest and its highest, in their order: no peak is lost."""
    if len(points) <= 2 * columns:
        return list(points)
    kept: list[Point] = []
    size = len(points)
    for number in range(columns):
        part = points[number * size // columns : (number + 1) * size // columns]
        known = [point for point in part if point.y is not None]
        if not known:
            kept.append(part[0])
            continue
        low, high = min(known, key=_height), max(known, key=_height)
        kept += [low] if low is high else sorted((low, high), key=lambda point: point.x)
    return kept


def _height(point: Point) -> float:
    return point.y if point.y is not None else 0.0


def _canvas(
    block: Plot, shown: Sequence[list[Point]], levels: tuple[float, float, float, float], width: int, height: int
) -> Iterator[str]:
    left, right, low, high = levels
    ticks = _y_ticks(block, low, high, height)
    labels = [y_words(block, value, high) for value in ticks]
    columns = max(width - max(cells(label) for label in labels) - 2, 8)
    with _drawing:
        import plotext

        plotext.clear_figure()
        plotext.theme("clear")
        plotext.limit_size(False, False)
        plotext.plot_size(width, height)
        plotext.xlim(left, right)
        plotext.ylim(low, high)
        _draw_areas(plotext, block, stack(block, shown), columns)
        for points in shown:
            _draw_band(plotext, points, levels, columns, height)
        for y, _ in block.limits:
            if math.isfinite(y):
                plotext.hline(y)
        for x, _ in block.marks:
            if left <= across(block, x) <= right:
                plotext.vline(across(block, x))
        lines = 0
        for series, points in zip(block.series, shown, strict=True):
            if series.kind != "area":
                _draw_series(plotext, series, points, _marker(series, lines), columns)
                lines += series.kind != "points"
        plotext.yticks(ticks, labels)
        xs = x_ticks(block, left, right, max(2, min(5, columns // 18)))
        plotext.xticks([x for x, _ in xs], [words for _, words in xs])
        text = _CODES.sub("", plotext.build())
        plotext.clear_figure()
    for line in text.splitlines():
        yield line.rstrip()


def _draw_areas(plotext: ModuleType, block: Plot, stacked: dict[int, list[Point]], columns: int) -> None:
    """From the top of the stack downwards, so that each lower area covers what is not the upper one's."""
    for place, number in reversed(list(enumerate(stacked))):
        points = thin(stacked[number], columns)
        xs, ys = [p.x for p in points], [p.y or 0.0 for p in points]
        plotext.plot(xs, ys, marker=AREAS[place % len(AREAS)], fillx=True)


def _draw_band(
    plotext: ModuleType, points: Sequence[Point], levels: tuple[float, float, float, float], columns: int, height: int
) -> None:
    """The space between `low` and `high`, column by column."""
    known = [(p.x, p.low, p.high) for p in points if p.low is not None and p.high is not None]
    left, right, bottom, top = levels
    if not known:
        return
    step = (top - bottom) / max(height - 4, 1)
    xs: list[float] = []
    ys: list[float] = []
    for column in range(columns + 1):
        x = left + (right - left) * column / columns
        edges = _between(known, x)
        if edges is not None:
            count = max(int((edges[1] - edges[0]) / step), 0)
            xs += [x] * (count + 2)
            ys += [min(edges[0] + step * n, edges[1]) for n in range(count + 1)] + [edges[1]]
    plotext.scatter(xs, ys, marker=BAND)


def _between(known: Sequence[tuple[float, float, float]], x: float) -> tuple[float, float] | None:
    """Both edges of a band at `x`, on straight lines between its points."""
    for (x0, low0, high0), (x1, low1, high1) in itertools.pairwise(known):
        if x0 <= x <= x1:
            share = (x - x0) / (x1 - x0) if x1 > x0 else 0.0
            return low0 + (low1 - low0) * share, high0 + (high1 - high0) * share
    return (known[0][1], known[0][2]) if len(known) == 1 and known[0][0] == x else None


def _draw_series(plotext: ModuleType, series: Series, points: Sequence[Point], marker: str, columns: int) -> None:
    if series.kind == "points":
        known = [(p.x, p.y) for p in points if p.y is not None]
        plotext.scatter([x for x, _ in known], [y for _, y in known], marker=marker)
        return
    for part in unbroken(thin(points, columns)):
        pairs = corners(part) if series.kind == "steps" else part
        stroke = plotext.plot if len(pairs) > 1 else plotext.scatter
        stroke([x for x, _ in pairs], [y for _, y in pairs], marker=marker)


def _marker(series: Series, number: int) -> str:
    if series.glyph and cells(series.glyph) == 1 and len(series.glyph) == 1:
        return series.glyph
    if series.kind == "points":
        return GLYPHS[series.state] if series.state != "info" else "●"
    return LINES[number % len(LINES)]


def _legend(block: Plot, shown: Sequence[list[Point]]) -> Iterator[str]:
    """What each mark on the canvas means."""
    if block.y_title or block.x_title:
        yield " over ".join(one_line(words) for words in (block.y_title, block.x_title) if words)
    lines = areas = 0
    for series, points in zip(block.series, shown, strict=True):
        if series.kind == "area":
            glyph = AREAS[areas % len(AREAS)]
            areas += 1
        else:
            glyph = _marker(series, lines)
            lines += series.kind != "points"
        if points and (series.label or len(block.series) > 1):
            yield f"{'▄▀' if glyph == 'hd' else glyph} {one_line(series.label)}"
    if any(point.low is not None and point.high is not None for points in shown for point in points):
        yield f"{BAND} range"
    for y, words in block.limits:
        yield f"{LIMIT} {y_words(block, y)} {one_line(words)}"
    for x, words in block.marks:
        yield f"{MARK} {x_words(block, x)} {one_line(words)}"


def _wrapped(parts: Sequence[str], width: int) -> list[str]:
    """Legend entries in lines; one that is too long is cropped."""
    lines: list[str] = []
    for part in parts:
        part = draw_text.crop(part, width - 2)
        if lines and cells(lines[-1]) + 3 + cells(part) <= width:
            lines[-1] += f"   {part}"
        else:
            lines.append(f"  {part}")
    return lines


def _y_ticks(block: Plot, low: float, high: float, height: int) -> list[float]:
    """Both ends, the limits, and what fits between."""
    rows = max(height - 3, 2)
    fixed = [low, high, *(y for y, _ in block.limits if low <= y <= high)]
    wanted = [low + (high - low) * n / 4 for n in range(1, 4)] if rows >= 8 else [(low + high) / 2]
    if not block.y_unit and high - low >= 4:
        wanted = [float(round(value)) for value in wanted]  # there is no half an item
    apart = 1.6 * (high - low) / rows
    ticks: list[float] = []
    for value in [*fixed[2:], *fixed[:2], *wanted]:
        if all(abs(value - other) >= apart for other in ticks):
            ticks.append(value)
    return sorted(ticks)
