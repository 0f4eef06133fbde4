"""From a score to one item and one trace in three keys, and back, on a real cache with a real child."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from aether_tui.app import AetherApp
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world
from tests.tui.driving import drive, screen_text, until


@pytest.fixture
def filled(tmp_path: Path) -> Workspace:
    made = world.workspace(tmp_path / "w")
    world.fill(made)
    return made


def test_three_keys_from_a_score_to_an_item_or_a_trace_and_back(filled: Workspace) -> None:
    async def see(pilot: Pilot[int], app: AetherApp, text: str) -> None:
        await until(pilot, lambda: text in screen_text(app))

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await see(pilot, app, "Speed")
        screen = app.front()
        assert screen is not None
        await until(pilot, lambda: app.saved("lens") is not None)
        await see(pilot, app, "Quality")
        screen.page.select("lens.scores/lens.quality")
        await pilot.press("enter")  # 1: the worst indicator of Quality
        item = screen.page.selected
        assert item is not None and item.id == "lens.quality.indicators/quality.call_errors"
        await pilot.press("enter")  # 2: its rows
        await see(pilot, app, "model-call errors: 1 trace in this window")
        await pilot.press("enter")  # 3: the trace
        await see(pilot, app, "answer")
        assert app.screen.name == "trace"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.name == "rows")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        screen.page.select("lens.speed.indicators/speed.cycle_time")
        await pilot.press("enter")
        await see(pilot, app, "cycle time p85: 6 work items in this window")
        await pilot.press("enter")
        await see(pilot, app, "Status history")
        await see(pilot, app, "ENG-6")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is screen)
        screen.page.select("lens.speed.indicators/speed.decision_latency")
        await pilot.press("enter")  # decisions are documents: their rows are the ledger
        await until(pilot, lambda: app.screen.name == "decisions")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("c")  # what is missing is connected there
        await until(pilot, lambda: app.screen.name == "sources")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("i")  # or asked there
        await until(pilot, lambda: app.screen.name == "interview")

    drive(filled, script, size=(120, 40), start="lens")
