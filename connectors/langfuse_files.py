"""Traces exported from Langfuse: one JSON object with the trace and its observations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from connectors import fields
from connectors.base import Malformed, Page, Reject, Row, Sample, Value
from connectors.files import name_of, read_all
from connectors.money import money
from connectors.otlp_attributes import Attribute, attributes_json, sort_attributes
from connectors.otlp_span import content_hash, operation, said_text, usage_counts
from connectors.sniff import json_keys

MAX_DOCUMENT = 256 << 20
_NAMES = tuple(column.name for column in SPANS.raw)
_CALLS = frozenset({"GENERATION", "EMBEDDING"})
"""Only these carry tokens and cost: other observations repeat them, or name a model they did not call."""


class LangfuseFiles:
    """Traces with their observations, as Langfuse exports and seeds them."""

    kind = "langfuse"
    title = "Langfuse traces (JSON)"

    def recognises(self, sample: Sample) -> bool:
        """An object that holds a trace of a project, and its observations as far as the beginning shows."""
        keys = json_keys(sample.head)
        return "trace" in keys and ("observations" in keys or (len(keys) == 1 and b'"projectId"' in sample.head))

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Observations of every file as spans. Raises Malformed for a file without observations."""
        for path in paths:
            try:
                document = json.loads(read_all(path, MAX_DOCUMENT), parse_float=Decimal)
            except (ValueError, RecursionError) as error:
                raise Malformed(f"{name_of(path)}: not JSON ({error})") from error
            if not isinstance(fields.dig(document, "observations"), list):
                raise Malformed(f"{name_of(path)}: not a Langfuse trace, it has no observations")
            yield _page(document, name_of(path))


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
        except ValueError as error:
            # What was said never leaves the observation: a reject names it by its ids.
            named = " ".join(filter(None, (fields.text(raw, key) for key in ("traceId", "id", "type", "name"))))
            rejects.append(Reject(SPANS.name, str(error), named, f"{name} observation {number}"))
    return Page({SPANS.name: rows, SPAN_PAYLOADS.name: payloads}, rejects=rejects)


def payload_rows(raw: Mapping[str, object], row: Row) -> list[Row]:
    """What was said in an observation whose raw row of `spans` is `row`; none where it carries neither input nor output."""
    prompt, completion = (said_text(cast("Attribute", raw.get(name))) for name in ("input", "output"))
    ids = dict(zip(_NAMES, row, strict=True))
    return [(ids["trace_id"], ids["span_id"], ids["start"], prompt, completion)] if prompt or completion else []


def observation_row(raw: Mapping[str, object], trace: Mapping[str, object]) -> Row:
    """One observation as a raw row of `spans`. Raises ValueError for an instant of unknown form or a missing id."""
    attributes, resource = _metadata(raw, trace)
    found, rest = sort_attributes(attributes, resource)
    call = fields.text(raw, "type") in _CALLS
    start, end = fields.instant(raw, "startTime"), fields.instant(raw, "endTime")
    first = fields.instant(raw, "completionStartTime")
    said = raw.get("input")
    values: dict[str, Value] = {
        "trace_id": hex_id(fields.text(raw, "traceId") or fields.text(trace, "id")),
        "span_id": hex_id(fields.text(raw, "id")),
        "parent_id": hex_id(fields.text(raw, "parentObservationId")),
        "name": fields.text(raw, "name"),
        "operation": operation(fields.text(raw, "type")),
        "start": start,
        "duration_s": _seconds(start, end),
        "time_to_first_token_s": _seconds(start, first),
        "provider": fields.text(found, "provider") if call else None,
        "model": fields.text(raw, "model") if call else None,
        "status": "error" if raw.get("level") == "ERROR" else "unset",
        "conversation": fields.text(trace, "sessionId") or fields.text(found, "conversation"),
        "user": fields.text(trace, "userId") or fields.text(found, "user"),
        "source_service": fields.text(found, "service"),
        "source_environment": fields.text(raw, "environment") or fields.text(trace, "environment"),
        "request_hash": content_hash(cast("Attribute", said)) if call and said not in (None, "") else None,
        "request": (said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)) if call and said else None,
        "prompt_name": fields.text(raw, "promptName"),
        "prompt_version": fields.text(raw, "promptVersion"),
        "attributes": attributes_json(rest),
    }
    if start is None:
        raise ValueError("startTime is missing")
    if call:
        values.update(_usage(raw))
        values["reported_cost_usd"] = _cost(raw)
    return SPANS.row(**values)


def hex_id(text: str | None) -> str | None:
    """Lower-case; ids of older SDKs are UUIDs, newer ones are hex already."""
    return text.lower().replace("-", "") if text else None


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    seconds = (end - start).total_seconds() if start and end else None
    return seconds if seconds is None or seconds >= 0 else None


def _usage(raw: Mapping[str, object]) -> dict[str, Value]:
    """Token counts; Langfuse's own sums of the provider-specific parts win over adding them here."""
    details = raw.get("usageDetails")
    counts: dict[str, Value] = dict(usage_counts(details if isinstance(details, Mapping) else {}))
    for column, sum_field in (("input_tokens", "inputUsage"), ("output_tokens", "outputUsage")):
        stated = fields.integer(raw, sum_field)
        if stated is not None and (stated or details):
            counts[column] = stated
    return counts


def _cost(raw: Mapping[str, object]) -> Decimal | None:
    """The total; 0 beside empty details means that Langfuse knew no price."""
    cost = money(raw.get("totalCost"))
    return cost if cost or raw.get("costDetails") else None


def _metadata(
    raw: Mapping[str, object], trace: Mapping[str, object]
) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
    """Span and resource attributes that OpenTelemetry senders leave in the metadata, and the user's own plain values."""
    metadata = raw.get("metadata")
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except ValueError:
            metadata = {}
    if not isinstance(metadata, Mapping):
        metadata = {}
    attributes: dict[str, Attribute] = dict(_object(metadata, "attributes"))
    attributes.update((key, value) for key, value in metadata.items() if isinstance(value, str | int | float | bool))
    attributes["langfuse.trace.name"] = fields.text(trace, "name")
    return attributes, dict(_object(metadata, "resourceAttributes"))


def _object(node: Mapping[str, object], key: str) -> Mapping[str, Attribute]:
    value = node.get(key)
    return cast("Mapping[str, Attribute]", value) if isinstance(value, Mapping) else {}
