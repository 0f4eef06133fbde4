"""Something recognisable in every text of a trace: it is nowhere on the disk, also when the receiver is killed at once."""

from __future__ import annotations

import json
import os
import signal
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from connectors.otlp_aliases import FIELDS
from tests.cache.samples import dump
from tests.receiver.serving import START_NS, post
from tests.receiver.test_receive import cache, receiving

CANARY = "canary"
_NUMBERS = count()


def canary() -> str:
    """A mail address of its own."""
    return f"{CANARY}{next(_NUMBERS)}@example.org"


def pair(name: str) -> dict[str, object]:
    return {"key": name, "value": {"stringValue": canary()}}


def request() -> bytes:
    """One span with a canary under every name we know, under one we do not, in lists, objects, events and what was said."""
    names = sorted({name for names in FIELDS.values() for name in names})
    said = json.dumps([{"role": "user", "content": f"my address is {canary()}"}])
    attributes = [
        *map(pair, names),
        pair("something.else"),
        {"key": f"key {canary()}", "value": {"stringValue": "x"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": canary()}]}}},
        {"key": "object", "value": {"kvlistValue": {"values": [pair("inner")]}}},
        *(
            {"key": key, "value": {"stringValue": said}}
            for key in ("gen_ai.input.messages", "gen_ai.output.messages", "input.value", "output.value")
        ),
    ]
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": f"chat {canary()}",
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 10**9),
        "attributes": attributes,
        "status": {"code": 2, "message": canary()},
        "traceState": canary(),
        "events": [
            {
                "name": canary(),
                "timeUnixNano": str(START_NS),
                "attributes": [pair("exception.message"), pair("exception.type")],
            }
        ],
    }
    refused = {**span, "spanId": canary(), "name": canary()}
    scope = {"scope": {"name": canary(), "version": canary()}, "spans": [span, refused]}
    return json.dumps(
        {"resourceSpans": [{"resource": {"attributes": list(map(pair, names))}, "scopeSpans": [scope]}]}
    ).encode()


def as_protobuf(body: bytes, span_id: bytes) -> bytes:
    """The same request in OTLP's other form; ids are bytes there."""
    document = json.loads(body)
    for span, own in zip(
        document["resourceSpans"][0]["scopeSpans"][0]["spans"], (span_id, b"too long " * 9), strict=True
    ):
        span["traceId"] = b64encode(bytes.fromhex(span["traceId"])).decode()
        span["spanId"] = b64encode(own).decode()
    message = ParseDict(document, TracesData())
    return bytes(message.SerializeToString())


def seen(root: Path) -> list[str]:
    """Files of the engagement in which a canary can be read."""
    files = [path for path in root.rglob("*") if path.is_file()]
    assert files
    return [str(path) for path in files if CANARY.encode() in path.read_bytes()]


def test_no_canary_reaches_the_disk_before_or_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("[privacy]\nkeep_payloads = true\n")
    with receiving(tmp_path) as (child, _, port):
        with closing(HTTPConnection("127.0.0.1", port)) as connection:
            assert post(connection, request()) == 200
            assert post(connection, as_protobuf(request(), b"12345678"), "application/x-protobuf") == 200
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert seen(tmp_path) == []
    with receiving(tmp_path) as (child, _, _):
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=120)
    assert CANARY not in out + err
    assert seen(tmp_path) == []
    stored = dump(cache(tmp_path), but=())
    assert CANARY not in str(stored)
    assert "[email:" in str(stored["spans"])
    assert "[email:" in str(stored["span_payloads"])
    assert (len(stored["spans"]), len(stored["span_payloads"]), len(stored["rejects"])) == (2, 2, 2)
