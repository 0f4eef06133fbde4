"""A report as plain text, 80 columns wide, aligned, without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from aether_tui.human import rows
from aether_tui.report_model import (
    GLYPHS,
    Block,
    Boxes,
    Checklist,
    Facts,
    Finding,
    Gap,
    Plot,
    Prose,
    Report,
    SavedReport,
    Table,
    Trend,
)
from aether_tui.reports import boxes, draw, plots
from aether_tui.text import HARD, cells, plain, with_units

WIDTH = 80
MARKS = {"info": "i", "warn": "▲", "bad": "■"}


def render(report: Report[Struct] | SavedReport, width: int = WIDTH) -> str:
    """The whole report, ending in a new line."""
    lines = [*_head(report, width)]
    for finding in report.findings:
        lines += _finding(finding, width)
    for block in report.blocks:
        body = list(_block(block, width))
        if body:
            lines += ["", *body]
    if report.freshness:
        lines += ["", *_wrap(f"Data: {draw.fresh_line(report.freshness)}.", width)]
    return "\n".join(plain(line, 4000).rstrip() for line in lines) + "\n"


def _head(report: Report[Struct] | SavedReport, width: int) -> Iterator[str]:
    right = f"{report.window.label or 'window'}, as of {draw.stamp(report.as_of)}"
    title = _capitals(report.title)
    if cells(title) + 2 + cells(right) <= width:
        yield title + " " * (width - cells(title) - cells(right)) + right
    else:
        yield from _wrap(title, width)
        yield from _wrap(right, width)
    yield "─" * width
    if report.looking:
        yield from _wrap(f"Looking at {report.looking}.", width)
    yield from _wrap(report.headline, width)


def _finding(finding: Finding, width: int) -> Iterator[str]:
    yield from _wrap(finding.text, width, f"{MARKS[finding.severity]} ", "  ")
    if finding.command:
        yield from _wrap(finding.command, width, "  → ", "    ")


def _block(block: Block, width: int) -> Iterator[str]:
    if block.title and not isinstance(block, Checklist):
        yield from _wrap(_capitals(block.title), width)
    match block:
        case Facts():
            yield from _facts(block, width)
        case Table():
            yield from _table(block, width)
        case Checklist():
            yield from _checklist(block, width)
        case Trend():
            yield from _wrap(draw.trend_line(block), width)
            yield from _wrap(block.note, width)
        case Plot():
            yield from _wrap(block.text, width)
            yield from plots.draw(block, width)
            yield from _wrap(block.note, width)
        case Boxes():
            drawn = boxes.draw(block, width).lines
            yield from drawn or _wrap(block.empty or "none", width, "· ", "  ")
            yield from _wrap(block.note, width)
        case Prose():
            yield from _wrap(block.text, width)
        case Gap():
            yield from _wrap(block.reason, width, "· ", "  ")
            if block.next_step:
                yield from _wrap(block.next_step, width, "  → ", "    ")


def _facts(block: Facts, width: int) -> Iterator[str]:
    labels = max((cells(fact.label) for fact in block.facts), default=0)
    values = max((cells(draw.fact_value(fact)) for fact in block.facts), default=0)
    for fact in block.facts:
        note = draw.fact_note(fact)
        if labels + values > width // 2:  # no room beside them: one below the other
            yield from _wrap(f"{fact.label}  {draw.fact_value(fact)}", width, f"{GLYPHS[fact.state]} ", "  ")
            yield from _wrap(note, width, "    ", "    ")
            continue
        head = f"{GLYPHS[fact.state]} {_pad(fact.label, labels)}  {_pad(draw.fact_value(fact), values, right=True)}  "
        yield from _wrap(note, width, head, " " * cells(head)) if note else [head]


def _table(block: Table, width: int) -> Iterator[str]:
    if not block.rows:
        yield from _wrap(block.empty or "none", width, "· ", "  ")
    else:
        yield from _grid(block, width)
    yield from _wrap(block.note, width)


def _grid(block: Table, width: int) -> Iterator[str]:
    beside = rows(block)
    texts = [draw.row(row, block.columns, beside(row)) for row in block.rows]
    kept, sizes = _fit(block, texts, width)
    yield from _line(block, [col.title for col in block.columns], kept, sizes)
    for row, line in zip(block.rows, texts, strict=True):
        yield from _line(block, line, kept, sizes)
        for part in row.detail.split("\n"):
            yield from _wrap(part, width, "    ", "    ")


def _line(block: Table, texts: Sequence[str], kept: Sequence[int], sizes: Sequence[int]) -> Iterator[str]:
    """One row of a table, on as many lines as its longest cell needs."""
    wrapped = [_cell_lines(texts[index], size) for index, size in zip(kept, sizes, strict=True)]
    for step in range(max(len(one) for one in wrapped)):
        yield "  ".join(
            _pad(one[step] if step < len(one) else "", size, right=draw.numeric(block.columns[index]))
            for one, index, size in zip(wrapped, kept, sizes, strict=True)
        )


def _fit(block: Table, texts: Sequence[Sequence[str]], width: int) -> tuple[tuple[int, ...], list[int]]:
    """Which columns are shown, and how wide: words are wrapped down to 16 cells before a column is dropped."""
    natural = [
        max([cells(col.title), *(cells(line[index]) for line in texts)]) for index, col in enumerate(block.columns)
    ]
    for count in range(len(block.columns), 0, -1):
        kept = draw.shown_columns(block, count)
        sizes = [natural[index] for index in kept]
        free = width - 2 * (len(kept) - 1)
        soft = [place for place, index in enumerate(kept) if block.columns[index].kind == "text"]
        while sum(sizes) > free:
            widest = max(soft, key=lambda place: sizes[place], default=None)
            if widest is None or sizes[widest] <= 16:
                break
            sizes[widest] -= 1
        if sum(sizes) <= free or count == 1:
            return kept, sizes
    return (), []


def _checklist(block: Checklist, width: int) -> Iterator[str]:
    yield from _wrap(f"{_capitals(block.title)}  {draw.state(block.state)}", width)
    yield from _wrap(block.locked, width, "  locked: ", "  ")
    for item in block.items:
        said = f" — {item.evidence}" if item.evidence else ""
        yield from _wrap(f"{item.text}{said}", width, f"  {GLYPHS[item.state]} ", "    ")
        if item.next_step:
            yield from _wrap(item.next_step, width, "    → ", "      ")
    yield from _wrap(block.note, width, "  ", "  ")


def _capitals(title: str) -> str:
    """A title in capitals; words with digits are ids or times, and stay as they are."""
    return " ".join(word if any(map(str.isdigit, word)) else word.upper() for word in title.split(" "))


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most `width` cells, broken between words, a number and its unit being one; nothing for no text."""
    lines: list[str] = []
    line, empty = first, True
    whole = with_units(" ".join(text.split()))
    for word in whole.split(" ") if whole else ():
        if not empty and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line, empty = rest, True
        line += word if empty else f" {word}"
        empty = False
    return [one.replace(HARD, " ") for one in ([*lines, line] if not empty else lines)]


def _cell_lines(text: str, size: int) -> list[str]:
    """A table cell on as many lines as it needs; a word that is too long is cut into pieces."""
    pieces = []
    for word in text.split():
        while cells(word) > size > 0:
            cut = len(word)
            while cut > 1 and cells(word[:cut]) > size:
                cut -= 1
            pieces.append(word[:cut])
            word = word[cut:]
        pieces.append(word)
    return _wrap(" ".join(piece for piece in pieces if piece), size) or [""]


def _pad(text: str, size: int, *, right: bool = False) -> str:
    space = " " * max(0, size - cells(text))
    return space + text if right else text + space
