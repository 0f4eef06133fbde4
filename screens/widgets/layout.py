"""A report as one tall page of lines: blocks in order, narrow neighbours side by side when there is room."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from aether_tui.report_model import (
    Block,
    Boxes,
    Checklist,
    Facts,
    Gap,
    Plot,
    Prose,
    SavedReport,
    Table,
    Trend,
    opened,
)
from screens.widgets import drawings, parts
from screens.widgets.named import named
from screens.widgets.parts import Item, Lines, Part
from screens.widgets.spans import Line, fit, width_of, wrap
from screens.widgets.table import WRAP_LINES, Sort, facts, table

GUTTER = 2
"""Cells before every column of parts, where the cursor stands."""
BESIDE = 3
"""Most columns of parts."""


@dataclass(frozen=True, slots=True)
class View:
    """How somebody looks at a report: filter, orders, what is open, words instead of drawings, the marked field."""

    keep: str = ""
    sorts: tuple[tuple[str, Sort], ...] = ()
    open_id: str = ""
    open_as: Literal["detail", "why"] = "detail"
    words: bool = False
    mark: str = ""
    low: bool = False
    """Few lines: drawings are lower."""
    lead: int = 0
    """How many blocks come before the findings."""
    first: str = ""
    """The block the cursor begins in."""

    def sort_of(self, block: str) -> Sort | None:
        """The order of a table, when somebody chose one."""
        return dict(self.sorts).get(block)


@dataclass(frozen=True, slots=True)
class Placed:
    """A part on the page: where it begins, how wide it is."""

    part: Part
    x: int
    y: int
    width: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A place the cursor can stand: an item and where it is."""

    item: Item
    y: int
    x: int
    width: int


@dataclass(slots=True)
class Layout:
    """A page of `height` lines. Rows of parts never overlap, so a line is found by bisection."""

    width: int
    rows: list[list[Placed]] = field(default_factory=list)
    tops: list[int] = field(default_factory=list)
    height: int = 0
    stops: list[Stop] = field(default_factory=list)

    def line(self, y: int, selected: Stop | None) -> Line:
        """Line `y`, `width` cells wide."""
        row = self._row(y)
        spans: Line = ()
        x = 0
        for placed in row:
            if placed.x + GUTTER > x:
                spans = (*spans, (" " * (placed.x + GUTTER - x), "text"))
            chosen = selected.item if selected and placed.x <= selected.x < placed.x + placed.width else None
            inner = placed.part.line(y - placed.y, chosen) if y - placed.y < placed.part.height else ()
            spans = (*spans, *fit(inner, placed.width))
            x = placed.x + GUTTER + placed.width
        return fit(spans, self.width)

    def head(self, y: int) -> Line | None:
        """The table header that belongs above line `y`, when it has scrolled out of sight; none over the last row."""
        row = self._row(y)
        if len(row) != 1 or y == row[0].y + row[0].part.height - 1:
            return None
        head = row[0].part.head(y - row[0].y)
        return None if head is None else fit(((" " * GUTTER, "text"), *head), self.width)

    def _row(self, y: int) -> list[Placed]:
        index = bisect_right(self.tops, y) - 1
        if index < 0 or y >= self.tops[index] + max(p.part.height for p in self.rows[index]):
            return []
        return self.rows[index]

    def add(self, row: Sequence[Placed]) -> None:
        """A row of parts under what is there."""
        self.rows.append(list(row))
        self.tops.append(self.height)
        for placed in row:
            self.stops += [
                Stop(item, placed.y + y, placed.x + item.x, item.width or placed.width) for y, item in placed.part.items
            ]
        self.height += max(placed.part.height for placed in row)


def lay_out(report: SavedReport, view: View, width: int) -> Layout:
    """The page of a report for a width in cells."""
    layout = Layout(width)
    keep = view.keep.casefold()
    room = width - GUTTER - 1
    lead = parts.headline(report.headline, room) if report.headline else Lines()
    found = [f for f in report.findings if keep in f.text.casefold()]
    groups: list[list[Part]] = [[lead]] if lead.height else []
    groups += drawn(report.blocks[: view.lead], view, room)
    if found:
        groups.append([parts.findings(found, room, partial(named, report))])
    groups += drawn(report.blocks[view.lead :], view, room)
    if keep and not any(part.items for group in groups for part in group):
        nothing = Lines()
        nothing.prose(f"Nothing here contains “{view.keep}”; esc shows all again.", room, "dim")
        groups.append([nothing])
    more = opened(report, view.open_id) if view.open_id and view.open_as == "detail" else ()
    return _placed(layout, groups, room, lambda part, share: _open(part, view, share, more))


def _placed(layout: Layout, groups: Sequence[Sequence[Part]], room: int, shown: Callable[[Part, int], Part]) -> Layout:
    """Groups of parts below each other, those of a group side by side."""
    for number, group in enumerate(groups):
        if number and not (isinstance(group[0], Lines) and group[0].tight):
            layout.height += 1
        share = (room - (len(group) - 1) * (GUTTER + 1)) // len(group)
        layout.add(
            [Placed(shown(p, share), i * (share + GUTTER + 1), layout.height, share) for i, p in enumerate(group)]
        )
    return layout


