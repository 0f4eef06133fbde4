"""Opening the console, or printing the summary where there is no terminal."""

from __future__ import annotations

import codecs
import difflib
import gc
import os
import sys
import tomllib
from functools import partial

import click

from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError
from aether_tui.workspace.folder import Workspace
from screens import SCREENS


def open_console(context: Context, start: str | None = None, *, read_only: bool = False, bell: bool = False) -> None:
    """Open the console on the workspace, on the screen `start`; without one that can show it print the summary instead.

    Raises ConfigurationError without a workspace, for broken TOML and for an unknown screen.
    """
    workspace = context.workspace()
    _check_start(start)
    if lacking := _lacking():
        print_summary(context, workspace)
        why, where = lacking
        click.echo(f"aether-tui: {why}; run `{command_to_open(context)}` {where} to open the console", err=True)
        return
    _check_toml(context, workspace)
    from aether_tui.app import AetherApp
    from aether_tui.builds import Options

    options = Options(context.now, context.as_of, context.seed, context.offline, start, read_only, bell)
    app = AetherApp(workspace, options)
    _take_any_bytes()
    # All objects are looked through when nobody types; the interpreter itself does it a tenth as often.
    gc.set_threshold(*gc.get_threshold()[:2], 100)
    app.run()
    if app.return_code:
        raise click.exceptions.Exit(app.return_code)


def _take_any_bytes() -> None:
    """Read what is no UTF-8 as `�`: one such byte, typed or pasted, would end Textual 8 with a traceback (its issue 6456)."""
    if sys.platform != "win32":
        from textual.drivers import linux_driver

        decoder = partial(codecs.getincrementaldecoder("utf-8"), errors="replace")
        linux_driver.getincrementaldecoder = lambda _encoding: decoder  # type: ignore[attr-defined]  # it imports it


def _lacking() -> tuple[str, str] | None:
    """Why nothing can be drawn here, and where it could be."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "no terminal here", "in one"
    if os.environ.get("TERM") == "dumb":
        return "TERM=dumb cannot place text", "in another terminal"
    if "utf" not in sys.stdout.encoding.lower():
        return f"the locale's texts are {sys.stdout.encoding}, not UTF-8", "with LANG=C.UTF-8"
    return None


def _check_start(start: str | None) -> None:
    if start is None or start in SCREENS:
        return
    near = difflib.get_close_matches(start, SCREENS, 1)
    raise ConfigurationError(
        f"no screen {start!r}" + (f", did you mean {near[0]!r}?" if near else ""),
        where="--start",
        next_step=f"there are {', '.join(SCREENS)}",
    )


def _check_toml(context: Context, workspace: Workspace) -> None:
    """Refuse broken TOML before the screen changes; everything else about the file is checked behind the first paint."""
    try:
        tomllib.loads(workspace.config_path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        context.config()


def command_to_open(context: Context) -> str:
    """What opens the console on the same workspace from here."""
    return f"aether-tui -w {context.workspace_flag}" if context.workspace_flag else "aether-tui"


def print_summary(context: Context, workspace: Workspace) -> None:
    """Print the summary report as text. Raises ConfigurationError."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import run_report
    from aether_tui.reports import text

    config = context.config()
    clock = Clock.of(context.now(), seed=context.seed, fiscal_start_month=config.engagement.fiscal_year_start_month)
    report = run_report("summary", workspace, config, clock, Cache(workspace.cache_path))
    click.echo(text.render(report), nl=False)
