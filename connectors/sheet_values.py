"""Dates and numbers as people write them: how a column is meant is decided by all of its cells, or refused; never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from aether_tui.records.model import MOST_MONEY

_CLOCK = r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:\s?([AaPp])\.?[Mm]\.?)?)?"
_ZONE = r"(?:\s?(?:GMT|UTC|Z)?([+-]\d{2}:?\d{2})?(?:\s\([^()]{1,60}\))?)?"
_DAY_NAME = r"(?:[^\W\d_]{2,10}\.?,?\s)?"
_PARTS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})" + _CLOCK)
_YEAR_FIRST = re.compile(r"(\d{4})([./-])(\d{1,2})\2(\d{1,2})" + _CLOCK + _ZONE)
# 03/Oct/26 9:15 AM as Jira exports it, 3. Oktober 2026, Sat, 03 Oct 2026 09:15:00 GMT
_NAMED_DAY = re.compile(_DAY_NAME + r"(\d{1,2})\.?[\s/-]([^\W\d_]{3,10})\.?[\s/,-]\s?(\d{4}|\d{2})" + _CLOCK + _ZONE)
# October 3, 2026 9:15 AM, Sat Oct 03 2026 09:15:00 GMT+0200 (Central European Summer Time) as Linear exports it
_NAMED_MONTH = re.compile(_DAY_NAME + r"([^\W\d_]{3,10})\.?\s(\d{1,2})(?:st|nd|rd|th)?,?\s(\d{4})" + _CLOCK + _ZONE)
_NAMES = (
    "jan ene gen", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai mag", "jun juin giu", "jul juil lug", "aug aoû ago",
    "sep set", "oct okt ott", "nov", "dec dez déc dic",
)  # fmt: skip
"""How months begin in English, German, French, Spanish, Portuguese and Italian."""
_NAMED_WHOLE = re.compile(r"([^\W\d_]{3,10})\.?[\s-](\d{4})")
_EPOCH = re.compile(r"1\d{9}(?:\d{3}){0,3}")
_SERIAL = re.compile(r"[2-6]\d{4}([.,]\d+)?")
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # instants in rows are naive UTC
_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{4})")
_ZONED = re.compile(r"(Z|UTC|GMT|[+-]\d{2}:?\d{2})(\s\([^()]*\))?$")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?")
_THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2}[,.]\d{3}")


class Number(str):
    """A number of a JSON document as it was written there: its decimal sign is a point."""

    __slots__ = ()


class Undecided(ValueError):
    """Every cell of a column can be read in two ways."""


class Dates:
    """How the dates of a column are meant, decided by all of its cells, which are added one by one and not kept."""

    def __init__(self) -> None:
        self.serials = False
        """Whether some are numbers of Excel."""
        self.zoneless = False
        """Whether some have a time and no zone."""
        self._days = self._months = False
        self._first = ""

    def add(self, cell: str) -> None:
        """Take a cell that is not empty into account."""
        text = cell.strip()
        if (match := _PARTS.fullmatch(text)) and match[2] != ".":
            self._first = self._first or text
            self._days = self._days or int(match[1]) > 12
            self._months = self._months or int(match[3]) > 12
        self.serials = self.serials or is_serial(text)
        self.zoneless = self.zoneless or (":" in text and not _ZONED.search(text))

    def day_first(self) -> bool | None:
        """Whether dates such as 03/04/2026 begin with the day; None where no cell is of that kind. Raises Undecided, ValueError."""
        if self._days and self._months:
            raise ValueError("some dates begin with the day, some with the month")
        if self._first and not self._days and not self._months:
            raise Undecided(f"{self._first} could be day or month first")
        return self._days if self._first else None


def is_serial(cell: str) -> bool:
    """Whether a date is written as Excel keeps it: days since 1899-12-30, of the years 1954 to 2091."""
    return _SERIAL.fullmatch(cell.strip()) is not None


def is_month(cell: str) -> bool:
    """Whether a date is a whole month: 2026-10, 10/2026 or October 2026."""
    return (_MONTH.fullmatch(cell.strip()) or _NAMED_WHOLE.fullmatch(cell.strip())) is not None


def instant_of(cell: str, first_day: bool | None) -> datetime:
    """A date or instant as naive UTC; one without a zone is UTC. Raises ValueError."""
    text, zone = cell.strip(), None
    if is_serial(text):
        seconds = round(float(text.replace(",", ".")) * 86_400)
        return _DAY_ZERO + timedelta(seconds=seconds)
    if match := _PARTS.fullmatch(text):
        one, two = int(match[1]), int(match[3])
        # With dots it is day first everywhere.
        day, month = (one, two) if match[2] == "." or first_day else (two, one)
        year, clock = _year(match[4]), match.groups()[4:8]
    elif (match := _YEAR_FIRST.fullmatch(text)) and _iso(text) is None:
        year, month, day = int(match[1]), int(match[3]), int(match[4])
        clock, zone = match.groups()[4:8], match[9]
    elif match := _NAMED_DAY.fullmatch(text) or _NAMED_MONTH.fullmatch(text):
        number, name = (match[1], match[2]) if match[1].isdigit() else (match[2], match[1])
        day, month = int(number), _named(name)
        year, clock, zone = _year(match[3]), match.groups()[3:7], match[8]
    elif match := _MONTH.fullmatch(text):
        year, month, day, clock = int(match[1] or match[4]), int(match[2] or match[3]), 1, (None,) * 4
    elif match := _NAMED_WHOLE.fullmatch(text):
        year, month, day, clock = int(match[2]), _named(match[1]), 1, (None,) * 4
    elif _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 10 ** (len(text) - 10), UTC).replace(tzinfo=None)
    else:
        if (iso := _iso(text)) is None:
            raise ValueError(f"{text[:40]!r} is no date; dates look like 2026-11-21 or 21.11.2026")
        return iso if iso.tzinfo is None else iso.astimezone(UTC).replace(tzinfo=None)
    hour, minute, second = (int(part or 0) for part in clock[:3])
    if clock[3]:
        hour = hour % 12 + 12 * (clock[3] in "Pp")
    try:
        read = datetime(year, month, day, hour, minute, second, tzinfo=datetime.strptime(zone or "+0000", "%z").tzinfo)
        return read.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r} is no date: {error}") from None


def _iso(text: str) -> datetime | None:
    """An instant of ISO 8601."""
    try:
        return datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        return None


def _year(digits: str) -> int:
    """A year; of two digits one of 1970 to 2069."""
    year = int(digits)
    return year if len(digits) == 4 else year + (2000 if year < 70 else 1900)


def _named(word: str) -> int:
    """The number of a month; 0 for a word that is none."""
    folded = word.casefold()
    return next((n for n, begins in enumerate(_NAMES, 1) if folded.startswith(tuple(begins.split()))), 0)


class Numbers:
    """How the numbers of a column are meant, decided as for `Dates`."""

    def __init__(self) -> None:
        self._commas = self._points = False
        self._doubtful = ""

    def add(self, cell: str) -> None:
        """Take a cell that is not empty into account."""
        if isinstance(cell, Number):
            self._points = self._points or "." in cell
            return
        text = _bare(cell)
        comma, point = text.rfind(","), text.rfind(".")
        if comma < 0 and point < 0:
            return
        if comma >= 0 and point >= 0:
            is_comma = comma > point
        elif text.count("," if comma >= 0 else ".") > 1:  # several of one kind separate thousands
            is_comma = point >= 0
        elif _THOUSAND.fullmatch(text):
            self._doubtful = self._doubtful or cell.strip()
            return
        else:
            is_comma = comma >= 0
        self._commas, self._points = self._commas or is_comma, self._points or not is_comma

    def comma(self) -> bool:
        """Whether the comma is the decimal sign. Raises Undecided, ValueError."""
        if self._commas and self._points:
            raise ValueError("some numbers have a decimal comma, some a decimal point")
        if self._doubtful and not self._commas and not self._points:
            raise Undecided(f"{self._doubtful} could be about a thousand or about one")
        return self._commas


def number_of(cell: str, comma: bool) -> Decimal:
    """A number with thousands marks, currency signs or brackets for a negative one. Raises ValueError."""
    text = _bare(cell)
    plain = text.replace(".", "").replace(",", ".") if comma and not isinstance(cell, Number) else text.replace(",", "")
    try:
        if not _NUMBER.fullmatch(text):
            raise InvalidOperation
        number = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"{cell.strip()[:40]!r} is no number") from None
    if abs(number) > MOST_MONEY:
        raise ValueError(f"{cell.strip()[:40]!r} is larger than any amount can be")
    return number


def _bare(cell: str) -> str:
    """Digits and signs: without spaces, currency signs and codes; brackets are a minus."""
    text = re.sub(r"[\s\u00a0\u202f'’_]", "", cell)
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    return re.sub(r"^([+-]?)(?:[A-Z]{3}|[€$£¥])|(?:[A-Z]{3}|[€$£¥])$", r"\1", text.replace("−", "-"))
