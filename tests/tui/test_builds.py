"""Building reports behind the console: in a real child, on real workspaces."""

import json
import subprocess
import sys
from datetime import timedelta

import msgspec
import pytest

from aether_tui.builds import COMMAND, Order, Outcome, build
from aether_tui.cache import Cache
from aether_tui.cache.turn import Turn
from aether_tui.session import Memory, Shelf
from aether_tui.workspace.folder import Workspace
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW, make_workspace


@pytest.fixture
def empty(tmp_path):
    (tmp_path / "aether.toml").write_text('[engagement]\nname = "Acme"\n[console.keys]\n"report.why" = "W"\n')
    return Workspace(tmp_path)


def order(workspace: Workspace, *names: str) -> Order:
    return Order(str(workspace.root), names, NOW, 0)


def test_a_child_builds_what_it_is_told_and_remembers_it(empty):
    orders = order(empty, "summary").line() + order(empty, "portfolio").line()
    told = subprocess.run(COMMAND, input=orders, capture_output=True, check=True)
    outcomes = [msgspec.json.decode(line, type=Outcome) for line in told.stdout.splitlines()]
    assert [(outcome.name, outcome.failure) for outcome in outcomes] == [("summary", None), ("portfolio", None)]
    assert outcomes[0].settings.name == "Acme"
    assert outcomes[0].settings.keys == {"report.why": "W"}
    saved = Memory(empty).report("summary")
    assert saved.as_of == NOW
    assert saved.headline


def test_a_child_loads_nothing_of_the_console(empty):
    program = (
        "import sys; from aether_tui.builds import main; main();"
        "assert not any(name.startswith('textual') for name in sys.modules), 'textual'"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], input=order(empty, "portfolio").line(), capture_output=True, check=True
    )
    assert json.loads(told.stdout)["name"] == "portfolio"


def test_documents_alone_need_no_duckdb(empty):
    program = "import sys; from aether_tui.builds import main; main();assert 'duckdb' not in sys.modules"
    line = order(empty, "portfolio").line()
    subprocess.run([sys.executable, "-c", program], input=line, capture_output=True, check=True)


def test_a_report_that_cannot_be_kept_is_a_failure_and_not_the_one_before(empty):
    assert build(order(empty), "portfolio").failure is None
    reports = empty.state / "reports"
    reports.rename(empty.state / "before")
    reports.write_text("")  # as on a full or read-only disk, where root may write
    failure = build(order(empty), "portfolio").failure
    assert failure is not None and failure.what.startswith("the new one cannot be kept: ")
    assert "aether-tui report portfolio" in failure.next_step


def test_a_broken_configuration_is_a_failure_with_its_next_step(empty):
    empty.config_path.write_text("[gate]\nmin_request = 3\n")
    failure = build(order(empty, "summary"), "summary").failure
    assert "min_request" in failure.what + failure.where
    assert "min_requests" in failure.what + failure.next_step


def test_an_error_in_the_program_is_a_failure_with_a_file(empty, monkeypatch):
    monkeypatch.setattr("aether_tui.diagnostics.run.run_report", lambda *_: 1 / 0)
    failure = build(order(empty, "summary"), "summary").failure
    assert "ZeroDivisionError" in failure.what
    assert ".aether/state/crash-" in failure.next_step


def test_what_is_out_of_date(empty):
    memory = Memory(empty)
    shelf = Shelf(memory, None)
    assert shelf.outdated("summary", NOW)
    build(order(empty, "summary"), "summary")
    shelf.take("summary", None)
    assert not shelf.outdated("summary", NOW)
    assert shelf.outdated("summary", NOW + timedelta(hours=1))
    assert Shelf(memory, NOW + timedelta(days=1)).outdated("summary", NOW)
    (empty.engagement / "opportunities").mkdir(parents=True)
    assert shelf.outdated("summary", NOW)
    failure = build(Order(str(empty.root / "gone"), ("summary",), NOW, 0), "summary").failure
    shelf.take("summary", failure)
    assert not shelf.outdated("summary", NOW)


def test_the_first_start_builds_and_a_change_on_disk_is_noticed(empty):
    async def script(pilot, app):
        await until(pilot, lambda: "Next: " in screen_text(app) and not app._building)
        assert "Acme" in screen_text(app)
        assert app.keymap.keys["report.why"] == "W"
        (empty.engagement / "opportunities").mkdir(parents=True, exist_ok=True)
        (empty.engagement / "opportunities" / "OPP-1.yaml").write_text(
            "id: OPP-1\ntitle: Cache policy answers\nimpact: 6\nconfidence: 6\nreversibility: 8\neffort_weeks: 2\n"
        )
        await pilot.press("g", "p")
        await until(pilot, lambda: "Cache policy answers" in screen_text(app))

    drive(empty, script)


def test_who_holds_the_cache_is_said_while_a_report_waits_for_it(tmp_path):
    workspace = make_workspace(tmp_path / "w")
    (workspace.state / "reports" / "summary.json").unlink()
    Cache(workspace.cache_path).ensure()
    held = Turn.take(workspace.cache_path.with_name("cache.turn"), 5)
    held.sign("process 4123 (aether-tui load)")

    async def script(pilot, app):
        await until(pilot, lambda: "cache held by process 4123 (aether-tui load) for" in screen_text(app))
        held.release()
        await until(pilot, lambda: app.saved("summary") is not None and "process 4123" not in screen_text(app))

    drive(workspace, script)


def test_quitting_ends_a_build(tmp_path):
    workspace = make_workspace(tmp_path / "w")
    for name in ("summary", "lens"):
        (workspace.state / "reports" / f"{name}.json").unlink()

    async def script(pilot, app):
        await until(pilot, lambda: app._builders.newest is not None)
        await pilot.press("q")

    app = drive(workspace, script)
    assert app._builders.newest.returncode is not None
