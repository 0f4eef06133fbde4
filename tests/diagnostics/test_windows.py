"""Windows by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.windows import called, days, parse, previous
from aether_tui.errors import ConfigurationError

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "fiscal", "start", "end"),
    [
        ("28d", 1, "2026-10-24", "2026-11-21T14:30"),
        ("1d", 1, "2026-11-20", "2026-11-21T14:30"),
        ("2026-Q3", 1, "2026-07-01", "2026-10-01"),
        ("2026-Q4", 1, "2026-10-01", "2026-11-21T14:30"),  # cut at now
        ("2026-Q1", 10, "2025-10-01", "2026-01-01"),  # fiscal 2026 began in October 2025
        ("2026Q4", 4, "2026-01-01", "2026-04-01"),
        ("2026-07-01..2026-09-30", 1, "2026-07-01", "2026-10-01"),  # the last day is included
        ("2026-07-01T06:00..2026-07-01T18:00", 1, "2026-07-01T06:00", "2026-07-01T18:00"),
        ("2026-07-01T02:00+02:00..2026-07-02", 1, "2026-07-01", "2026-07-03"),
    ],
)
def test_parse(text: str, fiscal: int, start: str, end: str) -> None:
    window = parse(text, NOW, fiscal)
    assert (window.start, window.end) == (day(start), day(end))


@pytest.mark.parametrize(
    "text", ["", "28", "28 days", "2026-Q5", "yesterday..today", "2026-09-01..2026-08-01", "2027-Q1", "..", "0d..1d"]
)
def test_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, NOW)
    assert caught.value.exit_code == 2
    assert "--window" in caught.value.sentence()


@pytest.mark.parametrize(
    ("text", "compare", "fiscal", "start", "end"),
    [
        ("28d", "previous", 1, "2026-09-26", "2026-10-24"),
        ("2026-Q3", "previous", 1, "2026-04-01", "2026-07-01"),
        ("2026-Q1", "previous", 10, "2025-07-01", "2025-10-01"),
        ("2026-07-01..2026-07-10", "previous", 1, "2026-06-21", "2026-07-01"),
        ("2026-07-01..2026-07-10", "2026-05-01", 1, "2026-04-21", "2026-05-01"),
        ("28d", "2026-08-31", 1, "2026-08-03", "2026-08-31"),  # 28 days, though today so far comes to the window
    ],
)
def test_previous(text: str, compare: str, fiscal: int, start: str, end: str) -> None:
    before = previous(parse(text, NOW, fiscal), compare, fiscal)
    assert (before.start, before.end) == (day(start), day(end))


def test_compare_refuses_what_is_no_date() -> None:
    with pytest.raises(ConfigurationError, match="not a date"):
        previous(parse("28d", NOW), "last year")


@pytest.mark.parametrize("compare", ["2026-10-02", "2031-01-01"])
def test_what_is_compared_with_does_not_end_after_the_window(compare: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{compare} ends after the window 2026-Q3"):
        Clock.of(NOW, "2026-Q3", compare)
    marked = Clock.of(NOW, "2026-Q3", "2026-05-31").previous
    assert (called(marked), called(Clock.of(NOW).previous)) == ("the window to 2026-05-31", "the window before")
    assert Clock.of(NOW, "2026-Q3", "2026-10-01").previous.end == Clock.of(NOW, "2026-Q3").window.end


def test_days() -> None:
    assert days(parse("2026-07-01..2026-07-10", NOW)) == 10
