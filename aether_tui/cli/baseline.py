"""`budget baseline`: measurements of the base branch, kept in files that git merges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.budget_file import FILE, FINGERPRINT, STORE, fingerprint_of, read_found, store_of
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import NoData
from aether_tui.human import amount, plural
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.budgets.baseline import Added
    from aether_tui.budgets.file import BudgetFile
    from aether_tui.budgets.model import Measured


@click.command(short_help="Keep measurements of the base branch in files")
@click.argument("paths", nargs=-1, metavar="[PATH|-]…")
@click.option("--update", is_flag=True, help="Write; without it only say what would be added.")
@click.option("--commit", envvar=["GITHUB_SHA", "CI_COMMIT_SHA"], help="What was measured (default: git's HEAD).")
@FORMAT
@FILE
@STORE
@FINGERPRINT
@click.pass_obj
def baseline(
    context: Context, paths: tuple[str, ...], update: bool, commit: str | None, form: str, path: Path | None,
    store: str | None, fingerprint: str | None,
) -> None:  # fmt: skip
    """Append the measurements in reports to benchmarks/SURFACE/METRIC.json, for `budget check` to compare with.

    Without a PATH those in the workspace's cache are appended; what is there already is not added again.

    Run it with --update on the base branch only, and commit what it writes; two branches merge without a conflict.
    Where that branch is protected, keep them in one of their own (--store branch:NAME) or in a file (artifact:FILE).
    """
    from aether_tui.budgets.baseline import read_baselines, stamped, updated
    from aether_tui.budgets.filed import from_files
    from aether_tui.cli.measuring import measure_files

    now = context.now()
    file, found = read_found(context, path, now.date())
    place = store_of(found, store)
    if paths:
        measured = stamped(from_files(file, measure_files(context, paths)), file, fingerprint_of(fingerprint))
    else:
        measured = _cached(context, file)
    known = read_baselines(place, file.currency)
    added, left = updated(file, measured, known, commit=one_line(commit or _head(found), 40), now=now)
    for why in left:
        click.echo(f"note: not kept: {why}", err=True)
    if not added:
        raise NoData("no budget is about what was measured", next_step="`aether-tui budget check` says why")
    then = place.write({one.baseline.name: one.baseline.encoded(file.currency) for one in added}) if update else ""
    _print(added, place.name, file.currency, form)
    count = sum(one.count for one in added)
    counted = f"{plural(count, 'sample')} to {plural(len(added), 'baseline')} in {place.name}"
    click.echo(f"added {counted}; next: {then}" if update else f"would add {counted}; --update writes", err=True)


def _cached(context: Context, file: BudgetFile) -> dict[str, list[Measured]]:
    """What the workspace's cache knows about each budget; plans without a commit of their own stay out."""
    from datetime import UTC

    from aether_tui.budgets.cached import Span, from_cache
    from aether_tui.budgets.model import Series
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import open_data

    workspace, config = context.workspace(), context.config()
    clock = Clock.of(context.now(), seed=context.seed, fiscal_start_month=config.engagement.fiscal_year_start_month)
    since, until = (at.astimezone(UTC).replace(tzinfo=None) for at in (clock.window.start, clock.window.end))
    with open_data(config, clock, Cache(workspace.cache_path)) as data:
        found = from_cache(data.rows, file, Span(since, until))
    return {identity: [one for one in series if isinstance(one, Series)] for identity, series in found.items()}


def _head(found: Path) -> str:
    """The commit that is checked out; empty where there is no git."""
    from aether_tui.budgets.git import repository_of

    repository = repository_of(found)
    return repository.commit("HEAD") if repository else ""


def _print(added: Sequence[Added], store: str, currency: str, form: str) -> None:
    from aether_tui.budgets.file import METRICS

    if form == "json":
        print_json(
            [
                {
                    "path": f"{store}/{one.baseline.name}",
                    "metric": one.baseline.metric,
                    "match": dict(one.baseline.match),
                    "added": one.count,
                    "n": len(one.baseline.lines),
                    "median": newest.median,
                    "mad": newest.mad,
                    "unit": METRICS[one.baseline.metric].kind.replace("money", currency),
                }
                for one in added
                for newest in [one.baseline.lines[max(one.baseline.lines)]]
            ]
        )
        return
    rows = []
    for one in added:
        newest = one.baseline.lines[max(one.baseline.lines)]
        unit = METRICS[one.baseline.metric].kind
        shown = amount(newest.median, unit, currency), amount(newest.mad, unit, currency)
        rows.append((f"{store}/{one.baseline.name}", str(one.count), str(len(one.baseline.lines)), *shown))
    print_table(("BASELINE", "ADDED", "N", "MEDIAN", "MAD"), rows)
