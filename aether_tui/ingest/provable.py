"""What of redaction DuckDB can decide by itself: which values cleaning surely leaves as they are.

Cleaning is Python (`redact.py`); asking it about millions of values that are plainly harmless takes longer than everything
else. These conditions say *unclean* of every value that cleaning might change, and of some that it would not: those are
then cleaned by the same Python as ever, each distinct one once. A test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aether_tui.ingest.never import hint
from aether_tui.ingest.patterns import IBAN_LENGTHS, STARTS, WITHIN
from aether_tui.ingest.redact import MAX_CHARS, longer
from aether_tui.records import Column

_DIGIT: Final = "(?: *[A-Za-z0-9])"
"""Of an IBAN, with the blanks before it."""


def _ibans(lengths: Sequence[int]) -> str:
    """What numbers of the countries with these lengths, in order, begin with, up to where the shortest of them goes on: so all go on
    alike, and what they have in common is written once. Written for each length it takes twice as long to be understood."""
    least, *others = lengths
    countries = "|".join(country for country, length in sorted(IBAN_LENGTHS.items()) if length == least)
    begun = f"(?i:{countries})[0-9]{{2}}"
    return f"(?:{begun}|{_ibans(others)}{_DIGIT}{{{others[0] - least}}})" if others else begun


# A name of a secret, and after it anything but a letter, digit or underscore.
_NAMED: Final = (
    r"(?i:pass(?:words?|wort|wd|phrase|code)|pwd|kennwort|mot de passe|contrasena|secrets?|token|credentials?|cookie|authorization"
    r"|keys?|sess(?:ion)?id|auth)(?:[^0-9A-Za-z_]|$)"
)
_PARAMETER: Final = r"[?&#](?i:[\w.\-]*(?:sig|signature|code|auth|credential))="
_SCHEME: Final = r"(?i:bearer|basic)\s"
_START: Final = r"(?:^|[^0-9A-Za-z])"
_SHAPES: Final = "|".join(STARTS)
_ELSEWHERE: Final = "|".join(WITHIN) + (
    r"|(?i:hooks\.slack\.com|webhook\.office\.com|discord(?:app)?\.com/api|\bcurl\b)|-----BEGIN|%(?:25)*[2-7][0-9A-Fa-f]|&(?:#|[a-z]{2,8};)"
    r"|(?:^|[^0-9A-Za-z_+/\-])(?:[CDI-Za-f][A-Za-z0-9+/_\-]{3}){6}"
)
# An IBAN begins with a country and its check digits, and is as long as that country's are: most hexadecimal numbers are not.
_LENGTHS: Final = sorted(set(IBAN_LENGTHS.values()))
_IBAN: Final = f"{_ibans(_LENGTHS)}{_DIGIT}{{{_LENGTHS[0] - 4}}}(?:[^0-9A-Za-z]|$)"
_CARD: Final = r"[0-9]{13,16}(?:[^0-9A-Za-z]|$)"
_GROUPED: Final = r"[0-9]{4}[ .\-](?:[0-9]{4}[ .\-][0-9]{4}|[0-9]{6}[ .\-][0-9]{4})"
_PHONE: Final = (
    r"(?:\+|(?:^|[^0-9A-Za-z_])00)[1-9](?:[ ().\-/]{0,3}[0-9]){6}|[0-9]{3}(?:\) ?|[ .\-])[0-9]{3}[ .\-][0-9]{4}"
    r"|(?:^|[^0-9A-Za-z_.,:/\-+])0[1-9][0-9]{0,4}\)?(?: [/\-] |[ \-/])[0-9]{2}"
    r"|(?i:(?:phone|tele?fono?|tel|mobile?|handy|fax|whatsapp)(?: (?:number|no|nr|is))*[.:=#\" ]+\+?\(?[0-9])"
)
_ADDRESS: Final = r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|::|:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:"
UNCLEAN_TEXT: Final = "|".join(
    (
        r"[^ -~]|[@\\]",
        _NAMED,
        _PARAMETER,
        _SCHEME,
        f"{_START}(?:{_SHAPES}|{_IBAN}|{_CARD})",
        _ELSEWHERE,
        _GROUPED,
        _PHONE,
        _ADDRESS,
    )
)
"""RE2: a text without a match stays as it is."""
# What JSON parsers disagree about, too: trailing commas, numbers that are none.
_JSON: Final = r",\s*[}\]]|[:\[,]\s*-?(?:NaN|nan|Inf|inf)|[:\[,]\s*-?[0-9.]+[eE]\+?[0-9]{3}"
_SPACED: Final = r"[\t\n\r]"
UNCLEAN_JSON: Final = f"{UNCLEAN_TEXT}|{_JSON}"
# A line break or tab is to all patterns what a space is.
_HARMLESS: Final = {r"\n": " ", r"\t": " ", r"\/": "/", r"\"": '"'}
_DEEPEST: Final = 900
_MOST_BRACKETS: Final = 60


def unclean(column: Column, name: str) -> str:
    """SQL condition on the expression `name`: cleaning might change this value of `column` (false or null: it does not)."""
    most = column.most or MAX_CHARS
    long = f"strlen({name}) > {most}"
    match column.kind:
        case "text":
            if column.most:
                long = f"({long} AND regexp_matches({name}, {_quoted(longer(most))}))"
            return f"({long} OR regexp_matches({name}, {_quoted(UNCLEAN_TEXT)}))"
        case "id":
            return f"CASE WHEN {harmless(column, name)} THEN FALSE ELSE {long} OR regexp_matches({name}, {_quoted(UNCLEAN_TEXT)}) END"
        case "json":
            # Split, because to count with a regular expression takes eight times as long.
            nested = " + ".join(f"length(string_split({name}, '{mark}')) - 1" for mark in "{[")
            deep = f"(strlen({name}) > {_DEEPEST} AND {nested} >= {_MOST_BRACKETS})"
            long = "" if column.most else f"{long} OR "  # `shortened` sees to it, but for texts with escapes
            if column.most:
                one = f"regexp_matches(replace({name}, '\\\"', '--'), {_quoted(longer(most))})"
                deep = f"{deep} OR (strlen({name}) > {most} AND {_escaped(name)} AND {one})"
            said = f"CASE WHEN {_escaped(name)} THEN {_unescaped(name)} ELSE {name} END"
            pattern = f"{UNCLEAN_JSON}|{hint(column.never)}" if column.never else UNCLEAN_JSON
            return f"({long}regexp_matches({said}, {_quoted(pattern)}) OR NOT json_valid({name}) OR {deep})"
        case _:
            return f"({name} IS NOT NULL)"


def harmless(column: Column, name: str) -> str:
    """SQL condition: as can be told of an id at a glance, not `unclean`."""
    if column.kind != "id":
        return "FALSE"
    return f"(strlen({name}) BETWEEN 7 AND 128 AND regexp_full_match({name}, '[0-9]*[a-f][0-9a-f]*'))"


def disputed(name: str) -> str:
    """SQL condition on a JSON text: readers of JSON may not agree about it, or it has white space other than blanks."""
    return f"(NOT json_valid({name}) OR regexp_matches({name}, {_quoted(f'{_JSON}|{_SPACED}')}))"


def shortened(column: Column, name: str, done: str = "FALSE") -> str:
    """SQL: a JSON text that is not `unclean`, its strings as long as they are kept, cut as `Redactor.text` cuts them.

    Where the condition `done` holds it stays as it is. Where it is asked the columns `inside` and `outside` are `Redactor.pads`.
    """
    if not column.most:
        return name
    # Without backslashes what stands between quotation marks is in turn outside and inside of strings. What decides is inside,
    # because a CASE around it would have all of it computed twice.
    asked = f"strlen({name}) > {column.most} AND NOT {done} AND NOT {_escaped(name)}"
    parts = f"CASE WHEN {asked} THEN string_split({name}, '\"') ELSE [{name}] END"
    digest = "left(sha256(outside || unhex(sha256(inside || encode(_part)))), 8)"
    cut = f"left(_part, {column.most}) || '…[cut:' || {digest} || ']'"
    each = f"CASE WHEN _place % 2 = 0 AND strlen(_part) > {column.most} THEN {cut} ELSE _part END"
    # Not by array_to_string, a macro which says its list twice.
    return f"list_aggr(list_transform({parts}, lambda _part, _place: {each}), 'string_agg', '\"')"


def _escaped(name: str) -> str:
    return f"contains({name}, '\\')"


def _unescaped(name: str) -> str:
    """SQL: what is said with the escapes that cleaning leaves alone; a backslash stays where there is another one."""
    for escape, character in _HARMLESS.items():
        name = f"replace({name}, '{escape}', '{character}')"
    return name


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
