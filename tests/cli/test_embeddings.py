"""`taxonomy build --embeddings`, and from kept inputs: what is sent is shown whole and agreed to; without an answer, words do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.taxonomies import active
from tests.cache.samples import full
from tests.cli.test_taxonomy import ASKS, THINGS, texts
from tests.cli.test_traces import NOW, START, run
from tests.connectors.server import Reply, Request, serving

KINDS = list(ASKS.values())


def vector(text: str) -> list[float]:
    """As a good model would: the kind decides, the thing hardly matters."""
    kind = next(place for place, ask in enumerate(KINDS) if text.startswith(ask.split("{")[0][:12]))
    return [1.0 if place == kind else 0.0 for place in range(4)] + [len(text) / 1000]


def embed(request: Request) -> Reply:
    data = [{"index": n, "embedding": vector(text)} for n, text in enumerate(request.json["input"])]
    return Reply({"data": list(reversed(data))})


def place(root: Path, url: str) -> Workspace:
    (root / "aether.toml").write_text(f'[embeddings]\nurl = "{url}/v1"\nmodel = "m"\n')
    (root / "asked.txt").write_text(
        "\n".join([*texts(), "where is the parcel of canary@example.com"]), encoding="utf-8"
    )
    return Workspace(root)


def build(workspace: Workspace, *words: str, flags: tuple[str, ...] = ()):
    asked = str(workspace.root / "asked.txt")
    return run(
        "-w", str(workspace.root), *flags, "taxonomy", "build", asked, "--embeddings", "--format", "json", *words
    )


def test_vectors_find_the_categories_after_everything_sent_was_shown(tmp_path: Path) -> None:
    with serving(embed) as server:
        workspace = place(tmp_path, server.url)
        refused = build(workspace, "-k", "4")
        assert (refused.status, server.requests) == (2, [])
        assert "nobody agreed" in refused.err
        offline = build(workspace, "--yes", flags=("--offline",))
        assert (offline.status, server.requests) == (2, [])
        done = build(workspace, "-k", "4", "--yes")
        assert done.status == 0, done.err
        went = [text for request in server.requests for text in request.json["input"]]
        assert [line.strip() for line in done.err.splitlines() if line.startswith("  ")] == went
        assert "canary@" not in done.err + json.dumps(went)
        assert "would be sent to 127.0.0.1" in done.err
        assert {request.json["model"] for request in server.requests} == {"m"}
        assert all(len(request.json["input"]) <= 64 for request in server.requests)
    made = json.loads(done.out)
    assert made["k"] == 4
    assert sorted(category["size"] for category in made["categories"]) == sorted([14, 14, 14, 15])
    stored = active(workspace)
    assert stored is not None
    assert "vectors of m at 127.0.0.1" in stored.source


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error": {"message": "no"}}, 500),
        Reply({"data": []}),
        Reply({"data": [{"index": 0, "embedding": ["x"]}]}),
    ],
)
def test_without_vectors_it_says_so_and_finds_them_by_words(tmp_path: Path, reply: Reply) -> None:
    with serving(lambda _: reply) as server:
        done = build(place(tmp_path, server.url), "--yes", "--dry-run", "-k", "4")
    assert done.status == 0
    assert "no vectors (" in done.err
    assert json.loads(done.out)["k"] == 4


def test_a_taxonomy_of_the_inputs_that_traces_keep(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("[privacy]\nkeep_payloads = true\n")
    workspace = Workspace(tmp_path)
    workspace.cache_path.parent.mkdir(exist_ok=True)
    spans, said = [], []
    for number, text in enumerate(ASKS[kind].format(thing) for kind in ASKS for thing in THINGS):
        at = START + timedelta(minutes=number)
        for span, prompt in (("a", text), ("b", "the same again, in other words"), ("c", "find things")):
            tool = {"operation": "execute_tool"} if span == "c" else {"operation": "chat"}
            later = at + timedelta(seconds=ord(span))
            spans.append(
                full(SPANS, trace_id=f"t{number}", span_id=span, start=later, feature=f"f{number % 3}", **tool)
            )
            told = json.dumps(
                {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": prompt}]}
            )
            said.append(full(SPAN_PAYLOADS, trace_id=f"t{number}", span_id=span, start=later, prompt=told))
    cache = Cache(workspace.cache_path)
    cache.ensure()
    cache.merge("s", "spans", {"spans": spans, "span_payloads": said}, mapping_hash="", now=NOW)
    command = ("-w", str(tmp_path), "--as-of", NOW.isoformat(), "taxonomy", "build", "--format", "json", "-k", "4")
    done = run(*command, "--dry-run")
    assert done.status == 0, done.err
    assert json.loads(done.out)["k"] == 4
    assert sum(category["size"] for category in json.loads(done.out)["categories"]) == 56
    assert "only 56 texts: a first guess" in done.err
    assert run(*command, "--dry-run").out == done.out
