"""`report`: one report as text, JSON or Markdown."""

from __future__ import annotations

from pathlib import Path

import click

from aether_tui.cli.context import Context
from aether_tui.diagnostics.registry import REPORTS
from aether_tui.errors import NoData


@click.command(short_help="Print one report as text, JSON or Markdown", epilog=f"Reports: {', '.join(REPORTS)}.")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text", show_default=True)
@click.option("--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO.")
@click.option(
    "--compare",
    default="previous",
    show_default=True,
    metavar="DATE",
    help="previous, a date the other window ends on, or a frozen review.",
)
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

    A report without data says what is missing; with --format json it then exits 3 unless it has something to say anyway.
    """
    from dataclasses import replace

    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock, Filters
    from aether_tui.diagnostics.run import run_report, spec
    from aether_tui.report_model import envelope
    from aether_tui.workspace import reviews

    needs_data = spec(name).needs_data
    config = context.config()
    workspace = context.workspace()
    review = reviews.named(workspace, compare)
    clock = Clock.of(
        context.now(),
        window,
        "previous" if review else compare,
        seed=context.seed,
        fiscal_start_month=config.engagement.fiscal_year_start_month,
    )
    if review:
        clock = replace(clock, previous=review.window)
    cache = Cache(workspace.cache_path)
    made = run_report(name, workspace, config, clock, cache, Filters(team, service, feature, environment))
    if form == "json":
        rendered = envelope(made) + b"\n"
    elif form == "md":
        from aether_tui.reports import markdown

        rendered = markdown.render(made).encode()
    else:
        from aether_tui.reports import text

        rendered = text.render(made).encode()
    _write(rendered, output)
    if form == "json" and needs_data and not made.freshness:
        raise NoData(
            "the cache is empty", where=f"report {name}", next_step="run `aether-tui sync` or `aether-tui load PATH`"
        )


def _write(rendered: bytes, output: Path | None) -> None:
    if output is None:
        click.echo(rendered, nl=False)
        return
    from aether_tui.reports.pack import write_file

    write_file(output, rendered)
