"""Large OTLP files by scan: row by row what the patient way makes of them, and what is not simple is left to it."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.cache.bulk import scanned
from aether_tui.cache.schema import ROLLUPS
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records.tables import SPANS
from aether_tui.sync.intake import Intake, Writer
from connectors import otlp, otlp_json, otlp_scan
from connectors.base import Page
from connectors.otlp import OtlpFiles
from connectors.otlp_scan import Scan

NOW = datetime(2026, 11, 21, tzinfo=UTC)
START_NS = 1_795_221_300_833_000_123
PLAIN: list[object] = [
    {"stringValue": "f1"}, {"stringValue": "Käse / ☃ 'x'"}, {"stringValue": ""}, {"stringValue": "12"}, {"stringValue": "{a}"},
    {"intValue": "7"}, {"intValue": 12}, {"intValue": "-3"}, {"intValue": "900000000"}, {"intValue": "2000000000"},
    {"boolValue": True}, {"boolValue": False}, {"doubleValue": 0.25}, {"doubleValue": 3}, {"doubleValue": 5.0},
    {"doubleValue": 0.0001}, {"doubleValue": -123456.789}, {"arrayValue": {"values": [{"stringValue": "stop"}]}},
    {"arrayValue": {"values": [{"stringValue": "Ü"}]}}, {}, None, {"stringValue": "mail jo@example.org"},
    {"stringValue": "0.25"}, {"stringValue": "-7"}, {"stringValue": "007"},
    {"stringValue": "password=hunter2!"}, {"arrayValue": {"values": [{"stringValue": "jo@example.org"}]}},
]  # fmt: skip
NUMBERS: list[object] = [
    {"stringValue": said}
    for said in ("1e3", " 12", "1_000", "+5", "0x1F", "12.0", "nan", "inf", "9" * 30, "many", "true", "\u0661", "")
]
"""As texts: not all of them are numbers to everybody."""
ODD: list[object] = [
    {"stringValue": 'say "it"'}, {"stringValue": "a\nb"}, {"stringValue": "C:\\"}, {"stringValue": "x" * 300}, {"stringValue": 5},
    {"stringValue": 'a","'}, {"stringValue": '["a"]'}, {"stringValue": 'C:\\"'}, {"stringValue": "\x1b[0m \u2028"},
    {"stringValue": "ü\n" * 600},
    {"stringValue": None}, {"stringValue": "a", "intValue": "1"}, {"intValue": "1", "stringValue": "a"}, {"intValue": "007"},
    {"intValue": "x"}, {"intValue": 1.5}, {"intValue": "99999999999999999999"}, {"intValue": " 5"}, {"doubleValue": 1e-7},
    {"doubleValue": 1e300}, {"doubleValue": -0.0}, {"doubleValue": "NaN"}, {"doubleValue": "0.5"}, {"boolValue": "true"},
    {"arrayValue": {"values": []}}, {"arrayValue": {}}, {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}]}},
    {"arrayValue": {"values": [{"stringValue": 'q"'}]}}, {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}},
    {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}]}}, {"bytesValue": "AAE="}, {"unknownValue": "u"},
    "text", 5, [1], {"stringValue": "\ud800"},
]  # fmt: skip
NAMES = (
    "gen_ai.operation.name", "openinference.span.kind", "gen_ai.response.model", "gen_ai.request.model", "gen_ai.provider.name",
    "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning_tokens", "gen_ai.response.time_to_first_chunk", "ai.response.msToFirstChunk", "session.id", "user.id",
    "error.type", "langfuse.observation.level", "service.name", "deployment.environment.name", "gen_ai.prompt.name",
    "gen_ai.prompt.version", "app.feature", "app.team", "gen_ai.request.temperature", "gen_ai.response.finish_reasons",
    "client.address", "ä.key", "",
)  # fmt: skip
COUNTED = ("gen_ai.usage.", "gen_ai.response.time_", "ai.response.ms")
ODD_NAMES = (
    'quo"te', "n" * 300, "gen_ai.usage.cost", "langfuse.observation.usage_details", "output.value", "gen_ai.input.messages",
    "llm.output_messages.0.message.content", 5, None,
)  # fmt: skip
SAID = {
    name: [
        {"stringValue": "who is jo@example.org?"}, {"stringValue": json.dumps([{"role": "user", "content": 'say "ä"\n' * 40}])},
        {"stringValue": ""}, {}, None, {"arrayValue": {"values": [{"kvlistValue": {"values": [
            {"key": "role", "value": {"stringValue": "user"}}, {"key": "n", "value": {"doubleValue": 1.50}}]}}]}},
    ]
    for name in (
        "gen_ai.input.messages", "input.value", "gen_ai.prompt.0.content", "gen_ai.prompt.1.content", "llm.invocation_parameters",
        "gen_ai.system_instructions", "gen_ai.output.messages", "llm.output_messages.0.message.content", "gen_ai.prompt",
    )
}  # fmt: skip
FITTING = {
    "gen_ai.operation.name": ("chat", "LLM", "tool", "unknown", "My Own"),
    "gen_ai.response.model": ("gpt-4o", "o3"),
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "SCANNED_FROM", 1 << 20)
    monkeypatch.setattr(otlp, "ALONE_FROM", 1 << 20)


def attribute(rng: random.Random, odd: bool) -> object:
    name: object = rng.choice(NAMES)
    value = rng.choice(NUMBERS if isinstance(name, str) and name.startswith(COUNTED) and rng.random() < 0.1 else PLAIN)
    if rng.random() < 0.6 and name in FITTING:
        value = {"stringValue": rng.choice(FITTING[str(name)])}
    if odd and rng.random() < 0.5:
        return rng.choice([{"key": rng.choice(ODD_NAMES), "value": value}, {"value": value}, 3, None, "a"])
    return {"key": name, "value": rng.choice(ODD) if odd else value}


def span(rng: random.Random, number: int, odd: bool) -> object:
    attributes = [attribute(rng, False) for _ in range(rng.randrange(8))]
    if number % 7 == 0:
        attributes += [
            {"key": name, "value": rng.choice(SAID[name])} for name in rng.sample(list(SAID), rng.randrange(1, 4))
        ]
    attributes = list({json.dumps(one["key"]): one for one in attributes}.values())  # type: ignore[index]  # as made above
    found: dict[str, object] = {
        "traceId": f"{number // 3 + 1:032x}", "spanId": f"{number + 1:016x}", "name": rng.choice(["chat", "", "ünd so"]),
        "parentSpanId": rng.choice(["", "0" * 16, f"{number:016X}" if number else ""]), "startTimeUnixNano": str(START_NS + number),
        "endTimeUnixNano": rng.choice([str(START_NS + number + 500_000_001), START_NS, "1"]), "attributes": attributes,
        "kind": 3, "flags": 257, "traceState": "a=b", "droppedAttributesCount": 0,
    }  # fmt: skip
    found |= rng.choice(
        [
            {},
            {"status": {}},
            {"status": {"code": 2, "message": "m"}},
            {"status": {"code": "STATUS_CODE_OK"}},
            {"events": []},
            {
                "events": [
                    {"name": "ai.stream.firstChunk", "attributes": [attribute(rng, False)]},
                    {"timeUnixNano": "5"},
                    3,
                ]
            },
        ]
    )
    if not odd:
        return found
    twist = rng.randrange(3)
    if twist == 0:
        attributes.insert(rng.randrange(len(attributes) + 1), attribute(rng, True))
    elif twist == 1 and attributes:
        attributes.append(attributes[0])
    else:
        found |= rng.choice(ODD_SPANS)
    return rng.choice([found] * 20 + [None, "span", 7])


ODD_SPANS: list[dict[str, object]] = [
    {"traceId": "0" * 32}, {"traceId": "xyz"}, {"traceId": None}, {"spanId": 5}, {"parentSpanId": "nope"}, {"name": 5}, {"name": ["a"]},
    {"name": 'a"b'}, {"name": None}, {"startTimeUnixNano": None}, {"startTimeUnixNano": "0"}, {"startTimeUnixNano": "12x"},
    {"startTimeUnixNano": 1.5e18}, {"startTimeUnixNano": "-5"}, {"endTimeUnixNano": None}, {"endTimeUnixNano": str(START_NS * 2)},
    {"attributes": None}, {"attributes": "no"}, {"attributes": {"key": "a"}}, {"status": "bad"}, {"status": {"code": True}},
    {"status": {"code": 7}}, {"status": {"code": "2"}}, {"status": {"code": 1.0}},
    {"events": [{"name": "exception", "timeUnixNano": "5", "attributes": [{"key": "exception.type", "value": {"stringValue": "E"}}]}]},
    {"events": {}}, {"events": "x"}, {"events": [{"name": "gen_ai.choice", "attributes": [{"key": "a", "value": {"stringValue": "A"}}]}]},
    {"events": [{"name": "gen_ai.user.message", "attributes": [{"key": "content", "value": {"stringValue": "U"}}]}]},
    {"events": [{"name": "e", "attributes": [{"key": "gen_ai.input.messages", "value": {"stringValue": "I"}}]}]},
    {"events": [{"name": "e", "attributes": [{"key": "gen_ai.output.messages", "value": {"stringValue": "O"}}]}]},
    {"events": [{"name": "First Token Stream Event", "timeUnixNano": str(START_NS + 10**8)}]}, {"traceId": "ABCDEF" + "0" * 26},
]  # fmt: skip
RESOURCES: list[object] = [
    {}, None, {"attributes": []}, {"attributes": [{"key": "service.name", "value": {"stringValue": "desk"}}]},
    {"attributes": [
        {"key": "service.name", "value": {"stringValue": "answers"}}, {"key": "service.version", "value": {"stringValue": "1.0"}},
        {"key": "app.team", "value": {"stringValue": 'the "red" one'}}, {"key": "host.name", "value": {"stringValue": "h"}},
        {"key": "n", "value": {"doubleValue": 1e-9}}, {"key": "deployment.environment.name", "value": {"stringValue": "prod"}}]},
]  # fmt: skip
ODD_RESOURCES: list[object] = [
    "r", {"attributes": "x"}, {"attributes": [{"key": "service.name", "value": {"intValue": "5"}}]},
    {"attributes": [{"key": "service.name", "value": {"stringValue": "a\\b"}}]},
    {"attributes": [{"key": "x", "value": {"stringValue": "\ud800"}}]},
]  # fmt: skip
ODD_LINES = (
    "", "not json", "   ", "[1]", '{"resourceSpans": []}', '{"resourceSpans": null}', '{"resourceSpans": [{}]}', '{"resourceSpans": [5]}',
    '{"resourceLogs": []}', "{}", '{"resourceSpans": [{"scopeSpans": {"spans": []}}]}', '{"resourceSpans": [], "resourceMetrics": []}',
    '{"resourceSpans": [{"scopeSpans": [null, {"spans": [null]}]}]} ', '{"resourceSpans": [{"scopeSpans": []}]} {"a": 1}', "NaN",
)  # fmt: skip


def body(rng: random.Random, lines: int) -> bytes:
    """Lines of which about a third are odd, written as strangers do."""
    found, number = [], 0
    for _ in range(lines):
        kind = rng.random()
        if kind < 0.05:
            found.append(rng.choice(ODD_LINES))
            continue
        blocks = []
        for _ in range(rng.randrange(1, 3)):
            spans = [
                span(rng, number := number + 1, odd=0.05 < kind < 0.3 and rng.random() < 0.5)
                for _ in range(rng.randrange(1, 4))
            ]
            resource = rng.choice(ODD_RESOURCES if 0.3 < kind < 0.35 else RESOURCES)
            old = {"instrumentationLibrarySpans": [{"spans": spans}]} if 0.35 < kind < 0.37 else {}
            blocks.append({"resource": resource, "scopeSpans": [{"scope": {"name": "s"}, "spans": spans}], **old})
        found.append(
            json.dumps(
                {"resourceSpans": blocks},
                indent=None,
                ensure_ascii=rng.random() < 0.5,
                separators=rng.choice([None, (",", ":")]),
            )
        )
    return "\n".join(found).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(("said", "at_once"), [(False, False), (False, True), (True, False)])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_scanned_is_what_is_read_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, said: bool, at_once: bool
) -> None:
    data = body(random.Random(seed), 400)
    if at_once:
        monkeypatch.setattr(otlp_scan, "_EVERY", 1)
    scan = Scan((data,), lambda _: Page(), said=said, texts=said)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TEMP TABLE otlp_read AS SELECT 'of nobody' AS n")
        found = [row for rows, _ in scanned(connection, scan) for row in connection.execute(rows).fetchall()]
        written = not connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name = 'otlp_read'"
        ).fetchall()
        assert written != at_once
    each = BytesIO(data).readlines()
    whole = [number for number, some in scan.left.items() if some is None]
    assert scan.taken > 200 and len(scan.left) > 60 > len(whole) > 20
    assert scan.taken + len(whole) == sum(bool(line.strip()) for line in each)
    wanted = []
    for number, line in enumerate(each):
        places = scan.left.get(number, ())
        if places is not None:
            read = otlp.rows_and_rejects(otlp._Lines(tmp_path / "x").decode([(number, line, None)]), payloads=False)
            wanted += [row for place, row in enumerate(read) if place not in places]
    assert len(wanted) == len(found) > 300
    for one, row in zip(wanted, found, strict=True):
        assert one == (row, None)
    if said:
        places = [column.name for column in SPANS.raw]
        assert sum(row[places.index("request_hash")] is not None for row in found) > 20


def one_document(data: bytes, indent: int | None) -> bytes:
    """The spans of all lines that are documents as the protocol has them, in one."""
    blocks: list[object] = []
    for line in data.splitlines():
        if otlp_json.divided(line) is not None:
            found = json.loads(line)
            blocks += found["resourceSpans"] if otlp_json.divided(json.dumps(found).encode()) is not None else []
    return json.dumps({"resourceSpans": blocks}, indent=indent).encode()


@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_in_pieces_is_the_whole_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None
) -> None:
    path = tmp_path / "traces.json"
    path.write_bytes(one_document(body(random.Random(3), 200), indent))
    (whole,) = OtlpFiles().pages([path], NOW)
    monkeypatch.setattr(otlp_json, "PIECE_BYTES", 3000)
    monkeypatch.setattr(otlp, "DIVIDED_FROM", 0)
    assert len(list(otlp_json.divided(path.read_bytes()) or ())) > 20
    (pieces,) = OtlpFiles().pages([path], NOW)
    assert len(whole.rows["spans"]) > 200 and len(whole.rejects) > 5
    assert (pieces.rows, pieces.rejects) == (whole.rows, whole.rejects)
    lone = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}'
    for other in (lone, b'{"resourceSpans": [], "resourceLogs": []}', b'{"resourceSpans": [5]}', b"[" * 20_000, b"x"):
        assert otlp_json.divided(other) is None


@pytest.mark.parametrize(("payloads", "lines"), [(False, True), (True, True), (False, False)])
def test_a_file_loads_to_the_same_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payloads: bool, lines: bool
) -> None:
    path, data = tmp_path / "traces.jsonl", body(random.Random(9), 700)
    owing = span(random.Random(1), 3, odd=False) | {
        "attributes": [{"key": "gen_ai.usage.cost", "value": {"doubleValue": -7.5}}]
    }
    data += b"\n" + json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [owing]}]}]}).encode()
    path.write_bytes(data if lines else one_document(data, 1))
    monkeypatch.setattr(otlp_json, "PIECE_BYTES", 20_000)
    monkeypatch.setattr(otlp, "JOINED_BYTES", 500_000)
    config = Config.model_validate({"privacy": {"keep_payloads": payloads}})
    found = []
    for scanning in (True, False):
        writer = Writer(Cache(tmp_path / f"{scanning}.duckdb"), Ingest(config, bytes(32)), lambda: NOW)
        writer.open()
        intake, rejects = Intake(writer, "otlp", "files"), []
        scans, files = 0, OtlpFiles()
        for page in files.scans([path], NOW, said=payloads, texts=False) if scanning else files.pages([path], NOW):
            scans += page.scan is not None
            intake.page(page)
            rejects += intake.refused
        assert scans == (0 if not scanning else 1 if lines else 3)
        with writer.cache.read() as lease:
            stored = {
                table: lease.cursor.execute(f"FROM {table} ORDER BY ALL").fetchall()
                for table in ("spans", "span_payloads", "tasks", *ROLLUPS)
            }
        found.append((stored, sorted(map(str, rejects))))
    scanned_, paged = found
    assert len(paged[0]["spans"]) > 300 and len(paged[1]) > 5
    assert (len(paged[0]["span_payloads"]) > 20) == payloads
    assert scanned_ == paged
    assert "[email:" in str(scanned_) and "jo@example.org" not in str(scanned_) and "hunter2" not in str(scanned_)


def test_prompts_too_deep_for_python_are_refused_line_by_line(tmp_path: Path) -> None:
    deep: object = {"stringValue": "x"}
    for _ in range(5000):
        deep = f'{{"arrayValue":{{"values":[{json.dumps(deep) if isinstance(deep, dict) else deep}]}}}}'
    whole = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span(random.Random(1), 3, odd=False)]}]}]})
    line = whole.replace('"attributes": [', f'"attributes": [{{"key": "input.value", "value": {deep}}}, ', 1)
    path = tmp_path / "traces.jsonl"
    path.write_text("\n".join([line, *[whole] * 2000]))
    pages = OtlpFiles().scans([path], NOW, said=False, texts=False)
    scan = next(pages).scan
    assert isinstance(scan, Scan)
    with duckdb.connect() as connection:
        (rows,) = (rows for rows, _ in scanned(connection, scan))
        assert "otlp_rows" not in rows and connection.execute(f"SELECT count(*) FROM ({rows})").fetchone() == (2000,)
    assert list(scan.left.values()) == [None] * 2001


def test_files_of_prompts_are_not_scanned_in_vain(tmp_path: Path) -> None:
    path, data = tmp_path / "traces.jsonl", body(random.Random(2), 700)
    path.write_bytes(data)
    assert next(OtlpFiles().scans([path], NOW, said=True, texts=False)).scan is not None
    path.write_bytes(data.replace(b'"attributes"', b'"input.value": 1, "attributes"'))
    assert next(OtlpFiles().scans([path], NOW, said=True, texts=False)).scan is None
    assert next(OtlpFiles().scans([path], NOW, said=False, texts=False)).scan is not None
