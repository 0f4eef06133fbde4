"""OTLP trace files: captured bodies, the real SDK, and what hostile or broken files do."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aether_tui.records import Value
from aether_tui.records.never_stored import NEVER_STORED
from aether_tui.records.tables import MOST_WORD, SPANS
from aether_tui.text import BEYOND
from connectors import otlp, otlp_proto
from connectors.base import Malformed
from connectors.files import sample
from connectors.otlp import OtlpFiles
from connectors.otlp_aliases import FIELDS
from connectors.otlp_attributes import Attribute, Attributes, Resource
from connectors.otlp_span import Span, span_row
from tests.files.reading import named, read, stored, total

KIND = OtlpFiles()
TRACE, SPAN = "d97c819daac1a72bae0c63bb5718aea7", "f1d0abe9e63f5694"
START_NS = 1_795_221_300_833_000_000


def row(
    attributes: Attributes | None = None, *, resource: Attributes | None = None, **changes: object
) -> dict[str, Value]:
    values: dict[str, object] = {
        "trace_id": TRACE, "span_id": SPAN, "parent_id": "", "name": "chat", "start_ns": START_NS,
        "end_ns": START_NS + 1_500_000_000, "attributes": attributes or {}, **changes,
    }  # fmt: skip
    return named("spans", span_row(Span(**values), Resource(resource or {})))  # type: ignore[arg-type]  # test shorthand


def document(*names: str, attributes: dict[str, str] | None = None) -> dict[str, object]:
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in (attributes or {}).items()]
    spans = [
        {
            "traceId": TRACE, "spanId": f"{hash(name) & 0xFFFFFFFF | 1:016x}", "name": name,
            "startTimeUnixNano": str(START_NS), "endTimeUnixNano": str(START_NS + 10**9), "attributes": pairs,
        }
        for name in names
    ]  # fmt: skip
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans}]}]}


def lines(path: Path, *documents: object) -> Path:
    path.write_text("".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in documents))
    return path


# What real exporters sent


def test_captured_bodies_are_read(contracts: Path) -> None:
    folder = contracts / "otlp" / "captured"
    rows, rejects, _ = read(KIND, folder / "js-exporter-0.223.1.json")
    spans = rows["spans"]
    assert (len(spans), total(spans, "input_tokens"), total(spans, "output_tokens")) == (3, 33, 12)
    assert {span["model"] for span in spans} == {"claude-sonnet-4-5"}
    assert not rejects

    rows, rejects, _ = read(KIND, folder / "python-sdk-1.45.2.protobuf.bin")
    spans = rows["spans"]
    calls = [span for span in spans if span["operation"] == "chat"]
    assert (len(spans), len(calls)) == (10, 5)
    # Every call carries both conventions: the tokens count once.
    assert (total(calls, "input_tokens"), total(calls, "output_tokens")) == (510, 110)
    assert {call["parent_id"] for call in calls} <= {span["span_id"] for span in spans}
    assert {call["model"] for call in calls} == {"gpt-4o-2024-08-06"}
    assert {call["source_service"] for call in calls} == {"checkout-agent"}
    assert not rejects

    rows, _, _ = read(KIND, folder / "langfuse-python.protobuf.bin")
    (span,) = rows["spans"]
    assert (span["input_tokens"], span["output_tokens"], span["reported_cost_usd"]) == (10, 3, Decimal("0.001"))
    assert (span["operation"], span["model"], span["trace_id"]) == (
        "chat",
        "gpt-4o",
        "c3d2352d889602abff9b86d8a4595f5b",
    )


def test_spans_of_the_real_sdk_are_read(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=SdkResource({"service.name": "desk", "deployment.environment.name": "prod"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("invoke_agent helper") as agent, tracer.start_as_current_span("chat gpt") as span:
        span.set_attributes(
            {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "app.feature": "search"}
        )
        span.set_attributes({"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7})
        span.set_attribute("gen_ai.input.messages", "the secret canary")
        span.record_exception(TimeoutError("the secret canary"))
        span.set_status(status_of_error())
    body = encode_spans(exporter.get_finished_spans()).SerializeToString()
    path = tmp_path / "spans"
    path.write_bytes(gzip.compress(body))

    assert KIND.recognises(sample(path))
    rows, rejects, _ = read(KIND, path)
    call, root = rows["spans"]
    assert root["name"] == "invoke_agent helper"
    assert call["parent_id"] == root["span_id"] == f"{agent.get_span_context().span_id:016x}"
    assert call["trace_id"] == f"{agent.get_span_context().trace_id:032x}"
    assert (call["input_tokens"], call["output_tokens"], call["model"]) == (12, 7, "gpt-4o")
    assert (call["status"], call["error_type"]) == ("error", "TimeoutError")
    assert (call["source_service"], call["source_environment"]) == ("desk", "prod")
    assert json.loads(cast("str", call["attributes"])) == {"app.feature": "search"}
    assert "canary" not in stored(rows["spans"])
    assert [said["prompt"] for said in rows["span_payloads"]] == ["the secret canary"]
    assert call["request_hash"]
    assert not rejects


def status_of_error() -> object:
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode.ERROR)


# Forms of files


def test_a_malformed_line_is_a_reject_and_the_other_lines_load(tmp_path: Path) -> None:
    documents: list[object] = [document(f"call {n}") for n in range(1000)]
    documents[2] = '{"resourceSpans": [{"resource'
    path = lines(tmp_path / "traces.jsonl", *documents)
    rows, rejects, _ = read(KIND, path)
    assert len(rows["spans"]) == 999
    (reject,) = rejects
    assert (reject.where, reject.reason) == (f"{path}:3", "not a JSON document")


def test_a_malformed_first_line_is_a_reject_too(tmp_path: Path) -> None:
    path = lines(tmp_path / "traces.jsonl", '{"resourceSpans": [', document("a"), document("b"))
    rows, rejects, _ = read(KIND, path)
    assert len(rows["spans"]) == 2
    assert [reject.where for reject in rejects] == [f"{path}:1"]


def test_an_indented_document_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(document("a", "b"), indent=2))
    assert KIND.recognises(sample(path))
    rows, rejects, _ = read(KIND, path)
    assert len(rows["spans"]) == 2
    assert not rejects


def test_a_cut_document_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(document("a", "b"), indent=2)[:-40])
    with pytest.raises(Malformed, match=r"trace\.json: not JSON .*line \d+"):
        read(KIND, path)


@pytest.mark.parametrize(("key", "signal"), [("resourceLogs", "logs"), ("resourceMetrics", "metrics")])
def test_other_signals_are_refused_by_name(key: str, signal: str, tmp_path: Path) -> None:
    mixed = lines(tmp_path / "mixed.jsonl", {key: []}, document("one"), {key: []})
    found, rejects, problems = read(KIND, mixed)
    assert (len(found["spans"]), rejects) == (1, [])
    assert f"2 of {signal}" in problems[0]
    path = lines(tmp_path / "x.json", {key: []}, {key: []})
    assert KIND.recognises(sample(path))
    with pytest.raises(Malformed, match=f"holds OTLP {signal}, not traces"):
        read(KIND, path)


def test_other_signals_in_protobuf_are_refused_by_name(tmp_path: Path) -> None:
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, LogsData, ResourceLogs, ScopeLogs
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, MetricsData, ResourceMetrics, ScopeMetrics

    path = tmp_path / "x.bin"
    records = [LogRecord(time_unix_nano=START_NS)]
    logs = LogsData(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])])
    metrics = MetricsData(
        resource_metrics=[ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[Metric(name="gen_ai.tokens")])])]
    )
    for message, signal in ((logs, "logs"), (metrics, "metrics")):
        path.write_bytes(message.SerializeToString())
        assert KIND.recognises(sample(path))
        with pytest.raises(Malformed, match=f"holds OTLP {signal}"):
            read(KIND, path)


def test_cut_protobuf_is_refused(contracts: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.bin"
    path.write_bytes((contracts / "otlp" / "captured" / "python-sdk-1.45.2.protobuf.bin").read_bytes()[:-20])
    with pytest.raises(Malformed, match=r"cut\.bin: not an OTLP trace message"):
        read(KIND, path)


def test_a_message_in_pieces_is_the_whole_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    message, path = TracesData(), tmp_path / "spans"
    for place in range(60):
        if place % 20 == 0:
            block = message.resource_spans.add(schema_url="s")
            named = block.resource.attributes.add(key="service.name")
            named.value.string_value = f"desk {place}"
        if place % 5 == 0:
            scope = block.scope_spans.add(schema_url="s")
            scope.scope.name = "x"
        span = scope.spans.add(trace_id=bytes([1, *[place] * 15]), span_id=bytes([2] * 8), name="n" * (place * 7))
        span.start_time_unix_nano, span.end_time_unix_nano = START_NS, START_NS + place
        span.events.add(name="exception")
    body = message.SerializeToString()
    path.write_bytes(body)
    whole = read(KIND, path)
    assert len(whole[0]["spans"]) == 60 and not whole[1]
    monkeypatch.setattr(otlp, "DIVIDED_FROM", 0)
    monkeypatch.setattr(otlp_proto, "PIECE_BYTES", 300)
    pieces = list(otlp_proto.divided(body))
    assert len(pieces) > 20 and max(map(len, pieces)) < 1000
    assert read(KIND, path) == whole
    for other in (body[:-3], body + b"\x10\x05", body + b"\x0a", b"\x80" * 9):
        assert list(otlp_proto.divided(other)) == [other]
    path.write_bytes(len(body).to_bytes(4, "big") + body + b"\x20\x00\x00\x00" + body)
    with pytest.raises(Malformed, match=f"message at byte {4 + len(body)} says that it is larger than 256 MiB"):
        read(KIND, path)


def test_framed_messages_of_the_collector_are_read(contracts: Path, tmp_path: Path) -> None:
    body = (contracts / "otlp" / "captured" / "langfuse-python.protobuf.bin").read_bytes()
    path = tmp_path / "framed.bin"
    path.write_bytes((len(body).to_bytes(4, "big") + body) * 2)
    assert KIND.recognises(sample(path))
    rows, _, _ = read(KIND, path)
    assert len(rows["spans"]) == 2
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Malformed, match="message at byte 590 is cut short"):
        read(KIND, path)


@pytest.mark.parametrize("head", [b"\nplain text", b"\n\x05hello", b"", b"{}", b'{"spans": []}', b"<testsuite/>"])
def test_other_files_are_not_claimed(head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(head)
    assert not KIND.recognises(sample(path))


def test_a_span_with_impossible_ids_or_times_is_a_reject(tmp_path: Path) -> None:
    broken = document("a", "b", "c", "d")
    spans = broken["resourceSpans"][0]["scopeSpans"][0]["spans"]  # type: ignore[index]
    spans[0]["traceId"] = "00000000000000000000000000000000"
    spans[1]["spanId"] = "not hex at all!!"
    spans[2]["startTimeUnixNano"] = "0"
    rows, rejects, _ = read(KIND, lines(tmp_path / "x.json", broken))
    assert [span["name"] for span in rows["spans"]] == ["d"]
    assert [reject.reason.split(":")[0] for reject in rejects] == [
        "trace id is not 32 hex digits", "span id is not 16 hex digits", "start time is not an instant",
    ]  # fmt: skip


# What a row says


def test_times_are_exact_integers_of_nanoseconds() -> None:
    span = row(end_ns=START_NS + 123_456_789)
    assert span["start"] == datetime.fromisoformat("2026-11-21T00:35:00.833")
    assert span["duration_s"] == 0.123456789
    assert row(end_ns=START_NS - 1)["duration_s"] is None


def test_ids_are_lower_case_hex() -> None:
    assert row(trace_id=TRACE.upper())["trace_id"] == TRACE
    assert row(parent_id="0000000000000000")["parent_id"] is None


@pytest.mark.parametrize(
    "field", ["input_tokens", "output_tokens", "cached_tokens", "model", "provider", "conversation"]
)
def test_every_alias_fills_its_field_and_the_first_one_wins(field: str) -> None:
    column = field
    values: dict[str, Attribute] = {name: str(n + 5) for n, name in enumerate(FIELDS[field])}
    for name, value in values.items():
        assert str(row({name: value})[column]) == value
    assert str(row(dict(reversed(values.items())))[column]) == "5"


def test_tokens_left_out_of_the_whole_are_added() -> None:
    inclusive = row({"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 60})
    assert (inclusive["input_tokens"], inclusive["cached_tokens"]) == (100, 60)
    exclusive = row({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 60})
    assert (exclusive["input_tokens"], exclusive["cached_tokens"]) == (70, 60)


def test_langfuse_usage_parts_are_added_unless_they_overlap_the_total() -> None:
    def tokens(usage: str) -> tuple[Value, Value, Value]:
        span = row({"langfuse.observation.usage_details": usage})
        return span["input_tokens"], span["output_tokens"], span["cached_tokens"]

    assert tokens('{"input": 40, "input_cached_tokens": 60, "output": 5, "total": 105}') == (100, 5, 60)
    assert tokens('{"input": 100, "input_cached_tokens": 60, "output": 5, "total": 105}') == (100, 5, 60)
    assert tokens('{"input": 10, "output": 3}') == (10, 3, None)
    assert tokens("not json") == (None, None, None)


@pytest.mark.parametrize(
    ("attributes", "cost"),
    [
        ({"llm.cost.total": 0.0000001}, "0.0000001"),
        ({"llm.cost.prompt": 0.25, "llm.cost.completion": "0.5"}, "0.75"),
        ({"langfuse.observation.cost_details": '{"input": 0.1, "output": 0.2}'}, "0.3"),
        ({"langfuse.observation.cost_details": '{"input": 0.1, "total": 1E-7}'}, "0.0000001"),
        ({"llm.cost.total": float("nan")}, None),
        ({}, None),
    ],
)
def test_reported_cost(attributes: Attributes, cost: str | None) -> None:
    assert row(attributes)["reported_cost_usd"] == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("attributes", "operation"),
    [
        ({"openinference.span.kind": "LLM"}, "chat"),
        ({"traceloop.span.kind": "tool"}, "execute_tool"),
        ({"llm.request.type": "completion"}, "text_completion"),
        ({"langfuse.observation.type": "span"}, None),
        ({"gen_ai.operation.name": "embeddings", "openinference.span.kind": "LLM"}, "embeddings"),
        ({"gen_ai.operation.name": "new_kind"}, "new_kind"),
    ],
)
def test_operations_of_all_conventions(attributes: Attributes, operation: str | None) -> None:
    assert row(attributes)["operation"] == operation


def test_first_token_from_attribute_or_event() -> None:
    assert row({"gen_ai.response.time_to_first_chunk": 0.25})["time_to_first_token_s"] == 0.25
    event = ("First Token Stream Event", START_NS + 400_000_000, {})
    assert row(events=[event])["time_to_first_token_s"] == 0.4
    at = (datetime.fromisoformat("2026-11-21T00:35:00.833") + timedelta(milliseconds=300)).isoformat() + "Z"
    assert row({"langfuse.observation.completion_start_time": f'"{at}"'})["time_to_first_token_s"] == 0.3
    assert row()["time_to_first_token_s"] is None


def test_content_and_persons_are_never_stored_but_equal_requests_have_equal_hashes() -> None:
    told: dict[str, Attribute] = {
        f"{name}0" if name.endswith(".") else name: "the secret canary" for name in NEVER_STORED
    }
    told["llm.input_messages.0.message.content"] = "the secret canary"
    told["gen_ai.prompt.0.content"] = "the secret canary"
    told["kept"] = "x"
    events = [("gen_ai.user.message", START_NS, {"content": "the secret canary"})]
    span = row(told, events=events)
    assert json.loads(cast("str", span["attributes"])) == {"kept": "x"}
    assert "canary" not in stored([span])

    said = {"input.value": "where is my parcel"}
    assert row(said)["request_hash"] == row(said, name="other")["request_hash"]
    assert row(said)["request_hash"] != row({"input.value": "where is my parcel?"})["request_hash"]
    assert row(said)["request_hash"] != row({**said, "gen_ai.system_instructions": "be brief"})["request_hash"]
    assert row(events=events)["request_hash"]
    assert row()["request_hash"] is None


def test_the_user_is_a_column_and_not_an_attribute() -> None:
    span = row({"user.id": "mia@example.com", "enduser.id": "mia", "user.email": "mia@example.com"})
    assert span["user"] == "mia"
    assert span["attributes"] is None


def test_attributes_are_capped_and_the_resource_comes_after_the_span() -> None:
    many: dict[str, Attribute] = {f"a{n}": "x" * 1000 for n in range(100)}
    stored = json.loads(cast("str", row(many)["attributes"]))
    assert len(stored) == 64
    assert {len(value) for value in stored.values()} == {MOST_WORD + BEYOND}
    both = row({"team": "span"}, resource={"team": "resource", "region": "eu", "service.name": "desk"})
    assert json.loads(cast("str", both["attributes"])) == {"team": "span", "region": "eu"}
    assert both["source_service"] == "desk"


def test_rows_have_the_order_of_the_table() -> None:
    assert list(row()) == [column.name for column in SPANS.raw]
