"""Numbers as people read them. Stored units are seconds, ratios and full precision; here they get their shown unit."""

from __future__ import annotations

import math
import re
from datetime import datetime

from aether_tui.report_model import Quantity

NONE = "—"


def duration(seconds: float, beside: float = 0.0) -> str:
    """`41 µs`, `3.2 ms`, `0.35 s`, `41 s`, `11.2 min`, `3.1 h`, `2.4 d`; in the unit of what it stands `beside`, if that is longer."""
    size = max(abs(seconds), abs(beside))
    if 0 < size < 0.01:
        return f"{_tenths(seconds * 1e3)} ms" if size >= 0.001 else f"{_tenths(seconds * 1e6)} µs"
    if size < 1:
        return f"{seconds:.2f} s"
    if size < 10:
        return f"{seconds:.1f} s"
    if size < 120:
        return f"{seconds:.0f} s"
    for limit, unit_s, unit in ((5400, 60, "min"), (2 * 86400, 3600, "h")):
        if size < limit:
            return f"{_tenths(seconds / unit_s)} {unit}"
    return f"{_tenths(seconds / 86400)} d"


def _tenths(value: float) -> str:
    """`11.2`, and `15` rather than `15.0`."""
    return f"{value:.1f}".removesuffix(".0")


def number(value: float) -> str:
    """Up to four significant figures, thousands separated by commas: `1,640`, `62`, `0.131`, `1.2 M`."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:,.1f} M"
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}".rstrip("0").rstrip(".")
    if size >= 1:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return _figures(value, 3)


def _figures(value: float, count: int) -> str:
    """A number between -1 and 1 with so many significant figures and no exponent: `0.000093`."""
    places = count - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{places}f}".rstrip("0").rstrip(".")


def money(value: float, currency: str | None) -> str:
    """`1,640 USD`, `0.131 USD`, `12.50 USD`."""
    size = abs(value)
    text = f"{value:,.0f}" if size >= 100 else f"{value:,.2f}" if size >= 1 or size == 0 else _figures(value, 3)
    return f"{text} {currency or 'USD'}"


def amount(value: float, unit: str, currency: str | None = None) -> str:
    """A value with its unit, as shown."""
    value += 0.0  # there is no minus nothing
    if unit == "s":
        return duration(value)
    if unit == "s/turn":
        return f"{duration(value)}/turn"
    if unit == "ratio":
        share = 100 * value
        if abs(share) >= 10 or share == int(share):
            return f"{share:.0f} %"
        return f"{share:.1f} %" if abs(share) >= 1 else f"{_figures(share, 2)} %"
    if unit.startswith(("USD", "money")):
        per = unit.partition("/")[2]
        return money(value, currency) + (f"/{per}" if per else "")
    if unit == "per_day":
        return f"{number(value)}/day"
    if unit == "per_week":
        return f"{number(value)}/week"
    if unit == "days":
        return f"{number(value)} d"
    return number(value) + (f" {unit}" if unit not in {"", "score", "count"} else "")


def quantity(item: Quantity) -> str:
    """The value as shown, or `—`."""
    if item.value is None:
        return NONE
    return _signed(amount(item.value, item.unit, item.currency))


def evidence(item: Quantity) -> str:
    """`[15 %–36 %] n 62`, or the reason why there is no number."""
    if item.value is None:
        return item.reason or ""
    parts = []
    if item.low is not None and item.high is not None:
        low, high = (_signed(amount(end, item.unit, item.currency)) for end in (item.low, item.high))
        parts.append(f"[{low} to {high}]" if item.low < 0 else f"[{low}–{high}]")
    if item.n is not None:
        parts.append(f"n {item.n:,}")
    if item.stated:
        parts.append("stated")
    return " ".join(parts)


def _signed(text: str) -> str:
    """With a minus sign instead of a hyphen."""
    return f"−{text[1:]}" if text.startswith("-") else text


def age(seconds: float | None) -> str:
    """`14 m`, `3 h`, `9 d`, `never`."""
    if seconds is None:
        return "never"
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} m"
    if seconds < 172_800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"


_UNITS = {"_h": " (hours)", "_s": " (seconds)", "_usd": " (USD)"}


def key_words(key: str) -> str:
    """A key of a document in words: `anti_patterns` → `anti patterns`, `traces[].cause` → `traces, cause`."""
    for ending, unit in _UNITS.items():
        if key.endswith(ending):
            key = key.removesuffix(ending) + unit
    return (
        re.sub(r"\[(\d*)\]", lambda found: f" {int(found[1]) + 1}" if found[1] else "", key)
        .replace(".", ", ")
        .replace("_", " ")
    )


_ALOUD = {"d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds"}
_LENGTH = re.compile(rf"(?<=\d) ({'|'.join(_ALOUD)})(?![\w ])")
_PER = re.compile(r"/([a-z]+)$")


def spoken(shown: str) -> str:
    """An amount as it is read aloud: `12.9 days`, `1 hour`, `0.135 USD a task`."""
    one = shown.startswith("1 ")
    words = _LENGTH.sub(lambda unit: f" {_ALOUD[unit[1]].removesuffix('s') if one else _ALOUD[unit[1]]}", shown)
    return _PER.sub(r" a \1", words)


def day(instant: datetime) -> str:
    """`2026-11-21`."""
    return instant.strftime("%Y-%m-%d")


def plural(n: int, one: str, many: str = "") -> str:
    """`1 row`, `3 rows`, `2 entries`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
