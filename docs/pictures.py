"""Pictures of screens as SVG: `python docs/pictures.py OUT WORKSPACE SCREEN… [--size 80x24] [--light] [--as-of INSTANT]`.

`make pictures` writes those of the README, from a demonstration of one day. An engagement of your own (Apache DevLake's tables, say)
is drawn the same way; what it says as Markdown is `aether-tui export`.
"""

from __future__ import annotations

import argparse
import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from aether_tui.app import AetherApp
from aether_tui.builds import Options
from aether_tui.session import Memory
from aether_tui.workspace.folder import Workspace
from screens import SCREENS

PATIENCE_S = 120.0
# Rich's own loads its font from a server.
DRAWN: Final = """\
<svg viewBox="0 0 {terminal_width} {terminal_height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px "DejaVu Sans Mono", "Menlo", "Consolas", monospace; white-space: pre; }}
{styles}
</style>
<defs>{lines}</defs>
<rect width="100%" height="100%" fill="PAPER"/>
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</svg>
"""


def picture(workspace: Workspace, screen: str, size: tuple[int, int], now: datetime, *, light: bool) -> str:
    """A screen with its report of `now`, as a person at a terminal of that size sees it."""

    async def draw() -> str:
        app = AetherApp(workspace, Options(now=lambda: now, as_of=now, start=screen, offline=True))
        async with asyncio.timeout(PATIENCE_S), app.run_test(size=size) as pilot:
            app.theme = f"aether-{'light' if light else 'dark'}"
            while (report := Memory(workspace).report(SCREENS[screen].report)) is None or report.as_of != now:
                await pilot.pause(0.05)
            await pilot.pause(0.5)
            return _svg(app)

    return asyncio.run(draw())


def _svg(app: AetherApp) -> str:
    wide, high = app.size
    console = Console(
        width=wide, height=high, file=io.StringIO(), force_terminal=True, color_system="truecolor", record=True
    )
    console.print(app.screen._compositor.render_update(full=True, simplify=True))
    drawn = DRAWN.replace("PAPER", str(app.current_theme.background))
    return console.export_svg(code_format=drawn, theme=SVG_EXPORT_THEME, unique_id=app.screen.name or "screen")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("screens", nargs="+", choices=sorted(SCREENS), metavar="SCREEN")
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--as-of", type=datetime.fromisoformat, default=datetime.now(UTC))
    given = parser.parse_args(words)
    wide, _, high = given.size.partition("x")
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.screens:
        drawn = picture(Workspace(given.workspace), name, (int(wide), int(high)), given.as_of, light=given.light)
        (given.out / f"{name}.svg").write_text(drawn, "utf-8")


if __name__ == "__main__":
    main()
