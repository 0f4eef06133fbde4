"""`budget waive` and `budget schema`: what writes budgets.yaml and what helps people write it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from aether_tui.budgets.file import NAME
from aether_tui.cli.budget_file import FILE, find_budgets
from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError


@click.command(short_help="Answer for an exceeded budget until a day")
@click.argument("identity", metavar="ID")
@click.option("--reason", required=True, help="Why, in ten characters or more.")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--expires", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Last day, at most 90 days away.")
@click.option("--raise-to", help="Raise the limit to this (13min); without it a block becomes a warning.")
@FILE
@click.pass_obj
def waive(
    context: Context, identity: str, reason: str, owner: str, expires: datetime, raise_to: str | None, path: Path | None
) -> None:
    """Add a waiver for a budget to budgets.yaml; comments and order of the file stay.

    The gate takes waivers from the file it is given: check a change with the base branch's file.
    """
    from aether_tui.budgets.waive import add_waiver

    shown = str(path) if path else NAME
    today = context.now().date()
    if expires.date() < today:
        raise ConfigurationError(f"{expires:%Y-%m-%d} is over", where="--expires", next_step="name a day to come")
    fields = {"reason": reason, "owner": owner, "expires": f"{expires:%Y-%m-%d}", "raise_to": raise_to or ""}
    click.echo(add_waiver(find_budgets(context, path), identity, fields, today, shown))
    click.echo(f"{identity} is waived until {expires:%Y-%m-%d} ({owner}); commit {shown}", err=True)


@click.command(short_help="JSON Schema of budgets.yaml, for editors")
@click.option("--write", is_flag=True, help="Write it beside the budgets file, and name it in the file's first line.")
@FILE
@click.pass_obj
def schema(context: Context, write: bool, path: Path | None) -> None:
    """Print the JSON Schema of budgets.yaml, or put it where editors find it."""
    from aether_tui.budgets.schema import FILE_NAME, MODELINE, shipped
    from aether_tui.workspace.store import write_whole

    if not write:
        click.echo(shipped().decode(), nl=False)
        return
    found = find_budgets(context, path).resolve()
    try:
        write_whole(found.parent / FILE_NAME, shipped())
        data = found.read_bytes()
        if MODELINE.encode() not in data:
            write_whole(found, MODELINE.encode() + b"\n" + data.removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(found.parent)) from error
    click.echo(f"{FILE_NAME} is beside {found.name}, whose first line names it", err=True)
