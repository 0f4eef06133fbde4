"""A `Plot` block as an SVG picture for packs: the same points, levels and words as the drawing in characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from xml.sax.saxutils import escape

from aether_tui.report_model import Plot, Point, Series, State
from aether_tui.reports.axes import across, corners, levels_of, shown_of, stack, unbroken, x_ticks, x_words, y_words
from aether_tui.text import one_line

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 86, 16, 14, 30
LEGEND = 18
"""Height of a line of the legend."""
COLOURS = ("#1f6f9f", "#b35c00", "#4d7f3a", "#7a4fa3", "#a33b52", "#5d6570")
STATES: dict[State, str] = {"block": "#c0392b", "warn": "#b7791f", "pass": "#2f855a"}
INK, FAINT = "#2b2f33", "#d5d9dd"


def render(block: Plot) -> str:
    """The picture with axes, limits, marks and legend; an empty string when no point can be drawn."""
    shown = shown_of(block)
    levels = levels_of(shown, block)
    if levels is None:
        return ""
    keys = list(_keys(block, shown))
    height = HEIGHT + LEGEND * len(keys)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" font-family="system-ui, sans-serif" font-size="12" fill="{INK}">',
            f"<title>{_words(block.title)}</title>",
            f"<desc>{_words(block.text)}</desc>",
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *_axes(block, levels),
            *_Canvas(levels).lines(block, shown),
            *(_key(number, *key) for number, key in enumerate(keys)),
            "</svg>\n",
        ]
    )


class _Canvas:
    """From values to places on the picture."""

    def __init__(self, levels: tuple[float, float, float, float]) -> None:
        self._left, self._right, self._low, self._high = levels

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self._left) / (self._right - self._left)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self._low) / (self._high - self._low)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def lines(self, block: Plot, shown: Sequence[list[Point]]) -> Iterator[str]:
        colours = list(_colours(block.series))
        for number, points in reversed(list(stack(block, shown).items())):
            edge = [(p.x, p.y or 0.0) for p in points]
            if edge:
                floor = [(edge[-1][0], 0.0), (edge[0][0], 0.0)]
                yield f'<polygon points="{self.path([*edge, *floor])}" fill="{colours[number]}"/>'
        for points, colour in zip(shown, colours, strict=True):
            known = [(p.x, p.low, p.high) for p in points if p.low is not None and p.high is not None]
            if len(known) > 1:
                band = [(x, low) for x, low, _ in known] + [(x, high) for x, _, high in reversed(known)]
                yield f'<polygon points="{self.path(band)}" fill="{colour}" opacity="0.18"/>'
            elif known:
                yield self._stroke(
                    ((known[0][0], known[0][1]), (known[0][0], known[0][2])), colour, 4, ' opacity="0.3"'
                )
        for y, _ in block.limits:
            if isfinite(y):
                yield self._stroke(((self._left, y), (self._right, y)), INK, 1, ' stroke-dasharray="6 4"')
        for x, _ in block.marks:
            if self._left <= (at := across(block, x)) <= self._right:
                yield self._stroke(((at, self._low), (at, self._high)), INK, 1, ' stroke-dasharray="2 3"')
        for series, points, colour in zip(block.series, shown, colours, strict=True):
            yield from self._series(series, points, colour)

    def _series(self, series: Series, points: Sequence[Point], colour: str) -> Iterator[str]:
        if series.kind == "points":
            for point in points:
                if point.y is not None:
                    words = f"<title>{_words(point.label or point.id)}</title>"
                    yield f'<circle cx="{self.x(point.x):.1f}" cy="{self.y(point.y):.1f}" r="3.5" fill="{colour}">{words}</circle>'
        elif series.kind != "area":
            for run in unbroken(points):
                pairs = corners(run) if series.kind == "steps" else run
                if len(pairs) == 1:
                    (x, y) = pairs[0]
                    yield f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="2.5" fill="{colour}"/>'
                else:
                    yield self._stroke(pairs, colour, 1.8)

    def _stroke(self, pairs: Sequence[tuple[float, float]], colour: str, width: float, more: str = "") -> str:
        return f'<polyline points="{self.path(pairs)}" fill="none" stroke="{colour}" stroke-width="{width}"{more}/>'


def _axes(block: Plot, levels: tuple[float, float, float, float]) -> Iterator[str]:
    left, right, low, high = levels
    canvas = _Canvas(levels)
    for number in range(5):
        value = low + (high - low) * number / 4
        y = canvas.y(value)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_words(y_words(block, value, high))}</text>'
    for value, words in x_ticks(block, left, right, 5):
        x = canvas.x(value)
        anchor = "start" if x < LEFT + 1 else "end" if x > WIDTH - RIGHT - 20 else "middle"
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="{anchor}">{_words(words)}</text>'


def _colours(every: Sequence[Series]) -> Iterator[str]:
    """A state's own colour, else the next one."""
    plain = 0
    for series in every:
        if series.state in STATES:
            yield STATES[series.state]
        else:
            yield COLOURS[plain % len(COLOURS)]
            plain += 1


def _keys(block: Plot, shown: Sequence[list[Point]]) -> Iterator[tuple[str, str]]:
    """What the legend says, and the colour before it; axes, limits and marks have none."""
    axes = " over ".join(words for words in (block.y_title, block.x_title) if words)
    if axes:
        yield axes, ""
    for series, points, colour in zip(block.series, shown, _colours(block.series), strict=True):
        if points and (series.label or len(block.series) > 1):
            ranged = any(point.low is not None and point.high is not None for point in points)
            yield series.label + (", with its range" if ranged else ""), colour
    for y, words in block.limits:
        yield f"dashed: {y_words(block, y)} {words}", ""
    for x, words in block.marks:
        yield f"dotted: {x_words(block, x)} {words}", ""


def _key(number: int, words: str, colour: str) -> str:
    y = HEIGHT + LEGEND * number + 6
    spot = f'<rect x="{LEFT}" y="{y - 9}" width="10" height="10" fill="{colour}"/>' if colour else ""
    return f'{spot}<text x="{LEFT + 16}" y="{y}">{_words(words)}</text>'


def _words(text: str) -> str:
    return escape(one_line(text, 160))
