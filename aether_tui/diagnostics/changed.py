"""The report of what changed: measured by `changed_measure`, put into words by `changed_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import changed_words as words
from aether_tui.diagnostics.changed_measure import Changed, look
from aether_tui.diagnostics.changed_series import questions
from aether_tui.diagnostics.frame import Clock, Data, Question
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def asks(_data: Data, documents: Documents, clock: Clock) -> tuple[Question, ...]:
    """What it asks that hangs on no other answer."""
    return questions(clock, documents.config.engagement.currency)


def build(data: Data, documents: Documents, clock: Clock) -> Report[Changed]:
    """The report."""
    from aether_tui.diagnostics import commitments

    found = look(data, documents, clock)
    ledger = commitments.measure(data, documents, clock)
    promised = commitments.blocks(ledger) if ledger.promises else ()
    return Report(
        report="anomalies",
        title="What changed",
        as_of=clock.now,
        window=clock.window,
        data=found.changed,
        headline=words.headline(found.changed),
        findings=words.findings(found.changed),
        freshness=data.freshness(),
        blocks=(*promised, *words.blocks(found.changed, data), *words.narrowed(data)),
        details=words.details(found),
    )
