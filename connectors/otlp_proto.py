"""OTLP's protobuf form: decoded by opentelemetry-proto, recognised by walking the first bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Final

from connectors.otlp_attributes import Attribute, Resource
from connectors.otlp_span import Span

PIECE_BYTES: Final = 256 << 10
"""Bytes of spans from which a piece of a message ends."""

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan


def spans(body: bytes) -> Iterator[tuple[Span, Resource]]:
    """Each span of one message with its resource. Raises ValueError when the message does not decode."""
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    decode_error: type[Exception] = import_module("google.protobuf.message").DecodeError  # ships no types
    try:
        message = TracesData.FromString(body)
    except decode_error as error:
        raise ValueError(f"not an OTLP trace message ({error})") from error
    if body and not message.resource_spans:
        raise ValueError("not an OTLP trace message (it holds nothing that is known)")
    for block in message.resource_spans:
        resource = Resource(_attributes(block.resource.attributes))
        for scope in block.scope_spans:
            for raw in scope.spans:
                yield _span(raw), resource


def divided(body: bytes) -> Iterator[bytes]:
    """A message as many small ones with the same spans in the same order: decoded whole it takes eight times its size. One that cannot
    be told apart stays whole, for `spans` to refuse."""
    view = memoryview(body)
    try:
        for _ in _pieces(view):
            pass
    except ValueError:
        yield body
        return
    for resource, spans in _pieces(view):
        yield _wrapped(1, resource + _wrapped(2, spans))


def _pieces(message: memoryview) -> Iterator[tuple[bytes, bytes]]:
    """Each time a resource, and some spans of it, as the fields that they are. Raises ValueError for what is no message."""
    for number, _, block in _fields(message):
        if number != 1:
            continue
        parts = list(_fields(block))
        resource = b"".join(whole for number, whole, _ in parts if number == 1)
        some = bytearray()
        for scope in (value for number, _, value in parts if number == 2):
            for number, whole, _ in _fields(scope):
                if number != 2:
                    continue
                some += whole
                if len(some) >= PIECE_BYTES:
                    yield resource, bytes(some)
                    some.clear()
        if some:
            yield resource, bytes(some)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Number, whole and value of each field; all of OTLP's blocks are told with their lengths. Raises ValueError for another kind."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        length, at = _varint(message, at)
        if tag & 7 != 2 or length < 0 or at + length > len(message):
            raise ValueError("not a message of blocks")
        yield tag >> 3, message[start : at + length], message[at : at + length]
        at += length


def _wrapped(number: int, value: bytes) -> bytes:
    """A field of bytes."""
    length, size = bytearray(), len(value)
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((number << 3 | 2, *length, size)) + value


def _span(raw: WireSpan) -> Span:
    return Span(
        raw.trace_id.hex(),
        raw.span_id.hex(),
        raw.parent_span_id.hex(),
        raw.name,
        raw.start_time_unix_nano,
        raw.end_time_unix_nano,
        _attributes(raw.attributes),
        raw.status.code,
        [(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in raw.events]
        if raw.events
        else (),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {}
    for pair in pairs:
        value = pair.value
        # A field that is not the one set is empty or zero, and to ask which is set costs as much as all of this.
        found[pair.key] = value.string_value or value.int_value or _value(value)
    return found


def _value(value: AnyValue) -> Attribute:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "string_value":
        return value.string_value
    if kind == "int_value":
        return value.int_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "double_value":
        return value.double_value
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return value.bytes_value.hex() if kind == "bytes_value" else None


def signal_of(head: bytes) -> str | None:
    """`traces`, `logs` or `metrics` when the bytes begin an OTLP message with at least one record, else None.

    Walks resource block, scope block and record by their field numbers; a trace's record begins with ids of 16 and
    8 bytes, a log's with a fixed 64-bit time, a metric's with a printable name.
    """
    record = head
    for number in (1, 2, 2):
        block = _field(record, number)
        if block is None:
            return None
        record = block
    if record[:1] in (b"\x09", b"\x59") and len(record) >= 9:
        return "logs"
    if record[:2] == b"\x0a\x10" and record[18:20] == b"\x12\x08":
        return "traces"
    name = _field(record, 1)
    return "metrics" if name and len(name) < 200 and name.isascii() and name.decode("ascii").isprintable() else None


def _field(message: bytes, wanted: int) -> bytes | None:
    """The first length-delimited field of that number, as far as the bytes go; None before any other kind of field."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 != 2 or not 1 <= tag >> 3 <= wanted:
            return None
        length, at = _varint(message, at)
        if length < 0:
            return None
        if tag >> 3 == wanted:
            return message[at : at + length]
        at += length
    return None


def _varint(message: bytes | memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 35:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return -1, len(message)
