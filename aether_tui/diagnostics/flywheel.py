"""The flywheel: seven phases of the running cycle as checklists, with the gate between phases 1 and 2 (diagnostics A)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from aether_tui.diagnostics import gate as gating
from aether_tui.diagnostics import portfolio
from aether_tui.diagnostics.frame import Clock, Data, whole
from aether_tui.diagnostics.gate import Gate
from aether_tui.diagnostics.phases import PHASES, READING, Item, Phase
from aether_tui.human import quantity
from aether_tui.report_model import Block, Check, Checklist, Fact, Facts, Finding, Gap, Quantity, Report, State
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.cycle import Artifact, Cycle

Progress = Literal["done", "open", "locked"]


class PhaseState(Struct, frozen=True, kw_only=True):
    """One phase with its items as they stand."""

    number: int
    name: str
    progress: Progress
    done: int
    total: int
    locked_because: str | None
    items: tuple[Check, ...]
    exit_rule: str


class Flywheel(Struct, frozen=True, kw_only=True):
    """The running cycle. `phase` is the first one that is not done; null when all are."""

    cycle: str | None
    phase: int | None
    phases: tuple[PhaseState, ...]
    gate: str
    gate_open: bool
    unknown_ticks: tuple[str, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Flywheel]:
    """The report."""
    gate = gating.measure(data, documents, clock)
    flywheel = measure(data, documents, clock, gate)
    return Report(
        report="flywheel",
        title="Flywheel",
        as_of=clock.now,
        window=gating.window(clock, documents.config.gate.window_days),
        data=flywheel,
        headline=headline(flywheel, gate),
        findings=findings(flywheel, gate),
        freshness=data.freshness(),
        blocks=blocks(flywheel, gate),
    )


def measure(data: Data, documents: Documents, clock: Clock, gate: Gate) -> Flywheel:
    """Every item of every phase, and which phase we are in."""
    cycle = documents.cycle
    answers = {**_instrumented(data, documents, clock, gate), **_managed(documents, cycle)}
    phases = tuple(_phase(phase, cycle, answers, "" if gate.open else _lock(gate, phase.number)) for phase in PHASES)
    known = {item.id for phase in PHASES for item in phase.items if item.kind == "manual"}
    return Flywheel(
        cycle=cycle.id if cycle else None,
        phase=next((phase.number for phase in phases if phase.progress != "done"), None),
        phases=phases,
        gate=gate.verdict,
        gate_open=gate.open,
        unknown_ticks=tuple(sorted(set(cycle.items) - known)) if cycle else (),
    )


def _lock(gate: Gate, number: int) -> str:
    """Why a phase cannot be worked on while the gate says no."""
    if number < 2:
        return ""
    if number > 2:
        return "waits for the gate"
    return "the gate says no-go; missing: " + ", ".join(item.title for item in gate.criteria if not item.met)


def _phase(phase: Phase, cycle: Cycle | None, answers: Mapping[str, Check], lock: str) -> PhaseState:
    items = tuple(_item(item, cycle, answers) for item in phase.items)
    done = sum(item.state == "pass" for item in items)
    return PhaseState(
        number=phase.number,
        name=phase.name,
        progress="locked" if lock else "done" if done == len(items) else "open",
        done=done,
        total=len(items),
        locked_because=lock or None,
        items=items,
        exit_rule=phase.exit_rule,
    )


def _item(item: Item, cycle: Cycle | None, answers: Mapping[str, Check]) -> Check:
    if item.kind == "auto":
        return _answered(item, answers[item.id])
    if cycle is None:
        return Check(id=item.id, text=item.text, state="no-data", kind=item.kind, evidence="no cycle is open")
    if item.kind == "manual":
        return _ticked(item, cycle)
    if item.id == "reading":
        return _read(item, cycle)
    return _documented(item, cycle)


def _answered(item: Item, answer: Check) -> Check:
    return Check(
        id=item.id, text=item.text, state=answer.state, kind="auto", evidence=answer.evidence, next_step=answer.next_step
    )  # fmt: skip


def _ticked(item: Item, cycle: Cycle) -> Check:
    tick = cycle.items.get(item.id)
    if tick is None:
        step = f"under items of {cycle.id}: {item.id}: {{who: NAME, when: DATE}} (aether-tui doc edit cycle {cycle.id})"
        return Check(id=item.id, text=item.text, state="no-data", kind="manual", evidence="not ticked", next_step=step)
    said = f"{tick.who}, {tick.when}" + (f": {tick.note}" if tick.note else "")
    return Check(id=item.id, text=item.text, state="pass", kind="manual", evidence=one_line(said, 400))


def _documented(item: Item, cycle: Cycle) -> Check:
    found = [one for one in cycle.artifacts if one.kind == item.artifact]
    complete = [one for one in found if one.who and one.when]
    named = ", ".join(_artifact(one) for one in complete[:4])
    if len(complete) >= item.least:
        return Check(id=item.id, text=item.text, state="pass", kind="document", evidence=named)
    short = f"{len(complete)} of {item.least}" if item.least > 1 else "none"
    lacking = f"; {len(found) - len(complete)} without who or when" if len(found) > len(complete) else ""
    step = f"add an artifact of kind {item.artifact} with title, who and when to {cycle.id} (aether-tui doc edit cycle {cycle.id})"
    return Check(
        id=item.id,
        text=item.text,
        state="warn" if found else "no-data",
        kind="document",
        evidence=f"{short}{lacking}" + (f": {named}" if named else ""),
        next_step=step,
    )


def _artifact(one: Artifact) -> str:
    return one_line(f"{one.title} ({one.who}, {one.when})")


def _read(item: Item, cycle: Cycle) -> Check:
    read = {one.kind for one in cycle.artifacts if one.kind in READING and one.who and one.when}
    unread = [kind for kind in READING if kind not in read]
    evidence = f"{len(read)} of {len(READING)} kinds read"
    if not unread:
        return Check(id=item.id, text=item.text, state="pass", kind="document", evidence=evidence)
    return Check(
        id=item.id,
        text=item.text,
        state="warn" if read else "no-data",
        kind="document",
        evidence=f"{evidence}; unread: {', '.join(READING[kind] for kind in unread)}",
        next_step=f"add artifacts of kind {', '.join(unread[:3])} with who and when to {cycle.id}",
    )


# --- What the cache and the documents answer ----------------------------------------------------------------------


def _auto(state: State, evidence: str, next_step: str = "") -> Check:
    return Check(
        id="", text="", state=state, kind="auto", evidence=evidence, next_step="" if state == "pass" else next_step
    )


def _instrumented(data: Data, documents: Documents, clock: Clock, gate: Gate) -> dict[str, Check]:
    """Phase 1, verified against the cache."""
    limits = documents.config.gate
    span = gating.window(clock, limits.window_days)
    calls = data.rows("gate_fields", from_day=span.start, until_day=span.end)
    requests = data.rows("gate_requests", from_day=span.start, until_day=span.end)
    fields = {item.id.removeprefix("gate.field."): gating.check(item) for item in gate.fields}
    criteria = {item.id.removeprefix("gate."): gating.check(item) for item in gate.criteria}
    tokens = min(fields["input_tokens"], fields["output_tokens"], key=lambda item: item.state == "pass")
    first = gating.share(
        sum(whole(row["first_token"]) for row in calls), sum(whole(row["calls"]) for row in calls), "no calls yet"
    )
    outcomes = gating.share(
        sum(whole(row["outcomes"]) for row in requests),
        sum(whole(row["requests"]) for row in requests),
        "no requests yet",
    )
    return {
        "model": fields["model"],
        "tokens": tokens,
        "latency": fields["latency"],
        "first-token": _seen(first, "model calls", "send the time to first token with streamed model calls"),
        "cost": criteria["cost"],
        "attribution": criteria["attribution"],
        "outcome": _seen(
            outcomes, "requests", "name the attribute that carries it in [mapping.span_attributes] outcome"
        ),
    }


def _seen(value: Quantity, of: str, next_step: str) -> Check:
    """Passes when any is there: how many is another indicator's business."""
    if value.value is None:
        return _auto("no-data", value.reason or "")
    return _auto("pass" if value.value > 0 else "block", f"on {quantity(value)} of {value.n or 0:,} {of}", next_step)


