"""The rituals report: measured by `rituals_measure`, put into words by `rituals_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import rituals_words as words
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.rituals_measure import Rituals, measure, unwritten
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[Rituals]:
    """The report."""
    from aether_tui.workspace.kinds.ritual import Ritual as Sheet

    measured = measure(
        documents.of(Sheet), documents.decisions, clock.now.date(), documents.config.engagement.currency, clock.seed
    )
    return Report(
        report="rituals",
        title="Rituals",
        as_of=clock.now,
        window=clock.window,
        data=measured,
        headline=words.headline(measured),
        findings=(*words.findings(measured), *words.named(unwritten(documents, clock))),
        blocks=words.blocks(measured),
    )
