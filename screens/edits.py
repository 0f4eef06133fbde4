"""Edits that screens of their own make: scores of opportunities, ticks of the flywheel. These run in a thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from aether_tui.text import one_line
from aether_tui.workspace.edits import change, checked, create
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.cycle import Cycle
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

Stated = float | tuple[float, float, float]
Field = Literal["impact", "confidence", "reversibility", "effort_weeks"]


def rate(workspace: Workspace, identity: str, field: Field, value: Stated, now: datetime) -> Edit:
    """Set one number of an opportunity, or its range; raises ConfigurationError when it is out of its bounds."""
    from aether_tui.workspace.kinds.opportunity import Opportunity

    shown = "–".join(f"{point:g}" for point in value) if isinstance(value, tuple) else f"{value:g}"
    what = f"{identity} {field.replace('_', ' ')} {shown}"

    def scored(old: Opportunity) -> Opportunity:
        return checked(old.model_copy(update={field: value})).model_copy(
            update={"history": old.rescored({field: value}, now.date()).history}
        )

    return change(workspace, Opportunity, identity, scored, now, what)


def add(workspace: Workspace, title: str, now: datetime, evidence: str = "") -> Edit:
    """A new opportunity with middling numbers, to be rated."""
    from aether_tui.workspace.kinds.opportunity import Opportunity

    def make(identity: str) -> Opportunity:
        return Opportunity(
            id=identity,
            title=one_line(title, 300),
            impact=5,
            confidence=5,
            reversibility=5,
            effort_weeks=4,
            created=now.date(),
            evidence=[one_line(evidence, 300)] if evidence else [],
        )

    return create(workspace, Opportunity, make, now, "{id} added with middling numbers; rate it with 1–9, 0 and w")


def decide(workspace: Workspace, title: str, owner: str, chosen: str, now: datetime) -> Edit:
    """A decision taken today, or one that is open when nothing was chosen."""
    from aether_tui.workspace.kinds.decision import Decision

    def make(identity: str) -> Decision:
        return Decision(
            id=identity,
            title=one_line(title, 300),
            raised=now.date(),
            decided=now.date() if chosen else None,
            owner=one_line(owner, 200),
            chosen=one_line(chosen, 300),
        )

    return create(workspace, Decision, make, now, "{id} recorded" + ("" if chosen else " as open"))


def give_cause(workspace: Workspace, row: str, digit: int, who: str, now: datetime) -> Edit:
    """Give a sampled trace (`FR-1/source/trace`) the cause of a digit. Raises ConfigurationError when there is none."""
    from aether_tui.errors import ConfigurationError
    from aether_tui.workspace.kinds.failure_review import FailureReview

    identity, source, trace = row.split("/", 2)

    def rated(old: FailureReview) -> FailureReview:
        keys = list(old.causes)
        if not 1 <= digit <= len(keys):
            raise ConfigurationError(f"{digit} is no cause", where=identity, next_step=f"1 to {len(keys)} are")
        return old.rated(source, trace, keys[digit - 1], one_line(who, 200))

    return change(workspace, FailureReview, identity, rated, now, f"{trace} rated {digit} by {who}")


def mend_taxonomy(workspace: Workspace, update: Callable[[Taxonomy, date], Taxonomy], now: datetime, what: str) -> Edit:
    """Change the taxonomy in force. Raises NoData when there is none, CheckFailed for what cannot be done."""
    from aether_tui.errors import NoData
    from aether_tui.workspace.kinds.taxonomy import Taxonomy
    from aether_tui.workspace.taxonomies import active

    found = active(workspace)
    if found is None:
        raise NoData("there is no taxonomy yet", next_step="aether-tui taxonomy build FILE")
    return change(workspace, Taxonomy, found.id, lambda old: update(old, now.date()), now, f"{found.id}: {what}")


def promote(workspace: Workspace, title: str, evidence: str, notes: str, now: datetime) -> Edit:
    """A lever as an opportunity with middling scores, what it rests on as its evidence."""
    from aether_tui.workspace.kinds.opportunity import Opportunity

    def make(identity: str) -> Opportunity:
        return Opportunity(
            id=identity,
            title=one_line(title, 300),
            impact=5,
            confidence=5,
            reversibility=8,
            effort_weeks=2,
            evidence=[one_line(evidence, 300)],
            notes=notes[:20_000],
            created=now.date(),
        )

    return create(workspace, Opportunity, make, now, "{id} added to the portfolio; rate it there (g p)")


def waive(workspace: Workspace, budget: str, fields: dict[str, str], now: datetime) -> str:
    """Add a waiver to budgets.yaml, where comments and order stay. Returns what was done.

    Raises ConfigurationError when the gate would refuse it.
    """
    from aether_tui.budgets.waive import add_waiver

    identity = add_waiver(workspace.budgets_path, budget, fields, now.date())
    return f"{identity} waives {budget} until {fields['expires']}; the gate counts it once it is on the base branch"


def tick(workspace: Workspace, item: str, who: str, note: str, now: datetime) -> Edit:
    """Tick a checklist item of the running cycle; a first cycle is begun when there is none."""
    from aether_tui.workspace.kinds.cycle import Cycle, Tick

    mark = Tick(who=one_line(who, 300), when=now.date(), note=one_line(note, 2000))
    running = _running(workspace)
    if running is None:
        begun = f"{{id}} begun, {item} ticked by {mark.who}"
        make = lambda identity: Cycle(id=identity, started=now.date(), items={item: mark})  # noqa: E731
        return create(workspace, Cycle, make, now, begun)
    with_item = lambda old: old.model_copy(update={"items": {**old.items, item: mark}})  # noqa: E731
    return change(workspace, Cycle, running.id, with_item, now, f"{item} ticked by {mark.who}")


def enter_phase(workspace: Workspace, phase: int, day: date | None, now: datetime) -> Edit:
    """Say on which day a phase was begun; None lets it follow from the items again. Raises NoData when no cycle runs."""
    from aether_tui.errors import NoData
    from aether_tui.workspace.kinds.cycle import Cycle

    running = _running(workspace)
    if running is None:
        raise NoData(f"phase {phase} was not begun: no cycle is running", next_step="N begins one")

    def entered(old: Cycle) -> Cycle:
        others = {number: when for number, when in old.entered.items() if number != phase}
        days = others if day is None else {**others, phase: day}
        return old.model_copy(update={"entered": dict(sorted(days.items()))})

    told = f"phase {phase} begun on {day}" if day else f"phase {phase} begins when the one before is done"
    return change(workspace, Cycle, running.id, entered, now, told)


def untick(workspace: Workspace, item: str, now: datetime) -> Edit:
    """Open a ticked item again. Raises NoData when no cycle runs."""
    from aether_tui.errors import NoData
    from aether_tui.workspace.kinds.cycle import Cycle

    running = _running(workspace)
    if running is None:
        raise NoData(f"{item} was not ticked: no cycle is running")

    def without(old: Cycle) -> Cycle:
        return old.model_copy(update={"items": {key: mark for key, mark in old.items.items() if key != item}})

    return change(workspace, Cycle, running.id, without, now, f"{item} is open again")


def _running(workspace: Workspace) -> Cycle | None:
    from aether_tui.workspace.kinds.cycle import Cycle
    from aether_tui.workspace.store import Store

    return next(
        (each.document for each in reversed(Store(workspace).all(Cycle)[0]) if each.document.ended is None), None
    )
