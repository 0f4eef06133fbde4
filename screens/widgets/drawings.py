"""Plots and boxes on the page: drawn by `aether_tui.reports`, coloured by what their characters mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from aether_tui import human
from aether_tui.report_model import GLYPHS, Box, Boxes, Plot
from aether_tui.reports import boxes as box_lines
from aether_tui.reports import plots
from screens.widgets.parts import Item, Lines, heading, title
from screens.widgets.spans import ROLE_OF, Line, Role, Span, clean, fit, wrap

LOW_ROWS, ROWS = 7, 12
"""Lines of a canvas on a low screen, and on others."""
NAMED = 12
"""Most points named when a plot is opened."""

_FRAME = "─│┌┐└┘├┤┬┴┼►"
_ROLES: dict[str, Role] = {glyph: ROLE_OF[state] for state, glyph in GLYPHS.items() if glyph in "✓▲■"}
_ROLES |= {"•": "text", "∘": "text", "░": "dim"}  # the second line beside the first, and behind both its band
_RUNS = re.compile(rf"[{_FRAME}]+|✓+|▲+|■+|[•∘]+|░+|[^{_FRAME}✓▲■•∘░]+")


class PlotPart:
    """A plot: its canvas is drawn when a line of it is seen, and by words until what draws has been loaded."""

    def __init__(self, block: Plot, width: int, rows: int) -> None:
        self._block = block
        self._width = width
        self._rows = rows
        self._inner = plots.height_of(block, width, rows)
        self._words = _quiet(block.text, width)
        self._note = _quiet(block.note, width)
        self._title = title(block.title)
        self._canvas: Sequence[Line] = ()
        self.items: list[tuple[int, Item]] = [(0, replace(_plot_item(block), height=self.height))]
        self.natural = width

    @property
    def height(self) -> int:
        return 1 + (self._inner or len(self._words)) + len(self._note)

    def line(self, y: int, selected: Item | None) -> Line:
        if y == 0:
            return self._title
        canvas = self._drawn() if self._inner else self._words
        inner = self._inner or len(self._words)
        if y <= inner:
            return canvas[y - 1] if y <= len(canvas) else ()
        return self._note[y - 1 - inner]

    def head(self, y: int) -> Line | None:
        return None

    def _drawn(self) -> Sequence[Line]:
        if not self._canvas and plots.ready():
            self._canvas = [_coloured(line, "accent") for line in plots.draw(self._block, self._width, self._rows)]
        return self._canvas or self._words


def plot(block: Plot, width: int, *, words: bool, low: bool) -> PlotPart | Lines:
    """A plot, or the same in words."""
    if not words:
        return PlotPart(block, width, LOW_ROWS if low else ROWS)
    part = Lines()
    part.add(title(block.title), _plot_item(block))
    for line in (block.text, *plots.numbers(block), *([block.note] if block.note else [])):
        part.prose(line, width, indent="  " if line.startswith("  ") else "")
    return part


def boxes(block: Boxes, width: int, *, words: bool, keep: str) -> Lines:
    """Boxes, each of which can be selected, or the same in words."""
    part = Lines()
    if block.title or block.note:
        part.lines += heading(block.title, width, note=block.note)
    found = [box for row in block.rows for box in row if keep in " ".join((box.title, *box.lines)).casefold()]
    if not found:
        for line in wrap(block.empty or "nothing to show", width):
            part.add(((line, "dim"),))
        return part
    if words:
        items = iter([_box_item(block, box) for row in block.rows for box in row])
        for line in box_lines.words(block):
            arrow = line.startswith("  ")
            item = None if arrow else next(items, None)
            for number, piece in enumerate(wrap(line.strip(), width - 2)):
                part.add(
                    (("  " if arrow or number else "", "text"), (piece, "dim" if arrow else "text")),
                    None if number else item,
                )
        return part
    drawing = box_lines.draw(block, width)
    top = part.height
    titles = {spot.y for spot in drawing.spots}
    for y, line in enumerate(drawing.lines):
        part.add(fit(_coloured(line, "strong" if y in titles else "text"), width))
    for spot in drawing.spots:
        if spot.box in found:
            part.items.append((top + spot.y, _box_item(block, spot.box, spot.x + 2, spot.width - 2, 3)))
    return part


def _plot_item(block: Plot) -> Item:
    named = [
        f"{clean(point.label or point.id)}: {human.amount(point.y, block.y_unit)}"
        for series in block.series
        for point in series.points
        if (point.label or point.id) and point.y is not None
    ]
    more = [f"and {len(named) - NAMED} more"] if len(named) > NAMED else []
    told = [clean(block.text), *plots.numbers(block), *named[:NAMED], *more]
    why = tuple(clean(line) for line in block.why.split("\n") if line) or tuple(told[:1])
    return Item(block.id, block.id, f"{clean(block.title)}: {clean(block.text)}", detail=tuple(told), why=why)


def _box_item(block: Boxes, box: Box, x: int = 0, width: int = 0, height: int = 1) -> Item:
    detail = tuple(clean(line) for line in box.lines)
    why = (clean(box.why),) if box.why else ()
    return Item(
        block.id, box.id, ": ".join((clean(box.title), "; ".join(detail))), detail, why, x=x, width=width, height=height
    )


def _quiet(text: str, width: int) -> list[Line]:
    return [((line, "dim"),) for line in wrap(text, width)]


def _coloured(line: str, role: Role) -> Line:
    """Frames quiet, state glyphs by what they mean, everything else in `role`."""
    spans: list[Span] = []
    for run in _RUNS.findall(line):
        known: Role = "dim" if run[0] in _FRAME else _ROLES.get(run[0], role)
        spans.append((run, known))
    return tuple(spans)
