"""Files of Langfuse: a trace with its observations as one JSON object, and exports of observations or scores as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from connectors import fields, langfuse_exports
from connectors.base import Malformed, Page, Reject, Row, Sample
from connectors.files import name_of, read_all, sample
from connectors.langfuse_rows import observation_row, payload_rows
from connectors.sniff import json_keys

MAX_DOCUMENT = 256 << 20


class LangfuseFiles:
    """Traces with their observations, as Langfuse seeds them, and what it exports into a bucket or from its pages."""

    kind = "langfuse"
    title = "Langfuse traces and exports (JSON, JSON lines, CSV, Parquet)"

    def recognises(self, sample: Sample) -> bool:
        """An object that holds a trace of a project, with its observations as far as the beginning shows; or the columns of an export."""
        return _is_trace(sample) or langfuse_exports.recognised(sample) is not None

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Observations of every file as spans, scores as outcomes. Raises Malformed for a file without either."""
        for path in paths:
            if (export := langfuse_exports.recognised(sample(path))) is not None:
                yield from export.pages(path)
                continue
            try:
                document = json.loads(read_all(path, MAX_DOCUMENT), parse_float=Decimal)
            except (ValueError, RecursionError) as error:
                raise Malformed(f"{name_of(path)}: not JSON ({error})") from error
            if not isinstance(fields.dig(document, "observations"), list):
                raise Malformed(f"{name_of(path)}: not a Langfuse trace, it has no observations")
            yield _page(document, name_of(path))


def _is_trace(sample: Sample) -> bool:
    keys = json_keys(sample.head)
    return "trace" in keys and ("observations" in keys or (len(keys) == 1 and b'"projectId"' in sample.head))


def _page(document: object, name: str) -> Page:
    found = fields.dig(document, "trace")
    trace = found if isinstance(found, Mapping) else {}
    rows: list[Row] = []
    payloads: list[Row] = []
    rejects: list[Reject] = []
    for number, raw in enumerate(fields.objects(document, "observations"), 1):
        try:
            row = observation_row(raw, trace)
            rows.append(row)
            payloads += payload_rows(raw, row)
        except (ValueError, ArithmeticError, RecursionError) as error:
            # What was said never leaves the observation: a reject names it by its ids.
            named = " ".join(filter(None, (fields.text(raw, key) for key in ("traceId", "id", "type", "name"))))
            rejects.append(Reject(SPANS.name, str(error), named, f"{name} observation {number}"))
    return Page({SPANS.name: rows, SPAN_PAYLOADS.name: payloads}, rejects=rejects)
