"""Requests as plain texts: CSV, JSON lines, a JSON list, or a text a line. Kept redacted and for 14 days, to find categories in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from aether_tui.records.tables import REQUESTS
from connectors.base import Malformed, Page, Sample
from connectors.files import encoding_of, name_of, open_binary, sample
from connectors.sniff import separator, text_head

COLUMNS = ("text", "request", "prompt", "question", "query", "input", "utterance", "message", "content", "messages")
"""Names a column of texts has, in order of preference."""
STRATA = ("stratum", "feature", "segment", "channel", "team", "product", "language", "locale")
"""Names a column has by whose values a sample is drawn, in order of preference."""
CUT_CHARS = 20_000
PAGE_ROWS = 500


class Asked(NamedTuple):
    """A text, and what of the product it was asked (None: the file does not say)."""

    text: str
    stratum: str | None


class RequestFiles:
    """Texts of requests. Never recognised by itself: that texts are kept is said with `--as requests`."""

    kind = "requests"
    title = "Texts of requests (CSV, JSON lines or a text a line), by --as requests only"
    together = False

    def __init__(self, column: str = "", stratum: str = "") -> None:
        self.column = column
        self.stratum = stratum

    def recognises(self, sample: Sample) -> bool:
        """Never."""
        return False

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Rows of `requests`. Raises Malformed for a file without a column of texts."""
        at = now.astimezone(UTC).replace(tzinfo=None)
        for path in paths:
            western = encoding_of(path)[0] == "cp1252"
            yield Page({}, problems=["is not UTF-8: read as Windows-1252 (Western European)"] * western, path=path)
            rows = []
            for text, stratum in read_requests(path, self.column, self.stratum):
                if text.strip():
                    rows.append(REQUESTS.row(id=text, at=at, text=text, stratum=stratum))
                if len(rows) == PAGE_ROWS:
                    yield Page({REQUESTS.name: rows}, path=path)
                    rows = []
            yield Page({REQUESTS.name: rows}, path=path)


def read_requests(path: Path, column: str = "", stratum: str = "") -> Iterator[Asked]:
    """The text of every record of a file, in order; empty where a record has none. Long texts are cut at 20,000 characters.

    `column` names the column or key; without it the first of `COLUMNS`, or the only one. `stratum` names that of the strata;
    without it the first of `STRATA` that is there. Raises Malformed naming the columns there are.
    """
    head = sample(path).head
    name = path.name.casefold()
    begins = text_head(head).lstrip()[:1]
    if name.endswith((".txt", ".txt.gz", ".txt.xz", ".txt.zst")):
        yield from (Asked(line.rstrip("\r\n")[:CUT_CHARS], None) for line in _lines(path))
    elif begins == "[":
        yield from _json(path, _json_list(path), column, stratum)
    elif begins in ("{", '"') and not name.endswith(".csv"):
        yield from _json(path, _json_lines(path), column, stratum)
    else:
        yield from _csv(path, head, column, stratum)


def _lines(path: Path) -> Iterator[str]:
    with _text(path) as lines:
        yield from lines


def _text(path: Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_binary(path), encoding_of(path)[0], errors="replace", newline="")


def _json_list(path: Path) -> Iterator[object]:
    with _text(path) as stream:
        try:
            found = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"{name_of(path)}: not JSON") from error
    if not isinstance(found, list):
        raise Malformed(f"{name_of(path)}: not a list of texts or objects")
    yield from found


def _json_lines(path: Path) -> Iterator[object]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise Malformed(
                    f"{name_of(path)}: line {number} is not JSON", hint="mend or remove that line"
                ) from error


def _json(path: Path, records: Iterator[object], column: str, stratum: str) -> Iterator[Asked]:
    """Texts of objects by the keys that the first object has."""
    names: list[str] = []
    by, found = "", False
    for record in records:
        if isinstance(record, Mapping) and not names:
            names = [str(key) for key in record]
            column, by = column or _column(names, path, ""), _strata(names, path, stratum)
        found = found or not isinstance(record, Mapping) or column in record
        yield Asked(_text_of(record, column), _word(record.get(by)) if isinstance(record, Mapping) and by else None)
    if names and not found:
        raise Malformed(f"{name_of(path)}: no object has {column!r}", hint=f"there are {', '.join(names[:20])}")


def _text_of(record: object, key: str) -> str:
    value = record.get(key) if isinstance(record, Mapping) else record
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:CUT_CHARS]


def _word(value: object) -> str | None:
    return str(value).strip()[:200] or None if isinstance(value, str | int | float) else None


def _csv(path: Path, head: bytes, column: str, stratum: str) -> Iterator[Asked]:
    csv.field_size_limit(1 << 24)
    beginning = text_head(head).lstrip("\r\n")
    if not beginning:
        raise Malformed(f"{name_of(path)}: is empty")
    with _text(path) as stream:
        try:
            rows = csv.reader(stream, delimiter=separator(beginning))
            names = [name.strip() for name in next(filter(None, rows))]
            place = names.index(_column(names, path, column))
            by = _strata(names, path, stratum)
            strata = names.index(by) if by else len(names)
            for row in rows:
                if row:
                    text = row[place][:CUT_CHARS] if place < len(row) else ""
                    yield Asked(text, _word(row[strata]) if by and strata < len(row) else None)
        except csv.Error as error:
            raise Malformed(f"{name_of(path)}: not CSV: {error}") from error


def _strata(names: Sequence[str], path: Path, stratum: str) -> str:
    """The column of strata: the one that is named, else the first of `STRATA` there is, else none."""
    if stratum:
        return _column(names, path, stratum)
    folded = {name.casefold(): name for name in reversed(names)}
    return next((folded[name] for name in STRATA if name in folded), "")


def _column(names: Sequence[str], path: Path, column: str) -> str:
    if column:
        if column in names:
            return column
        raise Malformed(f"{name_of(path)}: no column {column!r}", hint=f"there are {', '.join(names[:20])}")
    folded = {name.casefold(): name for name in reversed(names)}
    found = next((folded[name] for name in COLUMNS if name in folded), names[0] if len(names) == 1 else "")
    if not found:
        raise Malformed(
            f"{name_of(path)}: no column of texts", hint=f"name one with --column; there are {', '.join(names[:20])}"
        )
    return found
