"""`report`: one report as text, JSON or Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import format_option
from aether_tui.diagnostics.registry import REPORTS
from aether_tui.errors import CheckFailed, NoData

if TYPE_CHECKING:
    from msgspec import Struct

    from aether_tui.config import Config
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.report_model import Report


COMPARE = "previous, a date the other window ends on, or a frozen review."


@click.command(short_help="Print one report as text, JSON or Markdown", epilog=f"Reports: {', '.join(REPORTS)}.")
@click.argument("name")
@format_option("text", "json", "md", "sql")
@click.option(
    "--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO, in UTC days."
)
@click.option("--compare", default="previous", show_default=True, metavar="DATE", help=COMPARE)
@click.option("--team", help="Only this team.")
@click.option("--service", help="Only this service.")
@click.option("--feature", help="Only this feature.")
@click.option("--environment", help="Only this environment.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file instead.")
@click.pass_obj
def report(
    context: Context,
    name: str,
    form: str,
    window: str,
    compare: str,
    team: str | None,
    service: str | None,
    feature: str | None,
    environment: str | None,
    output: Path | None,
) -> None:
    """Print the report NAME.

    As JSON, as Markdown or into a file it is anonymised as `export` is.
    As sql it prints what the report asks of .aether/cache.duckdb, for the shell of DuckDB.
    A report without data says what is missing; with --format json it then exits 3 unless it has something to say anyway.
    `report gate` exits 1 on no-go, 3 when there are no traces to judge by, 0 on go, provisional or an override in force.
    """
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Filters
    from aether_tui.diagnostics.run import queries, run_report, spec

    needs_data = spec(name).needs_data
    config = context.config()
    workspace = context.workspace()
    clock = looked_at(context, config, window, compare)
    cache = Cache(workspace.cache_path)
    filters = Filters(team, service, feature, environment)
    if form == "sql":
        write(queries(name, workspace, config, clock, cache, filters).encode(), output)
        return
    leaves = form != "text" or output is not None
    made = run_report(name, workspace, config, clock, cache, filters, leaves=leaves)
    write(render(made, form), output)
    if form == "json" and needs_data and not made.freshness:
        raise NoData(
            "the cache is empty", where=f"report {name}", next_step="run `aether-tui sync` or `aether-tui load PATH`"
        )
    if name == "gate":
        _held_by_gate(made.data)


def _held_by_gate(judged: Struct) -> None:
    """Raises NoData where nothing can be judged, CheckFailed on no-go; an override in force opens it."""
    from aether_tui.diagnostics.gate import Gate, blind, to_judge_by

    assert isinstance(judged, Gate)
    if judged.open:
        return
    if blind(judged):
        raise NoData("nothing to judge by", where="report gate", next_step=f"load AI traces: {to_judge_by(judged)}")
    missed = [one for one in judged.criteria if not one.met]
    raise CheckFailed(
        f"no-go: {', '.join(one.title for one in missed)}", where="report gate", next_step=missed[0].next_step
    )


def looked_at(context: Context, config: Config, window: str, compare: str) -> Clock:
    """The clock of a window and what it is compared with: the one before, one that ends on a date, or a frozen review."""
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.workspace import reviews

    against = reviews.window_of(context.workspace(), compare)
    fiscal = config.engagement.fiscal_year_start_month
    return Clock.of(context.now(), window, against or compare, seed=context.seed, fiscal_start_month=fiscal)


def render(made: Report[Struct], form: str) -> bytes:
    """A report as text, json or md."""
    if form == "json":
        from aether_tui.report_model import envelope

        return envelope(made) + b"\n"
    if form == "md":
        from aether_tui.reports import markdown

        return markdown.render(made).encode()
    from aether_tui.reports import text

    return text.render(made).encode()


def write(rendered: bytes, output: Path | None) -> None:
    """To stdout, or to a file as a whole."""
    if output is None:
        click.echo(rendered, nl=False)
        return
    from aether_tui.reports.pack import write_file

    write_file(output, rendered)
