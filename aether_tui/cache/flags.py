"""What every definition asks of a span, answered once: DuckDB takes longer to understand the questions than to answer them for
ten thousand spans."""

from __future__ import annotations

from typing import Final

from aether_tui.records.definitions import DUCKDB, NAMED, render

_ASKED: Final = ("model_call", "embedding", "tool_call", "step", "failed_free")
FLAGS: Final = tuple(f"_{name}" for name in _ASKED)
"""Columns that hold the answers."""
_ANSWERS: Final = dict(zip(_ASKED, FLAGS, strict=True))
ANSWERED: Final = DUCKDB | _ANSWERS
"""Primitives over relations of spans that have these columns."""
_NAMED: Final = {name: f"coalesce(o.{name}, FALSE)" for name in NAMED}
_CELLS: Final = ", ".join(
    f"{render(_NAMED.get(name) or DUCKDB[name], {}, _NAMED | _ANSWERS)} AS {flag}" for name, flag in _ANSWERS.items()
)
# Looked up, an operation is compared once instead of with one list after the other.
_WORDS: Final = ", ".join(
    f"({', '.join([repr(word), *(str(word in words) for words in NAMED.values())])})"
    for word in dict.fromkeys(word for words in NAMED.values() for word in words)
)


def flagged(rows: str) -> str:
    """SELECT of the columns of a relation of spans, and `FLAGS`."""
    words = f"(VALUES {_WORDS}) AS o(word, {', '.join(NAMED)})"
    return f"SELECT s.*, {_CELLS} FROM {rows} AS s LEFT JOIN {words} ON o.word = lower(s.operation)"
