"""`export`: the whole engagement as a Markdown pack."""

from __future__ import annotations

from pathlib import Path

import click

from aether_tui.cli.context import Context


@click.command(short_help="Write the engagement as a Markdown pack")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder (default: exports/ of the workspace).",
)
@click.option(
    "--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO, in UTC days."
)
@click.option("--handbook", is_flag=True, help="Only how we work and first weeks by role, into exports/handbook/.")
@click.option("--html", is_flag=True, help="Pages that open in a browser, instead of Markdown.")
@click.pass_obj
def export(context: Context, output: Path | None, window: str, handbook: bool, html: bool) -> None:
    """Write an index, one Markdown page per report and one per document, charts as SVG; the same bytes for the same data and clock.

    What people said in interviews stands in it by function, without names and the interviews themselves; who was interviewed is named
    in no document of it, unless they agreed to be, and nobody's address or number to call is. Owners and roles stay.
    """
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import documents_of, run_all, run_report
    from aether_tui.reports import pack, paper

    config = context.config()
    workspace = context.workspace()
    clock = Clock.of(
        context.now(), window, seed=context.seed, fiscal_start_month=config.engagement.fiscal_year_start_month
    )
    papers = paper.papers(documents_of(workspace, config, leaves=True), paper.HANDBOOK if handbook else None)
    if handbook:
        folder = output or workspace.exports / "handbook"
        found = pack.handbook(run_report("handbook", workspace, config, clock, leaves=True), papers)
    else:
        folder = output or workspace.exports
        reports, notices = run_all(workspace, config, clock, Cache(workspace.cache_path), leaves=True)
        found = pack.pages(reports, config.engagement.name, notices, papers)
    if html:
        from aether_tui.reports.html import pages

        found = pages(found)
    written = pack.write(folder, found)
    click.echo(f"{len(written)} files in {folder}, start with {written[-1]}", err=True)
