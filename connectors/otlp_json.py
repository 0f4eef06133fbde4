"""OTLP's JSON form: ids are hex, 64-bit integers are text, enums are integers, names are lowerCamelCase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from connectors import fields
from connectors.otlp_attributes import Attribute, Resource
from connectors.otlp_span import Span

SIGNALS = {"resourceSpans": "traces", "resourceLogs": "logs", "resourceMetrics": "metrics"}
MAX_DEPTH = 16
PIECE_BYTES: Final = 256 << 10
"""Bytes of spans from which a piece of a document ends."""
_NOTHING: Final = msgspec.Raw(b"null")


class _Scope(msgspec.Struct):
    spans: list[msgspec.Raw] = []


class _Block(msgspec.Struct):
    resource: msgspec.Raw = _NOTHING
    scopeSpans: list[_Scope] = []  # noqa: N815  # as the protocol names it
    instrumentationLibrarySpans: list[_Scope] = []  # noqa: N815


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    resourceSpans: list[_Block]  # noqa: N815


def divided(body: bytes | bytearray) -> Iterator[bytes] | None:
    """A trace document as many small ones, each a line without its end, with the same spans in the same order: read whole, a document
    takes ten times its size. None where it is not one as the protocol has it."""
    try:
        document = msgspec.json.decode(body, type=_Document)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return _pieces(document)


def _pieces(document: _Document) -> Iterator[bytes]:
    blocks: list[bytes] = []
    size = 0
    for block in document.resourceSpans:
        for some in _some(block):
            blocks.append(b'{"resource":%b,"scopeSpans":[{"spans":[%b]}]}' % (bytes(block.resource), b",".join(some)))
            size += len(blocks[-1])
            if size >= PIECE_BYTES:
                yield _piece(blocks)
                blocks, size = [], 0
    if blocks:
        yield _piece(blocks)


def _some(block: _Block) -> Iterator[list[msgspec.Raw]]:
    """The spans of a block, as many at a time as make a piece."""
    found: list[msgspec.Raw] = []
    size = 0
    for scope in (*block.scopeSpans, *block.instrumentationLibrarySpans):
        for span in scope.spans:
            found.append(span)
            size += len(memoryview(span))
            if size >= PIECE_BYTES:
                yield found
                found, size = [], 0
    if found:
        yield found


def _piece(blocks: list[bytes]) -> bytes:
    piece = b'{"resourceSpans":[%b]}' % b",".join(blocks)
    return msgspec.json.format(piece, indent=-1) if b"\n" in piece or b"\r" in piece else piece


def spans(document: Mapping[str, object]) -> Iterator[tuple[Span, Resource]]:
    """Each span of one trace document with its resource; what is missing in a span is empty or zero."""
    for block in fields.objects(document, "resourceSpans"):
        resource = Resource(_attributes(fields.dig(block, "resource")))
        for scope in (*fields.objects(block, "scopeSpans"), *fields.objects(block, "instrumentationLibrarySpans")):
            for raw in fields.objects(scope, "spans"):
                yield _span(raw), resource


def resource_of(attributes: object) -> Resource:
    """A resource by its list of attributes."""
    return Resource(_pairs(attributes, 0))


def value_of(value: object) -> Attribute:
    """What the protocol wraps as an attribute's value."""
    return _value(value, 0)


def _span(raw: Mapping[str, object]) -> Span:
    code = fields.dig(raw, "status", "code")
    events = raw.get("events")
    return Span(
        trace_id=fields.text(raw, "traceId") or "",
        span_id=fields.text(raw, "spanId") or "",
        parent_id=fields.text(raw, "parentSpanId") or "",
        name=fields.text(raw, "name") or "",
        start_ns=fields.integer(raw, "startTimeUnixNano") or 0,
        end_ns=fields.integer(raw, "endTimeUnixNano") or 0,
        attributes=_attributes(raw),
        status=code if isinstance(code, int | str) else 0,
        events=[
            (fields.text(event, "name") or "", fields.integer(event, "timeUnixNano") or 0, _attributes(event))
            for event in fields.objects(raw, "events")
        ]
        if events
        else (),
    )


def _attributes(node: object) -> dict[str, Attribute]:
    return _pairs(node.get("attributes"), 0) if isinstance(node, dict) else {}


def _pairs(pairs: object, depth: int) -> dict[str, Attribute]:
    """Key-value pairs as a mapping; decoded JSON holds plain dicts and lists, so no wider check is paid for."""
    found: dict[str, Attribute] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        if type(pair) is dict and type(key := pair.get("key")) is str:
            value = pair.get("value")
            # Nearly every value is a text, alone in its object.
            said = value.get("stringValue") if type(value) is dict and len(value) == 1 else None
            found[key] = said if type(said) is str else _value(value, depth)
    return found


def _value(value: object, depth: int) -> Attribute:
    if not isinstance(value, dict) or not value or depth > MAX_DEPTH:
        return None
    ((kind, held), *_) = value.items()
    if kind == "intValue":
        return fields.integer(held)
    if kind == "arrayValue":
        items = fields.dig(held, "values")
        return [_value(item, depth + 1) for item in items] if isinstance(items, list) else []
    if kind == "kvlistValue":
        return _pairs(fields.dig(held, "values"), depth + 1)
    return held if isinstance(held, str | bool | int | float) else None
