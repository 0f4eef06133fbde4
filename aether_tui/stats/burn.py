"""Burn: how many times faster than its budget something is spent, against the hours of the week in which it usually is.

Two windows must agree before anybody is told (Google SRE Workbook, ch. 5, multiwindow multi-burn-rate alerts): the long one
says that it matters, the short one that it still goes on. The SRE set (14.4× over 1 h, 6× over 6 h, 1× over 72 h, a flat
budget) was made for errors. Spend has busy hours, and a healthy month uses the whole budget, so it alarms in nearly every
normal month; `RULES` and a weekly profile do not.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from aether_tui.stats.sound import sound

Alarm = Literal["page", "warn", "ticket"]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PROFILE_WEEKS = 8
LEAST_DAYS = 14
"""With less history the profile is flat."""
KEPT_OUT = timedelta(days=3)
"""The newest days are judged, so they do not shape the profile they are judged by."""
FLOOR = 0.1
"""Part of the profile that is spread evenly: an hour without spend in the past is no infinite burn today."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Tell as `alarm` when both windows burn at `rate` times the budget or more."""

    alarm: Alarm
    rate: float
    long_h: int
    short_h: int


RULES = (Rule("page", 6.0, 6, 1), Rule("warn", 3.0, 24, 2), Rule("ticket", 1.5, 72, 6))
"""Most urgent first."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Usual spend of a day by weekday (Monday first), and the share of each hour in it on workdays and at weekends.

    `days` is the history behind it; 0 means flat, because there was too little.
    """

    weekdays: tuple[float, ...]
    hours: tuple[tuple[float, ...], tuple[float, ...]]
    days: int

    def weight(self, hour: datetime) -> float:
        """Relative spend expected in the hour that begins here."""
        weekday = hour.weekday()
        return self.weekdays[weekday] * self.hours[weekday > 4][hour.hour]

    def between(self, start: datetime, end: datetime) -> float:
        """Relative spend expected from one whole hour to another."""
        days = max(0, (end - start) // DAY)
        rest = start + days * DAY
        whole = sum(
            self.weekdays[(start + place * DAY).weekday()]
            if not start.hour
            else sum(self.weight(start + place * DAY + hour * HOUR) for hour in range(24))
            for place in range(days)
        )
        return whole + sum(self.weight(rest + place * HOUR) for place in range(round((end - rest) / HOUR)))


FLAT = Profile((1.0,) * 7, ((1 / 24,) * 24,) * 2, 0)


def profile(spend: Mapping[datetime, float], until: datetime, first: datetime | None = None) -> Profile:
    """The usual week in the 8 weeks before the newest three days. Keys are whole hours, or midnights of daily series.

    Hours without an entry spent nothing; `first` is when the record begins (else the first entry).
    """
    last = until.replace(hour=0, minute=0, second=0, microsecond=0) - KEPT_OUT
    known = [at for at in spend if at < last]
    if not known:
        return FLAT
    begin = max(
        (first or min(known)).replace(hour=0, minute=0, second=0, microsecond=0), last - 7 * PROFILE_WEEKS * DAY
    )
    days = (last - begin) // DAY
    if days < LEAST_DAYS:
        return FLAT
    by_day = [[0.0] * 24 for _ in range(days)]
    for at, value in spend.items():
        if begin <= at < last:
            by_day[(at - begin) // DAY][at.hour] += max(value, 0.0)
    weekdays = _shares([[sum(hours) for hours in by_day[(weekday - begin.weekday()) % 7 :: 7]] for weekday in range(7)])
    if weekdays is None:
        return FLAT
    groups: tuple[list[list[float]], list[list[float]]] = ([], [])
    for place, hours in enumerate(by_day):
        if total := sum(hours):
            groups[(begin.weekday() + place) % 7 > 4].append([hour / total for hour in hours])
    flat = (1 / 24,) * 24
    work, rest = (
        tuple(found) if group and (found := _shares([list(column) for column in zip(*group, strict=True)])) else flat
        for group in groups
    )
    return Profile(tuple(7 * share for share in weekdays), (work, rest), days)


def _shares(groups: Sequence[Sequence[float]]) -> list[float] | None:
    """The median of each group as a share of all medians, a part of it spread evenly; None when all are 0."""
    middles = [median(group) for group in groups]
    total = sum(middles)
    if total <= 0:
        return None
    return [FLOOR / len(middles) + (1 - FLOOR) * middle / total for middle in middles]


def rate(spend: Mapping[datetime, float], limit: float, usual: Profile, end: datetime, hours: int) -> float:
    """Spend of the `hours` before `end` over what a month's `limit` allows in them; 1 uses up the limit exactly."""
    sound(limit)
    start = end - hours * HOUR
    spent = sum(spend.get(start + place * HOUR, 0.0) for place in range(hours))
    month = (end - HOUR).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    whole = usual.between(month, month + monthrange(month.year, month.month)[1] * DAY)
    return spent / (limit * usual.between(start, end) / whole)


def alarm_of(rates: Mapping[int, float | None], rules: Sequence[Rule] = RULES) -> Rule | None:
    """The most urgent rule of which both windows, by their hours, are known and burn."""
    for rule in rules:
        long, short = rates.get(rule.long_h), rates.get(rule.short_h)
        if long is not None and short is not None and min(long, short) >= rule.rate:
            return rule
    return None
