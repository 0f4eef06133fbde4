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


def cut_out(name: str, clean: str, names: Sequence[str], odd: str, most: int) -> str:
    """SQL: of the JSON text `name` the values of `names`, as text; of a nested, long or `odd` one the whole text as it is `clean`,
    marked.

    `odd` is an SQL condition for texts that hold escapes or are no JSON; where values take more than `most` characters, `clean`
    may have them shorter.
    """
    if any('"' in one or "\\" in one for one in names):
        return f"'{_WHOLE}' || {clean}"
    paths = ", ".join("'$.\"" + one.replace("'", "''") + "\"'" for one in names)
    marks = " OR ".join(f"contains({name}, '{mark}')" for mark in _NESTED)
    nested = f"(length(string_split({name}, '{{')) > 2 AND ({marks}))"
    values = f"CAST(json_extract({name}, [{paths}]) AS VARCHAR)" if names else "'[]'"
    found = f"CASE WHEN NOT ({odd} OR {nested}) THEN {values} END"
    return (
        f"CASE WHEN {name} IS NULL THEN NULL WHEN strlen({found}) <= {most} THEN {found} ELSE '{_WHOLE}' || {clean} END"
    )


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
