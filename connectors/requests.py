"""Requests as plain texts: CSV, JSON lines, a JSON list, or a text a line. Kept redacted and for 14 days, to find categories in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from aether_tui.records.tables import REQUESTS
from connectors.base import Malformed, Page, Sample
from connectors.files import name_of, open_binary, sample
from connectors.sniff import csv_columns, text_head

COLUMNS = ("text", "request", "prompt", "question", "query", "input", "utterance", "message", "content", "messages")
"""Names a column of texts has, in order of preference."""
CUT_CHARS = 20_000
PAGE_ROWS = 500


class RequestFiles:
    """Texts of requests. Never recognised by itself: that texts are kept is said with `--as requests`."""

    kind = "requests"
    title = "Texts of requests (CSV, JSON lines or a text a line), by --as requests only"
    together = False

    def __init__(self, column: str = "") -> None:
        self.column = column

    def recognises(self, sample: Sample) -> bool:
        """Never."""
        return False

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Rows of `requests`. Raises Malformed for a file without a column of texts."""
        at = now.astimezone(UTC).replace(tzinfo=None)
        for path in paths:
            rows = []
            for text in read_texts(path, self.column):
                if text.strip():
                    rows.append(REQUESTS.row(id=text, at=at, text=text))
                if len(rows) == PAGE_ROWS:
                    yield Page({REQUESTS.name: rows}, path=path)
                    rows = []
            yield Page({REQUESTS.name: rows}, path=path)


def read_texts(path: Path, column: str = "") -> Iterator[str]:
    """The text of every record of a file, in order; empty where a record has none. Long texts are cut at 20,000 characters.

    `column` names the column or key; without it the first of `COLUMNS`, or the only one. Raises Malformed naming the columns
    there are.
    """
    head = sample(path).head
    name = path.name.casefold()
    begins = text_head(head).lstrip()[:1]
    if name.endswith((".txt", ".txt.gz", ".txt.xz", ".txt.zst")):
        yield from (line.rstrip("\r\n")[:CUT_CHARS] for line in _lines(path))
    elif begins == "[":
        yield from _json_list(path, column)
    elif begins in ("{", '"') and not name.endswith(".csv"):
        yield from _json_lines(path, column)
    else:
        yield from _csv(path, head, column)


def _lines(path: Path) -> Iterator[str]:
    with open_binary(path) as stream:
        yield from _decoded(stream)


def _decoded(stream: BinaryIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")


def _json_list(path: Path, column: str) -> Iterator[str]:
    with open_binary(path) as stream:
        try:
            found = json.load(_decoded(stream))
        except (ValueError, RecursionError) as error:
            raise Malformed(f"{name_of(path)}: not JSON") from error
    if not isinstance(found, list):
        raise Malformed(f"{name_of(path)}: not a list of texts or objects")
    key = column
    for record in found:
        key = key or _chosen(record, path)
        yield _text_of(record, key)


def _json_lines(path: Path, column: str) -> Iterator[str]:
    key = column
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"{name_of(path)}: line {number} is not JSON") from error
        key = key or _chosen(record, path)
        yield _text_of(record, key)


def _chosen(record: object, path: Path) -> str:
    return _column([str(key) for key in record], path, "") if isinstance(record, Mapping) else ""


def _text_of(record: object, key: str) -> str:
    value = record.get(key) if isinstance(record, Mapping) else record
    if value is None:
        return ""
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:CUT_CHARS]


def _csv(path: Path, head: bytes, column: str) -> Iterator[str]:
    csv.field_size_limit(1 << 24)
    first = text_head(head).lstrip("\r\n").splitlines()
    if not first:
        raise Malformed(f"{name_of(path)}: is empty")
    names = list(csv_columns(head)) or [first[0].strip().strip('"')]
    delimiter = max(",;\t", key=first[0].count)
    place = names.index(_column(names, path, column))
    with open_binary(path) as stream:
        try:
            rows = csv.reader(_decoded(stream), delimiter=delimiter)
            next(rows, None)
            for row in rows:
                if row:
                    yield row[place][:CUT_CHARS] if place < len(row) else ""
        except csv.Error as error:
            raise Malformed(f"{name_of(path)}: not CSV: {error}") from error


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
