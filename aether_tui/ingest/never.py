"""Members of JSON that are never stored, left out of it, nested ones too: `{"a": {"b": 1}}` has a member `a.b`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

_ESCAPED: Final = "\\u"


@cache
def hint(never: tuple[str, ...]) -> str:
    """Regular expression (RE2, too): a JSON text without `\\u` may have a member whose name begins with one of `never`."""
    names = "|".join(re.escape(name).replace("\\_", "_") for name in never)
    holders = "|".join(sorted({re.escape(part) for name in never for part in _beginnings(name)}))
    return rf'"(?:{names}|(?:{holders})"\s*:\s*[\[{{])'


def _beginnings(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


@cache
def _compiled(never: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(hint(never))


def without(text: str, never: tuple[str, ...]) -> str:
    """A JSON text without members whose names begin with one of `never`; as it is where it has none or is no JSON."""
    if not never or not (_ESCAPED in text or _compiled(never).search(text)):
        return text
    try:
        found = json.loads(text, parse_float=_number)
        kept = _kept(found, never, "")
    except RecursionError:
        return json.dumps(text)  # a text among others
    except ValueError:
        return text
    return text if kept == found else json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _number(text: str) -> float | str:
    """JSON has no infinity to write again."""
    return value if math.isfinite(value := float(text)) else text


def _kept(found: object, never: tuple[str, ...], within: str) -> object:
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [_kept(one, never, within) for one in found]
    if not isinstance(found, dict):
        return found
    members = ((f"{within}{name}", name, value) for name, value in found.items())
    return {name: _kept(value, never, f"{whole}.") for whole, name, value in members if not whole.startswith(never)}
