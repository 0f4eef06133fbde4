"""The flywheel in words: headline, findings, checklists of the phases with the gate between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aether_tui.diagnostics import gate as gating
from aether_tui.diagnostics.gate import Gate
from aether_tui.human import plural
from aether_tui.report_model import (
    Block,
    Check,
    Checklist,
    Col,
    Fact,
    Facts,
    Finding,
    Gap,
    Quantity,
    Row,
    State,
    Table,
)

if TYPE_CHECKING:
    pass

from aether_tui.diagnostics.flywheel_measure import Flywheel, PhaseState


def position(flywheel: Flywheel) -> str:
    """`cycle-2, phase 2 Constraint diagnosis`."""
    if flywheel.cycle is None:
        return "no cycle is open"
    if flywheel.phase is None:
        return f"{flywheel.cycle}, all phases done"
    return f"{flywheel.cycle}, phase {flywheel.phase} {flywheel.phases[flywheel.phase].name}"


def headline(flywheel: Flywheel, gate: Gate) -> str:
    """Where the cycle stands."""
    if flywheel.cycle is None:
        return f"No cycle is open. The gate says {gate.verdict}."
    done = sum(phase.done for phase in flywheel.phases)
    total = sum(phase.total for phase in flywheel.phases)
    return f"{position(flywheel)}: {done} of {total} items done; the gate says {gate.verdict}."


def findings(flywheel: Flywheel, gate: Gate) -> tuple[Finding, ...]:
    """Overrides, what was verified and is not any more, phases over their time, ticks that nobody reads."""
    lost = (
        Finding(
            id=f"flywheel.lost.{one.item}",
            severity="warn",
            text=f"{one.text}: verified a week ago ({one.was}), not any more ({one.now}).",
            evidence=("aether-tui report instrumentation",),
        )
        for one in flywheel.lost
    )
    late = (
        Finding(
            id=f"flywheel.time.{phase.number}",
            severity="warn",
            text=f"Phase {phase.number} took {plural(phase.days, 'day')}; it is budgeted at {phase.budget_days}."
            if phase.progress == "done"
            else f"Phase {phase.number} is in day {phase.days}; it is budgeted at {phase.budget_days}.",
            evidence=(flywheel.cycle or "",),
        )
        for phase in flywheel.phases
        if phase.budget_days and phase.days and phase.days > phase.budget_days
    )
    unread: tuple[Finding, ...] = ()
    if flywheel.unknown_ticks:
        unread = (
            Finding(
                id="flywheel.ticks",
                severity="warn",
                text=f"Ticked, but no manual item of any phase: {', '.join(flywheel.unknown_ticks)}.",
                evidence=(flywheel.cycle or "",),
            ),
        )
    return (*gating.override_findings(gate), *lost, *late, *unread)


def next_item(flywheel: Flywheel) -> Check | None:
    """The first open item of the present phase."""
    for phase in flywheel.phases:
        if phase.progress == "open":
            return next((item for item in phase.items if item.state != "pass"), None)
    return None


def blocks(flywheel: Flywheel, gate: Gate) -> tuple[Block, ...]:
    """Progress, then phases 0 and 1, the gate, phases 2 to 6."""
    done = sum(phase.done for phase in flywheel.phases)
    total = sum(phase.total for phase in flywheel.phases)
    parts: list[Block] = [
        Facts(
            id="flywheel.facts",
            facts=(
                Fact(
                    id="flywheel.done",
                    label="items done",
                    value=Quantity(value=done, unit="count"),
                    note=f"of {total}; {position(flywheel)}",
                ),
            ),
        )
    ]
    if flywheel.cycle is None:
        parts.append(
            Gap(
                id="flywheel.cycle",
                title="Cycle",
                reason="Documents and ticks belong to a cycle, and none is open.",
                next_step="aether-tui playbook next-cycle",
                action="flywheel.next-cycle",
            )
        )
    lists: Sequence[Block] = [_checklist(phase) for phase in flywheel.phases]
    return (*parts, *lists[:2], gating.checklist(gate), *lists[2:], *_cycles(flywheel))


def _cycles(flywheel: Flywheel) -> tuple[Table, ...]:
    if len(flywheel.cycles) < 2:
        return ()
    return (
        Table(
            id="flywheel.cycles",
            title="Cycles",
            columns=(
                Col(key="cycle", title="cycle", priority=10),
                Col(key="started", title="started", kind="time", priority=8),
                Col(key="days", title="days", kind="number", priority=9),
                Col(key="ended", title="ended", kind="time", priority=7),
                Col(key="goal", title="for", priority=6),
                Col(key="ticked", title="ticked", kind="number", priority=4),
                Col(key="artifacts", title="left behind", kind="number", priority=5),
            ),
            rows=tuple(
                Row(
                    id=f"flywheel.{one.cycle}",
                    cells=(
                        one.cycle,
                        one.started.isoformat(),
                        one.days,
                        one.ended.isoformat() if one.ended else "running",
                        one.goal,
                        one.ticked,
                        one.artifacts,
                    ),
                )
                for one in reversed(flywheel.cycles)
            ),
        ),
    )


def _checklist(phase: PhaseState) -> Checklist:
    state: State = (
        "pass"
        if phase.progress == "done"
        else "block"
        if phase.progress == "locked"
        else "running"
        if phase.done
        else "no-data"
    )
    return Checklist(
        id=f"flywheel.phase{phase.number}",
        title=f"{phase.number} {phase.name}",
        state=state,
        items=phase.items,
        locked=phase.locked_because or "",
        note=f"{phase.done} of {phase.total}{_time(phase)}; over when {phase.exit_rule}.",
    )


def _time(phase: PhaseState) -> str:
    if phase.days is None:
        return ""
    of = f" of {phase.budget_days}" if phase.budget_days else ""
    return f", {plural(phase.days, 'day')}{of}" if phase.progress == "done" else f", day {phase.days}{of}"
