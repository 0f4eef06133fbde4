"""The value stream screen by its keys: a category opens its own map, what is counted is written down, and can be filled in."""

from __future__ import annotations

import shutil
from pathlib import Path

from textual.pilot import Pilot

from aether_tui.app import AetherApp
from aether_tui.report_model import Table
from aether_tui.workspace.folder import Workspace
from screens.stream import Stream
from tests.tui.driving import drive, screen_text, until


def test_steps_are_shown_written_down_and_filled_in(built_demo: Path, tmp_path: Path) -> None:
    place = Workspace(Path(shutil.copytree(built_demo, tmp_path / "demo")))
    folder = place.engagement / "value-streams"
    before = {path.name for path in folder.glob("*.yaml")}

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await until(pilot, lambda: isinstance(app.front(), Stream) and app.saved("value-stream") is not None)
        screen = app.front()
        assert isinstance(screen, Stream)
        report = app.saved("value-stream")
        assert report is not None
        table = next(block for block in report.blocks if block.id == "stream.categories")
        assert isinstance(table, Table)
        item = f"stream.categories/{table.rows[0].id}"
        await until(pilot, lambda: screen.page.select(item))
        await pilot.press("enter")
        await until(pilot, lambda: screen.page.view.open_id == item)
        await pilot.press("escape", "n")
        await until(pilot, lambda: {path.name for path in folder.glob("*.yaml")} > before)
        await until(pilot, lambda: "writing steps down" in screen_text(app))
        await pilot.press("f")
        await until(pilot, lambda: app.screen is not screen)

    drive(place, script, size=(120, 40), start="stream")
