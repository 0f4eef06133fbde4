"""The gains report: measured by `gains_measure`, put into words by `gains_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import gains_words as words
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.gains_measure import Gains, measure
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[Gains]:
    """The report."""
    found = measure(data, documents, clock)
    return Report(
        report="gains", title="Gains", as_of=clock.now, window=clock.window, data=found, headline=words.headline(found),
        findings=words.findings(found), freshness=data.freshness(), blocks=words.blocks(found, data),
    )  # fmt: skip
