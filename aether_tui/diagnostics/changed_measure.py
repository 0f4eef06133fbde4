"""What changed since the last review: steps, drifts and runs of every daily rollup, ranked, each with its driver (diagnostics N)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from aether_tui.diagnostics import changed_series
from aether_tui.diagnostics.changed_series import Course
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.report_model import Quantity, missing
from aether_tui.stats import anomalies
from aether_tui.stats.anomalies import Shift
from aether_tui.stats.changepoints import WINDOW
from aether_tui.workspace import reviews

if TYPE_CHECKING:
    from aether_tui.budgets.model import Result
    from aether_tui.workspace.documents import Documents

CLEAREST = 10.0
"""Effect ÷ interval width counts up to this: beyond it a change is as clear as it can be."""
STOCK = 0.25
"""A stock such as work in progress wanders: shifts smaller than this are not told."""
_STOCKS = frozenset({"flow.wip"})


class Driver(Struct, frozen=True, kw_only=True):
    """The part of a series that moved most with it: its share of the change, and what it added before and after."""

    by: str
    name: str
    share: float
    before: float
    after: float


class Change(Struct, frozen=True, kw_only=True):
    """One change from `day` on; a drift may have begun before.

    Levels are per day and without the weekday shape; `effect` is relative, with its 95 % interval.

    `clear` is effect ÷ interval width, `used` now ÷ limit of the nearest budget that covers it.
    """

    id: str
    title: str
    metric: str
    kind: Literal["step", "drift", "run"]
    began: datetime
    day: datetime
    before: Quantity
    after: Quantity
    effect: Quantity
    direction: Literal["worse", "better", ""]
    clear: float
    driver: Driver | None
    budget: str | None = None
    used: float | None = None


class Changed(Struct, frozen=True, kw_only=True):
    """Changes since the last review before the window's end, or since the window began, most telling first.

    `outliers` are single days, counted only.
    """

    since: datetime
    review: str | None
    changes: tuple[Change, ...]
    series: int
    outliers: int


@dataclass(frozen=True, slots=True)
class Look:
    """The changes, each with the series it was found in and its place there, in the same order."""

    changed: Changed
    found: tuple[tuple[Change, Course, Shift], ...]


def look(data: Data, documents: Documents, clock: Clock) -> Look:
    """Every change since the last review (the window's start without one), with its series."""
    return data.once("changed", clock, documents, lambda: _looked(data, documents, clock))


def _looked(data: Data, documents: Documents, clock: Clock) -> Look:
    review = reviews.newest(documents.workspace, min(clock.now, clock.window.end))
    since = review.as_of if review else clock.window.start
    currency = documents.config.engagement.currency
    courses = {one.id: one for one in changed_series.courses(data, clock, currency)}
    values = {name: one.values for name, one in courses.items()}
    out = anomalies.outliers(values)
    first = changed_series.midnight(since)
    starts = {one.start for one in courses.values()}  # one, if any
    shifts = anomalies.every_shift(values, out, max(((first - start).days for start in starts), default=0))
    found: list[tuple[Change, Course, Shift]] = []
    held = _budgets(data, documents, clock)
    for name, course in courses.items():
        found += [
            (_change(course, shift, currency, held), course, shift)
            for shift in shifts[name]
            if not _wanders(course, shift)
        ]
    single = sum(course.day(one.at) >= first for name, course in courses.items() for one in out[name])
    found.sort(key=lambda one: _rank(one[0]))
    changed = Changed(
        since=since,
        review=review.name if review else None,
        changes=tuple(change for change, _, _ in found),
        series=len(courses),
        outliers=single,
    )
    return Look(changed, tuple(found))


def _budgets(data: Data, documents: Documents, clock: Clock) -> Sequence[Result]:
    from aether_tui.diagnostics import budgets

    return budgets.brief(data, documents, clock).data.budgets


def _wanders(course: Course, shift: Shift) -> bool:
    return course.metric.id in _STOCKS and abs(shift.effect) < STOCK


def _rank(one: Change) -> tuple[float, float, str]:
    """Clearness, raised by how much of a budget is used where it got worse; then the larger effect."""
    near = min(one.used or 0.0, 2.0) if one.direction == "worse" else 0.0
    known = 1.5 if one.direction else 1.0
    return (-one.clear * known * (1 + near), -abs(one.effect.value or 0.0), one.id)


def _change(course: Course, shift: Shift, currency: str, held: Sequence[Result]) -> Change:
    metric = course.metric
    money = currency if metric.unit == "money" else None
    better = metric.better and ("higher" if shift.effect > 0 else "lower")
    budget = _nearest(course, held)
    return Change(
        id=course.id,
        title=course.title,
        metric=metric.id,
        kind=shift.kind,
        began=course.day(shift.began).replace(tzinfo=UTC),
        day=course.day(shift.at).replace(tzinfo=UTC),
        before=Quantity(value=shift.before, unit=metric.unit, n=shift.n_before, currency=money),
        after=Quantity(value=_after(shift), unit=metric.unit, n=shift.n, currency=money),
        effect=_effect(shift),
        direction="" if not better else "better" if better == metric.better else "worse",
        clear=_clear(shift),
        driver=next(iter(parts(course, shift)), None),
        budget=budget.id if budget else None,
        used=budget.now / budget.limit if budget and budget.now is not None and budget.limit else None,
    )


def _after(shift: Shift) -> float:
    """The level before and the shift, so that the two levels differ by what is said; without a level before, the median."""
    return shift.before * (1 + shift.effect) if shift.before > 0 else shift.after


def _effect(shift: Shift) -> Quantity:
    if not shift.before:
        return missing("it was none before, so there is no relative change", unit="ratio", n=shift.n)
    return Quantity(value=shift.effect, unit="ratio", n=shift.n, low=shift.low, high=shift.high)


def _clear(shift: Shift) -> float:
    if shift.low is None or shift.high is None:
        return 0.5
    return min(CLEAREST, abs(shift.effect) / (shift.high - shift.low) if shift.high > shift.low else CLEAREST)


def _nearest(course: Course, held: Sequence[Result]) -> Result | None:
    """The most used budget of its surface whose name and series say the segment."""
    if not course.metric.surface:
        return None
    said = {course.segment, course.segment.split("/")[-2] if "/" in course.segment else course.segment}
    fits = [
        one
        for one in held
        if one.surface == course.metric.surface and one.now is not None and one.limit
        and said & {one.series, *re.split(r"[.\s·/]+", f"{one.id} {one.series}")}
    ]  # fmt: skip
    return max(fits, key=lambda one: (one.now or 0) / (one.limit or 1), default=None)


def _adds(parts: Mapping[str, Mapping[int, tuple[float, float]]], days: Sequence[int], ratio: bool) -> dict[str, float]:
    """What every part adds to the level of these days."""
    tops = {name: sum(found[day][0] for day in days if day in found) for name, found in parts.items()}
    bottom = (
        sum(found[day][1] for found in parts.values() for day in days if day in found) if ratio else float(len(days))
    )
    return {name: top / bottom for name, top in tops.items()} if bottom else {}


def parts(course: Course, shift: Shift) -> list[Driver]:
    """Every part of a change, largest share first. Changes of an amount per day, and of what a part adds to a ratio, add up."""
    before = range(max(0, shift.at - WINDOW), shift.at)
    after = range(shift.until, min(len(course.values), shift.until + WINDOW))
    old, new = (
        _adds(course.parts, [day for day in days if course.values[day] is not None], bool(course.metric.bottom))
        for days in (before, after)
    )
    moved = {name: new.get(name, 0.0) - old.get(name, 0.0) for name in {**old, **new}}
    total = sum(moved.values())
    if not total:
        return []
    return [
        Driver(
            by=course.part_by, name=name, share=moved[name] / total, before=old.get(name, 0.0), after=new.get(name, 0.0)
        )
        for name in sorted(moved, key=lambda one: (-moved[one] / total, one))
    ]
