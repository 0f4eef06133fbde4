"""Replaying from a trace: the model is asked for, the cost is shown, yes sends, and the answer stands beside the recorded one."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from aether_tui.app import AetherApp
from screens.drill import ReplayPage, TracePage
from screens.traces import Traces
from tests.connectors.server import serving
from tests.replay.test_replay import answer, asked, call, place, stored
from tests.tui.driving import drive, screen_text, until


@pytest.mark.slow
def test_a_call_is_sent_again_after_its_cost_was_agreed_to(tmp_path: Path) -> None:
    with serving(answer) as server:
        workspace = place(tmp_path, server.url, call(1, asked(1)))

        async def script(pilot: Pilot[int], app: AetherApp) -> None:
            async def seen(text: str, *keys: str) -> None:
                await pilot.press(*keys)
                await until(pilot, lambda: text in screen_text(app))

            await until(pilot, lambda: app.saved("traces") is not None and "Newest traces" in screen_text(app))
            screen = app.front()
            assert isinstance(screen, Traces)
            screen.page.select("traces.list/t1")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, TracePage) and "¶ kept" in screen_text(app))
            await seen("the recorded one", "p")
            await seen("yes?", "enter")
            assert "about 0.0002 USD, at most 0.0042 USD" in screen_text(app)
            await seen("nothing was sent", "n", "o", "enter")
            await seen("the recorded one", "p")
            await seen("nobody knows the price", *"unheard", "enter")
            assert server.requests == []
            await seen("the recorded one", "p")
            await seen("1 request to new", *"new", "enter")
            await pilot.press(*"yes", "enter")
            await until(pilot, lambda: isinstance(app.screen, ReplayPage) and "sent again to new" in screen_text(app))
            assert [row["status"] for row in stored(workspace)] == ["ok"]
            page = app.screen
            assert isinstance(page, ReplayPage)
            page.page.select(f"replays.answers/{stored(workspace)[0]['id']}")
            await seen("{+new+}", "enter")
            await pilot.press("escape", "escape")
            await until(pilot, lambda: isinstance(app.screen, TracePage))
            await seen("not while others look on", "R", "p")

        drive(workspace, script, size=(120, 40), start="traces", offline=False)
        assert len(server.requests) == 1
