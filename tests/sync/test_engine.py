"""The engine: order, cursors, failures, interruption, two at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.cli.sync import alone
from aether_tui.config import Config, Mapping
from aether_tui.errors import CacheTrouble, ConfigurationError
from aether_tui.ingest import Ingest, workspace_key
from aether_tui.sync.engine import Event, Outcome, run
from aether_tui.workspace.folder import Workspace
from tests.ingest.test_redact import CANARIES
from tests.sync.fake import DAY0, Fake, jobs, workspace, writer
from tests.sync.kills import Settings, command, dump, killed, undisturbed

NOW = datetime(2026, 11, 21, tzinfo=UTC)
REPO = Path(__file__).resolve().parents[2]


def pull(
    place: Workspace, config: Config, *names: str, events: list[Event] | None = None, now: datetime = NOW,
    since: datetime | None = None, full: bool = False,
) -> list[Outcome]:  # fmt: skip
    tell = (lambda _: None) if events is None else events.append
    return asyncio.run(run(jobs(place, config, now, *names), writer(place, config, now), tell, since=since, full=full))


def rows(place: Workspace, sql: str) -> list[dict[str, object]]:
    with Cache(place.cache_path).read() as lease:
        return lease.rows(sql)


def test_everything_arrives_and_a_second_sync_changes_nothing(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={})
    events: list[Event] = []
    outcomes = pull(place, config, events=events)
    assert [(o.source, o.stream, o.error) for o in outcomes] == [("one", "items", ""), ("one", "traces", "")]
    assert rows(place, "SELECT count(*) AS n FROM work_items")[0]["n"] == 240
    assert rows(place, "SELECT count(*) AS n FROM spans")[0]["n"] == 240
    assert (
        rows(place, "SELECT count(*) AS n FROM work_items WHERE category IS NULL OR mapping_hash IS NULL")[0]["n"] == 0
    )
    first = events[0]
    assert (first.event, first.source, first.stream) == ("start", "one", "items")
    pages = [event for event in events if event.event == "page" and event.stream == "items"]
    assert [page.counts.rows for page in pages] == sorted({page.counts.rows for page in pages})
    assert (pages[-1].counts.rows, pages[-1].total) == (240, 240)
    assert (events[-1].event, events[-1].message) == ("finish", "")
    states = Cache(place.cache_path).cursors()
    assert states["one", "items"].cursor == (DAY0 + timedelta(hours=5, minutes=59)).isoformat()
    assert states["one", "items"].last_success is not None
    assert states["one", "items"].state["problems"] == ["1 unknown"]
    before = dump(place.cache_path)
    Fake.seen.clear()
    again = pull(place, config)
    assert sum(o.counts.inserted + o.counts.updated for o in again) == 0
    assert Fake.seen[0] == ("one", "items", states["one", "items"].cursor)
    assert dump(place.cache_path)["work_items"] == before["work_items"]


def test_one_dead_source_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AETHER_STILLBORN_TOKEN", "tok-canary-2")
    broken = {"dead": {"fail": "bug"}, "stillborn": {"fail": "stillborn"}, "restless": {"fail": "restless"}}
    place, config = workspace(tmp_path, **broken, alive={})
    outcomes = {(o.source, o.stream): o for o in pull(place, config)}
    assert (
        outcomes["stillborn", "items"].error
        == outcomes["stillborn", "traces"].error
        == "the connector failed (KeyError: '***')"
    )
    assert not outcomes["restless", "items"].error
    assert "KeyError" in outcomes["dead", "items"].error
    assert not outcomes["dead", "traces"].error
    assert not outcomes["alive", "items"].error
    # What came before the failure is stored with its cursor.
    assert rows(place, "SELECT count(*) AS n FROM work_items WHERE source = 'dead'")[0]["n"] == 80
    state = Cache(place.cache_path).cursors()["dead", "items"]
    assert state.cursor == (DAY0 + timedelta(hours=1, minutes=59)).isoformat()
    assert "KeyError" in (state.last_error or "")
    _, healed = workspace(tmp_path, dead={}, alive={})
    pull(place, healed)
    assert rows(place, "SELECT count(*) AS n FROM work_items WHERE source = 'dead'")[0]["n"] == 240
    assert Cache(place.cache_path).cursors()["dead", "items"].last_error is None


@pytest.mark.parametrize(
    ("fail", "stream", "second"),
    [
        ("denied", "items", "not tried"),
        ("denied", "traces", "401"),
        ("offline", "items", "not tried"),
        ("limited", "items", ""),
    ],
)
def test_what_a_failure_means_for_the_other_streams(tmp_path: Path, fail: str, stream: str, second: str) -> None:
    place, config = workspace(tmp_path, one={"fail": fail, "fail_at": 0, "stream": stream})
    outcomes = pull(place, config)
    assert outcomes[1].error.startswith(second) or second in outcomes[1].error
    assert bool(outcomes[1].error) == bool(second)
    state = Cache(place.cache_path).cursors()["one", stream].state
    assert ("opens_at" in state) == (fail == "limited")


def test_errors_are_cleaned_before_they_are_kept(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={"fail": "leaky"})
    events: list[Event] = []
    outcome = pull(place, config, events=events)[0]
    state = Cache(place.cache_path).cursors()["one", "items"]
    told = [outcome.error, str(state.last_error), *(event.message for event in events)]
    assert any("[email:" in text for text in told)
    assert not any("s3cr3t-canary" in text or "jane@" in text for text in told)


def test_a_cache_that_stays_locked_ends_the_sync_and_is_named(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={"fail": "turn", "per_page": 0.01}, two={})
    with pytest.raises(CacheTrouble, match=r"locked|another process|busy"):
        asyncio.run(run(jobs(place, config, NOW), writer(place, config, NOW, wait_s=0.3), lambda _: None))
    assert all(not outcome.error for outcome in pull(place, workspace(tmp_path, one={}, two={})[1]))


def test_a_page_that_never_changes_is_stopped(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={"fail": "endless"})
    assert "same page" in pull(place, config)[0].error


def test_full_forgets_the_cursor_and_since_replaces_it(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={})
    pull(place, config)
    stored = Cache(place.cache_path).cursors()["one", "items"].cursor
    Fake.seen.clear()
    pull(place, config, full=True)
    pull(place, config, since=DAY0.replace(tzinfo=UTC) + timedelta(hours=2))
    assert [since for _, stream, since in Fake.seen if stream == "items"] == [None, "2026-10-01T02:00:00"]
    assert Cache(place.cache_path).cursors()["one", "items"].cursor == stored


def test_a_later_start_does_not_hide_a_gap(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={"fail": "bug"})
    pull(place, config)
    stored = Cache(place.cache_path).cursors()["one", "items"].cursor
    _, healed = workspace(tmp_path, one={})
    pull(place, healed, since=DAY0.replace(tzinfo=UTC) + timedelta(hours=4, minutes=30))
    assert Cache(place.cache_path).cursors()["one", "items"].cursor == stored
    pull(place, healed)
    assert rows(place, "SELECT count(*) AS n FROM work_items")[0]["n"] == 240


def test_a_changed_mapping_derives_again_without_pulling(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={})
    pull(place, config)
    changed = config.model_copy(update={"mapping": Mapping(states={"ENG/Doing": "wait"})})
    events: list[Event] = []
    pull(place, changed, events=events)
    assert any("mapping has changed" in event.message for event in events)
    found = rows(place, "SELECT DISTINCT category FROM work_items WHERE state = 'Doing'")
    assert found == [{"category": "wait"}]
    moved = rows(place, "SELECT DISTINCT to_category AS c FROM work_transitions WHERE to_state = 'Doing'")
    assert moved == [{"c": "wait"}]
    fresh, _ = workspace(tmp_path / "fresh", one={})
    pull(fresh, changed)
    want, got = dump(fresh.cache_path), dump(place.cache_path)
    people = ("assignee", "actor", "user")
    assert people  # keyed by the workspace: compared by the other columns
    for table in ("flow_items", "flow_daily", "tasks", "llm_hourly", "duration_hist"):
        assert got[table] == want[table], table


def test_names_and_settings_are_checked_before_anything_runs(tmp_path: Path) -> None:
    place, config = workspace(tmp_path, linear={"kind": "fake", "pagez": 3})
    with pytest.raises(ConfigurationError, match="unknown key") as caught:
        jobs(place, config, NOW)
    assert caught.value.where == "aether.toml: sources.linear.pagez"
    assert "'pages'" in caught.value.next_step
    with pytest.raises(ConfigurationError, match="no source is called 'linaer'") as caught:
        jobs(place, config, NOW, "linaer")
    assert "'linear'" in caught.value.next_step
    with pytest.raises(ConfigurationError, match="no source is configured"):
        jobs(place, Config(), NOW)
    _, disabled = workspace(tmp_path, one={"enabled": False})
    with pytest.raises(ConfigurationError, match="every source is disabled"):
        jobs(place, disabled, NOW)
    assert [job.name for job in jobs(place, disabled, NOW, "one", "one")] == ["one"]


def test_secrets_come_from_the_environment_and_stay_out_of_repr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AETHER_ONE_TOKEN", "tok-canary-1")
    place, config = workspace(tmp_path, one={"pages": 1, "rows": 1})
    (job,) = jobs(place, config, NOW)
    assert job.secrets == {"token": "tok-canary-1"}
    assert "canary" not in repr(job)


def test_a_second_sync_at_once_says_so(tmp_path: Path) -> None:
    place, _ = workspace(tmp_path)
    with alone(place), pytest.raises(CacheTrouble, match=f"another sync is running .*{os.getpid()}"), alone(place):
        pass
    with alone(place):
        pass


def child(root: Path, **settings: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(root, {"one": settings}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPO
    )


def stop_after(process: subprocess.Popen[str], words: str, with_signal: int) -> tuple[int, str]:
    """Send a signal once a line with `words` was printed; returns exit status and stderr."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            process.send_signal(with_signal)
            break
    _, errors = process.communicate(timeout=180)
    return process.returncode, errors


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("hang", [False, True])
def test_interrupted_it_keeps_what_it_has(tmp_path: Path, hang: bool) -> None:
    """Ctrl+C while pages flow, and while a source says nothing."""
    settings = {"pages": 2000, "per_page": 0.001, "fail": "hang" if hang else "", "fail_at": 3}
    code, _ = stop_after(child(tmp_path, **settings), "page one items 120" if hang else "page one items", signal.SIGINT)
    assert code != 0
    place, config = workspace(tmp_path, one={"pages": 3})
    kept = rows(place, "SELECT count(*) AS n FROM work_items")[0]["n"]
    cursor = Cache(place.cache_path).cursors()["one", "items"].cursor
    assert isinstance(kept, int)
    assert kept > 0
    assert kept % 40 == 0
    assert cursor == (DAY0 + timedelta(hours=kept // 40 - 1, minutes=59)).isoformat()
    pull(place, config)


SYNC: Settings = {"one": {"pages": 8, "rows": 60, "text": "a@example.com"}, "two": {"pages": 4, "rows": 30}}


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_equal(tmp_path: Path) -> None:
    """A page of a second is never counted twice; row for row, rollups and bookkeeping included."""
    seconds = undisturbed(tmp_path / "calm", SYNC)
    (tmp_path / "killed" / ".aether").mkdir(parents=True)
    key = (tmp_path / "calm" / ".aether" / "person.key").read_bytes()
    (tmp_path / "killed" / ".aether" / "person.key").write_bytes(key)
    assert killed(tmp_path / "killed", SYNC, kills=3, longest_s=seconds, seed=2) > 0
    calm, torn = (dump(tmp_path / name / ".aether" / "cache.duckdb") for name in ("calm", "killed"))
    assert calm.keys() == torn.keys()
    for table in calm:
        if table != "sync_state":  # the count of requests is that of the last run
            assert torn[table] == calm[table], table
    assert [row[:7] for row in torn["sync_state"]] == [row[:7] for row in calm["sync_state"]]


def leaks(root: Path, secrets: list[str]) -> list[str]:
    """Files under `.aether/` whose bytes hold one of the secrets."""
    return [
        f"{path.name}: {secret}"
        for path in (root / ".aether").rglob("*")
        if path.is_file()
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]


PLAIN = [canary for canary in CANARIES if "\n" not in canary and '"' not in canary]


@pytest.mark.slow
def test_no_canary_is_ever_on_disk(tmp_path: Path) -> None:
    """Planted in every text, id, person, list and JSON column, in rejects and in problems; checkpointed or not."""
    text = " / ".join(PLAIN)
    code, errors = stop_after(child(tmp_path, pages=200, text=text), "page one items", signal.SIGKILL)
    assert code != 0, errors
    assert not leaks(tmp_path, PLAIN)
    assert (tmp_path / ".aether" / "cache.duckdb").exists()
    place, config = workspace(tmp_path, one={"text": text, "pages": 3})
    pull(place, config, full=True)
    assert not leaks(tmp_path, PLAIN)
    assert rows(place, "SELECT count(*) AS n FROM work_items WHERE title LIKE '%[email:%'")[0]["n"] != 0
    with Cache(place.cache_path).read():
        assert not leaks(tmp_path, PLAIN)


def test_keys_still_join_after_redaction(tmp_path: Path) -> None:
    """Ids that are redacted stay equal in every table of the workspace."""
    place, config = workspace(tmp_path)
    ingest = Ingest(config, workspace_key(place))
    assert ingest.clean_text("item jane@example.com") == ingest.clean_text("item jane@example.com")
