"""Evidence that has grown old since somebody rested a step on it: what was verified, diagnosed or asked a while ago."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import compare
from aether_tui.diagnostics.flywheel_documents import written
from aether_tui.diagnostics.flywheel_measure import Flywheel
from aether_tui.diagnostics.frame import Clock, Data, whole
from aether_tui.human import amount
from aether_tui.report_model import Quantity
from aether_tui.stats.intervals import wilson

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

LASTS = timedelta(days=92)
"""A quarter: a diagnosis, and what people said of maturity, are asked anew by then."""


class Aged(Struct, frozen=True, kw_only=True):
    """Evidence to be renewed: what to do, why, how, and on which screen."""

    text: str
    why: str
    how: str
    screen: str


def look(data: Data, documents: Documents, clock: Clock, flywheel: Flywheel) -> Aged | None:
    """The first that applies: an item lost, a diagnosis that failures or time have overtaken, maturity of last quarter."""
    return _lost(flywheel) or _diagnosis(data, documents, clock) or _maturity(documents, clock)


def _lost(flywheel: Flywheel) -> Aged | None:
    if not flywheel.lost:
        return None
    first = flywheel.lost[0]
    others = f" {len(flywheel.lost)} items were lost in all." if len(flywheel.lost) > 1 else ""
    return Aged(
        text=f"Find out why this was lost: {first.text[:1].lower()}{first.text[1:]}.",
        why=f"It was verified a week ago ({first.was}), and is not any more ({first.now}).{others}",
        how="aether-tui report instrumentation",
        screen="flywheel",
    )


def _diagnosis(data: Data, documents: Documents, clock: Clock) -> Aged | None:
    cycle = documents.running(clock.now.date())
    found = written("constraint-diagnosis", documents, cycle) if cycle else ()
    days = [one.when for one in found if one.when and not one.lacks and one.when <= clock.now.date()]
    if not days:
        return None
    day = max(days)
    begun = datetime.combine(day, time.min, UTC)
    before = failed(data, begun - (clock.window.end - clock.window.start), begun)
    since = failed(data, begun, clock.now)
    way = compare.apart(since, before)
    if way:
        moved = f"went {'up' if way > 0 else 'down'} from {_share(before)} to {_share(since)}"
        why = f"Failures {moved} since; the 95 % intervals do not overlap."
    elif _old(day, clock):
        why = "It is more than a quarter old."
    else:
        return None
    return Aged(
        text=f"Diagnose the constraint again; the last time was {day}.",
        why=why,
        how="g k, then N draws a new sample of failures",
        screen="constraint",
    )


def failed(data: Data, since: datetime, until: datetime) -> Quantity:
    """Share of tasks that failed, of those that say how they ended, with its interval."""
    row = (data.rows("failures_count", since=since, until=until) or [{}])[0]
    n, k = whole(row.get("n")), whole(row.get("failed"))
    if not n:
        return Quantity(value=None, unit="ratio", n=0, reason="no task says how it ended")
    low, high = wilson(k, n)
    return Quantity(value=k / n, unit="ratio", n=n, low=low, high=high)


def _share(item: Quantity) -> str:
    return f"{amount(item.value or 0, 'ratio')} of {item.n:,}"


def _maturity(documents: Documents, clock: Clock) -> Aged | None:
    from aether_tui.diagnostics.maturity import heard

    days = [one.when for one in heard(documents, clock.now)]
    if not days or not _old(max(days), clock):
        return None
    return Aged(
        text="Ask the maturity questions again.",
        why=f"They were last answered on {max(days)}; each quarter is compared with the one before.",
        how="g i, then n, questionnaire maturity",
        screen="interview",
    )


def _old(day: date, clock: Clock) -> bool:
    return clock.now.date() - day > LASTS
