"""`search`: words in every authored document."""

from __future__ import annotations

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import NoData
from aether_tui.workspace.search import find


@click.command(short_help="Find words in every authored document")
@click.argument("text")
@FORMAT
@click.pass_obj
def search(context: Context, text: str, form: str) -> None:
    """Find documents that contain all words of TEXT, in any case. Exit 3 when none does."""
    workspace = context.workspace()
    found = find(workspace, text)
    if form == "json":
        keys = ("kind", "identity", "title", "line", "text")
        print_json(
            [
                {**{key: getattr(item, key) for key in keys}, "file": item.path.relative_to(workspace.root).as_posix()}
                for item in found
            ]
        )
    elif found:
        places = [f"{item.path.relative_to(workspace.root).as_posix()}:{item.line}" for item in found]
        rows = [(item.identity, item.title, place, item.text) for item, place in zip(found, places, strict=True)]
        print_table(("ID", "TITLE", "WHERE", "SAYS"), rows)
    if not found:
        raise NoData(f"no document contains {text!r}", next_step="`aether-tui doc list` shows what is there")
