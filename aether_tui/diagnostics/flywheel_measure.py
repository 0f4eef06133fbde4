"""The flywheel measured: items of seven phases as they stand, the days they took, what was verified and is not any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from aether_tui.diagnostics import gate as gating
from aether_tui.diagnostics import portfolio, portfolio_measure, replayable
from aether_tui.diagnostics.flywheel_documents import HOW, done_on, written
from aether_tui.diagnostics.frame import Clock, Data, Question, whole
from aether_tui.diagnostics.gate import Criterion, Gate
from aether_tui.diagnostics.phases import PHASES, READING, SIGNED, Item, Phase, behind, opens
from aether_tui.human import against, amount, plural, quantity
from aether_tui.report_model import (
    Check,
    Quantity,
    State,
    Window,
)
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.cycle import Cycle

Progress = Literal["done", "open", "locked"]
LOOK_BACK = timedelta(days=7)
"""How far back verified items are looked at again, to notice what was lost."""


class PhaseState(Struct, frozen=True, kw_only=True):
    """One phase with its items as they stand; `days` it has taken so far, or took, null until it is begun."""

    number: int
    name: str
    progress: Progress
    done: int
    total: int
    locked_because: str | None
    items: tuple[Check, ...]
    exit_rule: str
    entered: date | None = None
    days: int | None = None
    budget_days: int | None = None


class Turn(Struct, frozen=True, kw_only=True):
    """One cycle: when it ran, what it was for, what was ticked and left behind."""

    cycle: str
    started: date
    ended: date | None
    days: int
    goal: str
    ticked: int
    artifacts: int


class Lost(Struct, frozen=True, kw_only=True):
    """An item that the cache verified a week ago and does not now, with both figures."""

    item: str
    text: str
    was: str
    now: str


class Flywheel(Struct, frozen=True, kw_only=True):
    """The running cycle. `phase` is the first one that is not done; null when all are."""

    cycle: str | None
    phase: int | None
    phases: tuple[PhaseState, ...]
    gate: str
    gate_open: bool
    unknown_ticks: tuple[str, ...]
    lost: tuple[Lost, ...] = ()
    cycles: tuple[Turn, ...] = ()


def measure(data: Data, documents: Documents, clock: Clock, gate: Gate) -> Flywheel:
    """Every item of every phase, and which phase we are in."""
    limits, today = documents.config.gate, clock.now.date()
    cycle = documents.running(today)
    span = gating.window(clock, limits.window_days)
    answers = _instrumented(data, gate.criteria, gate.fields, span, limits.fields_share)
    earlier = _earlier(documents, clock)
    lost = _lost(answers, _instrumented(data, *gating.judge(data, limits, earlier), earlier, limits.fields_share))
    answers["replay"] = _kept(data, documents, cycle)
    answers["first-token"] = _streamed(answers["first-token"], cycle)
    answers |= _managed(documents, cycle)
    phases = tuple(
        _phase(phase, documents, cycle, answers, "" if gate.open else _lock(gate, phase.number)) for phase in PHASES
    )
    phases = timed(phases, documents, cycle, today)
    known = {item.id for phase in PHASES for item in phase.items if item.kind == "manual"} | SIGNED
    return Flywheel(
        cycle=cycle.id if cycle else None,
        phase=next((phase.number for phase in phases if phase.progress != "done"), None),
        phases=phases,
        gate=gate.verdict,
        gate_open=gate.open,
        unknown_ticks=tuple(sorted(set(cycle.items) - known)) if cycle else (),
        lost=lost,
        cycles=tuple(_turn(one, today) for one in documents.cycles),
    )


def questions(documents: Documents, clock: Clock) -> tuple[Question, ...]:
    """What gate and flywheel ask of the cache, all of which can be asked at once."""
    spans = (gating.window(clock, documents.config.gate.window_days), _earlier(documents, clock))
    return tuple(one for span in spans for one in gating.questions(span))


def _earlier(documents: Documents, clock: Clock) -> Window:
    return gating.window(replace(clock, now=clock.now - LOOK_BACK), documents.config.gate.window_days)


def _lock(gate: Gate, number: int) -> str:
    """Why a phase cannot be worked on while the gate says no."""
    if number < 2:
        return ""
    if number > 2:
        return "waits for the gate"
    return "the gate says no-go; missing: " + ", ".join(item.title for item in gate.criteria if not item.met)


def _phase(
    phase: Phase, documents: Documents, cycle: Cycle | None, answers: Mapping[str, Check], lock: str
) -> PhaseState:
    items = tuple(_item(item, documents, cycle, answers) for item in phase.items)
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


def _item(item: Item, documents: Documents, cycle: Cycle | None, answers: Mapping[str, Check]) -> Check:
    if item.kind == "auto":
        return _answered(item, answers[item.id])
    if cycle is None:
        return Check(id=item.id, text=item.text, state="no-data", kind=item.kind, evidence="no cycle is open")
    if item.kind == "manual":
        return _ticked(item, cycle)
    if item.id == "reading":
        return _read(item, cycle)
    return _documented(item, documents, cycle)


def _answered(item: Item, answer: Check) -> Check:
    return Check(
        id=item.id, text=item.text, state=answer.state, kind="auto", evidence=answer.evidence, next_step=answer.next_step,
        why=FROM_DOCUMENTS if item.id in _MANAGED else gating.FROM_CACHE, behind=behind(item.id, answer.state),
        opens=_MANAGED.get(item.id) or opens(answer.state), signed=item.id in SIGNED,
    )  # fmt: skip


_MANAGED = {
    "opportunities": "go.portfolio", "evidence": "go.portfolio", "chosen": "go.portfolio", "decided": "go.experiments",
}  # fmt: skip
FROM_DOCUMENTS = "Counted from opportunities and decisions.\naether-tui report portfolio --format json"


def _ticked(item: Item, cycle: Cycle) -> Check:
    tick = cycle.items.get(item.id)
    if tick is None:
        step = f"g f, then space on it; or items of {cycle.id} (aether-tui doc edit cycle {cycle.id})"
        return Check(id=item.id, text=item.text, state="no-data", kind="manual", evidence="not ticked", next_step=step)
    said = f"{tick.who}, {tick.when}" + (f": {tick.note}" if tick.note else "")
    return Check(id=item.id, text=item.text, state="pass", kind="manual", evidence=one_line(said, 400))


def _documented(item: Item, documents: Documents, cycle: Cycle) -> Check:
    found = written(item.artifact, documents, cycle)
    complete = [one for one in found if not one.lacks]
    named = ", ".join(one.name for one in complete[:4])
    if len(complete) >= item.least:
        return Check(id=item.id, text=item.text, state="pass", kind="document", evidence=named)
    open_ = next((one for one in found if one.lacks), None)
    short = f"{len(complete)} of {item.least}" if item.least > 1 else "none complete" if found else "none"
    lacking = f"; {open_.name} lacks {open_.lacks}" if open_ else ""
    listed = (
        f"add an artifact of kind {item.artifact}, with title, who and when: aether-tui doc edit cycle {cycle.id}",
        f"cycle/{cycle.id}",
    )
    step, place = HOW.get(item.artifact, listed)
    return Check(
        id=item.id,
        text=item.text,
        state="warn" if found else "no-data",
        kind="document",
        evidence=one_line(f"{short}{lacking}" + (f"; {named}" if named else ""), 400),
        next_step=step,
        opens=place,
    )


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
        next_step=f"add artifacts of kind {', '.join(unread[:3])}, each with who and when: aether-tui doc edit cycle {cycle.id}",
        opens=f"cycle/{cycle.id}",
    )


# --- What the cache and the documents answer ----------------------------------------------------------------------


def _auto(state: State, evidence: str, next_step: str = "") -> Check:
    return Check(
        id="", text="", state=state, kind="auto", evidence=evidence, next_step="" if state == "pass" else next_step
    )


def _instrumented(
    data: Data, thresholds: Sequence[Criterion], required: Sequence[Criterion], span: Window, needed: float
) -> dict[str, Check]:
    """Phase 1, verified against the cache over a window."""
    calls = data.rows("gate_fields", from_day=span.start, until_day=span.end)
    requests = data.rows("gate_requests", from_day=span.start, until_day=span.end)
    fields = {item.id.removeprefix("gate.field."): gating.check(item) for item in required}
    criteria = {item.id.removeprefix("gate."): gating.check(item) for item in thresholds}
    tokens = min(fields["input_tokens"], fields["output_tokens"], key=lambda item: item.state == "pass")
    first = gating.share(
        sum(whole(row["first_token"]) for row in calls), sum(whole(row["calls"]) for row in calls), "no calls yet"
    )
    outcomes = gating.share(
        sum(whole(row["outcomes"]) for row in requests),
        sum(whole(row["requests"]) for row in requests),
        "no requests yet",
    )
    roots = gating.share(
        sum(whole(row["roots"]) for row in requests),
        sum(whole(row["requests"]) for row in requests),
        "no requests yet",
    )
    return {
        "model": fields["model"],
        "tokens": tokens,
        "latency": fields["latency"],
        "first-token": _seen(first, "model call", "send the time to first token with streamed model calls"),
        "cost": criteria["cost"],
        "attribution": criteria["attribution"],
        "ids": _enough(
            roots,
            "request",
            "with a root span",
            needed,
            "send the span that covers the whole request, without a parent",
        ),
        "outcome": _seen(
            outcomes,
            "request",
            "name the attribute that carries it in [mapping.span_attributes] outcome, or the score in [mapping.scores]",
        ),
    }


def _lost(now: Mapping[str, Check], before: Mapping[str, Check]) -> tuple[Lost, ...]:
    """What was verified a week ago and is not now: progress never shrinks without saying why."""
    texts = {item.id: item.text for phase in PHASES for item in phase.items}
    return tuple(
        Lost(item=name, text=texts[name], was=before[name].evidence, now=check.evidence)
        for name, check in now.items()
        if check.state != "pass" and before[name].state == "pass"
    )


def timed(
    phases: Sequence[PhaseState], documents: Documents, cycle: Cycle | None, today: date
) -> tuple[PhaseState, ...]:
    """Phases with the day each was begun, and the days it took or has taken.

    A phase begins on the day its cycle says; without one, phase 0 on the cycle's first day, and a later phase on the day
    of the last dated item before it, once all phases before it are done.
    """
    if cycle is None:
        return tuple(phases)
    begun: list[date | None] = []
    for phase in phases:
        done = all(one.progress == "done" for one in phases[: phase.number])
        follows = max([cycle.started, *_dates(documents, cycle, phase.number)]) if done else None
        begun.append(cycle.entered.get(phase.number, cycle.started if phase.number == 0 else follows))
    made = []
    for phase, first in zip(phases, begun, strict=True):
        after = [day for day in begun[phase.number + 1 :] if day is not None]
        last = min(after) if after else _finished(phase, documents, cycle) or min(today, cycle.ended or today)
        made.append(
            structs.replace(
                phase,
                entered=first,
                days=None if first is None or first > today else max((last - first).days + 1, 1),
                budget_days=PHASES[phase.number].budget_days,
            )
        )
    return tuple(made)


def _finished(phase: PhaseState, documents: Documents, cycle: Cycle) -> date | None:
    dates = _dates(documents, cycle, phase.number + 1, phase.number)
    return max(dates) if phase.progress == "done" and dates else None


def _dates(documents: Documents, cycle: Cycle, before: int, since: int = 0) -> list[date]:
    """Days on which items of the phases [since, before) were ticked or left behind."""
    items = [item for phase in PHASES[since:before] for item in phase.items]
    ticked = {item.id for item in items if item.kind == "manual"}
    read = set(READING) if since == 0 else set()
    shown = (done_on(item.artifact, item.least, documents, cycle) for item in items if item.artifact)
    return [
        *(tick.when for name, tick in cycle.items.items() if name in ticked),
        *(one.when for one in cycle.artifacts if one.kind in read and one.when),
        *(day for day in shown if day is not None),
    ]


def _turn(cycle: Cycle, today: date) -> Turn:
    return Turn(
        cycle=cycle.id,
        started=cycle.started,
        ended=cycle.ended,
        days=max(((cycle.ended or today) - cycle.started).days + 1, 0),
        goal=one_line(cycle.goal, 300),
        ticked=len(cycle.items),
        artifacts=len(cycle.artifacts),
    )


def _seen(value: Quantity, of: str, next_step: str) -> Check:
    """Passes when any is there: how many is another indicator's business."""
    if value.value is None:
        return _auto("no-data", value.reason or "")
    return _auto(
        "pass" if value.value > 0 else "block", f"on {quantity(value)} of {plural(value.n or 0, of)}", next_step
    )


