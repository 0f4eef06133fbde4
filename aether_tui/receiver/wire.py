"""What is said on the wire: requests in protobuf or JSON to rows, and answers in the request's own form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from aether_tui.receiver.body import Refusal
from aether_tui.records import Row
from aether_tui.records.source import Reject
from connectors import otlp_json, otlp_proto
from connectors.otlp import Decoded, rows_and_rejects
from connectors.otlp_attributes import Resource
from connectors.otlp_span import Span

MAX_SPANS: Final = 20_000
"""Spans of one request that are taken; exporters send 512 at a time."""

Form = Literal["protobuf", "json"]
TYPES: Final[dict[Form, str]] = {"protobuf": "application/x-protobuf", "json": "application/json"}
_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 12, 405: 12, 411: 3, 413: 8, 415: 3, 503: 14}  # google.rpc.Code


@dataclass(slots=True)
class Batch:
    """What a request holds: raw rows of `spans`, what was said in them, those that cannot be read, and how many were over the cap."""

    rows: list[Row] = field(default_factory=list)
    said: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    over: int = 0

    def rejected(self) -> tuple[int, str]:
        """How many spans are refused, and why, for the sender."""
        said = [f"{self.over} spans over the cap of {MAX_SPANS} in one request"] * bool(self.over)
        said += [reject.reason for reject in self.rejects[:3]]
        return self.over + len(self.rejects), "; ".join(said)


def form_of(content_type: str | None) -> Form:
    """The form a content type names. Raises Refusal (415)."""
    kind = (content_type or "").split(";", 1)[0].strip().lower()
    if kind in ("application/x-protobuf", "application/protobuf"):
        return "protobuf"
    if kind == "application/json":
        return "json"
    raise Refusal(
        415, f"send application/x-protobuf or application/json, not {kind[:60] or 'no content type'}", unread=True
    )


def decode(body: bytes, form: Form, *, payloads: bool = False) -> Batch:
    """Rows of one request, with what was said when it is to be kept. Raises Refusal (400) for what is not an OTLP trace request."""
    batch = Batch()
    try:
        spans = _json(body) if form == "json" else _protobuf(body)
        decoded: Iterable[Decoded] = ((span, resource, "received") for span, resource in _capped(spans, batch))
        for item in rows_and_rejects(decoded, payloads=payloads):
            if isinstance(item, Reject):
                batch.rejects.append(item)
            else:
                batch.rows.append(item[0])
                if item[1] is not None:
                    batch.said.append(item[1])
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"not an OTLP trace request: {error}") from error
    return batch


def _json(body: bytes) -> Iterator[tuple[Span, Resource]]:
    document = msgspec.json.decode(body)
    if not isinstance(document, dict) or not isinstance(document.get("resourceSpans", []), list):
        raise ValueError("no object with resourceSpans")
    if document and "resourceSpans" not in document:
        raise ValueError("no resourceSpans; only traces are received")
    return otlp_json.spans(document)


def _protobuf(body: bytes) -> Iterator[tuple[Span, Resource]]:
    signal = otlp_proto.signal_of(body[:4096])
    if signal in ("logs", "metrics"):
        raise ValueError(f"these are {signal}; only traces are received")
    return otlp_proto.spans(body)


def _capped(spans: Iterable[tuple[Span, Resource]], batch: Batch) -> Iterator[tuple[Span, Resource]]:
    for count, pair in enumerate(spans):
        if count < MAX_SPANS:
            yield pair
        else:
            batch.over += 1


def success(form: Form, rejected: int = 0, why: str = "") -> bytes:
    """ExportTraceServiceResponse; with `rejected` spans a partial success."""
    if form == "json":
        partial = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": why}} if rejected else {}
        return json.dumps(partial).encode()
    if not rejected:
        return b""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = rejected
    answer.partial_success.error_message = why
    return bytes(answer.SerializeToString())


def failure(form: Form, status: int, what: str) -> bytes:
    """google.rpc.Status: its code (field 1) and its message (field 2)."""
    code = _CODES.get(status, 2)
    if form == "json":
        return json.dumps({"code": code, "message": what}).encode()
    text = what.encode()[:120]
    return bytes((0x08, code, 0x12, len(text))) + text
