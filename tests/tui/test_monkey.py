"""Two hundred keys at random, with resizes: nothing crashes, and the page keeps its invariants."""

import os
import random

import pytest
from rich.cells import cell_len

from aether_tui.actions import ACTIONS
from screens.base import ReportScreen
from tests.tui.driving import drive, screen_text
from tests.tui.workspaces import make_workspace

SIZES = ((80, 24), (120, 40), (20, 5), (60, 15), (61, 16), (200, 60), (1, 1))
# Keys that start other programs or end this one are pressed in tests of their own.
LEFT_OUT = {"app.sync", "app.load", "app.export-all", "app.quit", "report.copy"}


@pytest.mark.parametrize("seed", range(int(os.environ.get("AETHER_MONKEYS", "1"))))
@pytest.mark.slow
def test_two_hundred_keys(tmp_path, seed):
    workspace = make_workspace(tmp_path / "w")
    draw = random.Random(seed)
    keys = [key for action in ACTIONS if action.id not in LEFT_OUT for key in action.keys.replace(" ", ",").split(",")]
    keys += ["a", "z", "enter", "backspace", "tab"]

    async def script(pilot, app):
        for number in range(200):
            if number % 20 == 19:
                await pilot.resize_terminal(*draw.choice(SIZES))
            else:
                key = draw.choice(keys)
                await pilot.press("escape" if key in {"s", "E", "q", "y"} else key)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.is_running
        assert all(cell_len(line) <= 80 for line in screen_text(app).splitlines())
        shown = [screen for screen in app.screen_stack if isinstance(screen, ReportScreen)]
        assert shown
        page = shown[0].page
        assert page.selected is None or page.selected.id in [stop.item.id for stop in page._layout.stops]

    drive(workspace, script)
    assert not list(workspace.state.glob("crash-*"))
