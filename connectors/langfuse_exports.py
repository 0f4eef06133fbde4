"""Exports of Langfuse as rows: those it writes into a bucket now and then, and those of a table on its pages.

Both say the same, under names of either kind; field reference: langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields.
`latency` and `time_to_first_token` are not read: they are milliseconds or seconds by the age of the integration, and the instants say both.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final

from aether_tui.records.model import Kind
from aether_tui.records.tables import OUTCOMES, SPAN_PAYLOADS, SPANS
from connectors.base import Bulk, Column, Page, Reject, Row, Sample, Table
from connectors.fields import Node, Rows, add, text
from connectors.files import name_of, open_binary, sample
from connectors.json_items import items
from connectors.langfuse_rows import as_exported, observation_row, payload_rows
from connectors.langfuse_scores import score_rows, without_words
from connectors.parquet import parquet_columns, plain_form
from connectors.sniff import columns_of, is_parquet

_AT_ONCE: Final = 2_000
"""Rows of a list in a page."""
_NULLS: Final = ("", "NULL", "null")
_JSON: Final = json.JSONDecoder(parse_float=Decimal)


@dataclass(frozen=True)
class Export:
    """How the columns of a table of Langfuse are read, which of them are `always` there, and the rows that an object of them makes."""

    table: Table
    always: tuple[str, ...]
    rows: Callable[[Node], Rows]

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether a file with these columns is an export of it."""
        return all(not columns.isdisjoint(_names(name)) for name in self.always)

    def pages(self, path: Path) -> Iterator[Page]:
        """The rows of a file. Raises Malformed."""
        head = sample(path)
        if head.head.lstrip().startswith(b"["):
            yield from self._of_list(path)
            return
        form = plain_form(head)
        columns = {column.name: _names(column.name) for column in self.table.columns}
        yield Page(bulk=Bulk((path,), form, self.table, columns, _NULLS, made=self._made), path=path)

    def _made(self, row: Row) -> Rows:
        return self.rows(dict(zip((column.name for column in self.table.columns), row, strict=True)))

    def _of_list(self, path: Path) -> Iterator[Page]:
        with io.TextIOWrapper(open_binary(path), "utf-8-sig", "replace") as stream:
            found = items(stream, _JSON, name_of(path))
            while some := list(islice(found, _AT_ONCE)):
                rows: Rows = {}
                rejects: list[Reject] = []
                for place, one in some:
                    try:
                        add(rows, self._made(self._texts(one)))
                    except (ValueError, ArithmeticError, RecursionError) as error:
                        rejects.append(Reject(self.table.name, str(error), "", f"{name_of(path)} item {place}"))
                yield Page(rows, rejects=rejects, path=path)

    def _texts(self, one: object) -> Row:
        """A row of the texts that it would be as a line."""
        if not isinstance(one, dict):
            raise ValueError("not a JSON object")
        names = (_names(column.name) for column in self.table.columns)
        return tuple(next(filter(None, (_text(one.get(said)) for said in some)), None) for some in names)


def _text(value: object) -> str | None:
    if isinstance(value, Decimal):
        value = str(value)
    elif not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float)
    whole = value.encode("utf-8", "ignore").decode()  # without halves of surrogate pairs
    return None if whole.strip(" ") in _NULLS else whole


def _names(name: str) -> tuple[str, ...]:
    """What a file may call a column of ours: on its pages, and in a bucket."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return (name, snake, *_OTHERS.get(name, ()))


_OTHERS: Final = {"model": ("providedModelName", "provided_model_name")}


def _table(of: Table, **columns: Kind) -> Table:
    return Table(of.name, of.meaning, tuple(Column(name, kind, "") for name, kind in columns.items()), ("id",), "id")


def _observation(raw: Node) -> Rows:
    row = observation_row(*as_exported({**raw, "isRootObservation": raw.get("isRootObservation") == "true"}))
    return {SPANS.name: [row], SPAN_PAYLOADS.name: payload_rows(raw, row)}


def _score(raw: Node) -> Rows:
    value = raw.get("value")
    if value is not None and text(raw, "dataType") == "BOOLEAN":
        value = value in ("1", "1.0", "true")
    return score_rows(without_words({**raw, "value": value}))


# Everything is a text until its row is made; those of people and what was said stay out of what is told of a line that cannot be read.
_EXPORTS: Final = (
    Export(
        _table(
            SPANS, id="id", traceId="id", startTime="text", type="text", parentObservationId="id", isRootObservation="text",
            endTime="text", completionStartTime="text", name="text", level="text", environment="text", model="text",
            usageDetails="json", costDetails="json", inputUsage="text", outputUsage="text", totalCost="text",
            promptName="text", promptVersion="text", userId="person", sessionId="text", traceName="text",
            metadata="json", input="request", output="request",
        ),
        ("id", "traceId", "startTime", "type", "parentObservationId"),
        _observation,
    ),
    Export(
        _table(
            OUTCOMES, id="id", traceId="id", observationId="id", sessionId="text", timestamp="text", name="text", dataType="text",
            value="text", stringValue="request", source="text", updatedAt="text",
        ),
        ("id", "traceId", "timestamp", "name", "dataType", "source"),
        _score,
    ),
)  # fmt: skip
_KNOWN: Final = frozenset(said for one in _EXPORTS for column in one.table.columns for said in _names(column.name))


def recognised(sample: Sample) -> Export | None:
    """The export that a file is."""
    columns = parquet_columns(sample.path, _KNOWN) if is_parquet(sample.head) else columns_of(sample.head)
    return next((one for one in _EXPORTS if one.fits(frozenset(columns))), None)
