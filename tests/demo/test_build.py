"""The whole demonstration: built through sync and load, the same every time, stable under a second sync, safely shown."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec
import pytest
from ruamel.yaml import YAML

from aether_tui.cache import Cache
from aether_tui.config_file import load_config
from aether_tui.demo import build
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.run import run_all
from aether_tui.errors import ConfigurationError
from aether_tui.ingest import Ingest
from aether_tui.records import TABLES, Value
from aether_tui.report_model import Quantity, SavedReport, envelope, opened, save
from aether_tui.room import discreet
from aether_tui.sync import engine, registry
from aether_tui.sync.intake import Writer
from aether_tui.sync.loading import load
from aether_tui.sync.plan import plan
from aether_tui.workspace.folder import Workspace
from tests.command import aether
from tests.tui.test_undo import Still, drive, kept, press, soon
from tests.tui.undoing import BY_COMMAND

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DAY = NOW.replace(hour=0, minute=0, tzinfo=None)
AS_OF = ("--as-of", "2026-11-21T09:30Z")
ROLLUPS = (
    "steps_hourly", "prompts_hourly", "users_daily",
    "llm_hourly", "tasks", "coverage_daily", "task_coverage_daily", "duration_hist", "cost_daily", "ci_daily", "tests_daily",
    "flow_items", "flow_daily", "delivery_daily", "changes",
)  # fmt: skip
NOT_TOLD = {
    "span_payloads", "requests", "replays",  # what was said and asked is not kept by default
    "iterations", "iteration_items", "projects", "work_links",  # the recorded boards are read without their plans
    "outcomes",  # its traces come by OTLP, and say themselves how they ended
}  # fmt: skip
"""Tables that are empty in the demonstration."""

pytestmark = pytest.mark.slow


@pytest.fixture
def demo(built_demo: Path) -> Workspace:
    return Workspace(built_demo)


def copied(demo: Workspace, folder: Path) -> Workspace:
    """The demonstration without what it was made from; the shared one is only read."""
    return Workspace(shutil.copytree(demo.root, folder, ignore=shutil.ignore_patterns("files", "recordings")))


def contents(workspace: Workspace) -> dict[str, tuple[Value, Value]]:
    """Rows and a hash of them, whatever their order, of every table of records and rollups."""
    with Cache(workspace.cache_path).read() as lease:
        found = {}
        for table in (*TABLES, *ROLLUPS):
            (row,) = lease.rows(
                f"SELECT count(*) AS n, CAST(sum(CAST(hash(t) AS HUGEINT)) AS VARCHAR) AS sum FROM {table} AS t"
            )
            found[table] = (row["n"], row["sum"])
        return found


def one(workspace: Workspace, sql: str) -> Mapping[str, Value]:
    with Cache(workspace.cache_path).read() as lease:
        (row,) = lease.rows(sql)
        return row


def number(value: Value) -> float:
    return float(str(value))


def test_the_command_prints_the_summary_and_how_to_go_on(demo: Workspace) -> None:
    out, err = (demo.root.with_suffix(end).read_text("utf-8") for end in (".out", ".err"))
    assert demo.config_path.is_file()
    assert "northwind assist" in out.casefold()
    assert "\x1b" not in out
    assert "`aether-tui -w aether-demo`" in err


def test_a_demonstration_that_is_there_is_opened_as_it_is(demo: Workspace, tmp_path: Path) -> None:
    copied(demo, tmp_path / "aether-demo")
    again = aether(*AS_OF, "demo", cwd=tmp_path)
    assert again.code == 0, again.err
    assert again.out == demo.root.with_suffix(".out").read_text("utf-8")
    assert "syncing" not in again.err
    later = aether("--as-of", "2026-11-24T09:30Z", "demo", "--no-tui", cwd=tmp_path)
    assert later.code == 0
    assert "3 days ago" in later.err
    assert "--force" in later.err


@pytest.mark.skipif("AETHER_KILLS" not in os.environ, reason="it builds the demonstration again: `make test-faults`")
def test_an_interrupted_build_begins_again_and_ends_with_the_same_rows(demo: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(demo.engagement, folder / "engagement")
    (folder / "mine.txt").write_text("keep me")
    workspace = build.claim(folder)
    ticks = iter(range(12))

    def now() -> datetime:
        if next(ticks, None) is None:
            raise KeyboardInterrupt
        return NOW

    with pytest.raises(KeyboardInterrupt):
        build.build(workspace, now, lambda _sentence: None)
    assert build.existing(folder) is None
    build.build(workspace, lambda: NOW, lambda _sentence: None)
    assert build.existing(folder) == DAY
    assert (folder / "mine.txt").read_text() == "keep me"
    before = contents(demo)
    assert contents(workspace) == before
    (review,) = (demo.engagement / "reviews").iterdir()  # every report is in it, as a fingerprint
    assert (workspace.engagement / "reviews" / review.name).read_bytes() == review.read_bytes()
    empty = {name for name, (n, _) in before.items() if not n}
    assert empty <= NOT_TOLD, empty


def test_nothing_was_rejected_and_every_stream_succeeded(demo: Workspace) -> None:
    assert one(demo, "SELECT count(*) AS n FROM rejects")["n"] == 0
    states = Cache(demo.cache_path).cursors()
    assert {source for source, _ in states} == {
        "linear",
        "jira",
        "github",
        "amplitude",
        "otlp",
        "focus",
        "junit",
        "infracost",
    }
    assert [key for key, state in states.items() if state.last_error or not state.last_success] == []


def test_a_second_sync_and_a_second_load_change_no_row(demo: Workspace, tmp_path: Path) -> None:
    demo = Workspace(shutil.copytree(demo.root, tmp_path / "copy"))
    config, before = load_config(demo), contents(demo)
    writer = Writer(Cache(demo.cache_path), Ingest.of(demo, config), lambda: NOW)
    outcomes = asyncio.run(engine.run(plan(config, demo, now=lambda: NOW, offline=True), writer, lambda _event: None))
    months = sorted((demo.root / "files" / "traces").iterdir())[-2:]
    paths = [*months, *(demo.root / "files" / name for name in ("costs", "tests", "plans"))]
    loaded = load(paths, kinds=registry.file_kinds(print), writer=writer, now=NOW)
    counts = [*(outcome.counts for outcome in outcomes), *(one.counts for one in loaded)]
    assert sum(count.rows for count in counts) > 20_000
    assert sum(count.inserted + count.updated + count.removed for count in counts) == 0
    assert contents(demo) == before


def test_the_planted_anomalies_are_in_the_rollups(demo: Workspace) -> None:
    change = f"TIMESTAMP '{DAY - timedelta(days=9)}'"
    refund = one(
        demo,
        f"SELECT avg(tokens) FILTER (start >= {change}) / avg(tokens) FILTER (start < {change}) AS growth, "
        f"avg(cost_usd) FILTER (start < {change}) AS cost FROM tasks WHERE scenario = 'refund'",
    )
    assert refund["growth"] == pytest.approx(1.31, abs=0.06)
    assert number(refund["cost"]) == pytest.approx(0.10, abs=0.01)
    dev = one(
        demo,
        "SELECT sum(effective) FILTER (day >= TIMESTAMP '2026-11-14') AS lately, sum(effective) AS ever FROM cost_daily "
        "WHERE environment = 'dev' AND service = 'retrieval'",
    )
    assert number(dev["lately"]) > 0.3 * number(dev["ever"])
    suite = one(
        demo,
        "SELECT median(duration_s_sum / runs) FILTER (day >= TIMESTAMP '2026-11-07') AS now_s, "
        "median(duration_s_sum / runs) FILTER (day < TIMESTAMP '2026-09-01') AS then_s FROM tests_daily WHERE suite = 'integration'",
    )
    assert 600 < number(suite["now_s"]) < 640
    assert number(suite["then_s"]) < 540


def test_the_gate_has_what_it_asks_for(demo: Workspace) -> None:
    shares = one(
        demo,
        "SELECT count(task_cluster) / count(*) AS clusters, count(outcome) / count(*) AS outcomes FROM tasks "
        "WHERE start >= TIMESTAMP '2026-10-24'",
    )
    assert number(shares["clusters"]) == pytest.approx(1.0, abs=0.03)
    assert number(shares["outcomes"]) == pytest.approx(0.64, abs=0.03)
    cost = one(
        demo,
        "SELECT sum(cost_attributed_usd) / sum(cost_usd) AS mine, sum(costed_calls) / sum(calls) AS priced FROM llm_hourly",
    )
    assert 0.90 < number(cost["mine"]) < 0.98
    assert 0.95 < number(cost["priced"]) < 1.0


def test_titles_are_stored_harmless(demo: Workspace) -> None:
    control = "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\x{202a}-\\x{202e}\\x{2066}-\\x{2069}]"
    for table, column in (
        ("work_items", "title"),
        ("spans", "name"),
        ("pipeline_runs", "branch"),
        ("test_cases", "name"),
    ):
        odd = one(demo, f"SELECT count(*) AS n FROM {table} WHERE regexp_matches({column}, '{control}')")
        assert odd["n"] == 0, table
        assert number(one(demo, f"SELECT count(*) AS n FROM {table} WHERE contains({column}, '[@click')")["n"]) > 0, (
            table
        )


def test_another_folder_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    aether(*AS_OF, "demo", "--dir", ".", "--force", "--no-tui", cwd=tmp_path).refuses(2, "not a demonstration", "--dir")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    aether(*AS_OF, "demo", "--dir", "notes.txt", cwd=tmp_path).refuses(2, "is a file")


def test_a_broken_marker_is_no_permission(tmp_path: Path) -> None:
    (tmp_path / build.MARKER).write_text("{")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        build.existing(tmp_path)


COMMANDS = {
    "constraint.sample": ("constraint", "N"), "stream.write": ("stream", "n"), "taxonomy.build": ("taxonomy", "B"),
    "budgets.baseline": ("budgets", "By\n"),
}  # fmt: skip


@pytest.mark.usefixtures("quick_children")
def test_what_a_command_wrote_is_taken_back(demo: Workspace, tmp_path: Path) -> None:
    """The keys whose edit a child makes; all others are undone in `tests/tui/test_undo.py`."""
    assert COMMANDS.keys() == BY_COMMAND
    workspace = Workspace(tmp_path / "copy")
    shutil.copytree(demo.root, workspace.root)
    said = ("where is parcel", "refund order", "cannot sign in to account")
    (tmp_path / "asked.csv").write_text("text\n" + "".join(f"{said[n % 3]} {n}\n" for n in range(90)))
    assert aether("-w", "copy", "load", "asked.csv", "--as", "requests", cwd=tmp_path).code == 0

    async def script(app: Still) -> None:
        for name, (screen, keys) in COMMANDS.items():
            before = kept(workspace)
            app.action_go(screen)
            await soon(app, lambda screen=screen: app.screen.name == screen)
            for key in keys:
                press(app, "enter" if key == "\n" else key)
                await soon(app, lambda: not app._holds)
            await soon(app, lambda: bool(app._edits))
            assert kept(workspace) != before, name
            press(app, "u")
            await soon(app, lambda before=before: not app._holds and kept(workspace) == before)

    drive(workspace, script)


@pytest.fixture(scope="module")
def reports(built_demo: Path) -> dict[str, tuple[bytes, bytes]]:
    """Every report of the demonstration, as it is saved and as `--format json` prints it."""
    return every_report(Workspace(built_demo))


def every_report(workspace: Workspace) -> dict[str, tuple[bytes, bytes]]:
    made, _ = run_all(workspace, load_config(workspace), Clock.of(NOW), Cache(workspace.cache_path))
    return {name: (save(report), envelope(report)) for name, report in made.items()}


def test_rows_in_another_order_make_the_same_bytes(
    demo: Workspace, reports: dict[str, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    other = copied(demo, tmp_path / "copy")
    with duckdb.connect(str(other.cache_path)) as file:
        for (table,) in file.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall():
            file.execute(f"CREATE TEMP TABLE moved AS SELECT * FROM {table} AS t ORDER BY hash(t)")
            file.execute(f"DELETE FROM {table}; INSERT INTO {table} FROM moved; DROP TABLE moved")
    again = every_report(other)
    assert [name for name in reports if reports[name] != again[name]] == []


def test_in_room_mode_no_report_shows_money_or_what_people_said(
    demo: Workspace, reports: dict[str, tuple[bytes, bytes]]
) -> None:
    config, read = load_config(demo), YAML(typ="safe", pure=True).load
    sittings = [read(path.read_bytes()) for path in sorted((demo.engagement / "interviews").glob("*.yaml"))]
    said = {note["text"] for one in sittings for note in one.get("notes", ())}
    said |= {answer["text"] for one in sittings for answer in one.get("answers", ()) if answer.get("text")}
    said |= {person["name"] for one in sittings for person in one.get("people", ())} | {config.engagement.name}
    assert len(said) > 10
    with Cache(demo.cache_path).read() as lease:
        rows = lease.rows("SELECT assignee AS who FROM work_items UNION SELECT actor FROM work_transitions UNION "
                              "SELECT author FROM pull_requests UNION SELECT \"user\" FROM spans")  # fmt: skip
    hashes = [str(row["who"]) for row in rows if row["who"]]
    assert len(hashes) > 10
    whole = ""
    for name, (report, _) in reports.items():
        kept = msgspec.json.decode(report, type=SavedReport)
        whole += report.decode()
        seen = discreet(kept, config.engagement.name)
        told = " ".join(strings((seen, [opened(seen, item) for item in seen.details])))
        assert not (found := re.search(r".{20}\d[\d,.]*\s?(?:USD|EUR).{20}|[$€]\s?\d", told)), f"{name}: {found}"
        assert not [words for words in said if words in told], name
        assert not [one for one in hashes if one in told], name
    assert any(words in whole for words in said) and re.search(r"\d USD", whole)  # it is there when nobody looks


def strings(value: object) -> Iterator[str]:
    """Every text and figure with its unit in a report, but for names the program uses."""
    if isinstance(value, Quantity) and value.value is not None:
        yield f"{value.value} {value.unit}"
    elif isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            if name not in {"id", "unit", "y_unit"}:
                yield from strings(getattr(value, name))
    elif isinstance(value, dict | tuple | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)
