"""Small files of one shape as one part: what a part costs besides its rows is as much as two thousand spans cost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import duckdb

from aether_tui.cache import parts
from aether_tui.cache.aside import aside, quoted
from aether_tui.cache.merge import Merged
from aether_tui.cache.parts import Format, Kept
from aether_tui.records.source import PLACE, Malformed, Reject

_AT_A_LOOK: Final = 500
"""Files of Parquet whose footers are read by one statement, and those that are open at a time."""
_BLANK: Final = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Joint:
    """Files as one relation of columns and `PLACE`, from nought; by file how many rows it has, each of which is a place if `placed`."""

    relation: str
    rows: Mapping[Path, int]
    placed: bool


@dataclass(slots=True)
class Files:
    """What becomes of each of several files, by its number: the place of its first row (by place), how many rows were read with those of
    others, which could not be read, why it is refused, and what became of its rows. Places are one for each file of Parquet, one for each
    line of JSON."""

    firsts: dict[int, int] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)
    rejects: dict[int, Sequence[Reject]] = field(default_factory=dict)
    refused: dict[int, Malformed] = field(default_factory=dict)
    merged: dict[int, Merged] = field(default_factory=dict)
    places: int = 0

    def place(self, number: int, places: int) -> int:
        """The first of so many places for the rows of a file."""
        self.firsts[self.places] = number
        self.places += places
        return self.places - places

    def complete(self, merged: Merged) -> None:
        """Take what a merge counted apart. A row whose key came twice is known by the other one."""
        for number in self.firsts.values():
            part = self.merged[number] = merged.by_part.setdefault(number, Merged())
            told = part.inserted + part.updated + part.unchanged + part.late
            part.unchanged += max(self.rows.get(number, 0) - told, 0)


def joints(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    form: Format,
    columns: Sequence[str],
    others: Kept | None,
) -> Iterator[Joint | Path]:
    """Adjoining files that fit into a part, each gone when the next is asked for; and every file that is to be read by itself, because
    it is large, has no neighbour of its shape, or is not as it should be."""
    if form == "parquet":
        return _of_parquet(connection, paths, lambda name: name in columns or (others is not None and others(name)))
    return _of_lines(connection, paths, columns, others)


# --- Parquet -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Footer:
    """Rows of a file, bytes of those of its columns that are read, and what must be the same in files that are read as one."""

    rows: int
    size: int
    shape: object


def _of_parquet(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], read: Kept) -> Iterator[Joint | Path]:
    run, rows, size, shape = dict[Path, int](), 0, 0, None
    for low in range(0, len(paths), _AT_A_LOOK):
        some = paths[low : low + _AT_A_LOOK]
        footers = _footers(connection, some, read)
        for path in some:
            footer = footers.get(str(path))
            if footer is None:
                yield path
                continue
            rows, size = rows + footer.rows, size + footer.size
            if footer.shape != shape or rows > parts.PART_ROWS or size > parts.PART_BYTES or len(run) == _AT_A_LOOK:
                yield from _as_one(run)
                run, rows, size, shape = {}, footer.rows, footer.size, footer.shape
            run[path] = footer.rows
    yield from _as_one(run)


def _as_one(run: Mapping[Path, int]) -> Iterator[Joint | Path]:
    if len(run) < 2:
        yield from run
        return
    yield Joint(f"(SELECT *, file_index AS {PLACE} FROM read_parquet({_listed(run)}))", run, placed=False)


def _footers(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], read: Kept) -> dict[str, _Footer]:
    """By path; without those that cannot be read or have columns of our own names."""
    asked = (
        "SELECT file_name, list(name ORDER BY rowid), hash(list((name, type, converted_type, logical_type, scale, "
        "precision, num_children, repetition_type) ORDER BY rowid)) "
        f"FROM (SELECT *, row_number() OVER () AS rowid FROM parquet_schema({_listed(paths)})) GROUP BY file_name"
    )
    try:
        shapes = {name: (names, shape) for name, names, shape in connection.execute(asked).fetchall()}
        wanted = sorted({one for names, _ in shapes.values() for one in names if read(one)})
        asked = (
            f"SELECT file_name, sum(total_uncompressed_size)::BIGINT FROM parquet_metadata({_listed(paths)}) "
            "WHERE split_part(path_in_schema, ', ', 1) IN (SELECT unnest($1)) GROUP BY file_name"
        )
        size = dict(connection.execute(asked, [wanted]).fetchall())
        counts = connection.execute(
            f"SELECT file_name, num_rows FROM parquet_file_metadata({_listed(paths)})"
        ).fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error:
        if len(paths) == 1:
            return {}
        half = len(paths) // 2
        return _footers(connection, paths[:half], read) | _footers(connection, paths[half:], read)
    return {
        name: _Footer(rows, size.get(name, 0), (shapes[name][1], _values(name)))
        for name, rows in counts
        if not {PLACE, "file_index"} & {one.casefold() for one in shapes[name][0]}
    }


def _values(name: str) -> str:
    """The folder of a file, where DuckDB reads columns out of the names of folders."""
    return str(Path(name).parent) if "=" in name else ""


def _listed(paths: Sequence[Path] | Mapping[Path, object]) -> str:
    return "[" + ", ".join(f"'{quoted(path)}'" for path in paths) + "]"


# --- JSON lines ----------------------------------------------------------------------------------------------------


def _of_lines(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], columns: Sequence[str], others: Kept | None
) -> Iterator[Joint | Path]:
    waiting = list(reversed(paths))
    while waiting:
        with aside() as (file, name):  # what is in it is not clean yet
            run: dict[Path, int] = {}
            while waiting and sum(run.values()) <= parts.PART_ROWS // 2 and file.tell() <= parts.RUN_BYTES // 2:
                path = waiting.pop()
                lines = _copied(path, file)
                if lines is None:
                    yield path
                else:
                    run[path] = lines
            file.flush()
            named = list(columns)
            if others and len(run) > 1:
                named += filter(others, parts.all_keys(connection, parts.relation(Path(name), "ndjson")))
            mixed = len({key.casefold() for key in named}) < len(named)  # to DuckDB they are the same
            if mixed and len(run) > 2:
                some, half = list(run), len(run) // 2
                yield from _of_lines(connection, some[:half], columns, others)
                yield from _of_lines(connection, some[half:], columns, others)
                continue
            if mixed or len(run) < 2:
                yield from run
                continue
            yield Joint(f"(SELECT *, row_number() OVER () - 1 AS {PLACE} FROM {parts.members(name, named)})", run, True)


def _copied(path: Path, into: IO[bytes]) -> int | None:
    """Put the lines of a file behind those in `into`; returns how many, or None for what is to be read by itself, of which nothing
    is left there."""
    begin, lines, last = into.tell(), 0, b"\n"
    try:
        if path.stat().st_size > parts.RUN_BYTES // 2:
            return None
        for block in parts.blocks(path):
            lines += block.count(b"\n")
            odd = _BLANK.search(block) or lines > parts.PART_ROWS // 2 or into.tell() - begin > parts.RUN_BYTES // 2
            if odd or (last[-1:] == b"\n" and block[:1] in b"\r\n"):
                break
            into.write(block)
            last = block
        else:
            if not last.endswith(b"\n"):
                into.write(b"\n")
                lines += 1
            return lines
    except (OSError, Malformed):
        pass  # who reads it by itself says which
    into.seek(begin)
    into.truncate()
    return None
