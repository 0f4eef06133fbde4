"""The one next action: what to do now, and why, from everything else that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.flywheel_measure import Flywheel
from aether_tui.diagnostics.flywheel_words import next_item, position
from aether_tui.diagnostics.gate import Gate, blind
from aether_tui.diagnostics.sources import Sources, refresh
from aether_tui.human import age, amount, plural, quantity
from aether_tui.report_model import Row
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


class NextAction(Struct, frozen=True, kw_only=True):
    """What to do, why, and how: a command or a place."""

    id: str
    text: str
    why: str
    how: str


def choose(
    documents: Documents, sources: Sources, gate: Gate, flywheel: Flywheel, blocked: tuple[Row, ...]
) -> NextAction:
    """The first that applies: a broken document, nothing connected, a failing source, a blocking budget, a missed gate,
    no cycle, stale data, an interview left open, the next open item of the phase. Where there are no data, an open
    interview comes before connecting some."""
    candidates = (
        _broken(documents),
        None if sources.streams else _unfinished(documents),
        _connect(sources),
        _failing(sources),
        _budget(blocked),
        _gate(gate),
        _cycle(flywheel),
        _stale(sources),
        _unfinished(documents),
        _item(flywheel),
    )
    return next((item for item in candidates if item is not None), _rest(flywheel))


def _broken(documents: Documents) -> NextAction | None:
    if not documents.problems:
        return None
    first = documents.problems[0]
    others = f", and {len(documents.problems) - 1} more" if len(documents.problems) > 1 else ""
    return NextAction(
        id="documents",
        text="Mend a document that cannot be read.",
        why=one_line(str(first)) + others,
        how="aether-tui doc validate",
    )


def _connect(sources: Sources) -> NextAction | None:
    if sources.never_pulled and not sources.streams:
        return NextAction(
            id="sync",
            text=f"Pull {', '.join(sources.never_pulled)} for the first time.",
            why="They are configured, and the cache is empty.",
            how="aether-tui sync",
        )
    if not sources.streams:
        return NextAction(
            id="connect",
            text="Load one file of traces, or connect one source.",
            why="Nothing is in the cache yet; one source is enough to start.",
            how="aether-tui load PATH, or name a source in aether.toml",
        )
    return None


def _failing(sources: Sources) -> NextAction | None:
    failed = [item for item in sources.streams if item.last_error is not None]
    if not failed:
        return None
    first = failed[0]
    return NextAction(
        id="source",
        text=f"Get {first.source} working again.",
        why=f"{first.source}/{first.stream} failed last time: {one_line(first.last_error or '', 160)}",
        how=refresh(first),
    )


def _budget(blocked: tuple[Row, ...]) -> NextAction | None:
    if not blocked:
        return None
    others = f" {len(blocked)} budgets block in all." if len(blocked) > 1 else ""
    why = one_line(blocked[0].detail.partition(";")[0], 160)
    return NextAction(
        id="budget",
        text=f"Bring {blocked[0].id} back under its budget.",
        why=f"It blocks.{others} {why}".strip(),
        how="aether-tui report budgets",
    )


def _gate(gate: Gate) -> NextAction | None:
    if gate.open:
        return None
    if blind(gate):
        return NextAction(
            id="traces",
            text="Load AI traces.",
            why="The gate cannot be judged without them, and phases 2 to 6 wait for it.",
            how="aether-tui load PATH (OTLP or Langfuse files)",
        )
    missed = next(item for item in gate.criteria if not item.met)
    return NextAction(
        id=missed.id,
        text=f"Bring {missed.title} to {amount(missed.threshold, 'ratio')}.",
        why=f"It is {quantity(missed.value)}, and the gate is no-go until then."
        + (f" Worst: {missed.worst[0].name}." if missed.worst else ""),
        how=missed.next_step,
    )


def _cycle(flywheel: Flywheel) -> NextAction | None:
    if flywheel.cycle is not None:
        return None
    return NextAction(
        id="cycle",
        text="Open the first cycle.",
        why="Documents and ticks of the phases belong to a cycle.",
        how="g f, then N; or aether-tui playbook next-cycle",
    )


def _stale(sources: Sources) -> NextAction | None:
    stale = [item for item in sources.streams if item.stale]
    if not stale:
        return None
    oldest = max(stale, key=lambda item: float("inf") if item.age_s is None else item.age_s)
    when = "has never succeeded" if oldest.age_s is None else f"last succeeded {age(oldest.age_s)} ago"
    return NextAction(
        id="stale",
        text=f"Refresh {plural(len(stale), 'stale stream')}.",
        why=f"{oldest.source}/{oldest.stream} {when}; the numbers here are as old.",
        how=refresh(oldest),
    )


def _unfinished(documents: Documents) -> NextAction | None:
    from aether_tui.workspace.kinds.interview import Interview

    begun = [one for one in documents.of(Interview) if one.finished is None and one.answers]
    if not begun:
        return None
    first = min(begun, key=lambda one: (one.started, one.id))
    others = f" {len(begun)} interviews are open in all." if len(begun) > 1 else ""
    return NextAction(
        id="interview",
        text=f"Finish {first.id}.",
        why=f"It was begun on {first.started:%Y-%m-%d} and left after {plural(len(first.answers), 'answer')}.{others}",
        how="g i, then ↵ on it: it resumes where it was left",
    )


def _item(flywheel: Flywheel) -> NextAction | None:
    item = next_item(flywheel)
    if item is None:
        return None
    return NextAction(
        id=item.id, text=f"{item.text}.", why=f"{position(flywheel)}; {item.evidence}.", how=item.next_step
    )


def _rest(flywheel: Flywheel) -> NextAction:
    return NextAction(
        id="next-cycle",
        text="Open the next cycle.",
        why=f"Every item of {flywheel.cycle} is done.",
        how="g f, then N; or aether-tui playbook next-cycle",
    )
