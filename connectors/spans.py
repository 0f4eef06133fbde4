"""Spans under our own column names: Parquet, CSV or JSON lines, as a warehouse or another workspace writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from aether_tui.records.never_stored import NEVER_STORED
from aether_tui.records.tables import SPANS
from connectors.base import Bulk, Malformed, Page, Sample
from connectors.files import name_of, sample
from connectors.parquet import parquet_columns, plain_form
from connectors.sniff import csv_columns, is_parquet, json_keys

REQUIRED = ("trace_id", "span_id", "start")
_KNOWN = frozenset(column.name for column in SPANS.raw)
_SAID = (
    "prompt", "completion", "input", "output", "messages", "input_messages", "output_messages", "system_prompt", "response",
    "question", "answer",
)  # fmt: skip
_OURS = {"source", "mapping_hash", "ingested_at", *_SAID, *(column.name for column in SPANS.columns)}
_NEVER = tuple(map(str.casefold, NEVER_STORED))
_COLUMNS = {column.name: (column.name,) for column in SPANS.raw}


class SpanFiles:
    """Spans whose columns are named as in `docs/data-model.md`; derived columns in a file are computed anew."""

    kind = "spans"
    title = "Spans under our column names (Parquet, CSV or JSON lines)"
    together = False

    def recognises(self, sample: Sample) -> bool:
        """A schema, header or first line with the key and the start."""
        return set(REQUIRED) <= set(_columns(sample))

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """One page per file, read by the cache itself. Raises Malformed for a file without the key."""
        for path in paths:
            head = sample(path)
            missing = [name for name in REQUIRED if name not in _columns(head)]
            if missing:
                raise Malformed(f"{name_of(path)}: not spans, it has no column {', '.join(missing)}")
            yield Page(
                bulk=Bulk((path,), plain_form(head), SPANS, _COLUMNS, beside=("attributes", _is_other)), path=path
            )


def _is_other(name: str) -> bool:
    """Whether a column that we have no name for is kept among the attributes: what was said is not."""
    folded = name.casefold()
    return folded not in _OURS and not folded.startswith(_NEVER)


def _columns(head: Sample) -> tuple[str, ...]:
    if is_parquet(head.head):
        return parquet_columns(head.path, _KNOWN)
    return json_keys(head.head) or csv_columns(head.head)
