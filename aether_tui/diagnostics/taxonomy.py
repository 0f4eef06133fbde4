"""The taxonomy report: measured by `taxonomy_measure`, put into words by `taxonomy_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import taxonomy_words as words
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.taxonomy_measure import Map, measure
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[Map]:
    """The report."""
    found = measure(data, documents)
    return Report(
        report="taxonomy", title="Task taxonomy", as_of=clock.now, window=clock.window, data=found,
        headline=words.headline(found), findings=words.findings(found), freshness=data.freshness(), blocks=words.blocks(found),
    )  # fmt: skip
