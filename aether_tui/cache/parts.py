"""A large file in parts that fit into memory, each as a relation DuckDB reads: ranges of Parquet rows, runs of JSON lines."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import IO, Final, Literal, cast

import duckdb

from aether_tui.cache.aside import aside, quoted
from aether_tui.records.source import Malformed

LINE: Final = "line"
"""The column of a relation of lines."""
PART_ROWS: Final = 122_880
PART_BYTES: Final = 192 << 20
"""Bytes that are kept of the rows of a part."""
RUN_BYTES: Final = 128 << 20
"""Bytes of JSON lines that are read at a time. DuckDB's reader takes 64 MB of them to begin with."""
_BLOCK: Final = 256 << 10
_FEWEST: Final = PART_ROWS >> 6
LONGEST_LINE: Final = 16 << 20
"""Bytes of one line of a file."""
# With DuckDB's own buffers of 16 such lines a reader holds 256 to 512 MB; with less than two a long line is lost without a word.
_ROOM: Final = f"store_rejects=true, max_line_size={LONGEST_LINE}, buffer_size={2 * LONGEST_LINE}"
# One column holds the whole line: no separator, no quotes. A line that is not JSON is then one reject, not the end. Nothing is found
# out from the first lines, which would leave out blank ones. Lines may end in either way, even in one file: by the longer one named
# here each end is one, by the shorter one it is two. By several threads a line longer than a buffer is lost without a word.
_WHOLE: Final = (
    "header=false, auto_detect=false, strict_mode=false, parallel=false, delim='\x01', quote='', escape='', new_line='\\r\\n', "
    f"columns={{'{LINE}': 'VARCHAR'}}, {_ROOM}"
)
# Halves of surrogate pairs are not JSON, and are left out of every text: all else is taken as it is, escape by escape.
_ESCAPED: Final = r"\\[^u]|\\u(?:[^dD]|[dD][0-7]|[dD][89abAB]..\\u[dD][c-fC-F])"
_UNPAIRED: Final = rf"'((?:[^\\]|{_ESCAPED})+)|\\u[dD][89a-fA-F][0-9a-fA-F]{{2}}', '\1', 'gs'"
_PAIRED: Final = (
    rf"CASE WHEN regexp_matches({LINE}, '\\u[dD][89a-fA-F]') AND NOT json_valid({LINE}) "
    f"THEN regexp_replace({LINE}, {_UNPAIRED}) ELSE {LINE} END AS {LINE}"
)
_LINES: Final = f"format='newline_delimited', records='true', maximum_object_size={LONGEST_LINE}"
_SAMPLE: Final = 2048
"""Lines that are looked at for their keys."""
_MAGIC: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}

