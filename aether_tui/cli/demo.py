"""`demo`: a demonstration engagement, built once and then opened."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context

if TYPE_CHECKING:
    from aether_tui.workspace.folder import Workspace


@click.command(short_help="Build a demonstration engagement and open it")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("aether-demo"),
    show_default=True,
    help="Folder of the demonstration.",
)
@click.option("--no-tui", is_flag=True, help="Print the summary instead of opening the console.")
@click.option("--force", is_flag=True, help="Build it again, and lose what was changed in it.")
@click.pass_obj
def demo(context: Context, folder: Path, no_tui: bool, force: bool) -> None:
    """Build a demonstration engagement of 120 days up to today and open the console on it.

    A team that does not exist, generated from a fixed seed: its data are recorded answers and files that travel through
    the real connectors, cache and reports; no network is used. One that is there already is opened as it is.
    """
    from aether_tui.demo import build

    day = build.existing(folder)
    if day is None or force:
        from aether_tui.cli.sync import alone

        workspace = build.claim(folder)
        with alone(workspace):
            build.build(workspace, context.now, _narrate)
        if not no_tui:
            _keep_home(workspace, context)
    elif (age := _days_old(day, context.now())) > 0:
        _narrate(
            f"this demonstration ends {age} {'day' if age == 1 else 'days'} ago; --force builds it again for today"
        )
    context.workspace_flag = folder
    _open(context, no_tui)


def _keep_home(workspace: Workspace, context: Context) -> None:
    """Save the first page and what stands above it, so that the console opens on them."""
    from aether_tui import builds
    from aether_tui.session import Memory, Session

    order = builds.Order(str(workspace.root), ("summary",), context.now(), context.seed)
    settings = builds.build(order, "summary").settings
    if settings is not None:
        Memory(workspace).keep_session(Session(name=settings.name, theme=settings.theme, keys=settings.keys))


def _days_old(day: datetime, now: datetime) -> int:
    return (now.astimezone(UTC).replace(tzinfo=None) - day).days


def _open(context: Context, no_tui: bool) -> None:
    from aether_tui.cli.console import command_to_open, open_console, print_summary

    if not no_tui:
        open_console(context)
        return
    print_summary(context, context.workspace())
    _narrate(f"open the console with `{command_to_open(context)}`")


def _narrate(sentence: str) -> None:
    from aether_tui.text import one_line

    click.echo(one_line(sentence, 400), err=True)