def _streamed(seen: Check, cycle: Cycle | None) -> Check:
    """When the first token came, or who says that nothing is streamed."""
    tick = cycle.items.get("first-token") if cycle else None
    if seen.state in {"pass", "no-data"}:
        return seen
    if tick is not None:
        return _auto("pass", one_line(f"nothing is streamed: {tick.who}, {tick.when}", 400))
    return structs.replace(seen, next_step=f"{seen.next_step}; or space: nothing is streamed")


def _kept(data: Data, documents: Documents, cycle: Cycle | None) -> Check:
    """Whether what was said is kept whole. Keeping less is a choice, which the signed look at retention covers."""
    tick = cycle.items.get("privacy-signed") if cycle else None
    kept, needed = documents.config.privacy.keep_payloads, documents.config.gate.fields_share
    if tick is not None:
        said = "kept for as long as was signed" if kept else "left out, as was signed"
        return _auto("pass", one_line(f"{said}: {tick.who}, {tick.when}", 400))
    if not kept:
        step = f"{replayable.SETTING} in aether.toml, or sign for redaction and retention below"
        return _auto("no-data", "not kept, so no trace can be replayed", step)
    share = replayable.measure(data, kept=kept).share
    return _enough(share, "model call", "with the input whole", needed, "aether-tui report instrumentation says why")


def _enough(value: Quantity, of: str, what: str, needed: float, next_step: str) -> Check:
    if value.value is None:
        return _auto("no-data", value.reason or "")
    said = f"{against(value, needed)} of {plural(value.n or 0, of)} {what}, {amount(needed, 'ratio')} needed"
    return _auto("pass" if value.value >= needed else "block", said, next_step)


def _managed(documents: Documents, cycle: Cycle | None) -> dict[str, Check]:
    """Phases 3, 5 and 6, from opportunities, decisions and cycles."""
    ranked = portfolio_measure.measure(documents.opportunities, documents.config.portfolio.high_score, 0, draws=0).items
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
