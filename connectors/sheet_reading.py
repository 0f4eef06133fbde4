"""Tables of people: CSV with any separator, BOM or encoding, and JSON lines; every row with its line."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors import sniff
from connectors.base import Malformed
from connectors.files import name_of, read_all
from connectors.sheet_values import Number

MAX_BYTES = 256 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEPARATORS = ",;\t|"
_BEGINNING = 1 << 16


@dataclass(frozen=True)
class Table:
    """A file as columns and rows of text, each row with its line; `notes` say how it had to be read.

    Trackers export a field of several values as several columns of one name: the second is called `Labels (2)` here.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    notes: tuple[str, ...] = ()

    def twins(self, name: str) -> tuple[int, ...]:
        """The places of all columns that had this name."""
        told = [name, *(f"{name} ({number})" for number in range(2, len(self.columns) + 1))]
        return tuple(place for place, column in enumerate(self.columns) if column in told)

    def column(self, name: str) -> Iterator[tuple[int, str]]:
        """Line and text of every cell of a column that is not empty."""
        place = self.columns.index(name)
        return ((line, cells[place]) for line, cells in self.rows if cells[place])


def read_table(path: Path) -> Table:
    """The whole table. Raises Malformed naming file, line and what to do."""
    text, notes = _decoded(path)
    head = text.lstrip()[:1]
    columns, rows = _json(text, path) if head in ("{", "[") else _csv(text, path)
    if not columns:
        raise Malformed(f"{name_of(path)}: is empty", hint="a header line, then one row a line")
    return Table(path, _numbered(columns), tuple(rows), notes)


def _numbered(columns: Sequence[str]) -> tuple[str, ...]:
    """Names with a number behind the second and later of the same."""
    seen: dict[str, int] = {}
    names = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _decoded(path: Path) -> tuple[str, tuple[str, ...]]:
    data = read_all(path, MAX_BYTES)
    coding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        return data.decode(coding), ()
    except UnicodeDecodeError as error:
        if coding != "utf-8" or b"\0" in data[:4096]:
            line = data.count(b"\n", 0, error.start) + 1
            raise Malformed(
                f"{name_of(path)}: line {line}: is not text", hint="save it as CSV (UTF-8) from the spreadsheet"
            ) from error
    return data.decode("cp1252", errors="replace"), ("is not UTF-8: read as Windows-1252 (Western European)",)


def _csv(text: str, path: Path) -> tuple[tuple[str, ...], list[tuple[int, tuple[str, ...]]]]:
    csv.field_size_limit(1 << 24)
    head = next((line for line in text.splitlines() if line.strip()), "")
    stated = head.casefold().startswith("sep=") and len(head) == 5
    separator = head[4] if stated else sniff.separator(text.lstrip()[:_BEGINNING], _SEPARATORS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[tuple[int, tuple[str, ...]]] = []
    try:
        for cells in reader:
            clean = tuple(cell.strip() for cell in cells)
            if not any(clean) or (stated and not columns and cells[0].casefold().startswith("sep=")):
                continue
            if not columns:
                columns = tuple(name or f"column {place}" for place, name in enumerate(clean, 1))
                continue
            if len(clean) > len(columns) and any(clean[len(columns) :]):
                raise Malformed(
                    f"{name_of(path)}: line {reader.line_num}: {len(clean)} cells, and the header names {len(columns)} columns",
                    hint=f"cells are separated by {separator!r}: put texts that contain it into double quotes",
                )
            rows.append((reader.line_num, (*clean, *[""] * (len(columns) - len(clean)))[: len(columns)]))
    except csv.Error as error:
        raise Malformed(
            f"{name_of(path)}: line {reader.line_num}: not CSV: {error}",
            hint="save it as CSV (UTF-8) from the spreadsheet",
        ) from error
    return columns, rows


def _json(text: str, path: Path) -> tuple[tuple[str, ...], list[tuple[int, tuple[str, ...]]]]:
    """A list of objects, or one object a line."""
    found: list[tuple[int, object]] = []
    try:
        whole = _loaded(text)
        found = list(enumerate(whole if isinstance(whole, list) else [whole], 1))
    except (ValueError, RecursionError):
        for line, part in enumerate(
            io.StringIO(text), 1
        ):  # a text in JSON may hold other ends of lines, such as U+2028
            if part.strip():
                try:
                    found.append((line, _loaded(part)))
                except (ValueError, RecursionError) as error:
                    raise Malformed(
                        f"{name_of(path)}: line {line}: not JSON: {error}", hint="one JSON object a line"
                    ) from error
    objects = [(line, one) for line, one in found if isinstance(one, dict)]
    if len(objects) < len(found):
        line = next(line for line, one in found if not isinstance(one, dict))
        raise Malformed(f"{name_of(path)}: line {line}: not a JSON object", hint="one JSON object a line")
    columns = tuple(dict.fromkeys(str(name) for _, one in objects for name in one))
    return columns, [(line, tuple(_text(one.get(name)) for name in columns)) for line, one in objects]


def _loaded(text: str) -> object:
    return json.loads(text, parse_int=Number, parse_float=Number)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Number):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return str(value).strip() if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