def beneath(blocks: Sequence[Block], view: View, width: int) -> Layout:
    """Blocks that open under a row: nothing in them can be selected."""
    quiet = View(words=view.words, low=view.low)
    return _placed(
        Layout(width), list(drawn(blocks, quiet, width - GUTTER - 1)), width - GUTTER - 1, lambda part, _: part
    )


def drawn(blocks: Sequence[Block], view: View, room: int) -> Iterator[list[Part]]:
    """Rows of parts of these blocks; what the filter leaves nothing of is left out."""
    for row in neighbours(blocks, view, room):
        share = (room - (len(row) - 1) * (GUTTER + 1)) // len(row)
        peers = [block for block in blocks if isinstance(block, Table)]
        group = [part for block in row if (part := part_of(block, view, share, peers)) is not None]
        if group:
            yield group


def neighbours(blocks: Sequence[Block], view: View, room: int) -> Iterator[list[Block]]:
    """Blocks in rows: tables, trends and checklists that fit side by side share one."""
    row: list[Block] = []
    for block in blocks:
        if row and not _fits([*row, block], view, room):
            yield row
            row = []
        row.append(block)
    if row:
        yield row


def _fits(row: Sequence[Block], view: View, room: int) -> bool:
    if view.words or len(row) > BESIDE or (not view.keep and _too_unlike(row)):
        return False
    share = (room - (len(row) - 1) * (GUTTER + 1)) // len(row)
    heights = []
    for block in row:
        if not isinstance(block, Table | Facts | Trend):
            return False
        part = part_of(block, view, share)
        if part is None or _natural(part, block) > share:
            return False
        heights.append(part.height)
    return min(heights) * 4 >= max(heights)


def _too_unlike(row: Sequence[Block]) -> bool:
    """Whether a long table would stand beside something short, without drawing either."""
    rows = [len(b.rows) if isinstance(b, Table) else len(b.facts) if isinstance(b, Facts) else 0 for b in row]
    return max(rows) > 4 * (WRAP_LINES * min(rows) + 40)


def _natural(part: Part, block: Table | Facts | Trend) -> int:
    heading = width_of(parts.title(block.title))
    return max(heading, 36 if isinstance(block, Trend) else part.natural)


def part_of(block: Block, view: View, width: int, peers: Sequence[Table] = ()) -> Part | None:
    """The part of a block, or None when the filter leaves nothing of it. Tables with the same columns align with `peers`."""
    keep = view.keep.casefold()
    part: Part
    match block:
        case Facts():
            part = facts(block, width, keep=keep, words=view.words)
        case Table():
            part = table(
                block, width, keep=keep, sort=view.sort_of(block.id), words=view.words, mark=view.mark, peers=peers
            )
        case Checklist():
            part = parts.checklist(block, width, keep)
        case Trend():
            part = parts.trend(block, width, view.words)
        case Plot():
            part = drawings.plot(block, width, words=view.words, low=view.low)
        case Boxes():
            part = drawings.boxes(block, width, words=view.words, keep=keep)
        case Prose():
            part = parts.prose(block, width)
        case Gap():
            part = parts.gap(block, width)
    if keep and not part.items:
        return None
    return part if part.height else None


@dataclass(frozen=True, slots=True)
class Opened:
    """A part with the detail of one item shown under it."""

    part: Part
    after: int
    more: Sequence[Line] | Layout

    @property
    def _more(self) -> int:
        return self.more.height if isinstance(self.more, Layout) else len(self.more)

    @property
    def height(self) -> int:
        return self.part.height + self._more

    @property
    def natural(self) -> int:
        return self.part.natural

    @property
    def items(self) -> Sequence[tuple[int, Item]]:
        return [(y if y <= self.after else y + self._more, item) for y, item in self.part.items]

    def line(self, y: int, selected: Item | None) -> Line:
        inner = y - self.after - 1
        if 0 <= inner < self._more:
            return (
                (("  │ ", "accent"), *self.more.line(inner, None)[1:])
                if isinstance(self.more, Layout)
                else self.more[inner]
            )
        return self.part.line(y if y <= self.after else y - self._more, selected)

    def head(self, y: int) -> Line | None:
        return self.part.head(y)


def _open(part: Part, view: View, width: int, more: Sequence[Block] = ()) -> Part:
    """The part with its open item's lines, when it holds it; `more` are blocks that open instead of its texts."""
    if not view.open_id:
        return part
    for number, (_, item) in enumerate(part.items):
        if item.id == view.open_id:
            last = part.items[number + 1][0] - 1 if number + 1 < len(part.items) else part.height - 1
            told = item.whole()
            if more:
                cut = (Prose(id="cut", text="\n".join(told.cut)),) if told.cut else ()
                return Opened(part, last, beneath((*cut, *more), view, max(width - 2, 8)))
            texts = (told.detail if view.open_as == "detail" else told.why) or ("nothing more is recorded about this",)
            lines = [line for text in texts for line in wrap(text, max(width - 4, 8))]
            return Opened(part, last, tuple((("  │ ", "accent"), (line, "dim")) for line in lines))
    return part
