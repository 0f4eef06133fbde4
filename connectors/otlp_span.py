"""One span of any wire form → one row of `spans`. The only place that knows token and cost semantics of attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from operator import itemgetter
from typing import NamedTuple

from aether_tui.records.tables import MOST_TOKENS, SPANS
from connectors import fields, otlp_aliases
from connectors.base import Row, Value
from connectors.money import money, total
from connectors.otlp_attributes import Attribute, Attributes, Resource, as_json, attributes_json, is_part, shape_of

Event = tuple[str, int, Attributes]

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00")
LAST_NS = 253_402_300_799 * 10**9
_cells = itemgetter(*(column.name for column in SPANS.raw))
_STATUS = {0: "unset", 1: "ok", 2: "error", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error"}


class Span(NamedTuple):
    """A span as it came off the wire: ids as lower-case hex, times in integer nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    status: int | str = 0
    events: Sequence[Event] = ()


def span_row(span: Span, resource: Resource) -> Row:
    """The raw row of one span. Raises ValueError for ids or times that cannot be."""
    shape = shape_of(tuple(span.attributes))
    found, rest = shape.sort(span.attributes, resource)
    kind = operation(found.get("operation"))
    start_ns, end_ns = span.start_ns, span.end_ns
    row: dict[str, Value] = {
        "trace_id": _id(span.trace_id, _TRACE_ID, "trace id", 32),
        "span_id": _id(span.span_id, _SPAN_ID, "span id", 16),
        "parent_id": _id(span.parent_id, _SPAN_ID, "parent id", 16) if span.parent_id.strip("0") else None,
        "name": span.name,
        "operation": kind,
        "start": _instant(start_ns),
        "duration_s": (end_ns - start_ns) / 1e9 if end_ns >= start_ns else None,
        "time_to_first_token_s": _first_token_s(span, found),
        "reported_cost_usd": _cost(found),
        "request_hash": None,
        "request": None,
        "attributes": attributes_json(rest),
    }
    if shape.asks or span.events:
        row.update(_request(span, kind))
    row.update(_NO_TOKENS if _USAGE.isdisjoint(found) else _tokens(found))
    row.update(_status(span, found))
    for column, field in _TEXTS:
        value = found.get(field)
        row[column] = value if type(value) is str else _text(value)
    cells: Row = _cells(row)
    return cells


_TEXTS = (
    ("provider", "provider"), ("model", "model"), ("conversation", "conversation"), ("user", "user"),
    ("source_service", "service"), ("source_environment", "environment"), ("prompt_name", "prompt_name"),
    ("prompt_version", "prompt_version"),
)  # fmt: skip


def said_text(value: Attribute) -> str | None:
    """A text as it is, a structure as JSON, nothing as None."""
    return _text(value)


def _text(value: Attribute) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else as_json(value)


