"""Redaction: what identifies or authorises somebody becomes `[kind:digest]` before anything is written.

The digest is keyed by the workspace, so equal values stay equal (keys still join) and cannot be looked up in a list.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from base64 import b64decode
from collections.abc import Sequence
from functools import lru_cache

from aether_tui.ingest.patterns import (
    ADDRESS_NAME,
    CUES,
    IBAN_START,
    IPV4,
    IPV6,
    PASSWORD_NAME,
    PATTERNS,
    SECRET_NAME,
    Group,
    Pattern,
    iban_length,
    is_benign,
    is_card,
    is_ipv6,
)
from aether_tui.text import plain

MAX_CHARS = 10_000
"""Longest text kept; longer ones end in `…[cut:digest]`, so that two of them stay two."""
_PASSES = 16  # what stood glued to a replaced value shows only afterwards
_MEMO_CHARS = 200
_MEMO_SIZE = 8_192

# Cheap hints decide which patterns a text must meet; a text without any costs about a microsecond.
_NUMBER = re.compile(
    r"[0-9](?:[ ().\-/]{0,3}[0-9]){6}|[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[0-9A-Fa-f]::[0-9A-Fa-f]|(?:[0-9A-Fa-f]{1,4}:){4}"
)
_LONG_RUN = re.compile(r"[A-Za-z0-9_\-]{15}")
_WORDS = (
    "pass",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "cookie",
    "bearer",
    "basic ",
    "pwd",
    "session",
    "sig",
    "code=",
    "curl",
    "kennwort",
    "contrase",
)
_ALL_WORDS = (*_WORDS, "密码", "口令", "パスワード", "пароль")
_JSON_PART = re.compile(r'"((?:[^"\\]++|\\.)*+)"(\s*:)?|(?<![\w.+\-])[0-9]{4,16}(?![\w.+\-])', re.S)
_CUT = re.compile(r"…\[cut:[0-9a-f]{8}\]\Z")
_MARK = len("…[cut:12345678]")
_ESCAPE = re.compile(r"(?<!\\)\\++(?:(?:u([0-9a-fA-F]{4})|x([0-7][0-9a-fA-F])|[nrtbf])|([/\"']))")
_PERCENT = re.compile(r"%(?:25)*([2-7][0-9A-Fa-f])")
_ENTITY = re.compile(r"&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[a-z]{2,8});")
# What nobody sees (Default_Ignorable_Code_Point), and what looks like another sign: blanks, dashes, digits, wide, small and bold letters.
_STRANGE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2010-\u2015\u2212\ufe50-\ufe6b\uff01-\uff5e\U0001d400-\U0001d7ff"
    "\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59]"
)
_WRAPPED = re.compile(r"(?<![\w+/\-])(?:[CDI-Za-f][A-Za-z0-9+/_\-]{3}){6,}[A-Za-z0-9+/_\-]{0,3}={0,2}(?![\w+/=\-])")
_REPLACED = re.compile(r"\[[a-z]+:[0-9a-f]{8}\]")
_LINES = str.maketrans("\n\t", "  ")
_CLEAN_ID = re.compile(r"[0-9a-f\-]{7,128}")


def longer(most: int) -> str:
    """Regular expression (RE2, too): a JSON text without backslashes may hold a string of more than `most` characters."""
    return f'"[^"]{{{most + 1}}}'


def _asked_of(name: str) -> tuple[bool, bool]:
    """Whether what has this name is a secret, and whether it is somebody's network address."""
    return SECRET_NAME.search(name) is not None, ADDRESS_NAME.search(name) is not None


_known = lru_cache(_MEMO_SIZE)(_asked_of)


def _unescaped(match: re.Match[str]) -> str:
    """What an escape of JSON stands for: a text may hold JSON, also cut or within a line, whose escapes hide what is beside them."""
    code, short, sign = match.groups()
    char = chr(int(code or short, 16)) if code or short else sign or " "
    return char if char.isprintable() else " " if char.isspace() else match.group()


def _named_sign(match: re.Match[str]) -> str:
    """What an entity of HTML stands for."""
    from html import unescape

    char = unescape(f"&{match[1]};")
    return char if char.isprintable() or char.isspace() else match.group()


