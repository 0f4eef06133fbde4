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
@click.option("--window", default="28d", show_default=True, metavar="WINDOW", help="28d, 2026-Q3 or FROM..TO.")
@click.pass_obj
def export(context: Context, output: Path | None, window: str) -> None:
    """Write an index and one Markdown page per report, the same bytes for the same data and clock."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import run_all
    from aether_tui.reports import pack

    config = context.config()
    workspace = context.workspace()
    clock = Clock.of(
        context.now(), window, seed=context.seed, fiscal_start_month=config.engagement.fiscal_year_start_month
    )
    reports, notices = run_all(workspace, config, clock, Cache(workspace.cache_path))
    folder = output or workspace.exports
    written = pack.write(folder, pack.pages(reports, config.engagement.name, notices))
    click.echo(f"{len(written)} pages in {folder}, start with {folder / 'index.md'}", err=True)
