"""The pipeline report: measured by `pipeline_measure`, put into words by `pipeline_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import pipeline_words as words
from aether_tui.diagnostics.frame import Clock, Data, Question
from aether_tui.diagnostics.pipeline_measure import Pipeline, measure, questions
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def asks(data: Data, _documents: Documents, clock: Clock) -> tuple[Question, ...]:
    """What it asks that hangs on no other answer."""
    return questions(data, clock)


def build(data: Data, documents: Documents, clock: Clock) -> Report[Pipeline]:
    """The report."""
    found = measure(data, clock, frozenset(documents.config.mapping.phases.values()))
    return Report(
        report="pipeline",
        title="Pipeline",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=words.headline(found),
        findings=words.findings(found),
        freshness=data.freshness(),
        blocks=words.blocks(found, data),
    )
