"""Who said what: people of interviews under the names an export may show, and values stated for indicators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.report_model import Quantity
from aether_tui.workspace.anonymous import labels

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.interview import Interview


class Said(Struct, frozen=True, kw_only=True):
    """A value that somebody stated for an indicator, by an answer from 1 to 5."""

    indicator: str
    question: str
    value: float
    answer: int
    who: str
    when: datetime
    interview: str


def interviews(documents: Documents, until: datetime) -> tuple[Interview, ...]:
    """Interviews begun by `until` (aware), by number."""
    from aether_tui.workspace.kinds.interview import Interview

    found = documents.of(Interview)
    return tuple(one for one in found if one.started.replace(tzinfo=UTC) <= until)


def stated(documents: Documents, until: datetime) -> dict[str, tuple[Said, ...]]:
    """Indicator id → values people stated for it, one per person (their newest), anonymised."""
    from aether_tui.workspace.questions import load

    found = interviews(documents, until)
    asked = {
        one.id: one for sheet in load(documents.workspace).questionnaires.values() for one in sheet.questions if one.indicator
    } if found else {}  # fmt: skip
    told = labels(found)
    newest: dict[tuple[str, str], Said] = {}
    for interview in found:
        for answer in interview.answers:
            question = asked.get(answer.question)
            if question is None or not answer.value or question.values is None:
                continue
            newest[question.indicator, answer.who] = Said(
                indicator=question.indicator,
                question=question.id,
                value=question.values[answer.value - 1],
                answer=answer.value,
                who=told[answer.who],
                when=answer.when.replace(tzinfo=UTC),
                interview=interview.id,
            )
    values: dict[str, tuple[Said, ...]] = {}
    for (indicator, _), said in newest.items():
        values[indicator] = (*values.get(indicator, ()), said)
    return values


def middle(said: Sequence[Said], unit: str) -> Quantity:
    """The median of stated values with their range and n, marked as stated."""
    values = [one.value for one in said]
    return Quantity(value=median(values), unit=unit, n=len(values), low=min(values), high=max(values), stated=True)