_TRACE_ID = re.compile("(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile("(?!0{16})[0-9a-f]{16}")
_MOST_SHOWN = 200


def _id(text: str, form: re.Pattern[str], what: str, digits: int) -> str:
    if form.fullmatch(text):
        return text
    if form.fullmatch(text.lower()):
        return text.lower()
    # Whole and as it came: cleaning would not know a part of a secret, nor one in other letters.
    shown = repr(text) if len(text) <= _MOST_SHOWN else f"{len(text)} characters"
    raise ValueError(f"{what} is not {digits} hex digits: {shown}")


def _instant(at_ns: int) -> datetime:
    if not 0 < at_ns < LAST_NS:
        raise ValueError(f"start time is not an instant: {at_ns}")
    return _EPOCH + timedelta(0, at_ns // 10**9, at_ns // 1000 % 10**6)


def operation(value: Attribute) -> str | None:
    """Our name of a convention's kind of span."""
    if not isinstance(value, str):
        return None
    kind = value.strip().lower()
    return otlp_aliases.OPERATIONS.get(kind, kind)


def _status(span: Span, found: Attributes) -> dict[str, Value]:
    status = _STATUS.get(span.status, "unset")
    error = _text(found.get("error_type"))
    if error is None and status == "error":
        raised = (attributes.get("exception.type") for name, _, attributes in span.events if name == "exception")
        error = _text(next(raised, None))
    elif error is not None and status == "unset":
        status = "error"
    return {"status": "error" if found.get("level") == "ERROR" else status, "error_type": error}


def _first_token_s(span: Span, found: Attributes) -> float | None:
    """Seconds from start to the first token, from the attribute that says so, else from the event that marks it."""
    if not span.events and _FIRST_TOKENS.isdisjoint(found):
        return None
    seconds = fields.number(found.get("first_token_s"))
    if seconds is None and (ms := fields.number(found.get("first_token_ms"))) is not None:
        seconds = ms / 1e3
    if seconds is None and isinstance(at := found.get("first_token_at"), str):
        try:
            instant = fields.instant(at.strip('"'))
        except ValueError:
            instant = None
        seconds = (instant - _instant(span.start_ns)).total_seconds() if instant else None
    if seconds is None:
        marked = [at_ns for name, at_ns, _ in span.events if name in otlp_aliases.FIRST_TOKEN_EVENTS and at_ns]
        seconds = (min(marked) - span.start_ns) / 1e9 if marked else None
    return seconds if seconds is None or seconds >= 0 else None


_FIRST_TOKENS = frozenset({"first_token_s", "first_token_ms", "first_token_at"})


def _count(value: object) -> int | None:
    """A token count; int64 may be text, impossible and broken ones are null."""
    count = value if type(value) is int else fields.integer(value)
    return count if count is not None and 0 <= count <= MOST_TOKENS else None


def _tokens(found: Attributes) -> dict[str, Value]:
    """Token counts; input includes cached ones, output includes reasoning.

    The conventions say so, but some instrumentations leave them out: it shows when the part exceeds the whole, and then
    the part is added.
    """
    counts = {name: _count(found[name]) if name in found else None for name in _COUNTS}
    if "usage_json" in found and counts["input_tokens"] is None and counts["output_tokens"] is None:
        counts = usage_counts(_object(found["usage_json"]))
    cached, written = counts["cached_tokens"] or 0, counts["cache_write_tokens"] or 0
    if counts["input_tokens"] is not None and cached + written > counts["input_tokens"]:
        counts["input_tokens"] += cached + written
    reasoning = counts["reasoning_tokens"] or 0
    if counts["output_tokens"] is not None and reasoning > counts["output_tokens"]:
        counts["output_tokens"] += reasoning
    return dict(counts)


_COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
_USAGE = frozenset((*_COUNTS, "usage_json"))
_NO_TOKENS: dict[str, Value] = dict.fromkeys(_COUNTS)


def usage_counts(usage: Mapping[str, object]) -> dict[str, int | None]:
    """Token counts of Langfuse usage details, whose keys are parts (`input`, `input_cached_tokens`, `output`, …).

    Parts are added up unless they exceed the stated `total`: then they overlap, and only `input` and `output` count.
    """
    counts = {name: count for name in usage if (count := _count(usage[name])) is not None}
    inputs = [count for name, count in counts.items() if name.startswith(("input", "cache_"))]
    outputs = [count for name, count in counts.items() if name.startswith("output")]
    if "total" in counts and sum(inputs) + sum(outputs) > counts["total"]:
        inputs, outputs = ([counts[name]] if name in counts else [] for name in ("input", "output"))
    return {
        "input_tokens": sum(inputs) if inputs else None,
        "output_tokens": sum(outputs) if outputs else None,
        "cached_tokens": _first(counts, "input_cached_tokens", "input_cache_read", "cache_read_input_tokens"),
        "cache_write_tokens": _first(counts, "input_cache_creation", "cache_creation_input_tokens"),
        "reasoning_tokens": _first(counts, "output_reasoning_tokens", "output_reasoning"),
    }


def _first(counts: Mapping[str, int], *names: str) -> int | None:
    return next((counts[name] for name in names if name in counts), None)


def _cost(found: Attributes) -> Decimal | None:
    """Cost in USD as the span states it: the total, else the sum of its parts."""
    if _COSTS.isdisjoint(found):
        return None
    details = _object(found.get("cost_json"))
    stated = money(found.get("cost"))
    if stated is None:
        stated = money(details.get("total"))
    if stated is not None:
        return stated
    parts = [found.get("cost_prompt"), found.get("cost_completion"), *details.values()]
    return total(money(part) for part in parts)


_COSTS = frozenset({"cost", "cost_prompt", "cost_completion", "cost_json"})


def _object(value: Attribute) -> Mapping[str, object]:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def payload_row(span: Span) -> Row | None:
    """The raw row of `span_payloads`; None for a span that carries neither input nor output."""
    prompt = said(span.attributes, span.events, _PROMPT)
    completion = said(span.attributes, span.events, _COMPLETION)
    if prompt is None and completion is None:
        return None
    start = _instant(span.start_ns)
    return (
        _id(span.trace_id, _TRACE_ID, "trace id", 32),
        _id(span.span_id, _SPAN_ID, "span id", 16),
        start,
        said_text(_whole(prompt, span.attributes)),
        said_text(completion),
    )


def _whole(prompt: Attribute, attributes: Attributes) -> Attribute:
    """The input, together with the instructions, tools and settings that conventions carry beside it."""
    beside = {name: attributes[key] for name, key in otlp_aliases.BESIDE_INPUT if attributes.get(key)}
    return prompt if prompt is None or not beside else {**beside, "messages": prompt}


def said(attributes: Attributes, events: Sequence[Event], side: Side) -> Attribute:
    """One side of the conversation: the best attribute that holds it whole, else its parts, else its events; or None."""
    whole = () if side.names.isdisjoint(attributes) else side.ranked
    for name in whole:
        if attributes.get(name) not in (None, ""):
            return attributes[name]
    parts = {name: attributes[name] for name in attributes if side.part(name)}
    if parts:
        return parts
    if not events:
        return None
    told = [_told(name, content) for name, _, content in events if name in side.events]
    return told or next((content[side.ranked[0]] for _, _, content in events if side.ranked[0] in content), None)


def _told(event: str, content: Attributes) -> dict[str, Attribute]:
    """What an event says; `gen_ai.user.message` need not name the role that it has in its own name."""
    role = event.removeprefix("gen_ai.").removesuffix(".message")
    return {"role": role, **content} if role in _SPEAKERS else dict(content)


_SPEAKERS = frozenset({"system", "user", "assistant", "tool"})


class Side:
    """Names under which one side of a conversation is carried."""

    def __init__(self, ranked: tuple[str, ...], parts: tuple[str, ...], events: tuple[str, ...]) -> None:
        self.ranked, self.names, self.events = ranked, frozenset(ranked), frozenset(events)
        self._parts = parts

    def part(self, name: str) -> bool:
        """Whether an attribute holds one of several parts."""
        return is_part(name, self._parts)


def _request(span: Span, kind: str | None) -> dict[str, Value]:
    """The hash of the input, and the input itself where a person may stand behind it: `ingest` keeps its category only."""
    asked = request_of(span.attributes, span.events)
    if asked is None:
        return {"request_hash": None}
    return {"request_hash": asked[0], "request": None if kind in NOT_ASKED else asked[1]}


def request_of(attributes: Attributes, events: Sequence[Event] = ()) -> tuple[str, str | None] | None:
    """The hash of what was asked, and its text; None where nothing was."""
    prompt = said(attributes, events, _PROMPT)
    # Other instructions make another request, even to the same words.
    return None if prompt is None else (content_hash(_whole(prompt, attributes)), said_text(prompt))


NOT_ASKED = frozenset({"execute_tool", "embeddings", "retrieval", "rerank", "guardrail", "evaluate", "prompt"})
"""Operations whose input nobody asked for."""


_PROMPT = Side(otlp_aliases.INPUT, otlp_aliases.INPUT_PARTS, otlp_aliases.INPUT_EVENTS)
_COMPLETION = Side(otlp_aliases.OUTPUT, otlp_aliases.OUTPUT_PARTS, otlp_aliases.OUTPUT_EVENTS)


def content_hash(content: Attribute) -> str:
    """16 bytes of BLAKE2b over the text, or over the JSON of a structure, as hex."""
    text = content if isinstance(content, str) else as_json(content)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
