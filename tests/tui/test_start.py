"""What the first paint may not load, measured in a process of its own."""

import json
import subprocess
import sys

from tests.tui.workspaces import make_workspace

HEAVY = ("pydantic", "duckdb", "httpx", "numpy", "plotext", "keyring", "jinja2", "ruamel")

PROGRAM = """
import asyncio, json, sys
from datetime import UTC, datetime
from pathlib import Path
from aether_tui.app import AetherApp
from aether_tui.builds import Options
from aether_tui.workspace.folder import Workspace
import aether_tui.cli.console
now = datetime(2026, 11, 21, 14, tzinfo=UTC)
app = AetherApp(Workspace(Path(sys.argv[1])), Options(lambda: now, now))
async def run():
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        painted = "Refund tokens" in "".join(strip.text for strip in app.screen._compositor.render_strips())
        print(json.dumps({"painted": painted, "loaded": [name for name in sys.argv[2].split(",") if name in sys.modules]}))
asyncio.run(run())
"""


def test_heavy_modules_are_absent_at_the_first_paint(tmp_path):
    workspace = make_workspace(tmp_path / "w")
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(workspace.root), ",".join(HEAVY)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout) == {"painted": True, "loaded": []}
