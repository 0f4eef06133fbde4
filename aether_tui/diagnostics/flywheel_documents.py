"""Which documents show that an item of the flywheel is done, and what the others still lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.cycle import Artifact, Cycle
    from aether_tui.workspace.kinds.experiment import Experiment


@dataclass(frozen=True, slots=True)
class Written:
    """A document that speaks for an item; it counts when it lacks nothing."""

    name: str
    when: date | None = None
    lacks: str = ""


def written(artifact: str, documents: Documents, cycle: Cycle) -> tuple[Written, ...]:
    """Documents of the kind an item asks for: what the cycle lists as artifacts, then documents of their own kind.

    A document counts for a cycle when it was made since the cycle began, or does not say when.
    """
    listed = [_artifact(one) for one in cycle.artifacts if one.kind == artifact]
    found = _FINDERS[artifact](documents, cycle) if artifact in _FINDERS else iter(())
    return (*listed, *found)


def _artifact(one: Artifact) -> Written:
    if one.who and one.when:
        return Written(one_line(f"{one.title} ({one.who}, {one.when})"), one.when)
    return Written(one_line(one.title), one.when, "who or when")


def done_on(artifact: str, least: int, documents: Documents, cycle: Cycle) -> date | None:
    """The day from which enough documents were there; None while they are not, or do not say when."""
    days = sorted(
        one.when
        for one in written(artifact, documents, cycle)
        if one.when and one.when >= cycle.started and not one.lacks
    )
    return days[least - 1] if len(days) >= least else None


HOW: dict[str, tuple[str, str]] = {
    "north-star": ("aether-tui doc new north-star", "north-star"),
    "interview": ("g i, then ↵ on Stakeholder interview", "go.interview"),
    "priorities": ("g i, then ↵ on Stakeholder interview", "go.interview"),
    "task-taxonomy": ("g x, then B builds it from kept requests; aether-tui taxonomy build FILE from a file", "go.taxonomy"),
    "value-stream-map": ("g v, then n writes down what was counted; by hand: aether-tui doc new value-stream", "go.stream"),
    "constraint-diagnosis": ("g k, then N draws failed traces to be reviewed; or aether-tui failures sample", "go.constraint"),
    "experiment-one-pager": ("g e, then n, or f on one; aether-tui experiment check says what is missing", "go.experiments"),
    "experiment-result": ("g e, then m; or aether-tui experiment result ID", "go.experiments"),
    "observation": ("g e, then o; or aether-tui experiment observe ID", "go.experiments"),
    "playbook-entry": ("g e, then c; or aether-tui experiment codify ID", "go.experiments"),
}  # fmt: skip
"""What writes the document an item asks for, and `Check.opens`; other kinds are artifacts of the cycle."""


def _here(made: date | None, cycle: Cycle) -> bool:
    return made is None or made >= cycle.started


def _taxonomy(documents: Documents, cycle: Cycle) -> Iterator[Written]:
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

    for one in documents.of(Taxonomy)[-1:]:
        yield Written(f"{one.id}, {len(one.categories)} kinds of {one.texts:,} texts", one.built.date())


def _north_star(documents: Documents, cycle: Cycle) -> Iterator[Written]:
    from aether_tui.workspace.kinds.north_star import NorthStar

    for one in documents.of(NorthStar):
        lacks = [*one.lacks(), *(() if one.signed_by and one.signed else ("who signed, and when",))]
        yield Written(one_line(one.metric or "north star"), one.signed, ", ".join(lacks))


def _interviews(documents: Documents, cycle: Cycle) -> Iterator[Written]:
    from aether_tui.workspace.kinds.interview import Interview

    for one in documents.of(Interview):
        if one.questionnaire == "stakeholder" and _here(one.started.date(), cycle):
            heard = ", ".join(person.role or person.function for person in one.people)
            yield Written(
                one_line(f"{one.id} ({heard}, {one.started.date()})"), one.started.date(), _open(one.finished is None)
            )


def _open(unfinished: bool) -> str:
    return "answers to its open questions" if unfinished else ""


def _value_streams(documents: Documents, cycle: Cycle) -> Iterator[Written]:
    from aether_tui.workspace.kinds.value_stream import ValueStream

    for one in documents.of(ValueStream):
        if _here(one.created, cycle):
            yield Written(one_line(f"{one.id} {one.title}"), one.created)


def _diagnosed(documents: Documents, cycle: Cycle) -> Iterator[Written]:
    from aether_tui.workspace.kinds.failure_review import FailureReview

    for one in documents.of(FailureReview):
        if _here(one.created, cycle):
            bare = sum(not trace.cause for trace in one.traces)
            lacks = f"the cause of {bare} of {len(one.traces)} traces" if bare else "" if one.traces else "a sample"
            yield Written(one_line(f"{one.id} {one.title}"), one.created, lacks)


def _experiments(
    speaks: Callable[[Experiment], str | None],
) -> Callable[[Documents, Cycle], Iterator[Written]]:
    """Experiments of the cycle for which `speaks` is not None; it says what they lack."""

    def find(documents: Documents, cycle: Cycle) -> Iterator[Written]:
        from aether_tui.workspace.kinds.experiment import Experiment

        for one in documents.of(Experiment):
            if (one.cycle == cycle.id) if one.cycle else _here(one.created, cycle):
                lacks = speaks(one)
                if lacks is not None:
                    yield Written(one_line(f"{one.id} {one.title}"), one.ended or one.started or one.created, lacks)

    return find


def _one_pager(one: Experiment) -> str | None:
    from aether_tui.workspace.kinds.experiment import missing

    return ", ".join(gap.field for gap in missing(one)[:4])


def _result(one: Experiment) -> str | None:
    return None if not (one.results or one.periods or one.decision) else "" if one.decision else "a decision"


def _observed(one: Experiment) -> str | None:
    return "" if one.observations else None


def _playbook(documents: Documents, cycle: Cycle) -> Iterator[Written]:
    from aether_tui.workspace.kinds.playbook import PlaybookEntry

    for one in documents.of(PlaybookEntry):
        if _here(one.created, cycle) and not one.origin:
            yield Written(one_line(f"{one.id} {one.title}"), one.created)


_FINDERS: dict[str, Callable[[Documents, Cycle], Iterator[Written]]] = {
    "north-star": _north_star,
    "interview": _interviews,
    "priorities": _interviews,
    "task-taxonomy": _taxonomy,
    "value-stream-map": _value_streams,
    "constraint-diagnosis": _diagnosed,
    "experiment-one-pager": _experiments(_one_pager),
    "experiment-result": _experiments(_result),
    "observation": _experiments(_observed),
    "playbook-entry": _playbook,
}
