"""The ledger of what was promised: who, by when, done, and whether its number moved since (diagnostics N)."""

from __future__ import annotations

import difflib
from datetime import date, datetime
from statistics import median
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from aether_tui.diagnostics import changed_series, metrics
from aether_tui.diagnostics.changed_series import Course
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.human import NONE, evidence, key_words, plural, quantity
from aether_tui.report_model import Block, Col, Finding, Gap, Quantity, Report, Row, State, Table, missing, worst_first
from aether_tui.stats.ranks import hodges_lehmann, shift_interval
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.commitment import Commitment

DAYS = 28
"""Days before the promise, and newest days since it, that are compared."""
LEAST = 5

Standing = Literal["overdue", "open", "done", "dropped"]
Moved = Literal["as promised", "the other way", "not clearly", "not known"]


class Promise(Struct, frozen=True, kw_only=True):
    """One commitment. `effect` is the Hodges–Lehmann shift of its number since the promise, with a 95 % interval (Moses)."""

    id: str
    title: str
    who: str
    promised: date
    by: date | None
    standing: Standing
    number: str
    label: str
    direction: str
    before: Quantity
    now: Quantity
    effect: Quantity
    moved: Moved
    lacks: tuple[str, ...] = ()


class Ledger(Struct, frozen=True, kw_only=True):
    """All of them, those to be asked about first."""

    promises: tuple[Promise, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Ledger]:
    """The report."""
    ledger = measure(data, documents, clock)
    return Report(
        report="commitments",
        title="Commitments",
        as_of=clock.now,
        window=clock.window,
        data=ledger,
        headline=headline(ledger),
        findings=findings(ledger),
        freshness=data.freshness(),
        blocks=blocks(ledger),
    )


def measure(data: Data, documents: Documents, clock: Clock) -> Ledger:
    """Every commitment made by the clock's day against the daily series it names."""
    return data.once("commitments", clock, documents, lambda: _measured(data, documents, clock))


def _measured(data: Data, documents: Documents, clock: Clock) -> Ledger:
    from aether_tui.workspace.document import AHEAD
    from aether_tui.workspace.kinds.commitment import Commitment

    found = [one for one in documents.of(Commitment) if one.promised <= clock.now.date() + AHEAD]
    courses: dict[str, Course] = {}
    currency = documents.config.engagement.currency
    if any(one.number for one in found):
        courses = {one.id: one for one in changed_series.courses(data, clock, currency)}
    made = [_promise(one, courses, clock.now.date(), currency) for one in found]
    order: tuple[Standing, ...] = ("overdue", "open", "done", "dropped")
    return Ledger(promises=tuple(sorted(made, key=lambda one: (order.index(one.standing), one.by or date.max, one.id))))


def _promise(one: Commitment, courses: dict[str, Course], today: date, currency: str) -> Promise:
    before, now, effect = (
        structs.replace(level, currency=currency if level.unit == "money" else None) for level in _levels(one, courses)
    )
    return Promise(
        id=one.id, title=one_line(one.title), who=one_line(one.who), promised=one.promised, by=one.by,
        standing=_standing(one, today), number=one_line(one.number),
        label=_label(one, courses), direction=one.direction, before=before, now=now,
        effect=effect, moved=_moved(effect, one.direction), lacks=one.lacks(),
    )  # fmt: skip


def _label(one: Commitment, courses: dict[str, Course]) -> str:
    """The number in words, such as “cost per task, scenario refund”; its name where there is no such series."""
    course = courses.get(one.number)
    return one_line(f"{course.metric.title}, {course.by} {course.segment}" if course else one.number)


def _standing(one: Commitment, today: date) -> Standing:
    if one.done is not None and one.done <= today:
        return "done"
    if one.dropped is not None and one.dropped <= today:
        return "dropped"
    return "overdue" if one.by is not None and one.by < today else "open"


