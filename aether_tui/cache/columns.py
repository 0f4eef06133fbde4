"""Spans of large files, cleaned, derived and staged by DuckDB column by column: Python sees distinct words only.

The result is the one of `Ingest.prepare`, row by row; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import duckdb

from aether_tui.cache.bulk_cells import means_null, worded
from aether_tui.cache.flags import flagged
from aether_tui.cache.schema import quoted
from aether_tui.cache.settings import hash_the_last
from aether_tui.cache.staging import arrive
from aether_tui.ingest import rates
from aether_tui.ingest.cut import as_json, cut_out
from aether_tui.ingest.derive import Deriver
from aether_tui.ingest.provable import disputed
from aether_tui.records import Column, Row, Value
from aether_tui.records.tables import SPANS

_DIMENSIONS: Final = ("environment", "service", "feature", "team", "scenario", "task_cluster", "outcome")
_WORDS: Final = ("said", "source_environment", "source_service", "request")
_RATED: Final = ("provider", "model", "operation")
_RAW: Final = tuple(column.name for column in SPANS.raw)
_COLUMNS: Final = tuple(column.name for column in SPANS.columns)
_KEPT: Final = ("text", "id", "json")
"""Kinds of column whose values mostly stay as they are."""
_REPLACED: Final = ("person", "request")
"""Kinds whose values never do."""
_TEXTS: Final = ("text", "id", *_REPLACED)
_UNLIKE: Final = ("span_id", "request_hash")
"""Ids that differ from row to row; of other texts each distinct value is looked at, which takes a third."""
_JSON: Final = next(column for column in SPANS.raw if column.kind == "json")
_ID, _TEXT = (Column("v", kind, "") for kind in ("id", "text"))
_WORD: Final = (Column("before", "text", ""), Column("after", "text", ""))


class Preparer(Protocol):
    """What `Ingest` does with columns."""

    @property
    def deriver(self) -> Deriver: ...

    def unclean(self, column: Column, name: str) -> str:
        """SQL condition: cleaning might change this value."""
        ...

    def harmless(self, column: Column, name: str) -> str:
        """SQL condition that takes no time: it surely does not, and the value means something."""
        ...

    def shortened(self, column: Column, name: str, done: str) -> str:
        """SQL: a value that is not `unclean`, as long as it is kept, unless that is `done`; asks for columns `inside`, `outside`."""
        ...

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """The values of `inside` and `outside`."""
        ...

    def cleaned(self, column: Column, values: Sequence[Value]) -> Sequence[Value]:
        """Values of a column, cleaned."""
        ...


def stage_spans(
    cursor: duckdb.DuckDBPyConnection,
    name: str,
    raw: str,
    ingest: Preparer,
    nulls: Sequence[str] = (),
    *kept: str,
    begun: bool = False,
) -> None:
    """Make temporary table `name` of full rows, with `flags.FLAGS` and the columns `kept`, from `raw`: a relation with those and the raw
    columns of `spans`; one that is `begun` gets them behind those it has.

    Texts among `nulls` mean nothing.
    """
    clean = _clean(cursor, raw, ingest, nulls, kept)
    _stage(cursor, name, clean, ingest.deriver, *kept, begun=begun)


def stage_again(cursor: duckdb.DuckDBPyConnection, name: str, rows: str, deriver: Deriver, *kept: str) -> None:
    """Make temporary table `name` of full rows, with `flags.FLAGS`, and of the columns `kept`, from `rows`: a relation of stored spans
    with those."""
    attributes = _of("r", _JSON.name)
    said = cut_out(attributes, attributes, deriver.asked, disputed(attributes), _JSON.most)
    _stage(cursor, name, f"SELECT *, {said} AS said FROM {rows} AS r", deriver, *kept)


def _stage(
    cursor: duckdb.DuckDBPyConnection, name: str, clean: str, deriver: Deriver, *kept: str, begun: bool = False
) -> None:
    words = _stage_words(cursor, clean, deriver)
    same = " AND ".join(f"d.{word} IS NOT DISTINCT FROM c.{word}" for word in words)
    derived = rates.DERIVED | {dimension: f"d.{dimension}" for dimension in _DIMENSIONS}
    cells = ", ".join(f'{derived.get(one, _of("c", one))} AS "{one}"' for one in (*kept, *_COLUMNS))
    joined = f"({clean}) AS c JOIN dimensions AS d ON {same} {rates.JOIN}"
    full = flagged(f"(SELECT {cells}, {rates.BY_CALL} AS _by_call FROM {joined})")
    if begun:
        cursor.execute(f"ALTER TABLE {name} ADD COLUMN _by_call BOOLEAN")
    with hash_the_last(cursor):
        # Not by UNION ALL, whose order DuckDB 2.0 loses where one side is a join.
        cursor.execute(
            f"INSERT INTO {name} BY NAME {full}" if begun else f"CREATE OR REPLACE TEMP TABLE {name} AS {full}"
        )
    _derive_by_call(cursor, name, deriver)
    cursor.execute(f"ALTER TABLE {name} DROP COLUMN _by_call")


# --- Cleaning ------------------------------------------------------------------------------------------------------


def _clean(
    cursor: duckdb.DuckDBPyConnection, raw: str, ingest: Preparer, nulls: Sequence[str], kept: Sequence[str]
) -> str:
    """SELECT of clean raw columns, of those `kept` as they are, and of `said`: the attributes that dimensions are read from."""
    cells, joins = {name: _of("r", name) for name in (*kept, *_RAW)}, []
    long, soiled, odd = _some_are_long(cursor, raw), "FALSE", "FALSE"
    if long:
        cursor.execute(
            "CREATE OR REPLACE TEMP TABLE pads AS SELECT $1::BLOB AS inside, $2::BLOB AS outside", ingest.pads
        )
        joins.append("CROSS JOIN pads")
    for column, before in _soiled(cursor, raw, ingest, nulls).items():
        meant = [None if means_null(value, nulls) else value for value in before]
        rows = list(zip(before, ingest.cleaned(column, meant), strict=True))
        arrive(cursor, f'"words_{column.name}"', _WORD, rows)
        name = column.name
        joins.append(f'LEFT JOIN "words_{name}" AS w_{name} ON {_of("r", name)} = w_{name}.before')
        after = f"CASE WHEN w_{name}.before IS NULL THEN {cells[name]} ELSE w_{name}.after END"
        cells[name] = after if column.kind in _KEPT else f"w_{name}.after"
        if column is _JSON:  # what Python was not asked about every reader of JSON reads alike
            cursor.execute(
                f'CREATE OR REPLACE TEMP TABLE odd AS SELECT *, {disputed("after")} AS odd FROM "words_{name}"'
            )
            cursor.execute(f'DROP TABLE "words_{name}"')
            cursor.execute(f'ALTER TABLE odd RENAME TO "words_{name}"')
            soiled, odd = f"w_{name}.before IS NOT NULL", f"coalesce(w_{name}.odd, FALSE)"
    said = cells[_JSON.name]
    if long:
        cells[_JSON.name] = ingest.shortened(_JSON, said, f"({soiled})")
    cut = cut_out(said, cells[_JSON.name], ingest.deriver.asked, odd, _JSON.most)
    selected = ", ".join(f'{text} AS "{name}"' for name, text in cells.items())
    return f"SELECT {selected}, {cut} AS said FROM ({raw}) AS r {' '.join(joins)}"


def _some_are_long(cursor: duckdb.DuckDBPyConnection, raw: str) -> bool:
    """Whether a text in the attributes may be longer than is kept."""
    asked = f"SELECT coalesce(max(strlen({quoted([_JSON.name])})), 0) > {_JSON.most} FROM ({raw})"
    (some,) = cursor.execute(asked).fetchone() or (False,)
    return bool(some)


def _soiled(
    cursor: duckdb.DuckDBPyConnection, raw: str, ingest: Preparer, nulls: Sequence[str]
) -> dict[Column, list[str]]:
    """The values that cleaning might change, or that mean nothing, by column."""
    name = _of("r", _JSON.name)
    asked = f"SELECT DISTINCT {name} FROM ({raw}) AS r WHERE {_looked(_JSON, name, ingest, nulls)}"
    found = {_JSON: [value for (value,) in cursor.execute(asked).fetchall() if value is not None]}
    texts = [column for column in SPANS.raw if column.kind in _TEXTS]
    alike = [column for column in texts if column.name not in _UNLIKE]
    # The number of a column among those of which every distinct value is looked at is the one that SQL's `grouping` has for it.
    places = {(1 << len(alike)) - 1 - (1 << place): column for place, column in enumerate(reversed(alike))}
    places |= {-place: column for place, column in enumerate((one for one in texts if one.name in _UNLIKE), 1)}
    ids, told = (
        ", ".join(str(place) for place, column in places.items() if column.kind in kinds)
        for kinds in (("id",), _REPLACED)
    )
    names = quoted([column.name for column in alike])
    each = ", ".join(f'("{column.name}")' for column in alike)
    harmless = ingest.harmless(_ID, "v")
    unlike = "".join(
        f' UNION ALL SELECT DISTINCT {place}, "{column.name}" FROM ({raw}) WHERE NOT {ingest.harmless(_ID, quoted([column.name]))}'
        for place, column in places.items()
        if place < 0
    )
    # Written down, or the condition would be asked of every row and of every column: to understand it takes milliseconds.
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE texts AS WITH d AS MATERIALIZED ("
        f"SELECT grouping({names}) AS g, coalesce({names}) AS v FROM ({raw}) GROUP BY GROUPING SETS ({each})) "
        f"SELECT g, v FROM d WHERE v IS NOT NULL AND NOT (g IN ({ids}) AND {harmless}){unlike}"
    )
    asked = f"SELECT g, v FROM texts WHERE g IN ({told}) OR {_looked(_TEXT, 'v', ingest, nulls)}"
    for place, value in cursor.execute(asked).fetchall():
        found.setdefault(places[place], []).append(value)
    return {column: values for column, values in found.items() if values}


def _looked(column: Column, name: str, ingest: Preparer, nulls: Sequence[str]) -> str:
    return f"({worded(name, nulls)} OR {ingest.unclean(column, name)})"


# --- Deriving ------------------------------------------------------------------------------------------------------


def _stage_words(cursor: duckdb.DuckDBPyConnection, clean: str, deriver: Deriver) -> tuple[str, ...]:
    """Temporary tables `rates` and `dimensions` for the combinations there are; returns what dimensions follow from."""
    words = _WORDS if deriver.labelled else _WORDS[:-1]
    day = "coalesce(date_trunc('day', start), TIMESTAMP '1970-01-01')"
    found = cursor.execute(f"SELECT DISTINCT {quoted([*_RATED, *words])}, {day} FROM ({clean})").fetchall()
    rated = {(*row[: len(_RATED)], row[-1]) for row in found}
    arrive(cursor, "rates", rates.COLUMNS, [row for key in rated for row in rates.rate_rows(deriver.prices, *key)])
    said = list(dict.fromkeys(row[len(_RATED) : -1] for row in found))
    full = deriver.derive(SPANS, [_row(dict(zip(words, row, strict=True)), deriver) for row in said])
    places = [place for place, name in enumerate(_COLUMNS) if name in _DIMENSIONS]
    columns = [*(Column(name, "text", "") for name in words), *(SPANS.columns[place] for place in places)]
    derived = [(*one, *(row[place] for place in places)) for one, row in zip(said, full, strict=True)]
    arrive(cursor, "dimensions", columns, derived)
    return words


def _derive_by_call(cursor: duckdb.DuckDBPyConnection, name: str, deriver: Deriver) -> None:
    """Costs that the table of rates does not tell, computed row by row."""
    rows = cursor.execute(f"SELECT rowid, {quoted(_RAW)} FROM {name} WHERE _by_call").fetchall()
    if not rows:
        return
    full = deriver.derive(SPANS, [row[1:] for row in rows])
    places = {one: _COLUMNS.index(one) for one in rates.DERIVED}
    columns = [Column("at", "int", "row"), *(SPANS.columns[place] for place in places.values())]
    costs = [(at, *(row[place] for place in places.values())) for (at, *_), row in zip(rows, full, strict=True)]
    arrive(cursor, "by_call", columns, costs)
    sets = ", ".join(f"{one} = k.{one}" for one in places)
    cursor.execute(f"UPDATE {name} SET {sets} FROM by_call AS k WHERE {name}.rowid = k.at")


def _row(words: dict[str, Value], deriver: Deriver) -> Row:
    said = words["said"]
    values = {**words, "attributes": as_json(said if isinstance(said, str) else None, deriver.asked)}
    return tuple(values.get(name) for name in _RAW)


def _of(table: str, column: str) -> str:
    return f'{table}."{column}"'
