"""Drawings of `Boxes` blocks as plain lines, the same for every face: a canvas, or a stream with arrows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aether_tui.report_model import GLYPHS, Box, Boxes
from aether_tui.reports.draw import crop
from aether_tui.text import cells, one_line

MIN_BOX = 18
"""Cells of the narrowest box, frame included."""
GAP = 1
ARROW = 4
"""Cells of an arrow without words: ` ─► `."""
MAX_ARROW = 14


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a box stands: its title's line, its left edge, its width."""

    box: Box
    y: int
    x: int
    width: int


@dataclass(slots=True)
class Drawing:
    """Lines, and where the boxes are on them."""

    lines: list[str] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)


def draw(block: Boxes, width: int) -> Drawing:
    """The boxes in `width` cells: a row that is too wide goes on in the next line, after its arrow."""
    drawing = Drawing()
    for row in block.rows:
        arrows = block.arrows if block.arrows is not None and len(block.rows) == 1 else None
        if row:
            _row(drawing, row, arrows, width)
    return drawing


def words(block: Boxes) -> list[str]:
    """The boxes as sentences, in order, with what is on the arrows between them."""
    lines = []
    for row in block.rows:
        for number, box in enumerate(row):
            told = f": {'; '.join(one_line(line) for line in box.lines)}" if box.lines else ""
            lines.append(f"{_title(box)}{told}")
            if block.arrows is not None and len(block.rows) == 1 and number + 1 < len(row):
                lines.append(f"  → {_arrow(block.arrows, number)}".rstrip())
    return lines


def _row(drawing: Drawing, row: Sequence[Box], arrows: Sequence[str] | None, width: int) -> None:
    """One row of the block, on as many lines of boxes as it needs."""
    between = [_arrow_width(_arrow(arrows, n)) if arrows is not None else GAP for n in range(len(row))]
    if arrows is None:
        count = max(1, min(len(row), (width + GAP) // (MIN_BOX + GAP)))
        sizes = [(width - GAP * (count - 1)) // count] * len(row)
    else:
        sizes = [min(_natural(box), width - MAX_ARROW) for box in row]
    start = 0
    while start < len(row):
        end, used = start + 1, sizes[start]
        lead = 3 if start and arrows is not None else 0
        tail = 3 if arrows is not None else 0
        while end < len(row) and lead + used + between[end - 1] + sizes[end] + tail <= width:
            used += between[end - 1] + sizes[end]
            end += 1
        part = slice(start, end)
        _group(
            drawing, row[part], sizes[part], between[part], arrows[start:end] if arrows is not None else None,
            go_on=arrows is not None and end < len(row), continued=bool(lead),
        )  # fmt: skip
        start = end


def _group(
    drawing: Drawing, row: Sequence[Box], sizes: Sequence[int], between: Sequence[int], arrows: Sequence[str] | None,
    *, go_on: bool, continued: bool,
) -> None:  # fmt: skip
    """Boxes side by side, equally high."""
    bodies = [list(_body(box, size - 4)) for box, size in zip(row, sizes, strict=True)]
    told = [list(_wrap(_arrow(arrows, n), between[n] - 2)) for n in range(len(row) - 1)] if arrows is not None else []
    height = max(map(len, (*bodies, *told)))
    top = len(drawing.lines)
    x = 3 if continued else 0
    columns: list[list[str]] = [_arrow_lines("", 3, height + 2)] if continued else []
    for number, (box, body, size) in enumerate(zip(row, bodies, sizes, strict=True)):
        drawing.spots.append(Spot(box, top, x, size))
        columns.append(_frame(box, body, size, height))
        x += size
        if number + 1 < len(row):
            gap = between[number]
            words = _arrow(arrows, number) if arrows is not None else None
            columns.append([" " * gap] * (height + 2) if words is None else _arrow_lines(words, gap, height + 2))
            x += gap
        elif go_on:
            columns.append([" ─►" if line == 1 else "   " for line in range(height + 2)])
    drawing.lines += ["".join(parts).rstrip() for parts in zip(*columns, strict=True)]
    if go_on and arrows is not None and (words := _arrow(arrows, len(row) - 1)):
        drawing.lines.append(f"   ─► {words}")


def _frame(box: Box, body: Sequence[str], size: int, height: int) -> list[str]:
    title = crop(_title(box), size - 5)
    lines = [f"┌─ {title} {'─' * (size - 5 - cells(title))}┐" if title else f"┌{'─' * (size - 2)}┐"]
    for n in range(height):
        text = body[n] if n < len(body) else ""
        lines.append(f"│ {text}{' ' * (size - 4 - cells(text))} │")
    return [*lines, f"└{'─' * (size - 2)}┘"]


def _arrow_lines(words: str, width: int, height: int) -> list[str]:
    """An arrow on the boxes' second line, its words under it."""
    told = list(_wrap(words, width - 2)) if words else []
    lines = [" " * width] * height
    lines[1] = f" {'─' * (width - 3)}► " if width > 3 else " ─►"[:width]
    for n, text in enumerate(told[: height - 2]):
        lines[2 + n] = f" {text}{' ' * (width - 1 - cells(text))}"
    return lines


def _arrow(arrows: Sequence[str] | None, number: int) -> str:
    return one_line(arrows[number], 60) if arrows is not None and number < len(arrows) else ""


def _arrow_width(words: str) -> int:
    longest = max((cells(word) for word in words.split()), default=0)
    whole = cells(words) if cells(words) <= MAX_ARROW - 4 else 0
    return min(max(longest + 2, whole + 2, ARROW), MAX_ARROW)


def _natural(box: Box) -> int:
    texts = [cells(one_line(line)) for line in box.lines]
    return max(MIN_BOX - 4, min(max([cells(_title(box)) + 5, *(size + 4 for size in texts)]), 36))


def _title(box: Box) -> str:
    glyph = f"{GLYPHS[box.state]} " if box.state is not None and box.state != "info" else ""
    return glyph + one_line(box.title)


def _body(box: Box, room: int) -> Iterator[str]:
    for line in box.lines:
        yield from _wrap(one_line(line, 500), room)


def _wrap(text: str, room: int) -> Iterator[str]:
    """Lines of at most `room` cells (one, where there is less); words that are too long are cut."""
    room, line = max(room, 1), ""
    for word in text.split():
        while cells(word) > room:
            cut = len(word)
            while cut > 1 and cells(word[:cut]) > room:
                cut -= 1
            if line:
                yield line
                line = ""
            yield word[:cut]
            word = word[cut:]
        if line and cells(line) + 1 + cells(word) > room:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        yield line