def _managed(documents: Documents, cycle: Cycle | None) -> dict[str, Check]:
    """Phases 3, 5 and 6, from opportunities, decisions and cycles."""
    ranked = portfolio.measure(documents.opportunities, documents.config.portfolio.high_score, 0, draws=0).items
    top = ranked[:3]
    bare = [item.id for item in top if not item.evidence]
    chosen = [item.id for item in ranked if item.status in ("chosen", "running")]
    decided = [
        item.id
        for item in documents.decisions
        if cycle and item.decided and item.decided >= cycle.started and not item.gate_override
    ]
    add = portfolio.ADD
    return {
        "opportunities": _auto(
            "pass" if len(ranked) >= 3 else "warn" if ranked else "no-data", f"{len(ranked)} scored", add
        ),
        "evidence": _auto(
            "no-data" if not top else "warn" if bare else "pass",
            "nothing to look at"
            if not top
            else f"none named for {', '.join(bare)}"
            if bare
            else f"named for {len(top)}",
            f"aether-tui opportunity edit {bare[0]}" if bare else add,
        ),
        "chosen": _auto(
            "pass" if chosen else "no-data",
            ", ".join(chosen) or "none is",
            f"set status: chosen on {top[0].id} (aether-tui opportunity edit {top[0].id})" if top else add,
        ),
        "decided": _auto(
            "pass" if decided else "no-data", ", ".join(decided) or "none is", "aether-tui doc new decision"
        ),
    }


# --- Words --------------------------------------------------------------------------------------------------------


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
    """Locks and overrides, ticks that nobody reads."""
    found = [*gating.override_findings(gate)]
    if flywheel.unknown_ticks:
        found.append(
            Finding(
                id="flywheel.ticks",
                severity="warn",
                text=f"Ticked, but no manual item of any phase: {', '.join(flywheel.unknown_ticks)}.",
                evidence=(flywheel.cycle or "",),
            )
        )
    return tuple(found)


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
                next_step="aether-tui doc new cycle",
                action="document.new",
            )
        )
    lists: Sequence[Block] = [_checklist(phase) for phase in flywheel.phases]
    return (*parts, *lists[:2], gating.checklist(gate), *lists[2:])


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
        note=f"{phase.done} of {phase.total}; over when {phase.exit_rule}.",
    )
