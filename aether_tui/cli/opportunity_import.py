"""`opportunity import`: opportunities from cached work items, or from the rows of a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.workspace import imports
from aether_tui.workspace.store import Store

if TYPE_CHECKING:
    from aether_tui.records.model import Value
    from aether_tui.workspace.kinds.opportunity import Opportunity

COLUMNS = ("id", "key", "title", "source_type", "state", "priority", "estimate", "project", "team", "labels", "url")
"""Columns of a tracker's item that `--map` may name; `label:WORD` reads a score out of a label."""


@click.command(name="import", short_help="From the tracker's items, or a CSV or JSONL file")
@click.argument("file", metavar="[FILE.csv|jsonl]", required=False, type=click.Path(path_type=Path))
@click.option("--source", help="Items of this source only, such as linear.")
@click.option(
    "--type",
    "type_",
    help="Items of this type: ours, or the tracker's own.  [default: opportunity, without another filter]",
)
@click.option("--label", help="Items with this label.")
@click.option("--project", help="Items of this project.")
@click.option("--state", help="Items in this state or category.  [default: what is neither done nor cancelled]")
@click.option("--team", help="Items of this team.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Where a field comes from, such as impact=label:impact or effort_weeks=Effort. Repeatable.",
)
@click.option(
    "--default", "defaults", multiple=True, metavar="FIELD=N", help="Score where nothing is said. Repeatable."
)
@click.option(
    "--weeks-per-point",
    type=click.FloatRange(0.001, 520),
    default=imports.WEEKS_PER_POINT,
    show_default=True,
    help="Turns a tracker's estimate into weeks.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be added, and add nothing.")
@FORMAT
@click.pass_obj
def import_(
    context: Context, file: Path | None, source: str | None, type_: str | None, label: str | None, project: str | None,
    state: str | None, team: str | None, maps: tuple[str, ...], defaults: tuple[str, ...], weeks_per_point: float,
    dry_run: bool, form: str,
) -> None:  # fmt: skip
    """Make opportunities of open items of the tracker (as last synced), or of the rows of a spreadsheet.

    From a tracker, Impact is its priority (urgent 10, high 7, medium 4, low 1) and effort its estimate. From a file, columns
    named like a field are taken. What nothing says is 5, effort 4 weeks. Importing again adds nothing.
    """
    filters = {"source": source, "type": type_, "label": label, "project": project, "state": state, "team": team}
    if file is not None and any(filters.values()):
        raise ConfigurationError("a file is taken whole", where=str(file), next_step="leave the filters out")
    workspace = context.workspace()
    if file is not None:
        rows, columns = _file(file)
        same = {
            name: column for column in columns if (name := column.strip().lower().replace(" ", "_")) in imports.FIELDS
        }
        mapping = same | _mapping(maps, columns, str(file))
    else:
        rows = _items(context, filters)
        mapping = {**imports.TRACKER, **_mapping(maps, COLUMNS, "opportunity import")}
    by_estimate = weeks_per_point if mapping.get("effort_weeks") == "estimate" and file is None else None
    present = [item.document for item in Store(workspace).all(_kind())[0]]
    planned = imports.plan(rows, mapping, {**imports.DEFAULTS, **_numbers(defaults)}, present, by_estimate)
    edit = None
    if planned.planned and not dry_run:
        edit = imports.store(workspace, [one.fields for one in planned.planned], context.now())
    if form == "json":
        print_json(
            {
                "dry_run": dry_run,
                "mapping": mapping,
                "added": [{**one.fields, "assumed": one.assumed} for one in planned.planned],
                "linked": planned.linked,
            }
        )
    elif planned.planned:
        print_table(
            ("FROM", "I", "C", "R", "WEEKS", "TITLE"),
            [
                (
                    one.name,
                    *(_shown(one, name) for name in ("impact", "confidence", "reversibility", "effort_weeks")),
                    str(one.fields["title"]),
                )
                for one in planned.planned
            ],
        )
    _narrate(planned, mapping, by_estimate, edit.what if edit else "")


def _kind() -> type[Opportunity]:
    from aether_tui.workspace.kinds.opportunity import Opportunity

    return Opportunity


def _shown(one: imports.Planned, name: str) -> str:
    value = one.fields[name]
    points = value if isinstance(value, list) else [value]
    return "–".join(f"{point:g}" for point in points) + ("*" if name in one.assumed else "")


def _narrate(planned: imports.Plan, mapping: Mapping[str, str], weeks_per_point: float | None, done: str) -> None:
    """On stderr: how many, from which columns, and how many had to be assumed."""
    count = len(planned.planned)
    told = [done or (f"{count} would be added" if count else "nothing new"), f"{len(planned.linked)} linked already"]
    for name in imports.SCORES:
        assumed = sum(name in one.assumed for one in planned.planned)
        origin = mapping.get(name)
        words = name.replace("_", " ")
        if origin is None:
            told.append(f"{words} assumed")
        else:
            scale = f" × {weeks_per_point:g}" if name == "effort_weeks" and weeks_per_point is not None else ""
            told.append(f"{words} from {origin}{scale}" + (f" ({assumed} assumed)" if assumed else ""))
    click.echo("; ".join(told) + (" (* assumed)" if count else ""), err=True)


