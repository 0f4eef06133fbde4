"""The traces explorer, driven by keys: a real cache, a real child behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from aether_tui.app import AetherApp
from aether_tui.cache import Cache
from aether_tui.exploring import Ask, Exploring
from aether_tui.records.tables import SPAN_PAYLOADS
from aether_tui.workspace.folder import Workspace
from screens.drill import RowsPage, TracePage
from screens.traces import Traces
from tests.cache.samples import full
from tests.cli.test_traces import START, rows
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    (tmp_path / "aether.toml").write_text('[engagement]\nname = "Acme"\n')
    workspace = Workspace(tmp_path)
    workspace.cache_path.parent.mkdir(exist_ok=True)
    said = [
        full(SPAN_PAYLOADS, trace_id="t2", span_id="c", start=START, prompt="a refund\x1b[2J please", completion="done")
    ]
    cache = Cache(workspace.cache_path)
    cache.ensure()
    cache.merge("s", "spans", {"spans": list(rows()), "span_payloads": said}, mapping_hash="", now=NOW)
    return workspace


async def ready(pilot: Pilot[int], app: AetherApp) -> Traces:
    screen = app.front()
    assert isinstance(screen, Traces)
    await until(pilot, lambda: app.saved("traces") is not None and "Newest traces" in screen_text(app))
    return screen


async def press(pilot: Pilot[int], app: AetherApp, text: str, *keys: str) -> None:
    await pilot.press(*keys)
    await until(pilot, lambda: text in screen_text(app))


def test_sort_filter_open_reveal_and_compare(place: Workspace) -> None:
    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        screen = await ready(pilot, app)
        await press(pilot, app, "Traces by duration ▾", "o")
        await press(pilot, app, "Traces by cost ▾", "o")
        assert screen._table is not None
        assert screen._table.rows[0].id == "t2"
        assert screen._table.note == "1–4 of 4"
        await press(pilot, app, "Failed traces by cost", "f")
        await until(pilot, lambda: [row.id for row in screen._table.rows] == ["t1"] if screen._table else False)
        await pilot.press("f", "slash", *"feature=orders", "enter")
        await until(pilot, lambda: [row.id for row in screen._table.rows] == ["t2"] if screen._table else False)
        screen.page.select("traces.list/t2")
        await press(pilot, app, "2 spans over 2.0 s", "enter")
        assert isinstance(app.screen, TracePage)
        assert not (place.state / "audit.jsonl").exists()
        app.screen.page.select("trace.tree/c")
        await press(pilot, app, "a refund please", "r")
        (line,) = (place.state / "audit.jsonl").read_text().splitlines()
        assert json.loads(line) == {"at": NOW.isoformat(), "trace": "t2", "span": "c"}
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("f")
        await until(pilot, lambda: screen._table is not None and len(screen._table.rows) < 12)
        screen._list(words="", failed=False)
        await until(pilot, lambda: screen._table is not None and screen._table.note == "1–4 of 4")
        screen.page.select("traces.list/t2")
        await press(pilot, app, "this is A", "m")
        screen.page.select("traces.list/t1")
        await press(pilot, app, "Steps, by name", "m")

    drive(place, script, size=(120, 40), start="traces")


def test_a_search_is_told_and_its_errors_too(place: Workspace) -> None:
    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        screen = await ready(pilot, app)
        await pilot.press("t", *"timeout", "enter")
        await until(pilot, lambda: [row.id for row in screen._table.rows] == ["t1"] if screen._table else False)
        assert "that contain “timeout”" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: "Newest traces" in screen_text(app))
        await pilot.press("B", *"app.plan", "enter")
        await until(pilot, lambda: "grouped by app.plan" in screen_text(app))
        assert screen.page.selected is not None
        assert screen.page.selected.id == "traces.by-app.plan/gold"
        await press(pilot, app, "no column 'beauty'", "slash", *"beauty=1", "enter")
        screen.page.select("traces.loops/loop.steps-in-a-task")
        await press(pilot, app, "that weigh most in this window", "enter")
        await until(pilot, lambda: isinstance(app.screen, RowsPage))

    drive(place, script, start="traces")


def test_in_room_mode_and_to_look_only_nothing_that_was_said_is_shown(place: Workspace) -> None:
    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        screen = await ready(pilot, app)
        await pilot.press("R")
        screen.page.select("traces.list/t2")
        await press(pilot, app, "2 spans over", "enter")
        app.screen.page.select("trace.tree/c")  # type: ignore[attr-defined]  # a page
        await press(pilot, app, "not while others look on", "r")
        assert "1.5 USD" not in screen_text(app)

    drive(place, script, start="traces")
    assert not (place.state / "audit.jsonl").exists()


def test_the_child_ends_with_the_console(place: Workspace) -> None:
    import asyncio

    async def run() -> None:
        heard: list[object] = []
        child = Exploring(place.root, heard.append)
        task = asyncio.create_task(child.run(Ask(what="list", now=NOW)))
        while not heard:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not child.running

    asyncio.run(run())