def _levels(one: Commitment, courses: dict[str, Course]) -> tuple[Quantity, Quantity, Quantity]:
    course = courses.get(one.number)
    if course is None:
        near = difflib.get_close_matches(one.number, courses, 1)
        reason = "no number is named" if not one.number else "no such daily series"
        nothing = missing(reason + (f", did you mean {near[0]}?" if near and one.number else ""))
        return nothing, nothing, nothing
    at = (datetime(one.promised.year, one.promised.month, one.promised.day) - course.start).days  # noqa: DTZ001 (rows are naive UTC)
    cut = max(0, at)
    old = [value for value in course.values[max(0, cut - DAYS) : cut] if value is not None]
    new = [value for value in course.values[max(cut, len(course.values) - DAYS) :] if value is not None]
    if min(len(old), len(new)) < LEAST:
        few = missing(f"n too small ({len(old)} days before, {len(new)} since, needs {LEAST})", unit=course.metric.unit)
        return few, few, few
    unit = course.metric.unit
    ends = shift_interval(new, old)
    low, high = ends or (None, None)
    return (
        Quantity(value=median(old), unit=unit, n=len(old)),
        Quantity(value=median(new), unit=unit, n=len(new)),
        Quantity(value=hodges_lehmann(new, old), unit=unit, n=len(new), low=low, high=high),
    )


def _moved(effect: Quantity, direction: str) -> Moved:
    if effect.value is None or effect.low is None or effect.high is None:
        return "not known"
    if effect.low <= 0 <= effect.high:
        return "not clearly"
    return "as promised" if (effect.low > 0) == (direction == "up") else "the other way"


# --- Words --------------------------------------------------------------------------------------------------------


def headline(ledger: Ledger) -> str:
    """How many are kept, late, and moved their number."""
    if not ledger.promises:
        return "Nothing is promised yet."
    count = {name: sum(one.standing == name for one in ledger.promises) for name in ("overdue", "open", "done")}
    kept = sum(one.moved == "as promised" for one in ledger.promises)
    return (
        f"{plural(len(ledger.promises), 'commitment')}: {count['overdue']} overdue, {count['open']} open, {count['done']} done; "
        f"{kept} with a number that moved as promised."
    )


def findings(ledger: Ledger) -> tuple[Finding, ...]:
    """What is overdue, and what was done without its number moving."""
    found = []
    for one in ledger.promises:
        if one.standing == "overdue":
            text = f"{one.id} {one.title} was due on {one.by} ({one.who or 'nobody is named'})."
            found.append(Finding(id=f"commitments.{one.id}", severity="bad", text=text, evidence=(one.id,)))
        elif one.standing == "done" and one.moved in {"not clearly", "the other way"}:
            moved = "did not clearly move" if one.moved == "not clearly" else "moved the other way"
            text = f"{one.id} {one.title} is done; {one.label} {moved}: {_change(one)}."
            found.append(Finding(id=f"commitments.{one.id}", severity="warn", text=text, evidence=(one.id, one.number)))
    return worst_first(found)


def _change(one: Promise) -> str:
    return f"median of a day {quantity(one.before)} → {quantity(one.now)}, shift {quantity(one.effect)} {evidence(one.effect)}"


def blocks(ledger: Ledger) -> tuple[Block, ...]:
    """The ledger."""
    if not ledger.promises:
        return (Gap(id="commitments.none", title="Commitments", reason="No promise is written down.",
                    next_step="`aether-tui doc new commitment`: what, who, by when, and which number should move"),)  # fmt: skip
    table = Table(
        id="commitments.rows",
        title="What we promised",
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="id", title="id", priority=9),
            Col(key="title", title="promise", priority=10),
            Col(key="who", title="who", priority=3, private=True),
            Col(key="by", title="by", priority=6),
            Col(key="moved", title="number moved", priority=9),
        ),
        rows=tuple(_row(one) for one in ledger.promises),
        note=f"Number: the {DAYS} days before the promise against the newest {DAYS} since it; Hodges–Lehmann shift, 95 % interval.",
    )
    return (table,)


def _row(one: Promise) -> Row:
    states: dict[Standing, State] = {"overdue": "block", "open": "info", "done": "pass", "dropped": "inconclusive"}
    lacking = f"; still to be said: {', '.join(map(key_words, one.lacks))}" if one.lacks else ""
    detail = _change(one) if one.effect.value is not None else (one.effect.reason or "")
    return Row(
        id=one.id,
        state=states[one.standing],
        cells=(one.standing, one.id, one.title, one.who or NONE, f"{one.by}" if one.by else NONE, one.moved),
        detail=f"{one.label or 'no number'}, should go {one.direction}: {detail}{lacking}",
        why=metrics.why(
            "anomalies.promise",
            None,
            f"shift {quantity(one.effect)} {evidence(one.effect)}",
            f"aether-tui doc edit commitment {one.id}",
        ),
    )
