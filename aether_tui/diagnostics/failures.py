"""Postmortems: which conditions come back, which repairs are late (diagnostics P). Part of the report `decisions`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.human import NONE, plural
from aether_tui.report_model import Block, Col, Finding, Gap, Row, Table
from aether_tui.text import one_line
from aether_tui.workspace.document import AHEAD

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.postmortem import Postmortem

YEAR = timedelta(days=365)


class Failure(Struct, frozen=True, kw_only=True):
    """One postmortem."""

    id: str
    title: str
    about: str
    happened: date
    conditions: tuple[str, ...]
    actions: int
    done: int
    lacks: tuple[str, ...]


class Recurrence(Struct, frozen=True, kw_only=True):
    """A condition that two or more failures of the last year had; `unrepaired` names actions of theirs that are open."""

    condition: str
    postmortems: tuple[str, ...]
    unrepaired: int


class Late(Struct, frozen=True, kw_only=True):
    """A repair past its day."""

    postmortem: str
    what: str
    owner: str
    due: date
    days: int


class Failures(Struct, frozen=True, kw_only=True):
    """What is known of failures."""

    failures: tuple[Failure, ...]
    recurring: tuple[Recurrence, ...]
    late: tuple[Late, ...]


def measure(postmortems: Sequence[Postmortem], today: date) -> Failures:
    """Failures newest first; recurrence over the last 365 days, most frequent first."""
    known = sorted(
        (one for one in postmortems if one.happened <= today + AHEAD), key=lambda one: one.happened, reverse=True
    )
    by_condition: dict[str, list[Postmortem]] = defaultdict(list)
    for one in known:
        if one.happened > today - YEAR:
            for name in dict.fromkeys(condition.name for condition in one.conditions):
                by_condition[name].append(one)
    recurring = [
        Recurrence(
            condition=name,
            postmortems=tuple(one.id for one in reversed(had)),
            unrepaired=sum(action.done is None for one in had for action in one.actions),
        )
        for name, had in by_condition.items()
        if len(had) > 1
    ]
    late = [
        Late(postmortem=one.id, what=one_line(action.what), owner=action.owner, due=action.due, days=(today - action.due).days)
        for one in known
        for action in one.actions
        if action.due is not None and action.due < today and action.done is None
    ]  # fmt: skip
    return Failures(
        failures=tuple(_failure(one) for one in known),
        recurring=tuple(sorted(recurring, key=lambda one: (-len(one.postmortems), one.condition))),
        late=tuple(sorted(late, key=lambda one: -one.days)),
    )


def _failure(one: Postmortem) -> Failure:
    return Failure(
        id=one.id,
        title=one_line(one.title),
        about=one.about,
        happened=one.happened,
        conditions=tuple(condition.name for condition in one.conditions),
        actions=len(one.actions),
        done=sum(action.done is not None for action in one.actions),
        lacks=one.lacks(),
    )


def findings(known: Failures) -> tuple[Finding, ...]:
    """Conditions that came back, and repairs that are late."""
    found = [
        Finding(
            id=f"decisions.recurrence.{one.condition}",
            severity="bad" if one.unrepaired else "warn",
            text=f"The condition {one.condition!r} was behind {plural(len(one.postmortems), 'failure')} in a year: "
            f"{', '.join(one.postmortems)}"
            + (f"; {plural(one.unrepaired, 'repair')} of theirs still open." if one.unrepaired else "."),
            evidence=one.postmortems,
        )
        for one in known.recurring
    ][:3]
    if known.late:
        first = known.late[0]
        text = (
            f"{plural(len(known.late), 'repair')} past the day agreed, the oldest by {plural(first.days, 'day')}: {first.what}"
            f" ({first.postmortem}, {first.owner or 'nobody owns it'})."
        )
        found.append(Finding(id="decisions.repairs", severity="warn", text=text, evidence=(first.postmortem,)))
    return tuple(found)


def blocks(known: Failures) -> tuple[Block, ...]:
    """The list of postmortems, or how to write one."""
    if not known.failures:
        return (
            Gap(
                id="decisions.no-postmortem", title="Postmortems", reason="No postmortem is written down yet.",
                next_step="aether-tui doc new postmortem", action="papers.new",
            ),
        )  # fmt: skip
    back = {name.condition for name in known.recurring}
    return (
        Table(
            id="decisions.postmortems",
            title="Postmortems",
            columns=(
                Col(key="id", title="id", priority=9),
                Col(key="title", title="what happened", priority=10, least=32),
                Col(key="about", title="of", priority=5),
                Col(key="happened", title="day", priority=4),
                Col(key="conditions", title="made possible by", priority=8),
                Col(key="actions", title="repairs", kind="number", priority=7),
            ),
            rows=tuple(_row(one, back) for one in known.failures),
            note="↻ marks a condition that was behind more than one failure of the last year.",
        ),
    )


def _row(one: Failure, back: set[str]) -> Row:
    conditions = ", ".join(f"↻ {name}" if name in back else name for name in one.conditions)
    return Row(
        id=one.id,
        cells=(one.id, one.title, one.about, one.happened.isoformat(), conditions or NONE, f"{one.done} of {one.actions}"),
        why=(f"not written: {', '.join(one.lacks)}\n" if one.lacks else "") + f"aether-tui doc show postmortem {one.id}",
    )  # fmt: skip