Format = Literal["csv", "parquet", "ndjson"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part as a relation of columns, and again as the relation from which rejects are explained.

    `first` is the number of its first row in the file, from nought; `more`: rows of the file come after it. `copied`: reading it once is
    cheaper than twice.
    """

    relation: str
    again: str
    first: int
    more: bool
    copied: bool


def divisible(paths: Sequence[Path], form: Format) -> bool:
    """Whether `parts` can cut files of this form: they are opened to see how they are packed."""
    return form == "parquet" or (form == "ndjson" and all(_packing(path) != "zstd" for path in paths))


Kept = Callable[[str], bool]


def parts(
    connection: duckdb.DuckDBPyConnection, path: Path, form: Format, columns: Sequence[str], others: Kept | None = None
) -> Iterator[Part]:
    """The parts of a file in order; each is gone when the next is asked for.

    JSON is read for the keys `columns` and those `others` which its first thousands have.
    """
    if form == "parquet":
        return _of_parquet(connection, path, lambda name: name in columns or (others is not None and others(name)))
    return _of_lines(connection, path, columns, others)


def line_keys(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Keys of the first thousands of JSON lines; of those that differ in case only one, as DuckDB's columns do."""
    found = all_keys(connection, f"(FROM {relation(path, 'ndjson')} LIMIT {_SAMPLE})")
    return list({name.casefold(): name for name in found}.values())


def all_keys(connection: duckdb.DuckDBPyConnection, lines: str) -> list[str]:
    """Keys of a relation of JSON lines."""
    keys = f"CASE WHEN json_valid({LINE}) THEN json_keys({LINE}) END"
    found = connection.execute(f"SELECT DISTINCT unnest({keys}) FROM {lines}").fetchall()
    return sorted(name for (name,) in found if name)


def relation(path: Path, form: Format) -> str:
    """A whole file: columns, or for JSON lines one column `line`. Raises Malformed for one that is missing or empty."""
    packed = _packing(path)
    if form == "parquet":
        return f"read_parquet('{quoted(path)}')"
    if form == "ndjson":
        return _lines(quoted(path), packed)
    return f"read_csv('{quoted(path)}', compression='{packed}', header=true, all_varchar=true, {_ROOM})"


def _lines(path: str, packed: str) -> str:
    return f"(SELECT {_PAIRED} FROM read_csv('{path}', compression='{packed}', {_WHOLE}))"


def _packing(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise Malformed(f"{path.name}: {error.strerror}") from error
    if not head:
        raise Malformed(f"{path.name}: the file is empty")
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "none")


def _of_parquet(connection: duckdb.DuckDBPyConnection, path: Path, read: Kept) -> Iterator[Part]:
    _packing(path)
    file = f"'{quoted(path)}'"
    (found,) = connection.execute(f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({file})").fetchone() or (0,)
    rows = int(found or 0)
    asked = f"SELECT split_part(path_in_schema, ', ', 1), total_uncompressed_size FROM parquet_metadata({file})"
    size = sum(size for name, size in connection.execute(asked).fetchall() if read(name))
    step = _rows_of(rows, size)
    groups = connection.execute(
        f"SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata({file}) ORDER BY ALL"
    )
    edges = {0, *accumulate(count for _, count in groups.fetchall())}
    for low in range(0, rows, step):
        within = f"file_row_number >= {low} AND file_row_number < {low + step}"
        some = f"(SELECT * EXCLUDE file_row_number FROM read_parquet('{quoted(path)}', file_row_number=true) WHERE {within})"
        # What comes before a part in a row group is unpacked each time.
        yield Part(some, some, low, low + step < rows, copied=not {low, min(low + step, rows)} <= edges)


def _rows_of(rows: int, size: int) -> int:
    """How many rows fit into a part: a power of two less where they are long."""
    step = PART_ROWS
    while step > _FEWEST and step * size > PART_BYTES * rows:
        step //= 2
    return step


def _of_lines(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[str], others: Kept | None
) -> Iterator[Part]:
    first = 0
    with aside() as (file, name):  # what is in it is not clean yet
        plain = _lines(name, "none")
        for lines, more in _runs(path, file):
            if others and not first:
                columns = [*columns, *filter(others, line_keys(connection, Path(name)))]
            yield Part(members(name, columns), plain, first, more, copied=True)
            first += lines


def members(path: str, columns: Sequence[str]) -> str:
    """The members of JSON lines that are `columns`, as texts; one of nulls for a line that is no object. `path` is for an SQL text."""
    types = ", ".join("'" + key.replace("'", "''") + "': 'VARCHAR'" for key in columns)
    return f"read_json('{path}', {_LINES}, columns={{{types}}}, ignore_errors=true, compression='none')"


def _runs(path: Path, into: IO[bytes]) -> Iterator[tuple[int, bool]]:
    """Whole lines in the place of those before in `into`, as many as make a part; yields how many, and whether more come.

    Raises Malformed for a packed file that is cut short, and for endless lines.
    """
    size = lines = 0
    for block in blocks(path):
        size += len(block)
        found = _ends(block)
        cut = block.rfind(b"\n") + 1 if lines + found >= PART_ROWS or size >= RUN_BYTES else 0
        if cut:
            into.write(block[:cut])
            into.truncate()
            yield lines + found, True
            into.seek(0)
            size, lines, found = len(block) - cut, 0, 0
        elif size > RUN_BYTES + LONGEST_LINE:
            raise Malformed(f"{path.name}: a line longer than {LONGEST_LINE >> 20} MiB")
        into.write(block[cut:])
        lines += found
    if size:
        into.write(b"\n")  # one byte without an end is read as no line
        into.truncate()
        yield lines, False


def _ends(block: bytes) -> int:
    """Lines that end in a block. Counting bytes looks at each of them, and finding the next skips long lines."""
    ends, place = 0, block.find(b"\n")
    while place >= 0:
        ends, place = ends + 1, block.find(b"\n", place + 1)
    return ends


def blocks(path: Path) -> Iterator[bytes]:
    """What is in a file, unpacked. Raises Malformed for a packed one that is cut short."""
    # Small, so that they lie in the same place of memory one after the other: new pages take longer than reading.
    try:
        with _opened(path) as stream:
            while block := stream.read(min(_BLOCK, RUN_BYTES)):
                yield block
    except (EOFError, zlib.error, OSError) as error:
        raise Malformed(
            f"{path.name}: the compressed file is cut short or damaged",
            hint="is the file whole? copy or export it again",
        ) from error


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if _packing(path) == "gzip" else path.open("rb")
