"""`aether-tui cache`: size, integrity and retention of the cache."""

from __future__ import annotations

from datetime import datetime

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import CheckFailed


@click.group()
def cache() -> None:
    """Size, freshness, integrity and retention of the cache."""


@cache.command()
@FORMAT
@click.pass_obj
def info(context: Context, form: str) -> None:
    """Show size, rows and the time they span, per table."""
    from aether_tui.cache import Cache

    found = Cache(context.workspace().cache_path).info()
    if form == "json":
        tables = {
            name: {"rows": table.rows, "from": _iso(table.first), "to": _iso(table.last)}
            for name, table in found.tables.items()
        }
        print_json(
            {"path": str(found.path), "bytes": found.bytes, "schema_version": found.schema_version, "tables": tables}
        )
        return
    click.echo(f"{found.path}  {_size(found.bytes)}  schema {found.schema_version}")
    rows = [[name, f"{table.rows:,}", _day(table.first), _day(table.last)] for name, table in found.tables.items()]
    print_table(["table", "rows", "from", "to"], rows)


@cache.command()
@FORMAT
@click.pass_obj
def verify(context: Context, form: str) -> None:
    """Check that every block is readable, keys are unique and rollups equal their definition; exit 1 if not."""
    from aether_tui.cache import Cache

    target = Cache(context.workspace().cache_path)
    interrupted = target.interrupted()
    found = target.verify()
    if interrupted:
        click.echo(
            "a writer was stopped: what it had committed is folded in; `sync` or `load` brings the rest", err=True
        )
    if form == "json":
        print_json({"ok": not found, "findings": found})
    else:
        click.echo("\n".join(found) if found else "the cache is sound")
    if found:
        raise CheckFailed(
            f"{len(found)} things are wrong in the cache",
            where=str(context.workspace().cache_path),
            next_step="run `aether-tui cache reset`, then `aether-tui sync` and load your files again",
        )


@cache.command()
@FORMAT
@click.pass_obj
def compact(context: Context, form: str) -> None:
    """Give free space back to the disk."""
    from aether_tui.cache import Cache

    before, after = Cache(context.workspace().cache_path).compact()
    if form == "json":
        print_json({"bytes_before": before, "bytes_after": after})
    else:
        click.echo(f"{_size(before)} before, {_size(after)} now")


@cache.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@FORMAT
@click.pass_obj
def prune(context: Context, form: str, dry_run: bool, yes: bool) -> None:
    """Delete raw rows older than `privacy.retention_days`; the sums made of them stay. Shows first what would go, and asks."""
    from aether_tui.cache import Cache

    days, target = context.config().privacy.retention_days, Cache(context.workspace().cache_path)
    now = context.now()  # also when the answer comes a day later: what goes is what was shown
    found = target.prune(days, now=now, dry_run=True)
    if any(found.values()) and not dry_run:
        for name, rows in found.items():
            click.echo(f"{name}: {rows:,} rows older than {days[name]} days would go; their sums stay", err=True)
        if not yes:
            click.confirm("Delete them?", abort=True, err=True)
        found = target.prune(days, now=now)
    if form == "json":
        print_json({"dry_run": dry_run, "tables": found})
        return
    if not days:
        click.echo("no retention is set (privacy.retention_days): nothing is pruned", err=True)
    verb = "would go" if dry_run else "went"
    for name, rows in found.items():
        click.echo(f"{name}: {rows:,} rows older than {days[name]} days {verb}")


@cache.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def reset(context: Context, yes: bool) -> None:
    """Delete the cache; `sync` and `load` fill a new one. Documents are untouched."""
    from aether_tui.cache import Cache

    target = Cache(context.workspace().cache_path)
    if not target.exists():
        click.echo("there is no cache to delete", err=True)
        return
    if not yes:
        click.confirm(f"Delete {target.path}?", abort=True, err=True)
    target.reset()
    click.echo("deleted; `aether-tui sync` fills a new one", err=True)


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else f"{instant.isoformat()}Z"


def _day(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
