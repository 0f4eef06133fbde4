"""What was said: kept only where the workspace asks for it, clean whatever comes, and short."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config, Privacy
from aether_tui.ingest import Ingest
from aether_tui.ingest.said import readable
from aether_tui.receiver.service import Receiver
from aether_tui.receiver.wire import decode
from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from aether_tui.sync.intake import Intake, Writer
from connectors.langfuse_files import LangfuseFiles
from connectors.otlp import OtlpFiles
from connectors.otlp_span import Span, payload_row
from tests.cache.samples import NOW
from tests.receiver.serving import KEY, START_NS, spans

KEPT = Config(privacy=Privacy(keep_payloads=True))
HELLO = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "mail canary@example.com, please"}]}])


def writer(root: Path, config: Config) -> Writer:
    return Writer(Cache(root / "cache.duckdb"), Ingest(config, KEY), lambda: NOW)


def said(cache: Cache) -> list[dict[str, object]]:
    with cache.read() as lease:
        return [dict(row) for row in lease.rows("SELECT * FROM span_payloads ORDER BY span_id")]


@pytest.mark.parametrize("config", [Config(), KEPT])
def test_the_receiver_keeps_what_was_said_only_when_asked_and_clean(tmp_path: Path, config: Config) -> None:
    one = writer(tmp_path, config)
    one.open()
    receiver = Receiver(one, Ingest(config, KEY))
    attributes = {"gen_ai.input.messages": HELLO, "gen_ai.completion": "done\x1b]52;c;eA==\x07"}
    receiver.accept(spans(1, **attributes), "json")
    receiver.accept(spans(2), "json")
    receiver.close()
    rows = said(one.cache)
    assert len(rows) == (1 if config is KEPT else 0)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"canary@" not in files
    if rows:
        assert str(rows[0]["prompt"]).startswith('{"messages":[{"role":"user","content":"mail [email:')
        assert (rows[0]["completion"], rows[0]["redactions"]) == ("done", '{"email": 1}')
        assert b"please" in files
    else:
        assert b"please" not in files


def test_what_a_killed_receiver_left_has_its_payloads(tmp_path: Path) -> None:
    one = writer(tmp_path, KEPT)
    one.open()
    ingest = Ingest(KEPT, KEY)
    from aether_tui.cache.spool import Spool

    spool = Spool(one.spool, SPANS)
    batch = decode(spans(1, **{"input.value": "hello"}), "json", payloads=True)
    spool.append(ingest.clean(SPANS, batch.rows), [], ingest.clean(SPAN_PAYLOADS, batch.said))
    spool._turn.release()  # as the system does for a process that is killed
    assert "1 spans stored" in " ".join(one.open())
    assert [row["prompt"] for row in said(one.cache)] == ["hello"]


@pytest.mark.parametrize("config", [Config(), KEPT])
def test_files_of_otlp_and_langfuse(tmp_path: Path, config: Config) -> None:
    big = "α" * (2 << 20)
    (tmp_path / "t.json").write_bytes(spans(1, **{"gen_ai.input.messages": HELLO, "output.value": big}))
    (tmp_path / "l.json").write_text(
        json.dumps(
            {
                "trace": {"id": "t", "projectId": "p"},
                "observations": [
                    {
                        "id": "a", "traceId": "t", "type": "GENERATION", "startTime": "2026-11-01T00:00:00Z",
                        "input": {"messages": [{"role": "user", "content": "hi"}]}, "output": "hello",
                    }
                ],
            }
        )
    )  # fmt: skip
    one = writer(tmp_path, config)
    one.open()
    for kind, name in ((OtlpFiles(), "t.json"), (LangfuseFiles(), "l.json")):
        intake = Intake(one, name, "files")
        counts = [intake.page(page) for page in kind.pages([tmp_path / name], NOW)]
        assert sum(count.rows for count in counts) == 1
        intake.finish()
    rows = said(one.cache)
    if config is not KEPT:
        assert rows == []
        return
    assert [row["prompt"] for row in rows if row["source"] == "l.json"] == [
        '{"messages":[{"role":"user","content":"hi"}]}'
    ]
    (otlp,) = [row for row in rows if row["source"] == "t.json"]
    assert str(otlp["completion"]).startswith("ααα")
    assert len(str(otlp["completion"])) < 10_100
    assert one.cache.prune({"span_payloads": 1}, now=NOW + timedelta(days=9999)) == {"span_payloads": 2}
    assert said(one.cache) == []
    assert one.cache.verify() == []


@pytest.mark.parametrize(
    ("attributes", "events", "want"),
    [
        ({"gen_ai.input.messages": "a", "gen_ai.output.messages": "b"}, (), ("a", "b")),
        ({"input.value": "a", "output.value": "b"}, (), ("a", "b")),
        ({"traceloop.entity.input": "a", "traceloop.entity.output": "b"}, (), ("a", "b")),
        ({"langfuse.observation.input": "a", "langfuse.observation.output": "b"}, (), ("a", "b")),
        ({"gen_ai.prompt.0.content": "a", "gen_ai.completion.0.content": "b"}, (),
         ('{"gen_ai.prompt.0.content": "a"}', '{"gen_ai.completion.0.content": "b"}')),
        ({}, (("gen_ai.user.message", 1, {"content": "a"}), ("gen_ai.choice", 2, {"message": "b"})),
         ('[{"content": "a", "role": "user"}]', '[{"message": "b"}]')),
        ({}, (("gen_ai.client.inference.operation.details", 1,
               {"gen_ai.input.messages": "a", "gen_ai.output.messages": "b"}),), ("a", "b")),
        ({"gen_ai.request.model": "m"}, (), None),
    ],
)  # fmt: skip
def test_every_convention(attributes: dict[str, str], events: tuple, want: tuple[str, str] | None) -> None:
    row = payload_row(Span("ab" * 16, "cd" * 8, "", "chat", START_NS, START_NS + 1, attributes, events=events))
    assert (None if row is None else row[3:]) == want


@pytest.mark.parametrize(
    ("content", "want"),
    [
        ("plain", "plain"),
        ('{"gen_ai.prompt.0.content": "a"}', '{"gen_ai.prompt.0.content": "a"}'),
        ('[{"role":"user","content":"Grüße"},{"role":"assistant","content":[{"type":"text","text":"你好"}]}]',
         "user: Grüße\nassistant: 你好"),
        ("[" * 100_000, "[" * 100_000),
        ('[{"role":"tool","content":3}]', "tool: 3"),
        ('["\\u0063anary@example.com"]', "canary@example.com"),
        ('{"not json', '{"not json'),
        ("[]", "[]"),
    ],
)  # fmt: skip
def test_messages_become_words(content: str, want: str) -> None:
    assert readable(content) == want
