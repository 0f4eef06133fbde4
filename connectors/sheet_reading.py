"""Tables of people: CSV with any separator, BOM or encoding, and JSON lines; every row with its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

from connectors import sniff
from connectors.base import Malformed
from connectors.files import encoding_of, name_of, open_binary, sample
from connectors.json_items import items
from connectors.sheet_values import Number

MAX_BYTES = 256 << 20
_JSON = json.JSONDecoder(parse_int=Number, parse_float=Number)


Line = tuple[int, tuple[str, ...]]
"""A row with the line it stands in."""


@dataclass(frozen=True)
class Table:
    """A file as columns and rows of text; `rows` reads them from the file each time, and `notes` say how it had to be read.

    Trackers export a field of several values as several columns of one name: the second is called `Labels (2)` here.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Line]]
    notes: tuple[str, ...] = ()

    def twins(self, name: str) -> tuple[int, ...]:
        """The places of all columns that had this name."""
        told = [name, *(f"{name} ({number})" for number in range(2, len(self.columns) + 1))]
        return tuple(place for place, column in enumerate(self.columns) if column in told)


class Repeats:
    """Texts or rows that were added more than once, and a few others; those that come once take no memory."""

    _SLOTS = 1 << 25

    def __init__(self) -> None:
        self._seen = bytearray(self._SLOTS >> 3)
        self._again: set[int] = set()

    def add(self, one: Hashable) -> None:
        """Take one into account."""
        slot = hash(one) % self._SLOTS
        place, bit = slot >> 3, 1 << (slot & 7)
        if self._seen[place] & bit:
            self._again.add(slot)
        else:
            self._seen[place] |= bit

    def __contains__(self, one: Hashable) -> bool:
        return hash(one) % self._SLOTS in self._again


def read_table(path: Path) -> Table:
    """The table, whose rows raise Malformed as this does: naming file, line and what to do."""
    coding, size = encoding_of(path)
    if size > MAX_BYTES:
        raise Malformed(f"{name_of(path)}: larger than {MAX_BYTES >> 20} MiB, too large for a table of this kind")
    beginning = sample(path).head
    if coding == "cp1252" and b"\0" in beginning[:4096]:
        raise _no_text(path)
    try:
        head = sniff.text_head(beginning) if coding != "cp1252" else beginning.decode(coding, "replace")
    except UnicodeDecodeError as error:
        raise _no_text(path) from error
    columns, rows = _json(path, coding, head) if head.lstrip()[:1] in ("{", "[") else _csv(path, coding, head)
    if not columns:
        raise Malformed(f"{name_of(path)}: is empty", hint="a header line, then one row a line")
    notes = ("is not UTF-8: read as Windows-1252 (Western European)",) * (coding == "cp1252")
    return Table(path, _numbered(columns), rows, notes)


def _no_text(path: Path) -> Malformed:
    return Malformed(f"{name_of(path)}: is not text", hint="save it as CSV (UTF-8) from the spreadsheet")


@contextmanager
def _opened(path: Path, coding: str, newline: str) -> Iterator[TextIO]:
    try:
        with io.TextIOWrapper(
            open_binary(path), coding, errors="replace" if coding == "cp1252" else "strict", newline=newline
        ) as text:
            yield text
    except UnicodeDecodeError as error:
        raise _no_text(path) from error


def _numbered(columns: Sequence[str]) -> tuple[str, ...]:
    """Names with a number behind the second and later of the same."""
    seen: dict[str, int] = {}
    names = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _csv(path: Path, coding: str, head: str) -> tuple[tuple[str, ...], Callable[[], Iterator[Line]]]:
    first = next((line for line in head.splitlines() if line.strip()), "")
    stated = first.casefold().startswith("sep=") and len(first) == 5
    separator = first[4] if stated else sniff.separator(head.lstrip())

    def lines() -> Iterator[Line]:
        return _csv_lines(path, coding, separator, stated=stated)

    _, columns = next(lines(), (0, ()))
    return columns, lambda: islice(lines(), 1, None)


def _csv_lines(path: Path, coding: str, separator: str, *, stated: bool) -> Iterator[Line]:
    """The header, then every row with as many cells."""
    csv.field_size_limit(1 << 24)
    with _opened(path, coding, "") as text:
        reader = csv.reader(text, delimiter=separator, strict=True)
        wide = 0
        try:
            for cells in reader:
                clean = tuple([cell.strip() for cell in cells])
                if not any(clean) or (stated and not wide and cells[0].casefold().startswith("sep=")):
                    continue
                if not wide:
                    wide = len(clean)
                    clean = tuple(name or f"column {place}" for place, name in enumerate(clean, 1))
                elif len(clean) > wide and any(clean[wide:]):
                    raise Malformed(
                        f"{name_of(path)}: line {reader.line_num}: {len(clean)} cells, and the header names {wide} columns",
                        hint=f"cells are separated by {separator!r}: put texts that contain it into double quotes",
                    )
                elif len(clean) != wide:
                    clean = (*clean, *[""] * (wide - len(clean)))[:wide]
                yield reader.line_num, clean
        except csv.Error as error:
            raise Malformed(
                f"{name_of(path)}: line {reader.line_num}: not CSV: {error}",
                hint="save it as CSV (UTF-8) from the spreadsheet",
            ) from error


def _json(path: Path, coding: str, head: str) -> tuple[tuple[str, ...], Callable[[], Iterator[Line]]]:
    """A list of objects, or one object a line, read anew each time; or one object."""
    read: Callable[[], Iterable[tuple[int, object]]]
    if head.lstrip().startswith("["):
        read = partial(_json_list, path, coding)
    elif (whole := _document(path, coding)) is not None:
        read = partial(enumerate, [whole], 1)
    else:
        read = partial(_json_lines, path, coding)

    def objects() -> Iterator[tuple[int, dict[str, object]]]:
        for line, one in read():
            if not isinstance(one, dict):
                raise Malformed(f"{name_of(path)}: line {line}: not a JSON object", hint="one JSON object a line")
            yield line, one

    columns = tuple(dict.fromkeys(name for _, one in objects() for name in one))
    return columns, lambda: ((line, tuple(_text(one.get(name)) for name in columns)) for line, one in objects())


def _document(path: Path, coding: str) -> object:
    """What a file of one object holds; None where it holds anything else, as each line may be one."""
    with _opened(path, coding, "\n") as text, suppress(ValueError, RecursionError):
        first = next((part for part in text if part.strip()), "")
        with suppress(ValueError, RecursionError):
            if first.lstrip().startswith("{") and _JSON.decode(first):
                return None
        found: object = _JSON.decode(first + text.read())
        return found
    return None


def _json_list(path: Path, coding: str) -> Iterator[tuple[int, object]]:
    with _opened(path, coding, "") as text:
        yield from items(text, _JSON, name_of(path))


def _json_lines(path: Path, coding: str) -> Iterator[tuple[int, object]]:
    with _opened(path, coding, "\n") as text:  # a text in JSON may hold other ends of lines, such as U+2028
        for line, part in enumerate(text, 1):
            if part.strip():
                try:
                    yield line, _JSON.decode(part)
                except (ValueError, RecursionError) as error:
                    raise Malformed(
                        f"{name_of(path)}: line {line}: not JSON: {error}", hint="one JSON object a line"
                    ) from error


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Number):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return str(value).strip() if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)
