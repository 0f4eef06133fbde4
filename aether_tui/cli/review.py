"""`review`: freeze what was published, list it, and tell apart why it changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, format_option, print_json, print_table
from aether_tui.cli.report import COMPARE, looked_at, render, write

if TYPE_CHECKING:
    from aether_tui.diagnostics.frozen import Line
    from aether_tui.diagnostics.review import Cadence


CADENCES = {"weekly": "7d", "monthly": "28d", "quarterly": ""}
"""Windows of the packs; the quarter is the fiscal one we are in."""


@click.group(short_help="Review packs; frozen reviews: freeze, list, diff")
def review() -> None:
    """A pack is what to bring to a review. What was published at one never changes; what is different later is said with its cause."""


@review.command()
@click.argument("cadence", type=click.Choice(list(CADENCES)))
@click.option("--window", metavar="WINDOW", help="Another window: 7d, 2026-Q3 or FROM..TO, in UTC days.")
@click.option("--compare", default="previous", show_default=True, metavar="DATE", help=COMPARE)
@format_option("text", "json", "md")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file instead.")
@click.pass_obj
def pack(context: Context, cadence: Cadence, window: str | None, compare: str, form: str, output: Path | None) -> None:
    """Print the pack of the weekly product sync, the monthly operating review or the quarterly strategy refresh.

    A paragraph to read aloud, every sentence with the facts it rests on, then the questions of the review with their answers.
    The week is the last 7 days, the month the last 28, the quarter the fiscal one we are in.
    As JSON, as Markdown or into a file it is anonymised as `export` is.
    """
    from aether_tui.cache import Cache
    from aether_tui.diagnostics import review as packs
    from aether_tui.diagnostics.windows import quarter_of

    config = context.config()
    quarter = quarter_of(context.now().date(), config.engagement.fiscal_year_start_month)
    clock = looked_at(context, config, window or CADENCES[cadence] or quarter, compare)
    leaves = form != "text" or output is not None
    made = packs.made(context.workspace(), config, clock, Cache(context.workspace().cache_path), cadence, leaves=leaves)
    write(render(made, form), output)


@review.command()
@click.argument("name")
@click.option(
    "--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO, in UTC days."
)
@click.option("--note", default="", help="A line to remember it by.")
@click.pass_obj
def freeze(context: Context, name: str, window: str, note: str) -> None:
    """Store values, definitions, window and fingerprints of all reports under engagement/reviews/NAME.yaml, once."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics import frozen
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.errors import CheckFailed
    from aether_tui.workspace import reviews

    workspace, config = context.workspace(), context.config()
    if reviews.path(workspace, name).exists():
        raise CheckFailed(f"{name} is frozen already", where="engagement/reviews", next_step="choose another name")
    clock = Clock.of(
        context.now(), window, seed=context.seed, fiscal_start_month=config.engagement.fiscal_year_start_month
    )
    made = frozen.take(name, workspace, config, clock, Cache(workspace.cache_path), context.now(), note)
    click.echo(reviews.freeze(workspace, made).relative_to(workspace.root).as_posix())


@review.command(name="list")
@FORMAT
@click.pass_obj
def list_(context: Context, form: str) -> None:
    """Reviews by the moment they stand for."""
    from aether_tui.workspace import reviews

    found, broken = reviews.every(context.workspace())
    for error in broken:
        click.echo(f"not listed: {error.sentence()}", err=True)
    if form == "json":
        print_json([
            {"name": one.name, "as_of": one.as_of.isoformat(), "frozen": one.frozen.isoformat(), "values": len(one.values),
             "from": one.window.start.isoformat(), "to": one.window.end.isoformat(), "note": one.note}
            for one in found
        ])  # fmt: skip
    elif found:
        print_table(
            ("NAME", "AS OF", "WINDOW", "VALUES", "NOTE"),
            [(one.name, f"{one.as_of:%Y-%m-%d}", one.window.label, str(len(one.values)), one.note) for one in found],
        )
    else:
        click.echo("nothing is frozen yet; `aether-tui review freeze NAME` freezes the first", err=True)


@review.command()
@click.argument("old")
@click.argument("new")
@click.option("--all", "every", is_flag=True, help="Also numbers that did not change.")
@FORMAT
@click.pass_obj
def diff(context: Context, old: str, new: str, every: bool, form: str) -> None:
    """Split every change from OLD to NEW into real, late data, redefinition and coverage; the parts add up to the change."""
    from msgspec import to_builtins

    from aether_tui.cache import Cache
    from aether_tui.diagnostics import frozen
    from aether_tui.workspace import reviews

    workspace, config = context.workspace(), context.config()
    first, last = reviews.read(workspace, old), reviews.read(workspace, new)
    cache = Cache(workspace.cache_path)
    now = [frozen.again(one, workspace, config, cache) for one in (first, last)]
    lines = [one for one in frozen.compare(first, now[0], last, now[1]) if every or moved(one)]
    if form == "json":
        print_json({"old": old, "new": new, "lines": to_builtins(lines)})
        return
    if not lines:
        click.echo(f"no number of {old} is different in {new}", err=True)
        return
    header = ("NUMBER", old, new, "CHANGE", "REAL", "LATE DATA", "REDEFINED", "COVERAGE", "")
    print_table(header, [(one.title, *_shown(one), one.note) for one in lines])


def moved(line: Line) -> bool:
    """Whether a number, or one of the four causes, changed."""
    parts = (line.total, line.real, line.late, line.redefinition, line.coverage)
    return (line.before is None) != (line.after is None) or any(abs(part or 0.0) > 1e-9 for part in parts)


def _shown(line: Line) -> tuple[str, ...]:
    from aether_tui.human import NONE, amount

    def signed(value: float | None) -> str:
        if value is None:
            return NONE
        size = f"{amount(abs(100 * value), '')} pt" if line.unit == "ratio" else amount(abs(value), line.unit)
        return "·" if abs(value) <= 1e-9 else ("+" if value > 0 else "−") + size

    levels = [NONE if value is None else amount(value, line.unit) for value in (line.before, line.after)]
    return (*levels, *(signed(one) for one in (line.total, line.real, line.late, line.redefinition, line.coverage)))
