"""Numbers as people read them. Stored units are seconds, ratios and full precision; here they get their shown unit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from aether_tui.report_model import Quantity, Row, Table

NONE = "—"


class Beside(NamedTuple):
    """What a number of a column is read beside: the largest one, and the decimals that all of them are shown with."""

    most: float
    places: int


def duration(seconds: float, beside: float = 0.0) -> str:
    """`41 µs`, `3.2 ms`, `0.35 s`, `41 s`, `11.2 min`, `3.1 h`, `2.4 d`; in the unit of what it stands `beside`, if that is longer."""
    unit_s, unit, places = _clock(max(abs(seconds), abs(beside)))
    shown = f"{seconds / unit_s:.{places}f}"
    return f"{shown if unit == 's' else shown.removesuffix('.0')} {unit}"


def _clock(size: float) -> tuple[float, str, int]:
    """The unit of a duration in seconds and its word, and decimals."""
    if 0 < size < 0.01:
        return (1e-3, "ms", 1) if size >= 0.001 else (1e-6, "µs", 1)
    if size < 120:
        return 1.0, "s", 2 if size < 1 else 1 if size < 10 else 0
    return (60.0, "min", 1) if size < 5400 else (3600.0, "h", 1) if size < 2 * 86400 else (86400.0, "d", 1)


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


def amount(value: float, unit: str, currency: str | None = None, beside: Beside | None = None) -> str:
    """A value with its unit, as shown; in a column with the decimals and, where it is half of it or more, in the unit of the others."""
    value += 0.0  # there is no minus nothing
    if beside is not None:
        return _aligned(value, unit, currency, beside)
    if unit == "s":
        return duration(value)
    if unit == "s/turn":
        return f"{duration(value)}/turn"
    if unit == "ratio":
        share = 100 * value
        if abs(share) >= 10 or share == int(share):
            return f"{share:,.0f} %"
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


def _aligned(value: float, unit: str, currency: str | None, beside: Beside) -> str:
    """With the decimals of its column, unless nothing would be left of it."""
    shown, end = value, amount(value, unit, currency).lstrip("-0123456789,.")
    if end.startswith(" M/"):
        return amount(value, unit, currency)
    if unit == "ratio":
        shown = 100 * value
    elif unit in _TIMES:
        near = _clock(beside.most)[0] / (2 if beside.places else 1)  # 0.8 d is as well read as 18 h, and compares
        unit_s, word, _ = _clock(beside.most if not value or abs(value) >= near else abs(value))
        shown, end = value / unit_s, f" {word}{unit[1:]}"
    if shown and abs(shown) < 0.5 * 10**-beside.places:
        return amount(value, unit, currency)
    return f"{shown:,.{beside.places}f}{end}"


_TIMES = ("s", "s/turn")
_ALIGNED = (*_TIMES, "ratio", "per_day", "per_week")
_DECIMALS = re.compile(r"\.(\d+)")


def column(cells: Iterable[object], unit: str = "") -> Mapping[str, Beside]:
    """What the times, shares, amounts of money or rates of one column are read beside; nothing where it mixes units. Bare numbers
    are of the `unit` of the column."""
    found: dict[str, list[float]] = {}
    for cell in cells:
        value, of = (cell.value, cell.unit) if isinstance(cell, Quantity) else (cell, unit)
        if isinstance(value, int | float):
            found.setdefault(of, []).append(value)
    if len(found) != 1:
        return {}
    ((of, values),) = found.items()
    aligns = len(values) > 1 and (of in _ALIGNED or of.startswith(("USD", "money")))
    return {of: _read_beside(values, of)} if aligns else {}


def columns(table: Table) -> list[Mapping[str, Beside]]:
    """As `column`, for each column of numbers; times stand beside those of all columns, so that a row is in one unit."""
    numbers = [at for at, one in enumerate(table.columns) if one.kind == "number"]
    cells = [[row.cells[at] for row in table.rows if at < len(row.cells)] for at in range(len(table.columns))]
    units = [{cell.unit for cell in each if isinstance(cell, Quantity) and cell.value is not None} for each in cells]
    times = column(cell for at in numbers if units[at] == {"s"} for cell in cells[at])
    return [
        {} if at not in numbers else times if units[at] == {"s"} else column(cells[at], one.unit)
        for at, one in enumerate(table.columns)
    ]


def rows(table: Table) -> Callable[[Row], list[Mapping[str, Beside]]]:
    """For each row what its cells are read beside: those of `columns`, and in columns that mix units the times of the row each other."""
    found = columns(table)
    mixed = [at for at, one in enumerate(table.columns) if one.kind == "number" and not found[at]]

    def beside(row: Row) -> list[Mapping[str, Beside]]:
        cells = [row.cells[at] for at in mixed if at < len(row.cells)]
        times = column(cell for cell in cells if isinstance(cell, Quantity) and cell.unit == "s")
        return [times if at in mixed else one for at, one in enumerate(found)] if times else found

    return beside


def _read_beside(values: list[float], unit: str) -> Beside:
    most = max(map(abs, values))
    if unit in _TIMES:
        unit_s = _clock(most)[0]
        texts = [duration(value, 0.0 if unit_s == 1 else most) for value in values if abs(value) >= unit_s or most < 10]
        limit = 2 if most < 10 else 1
    else:
        texts = [amount(value, unit) for value in values]
        limit = 1 if unit == "ratio" else 0 if most >= 10_000 else 2 if most >= 1 else 4
    decimals = (len(tail[1]) if (tail := _DECIMALS.search(text)) else 0 for text in texts)
    return Beside(most, min(limit, max(decimals, default=0)))


def quantity(item: Quantity, beside: Mapping[str, Beside] | None = None) -> str:
    """The value as shown, told from its bound, or `—`."""
    if item.value is None:
        return NONE
    shown = amount(item.value, item.unit, item.currency, (beside or {}).get(item.unit))
    if item.bound is not None:
        told = apart(item.value, item.bound, item.unit, item.currency)
        shown = shown if told == amount(item.value, item.unit, item.currency) else told
    return signed(shown)


def against(item: Quantity, bound: float) -> str:
    """A quantity as shown, told from a bound: `94.6 %` where 95 % are needed."""
    return quantity(msgspec.structs.replace(item, bound=bound))


def apart(value: float, bound: float, unit: str, currency: str | None = None) -> str:
    """An amount as shown, with the decimals that tell it from a bound beside it: `500.42 USD` of 500 USD, `2.01 min` of 2 min."""
    shown = amount(value, unit, currency)
    per = 100.0 if unit == "ratio" else 1.0
    if unit in _TIMES:
        unit_s, word, _ = _clock(max(abs(value), abs(bound)))
        per, end = 1 / unit_s, f" {word}{unit[1:]}"
    else:
        per, end = (1e-6 if " M" in shown else per), shown.lstrip("-0123456789,.")
    own = len(tail[1]) if (tail := _DECIMALS.search(shown)) else 0
    places = next((at for at in range(own, 10) if round(value * per, at) != round(bound * per, at)), own)
    if places == own:
        return shown
    return f"{value * per:,.{max(places, 2) if unit.startswith(('USD', 'money')) else places}f}{end}"


def evidence(item: Quantity) -> str:
    """`[15 %–36 %] n 62`, or the reason why there is no number."""
    if item.value is None:
        return item.reason or ""
    parts = []
    if item.low is not None and item.high is not None:
        ends = column((item.low, item.high), item.unit) if item.unit in _TIMES else {}
        low, high = (
            signed(amount(end, item.unit, item.currency, ends.get(item.unit))) for end in (item.low, item.high)
        )
        parts.append(f"[{low} to {high}]" if item.low < 0 else f"[{low}–{high}]")
    if item.n is not None:
        parts.append(f"n {item.n:,}")
    if item.stated:
        parts.append("stated")
    return " ".join(parts)


def signed(text: str) -> str:
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
