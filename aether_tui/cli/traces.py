"""`traces` and `trace`: the explorer without a screen."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, format_option, print_json, print_table
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from aether_tui.diagnostics.explorer import Explorer
    from aether_tui.diagnostics.frame import Clock, Data, Filters, Record

SHOWN = (
    "start",
    "trace_id",
    "feature",
    "model",
    "duration_s",
    "turns",
    "calls",
    "tokens",
    "cost_usd",
    "status",
    "outcome",
    "cluster",
)


@click.command(short_help="List traces: slowest, dearest, failed, or by what they contain")
@click.argument("words", nargs=-1)
@click.option(
    "--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO, in UTC days."
)
@click.option("--since", metavar="DATE", help="From this day or instant until now, in place of --window.")
@click.option("--failed", is_flag=True, help="Only traces that failed, by status or outcome.")
@click.option("--sort", default="start", show_default=True, metavar="COLUMN", help="Largest or newest first.")
@click.option("--ascending", is_flag=True, help="Smallest or oldest first.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Most rows.")
@click.option(
    "--search", metavar="TEXT", help="Only traces whose names, errors, attributes or kept prompts contain it."
)
@click.option("--by", metavar="ATTRIBUTE", help="Group them by a column, or by any attribute of their spans.")
@click.option("--team", help="Only this team.")
@click.option("--service", help="Only this service.")
@click.option("--feature", help="Only this feature.")
@click.option("--environment", help="Only this environment.")
@FORMAT
@click.pass_obj
def traces(
    context: Context, words: tuple[str, ...], window: str, since: str | None, failed: bool, sort: str, ascending: bool,
    limit: int, search: str | None, by: str | None, team: str | None, service: str | None, feature: str | None, environment: str | None,
    form: str,
) -> None:  # fmt: skip
    """List traces of a window, newest first.

    WORDS filter: `feature=search`, `cost>0.1`, `model=…`, or text that a dimension or the id contains.
    A search reads every span of the window, newest day first; ctrl+c stops it.
    """
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.explorer import Explorer, column_of, where
    from aether_tui.diagnostics.frame import Filters

    column, condition = column_of(sort), " ".join(words)
    where(condition)
    clock = _clock(context, f"{since}..{context.now().isoformat()}" if since else window)
    explorer = Explorer(Cache(context.workspace().cache_path))
    if by is not None:
        _grouped(explorer, by, clock, Filters(team, service, feature, environment), form)
        return
    try:
        explorer.open(clock, Filters(team, service, feature, environment))
        if search is not None:
            _search(explorer, search, clock)
        explorer.order(column, descending=not ascending, words=condition, searched=search is not None, failed=failed)
        rows = explorer.page(0, limit)
    finally:
        explorer.close()
    if form == "json":
        print_json({"total": explorer.total, "matching": explorer.shown, "traces": [_plain(row) for row in rows]})
        return
    print_table([name.upper() for name in SHOWN], [_line(row) for row in rows])
    click.echo(f"{len(rows):,} of {explorer.shown:,} that match, of {explorer.total:,} in the window", err=True)


def _grouped(explorer: Explorer, by: str, clock: Clock, filters: Filters, form: str) -> None:
    """Traces by an attribute, the largest groups first."""
    from msgspec import to_builtins

    from aether_tui.diagnostics.traces import group_of
    from aether_tui.human import amount

    try:
        groups = [group_of(row) for row in explorer.groups(by, clock, filters)]
    finally:
        explorer.close()
    if form == "json":
        print_json({"by": by, "groups": to_builtins(groups)})
        return

    def cell(value: float | None, unit: str) -> str:
        return "—" if value is None else amount(value, unit)

    rows = [
        [one.shared or "—", f"{one.n:,}", amount(one.failed / one.n, "ratio"), cell(one.p50_s, "s"), cell(one.p95_s, "s"),
         cell(one.cost_usd, "USD")]
        for one in groups
    ]  # fmt: skip
    print_table([by.upper(), "TRACES", "FAILED", "P50", "P95", "COST"], rows)


def _clock(context: Context, window: str) -> Clock:
    from aether_tui.diagnostics.frame import Clock

    fiscal = context.config().engagement.fiscal_year_start_month
    return Clock.of(context.now(), window, seed=context.seed, fiscal_start_month=fiscal)


def _search(explorer: Explorer, text: str, clock: Clock) -> None:
    """Say on stderr how far the search is; ctrl+c stops it, and what was found is listed."""
    if not text.strip():
        raise ConfigurationError("the text is empty", where="--search", next_step="say what to look for")
    told = sys.stderr.isatty()
    try:
        for share, found in explorer.search(text, clock):
            if told:
                click.echo(f"\rsearched {share:.0%}, {found:,} found", nl=False, err=True)
    except KeyboardInterrupt:
        click.echo("\nstopped; only what was found so far is listed", err=True)
    if told:
        click.echo(err=True)


def _plain(row: Record) -> dict[str, object]:
    return {name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value for name, value in row.items()}


def _line(row: Record) -> list[str]:
    from aether_tui.human import amount

    units = {"duration_s": "s", "cost_usd": "USD"}
    cells = []
    for name in SHOWN:
        value = row[name]
        if value is None:
            cells.append("—")
        elif isinstance(value, datetime):
            cells.append(f"{value:%Y-%m-%d %H:%M:%S}")
        elif name in units and isinstance(value, int | float):
            cells.append(amount(value, units[name]))
        else:
            cells.append(f"{value:,}" if isinstance(value, int) else str(value))
    return cells


@click.command(short_help="Show one trace as a tree, or two side by side")
@click.argument("identity", metavar="ID")
@click.option("--with", "other", metavar="ID", help="Another trace, to be compared step by step.")
@click.option(
    "--reveal",
    "shown",
    metavar="SPAN",
    help="Print what was said in a span, if it is kept; noted in .aether/audit.jsonl.",
)
@format_option("text", "json", "md")
@click.pass_obj
def trace(context: Context, identity: str, other: str | None, shown: str | None, form: str) -> None:
    """Show trace ID as a tree: durations on its own time axis, tokens, cost, errors, repeats and loops."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics import trace_pair, trace_report
    from aether_tui.diagnostics.run import open_data
    from aether_tui.report_model import envelope

    if shown is not None and (other is not None or form == "md"):
        raise ConfigurationError(
            "what was said is shown for one trace, as text or JSON",
            where="--reveal",
            next_step="leave the other option out",
        )
    clock, workspace = _clock(context, "28d"), context.workspace()
    with open_data(context.config(), clock, Cache(workspace.cache_path)) as data:
        if shown is not None:
            _reveal(context, data, identity, shown, form)
            return
        made = trace_pair.compare(data, identity, other) if other else trace_report.report(data, identity)
    if form == "json":
        click.echo(envelope(made).decode())
    elif form == "md":
        from aether_tui.reports import markdown

        click.echo(markdown.render(made), nl=False)
    else:
        from aether_tui.reports import text

        click.echo(text.render(made), nl=False)


def _reveal(context: Context, data: Data, identity: str, span: str, form: str) -> None:
    from msgspec import to_builtins

    from aether_tui.diagnostics.reveal import reveal

    said = reveal(data, context.workspace().state, identity, span, context.now())
    if form == "json":
        print_json(to_builtins(said))
        return
    for title, words in (("PROMPT", said.prompt), ("COMPLETION", said.completion)):
        click.echo(f"{title}\n{words if words is not None else '—'}\n")
