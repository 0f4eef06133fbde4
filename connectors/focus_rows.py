"""FOCUS rows of CSV that the cache cannot read by itself (`why_not_plain`), read here as the cache would."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import md5
from pathlib import Path

from aether_tui.records.tables import COSTS
from connectors import fields
from connectors.base import Bulk, Column, Malformed, Page, Reject, Replace, Row, Value
from connectors.files import name_of, open_binary
from connectors.money import money
from connectors.odd_csv import SLASHES, UTF_16, readable, why_odd
from connectors.sniff import separator

PAGE_ROWS = 20_000
MAX_CELL = 16 << 20


def packed_pages(bulk: Bulk, replace: Replace) -> Iterator[Page]:
    """The pages of `bulk`'s files, equal to what the cache's own reader makes of the same text.

    Raises Malformed for a file that is not CSV.
    """
    for path in bulk.paths:
        rows: list[Row] = []
        rejects: list[Reject] = []
        for item in _rows(path, bulk):
            if isinstance(item, Reject):
                rejects.append(item)
            else:
                rows.append(item)
            if len(rows) + len(rejects) >= PAGE_ROWS:
                yield Page({COSTS.name: rows}, rejects=rejects, replace=replace, path=path)
                rows, rejects = [], []
        yield Page({COSTS.name: rows}, rejects=rejects, replace=replace, path=path)


def _rows(path: Path, bulk: Bulk) -> Iterator[Row | Reject]:
    csv.field_size_limit(MAX_CELL)
    odd = why_odd(path)
    coding = "utf-16" if odd == UTF_16 else "utf-8-sig"
    with open_binary(path) as stream, io.TextIOWrapper(stream, encoding=coding, newline="") as text:
        first = next((line for line in text if line.strip()), "")
        delimiter = separator(first)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        lines, dialect = readable(text, slashed=odd == SLASHES)
        reader = csv.reader(lines, dialect, delimiter=delimiter)
        places = {name.casefold(): place for place, name in enumerate(header)}
        beside = _beside(header, bulk)
        hashed = [place for _, place in sorted((name, place) for place, name in enumerate(header))]
        try:
            for number, cells in enumerate(reader, 1):
                if not cells:
                    continue
                where = f"{name_of(path)} row {number}"
                if len(cells) != len(header):
                    yield Reject(COSTS.name, f"{len(cells)} cells, the header has {len(header)}", "", where)
                    continue
                text_hash = _hash([cells[place] for place in hashed])
                try:
                    row = _row(cells, places, bulk)
                    if bulk.beside is not None:
                        row[bulk.beside[0]] = _with_members(row[bulk.beside[0]], cells, beside, bulk.nulls)
                except ValueError as error:
                    yield Reject(COSTS.name, str(error), delimiter.join(cells), where)
                    continue
                yield COSTS.row(**{**row, "row_hash": text_hash})
        except (csv.Error, UnicodeDecodeError) as error:
            raise Malformed(f"{name_of(path)}: line {reader.line_num + 1}: not CSV in UTF-8 ({error})") from error


def _hash(cells: Sequence[str]) -> str:
    """The hash the cache computes: an empty cell is null, cells are joined in the order of their columns' names."""
    return md5("\x1f".join(cell or "\x00" for cell in cells).encode(), usedforsecurity=False).hexdigest()


def _row(cells: Sequence[str], places: Mapping[str, int], bulk: Bulk) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for column in COSTS.raw:
        names = (places.get(name.casefold()) for name in bulk.columns.get(column.name, ()))
        found = (cells[place] for place in names if place is not None)
        text = next((cell for cell in found if cell.strip() not in bulk.nulls), None)
        row[column.name] = None if text is None else _cell(column, text)
    return row


def _beside(header: Sequence[str], bulk: Bulk) -> dict[str, int]:
    """Places of the columns that are kept as members of a JSON object, by name."""
    if bulk.beside is None:
        return {}
    return dict(sorted((name, at) for at, name in enumerate(header) if bulk.beside[1](name)))


def _with_members(text: Value, cells: Sequence[str], beside: Mapping[str, int], nulls: Sequence[str]) -> Value:
    """A JSON object with those cells that are not null."""
    members = {name: cells[place] for name, place in beside.items() if cells[place].strip() not in nulls}
    if not members:
        return text
    try:
        own = json.loads(str(text)) if text is not None else {}
    except (ValueError, RecursionError):
        own = None
    whole = (own if isinstance(own, dict) else {"Tags": text}) | members
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _cell(column: Column, text: str) -> str | Decimal | datetime | None:
    if column.kind == "time":
        return fields.instant(text)
    if column.kind == "money":
        amount = money(text)
        if amount is None:
            raise ValueError(f"{column.name} is not a number: {text[:80]}")
        return amount
    return text
