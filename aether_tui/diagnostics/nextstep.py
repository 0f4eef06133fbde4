"""The one next action: what to do now, and why, from everything else that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.flywheel_measure import Flywheel
from aether_tui.diagnostics.flywheel_words import next_item, position
from aether_tui.diagnostics.gate import Gate, blind, to_judge_by
from aether_tui.diagnostics.sources import Sources, refresh
from aether_tui.human import age, amount, key_words, plural, quantity
from aether_tui.report_model import Row, not_fresh
from aether_tui.text import one_line
from aether_tui.workspace.documents import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aether_tui.diagnostics.aged import Aged
    from aether_tui.workspace.document import Document
    from aether_tui.workspace.documents import Documents


class NextAction(Struct, frozen=True, kw_only=True):
    """What to do, why, and how: a command or keys; `screen` is where it is done, where there is one."""

    id: str
    text: str
    why: str
    how: str
    screen: str = ""


HALF_WAY = ("interview", "failure-review", "north-star")
"""Kinds that are one piece of work: left half way, they come before anything new, and before blocked budgets."""


def choose(
    documents: Documents, sources: Sources, gate: Gate, flywheel: Flywheel, aged: Aged | None, blocked: tuple[Row, ...]
) -> NextAction:
    """The first that applies: a broken document, nothing connected, a failing source, a missed gate, no cycle, evidence
    gone stale, a piece of work left half way, a blocked budget, any other document that lacks something, the next open
    item of the phase. Where there are no data, work left half way comes before connecting some."""
    half_way = _unfinished(documents, HALF_WAY)
    candidates = (
        _broken(documents),
        None if sources.streams else half_way,
        _connect(sources),
        _failing(sources),
        _gate(gate),
        _cycle(flywheel),
        _aged(aged),
        _stale(sources),
        half_way,
        _budget(blocked),
        _unfinished(documents, [name for name in KINDS if name not in HALF_WAY]),
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
        why=one_line(first.sentence()) + others,
        how="aether-tui doc validate",
    )


def _connect(sources: Sources) -> NextAction | None:
    if sources.never_pulled and not sources.streams:
        return NextAction(
            id="sync",
            text=f"Pull {', '.join(sources.never_pulled)} for the first time.",
            why="They are configured, and the cache is empty.",
            how="aether-tui sync",
            screen="sources",
        )
    if not sources.streams:
        return NextAction(
            id="connect",
            text="Load one file of traces, or connect one source.",
            why="Nothing is in the cache yet; one source is enough to start.",
            how="aether-tui load PATH (L in the console), or name a source in aether.toml",
            screen="sources",
        )
    return None


def _failing(sources: Sources) -> NextAction | None:
    failed = [item for item in sources.streams if item.last_error is not None]
    if not failed:
        return None
    first = failed[0]
    return NextAction(
        id="source",
        text=f"Get {first.source} working again."
        if first.configured
        else f"Load the {first.stream} of {first.source} again.",
        why=f"{first.source}/{first.stream} failed last time: {one_line(first.last_error or '', 160)}",
        how=refresh(first),
        screen="sources",
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
        screen="budgets",
    )


def _gate(gate: Gate) -> NextAction | None:
    if gate.open:
        return None
    if blind(gate):
        return NextAction(
            id="traces",
            text="Load AI traces.",
            why="The gate cannot be judged without them, and phases 2 to 6 wait for it.",
            how=to_judge_by(gate),
            screen="flywheel",
        )
    missed = next(item for item in gate.criteria if not item.met)
    return NextAction(
        id=missed.id,
        text=f"Bring {missed.title} to {amount(missed.threshold, 'ratio')}.",
        why=f"It is {quantity(missed.value)}, and the gate is no-go until then."
        + (f" Worst: {missed.worst[0].name}." if missed.worst else ""),
        how=missed.next_step,
        screen="flywheel",
    )


def _cycle(flywheel: Flywheel) -> NextAction | None:
    if flywheel.cycle is not None:
        return None
    return NextAction(
        id="cycle",
        text="Open the first cycle.",
        why="Documents and ticks of the phases belong to a cycle.",
        how="g f, then N; or aether-tui playbook next-cycle",
        screen="flywheel",
    )


def _stale(sources: Sources) -> NextAction | None:
    stale = not_fresh(sources.streams).get("stale")
    if not stale:
        return None
    oldest = max(stale, key=lambda item: float("inf") if item.age_s is None else item.age_s)
    when = "has never succeeded" if oldest.age_s is None else f"last succeeded {age(oldest.age_s)} ago"
    return NextAction(
        id="stale",
        text=f"Refresh {plural(len(stale), 'stale stream')}.",
        why=f"{oldest.source}/{oldest.stream} {when}; the numbers here are as old.",
        how=refresh(oldest),
        screen="sources",
    )


def _aged(aged: Aged | None) -> NextAction | None:
    if aged is None:
        return None
    return NextAction(id="aged", text=aged.text, why=aged.why, how=aged.how, screen=aged.screen)


def _unfinished(documents: Documents, kinds: Iterable[str]) -> NextAction | None:
    """The first document of these kinds that lacks something, in the order of the kinds."""
    there = [name for name in kinds if KINDS.place(name, documents.workspace).exists()]
    found = [(name, one) for name in there for one in documents.of(KINDS[name]) if one.lacks()]
    if not found:
        return None
    kind, first = found[0]
    others = f" {len(found)} such documents are open in all." if len(found) > 1 else ""
    why, how, screen = _left(kind, first)
    return NextAction(
        id=kind, text=f"Finish {one_line(_called(first), 120)}.", why=why + others, how=how, screen=screen
    )


def _left(kind: str, one: Document) -> tuple[str, str, str]:
    """Why a document is not finished, how to finish it, and on which screen."""
    from aether_tui.workspace.kinds.failure_review import FailureReview
    from aether_tui.workspace.kinds.interview import Interview

    if isinstance(one, Interview):
        why = f"It was begun on {one.started:%Y-%m-%d} and left after {plural(len(one.answers), 'answer')}."
        return why, "g i, then ↵ on it: it resumes where it was left", "interview"
    if isinstance(one, FailureReview) and one.traces:
        bare = sum(not item.cause for item in one.traces)
        return (
            f"{bare} of {plural(len(one.traces), 'failed trace')} have no cause yet.",
            "g k: one digit a cause",
            "constraint",
        )
    lacks = one.lacks()
    named = ", ".join(map(key_words, lacks[:4])) + (" …" if len(lacks) > 4 else "")
    return f"It lacks {named}.", f"aether-tui doc edit {kind} {one.id}", SHOWN.get(kind, "")


SHOWN = {
    "experiment": "experiments", "ritual": "rituals", "canvas": "canvas", "decision-right": "canvas", "agreement": "canvas",
    "team": "canvas", "event": "canvas", "tool": "canvas", "decision": "decisions", "postmortem": "decisions",
    "commitment": "decisions",
}  # fmt: skip
"""Screens that show documents of a kind."""


def _called(one: Document) -> str:
    """Its id, and its title where it has one."""
    named = getattr(one, "title", "") or getattr(one, "decision", "")
    return f"{one.id}, {named}" if named else one.id.replace("-", " ") if one.SINGLE else one.id


def _item(flywheel: Flywheel) -> NextAction | None:
    item = next_item(flywheel)
    if item is None:
        return None
    return NextAction(
        id=item.id,
        text=f"{item.text}.",
        why=f"{position(flywheel)}; {item.evidence}.",
        how=item.next_step,
        screen="flywheel",
    )


def _rest(flywheel: Flywheel) -> NextAction:
    return NextAction(
        id="next-cycle",
        text="Open the next cycle.",
        why=f"Every item of {flywheel.cycle} is done.",
        how="g f, then N; or aether-tui playbook next-cycle",
        screen="flywheel",
    )
