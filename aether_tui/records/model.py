"""Columns and tables: names, types, units and meanings, from which DDL, merge, recogniser and documentation follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal

Value = None | bool | int | float | str | Decimal | datetime | tuple[str, ...]
"""One cell. Instants are naive UTC `datetime`s, durations seconds, money `Decimal`, `json` columns JSON text."""

Row = tuple[Value, ...]
"""The raw columns of one record, in the order of `Table.raw`."""

Kind = Literal[
    "text", "said", "asked", "id", "person", "texts", "json", "int", "float", "money", "bool", "time", "day", "request"
]
"""`id`: an identifier (machine made, joined on). `person`: identifies a human, stored only as a keyed hash.
`request`: what a person asked; stored only as its category.
`texts`: a list of text. `said`: what was said by a model, as text or as the JSON of its messages; stored as text.
`asked`: what was said to a model; stored as text, or as the JSON of an OpenAI request where it is made of messages.
Everything else is what it says; `text`, `said`, `asked`, `texts` and `json` come from strangers."""


MOST_MONEY: Final = 10**15
"""Largest amount, either way: what is larger is none, and the sum of a few of them could not be stored."""
INSTANTS: Final = ("0001-01-01", "9999-12-31 23:59:59.999999")
"""First and last instant: others (before Christ, infinity) are none, and no `datetime` could say them."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `derived` columns are computed by `ingest` from raw ones and the workspace's mapping.

    `most` characters are kept of a text, or of each text in JSON; 0: as many as of any text. A whole number or an amount below 0
    or over `most` is none: null, and in a file the row is rejected; 0: any number. Members of JSON whose names begin with one of `never`
    are not kept.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    derived: bool = False
    most: int = 0
    never: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A record table. `key` identifies a row within one source; `at` is the instant that bounds and buckets it;
    `revision` orders two versions of one row (the later wins), the content decides where it is absent or equal. `named_by`
    columns of the key are what its source calls a thing. `of` are tables and the columns that name things of theirs a row
    belongs to: it goes when one of these goes. `read` is the column that only says
    when a row was read: what is read again as it was has not changed, and keeps its first instant."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    at: str
    revision: str | None = None
    of: tuple[tuple[str, str], ...] = ()
    read: str = ""
    named_by: int = 1

    @cached_property
    def raw(self) -> tuple[Column, ...]:
        """Columns a connector fills, in row order."""
        return tuple(column for column in self.columns if not column.derived)

    @cached_property
    def derived(self) -> tuple[Column, ...]:
        """Columns `ingest` fills."""
        return tuple(column for column in self.columns if column.derived)

    @property
    def name_columns(self) -> tuple[str, ...]:
        """What its source calls the thing that a row is: a run without its attempt, a merge request with its project."""
        return self.key[: self.named_by]

    @cached_property
    def _empty(self) -> dict[str, Value]:
        """Every raw column without a value, in row order."""
        return dict.fromkeys(column.name for column in self.raw)

    def row(self, **values: Value) -> Row:
        """A raw row from named values; absent columns are None.

        Raises TypeError for a name that is not a raw column, ValueError when a part of the key is missing.
        """
        row = self._empty | values
        if len(row) > len(self._empty):
            raise TypeError(f"{self.name} has no raw column {', '.join(sorted(values.keys() - self._empty.keys()))}")
        for name in self.key:
            if row[name] is None:
                raise ValueError(f"{self.name}.{name} is missing")
        return tuple(row.values())
