"""`sync` by the command line, with the real Linear connector on recorded answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.cli.sync import alone
from aether_tui.workspace.folder import Workspace
from tests.command import aether


def issue(number: int, title: str) -> dict[str, object]:
    at = f"2026-10-{number:02d}T08:00:00.000Z"
    return {
        "id": f"id-{number}", "identifier": f"ENG-{number}", "title": title, "createdAt": at, "updatedAt": at,
        "url": f"https://linear.example/ENG-{number}", "state": {"name": "Doing", "type": "started"},
        "team": {"key": "ENG"}, "labels": {"nodes": []}, "assignee": {"id": "u1"},
        "stateHistory": {
            "pageInfo": {"hasNextPage": False, "endCursor": None},
            "nodes": [{"startedAt": at, "endedAt": None, "state": {"name": "Doing", "type": "started"}}],
        },
    }  # fmt: skip


REST = {
    "Cycles": "cycles", "Projects": "projects", "Initiatives": "initiatives", "IssueRelations": "issueRelations",
    "CustomerNeeds": "customerNeeds",
}  # fmt: skip


def record(path: Path, *pages: list[dict[str, object]]) -> None:
    """Answers to the query `Issues`, page by page."""
    lines = []
    for number, nodes in enumerate(pages):
        after = f"p{number}" if number else None
        following = f"p{number + 1}" if number + 1 < len(pages) else None
        info = {"hasNextPage": following is not None, "endCursor": following}
        match = {"json": {"operationName": "Issues", "variables": {"after": after}}}
        body = {"data": {"issues": {"pageInfo": info, "nodes": nodes}}}
        lines.append(json.dumps({"method": "POST", "path": "/graphql", "match": match, "body": body}))
    for name, field in REST.items():
        body = {"data": {field: {"pageInfo": {"hasNextPage": False}, "nodes": []}}}
        line = {"method": "POST", "path": "/graphql", "match": {"json": {"operationName": name}}, "body": body}
        lines.append(json.dumps(line))
    path.write_text("\n".join(lines))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "acme"
    root.mkdir()
    (root / "aether.toml").write_text('[sources.linear]\nurl = "replay:linear.jsonl"\n')
    record(root / "linear.jsonl", [issue(n, f"Issue {n}") for n in range(1, 6)], [issue(9, "Mail a@example.com")])
    return root


SECRET = {"AETHER_LINEAR_API_KEY": "lin_api_canary"}


@pytest.mark.skipif(
    not Path("/sys/kernel").is_dir(), reason="there is no folder that nobody may write in, whoever he is"
)
def test_a_folder_that_may_not_be_written_is_named_and_is_no_error_of_ours(workspace: Path) -> None:
    (workspace / ".aether").mkdir()
    (workspace / ".aether" / "sync.lock").symlink_to("/sys/kernel/sync.lock")
    done = aether("--offline", "sync", cwd=workspace, env=SECRET)
    assert (done.code, done.err.count("\n")) == (5, 1)
    assert "sync.lock: cannot be used: " in done.err


def test_events_are_one_json_object_per_line(workspace: Path) -> None:
    done = aether("--offline", "sync", "--format", "json", cwd=workspace, env=SECRET)
    assert done.code == 0, done.err
    events = [json.loads(line) for line in done.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-2:], set(kinds[1:-2])) == ("start", ["done", "finish"], {"start", "page", "done"})
    assert set(events[0]) >= {"event", "source", "stream", "rows", "inserted", "updated", "total", "message"}
    streams = dict.fromkeys(event["stream"] for event in events[:-1])
    assert ({event["source"] for event in events[:-1]}, list(streams)) == (
        {"linear"}, ["issues", "cycles", "projects", "links"],
    )  # fmt: skip
    done_issues = next(event for event in events if event["event"] == "done")
    assert (done_issues["rows"], done_issues["traffic"]["requests"], events[-1]["rows"]) == (6, 2, 6)
    assert done.err == ""
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        titles = [str(row["title"]) for row in lease.rows("SELECT title FROM work_items ORDER BY key")]
    assert titles[0] == "Issue 1"
    assert titles[-1].startswith("Mail [email:")


def test_text_is_a_table_on_stdout(workspace: Path) -> None:
    done = aether("sync", cwd=workspace, env=SECRET)
    assert done.code == 0, done.err
    head, line = (text.split() for text in done.out.splitlines()[:2])
    assert head == ["source", "stream", "rows", "new", "changed", "requests", "kB", "rows/s"]
    assert line[:6] == ["linear", "issues", "6", "12", "0", "2"]
    assert line[-1] == "done"
    assert max(map(len, done.out.splitlines())) <= 80
    assert "linear issues: 6 rows" in done.err


def test_a_failing_source_is_named_with_what_to_do_until_it_is_taken_out(workspace: Path) -> None:
    config = (workspace / "aether.toml").read_text()
    (workspace / "aether.toml").write_text(
        '[sources.gone]\nkind = "linear"\nurl = "replay:absent.jsonl"\n[sources.linear]\nurl = "replay:linear.jsonl"\n'
    )
    done = aether("sync", cwd=workspace, env=SECRET | {"AETHER_GONE_API_KEY": "lin_api_x"})
    done.refuses(4, "gone issues")
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM work_items")[0]["n"] == 6
        (state,) = lease.rows("SELECT last_error FROM sync_state WHERE source = 'gone' AND stream = 'issues'")
    assert state["last_error"]
    (workspace / "aether.toml").write_text(config)
    assert aether("sync", cwd=workspace, env=SECRET).code == 0
    assert {source for source, _ in Cache(workspace / ".aether" / "cache.duckdb").cursors()} == {"linear"}


def test_offline_and_without_a_credential(workspace: Path) -> None:
    (workspace / "aether.toml").write_text("[sources.linear]\n")
    aether("--offline", "sync", cwd=workspace, env=SECRET).refuses(4, "linear issues", "offline")
    done = aether("sync", cwd=workspace)
    done.refuses(4, "linear issues: no api_key is stored; run `aether-tui auth set linear`")
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["linear issues", "aether-tui"]
    assert done.out.count("not tried") == 3


def test_what_cannot_be_meant(workspace: Path, tmp_path: Path) -> None:
    # As a first cursor it would hide everything until that day.
    aether("--as-of", "2026-11-20", "sync", "--since", "2026-11-21", cwd=workspace).refuses(2, "lies in the future")
    aether("sync", "linaer", cwd=workspace).refuses(2, "linaer", "'linear'")
    (workspace / "aether.toml").write_text('[sources.linear]\ndays_bakc = 3\nurl = "replay:linear.jsonl"\n')
    aether("sync", cwd=workspace).refuses(2, "sources.linear.days_bakc", "'days_back'")
    (workspace / "aether.toml").write_text("[sources.tracker]\n")
    aether("sync", cwd=workspace).refuses(2, "sources.tracker", "kind")
    (workspace / "aether.toml").write_text("")
    aether("sync", cwd=workspace).refuses(2, "no source is configured", "aether-tui load")


def test_two_at_once(workspace: Path) -> None:
    with alone(Workspace(workspace)):
        aether("sync", cwd=workspace, env=SECRET).refuses(5, "another sync is running", str(os.getpid()))
    assert aether("sync", cwd=workspace, env=SECRET).code == 0


def test_a_reader_that_leaves_does_not_stop_the_pulling(workspace: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "aether_tui", "sync", "--format", "json"],
        cwd=workspace, env=os.environ | SECRET, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=180)
    assert "Traceback" not in errors
    with Cache(workspace / ".aether" / "cache.duckdb").read() as lease:
        assert lease.rows("SELECT count(*) AS n FROM work_items")[0]["n"] == 6
