"""Real requests over loopback: what is taken, what is refused, and that acknowledged means stored."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import sleep

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.receiver.serving import Served, post, served, spans, stored

PROTOBUF = {"Content-Type": "application/x-protobuf"}
HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def open_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("refusals")) as one:
        yield one


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_python_sdk_delivers_and_is_redacted(tmp_path: Path, compression: Compression) -> None:
    with served(tmp_path) as one:
        provider = TracerProvider()
        exporter = OTLPSpanExporter(endpoint=f"{one.door.url}/v1/traces", compression=compression)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer = provider.get_tracer("test")
        for number in range(25):
            with (
                tracer.start_as_current_span("task"),
                tracer.start_as_current_span(
                    "chat",
                    attributes={
                        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "user.id": "canary-person",
                        "gen_ai.usage.input_tokens": number, "note": "canary@example.com",
                        "gen_ai.input.messages": "canary-prompt",
                    },
                ),
            ):  # fmt: skip
                pass
        provider.shutdown()
        assert one.receiver.numbers.received == 50
    assert stored(one.cache) == [50]
    assert stored(one.cache, "sum(input_tokens)") == [sum(range(25))]
    assert b"canary" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("file", "content_type", "path", "count"),
    [
        ("js-exporter-0.223.1.json", "application/json", "/v1/traces", 3),
        ("langfuse-python.protobuf.bin", "application/x-protobuf", "/api/public/otel/v1/traces", 1),
        ("python-sdk-1.45.2.protobuf.bin", "application/x-protobuf", "/v1/traces", 10),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_recorded_clients_deliver_in_chunks_without_a_length(
    tmp_path: Path, contracts: Path, file: str, content_type: str, path: str, count: int, packed: bool
) -> None:
    body = (contracts / "otlp" / "captured" / file).read_bytes()
    body = gzip.compress(body) if packed else body
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n"
        + "Content-Encoding: gzip\r\n" * packed
        + "Connection: close\r\n\r\n"
    )
    chunks = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (body[:100], body[100:]))
    with served(tmp_path) as one:
        answer = one.raw(head.encode() + chunks + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert stored(one.cache) == [count]


@pytest.mark.parametrize(
    ("body", "headers", "path", "status", "says"),
    [
        (b"garbage", {}, "/v1/traces", 400, b"not an OTLP trace request"),
        (b"[]", {}, "/v1/traces", 400, b"no object"),
        (b'{"resourceSpans": 5}', {}, "/v1/traces", 400, b"no object"),
        (b'{"resourceLogs": []}', {}, "/v1/traces", 400, b"only traces"),
        (b"[" * 200_000, {}, "/v1/traces", 400, b"not an OTLP trace request"),
        (b"garbage", PROTOBUF, "/v1/traces", 400, b"not an OTLP trace"),
        (b"\x0a\xff\xff\xff\xff\x0f", PROTOBUF, "/v1/traces", 400, b"not an OTLP trace"),
        (b"{}", {"Content-Type": "text/plain"}, "/v1/traces", 415, b"application/json"),
        (b"{}", {"Content-Encoding": "br"}, "/v1/traces", 415, b"gzip"),
        (b"{}", {"Content-Encoding": "gzip"}, "/v1/traces", 400, b"not gzip"),
        (gzip.compress(b"{}", mtime=0)[:-3], {"Content-Encoding": "gzip"}, "/v1/traces", 400, b"cut short"),
        (gzip.compress(bytes(17 << 20), mtime=0), {"Content-Encoding": "gzip"}, "/v1/traces", 413, b"16 MiB"),
        (b"{}", {"Content-Length": str(17 << 20)}, "/v1/traces", 413, b"16 MiB"),
        (b"{}", {"Content-Length": "9" * 400}, "/v1/traces", 413, b"16 MiB"),
        (b"{}", {"Content-Length": "x"}, "/v1/traces", 400, b"not a number"),
        (b"{}", {}, "/v1/metrics", 404, b"/v1/traces"),
        (b"{}", {"Host": "evil.example"}, "/v1/traces", 403, b"localhost"),
        (b"{}", {"Host": "127.0.0.1.evil.example:4318"}, "/v1/traces", 403, b"localhost"),
        (b"{}", {"Host": ""}, "/v1/traces", 403, b"localhost"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_refusals(open_door: Served, body: bytes, headers: dict[str, str], path: str, status: int, says: bytes) -> None:
    got, told, text = open_door.answer(body, headers, path)
    assert (got, says in text) == (status, True), text
    assert told["Content-Type"] == ("application/x-protobuf" if headers is PROTOBUF else "application/json")


def test_get_is_not_allowed_and_no_length_is_refused(open_door: Served) -> None:
    status, headers, _ = open_door.answer(b"", method="GET")
    assert (status, headers["Allow"]) == (405, "POST")
    head = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert open_door.raw(head + b"\r\n").startswith(b"HTTP/1.1 411 ")
    both = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert open_door.raw(head + both).startswith(b"HTTP/1.1 400 ")
    assert open_door.raw(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n").startswith(b"HTTP/1.1 400 ")


def test_no_chunked_body_passes_the_cap(open_door: Served) -> None:
    head = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert open_door.raw(head + b"fffffff\r\n").startswith(b"HTTP/1.1 413 ")


def test_broken_spans_are_a_partial_success_in_the_form_of_the_request(tmp_path: Path) -> None:
    good, bad = json.loads(spans(1)), json.loads(spans(2))
    block = good["resourceSpans"][0]["scopeSpans"][0]["spans"]
    block += [{**bad["resourceSpans"][0]["scopeSpans"][0]["spans"][0], "traceId": "AKIAIOSFODNN7EXAMPLE"}]
    without_ids = WireSpan(name="x", start_time_unix_nano=1)
    wire = TracesData(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[without_ids])])]).SerializeToString()
    with served(tmp_path) as one:
        status, _, text = one.answer(json.dumps(good).encode())
        assert status == 200
        assert json.loads(text)["partialSuccess"]["rejectedSpans"] == "1"
        assert "trace id is not 32 hex digits: '[token:" in json.loads(text)["partialSuccess"]["errorMessage"]
        status, _, text = one.answer(wire, PROTOBUF)
        assert (status, ExportTraceServiceResponse.FromString(text).partial_success.rejected_spans) == (200, 1)
        assert one.answer(spans(3))[2] == b"{}"
    assert stored(one.cache) == [2]
    with one.cache.read() as lease:
        (row,) = lease.rows("SELECT count(*) AS n FROM rejects")
    assert row["n"] == 2


def test_spans_over_the_cap_of_a_request_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aether_tui.receiver.wire.MAX_SPANS", 3)
    with served(tmp_path) as one:
        answer = json.loads(one.answer(spans(1, 2, 3, 4, 5))[2])
    assert answer["partialSuccess"]["rejectedSpans"] == "2"
    assert stored(one.cache) == [3]


def test_retries_and_repeats_within_and_between_requests_count_once(tmp_path: Path) -> None:
    with served(tmp_path) as one:
        for _ in range(3):
            assert one.answer(spans(1, 2, 2, 3))[0] == 200
    assert stored(one.cache) == [3]
    with served(tmp_path) as one:
        one.answer(spans(3, 4))
    assert stored(one.cache) == [4]
    assert one.cache.verify() == []


def test_a_connection_is_kept_and_many_send_at_once(tmp_path: Path) -> None:
    def send(trace: int) -> None:
        with closing(HTTPConnection("localhost", one.door.server_port)) as connection:
            answers[trace] = [post(connection, spans(number, trace=trace)) for number in range(1, 6)]

    answers: dict[int, list[int]] = {}

    with served(tmp_path) as one:
        threads = [threading.Thread(target=send, args=(trace,)) for trace in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {trace: [200] * 5 for trace in range(1, 9)}
    assert stored(one.cache) == [40]


def begun(open_door: Served, data: bytes) -> socket.socket:
    """A connection on which so much has come."""
    peer = socket.create_connection(("127.0.0.1", open_door.door.server_port), timeout=60)
    peer.sendall(data)
    return peer


def test_who_asks_first_is_told_to_send(open_door: Served) -> None:
    body = spans(1)
    head = HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    with begun(open_door, head) as peer:
        assert peer.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(body)
        assert peer.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_more_exporters_than_connections_are_all_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aether_tui.receiver.door.MAX_CONNECTIONS", 2)
    monkeypatch.setattr("aether_tui.receiver.door._SPARED_S", 0)
    with served(tmp_path) as one:
        exporters = [HTTPConnection("127.0.0.1", one.door.server_port, timeout=60) for _ in range(5)]
        for number, exporter in enumerate(exporters, 1):
            # On a busy machine all may be at work, then it is sent away, and sends again as exporters do.
            assert any(delivered(exporter, spans(number)) for _ in range(100))
        for exporter in exporters:
            exporter.close()
    assert stored(one.cache) == [5]


def delivered(exporter: HTTPConnection, body: bytes) -> bool:
    """Whether it is taken; False where the connection or the answer says to try again."""
    try:
        answer = post(exporter, body)
    except (ConnectionError, HTTPException):
        answer = 503
    assert answer in {200, 503}
    if answer == 503:
        exporter.close()
        sleep(0.01)
    return answer == 200


@pytest.mark.parametrize(
    "part", [HEAD + b"X-Slow: ", HEAD + b"Content-Length: 9\r\n\r\n{", b"POST /x HTTP/1.1\r\nHost: localhost\r\n\r\n"]
)
def test_a_request_that_never_ends_leaves_room_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: bytes
) -> None:
    monkeypatch.setattr("aether_tui.receiver.door.MAX_CONNECTIONS", 1)
    monkeypatch.setattr("aether_tui.receiver.door._IDLE_S", 0)
    with served(tmp_path) as one, begun(one, part):
        while one.answer(spans(1))[0] == 503:
            sleep(0.01)
    assert stored(one.cache) == [1]


def test_a_token_is_asked_of_everybody_once_there_is_one(tmp_path: Path) -> None:
    basic = base64.b64encode(b"pk-lf-1:s3cret").decode()
    with served(tmp_path, token="s3cret", host="0.0.0.0") as one:
        assert one.answer(spans(1))[0] == 401
        assert one.answer(spans(1), {"Authorization": "Bearer wrong"})[0] == 401
        assert one.answer(spans(1), {"Authorization": "Basic !"})[0] == 401
        assert one.answer(spans(1), {"Authorization": "Bearer s3cret", "Host": "box.example"})[0] == 200
        assert one.answer(spans(2), {"Authorization": f"Basic {basic}"})[0] == 200
    assert stored(one.cache) == [2]


def test_a_disk_that_refuses_is_503_and_nothing_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path) as one:
        assert one.answer(spans(1))[0] == 200
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            status, headers, text = one.answer(spans(2))
        assert (status, headers["Retry-After"], b"No space" in text) == (503, "1", True)
        assert one.answer(spans(3))[0] == 200
    assert {1, 3} <= {int(str(span), 16) for span in stored(one.cache, "span_id")}


def test_too_much_waiting_is_503_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aether_tui.receiver.service.MAX_WAITING", 2)
    with served(tmp_path) as one:
        assert one.answer(spans(1, 2))[0] == 200
        status, headers, _ = one.answer(spans(3))
        assert (status, headers["Retry-After"]) == (503, "1")
    assert stored(one.cache) == [2]
