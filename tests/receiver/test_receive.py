"""`receive` as a user runs it: beside a command, as the console's child, and killed under load."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aether_tui.cache import Cache
from tests.command import aether
from tests.receiver.serving import post, spans, stored

SENDER = """
import os, urllib.request
request = urllib.request.Request(os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"], open(os.environ["BODY"], "rb").read(),
    {"Content-Type": "application/json", "Authorization": os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")[14:].replace("%20", " ")})
print("said", urllib.request.urlopen(request).status)
raise SystemExit(7)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "aether.toml").write_text("")
    return tmp_path


def cache(root: Path) -> Cache:
    return Cache(root / ".aether" / "cache.duckdb")


@contextmanager
def receiving(root: Path) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """The command as the console starts it, and where it listens."""
    command = [sys.executable, "-m", "aether_tui", "receive", "--port", "0", "--format", "json"]
    child = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            pytest.fail(child.communicate()[1])
        begun = json.loads(line)
        assert begun["event"] == "listening"
        yield child, begun["url"], urlsplit(begun["url"]).port or 0
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def test_a_command_is_measured_and_its_status_returned(root: Path) -> None:
    body = root / "body.json"
    body.write_bytes(
        spans(
            1,
            2,
            **{"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": "70"},
        )
    )
    done = aether(
        "receive", "--port", "0", "--", sys.executable, "-c", SENDER, cwd=root,
        env={"BODY": str(body), "AETHER_RECEIVER_TOKEN": "s3cret"},
    )  # fmt: skip
    assert done.code == 7, done.err
    assert (done.json["tasks"], done.json["spans"], done.json["by_scenario"][0]["tokens_p50"]) == (1, 2, 140)
    assert done.json["by_scenario"][0]["tokens"] == [140.0]
    (root / "tokens.json").write_text(done.out)
    (root / "optimization").mkdir(exist_ok=True)
    (root / "optimization" / "budgets.yaml").write_text(
        "version: 1\ncurrency: USD\nbudgets:\n"
        "  - {id: t, surface: llm, metric: task.tokens, limit: 100 tokens/task, block: {limit: 10%}}\n"
    )
    judged = aether("budget", "check", "tokens.json", "--format", "json", cwd=root)
    assert judged.json["budgets"][0]["now"] == 140.0  # what the suite used is what the gate judges
    assert "said 200" in done.err
    assert stored(cache(root)) == [2]


def test_a_silent_command_a_missing_one_and_a_foreign_address(root: Path) -> None:
    silent = aether("receive", "--port", "0", "--", sys.executable, "-c", "", cwd=root)
    assert (silent.code, silent.json["spans"]) == (0, 0)
    assert "no spans came" in silent.json["problems"][0]
    aether("receive", "--port", "0", "--", "no-such-program-here", cwd=root).refuses(
        2, "no-such-program-here", "cannot be run"
    )
    aether("receive", "--host", "0.0.0.0", cwd=root).refuses(2, "AETHER_RECEIVER_TOKEN")
    aether("receive", "--prot", "1", cwd=root).refuses(2, "--prot")


def test_a_taken_port_is_said_and_sigterm_drains(root: Path) -> None:
    with receiving(root) as (child, _, port):
        aether("receive", "--port", str(port), cwd=root).refuses(2, f"127.0.0.1:{port}", "--port")
        with closing(HTTPConnection("127.0.0.1", port)) as connection:
            assert post(connection, spans(*range(1, 101))) == 200
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
        last = json.loads(out.splitlines()[-1])
        assert (last["event"], last["received"], last["stored"], last["waiting"]) == ("stopped", 100, 100, 0)
    assert stored(cache(root)) == [100]


def test_killed_under_load_nothing_acknowledged_is_lost_and_retries_do_not_double(root: Path) -> None:
    acknowledged: set[int] = set()
    guard, enough = threading.Lock(), threading.Event()

    def load(port: int, sender: int) -> None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection, suppress(OSError, HTTPException):
            for turn in range(10_000):
                numbers = [sender * 1_000_000 + turn * 20 + place for place in range(1, 21)]
                if post(connection, spans(*numbers)) == 200:
                    with guard:
                        acknowledged.update(numbers)
                        if len(acknowledged) >= 4_000:
                            enough.set()

    with receiving(root) as (child, _, port):
        senders = [threading.Thread(target=load, args=(port, sender)) for sender in range(1, 4)]
        for sender in senders:
            sender.start()
        assert enough.wait(60)
        os.kill(child.pid, signal.SIGKILL)
        for sender in senders:
            sender.join()
    assert len(acknowledged) >= 4_000
    with receiving(root) as (child, _, port):
        with closing(HTTPConnection("127.0.0.1", port)) as connection:
            assert post(connection, spans(*sorted(acknowledged)[:500])) == 200
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=120)
    kept = [int(str(span), 16) for span in stored(cache(root), "span_id")]
    assert acknowledged <= set(kept)
    assert len(kept) == len(set(kept))
    # What was kept without an acknowledgement is at most the request that each sender had under way.
    assert len(kept) - len(acknowledged) <= 3 * 20
    assert cache(root).verify() == []
