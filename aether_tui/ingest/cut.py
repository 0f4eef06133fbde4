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
_INSIDE: Final = "~"
_NULL: Final = "NULL"


def cut_out(name: str, clean: str, names: Sequence[str], odd: str, most: int) -> str:
    """SQL: of the JSON text `name` the values of `names`, as text; of a nested one those of what may hold them, marked; of a long or
    `odd` one the whole text as it is `clean`, marked otherwise.

    `odd` is an SQL condition for texts that are no JSON; where values take more than `most` characters, `clean` may have them shorter.
    """
    if any('"' in one or "\\" in one or not all(one.split(".")) for one in names):  # no path of DuckDB's
        return f"'{_WHOLE}' || {clean}"
    marks = " OR ".join(f"contains({name}, '{mark}')" for mark in _NESTED)
    nested = f"(length(string_split({name}, '{{')) > 2 AND ({marks}))"
    values = f"CAST({_values(name, names)} AS VARCHAR)"
    whole = f"'{_WHOLE}' || {clean}"
    # A list of one, so that values are looked for once.
    short = f"list_transform([{values}], lambda v: CASE WHEN strlen(v) <= {most} THEN v ELSE {whole} END)[1]"
    return (
        f"CASE WHEN {name} IS NULL THEN NULL WHEN {odd} THEN {whole} WHEN {nested} THEN {_inside(name, whole, names, most)} "
        f"WHEN strlen({name}) <= {most} THEN {values} ELSE {short} END"
    )


def _inside(name: str, whole: str, names: Sequence[str], most: int) -> str:
    """SQL: what a nested text has under the names and what they may be nested in; `whole` where two of those hold the same name."""
    keys = holders(names)
    twice = [f"length(string_split({name}, '\"{_quoted(key)}\"')) > 2" for key in keys if key not in names]
    both = [
        f"{' + '.join(f'(v[{keys.index(key) + 1}] IS NOT NULL)::INT' for key in chain)} > 1"
        for chain in map(_prefixes, names)
        if len(chain) > 1
    ]
    unsure = " OR ".join([f"strlen(CAST(v AS VARCHAR)) > {most}", *twice, *both])
    cut = f"CASE WHEN {unsure} THEN {whole} ELSE '{_INSIDE}' || CAST(v AS VARCHAR) END"
    return f"list_transform([{_values(name, keys)}], lambda v: {cut})[1]"


def holders(names: Sequence[str]) -> list[str]:
    """The names, and of each the beginnings under which it may stand as `{"begin": {"ning": …}}`."""
    return list(dict.fromkeys(key for name in names for key in _prefixes(name)))


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _values(name: str, keys: Sequence[str]) -> str:
    paths = ", ".join("'$.\"" + _quoted(key) + "\"'" for key in keys)
    return f"json_extract({name}, [{paths}])" if keys else "CAST([] AS JSON[])"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def as_json(cut: str | None, names: Sequence[str]) -> str | None:
    """A JSON object of what `cut_out` found."""
    if cut is None or cut.startswith(_WHOLE):
        return cut and cut[1:]
    found, at = [], 1
    if cut.startswith(_INSIDE):
        names, at = holders(names), 2
    for name in names:
        if cut.startswith(_NULL, at):
            end = at + len(_NULL)
        else:
            _, end = _DECODER.raw_decode(cut, at)
            found.append(f"{json.dumps(name)}:{cut[at:end]}")
        at = end + 2  # comma and space
    return "{" + ",".join(found) + "}"


_DECODER = json.JSONDecoder()
