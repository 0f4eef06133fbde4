"""A changed document as text: only what changed is written anew, every other byte stays as it was.

Writing the whole file again costs with its length, 20 ms at a hundred answers, and loses comments within lists. This costs with
the change. It answers None wherever it is not sure; then the whole file is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Dump = Callable[[Mapping[str, object]], str]
"""A mapping as block YAML, lists indented by two."""

_LINE = re.compile(r"[^\n]*\n")
_KEY = re.compile(r"([A-Za-z_]\w*):(?=\s)")
_NOTHING = re.compile(r"\s*(?:#.*)?$")
_ODD = re.compile("[\r\t\ufeff\x85\u2028\u2029]|[|>][1-9]?[+]|^(?:[.]{3}|%)", re.M)
"""What is left to the whole reader: other line ends, blank lines that are part of a text, several documents."""


_SAID = re.compile(r"""^ *(?:- )*(?:[A-Za-z_]\w*: )?(?:'(?:[^']|'')*+'|"(?:[^"\\]|\\.)*+") *$""", re.M | re.S)
"""Lines that are nothing but a quoted text."""


def spliced(old: str, before: Mapping[str, object], after: Mapping[str, object], dump: Dump) -> str | None:
    """`old`, which says `before`, made to say `after`; None where that takes a look at the whole file."""
    head, entries = _entries(old)
    if set(before) != set(entries):
        return None  # defaults are spelled out
    kept: dict[str, str] = {}
    wanted: dict[str, object] = {}
    for key, value in after.items():
        if key in before and value == before[key]:
            continue
        body = entries.get(key, ("", ""))[0]
        items = _kept_items(body, before.get(key), value)
        if items is None and _commented(body):
            return None
        kept[key], rest = items or ("", value)
        if rest != [] or not kept[key]:
            wanted[key] = rest
    fresh = _entries(dump(wanted))[1] if wanted else {}
    if set(fresh) != set(wanted):
        return None
    parts: dict[str, str] = {}
    for key in before.keys() - after.keys():
        if _commented(entries[key][0]):
            return None
        parts[key] = ""
    for key, text in kept.items():
        first, _, rest_text = fresh.get(key, (":", ""))[0].partition("\n")
        if text and not first.endswith(":"):
            return None
        parts[key] = text + rest_text if text else fresh[key][0]
    said = head + "".join(parts.get(key, body) + tail for key, (body, tail) in _ordered(entries, after).items())
    return None if _ODD.search(said) else said


def _commented(text: str) -> bool:
    """Whether there may be a comment in it."""
    return "#" in text and "#" in _SAID.sub("", text)


def _ordered(entries: dict[str, tuple[str, str]], after: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """The entries as they stand, a new key behind the one it follows in `after`."""
    order, previous = list(entries), None
    for key in after:
        if key not in entries:
            order.insert(0 if previous is None else order.index(previous) + 1, key)
        previous = key
    return {key: entries.get(key, ("", "")) for key in order}


def _entries(text: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """What stands before the first key; per top-level key its text, and the comments and blank lines behind it.

    Nothing where it is not that simple.
    """
    head: list[str] = []
    found: dict[str, list[str]] = {}
    here = head
    for line in _LINE.findall(text):
        key = _KEY.match(line)
        if key is not None and key[1] in found:
            return "", {}
        if key is not None:
            here = found[key[1]] = []
        here.append(line)
    if not text.endswith("\n") or any(line.rstrip() != "---" and not _NOTHING.match(line) for line in head):
        return "", {}
    return "".join(head), {key: _tailed(lines) for key, lines in found.items()}


def _tailed(lines: list[str]) -> tuple[str, str]:
    end = len(lines)
    while end > 1 and _NOTHING.match(lines[end - 1]) and not lines[end - 1].startswith(" "):
        end -= 1
    return "".join(lines[:end]), "".join(lines[end:])


def _kept_items(body: str, before: object, after: object) -> tuple[str, list[object]] | None:
    """Of a list: the text of the first items, which stay as they are, and the items that follow; None without any."""
    if not (isinstance(before, list) and isinstance(after, list) and before):
        return None
    first, _, rest = body.partition("\n")
    items: list[str] = []
    for line in _LINE.findall(rest):
        if line.startswith("  - "):
            items.append(line)
        elif items and (line.startswith("    ") or _NOTHING.match(line)):
            items[-1] += line
        else:
            return None
    both = zip(before, after, strict=False)
    same = next((place for place, (x, y) in enumerate(both) if x != y), min(len(before), len(after)))
    if not first.endswith(":") or len(items) != len(before) or not same or any(map(_commented, items[same:])):
        return None
    return f"{first}\n{''.join(items[:same])}", after[same:]