@lru_cache(1_024)
def _usual(char: str) -> str:
    """What a sign looks like; nothing for one that nobody sees."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    kind = unicodedata.category(char)
    if kind in {"Zs", "Pd"} or char == "\N{MINUS SIGN}":
        return " " if kind == "Zs" else "-"
    return "" if kind in {"Cf", "Mn", "Cn"} or char in _FILLERS else unicodedata.normalize("NFKC", char)


_FILLERS = "\u115f\u1160\u3164\uffa0"


def _said(text: str) -> str:
    """The text without what hides it: escapes of JSON, URLs (where a plus was one, bare ones are blanks) and HTML, and signs that look
    like others or like nothing."""
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if "%" in text:
        if "%2B" in text or "%2b" in text:
            text = text.replace("+", " ")
        text = _PERCENT.sub(lambda match: chr(int(match[1], 16)), text)
    if "&" in text:
        text = _ENTITY.sub(_named_sign, text)
    return text if text.isascii() else _STRANGE.sub(lambda match: _usual(match[0]), text)


def _unwrapped(text: str) -> str:
    """What base64 of a text says; '' for anything else."""
    try:
        said = b64decode(text.rstrip("=") + "==", b"-_" if "-" in text or "_" in text else None).decode()
    except ValueError:
        return ""
    return said if said.translate(_LINES).replace("\r", " ").isprintable() else ""


class Redactor:
    """Cleans texts. Pure but for its memory of repeated values; not shared between threads.

    `extra` are regular expressions of the user (`Config` has validated them).
    """

    def __init__(self, key: bytes, extra: Sequence[str] = ()) -> None:
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)
        padded = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
        self.pads = bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)
        """What the hash of a digest begins with inside and outside (RFC 2104), for who computes it elsewhere."""
        self._extra = [Pattern("private", "private", re.compile(pattern)) for pattern in extra]
        self._memo: dict[str, str] = {}

    def digest(self, value: str, size: int = 8) -> str:
        """The first `size` hexadecimal digits of the keyed hash of a value."""
        keyed = self._keyed.copy()
        keyed.update(value.encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()[:size]

    def text(self, value: str, most: int = MAX_CHARS) -> str:
        """`value` without control sequences, with everything sensitive replaced, and at most `most` characters of it."""
        known = self._memo.get(value)
        if known is not None and len(value) <= most:
            return known
        clean = self._text(value, most)
        if len(value) <= min(_MEMO_CHARS, most):
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            self._memo[value] = clean
        return clean

    def identifier(self, value: str) -> str:
        """As `text`, quicker for the hashes and UUIDs that most identifiers are."""
        if not self._extra and not value.isdigit() and _CLEAN_ID.fullmatch(value) and not value.count("-") % 4:
            return value
        return self.text(value)

    def json(self, value: str, most: int = MAX_CHARS) -> str:
        """JSON text with every string in it cleaned and at most `most` characters long, keys too, and whole values of keys that
        name a secret replaced."""
        short = len(value) <= most or not re.search(longer(most), value)
        if short and "\\" not in value and value.isprintable() and not self._extra and not self._hints(_said(value)):
            return value
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return json.dumps(self.text(value, most))
        cleaner = _JsonCleaner(self, most)
        return _JSON_PART.sub(cleaner.part, value)

    def named(self, name: str, value: str, most: int = MAX_CHARS) -> str:
        """The value of an attribute of that name, cleaned."""
        secret, address = (_known if len(name) <= _MEMO_CHARS else _asked_of)(name)
        if secret and not is_benign(value) and not _REPLACED.match(value):
            return self._replacement("secret", value)
        if address:
            value = IPV4.sub(lambda match: self._replacement("ip", match.group()), value)
            value = IPV6.sub(
                lambda match: self._replacement("ip", match.group()) if is_ipv6(match.group()) else match.group(), value
            )
        return self.text(value, most)

    def _replacement(self, kind: str, value: str) -> str:
        if kind in {"card", "iban", "phone"}:
            value = "".join(filter(str.isalnum, value))
        return f"[{kind}:{self.digest(value.casefold() if kind in {'email', 'iban'} else value)}]"

    def _hints(self, value: str) -> tuple[Group, ...]:
        lower = value.lower()
        words = _WORDS if value.isascii() else _ALL_WORDS
        found: list[Group] = []
        if _LONG_RUN.search(value) or "Q~" in value:
            found.append("shape")
        if any([word in lower for word in words]):  # noqa: C419  # a generator costs twice as much here
            found.append("secret")
        if "@" in value:
            found.append("address")
        if _NUMBER.search(value):
            found.append("number")
        return tuple(found)

    def _text(self, value: str, most: int = MAX_CHARS) -> str:
        read = most + 3 * MAX_CHARS  # what is replaced may shrink
        if len(value) > read or not (value.isprintable() or value.translate(_LINES).isprintable()):
            clean = plain(value[:read], read)
        else:
            clean = value
        for _ in range(_PASSES):
            before, clean = clean, self._replaced(clean)
            if clean == before:
                break
        if (len(clean) > most and not (len(clean) == most + _MARK and _CUT.search(clean))) or len(value) > read:
            clean = f"{clean[:most]}…[cut:{self.digest(value)}]"
        return clean

    def _replaced(self, text: str) -> str:
        said = _said(text)
        replaced = self._all(said)
        return text if replaced == said else replaced

    def _all(self, text: str) -> str:
        hints = self._hints(text)
        if not hints and not self._extra:
            return text
        if "number" in hints:
            text = self._ibans(text)
        lower = text.lower() if text.isascii() and "secret" in hints else ""
        missing = {cue for cue in CUES if lower and not cue.search(lower)}
        for pattern in PATTERNS:
            if pattern.group in hints and pattern.cue in text and pattern.needs not in missing:
                text = self._apply(pattern, text)
        for pattern in self._extra:
            text = self._apply(pattern, text)
        return _WRAPPED.sub(self._rewrapped, text) if "shape" in hints else text

    def _rewrapped(self, match: re.Match[str]) -> str:
        """Base64 of a text that holds something sensitive, replaced whole."""
        said = _unwrapped(match.group())
        return (
            self._replacement("secret", match.group())
            if said and self._all(_said(said)) != _said(said)
            else match.group()
        )

    def _apply(self, pattern: Pattern, text: str) -> str:
        group = "value" if "value" in pattern.find.groupindex else 0

        def replace(match: re.Match[str]) -> str:
            found, whole = match.group(group), match.group()
            if not found or (pattern.valid is not None and not pattern.valid(found)):
                return whole
            start, end = (place - match.start() for place in match.span(group))
            return whole[:start] + self._replacement(pattern.kind, found) + whole[end:]

        return pattern.find.sub(replace, text)

    def _ibans(self, text: str) -> str:
        done, at = [], 0
        for match in IBAN_START.finditer(text):
            if match.start() < at:
                continue
            length = iban_length(text[match.start() : match.start() + 42])
            if length:
                found = text[match.start() : match.start() + length]
                done += [text[at : match.start()], self._replacement("iban", found)]
                at = match.start() + length
        return "".join(done) + text[at:] if done else text


class _JsonCleaner:
    """Remembers the key that a value belongs to while the parts of one JSON text go by, or its name in `{"name": …, "value": …}`."""

    def __init__(self, redactor: Redactor, most: int) -> None:
        self._redactor = redactor
        self._most = most
        self._key = self._name = ""

    def part(self, match: re.Match[str]) -> str:
        """A string or a number of the JSON text, cleaned."""
        inside, colon = match.group(1), match.group(2)
        if inside is None:
            return self._number(match.group())
        before = json.loads(f'"{inside}"', strict=False) if "\\" in inside else inside
        if colon is not None:
            self._key = before
            after = self._redactor.text(before, self._most)
        else:
            if self._key in {"name", "key"}:
                self._name = before
            key = self._name if self._name and self._key in {"value", "stringValue"} else self._key
            after = self._redactor.named(key, before, self._most)
        if after == before:
            return match.group()
        return json.dumps(after, ensure_ascii=False) + (colon or "")

    def _number(self, number: str) -> str:
        """Most numbers are counts, those of tokens, too: cards and passwords are none."""
        if is_card(number):
            return json.dumps(self._redactor.text(number))
        return json.dumps(self._redactor.named(self._key, number)) if PASSWORD_NAME.search(self._key) else number
