"""Tables of people: CSV with any separator, BOM or encoding, and JSON lines; every row with its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from connectors import sniff
from connectors.base import Malformed
from connectors.files import encoding_of, name_of, open_binary, sample
from connectors.sheet_values import Number

MAX_BYTES = 256 << 20
_SEPARATORS = ",;\t|"
_MOST_KNOWN = 20_000


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
    coding, size = encoding_of(path)
    if size > MAX_BYTES:
        raise Malformed(f"{name_of(path)}: larger than {MAX_BYTES >> 20} MiB, too large for a table of this kind")
    beginning = sample(path).head
    if coding == "cp1252" and b"\0" in beginning[:4096]:
        raise Malformed(f"{name_of(path)}: is not text", hint="save it as CSV (UTF-8) from the spreadsheet")
    with io.TextIOWrapper(
        open_binary(path), coding, errors="replace" if coding == "cp1252" else "strict", newline=""
    ) as text:
        try:
            head = sniff.text_head(beginning) if coding != "cp1252" else beginning.decode(coding, "replace")
            columns, rows = _json(text.read(), path) if head.lstrip()[:1] in ("{", "[") else _csv(text, head, path)
        except UnicodeDecodeError as error:
            raise Malformed(
                f"{name_of(path)}: is not text", hint="save it as CSV (UTF-8) from the spreadsheet"
            ) from error
    if not columns:
        raise Malformed(f"{name_of(path)}: is empty", hint="a header line, then one row a line")
    notes = ("is not UTF-8: read as Windows-1252 (Western European)",) * (coding == "cp1252")
    return Table(path, _numbered(columns), tuple(rows), notes)


def _numbered(columns: Sequence[str]) -> tuple[str, ...]:
    """Names with a number behind the second and later of the same."""
    seen: dict[str, int] = {}
    names = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _csv(text: TextIO, head: str, path: Path) -> tuple[tuple[str, ...], list[tuple[int, tuple[str, ...]]]]:
    csv.field_size_limit(1 << 24)
    first = next((line for line in head.splitlines() if line.strip()), "")
    stated = first.casefold().startswith("sep=") and len(first) == 5
    separator = first[4] if stated else sniff.separator(head.lstrip(), _SEPARATORS)
    reader = csv.reader(text, delimiter=separator, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[tuple[int, tuple[str, ...]]] = []
    known: dict[str, str] = {}  # states, teams and days stand in most rows: one text each
    try:
        for cells in reader:
            clean = tuple([known.get(cell) or _kept(cell.strip(), known) for cell in cells])
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


def _kept(cell: str, known: dict[str, str]) -> str:
    return known.setdefault(cell, cell) if len(known) < _MOST_KNOWN else cell


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
