"""Text from strangers: made harmless once, for every face. Titles, prompts, branch names and XML come from outside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

# OSC, DCS, APC, PM and SOS strings up to their terminator; CSI sequences; other two-byte escapes.
_ESCAPES = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x1b\\|\x07|\x9c|$)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]",
    re.S,
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")
HARD = "\N{NO-BREAK SPACE}"
_UNIT = re.compile(r"(?<=\d) (?=(?:d|h|min|s|ms|pt|USD)\b|%)")
_UNSEEN = re.compile("[\u00a0\u00ad\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff]")


BEYOND = 512
"""Characters that are read beyond what is kept."""


def begun(text: str, most: int) -> str:
    """The beginning of a text of which `most` characters are kept once it is clean.

    Some more than that: of a secret that is cut in two nobody knows what it is.
    """
    return text[: most + BEYOND]


def plain(text: str, limit: int = 2000) -> str:
    """`text` without escape sequences, control characters and bidirectional overrides; new lines and tabs stay."""
    text = _BIDI.sub("", _CONTROL.sub("", _ESCAPES.sub("", text[: 4 * limit])))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int = 200) -> str:
    """`plain` text on one line; what is so already is returned at once."""
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return plain(_SPACES.sub(" ", plain(text, 4 * limit)).strip(), limit)


SHORTEST_SECRET = 4
"""Characters that a credential has at least; shorter ones would mask words."""


def masked(words: str, secrets: Iterable[str]) -> str:
    """`words` with none of these secrets, as they are or as URLs, JSON, HTML, hexadecimal digits and base64, also of more, write them."""
    forms = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        words = words.replace(form, "***")
    return words


def _forms(secret: str) -> Iterator[str]:
    import html
    import json
    from base64 import b64encode
    from urllib.parse import quote

    data, quoted = secret.encode(), quote(secret, safe="")
    yield from (secret, quoted, quote(quoted), re.sub("%..", lambda match: match[0].lower(), quoted), quote(secret))
    yield from (json.dumps(secret)[1:-1], html.escape(secret), data.hex())
    for before in range(3):  # what stands before it moves it, and the signs at its ends hold some of their neighbours
        said = b64encode(bytes(before) + data).decode().rstrip("=")
        whole = said[(0, 2, 3)[before] : len(said) - bool((before + len(data)) % 3)]
        if len(whole) > SHORTEST_SECRET:
            yield from (whole, whole.translate(_URL_BASE64))


_URL_BASE64 = str.maketrans("+/", "-_")


def without_login(text: str) -> str:
    """`text` without names and passwords in its addresses."""
    return re.sub(r"//[^/@\s]+@", "//•••@", text)


def unseen(lines: Iterable[str]) -> str:
    """The name of the first character that looks like a blank or like nothing and is no blank; empty where there is none."""
    found = next(filter(None, map(_UNSEEN.search, lines)), None)
    return unicodedata.name(found[0], "a sign without a name").lower() if found else ""


def with_units(text: str) -> str:
    """`text` with HARD between a number and its unit, where no line may be broken."""
    return _UNIT.sub(HARD, text)


def cells(text: str) -> int:
    """Terminal cells a line takes: two for wide characters and emoji, none for combining marks and joiners."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
