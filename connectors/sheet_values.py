"""Dates and numbers as people write them: how a column is meant is decided by all of its cells, or refused; never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

_PARTS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_SERIAL = re.compile(r"[2-6]\d{4}([.,]\d+)?")
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # instants in rows are naive UTC
_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{4})")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?")


class Undecided(ValueError):
    """Every cell of a column can be read in two ways."""


def day_first(cells: Iterable[str]) -> bool | None:
    """Whether dates such as 03/04/2026 begin with the day; None where no cell is of that kind. Raises Undecided, ValueError."""
    found = [match for cell in cells if (match := _PARTS.fullmatch(cell.strip())) and match[2] != "."]
    days = any(int(match[1]) > 12 for match in found)
    months = any(int(match[3]) > 12 for match in found)
    if days and months:
        raise ValueError("some dates begin with the day, some with the month")
    if found and not days and not months:
        raise Undecided(f"{found[0][0]} could be day or month first")
    return days if found else None


def is_serial(cell: str) -> bool:
    """Whether a date is written as Excel keeps it: days since 1899-12-30, of the years 1954 to 2091."""
    return _SERIAL.fullmatch(cell.strip()) is not None


def is_month(cell: str) -> bool:
    """Whether a date is a whole month: 2026-10 or 10/2026."""
    return _MONTH.fullmatch(cell.strip()) is not None


def instant_of(cell: str, first_day: bool | None) -> datetime:
    """A date or instant as naive UTC; one without a zone is UTC. Raises ValueError."""
    text = cell.strip()
    if is_serial(text):
        seconds = round(float(text.replace(",", ".")) * 86_400)
        return _DAY_ZERO + timedelta(seconds=seconds)
    if match := _PARTS.fullmatch(text):
        one, two = int(match[1]), int(match[3])
        # With dots it is day first everywhere.
        day, month = (one, two) if match[2] == "." or first_day else (two, one)
        year, clock = int(match[4]), match.groups()[4:]
    elif match := _YEAR_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in match.groups()[:3])
        clock = match.groups()[3:]
    elif match := _MONTH.fullmatch(text):
        year, month, day, clock = int(match[1] or match[4]), int(match[2] or match[3]), 1, (None,) * 3
    else:
        try:
            read = datetime.fromisoformat(text.removesuffix(" UTC"))
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no date; dates look like 2026-11-21 or 21.11.2026") from None
        return read if read.tzinfo is None else read.astimezone(UTC).replace(tzinfo=None)
    hour, minute, second = (int(part or 0) for part in clock)
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # instants in rows are naive UTC
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no date: {error}") from None


def decimal_comma(cells: Iterable[str]) -> bool:
    """Whether the comma is the decimal sign of a column. Raises Undecided, ValueError."""
    commas = points = False
    doubtful = ""
    for cell in cells:
        text = _bare(cell)
        comma, point = text.rfind(","), text.rfind(".")
        if comma >= 0 and point >= 0:
            commas, points = commas or comma > point, points or point > comma
        elif (comma >= 0 or point >= 0) and text.count(sign := "," if comma >= 0 else ".") == 1:
            if re.fullmatch(r"[+-]?[1-9]\d{0,2}[,.]\d{3}", text):
                doubtful = doubtful or cell.strip()
            else:
                commas, points = commas or sign == ",", points or sign == "."
        elif comma >= 0 or point >= 0:  # several of one kind separate thousands
            commas, points = commas or point >= 0, points or comma >= 0
    if commas and points:
        raise ValueError("some numbers have a decimal comma, some a decimal point")
    if doubtful and not commas and not points:
        raise Undecided(f"{doubtful} could be about a thousand or about one")
    return commas


def number_of(cell: str, comma: bool) -> Decimal:
    """A number with thousands marks, currency signs or brackets for a negative one. Raises ValueError."""
    text = _bare(cell)
    plain = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    try:
        if not _NUMBER.fullmatch(text):
            raise InvalidOperation
        return Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"{cell.strip()[:40]!r} is no number") from None


def _bare(cell: str) -> str:
    """Digits and signs: without spaces, currency signs and codes; brackets are a minus."""
    text = re.sub(r"[\s\u00a0\u202f'’_]", "", cell)
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    return re.sub(r"^([+-]?)(?:[A-Z]{3}|[€$£¥])|(?:[A-Z]{3}|[€$£¥])$", r"\1", text.replace("−", "-"))
