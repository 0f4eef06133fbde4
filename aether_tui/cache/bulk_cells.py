"""SQL for the cells of a file that DuckDB reads: their text, the value that it is read as, and whether it is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aether_tui.cache.parts import LINE
from aether_tui.cache.schema import quoted, sql_type
from aether_tui.records import Column
from aether_tui.records.model import INSTANTS, MOST_MONEY
from aether_tui.records.source import Bulk

_POSSIBLE: Final = "BETWEEN TIMESTAMP '{}' AND TIMESTAMP '{}'".format(*INSTANTS)
_NO_VALUES: Final = {"", "NULL", "null"}
"""Words that can be read as nothing."""
TEXTS: Final = ("text", "said", "asked", "id", "person", "json", "request", "texts")


def means_null(word: str, nulls: Sequence[str]) -> bool:
    """Whether a text of a file stands for nothing."""
    return word in nulls or word.strip(" ") in nulls


def worded(name: str, nulls: Sequence[str]) -> str:
    """SQL condition: `means_null` might hold."""
    return f"({name} IN ({_quoted(nulls)}) OR starts_with({name}, ' ') OR ends_with({name}, ' '))"


@dataclass(frozen=True, slots=True)
class Cell:
    """SQL for a cell in two steps, so that a cast is made once: columns of the `first`, and over those what is `kept` ('': the column as
    it is) and whether it is `bad` ('': it never is)."""

    first: dict[str, str]
    kept: str = ""
    bad: str = ""


def typed(bulk: Bulk, column: Column, kinds: dict[str, str], plain: set[str]) -> Cell:
    """The cell of `column`. What has the right type is taken as it is."""
    names = [name for name in bulk.columns.get(column.name, ()) if name in kinds]
    name, said = f'"{column.name}"', f'"text of {column.name}"'
    missing = [f"{name} IS NULL"] * (column.name in bulk.table.key)
    kind = kinds[names[0]] if len(names) == 1 else ""
    if kind == "VARCHAR" and column.kind in TEXTS and (names[0] in plain or not missing):
        return Cell({column.name: f'"{names[0]}"'}, bad=" OR ".join(missing))
    within = _within(column, name)
    if _fits(column, kind):
        bad = [f"NOT {within}"] * bool(within)
        return Cell(
            {column.name: f'CAST("{names[0]}" AS {sql_type(column)})'}, _if(within, name), " OR ".join(bad + missing)
        )
    texts = {one: cell_text(one, kind) for one, kind in kinds.items()}
    text = text_of(replace(bulk, format="parquet"), column, texts)
    if column.kind in TEXTS:
        return Cell({column.name: cast_of(column, f"({text})")}, bad=" OR ".join(missing))
    wrong = "TRUE"
    if kind == "VARCHAR" and set(bulk.nulls) <= _NO_VALUES:  # then only what is not read need be compared with them
        text, wrong = f'"{names[0]}"', f"NOT {_is_null(said, bulk.nulls)}"
    bad = [f"CASE WHEN {said} IS NOT NULL AND ({within or f'{name} IS NOT NULL'}) IS NOT TRUE THEN {wrong} END"]
    return Cell(
        {f"text of {column.name}": text, column.name: _read(column, f"({text})")},
        _if(within, name),
        " OR ".join(bad + missing),
    )


def _if(condition: str, name: str) -> str:
    return f"CASE WHEN {condition} THEN {name} END" if condition else name


def _fits(column: Column, kind: str) -> bool:
    match column.kind:
        case "int":
            return kind in ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT")
        case "float":
            return kind == "DOUBLE"
        case "time" | "day":
            return kind in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
        case "bool":
            return kind == "BOOLEAN"
        case _:
            return False


def bounded(column: Column) -> str:
    """SQL: the value of a column that has the right type; null where it is not possible."""
    name = quoted([column.name])
    return f"{_if(_within(column, name), name)} AS {name}"


def others_of(bulk: Bulk, names: Iterable[str]) -> list[str]:
    """Columns of a file that are kept beside what the table has columns for."""
    return [] if bulk.beside is None else sorted(filter(bulk.beside[1], names))


def with_members(bulk: Bulk, text: str, others: Mapping[str, str]) -> str:
    """SQL for the JSON object `text` with members for the cells of `others`; those that are null are left out."""
    if not others or bulk.beside is None:
        return text
    nulls, name_of = _quoted(bulk.nulls), bulk.beside[0].capitalize()
    cells = {name: f"CASE WHEN trim({cell}) NOT IN ({nulls}) THEN {cell} END" for name, cell in others.items()}
    members = ", ".join(f"{_quoted([name])}, {cell}" for name, cell in cells.items())
    own = (
        f"CASE WHEN {text} IS NULL THEN '{{}}' WHEN json_valid({text}) AND json_type({text}) = 'OBJECT' THEN {text} "
        f"ELSE CAST(json_object('{name_of}', {text}) AS VARCHAR) END"
    )
    any_ = " OR ".join(f"({cell}) IS NOT NULL" for cell in cells.values())
    return f"CASE WHEN {any_} THEN CAST(json_merge_patch({own}, json_object({members})) AS VARCHAR) ELSE {text} END"


def cell_text(name: str, kind: str) -> str:
    """SQL: cells of a column as text; maps, structs and lists as JSON. Some writers do not say that bytes are text."""
    if kind == "VARCHAR":
        return f'"{name}"'
    if kind == "BLOB":
        return f'coalesce(TRY(decode("{name}")), CAST("{name}" AS VARCHAR))'
    nested = ("(" in kind and not kind.startswith("DECIMAL")) or kind.endswith("[]")
    return f'CAST(to_json("{name}") AS VARCHAR)' if nested else f'CAST("{name}" AS VARCHAR)'


def text_of(bulk: Bulk, column: Column, present: dict[str, str]) -> str:
    """SQL for the text of `column`: the first of its file columns that is not null."""
    folded = {name.casefold(): text for name, text in present.items()}
    found = []
    for name in bulk.columns.get(column.name, ()):
        ours = present.get(name) or folded.get(name.casefold(), "")
        text = member(name) if bulk.format == "ndjson" else ours
        if text:
            found.append(f"CASE WHEN NOT {_is_null(text, bulk.nulls)} THEN {text} END")
    return f"coalesce({', '.join(found)})" if found else "CAST(NULL AS VARCHAR)"


def member(name: str) -> str:
    """SQL: a member of a JSON line, as text."""
    key = name.replace("'", "''").replace('"', '\\"')
    return f"CASE WHEN json_valid({LINE}) THEN json_extract_string({LINE}, '$.\"{key}\"') END"


def _is_null(text: str, nulls: Sequence[str]) -> str:
    """SQL condition: `means_null`."""
    # Trimming a million texts takes longer than reading them, and hardly one begins or ends with a space.
    spaced = f"((starts_with({text}, ' ') OR ends_with({text}, ' ')) AND trim({text}) IN ({_quoted(nulls)}))"
    return f"({text} IN ({_quoted(nulls)}) OR {spaced})"


def _quoted(words: Sequence[str]) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words) or "''"


def cast_of(column: Column, name: str = "") -> str:
    """SQL for the text `name` (the column's own unless told) as the type of `column`; null where that cannot be."""
    read = _read(column, name or f'"{column.name}"')
    return _if(_within(column, read), read)


def _read(column: Column, name: str) -> str:
    """As `cast_of`, whether it is possible or not."""
    if column.kind in TEXTS and column.kind != "texts":
        return name
    if column.kind in ("time", "day"):
        return f"CAST(TRY_CAST({name} AS TIMESTAMPTZ) AS TIMESTAMP)"  # without a zone: UTC
    if column.kind == "texts":
        return f"CASE WHEN json_valid({name}) THEN from_json({name}, '[\"VARCHAR\"]') WHEN {name} IS NOT NULL THEN [{name}] END"
    return f"TRY_CAST({name} AS {sql_type(column)})"


def _within(column: Column, value: str) -> str:
    """SQL condition: a value that was read is possible; '' where all are."""
    match column.kind:
        case "time" | "day":
            return f"{value} {_POSSIBLE}"
        case "float":
            return f"isfinite({value})"
        case "money" if not column.most:
            return f"{value} BETWEEN {-MOST_MONEY} AND {MOST_MONEY}"
        case "int" | "money" if column.most:
            return f"{value} BETWEEN 0 AND {column.most}"
        case _:
            return ""
