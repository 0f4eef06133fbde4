"""Observations of Langfuse as rows of spans, whichever way they came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import cast

from aether_tui.records.tables import SPANS
from connectors import fields
from connectors.base import Row, Value
from connectors.fields import Node, text
from connectors.money import money
from connectors.otlp_attributes import Attribute, attributes_json, sort_attributes
from connectors.otlp_span import content_hash, operation, said_text, usage_counts

_NAMES = tuple(column.name for column in SPANS.raw)
_CALLS = frozenset({"GENERATION", "EMBEDDING"})
"""Only these carry tokens and cost: other observations repeat them, or name a model they did not call."""
_OF_SENDERS = frozenset({"attributes", "resourceAttributes", "scope"})
"""Members of metadata that are objects; as texts they may be cut anywhere."""


def as_exported(raw: Node) -> tuple[Node, Node]:
    """An observation and its trace in the words of an export: v2 renames the model and carries fields of the trace."""
    costs = (raw.get("totalCost"), raw.get("calculatedTotalCost"), members(raw.get("costDetails")).get("total"))
    observation = {
        **raw,
        "traceId": text(raw, "traceId") or text(raw, "id"),
        "model": text(raw, "model") or text(raw, "providedModelName"),
        "totalCost": next((cost for cost in costs if cost is not None), None),
        # The root of an application may keep the parent it had in another service.
        "parentObservationId": None if raw.get("isRootObservation") is True else raw.get("parentObservationId"),
    }
    return observation, {name: raw.get(name) for name in ("sessionId", "userId", "environment")} | {
        "name": raw.get("traceName")
    }


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
    details = members(raw.get("usageDetails"))
    counts: dict[str, Value] = dict(usage_counts(details))
    for column, sum_field in (("input_tokens", "inputUsage"), ("output_tokens", "outputUsage")):
        stated = fields.integer(raw, sum_field)
        if stated is not None and (stated or details):
            counts[column] = stated
    return counts


def _cost(raw: Mapping[str, object]) -> Decimal | None:
    """The total; 0 beside empty details means that Langfuse knew no price."""
    cost = money(raw.get("totalCost"))
    return cost if cost or members(raw.get("costDetails")) else None


def _metadata(
    raw: Mapping[str, object], trace: Mapping[str, object]
) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
    """Span and resource attributes that OpenTelemetry senders leave in the metadata, and the user's own plain values."""
    metadata = members(raw.get("metadata"))
    attributes = members(metadata.get("attributes"))
    attributes.update(
        (key, value)
        for key, value in metadata.items()
        if key not in _OF_SENDERS and isinstance(value, str | int | float | Decimal)
    )
    attributes["langfuse.trace.name"] = fields.text(trace, "name")
    return attributes, members(metadata.get("resourceAttributes"))


def members(value: object) -> dict[str, Attribute]:
    """An object, or the text of one; a text that is cut short has none."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal)
        except (ValueError, RecursionError):
            return {}
    return dict(cast("Mapping[str, Attribute]", value)) if isinstance(value, Mapping) else {}
