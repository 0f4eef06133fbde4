"""A report as CommonMark with tables: everything that is not ours is escaped, and the same report gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from aether_tui.human import quantity, rows
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
    Row,
    SavedReport,
    Table,
    Trend,
)
from aether_tui.reports import boxes, draw, plots
from aether_tui.text import one_line

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&@])")
_SCHEME = re.compile(r"\b(https?|ftp|mailto|xmpp)(:)", re.I)
_WWW = re.compile(r"\b(www)(\.)", re.I)
_START = re.compile(r"^([-+=#]|\d+(?=[.)]))")
DRAWING = 76
"""Cells of a drawing."""
WORDS = {"info": "Note", "warn": "▲ Warning", "bad": "■ Problem"}


def escape(text: str, limit: int = 2000) -> str:
    """One line of any text as Markdown that shows exactly that text: no markup, HTML, entity, link or image survives, and
    no renderer turns an address into a link."""
    return _START.sub(_quiet, _cell(text, limit))


def _cell(text: str, limit: int = 500, *, keep: bool = False) -> str:
    """The same within a line, where a leading dash or number means nothing; `keep` keeps a space at either end."""
    ends = (" " * text.startswith(" "), " " * text.endswith(" ")) if keep else ("", "")
    line = ends[0] + _SPECIAL.sub(r"\\\1", one_line(text, limit)) + (ends[1] if text.strip() else "")
    return _WWW.sub(r"\1&#46;", _SCHEME.sub(r"\1&#58;", line))


def _quiet(match: re.Match[str]) -> str:
    return f"{match[1]}\\" if match[1].isdigit() else f"\\{match[1]}"


def code(text: str) -> str:
    """A command as code; the fence is longer than any run of backticks in it."""
    line = one_line(text, 2000)
    fence = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def render(report: Report[Struct] | SavedReport, level: int = 1, charts: Mapping[str, str] | None = None) -> str:
    """The whole report, ending in a new line; headings start at `level`.

    `charts` names the picture of a plot by the plot's id; without one it is drawn in characters.
    """
    return "\n".join(_lines(report, level, charts or {})).rstrip() + "\n"


def _lines(report: Report[Struct] | SavedReport, level: int, charts: Mapping[str, str]) -> Iterator[str]:
    window = report.window
    yield f"{'#' * level} {escape(report.title)}"
    yield ""
    if report.headline:
        yield f"**{escape(report.headline)}**"
        yield ""
    looking = f"; {escape(report.looking)}" if report.looking else ""
    span = f"{escape(window.label or 'window')}: {draw.stamp(window.start)} to {draw.stamp(window.end)}"
    yield f"*{span}; as of {draw.stamp(report.as_of)}{looking}*"
    yield ""
    for finding in report.findings:
        yield _finding(finding)
    if report.findings:
        yield ""
    for block in report.blocks:
        if isinstance(block, Plot) and block.id in charts:
            yield from _pictured(block, level + 1, charts[block.id])
        else:
            yield from _block(block, level + 1)
    if report.freshness:
        yield f"*Data: {escape(draw.fresh_line(report.freshness))}.*"


def _finding(finding: Finding) -> str:
    action = f" → {code(finding.command)}" if finding.command else ""
    return f"- **{WORDS[finding.severity]}:** {_said(finding.text)}{action}"


def _block(block: Block, level: int) -> Iterator[str]:
    if isinstance(block, Checklist):
        yield from _checklist(block, level)
        return
    if block.title:
        yield f"{'#' * level} {escape(block.title)}"
        yield ""
    match block:
        case Facts():
            yield from _facts(block)
        case Table():
            yield from _table(block)
        case Trend():
            yield escape(draw.trend_line(block))
            if block.note:
                yield ""
                yield _said(block.note)
        case Plot():
            yield from _drawn(escape(block.text), plots.draw(block, DRAWING), block.note)
        case Boxes():
            lines = boxes.draw(block, DRAWING).lines
            yield from _drawn("" if lines else escape(block.empty or "none"), lines, block.note)
        case Prose():
            yield _said(block.text, 20_000)
        case Gap():
            yield _said(block.reason) + (f" → {code(block.next_step)}" if block.next_step else "")
    yield ""


def _pictured(block: Plot, level: int, picture: str) -> Iterator[str]:
    """Words, a picture, and a note."""
    title = escape(block.title)
    for paragraph in (f"{'#' * level} {title}", escape(block.text), f"![{title}]({picture})", _said(block.note)):
        if paragraph:
            yield from (paragraph, "")


def _drawn(words: str, lines: Sequence[str], note: str) -> Iterator[str]:
    """Words, a drawing as a code block, and a note."""
    yield words
    if lines:
        fence = "`" * max(3, *(len(run) + 1 for line in lines for run in re.findall(r"`+", line) or ("",)))
        yield from (*([""] if words else []), f"{fence}text", *lines, fence)
    if note:
        yield ""
        yield _said(note)


def _facts(block: Facts) -> Iterator[str]:
    yield "| figure | value | change | evidence |"
    yield "| --- | ---: | ---: | --- |"
    for fact in block.facts:
        label = f"{GLYPHS[fact.state]} {fact.label}" if fact.state != "info" else fact.label
        row = (label, quantity(fact.value), draw.change(fact), draw.fact_note(fact))
        yield f"| {' | '.join(_cell(text) or ' ' for text in row)} |"


def _table(block: Table) -> Iterator[str]:
    if not block.rows:
        yield escape(block.empty or "none")
    else:
        yield "| " + " | ".join(_cell(col.title) or " " for col in block.columns) + " |"
        yield "| " + " | ".join("---:" if draw.numeric(col) else "---" for col in block.columns) + " |"
        beside = rows(block)
        for row in block.rows:
            yield "| " + " | ".join(_cell(text) or " " for text in draw.row(row, block.columns, beside(row))) + " |"
        details = [row for row in block.rows if row.detail and not _told(row)]
        if details:
            yield ""
            for row in details:
                yield from _detail(f"- {escape(_named(block, row))}:", row.detail)
    if block.note:
        yield ""
        yield _said(block.note)


def _detail(name: str, detail: str) -> Iterator[str]:
    """One line behind the name; several as a list under it."""
    lines = [line for line in detail.split("\n") if line.strip()]
    if len(lines) == 1:
        yield f"{name} {_cell(lines[0], 2000)}"
        return
    yield name
    yield from (f"  - {escape(line)}" for line in lines)


def _said(text: str, limit: int = 2000) -> str:
    """A sentence of ours, whose commands in backticks are code."""
    parts = re.split(r"`(aether-tui [^`]*)`", text)
    told = "".join(code(part) if at % 2 else _cell(part, limit, keep=True) for at, part in enumerate(parts))
    return _START.sub(_quiet, told)


def _named(block: Table, row: Row) -> str:
    """What the table calls a row: its id where that is shown, else its first words."""
    said = [
        cell
        for cell, col in zip(row.cells, block.columns, strict=True)
        if isinstance(cell, str) and col.kind != "state"
    ]
    return row.id if row.id in said else next((cell for cell in said if cell), row.id)


def _told(row: Row) -> bool:
    """Whether a cell says the detail already; a narrow screen may have left that cell out, a page does not."""
    return any(isinstance(cell, str) and cell.strip("“”") == row.detail for cell in row.cells)


def _checklist(block: Checklist, level: int) -> Iterator[str]:
    state = f" — {draw.state(block.state)}" if block.state != "info" else ""
    yield f"{'#' * level} {escape(block.title)}{state}"
    yield ""
    if block.locked:
        yield f"Locked: {escape(block.locked)}"
        yield ""
    for item in block.items:
        said = f" — {escape(item.evidence)}" if item.evidence else ""
        todo = f" → {escape(item.next_step)}" if item.next_step else ""
        open_ = item.kind != "auto" and item.state == "no-data"
        state = f"{GLYPHS['no-data']} open" if open_ else draw.state(item.state)
        yield f"- {state}: {escape(item.text)}{said}{todo}"
    if block.note:
        yield ""
        yield _said(block.note)
    yield ""
