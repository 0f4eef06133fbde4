"""`wip check`: limits on work in progress as an exit status."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import CheckFailed, ConfigurationError, NoData

if TYPE_CHECKING:
    from aether_tui.diagnostics.wip import WipCheck

NAMES = "people.toml"


@click.group(short_help="Limits on work in progress")
def wip() -> None:
    """Limits on work in progress, from [wip] in aether.toml."""


@wip.command()
@click.option("--team", help="Only this team.")
@click.option(
    "--people/--no-people", default=None, help="Look at persons, too (default: `people` in [wip], which is off)."
)
@FORMAT
@click.pass_obj
def check(context: Context, team: str | None, people: bool | None, form: str) -> None:
    """Compare what is in progress with the agreed limits; exit 1 with the agreed action when one is exceeded.

    Counts items that were started and are neither done nor cancelled, as of the last sync. Persons are shown as the hashes they are
    stored as, or by name where `.aether/people.toml` on this machine has lines `"hash" = "Name"`.
    """
    from msgspec import to_builtins

    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock, Filters
    from aether_tui.diagnostics.run import open_data
    from aether_tui.diagnostics.wip import measure

    config, workspace = context.config(), context.workspace()
    limits = config.wip
    looked_at = limits.people if people is None else people
    if not (limits.initiatives or limits.per_initiative or limits.initiative or (limits.per_person and looked_at)):
        persons = " (per_person counts only with people = true)" if limits.per_person else ""
        raise ConfigurationError(
            f"no limit is agreed{persons}",
            where="aether.toml: wip",
            next_step="set initiatives, per_initiative or per_person",
        )
    with open_data(config, Clock.of(context.now()), Cache(workspace.cache_path), Filters(team=team)) as data:
        rows, known = data.rows("wip_items"), data.rows("row_counts")
    if not any(row["name"] == "work_items" and row["n"] for row in known):
        raise NoData("no work items in the cache", where="wip check", next_step="run `aether-tui sync`")
    found = measure(rows, limits, _names(workspace.hidden / NAMES) if looked_at else {}, looked_at)
    if form == "json":
        print_json(to_builtins(found))
    else:
        _show(found)
    if found.over:
        worst = found.loads[0]
        count = sum(one.over for one in found.loads)
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise CheckFailed(
            f"{worst.n} in progress, the limit is {worst.limit}{more}",
            where=f"{worst.level} {worst.name}",
            next_step=found.action,
        )


def _show(found: WipCheck) -> None:
    rows = [
        (
            "■ over" if one.over else "✓ within" if one.limit is not None else "· no limit", one.level, one.name, str(one.n),
            "—" if one.limit is None else str(one.limit), ", ".join(one.items[:8]) + (" …" if len(one.items) > 8 else ""),
        )
        for one in found.loads
    ]  # fmt: skip
    print_table(("STATE", "LEVEL", "NAME", "N", "LIMIT", "ITEMS"), rows)
    click.echo(f"{found.items} items in progress, {found.without_initiative} of them in no initiative", err=True)
    if not found.people:
        click.echo("persons were not looked at: that is opt-in (`people = true` in [wip], or --people)", err=True)


def _names(path: Path) -> dict[str, str]:
    """Names by hash, kept on this machine only; raises ConfigurationError when the file is not `"hash" = "Name"` lines."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"cannot be read: {error}", where=str(path), next_step="mend it or remove it"
        ) from error
    return {key: str(value) for key, value in table.items()}
