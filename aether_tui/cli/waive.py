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
    from aether_tui.budgets.edit import next_id, with_waiver
    from aether_tui.budgets.file import parse_budgets
    from aether_tui.workspace.store import write_whole

    today = context.now().date()
    found = find_budgets(context, path)
    shown = str(path) if path else NAME
    if expires.date() < today:
        raise ConfigurationError(f"{expires:%Y-%m-%d} is over", where="--expires", next_step="name a day to come")
    try:
        data = found.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=shown) from error
    file = parse_budgets(data, shown, today)
    waiver = {"id": next_id(file, today), "budget": identity, "reason": reason, "owner": owner}
    raised = {"raise_to": raise_to} if raise_to else {}
    changed = with_waiver(data, shown, {**waiver, **raised, "expires": expires.date()}, today)
    try:
        write_whole(found.resolve(), changed)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=shown) from error
    click.echo(waiver["id"])
    click.echo(f"{identity} is waived until {expires:%Y-%m-%d} ({owner}); commit {shown}", err=True)


@click.command(short_help="JSON Schema of budgets.yaml, for editors")
@click.option("--write", is_flag=True, help="Write it beside the budgets file, and name it in the file's first line.")
@FILE
@click.pass_obj
def schema(context: Context, write: bool, path: Path | None) -> None:
    """Print the JSON Schema of budgets.yaml, or put it where editors find it."""
    from aether_tui.budgets.schema import FILE_NAME, MODELINE, budgets_schema
    from aether_tui.cli.output import print_json
    from aether_tui.workspace.store import write_whole

    if not write:
        print_json(budgets_schema())
        return
    import json

    found = find_budgets(context, path).resolve()
    try:
        write_whole(found.parent / FILE_NAME, (json.dumps(budgets_schema(), indent=2) + "\n").encode())
        data = found.read_bytes()
        if MODELINE.encode() not in data:
            write_whole(found, MODELINE.encode() + b"\n" + data.removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(found.parent)) from error
    click.echo(f"{FILE_NAME} is beside {found.name}, whose first line names it", err=True)
