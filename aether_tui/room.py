"""Room mode: what a report shows while somebody looks over your shoulder.

Other people's answers and other clients are what a report marks `private`; money is known by its unit, and by its shape in
sentences. The report itself, and every export of it, stays whole.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from aether_tui.report_model import (
    Block,
    Cell,
    Check,
    Col,
    Fact,
    Gap,
    Plot,
    Quantity,
    Row,
    SavedReport,
    Table,
    Trend,
    missing,
    opened,
)

HIDDEN = "•••"
WHY = "hidden in room mode"

_CURRENCY = r"(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|INR|CNY|BRL|SGD|HKD|ZAR|MXN|[€£¥])(?![A-Za-z])"
_MONEY = re.compile(
    r"(?:[$€£¥]\s?\d[\d,.]*(?:\s?[kKM]\b)?)"
    rf"|(?:(?<![\w.])\d[\d,.]*(?:\s?[kM])?(?:(?:,\s|\s?(?:to|of|–|-)\s?)\d[\d,.]*)*\s?{_CURRENCY})"
)
_TITLED = re.compile(rf"\b{_CURRENCY}")
"""A column's title that says its figures are money."""
_AS_IS = frozenset(
    {"id", "key", "kind", "state", "unit", "y_unit", "x_kind", "action", "report", "glyph", "severity", "better", "step",
     "connect", "currency", "source", "stream", "points"}
)  # fmt: skip
"""Fields that are names for the program, not words for people."""

AnyCell = Cell | tuple[float | None, ...]
S = TypeVar("S", bound=Struct)


def discreet(report: SavedReport, name: str = "") -> SavedReport:
    """The report without what is private: blocks, rows, columns and figures are left out, amounts and `name` masked."""
    words = re.compile(re.escape(name), re.I) if len(name) > 2 else None
    shown = _blocks(report.blocks, words)
    details = {item: msgspec.Raw(msgspec.json.encode(_blocks(opened(report, item), words))) for item in report.details}
    if len(shown) < len(report.blocks):
        left_out = len(report.blocks) - len(shown)
        what = "one part is" if left_out == 1 else f"{left_out} parts are"
        shown = (*shown, Gap(id="room", title="", reason=f"{what} {WHY}"))
    findings = tuple(_struct(finding, words) for finding in report.findings if not finding.private)
    title, headline = masked(report.title, words), masked(report.headline, words)
    return structs.replace(report, title=title, headline=headline, blocks=shown, findings=findings, details=details)


def _blocks(blocks: tuple[Block, ...], words: re.Pattern[str] | None) -> tuple[Block, ...]:
    return tuple(_struct(_columns(block), words) for block in blocks if not _hidden(block))


def masked(text: str, name: re.Pattern[str] | None = None) -> str:
    """A sentence without amounts of money, and without a name."""
    text = _MONEY.sub(HIDDEN, text)
    return name.sub(HIDDEN, text) if name is not None else text


def money(unit: str) -> bool:
    """Whether a unit is of money."""
    return unit.startswith(("USD", "money"))


def _hidden(block: object) -> bool:
    if getattr(block, "private", False):
        return True
    return (isinstance(block, Trend) and money(block.unit)) or (isinstance(block, Plot) and money(block.y_unit))


def _of_money(column: Col) -> bool:
    return column.private or money(column.unit) or _TITLED.search(column.title) is not None


def _columns(block: S) -> S:
    """A table without its private columns, and figures of money."""
    if not isinstance(block, Table):
        return block
    kept = [n for n, column in enumerate(block.columns) if not _of_money(column)]
    columns = tuple(block.columns[n] for n in kept)
    rows = tuple(
        structs.replace(row, cells=_figures(row, columns, tuple(row.cells[n] for n in kept if n < len(row.cells))))
        for row in block.rows
    )
    return structs.replace(block, columns=columns, rows=rows)


def _figures(row: Row, columns: tuple[Col, ...], cells: tuple[AnyCell, ...]) -> tuple[AnyCell, ...]:
    """Cells of a row; where one of its figures is money, its other figures that carry no unit and its course may be, too."""
    if not any(isinstance(cell, Quantity) and money(cell.unit) for cell in row.cells):
        return cells
    return tuple(
        HIDDEN if column.kind == "number" and isinstance(cell, str) else None if column.kind == "spark" else cell
        for column, cell in zip(columns, cells, strict=False)
    )


def _struct(value: S, name: re.Pattern[str] | None) -> S:
    changes = {
        field: _value(old, name)
        for field in value.__struct_fields__
        if field not in _AS_IS and isinstance(old := getattr(value, field), str | tuple | Struct)
    }
    if isinstance(value, Check) and value.kind != "auto" and value.evidence:
        changes["evidence"] = HIDDEN  # who said so, and when
    if isinstance(value, Fact) and money(value.value.unit):
        changes["series"] = ()
    return structs.replace(value, **changes)


def _value(value: object, name: re.Pattern[str] | None) -> object:
    if isinstance(value, str):
        return masked(value, name)
    if isinstance(value, Quantity):
        return missing(WHY, unit=value.unit) if money(value.unit) else value
    if isinstance(value, tuple):
        return tuple(_value(item, name) for item in value if not getattr(item, "private", False))
    return _struct(value, name) if isinstance(value, Struct) else value
