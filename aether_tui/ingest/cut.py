"""The few attributes of a span that its dimensions are read from, cut out of JSON by SQL.

Attributes differ from span to span, the ones that are asked for do not: cut out, they are few combinations, and Python reads
each once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

_NESTED: Final = (":{", " {", "[{", ",{")
_WHOLE: Final = "="
_NULL: Final = "NULL"


def cut_out(name: str, names: Sequence[str], odd: str) -> str:
    """SQL: of the JSON text `name` the values of `names`, as text; of a nested or `odd` one the whole text, marked.

    `odd` is an SQL condition for texts that hold escapes or are no JSON.
    """
    if any('"' in one or "\\" in one for one in names):
        return f"'{_WHOLE}' || {name}"
    paths = ", ".join("'$.\"" + one.replace("'", "''") + "\"'" for one in names)
    nested = " OR ".join(f"contains({name}, '{mark}')" for mark in _NESTED)
    values = f"CAST(json_extract({name}, [{paths}]) AS VARCHAR)" if names else "'[]'"
    return f"CASE WHEN {odd} OR {nested} THEN '{_WHOLE}' || {name} ELSE {values} END"


def as_json(cut: str | None, names: Sequence[str]) -> str | None:
    """A JSON object of what `cut_out` found."""
    if cut is None or cut.startswith(_WHOLE):
        return cut and cut[1:]
    found, at = [], 1
    for name in names:
        if cut.startswith(_NULL, at):
            end = at + len(_NULL)
        else:
            _, end = _DECODER.raw_decode(cut, at)
            found.append(f"{json.dumps(name)}:{cut[at:end]}")
        at = end + 2  # comma and space
    return "{" + ",".join(found) + "}"


_DECODER = json.JSONDecoder()
