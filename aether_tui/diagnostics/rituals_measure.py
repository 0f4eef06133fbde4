"""What recurring meetings cost, when they pay, and what they are like without money (diagnostics L)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.decisions import latency, share
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.rituals import QUANTITIES, Judged, Ritual, judge
from aether_tui.diagnostics.voices import interviews
from aether_tui.report_model import Quantity, missing
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.inventory import Meeting
    from aether_tui.workspace.kinds.decision import Decision
    from aether_tui.workspace.kinds.ritual import Ritual as Sheet

NEEDED = ("per_year", "attendees", "minutes")
TAKES_PLACE = ("running", "trial")


class Part(Struct, frozen=True, kw_only=True):
    """What one role does in a ritual."""

    role: str
    part: str
    rule: str


class Line(Struct, frozen=True, kw_only=True):
    """One ritual. Money per year in the report's currency, `roi` with its 90 % interval, hours of all people together.

    `reason` says why there is no verdict. What needs no money stands beside: ROTI 0–4, decisions per person-hour,
    latency and reversal of the decisions recorded for it, actions done, agreement in alignment pulses.
    """

    id: str
    title: str
    status: str
    break_even: str
    verdict: str
    cost_per_year: Quantity
    hours_per_year: Quantity
    benefit: Quantity
    roi: Quantity
    p_pays: float | None
    break_even_probability: float | None
    roti: Quantity
    decisions_per_person_hour: Quantity
    decision_latency: Quantity
    reversed: Quantity
    actions_done: Quantity
    aligned: Quantity
    frequency: str
    participation: tuple[Part, ...]
    lacks: tuple[str, ...]


class Rituals(Struct, frozen=True, kw_only=True):
    """All rituals, the most expensive first; totals are of those that take place and whose cost is known."""

    rituals: tuple[Line, ...]
    cost_per_year: Quantity
    hours_per_year: Quantity
    currency: str


def unwritten(documents: Documents, clock: Clock) -> Sequence[Meeting]:
    """Meetings that the ritual inventory names and that have no sheet."""
    from aether_tui.workspace.inventory import without_sheet
    from aether_tui.workspace.kinds.ritual import Ritual as Sheet
    from aether_tui.workspace.questions import load

    held = interviews(documents, clock.now)
    return without_sheet(load(documents.workspace), held, documents.of(Sheet)) if held else ()


def measure(sheets: Sequence[Sheet], decisions: Sequence[Decision], today: date, currency: str, seed: int) -> Rituals:
    """Every ritual judged."""
    lines = [
        _line(sheet, [one for one in decisions if one.ritual == sheet.id], today, currency, seed) for sheet in sheets
    ]
    held = [line for line in lines if line.status in TAKES_PLACE]
    return Rituals(
        rituals=tuple(sorted(lines, key=lambda one: (one.status not in TAKES_PLACE, -(one.cost_per_year.value or 0), one.id))),
        cost_per_year=_total([line.cost_per_year for line in held], "money", currency),
        hours_per_year=_total([line.hours_per_year for line in held], "", None),
        currency=currency,
    )  # fmt: skip


def _total(items: Sequence[Quantity], unit: str, currency: str | None) -> Quantity:
    known = [item.value for item in items if item.value is not None]
    if not known:
        return missing(next((item.reason for item in items if item.reason), "no ritual is held"), unit=unit)
    return Quantity(value=sum(known), unit=unit, currency=currency, n=len(known), stated=True)


def _line(sheet: Sheet, decisions: Sequence[Decision], today: date, currency: str, seed: int) -> Line:
    lacking = tuple(name for name in (*NEEDED, "hourly_rate") if not _likely(sheet, name))
    judged = None if lacking else judge(_ritual(sheet), seed=seed)
    reason = f"not written: {', '.join(lacking)}" if lacking else "decisions, stakes or gain are not written"

    def money(value: float | None) -> Quantity:
        return _stated(value, "money", reason, currency)

    hours = _hours(sheet)
    return Line(
        id=sheet.id,
        title=one_line(sheet.title),
        status=sheet.status,
        break_even=judged.break_even if judged else reason,
        verdict=judged.verdict if judged else "unknown",
        cost_per_year=money(judged.cost_per_year if judged else None),
        hours_per_year=_stated(hours, "", f"not written: {', '.join(name for name in lacking if name in NEEDED)}"),
        benefit=money(judged.benefit if judged else None),
        roi=_roi(judged, reason),
        p_pays=judged.p_pays if judged else None,
        break_even_probability=judged.break_even_probability if judged else None,
        roti=_mean(sheet.roti),
        decisions_per_person_hour=_per_hour(sheet, hours),
        **_recorded(decisions, today),
        actions_done=share(sheet.actions_done or 0, sheet.actions_agreed or 0, "no actions are counted"),
        aligned=share(
            sum(one.agreed for one in sheet.alignment), sum(one.asked for one in sheet.alignment), "no pulse was taken"
        ),
        frequency=one_line(sheet.frequency),
        participation=tuple(
            Part(role=one_line(one.role), part=one.part, rule=one_line(one.rule)) for one in sheet.participation
        ),
        lacks=sheet.lacks(),
    )


def _likely(sheet: Sheet, name: str) -> float | None:
    """The most likely value of one number; None where it is not written."""
    from aether_tui.workspace.document import low_mode_high

    value = getattr(sheet, name)
    return None if value is None else low_mode_high(value)[1]


def _ritual(sheet: Sheet) -> Ritual:
    from aether_tui.workspace.document import low_mode_high

    given = {name: getattr(sheet, name) for name in QUANTITIES}
    ranges = {name: low_mode_high(value) for name, value in given.items() if value is not None}
    roti = sum(sheet.roti) / len(sheet.roti) if sheet.roti else None
    return Ritual(name=sheet.title, roti=roti, **ranges)


def _hours(sheet: Sheet) -> float | None:
    """Person-hours a year at the most likely values."""
    times, people, length = (_likely(sheet, name) for name in NEEDED)
    if times is None or people is None or length is None:
        return None
    beside = sum(_likely(sheet, f"{part}_minutes") or 0.0 for part in ("prep", "follow_up", "switching"))
    return times * people * (length + beside) / 60


def _per_hour(sheet: Sheet, hours: float | None) -> Quantity:
    decisions = _likely(sheet, "decisions_per_year")
    if not hours or decisions is None:
        return missing("not written: decisions_per_year" if hours else "its hours are not known")
    return Quantity(value=decisions / hours, stated=True)


def _roi(judged: Judged | None, reason: str) -> Quantity:
    if judged is None or judged.roi is None:
        return missing(reason, unit="ratio")
    return Quantity(value=judged.roi, unit="ratio", low=judged.roi_low, high=judged.roi_high, level=0.9, stated=True)


def _stated(value: float | None, unit: str, reason: str, currency: str | None = None) -> Quantity:
    if value is None:
        return missing(reason, unit=unit)
    return Quantity(value=value, unit=unit, currency=currency, stated=True)


def _mean(votes: Sequence[float]) -> Quantity:
    if not votes:
        return missing("nobody was asked")
    return Quantity(
        value=sum(votes) / len(votes), n=len(votes), low=min(votes), high=max(votes), level=1.0, stated=True
    )


def _recorded(decisions: Sequence[Decision], today: date) -> dict[str, Quantity]:
    """Latency and reversal of the decisions recorded for a ritual and raised in the last 365 days."""
    recent = [one for one in decisions if today - timedelta(days=365) < one.raised <= today]
    decided = [one for one in recent if one.decided and one.decided <= today]
    times = [
        (float(((one.decided if one in decided and one.decided else today) - one.raised).days), one in decided)
        for one in recent
    ]
    undone = sum(one.reversed is not None and one.reversed <= today for one in decided)
    return {
        "decision_latency": latency(times) if times else missing("no decision names it", unit="days"),
        "reversed": share(undone, len(decided), "no decision names it"),
    }
