"""`budget init`: limits to begin with, proposed from what was measured; written only when asked."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.budgets.file import NAME, parse_budgets
from aether_tui.budgets.model import MIN_RUN_RATE_DAYS
from aether_tui.cli.budget_file import FILE, FINGERPRINT, STORE, find_budgets
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.human import plural
from aether_tui.problems import nearest

if TYPE_CHECKING:
    from aether_tui.budgets.propose import Proposal


@click.command(name="init", short_help="Propose limits from what was measured")
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@click.option("--only", multiple=True, metavar="ID", help="Only this budget, even if its limit is kept (repeatable).")
@click.option("--write", is_flag=True, help="Write the proposals; without it they are only printed.")
@FORMAT
@FILE
@STORE
@FINGERPRINT
@click.pass_obj
def init(
    context: Context, paths: tuple[str, ...], only: tuple[str, ...], write: bool, form: str, path: Path | None,
    store: str | None, fingerprint: str | None,
) -> None:  # fmt: skip
    """Propose a limit for every budget that was measured: p95 of its history, or what it is now and 25 % more.

    What was measured and no budget is about gets one. From reports, else from the cache; comments and order of
    budgets.yaml stay. Limits that are kept already are left alone unless --only names them.
    """
    from aether_tui.budgets.propose import proposals, too_young
    from aether_tui.cli.budget_run import Asked, measured_now

    found, data = _text(context, path)
    shown = str(path) if path else NAME
    today = context.now().date()
    file = parse_budgets(data, shown, today)
    measured, measurements = measured_now(context, file, found, Asked(paths, store, fingerprint, None))
    every = proposals(file, measured, measurements)
    young = ", ".join(too_young(file, measured))
    if not every:
        if young:
            wait = f"wait until {MIN_RUN_RATE_DAYS} days of it are known"
            raise NoData(f"{young}: this month is too young for a pace, and no whole month is known", next_step=wait)
        raise NoData("nothing was measured that a budget could be about", next_step="name reports")
    if young:
        click.echo(f"{young}: no limit is proposed from less than {MIN_RUN_RATE_DAYS} days of a month", err=True)
    for identity in only:
        if identity not in [one.id for one in every]:
            near = nearest(identity, [one.id for one in every])
            fix = f"did you mean {near!r}?" if near else "measured are " + ", ".join(one.id for one in every)
            raise ConfigurationError(f"{identity!r} was not measured", where="--only", next_step=fix)
    chosen = [one for one in every if (one.id in only if only else one.needed)]
    _print(every, chosen, form)
    if write and chosen:
        _write(found, data, shown, chosen, context)
        click.echo(f"wrote {plural(len(chosen), 'limit')} to {shown}", err=True)
    elif chosen:
        click.echo(f"{plural(len(chosen), 'limit')} to write: `--write` does, `--only ID` picks", err=True)
    else:
        click.echo("every limit is kept: nothing to write", err=True)


def _text(context: Context, path: Path | None) -> tuple[Path, bytes]:
    """The budgets file; the shipped one where there is none yet."""
    try:
        found = find_budgets(context, path)
        return found, found.read_bytes()
    except (ConfigurationError, FileNotFoundError):
        shipped = files("aether_tui.budgets").joinpath("default.yaml").read_bytes()
        return path or Path.cwd() / NAME, shipped
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _write(found: Path, data: bytes, shown: str, chosen: list[Proposal], context: Context) -> None:
    from aether_tui.budgets.edit import with_budget, with_limit
    from aether_tui.workspace.store import write_whole

    today = context.now().date()
    for one in chosen:
        new = one.new
        data = with_budget(data, shown, new, today) if new else with_limit(data, shown, one.id, one.limit, today)
    try:
        found.parent.mkdir(parents=True, exist_ok=True)
        write_whole(found, data)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=shown) from error


def _print(every: list[Proposal], chosen: list[Proposal], form: str) -> None:
    if form == "json":
        print_json(
            [
                {"id": one.id, "metric": one.metric, "limit": one.was or None, "proposed": one.limit, "from": one.source,
                 "new": one.new is not None, "write": one in chosen}
                for one in every
            ]
        )  # fmt: skip
        return
    rows = [
        (
            one.id,
            one.metric,
            "new budget" if one.new else one.was or "none",
            one.limit if one in chosen else "kept",
            one.source,
        )
        for one in every
    ]
    print_table(("BUDGET", "METRIC", "LIMIT", "PROPOSED", "FROM"), rows)
