"""`replay`: recorded requests sent to a real endpoint on loopback, in its good and bad moods, within a budget."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from scipy import stats

from aether_tui.cache import Cache
from aether_tui.config_file import load_config
from aether_tui.diagnostics.replays_words import difference
from aether_tui.ingest import Ingest
from aether_tui.records import Row
from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from aether_tui.replay.send import likeness
from aether_tui.workspace.folder import Workspace
from tests.cache.samples import full
from tests.cli.test_traces import Done, run
from tests.connectors.server import Reply, Request, Server, serving

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
START = datetime(2026, 11, 20, 8)  # noqa: DTZ001 - instants in rows are naive UTC
PRICES = """
[[prices]]
model = "old"
input_usd_per_million = 1.0
output_usd_per_million = 2.0
[[prices]]
model = "new"
input_usd_per_million = 10.0
output_usd_per_million = 20.0
"""
TOOLS = [{"type": "function", "function": {"name": "find"}}]


def asked(number: int, **more: object) -> str:
    messages = [{"role": "system", "content": "be kind"}, {"role": "user", "content": f"question {number}"}]
    return json.dumps({"messages": messages, **more}, ensure_ascii=False)


def call(
    number: int, prompt: str | None = None, completion: str | None = "assistant: the old answer"
) -> Iterator[tuple[str, Row]]:
    trace, at = f"t{number}", START + timedelta(minutes=number)
    yield "spans", full(
        SPANS, trace_id=trace, span_id="s", name="chat old", operation="chat", start=at, duration_s=1.0 + number / 10,
        model="old", input_tokens=100, output_tokens=50, cost_usd=Decimal("0.0002"), cost_status="priced", status="ok",
        environment="production", attributes='{"gen_ai.request.temperature":0.25}',
    )  # fmt: skip
    if prompt is not None:
        yield (
            "span_payloads",
            full(SPAN_PAYLOADS, trace_id=trace, span_id="s", start=at, prompt=prompt, completion=completion),
        )


def place(root: Path, url: str, *calls: Iterator[tuple[str, Row]], more: str = "", keep: str = "true") -> Workspace:
    (root / "aether.toml").write_text(
        f'[privacy]\nkeep_payloads = {keep}\n[replay]\nurl = "{url}/v1"\n{more}\n{PRICES}'
    )
    workspace = Workspace(root)
    workspace.cache_path.parent.mkdir(exist_ok=True)
    rows: dict[str, list[Row]] = {}
    for one in calls:
        for name, row in one:
            rows.setdefault(name, []).append(row)
    cache = Cache(workspace.cache_path)
    cache.ensure()
    cache.merge("s", "spans", rows, mapping_hash=Ingest.of(workspace, load_config(workspace)).mapping_hash, now=NOW)
    return workspace


def answer(request: Request, words: str = "the new answer", **usage: int) -> Reply:
    counts = usage or {"prompt_tokens": 100, "completion_tokens": 40}
    message = {"role": "assistant", "content": words}
    return Reply(
        {"model": request.json["model"], "choices": [{"message": message, "finish_reason": "stop"}], "usage": counts}
    )


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Request], Reply]], Server]]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda answering: stack.enter_context(serving(answering))


Serve = Callable[[Callable[[Request], Reply]], Server]


def replay(workspace: Workspace, *words: str, flags: tuple[str, ...] = ()) -> Done:
    return run("-w", str(workspace.root), "--as-of", NOW.isoformat(), *flags, "replay", *words, "--format", "json")


def report(workspace: Workspace, face: str) -> str:
    out = workspace.root / f"replays.{face}"
    words = ("report", "replays", "--format", face, "-o", str(out))
    assert run("-w", str(workspace.root), "--as-of", NOW.isoformat(), *words).status == 0
    return out.read_text(encoding="utf-8")


def stored(workspace: Workspace) -> list[dict[str, object]]:
    with Cache(workspace.cache_path).read() as lease:
        return [dict(row) for row in lease.rows("SELECT * FROM replays ORDER BY trace_id, model, repeat")]


def test_identical_inputs_go_out_and_what_came_back_is_kept(tmp_path: Path, serve: Serve) -> None:
    server = serve(lambda request: answer(request, "the \x1b[2Jnew answer, mail canary@example.com"))
    workspace = place(tmp_path, server.url, call(1, asked(1, tools=TOOLS)))
    planned = replay(workspace, "t1", "--dry-run", flags=("--offline",))
    assert (planned.status, server.requests) == (0, [])
    assert json.loads(planned.out)["plan"]["expected_usd"] == pytest.approx(100 * 1e-6 + 50 * 2e-6)
    done = replay(workspace, "t1", "--yes")
    assert done.status == 0, done.err
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.json == {
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "question 1"}],
        "tools": TOOLS, "temperature": 0.25, "model": "old", "stream": False, "max_tokens": 2048,
    }  # fmt: skip
    assert "authorization" not in request.headers
    (row,) = stored(workspace)
    assert (row["input_tokens"], row["output_tokens"], row["same_input"], row["status"]) == (100, 40, True, "ok")
    assert row["cost_usd"] == Decimal("0.00018")
    assert (row["recorded_output_tokens"], row["recorded_latency_s"]) == (50, 1.1)
    assert str(row["output"]).startswith("the new answer, mail [email:")
    assert 0 < float(str(row["latency_s"])) < 30
    assert float(str(row["likeness"])) == pytest.approx(2 * 1 / (3 + 5))  # "the" of three and five words
    result = json.loads(done.out)
    assert result["sent"]["spent_usd"] == pytest.approx(0.00018)
    assert "about" in done.err
    assert "at most" in done.err
    for face in ("text", "md"):
        shown = report(workspace, face)
        assert "1 request sent again to old" in shown
        assert "\x1b" not in shown
    assert run("-w", str(tmp_path), "--as-of", NOW.isoformat(), "replay", "--show", result["run"]).status == 0


def test_a_server_that_only_streams_is_read_and_each_run_stands_for_itself(tmp_path: Path, serve: Serve) -> None:
    pieces: list[dict[str, object]] = [
        {"choices": [{"delta": {"content": "the\u2028new "}}]},
        {"choices": [{"delta": {"content": "answer", "tool_calls": [{"index": 0, "function": {"name": "fi", "arguments": "{"}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "nd", "arguments": "}"}}]}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 40}},
    ]  # fmt: skip
    stream = "".join(f"data: {json.dumps(piece, ensure_ascii=False)}\n\n" for piece in pieces) + "data: [DONE]\n\n"
    server = serve(lambda _: Reply(stream.encode(), 200))
    workspace = place(tmp_path, server.url, call(1, "where is my parcel?"))
    runs = [json.loads(replay(workspace, "t1", "--yes").out) for _ in range(2)]
    assert len({one["run"] for one in runs}) == 2, "with one clock"
    told = runs[0]["plan"]["not_recorded"]
    assert [words.partition(":")[0] for words in told] == [
        "are a text without roles",
        "carry no limit of output",
    ]
    first, second = stored(workspace)
    assert first["output"] == 'the\u2028new answer\n{"arguments": "{}", "name": "find"}'
    assert (first["output_tokens"], second["finish"]) == (40, "stop")


def test_another_model_another_prompt_repeats_and_the_recorded_model_beside(tmp_path: Path, serve: Serve) -> None:
    server = serve(answer)
    workspace = place(tmp_path, server.url, call(1, asked(1)))
    (tmp_path / "kind.txt").write_text("be brief\n")
    done = replay(
        workspace, "t1", "--model", "new", "--both", "--repeats", "2", "--yes", "--prompt", str(tmp_path / "kind.txt")
    )
    assert done.status == 0, done.err
    assert [request.json["model"] for request in server.requests] == ["old", "new", "old", "new"]
    assert server.requests[0].json["messages"][0] == {"role": "system", "content": "be brief"}
    rows = stored(workspace)
    assert {(row["model"], row["repeat"]) for row in rows} == {("old", 1), ("old", 2), ("new", 1), ("new", 2)}
    assert {row["same_input"] for row in rows} == {False}
    assert str(rows[0]["prompt_version"]).startswith("kind.txt ")
    result = json.loads(done.out)["result"]
    assert (result["against"], result["requests"], result["sent"]) == ("the recorded model, asked again", 1, 4)


def test_a_sample_is_compared_in_pairs(tmp_path: Path, serve: Serve) -> None:
    spent = {number: 30 + 3 * number % 17 for number in range(1, 31)}

    def reply(request: Request) -> Reply:
        number = int(request.json["messages"][1]["content"].split()[1])
        return answer(request, "the old answer", prompt_tokens=100, completion_tokens=spent[number])

    server = serve(reply)
    calls = [call(number, asked(number)) for number in range(1, 31)]
    workspace = place(
        tmp_path, server.url, *calls, call(31, asked(31).replace("question", "[email:0a1b2c3d]")), call(32)
    )
    done = replay(workspace, "--sample", "12", "--model", "new", "--yes")
    assert done.status == 0, done.err
    result = json.loads(done.out)["result"]
    chosen = sorted(row["trace_id"] for row in stored(workspace))
    assert len(chosen) == 12
    assert "t31" not in chosen
    numbers = [int(str(trace)[1:]) for trace in chosen]
    costs = [(100 * 10 + spent[number] * 20) / 1e6 for number in numbers]
    expected = stats.ttest_rel(costs, [0.0002] * 12)
    tokens = stats.ttest_rel([spent[number] for number in numbers], [50] * 12)
    by_name = {one["measure"]: one for one in result["compared"]}
    low, high = expected.confidence_interval()
    cost = by_name["cost"]["difference"]
    assert (cost["low"], cost["high"]) == (pytest.approx(low), pytest.approx(high))
    assert by_name["output tokens"]["n"] == 12
    three = sorted([expected.pvalue, tokens.pvalue])
    assert min(by_name["cost"]["p_value"], by_name["output tokens"]["p_value"]) == pytest.approx(3 * three[0])
    assert (result["same"]["value"], result["likeness"]["value"]) == (1.0, 1.0)
    assert json.loads(done.out)["plan"]["left_out"] == {"something in it is redacted or cut": 1}
    again = replay(workspace, "--sample", "12", "--model", "new", "--dry-run")
    assert json.loads(again.out)["plan"]["requests"] == 12
    assert replay(workspace, "--sample", "1000", "--recorded", "nobody", "--yes").status == 3


def limited(_: Request) -> Reply:
    return Reply({"error": {"message": "slow down"}}, 429, {"Retry-After": "90000"})


@pytest.mark.parametrize(
    ("moods", "status", "told", "asked_for"),
    [
        ([Reply({"error": {"message": "bad key"}}, 401)], 4, "bad key", 1),
        ([Reply({"error": {"message": "no such model"}}, 404)], 4, "no such model", 1),
        ([Reply({"error": {"message": "slow down"}}, 429, {"Retry-After": "90000"})], 4, "slow down", 1),
        ([Reply({"error": {"message": "broken"}}, 500)] * 3, 4, "broken", 3),
        ([Reply({"error": {"message": "too long"}}, 400), "fine", "fine"], 0, "1 of 3", 3),
        ([Reply({"choices": [{"message": {"content": "x" * 99}}]}, cut=20), "slow", "fine"], 0, "2 of 3", 3),
        ([Reply(b"<html><title>Login</title>", 200), Reply({"choices": []}), "fine"], 0, "2 of 3", 3),
    ],
)  # fmt: skip
def test_a_bad_endpoint_costs_no_more_than_the_budget_and_what_was_answered_is_kept(
    tmp_path: Path, serve: Serve, moods: list[Reply | str], status: int, told: str, asked_for: int
) -> None:
    waiting = threading.Event()
    left = iter(moods)

    def reply(request: Request) -> Reply:
        mood = next(left)
        if mood == "slow":
            waiting.wait(20)
        return mood if isinstance(mood, Reply) else answer(request)

    server = serve(reply)
    calls = [call(number, asked(number)) for number in (1, 2, 3)]
    workspace = place(tmp_path, server.url, *calls, more="timeout_s = 2")
    done = replay(workspace, "--sample", "3", "--yes")
    waiting.set()
    assert done.status == status, done.err
    assert len(server.requests) == asked_for  # what may have been billed is not sent twice
    rows = stored(workspace)
    assert len(rows) == asked_for
    assert [row["status"] for row in rows].count("ok") == moods.count("fine")
    if status == 0:
        assert told in report(workspace, "text")
    else:
        assert told in done.err


def test_one_that_was_refused_for_its_rate_is_sent_again(tmp_path: Path, serve: Serve) -> None:
    replies = iter([Reply({"error": {"message": "slow down"}}, 429, {"Retry-After": "0"})])
    server = serve(lambda request: next(replies, None) or answer(request))
    workspace = place(tmp_path, server.url, call(1, asked(1)))
    assert replay(workspace, "t1", "--yes").status == 0
    assert (len(server.requests), [row["status"] for row in stored(workspace)]) == (2, ["ok"])


def test_the_budget_holds_where_answers_are_long_or_not_counted(tmp_path: Path, serve: Serve) -> None:
    server = serve(lambda request: replace(answer(request), body={"choices": [{"message": {"content": "x"}}]}))
    calls = [call(number, asked(number)) for number in range(1, 6)]
    workspace = place(tmp_path, server.url, *calls, more="max_output_tokens = 1000")
    over = replay(workspace, "--sample", "5", "--yes", "--max-cost", "0.0005")
    assert (over.status, server.requests) == (2, [])
    assert "more than the budget" in over.err
    done = replay(workspace, "--sample", "5", "--yes", "--max-cost", "0.005")
    assert done.status == 3
    assert "the budget of 0.005 USD would not hold" in done.err
    # At most 1,000 output tokens (0.002 USD) and a token a byte of the input; an answer without counts is taken as that.
    assert len(server.requests) == 2
    result = json.loads(done.out)
    assert 0.004 < result["sent"]["spent_usd"] <= 0.005
    assert (result["result"]["uncounted"], result["result"]["cost_usd"]) == (2, None)
    assert {row["cost_usd"] for row in stored(workspace)} == {None}


@pytest.mark.parametrize(
    ("words", "flags", "status", "told"),
    [
        (("t1",), (), 2, "nobody agreed"),
        (("t1", "--yes"), ("--offline",), 2, "--offline"),
        (("t1", "--yes", "--model", "unheard-of"), (), 2, "nobody knows the price"),
        (("t2", "--yes"), (), 3, "something in it is redacted"),
        (("t3", "--yes"), (), 3, "its input was not kept"),
        (("t4", "--yes"), (), 3, "image_url, which is not kept"),
        (("t5", "--yes"), (), 3, "too long to be kept whole"),
        (("t6", "--yes"), (), 3, "kept as one text"),
        (("nowhere", "--yes"), (), 3, "no trace"),
        (("t1", "--yes", "--span", "other"), (), 3, "no model call of this trace"),
        (("--yes",), (), 2, "one trace or a sample"),
        (("--show", "nothing"), (), 3, "no run"),
    ],
)
def test_what_is_not_sent_says_why(
    tmp_path: Path, serve: Serve, words: tuple[str, ...], flags: tuple[str, ...], status: int, told: str
) -> None:
    server = serve(answer)
    image = {"messages": [{"role": "user", "content": "what is this"}], "omitted": ["image_url"]}
    workspace = place(
        tmp_path, server.url, call(1, asked(1)), call(2, "mail [email:0a1b2c3d] please"), call(3),
        call(4, json.dumps(image)), call(5, "α" * 99 + "…[cut:0a1b2c3d]"),
        call(6, "user: hello"),
    )  # fmt: skip
    done = replay(workspace, *words, flags=flags)
    assert (done.status, server.requests) == (status, [])
    assert told in done.err
    assert len(done.err.strip().splitlines()[-1]) < 600


def test_placeholders_are_sent_only_when_asked_for_and_answers_are_not_kept_when_words_are_not(
    tmp_path: Path, serve: Serve
) -> None:
    server = serve(answer)
    workspace = place(tmp_path, server.url, call(2, "mail [email:0a1b2c3d] please"), keep="false")
    done = replay(workspace, "t2", "--redacted", "--yes")
    assert done.status == 0, done.err
    assert "1 placeholders stand for" in done.err
    assert server.requests[0].json["messages"] == [{"role": "user", "content": "mail [email:0a1b2c3d] please"}]
    (row,) = stored(workspace)
    assert (row["same_input"], row["output"]) == (False, None)


def test_a_stranger_is_not_asked_without_a_key_and_never_hears_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = place(tmp_path, "http://192.0.2.1", call(1, asked(1)))
    done = replay(workspace, "t1", "--yes")
    assert done.status == 4
    assert "no api_key is stored" in done.err
    assert "auth set replay" in done.err


def test_the_key_is_sent_and_never_shown(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AETHER_REPLAY_API_KEY", "sk-canary-0123456789")
    server = serve(lambda request: Reply({"error": {"message": f"not {request.headers['authorization']}"}}, 401))
    workspace = place(tmp_path, server.url, call(1, asked(1)))
    done = replay(workspace, "t1", "--yes")
    assert server.requests[0].headers["authorization"] == "Bearer sk-canary-0123456789"
    assert done.status == 4
    assert "canary" not in done.out + done.err + str(stored(workspace))


def test_the_key_of_the_endpoint_is_tested_with_a_call_that_generates_nothing(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = "Bearer sk-good-0123456789"
    models = Reply({"data": [{"id": "a"}, {"id": "b"}]})
    server = serve(lambda request: models if request.headers.get("authorization") == good else Reply({}, 401))
    workspace = place(tmp_path, server.url)
    status = ("-w", str(workspace.root), "auth", "status", "--format", "json")
    monkeypatch.setenv("AETHER_REPLAY_API_KEY", good.removeprefix("Bearer "))
    (found,) = json.loads(run(*status).out)
    assert (found["source"], found["result"], found["check"].split(",")[1]) == ("replay", "works", " 2 models")
    monkeypatch.setenv("AETHER_REPLAY_API_KEY", "sk-wrong-0123456789")
    refused = run(*status)
    assert refused.status == 4
    assert "sk-wrong" not in refused.out + refused.err
    assert [request.path for request in server.requests] == ["/v1/models"] * 2
    assert run("-w", str(workspace.root), "auth", "remove", "replay", "nonsense").status == 2


def test_words_are_compared_in_order() -> None:
    assert likeness("a b c", "a x c") == pytest.approx(2 * 2 / 6)
    assert likeness(None, "a") is None
    assert difference("a b c", "a x c d") == "a [-b-] {+x+} c {+d+}"
