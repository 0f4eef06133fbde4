"""`budget backtest`: which of the last merged changes the gate would have stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.budget_file import FILE, STORE, read_found, store_of
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_table
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.human import plural
from aether_tui.report_model import GLYPHS

if TYPE_CHECKING:
    from aether_tui.budgets.backtest import Backtest, History
    from aether_tui.budgets.file import BudgetFile


@click.command(short_help="Which merged changes the gate would have stopped")
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@click.option("--last", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many changes.")
@FORMAT
@FILE
@STORE
@click.pass_obj
def backtest(
    context: Context, paths: tuple[str, ...], last: int, form: str, path: Path | None, store: str | None
) -> None:
    """Judge the last merged changes as the gate would have, and say how many stops would have been false.

    From the baselines in files, from reports that hold many runs, and from the cache of a workspace. A change is what one
    commit measured; where measurements name none, each of them is one.
    """
    from aether_tui.budgets import backtest as past

    file, found = read_found(context, path, context.now().date())
    histories = _histories(context, file, found, paths, store, last)
    if not histories:
        raise NoData("no measurement of the past", next_step="`aether-tui budget baseline --update` keeps them")
    made = past.backtest(file, histories, last)
    if made.changes < last:
        click.echo(
            f"note: {plural(made.changes, 'change')} of {last} are known; `noise: {{window: 100}}` keeps more", err=True
        )
    if form == "json":
        import msgspec

        click.echo(msgspec.json.encode(made).decode())
    else:
        _print(made)


def _histories(
    context: Context, file: BudgetFile, found: Path, paths: Sequence[str], store: str | None, last: int
) -> list[History]:
    """The stored samples of each budget, and those of reports and of the cache where they know more."""
    from aether_tui.budgets.backtest import History, histories_of
    from aether_tui.budgets.baseline import read_baselines
    from aether_tui.cli.budget_run import Asked, measured_now

    stored = [
        History(budget, _name(budget.match, one.match), one.samples)
        for one in read_baselines(store_of(found, store), file.currency)
        for budget in file.budgets
        if budget.metric == one.metric and budget.matches(one.match) and one.lines
    ]
    wide = replace(file, budgets=tuple(replace(one, window=max(one.window, last)) for one in file.budgets))
    try:
        measured, _ = measured_now(context, wide, found, Asked(tuple(paths), store, None, None))
        more = histories_of(wide, measured)
    except ConfigurationError:
        if paths:
            raise
        more = []
    known = {one.budget.id for one in more}
    narrow = {budget.id: budget for budget in file.budgets}
    return [one for one in stored if one.budget.id not in known] + [
        replace(one, budget=narrow[one.budget.id]) for one in more
    ]


def _name(pattern: Mapping[str, str], match: Mapping[str, str]) -> str:
    """What tells series of one budget apart: the values of its wildcards."""
    return " · ".join(value for key, value in sorted(match.items()) if "*" in pattern.get(key, "*"))


def _print(made: Backtest) -> None:
    rows = [
        (GLYPHS[stop.verdict], change.commit[:12] or "—", f"{change.at:%Y-%m-%d %H:%M}" if change.at else "—", stop.id,
         stop.truth, stop.why)
        for change in made.stopped
        for stop in change.stops
    ]  # fmt: skip
    if rows:
        print_table(("", "COMMIT", "MEASURED", "BUDGET", "WAS", "WHY"), rows)
        click.echo()
    stopped = made.blocked + made.asked
    click.echo(
        f"Of {plural(made.changes, 'change')}, {made.blocked} would have been blocked and {made.asked} asked to run again; "
        f"{made.warned} warned."
    )
    if stopped:
        open_ones = f", {made.open} open" if made.open else ""
        click.echo(f"Of these {plural(stopped, 'stop')}, {made.false} would have been false{open_ones}.")
    if made.only_limits:
        click.echo(f"{plural(made.only_limits, 'change')} had no baseline yet: judged by limits alone.")
    click.echo(made.definition)