def _mapping(maps: tuple[str, ...], columns: tuple[str, ...], where: str) -> dict[str, str]:
    from aether_tui.problems import nearest

    found: dict[str, str] = {}
    for text in maps:
        name, equals, column = text.partition("=")
        if not equals or name not in imports.FIELDS:
            raise ConfigurationError(f"--map {text[:60]!r} is not FIELD=COLUMN", where=where,
                                     next_step=f"FIELD is one of {', '.join(imports.FIELDS)}")  # fmt: skip
        if column not in columns and not (column.startswith("label:") and "labels" in columns):
            near = nearest(column, list(columns))
            raise ConfigurationError(
                f"--map {text[:60]!r}: no column {column[:40]!r}" + (f", did you mean {near!r}?" if near else ""),
                where=where, next_step=f"there are {', '.join(columns)[:200]}",
            )  # fmt: skip
        found[name] = column
    return found


def _numbers(defaults: tuple[str, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in defaults:
        name, _, number = text.partition("=")
        least, most = (0.1, 520) if name == "effort_weeks" else (1, 10)
        try:
            found[name] = float(number)
            if name not in imports.SCORES or not least <= found[name] <= most:
                raise ValueError
        except ValueError:
            raise ConfigurationError(f"--default {text[:60]!r} is not FIELD=N", where="opportunity import",
                                     next_step=f"such as impact=4; FIELD is one of {', '.join(imports.SCORES)}") from None  # fmt: skip
    return found


def _items(context: Context, filters: Mapping[str, str | None]) -> list[imports.Row]:
    """Cached work items as rows. Raises NoData when none matches."""
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Clock
    from aether_tui.diagnostics.run import open_data
    from aether_tui.workspace.links import targets

    wanted = dict(filters)
    if not any(wanted.values()):
        wanted["type"] = "opportunity"
    clock = Clock.of(context.now(), seed=context.seed)
    with open_data(context.config(), clock, Cache(context.workspace().cache_path)) as data:
        items = data.rows("opportunity_items", **wanted)
    asked = ", ".join(f"{name} {value}" for name, value in wanted.items() if value)
    if not items:
        raise NoData(f"no work item of {asked}", where="the cache",
                     next_step="`aether-tui sync` first, or name another --type, --label, --project, --state or --team")  # fmt: skip
    if len(items) > imports.MOST:
        raise ConfigurationError(
            f"more than {imports.MOST:,} items of {asked}", where="the cache", next_step="narrow it down"
        )
    rows = []
    for item in items:
        columns = {name: _text(item[name]) for name in COLUMNS}
        origin = f"{item['source']} {columns['key'] or columns['id']}"
        evidence = f"{origin} {columns['url']}".strip()
        # A tracker's key may look like an id of ours (OPP-12): that would be a link to another document.
        rows.append(
            imports.Row(columns, origin, str(item["source"]), "" if targets(evidence) else evidence[:300], origin)
        )
    return rows


def _text(value: Value) -> str:
    if value is None:
        return ""
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _file(path: Path) -> tuple[list[imports.Row], tuple[str, ...]]:
    """Rows of a CSV (with a header) or JSONL file, and its columns. Raises ConfigurationError, naming file and line."""
    try:
        if path.stat().st_size > 16 << 20:
            raise ConfigurationError("larger than 16 MiB", where=str(path))
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError("is not UTF-8 text", where=str(path), next_step="save it as CSV (UTF-8)") from error
    found = _jsonl(text, path) if text.lstrip()[:1] == "{" else _csv(text, path)
    if not found:
        raise NoData("holds no row", where=str(path), next_step="a header line, then one opportunity a line")
    if len(found) > imports.MOST:
        raise ConfigurationError(f"more than {imports.MOST:,} rows", where=str(path), next_step="split it")
    columns = tuple(dict.fromkeys(name for _, row in found for name in row))
    return [
        imports.Row(row, f"{path}: line {line}", path.name, f"{path.name} line {line}", f"line {line}")
        for line, row in found
    ], columns


def _csv(text: str, path: Path) -> list[tuple[int, dict[str, str]]]:
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        columns = [cell.strip() for cell in next(reader, [])]
        if len(set(columns)) < len(columns):
            raise ConfigurationError("two columns have the same name", where=f"{path}: line 1")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise ConfigurationError(
                    f"{len(cells)} cells instead of {len(columns)}", where=f"{path}: line {reader.line_num}"
                )
            rows.append((reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
    except csv.Error as error:
        raise ConfigurationError(f"is not CSV: {error}", where=f"{path}: line {reader.line_num}") from error
    return rows


def _jsonl(text: str, path: Path) -> list[tuple[int, dict[str, str]]]:
    rows: list[tuple[int, dict[str, str]]] = []
    for line, part in enumerate(text.split("\n"), 1):
        if not part.strip():
            continue
        try:
            value = json.loads(part)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"is not JSON: {error}", where=f"{path}: line {line}") from error
        if not isinstance(value, dict):
            raise ConfigurationError("is not a JSON object", where=f"{path}: line {line}")
        rows.append((line, {str(key): _json_text(item) for key, item in value.items()}))
    return rows


def _json_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        numbers = all(isinstance(item, int | float) for item in value)
        return (";" if numbers else "\n").join(str(item) for item in value)
    return str(value)
