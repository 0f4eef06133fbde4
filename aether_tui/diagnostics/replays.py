"""The replays report: measured by `replays_measure`, put into words by `replays_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import replays_words as words
from aether_tui.diagnostics.frame import Clock, Data, text
from aether_tui.diagnostics.replays_measure import Replays, measure
from aether_tui.ingest.said import answered
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[Replays]:
    """The report over the window."""
    return _report(data, clock, None)


def of_run(data: Data, clock: Clock, run: str) -> Report[Replays]:
    """The report of one run."""
    return _report(data, clock, run)


def _report(data: Data, clock: Clock, run: str | None) -> Report[Replays]:
    found = measure(data, run)
    said = {}
    if found.runs:
        rows = data.rows("replays_said", run=found.runs[0].run)
        said = {
            (text(row["trace_id"]), text(row["span_id"])): answered(text(row["completion"]))
            for row in rows
            if row["completion"]
        }
    return Report(
        report="replays", title="Replays", as_of=clock.now, window=clock.window, data=found, headline=words.headline(found),
        findings=words.findings(found), freshness=data.freshness(), blocks=words.blocks(found), details=words.details(found, said),
    )  # fmt: skip
