"""Spans of time people name: `28d`, `90d`, `2026-Q3`, `FROM..TO`; and the one before. All half-open, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from aether_tui.errors import ConfigurationError
from aether_tui.report_model import Window

DEFAULT = "28d"
_DAYS = re.compile(r"(\d{1,4})d")
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.I)
_NEXT_STEP = "use 28d, 2026-Q3 or 2026-07-01..2026-09-30"


def parse(text: str, now: datetime, fiscal_start_month: int = 1) -> Window:
    """The window `text` names, cut at `now`.

    `Nd` is the N whole days before today and today so far. A fiscal year bears the number of the calendar year it ends
    in. In `FROM..TO` a TO without a time includes that day. Raises ConfigurationError for anything else, for an empty
    window and for one in the future.
    """
    label = text.strip()
    if match := _DAYS.fullmatch(label):
        start, end = _midnight(now) - timedelta(days=int(match[1])), now
    elif match := _QUARTER.fullmatch(label):
        start, end = _quarter(int(match[1]), int(match[2]), fiscal_start_month)
    elif ".." in label:
        start_text, _, end_text = label.partition("..")
        start, end = _instant(start_text), _instant(end_text)
        if "T" not in end_text and " " not in end_text.strip():
            end += timedelta(days=1)
    else:
        raise ConfigurationError(f"{text!r} is not a window", where="--window", next_step=_NEXT_STEP)
    end = min(end, now)
    if start >= end:
        raise ConfigurationError(
            f"the window {text!r} is empty or lies in the future", where="--window", next_step=_NEXT_STEP
        )
    return Window(start=start, end=end, label=label)


def previous(window: Window, compare: str = "previous", fiscal_start_month: int = 1) -> Window:
    """What a window is compared with: the quarter before a quarter, else as many days before it; or, with a date, a window
    as long that ends on it. Raises ConfigurationError when `compare` is neither."""
    named = _DAYS.fullmatch(window.label)
    if compare != "previous":
        end = _instant(compare, "--compare", "use previous or a date such as 2026-08-31")
        start = end - timedelta(days=int(named[1])) if named else _midnight(end - (window.end - window.start))
        return Window(start=start, end=end, label=f"to {compare}")
    if match := _QUARTER.fullmatch(window.label):
        year, quarter = int(match[1]), int(match[2])
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
        start, end = _quarter(year, quarter, fiscal_start_month)
        return Window(start=start, end=end, label=f"{year}-Q{quarter}")
    length = timedelta(days=int(named[1])) if named else window.end - window.start
    return Window(start=window.start - length, end=window.start, label="previous")


def not_later(before: Window, window: Window) -> Window:
    """What a window is compared with; raises ConfigurationError where it ends after the window itself."""
    if before.end > window.end:
        raise ConfigurationError(
            f"{before.label.removeprefix('to ')} ends after the window {window.label}",
            where="--compare",
            next_step="compare with an earlier date or with previous",
        )
    return before


def called(before: Window) -> str:
    """What a sentence calls the window that is compared with."""
    kind, _, name = before.label.partition(" ")
    return {"to": f"the window to {name}", "review": f"the window of review {name}"}.get(kind, "the window before")


def quarter_of(day: date, fiscal_start_month: int = 1) -> str:
    """The fiscal quarter a day is in, as `2026-Q4`; the year is the one it ends in."""
    months = day.year * 12 + day.month - fiscal_start_month
    return f"{months // 12 + (fiscal_start_month > 1)}-Q{months % 12 // 3 + 1}"


def days(window: Window) -> float:
    """Its length in days."""
    return (window.end - window.start) / timedelta(days=1)


def _midnight(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _instant(text: str, where: str = "--window", next_step: str = _NEXT_STEP) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigurationError(f"{text.strip()!r} is not a date", where=where, next_step=next_step) from error
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def _quarter(year: int, quarter: int, first_month: int) -> tuple[datetime, datetime]:
    first_year = year if first_month == 1 else year - 1
    ends = [first_year * 12 + first_month - 1 + 3 * (quarter - 1 + step) for step in (0, 1)]
    start, end = (datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC) for months in ends)
    return start, end
