"""`load`: files into the cache."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aether_tui.config import Config
    from aether_tui.records.source import FileKind
    from aether_tui.sync.loading import Loaded


_TOLD_SKIPS = 5


@click.command(short_help="Load files into the cache")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "kind", metavar="KIND", help="Read every file as this kind instead of recognising it.")
@click.option("--column", metavar="NAME", help="Column or key of the texts, for --as requests.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Column of a field, for --as items, opportunities, invoice.",
)
@click.option("--set", "sets", multiple=True, metavar="FIELD=VALUE", help="Value of a field that no column says.")
@click.option("--dates", type=click.Choice(["DMY", "MDY"]), help="Order of dates such as 03/04/2026.")
@click.option("--decimal", type=click.Choice([",", "."]), help="Decimal sign of numbers such as 1,234.")
@click.option("--accept", is_flag=True, help="Accept the columns that the headers suggest.")
@click.option("--source", metavar="NAME", help="Name of the source the rows belong to (default: the kind).")
@click.option(
    "--force", is_flag=True, help="Let an older export replace a newer one, and read files again that have not changed."
)
@FORMAT
@click.pass_obj
def load(
    context: Context,
    paths: tuple[Path, ...],
    kind: str | None,
    column: str | None,
    maps: tuple[str, ...],
    sets: tuple[str, ...],
    dates: Literal["DMY", "MDY"] | None,
    decimal: Literal[",", "."] | None,
    accept: bool,
    source: str | None,
    force: bool,
    form: str,
) -> None:
    """Load files, folders or patterns into the cache of the workspace; no network is used.

    The kind is recognised by the content. Compressed files (.gz .xz .bz2 .zst) and .zip archives are read through.
    Spreadsheets (--as items, opportunities, invoice) need their columns named, here or under [load] in aether.toml.
    """
    from aether_tui.cache import Cache
    from aether_tui.ingest import Ingest
    from aether_tui.sync import registry
    from aether_tui.sync.intake import Writer
    from aether_tui.sync.loading import load as load_files

    workspace, config = context.workspace(), context.config()
    forced = registry.file_kind(kind) if kind else None
    said = Said(column, maps, sets, dates, decimal, accept)
    if forced is None:
        said.without_kind()
    else:
        forced = _with_columns(forced, said, config)
    kinds = [] if forced else registry.file_kinds(_narrate)
    writer = Writer(Cache(workspace.cache_path), Ingest.of(workspace, config), context.now, force)
    results = load_files(
        paths, kinds=kinds, writer=writer, now=context.now(), forced=forced, source=source, tell=_narrate
    )
    _print(results, form)
    _judge(results)


@dataclass(frozen=True, slots=True)
class Said:
    """What the command line says about columns."""

    column: str | None
    maps: tuple[str, ...]
    sets: tuple[str, ...]
    dates: Literal["DMY", "MDY"] | None
    decimal: Literal[",", "."] | None
    accept: bool

    def without_kind(self) -> None:
        """Raise ConfigurationError when anything was said: columns are those of a kind."""
        if self.column is not None:
            raise ConfigurationError("--column names the texts of requests", next_step="add --as requests")
        if self.maps or self.sets or self.dates or self.decimal or self.accept:
            raise ConfigurationError(
                "--map, --set, --dates, --decimal and --accept are about the columns of a spreadsheet",
                next_step="add --as items, --as opportunities or --as invoice",
            )


def _with_columns(kind: FileKind, said: Said, config: Config) -> FileKind:
    """The kind of file, told what its columns mean: by the command line, else by aether.toml."""
    from aether_tui.config import Sheet
    from connectors.requests import RequestFiles
    from connectors.sheets import SheetFiles, Stated

    sheets: dict[str, Sheet] = {str(name): sheet for name, sheet in config.load.items()}
    sheet = sheets.get(kind.kind) or Sheet.model_validate({})
    columns = {**sheet.columns, **_pairs("--map", said.maps)}
    if isinstance(kind, RequestFiles):
        return RequestFiles(said.column or columns.get("text", ""), columns.get("stratum", ""))
    if not isinstance(kind, SheetFiles):
        said.without_kind()
        return kind
    constants = {**sheet.constants, **_pairs("--set", said.sets)}
    return type(kind)(Stated(columns, constants, said.dates or sheet.dates, said.decimal or sheet.decimal, said.accept))


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise ConfigurationError(
                f"{option} {text[:60]!r} is not FIELD=…", next_step=f"such as {option} title=Summary"
            )
    return {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in texts)}


def _narrate(sentence: str) -> None:
    from aether_tui.text import one_line

    click.echo(one_line(sentence, 400), err=True)


def _print(results: Sequence[Loaded], form: str) -> None:
    from aether_tui.cli.output import LATE
    from aether_tui.human import plural
    from aether_tui.text import one_line

    skipped = [loaded for loaded in results if loaded.skipped]
    for loaded in skipped[:_TOLD_SKIPS]:
        _narrate(f"skipped {loaded.path}: {loaded.error}")
    if len(skipped) > _TOLD_SKIPS:
        _narrate(f"… and {len(skipped) - _TOLD_SKIPS} more skipped; --format json names them")
    shown = [loaded for loaded in results if not loaded.skipped]
    if form == "json":
        left_out = [{"path": str(loaded.path), "reason": loaded.error} for loaded in skipped]
        click.echo(json.dumps({"files": [_entry(loaded) for loaded in shown], "skipped": left_out}))
        return
    for loaded in shown:
        name, counts = one_line(str(loaded.path), 300), loaded.counts
        if loaded.error:
            click.echo(f"{name}: not loaded, {one_line(loaded.error, 400)}")
            continue
        if loaded.among is not None:
            click.echo(f"{name}: {loaded.kind}, read together with {one_line(loaded.among.name, 200)}")
            continue
        parts = [f"{counts.inserted:,} new", f"{counts.updated:,} changed", f"{counts.unchanged:,} known"]
        parts += [f"{counts.removed:,} removed"] * bool(counts.removed)
        parts += [f"{counts.rejected:,} rejected"] * bool(counts.rejected)
        parts += [f"{counts.late:,} late"] * bool(counts.late)
        click.echo(f"{name}: {loaded.kind}, {plural(counts.rows, 'row')} ({', '.join(parts)})")
    if any(loaded.counts.late for loaded in shown):
        click.echo(LATE, err=True)


def _entry(loaded: Loaded) -> dict[str, object]:
    counts = loaded.counts
    merged = {
        "inserted": counts.inserted, "updated": counts.updated, "unchanged": counts.unchanged, "removed": counts.removed,
    }  # fmt: skip
    entry: dict[str, object] = {
        "path": str(loaded.path), "kind": loaded.kind or None, "rows": counts.rows, "rejected": counts.rejected,
        "late": counts.late, "merged": merged, "problems": loaded.notes,
    }  # fmt: skip
    return {**entry, "error": loaded.error} if loaded.error else entry


def _judge(results: Sequence[Loaded]) -> None:
    """Exit 2 for a file that was named and not read, for one without a readable row, and when nothing was data."""
    bad = [loaded for loaded in results if loaded.error and not loaded.skipped]
    if bad:
        first, others = bad[0], len(bad) - 1
        more = f" (and {others} more not loaded)" if others else ""
        raise ConfigurationError(first.error + more, where=str(first.path), next_step=first.next_step)
    barren = next((loaded for loaded in results if loaded.counts.rejected and not loaded.counts.rows), None)
    if barren is not None:
        raise ConfigurationError(
            f"no row of it could be read ({barren.counts.rejected} rejected)",
            where=str(barren.path),
            next_step="the reasons are in `aether-tui report sources`",
        )
    if results and all(loaded.skipped for loaded in results):
        raise ConfigurationError(
            f"none of {len(results)} files holds data of a known kind",
            where=str(results[0].path.parent),
            next_step=results[0].next_step,
        )
    if not results:
        raise ConfigurationError("no files here", next_step="name a file, a folder or a pattern")
