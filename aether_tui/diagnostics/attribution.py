"""The attribution report: measured by `attribution_measure`, put into words by `attribution_words`."""

from __future__ import annotations

from aether_tui.diagnostics import attribution_words as words
from aether_tui.diagnostics.attribution_measure import Attribution, measure
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.report_model import Report
from aether_tui.workspace.documents import Documents


def build(data: Data, _documents: Documents, clock: Clock) -> Report[Attribution]:
    """The report."""
    found = measure(data, clock)
    return Report(
        report="attribution",
        title="Attribution",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=words.headline(found),
        findings=words.findings(found),
        freshness=data.freshness(),
        blocks=words.blocks(found, data),
    )
