"""`budget baseline`: measurements of the base branch, kept in files that git merges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.budget_file import FILE, FINGERPRINT, STORE, fingerprint_of, read_found, store_of
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.human import amount
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.budgets.baseline import Added


@click.command(short_help="Keep measurements of the base branch in files")
@click.argument("paths", nargs=-1, required=True, metavar="PATH|-…")
@click.option("--update", is_flag=True, help="Write; without it only say what would be added.")
@click.option("--commit", envvar=["GITHUB_SHA", "CI_COMMIT_SHA"], help="What was measured (default: git's HEAD).")
@FORMAT
@FILE
@STORE
@FINGERPRINT
@click.pass_obj
def baseline(
    context: Context, paths: tuple[str, ...], update: bool, commit: str | None, form: str, path: Path | None,
    store: Path | None, fingerprint: str | None,
) -> None:  # fmt: skip
    """Append the measurements in reports to benchmarks/SURFACE/METRIC.json, for `budget check` to compare with.

    Run it with --update on the base branch only, and commit what it writes; two branches merge without a conflict.
    """
    from aether_tui.budgets.baseline import read_baselines, stamped, updated
    from aether_tui.budgets.filed import from_files
    from aether_tui.cli.measuring import measure_files

    now = context.now()
    file, found = read_found(context, path, now.date())
    folder = store_of(found, store)
    measured = stamped(from_files(file, measure_files(context, paths)), file, fingerprint_of(fingerprint))
    known = read_baselines(folder, file.currency)
    added, left = updated(file, measured, known, commit=one_line(commit or _head(folder), 40), now=now)
    for why in left:
        click.echo(f"note: not kept: {why}", err=True)
    if not added:
        raise NoData("no budget is about what was measured", next_step="`aether-tui budget check` says why")
    if update:
        _write(folder, added, file.currency)
    _print(added, folder, file.currency, form)
    count = sum(one.count for one in added)
    said = f"added {count} samples" if update else f"would add {count} samples; --update writes them"
    click.echo(f"{said} ({len(added)} baselines in {folder.name}/)", err=True)


def _head(folder: Path) -> str:
    """The commit that is checked out; empty where there is no git."""
    import subprocess

    here = next((parent for parent in folder.resolve().parents if parent.is_dir()), Path.cwd())
    try:
        done = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--verify", "-q", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _write(folder: Path, added: Sequence[Added], currency: str) -> None:
    from aether_tui.budgets.baseline import ATTRIBUTES
    from aether_tui.workspace.store import write_whole

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / ".gitattributes").exists():
            write_whole(folder / ".gitattributes", ATTRIBUTES.encode())
        for one in added:
            place = folder / one.baseline.name
            place.parent.mkdir(exist_ok=True)
            write_whole(place, one.baseline.encoded(currency))
    except OSError as error:
        raise ConfigurationError(
            f"cannot be written: {error.strerror}", where=str(folder), next_step="choose another place with --store"
        ) from error


def _print(added: Sequence[Added], folder: Path, currency: str, form: str) -> None:
    from aether_tui.budgets.file import METRICS

    if form == "json":
        print_json(
            [
                {
                    "path": f"{folder.name}/{one.baseline.name}",
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
        rows.append((f"{folder.name}/{one.baseline.name}", str(one.count), str(len(one.baseline.lines)), *shown))
    print_table(("BASELINE", "ADDED", "N", "MEDIAN", "MAD"), rows)
