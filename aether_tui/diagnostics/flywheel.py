"""The flywheel: seven phases of the running cycle as checklists, with the gate between phases 1 and 2 (diagnostics A)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import gate as gating
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.report_model import (
    Report,
)

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

from aether_tui.diagnostics import flywheel_words as words
from aether_tui.diagnostics.flywheel_measure import Flywheel, measure, questions


def build(data: Data, documents: Documents, clock: Clock) -> Report[Flywheel]:
    """The report."""
    data.together(*questions(documents, clock))
    gate = gating.measure(data, documents, clock)
    flywheel = measure(data, documents, clock, gate)
    return Report(
        report="flywheel",
        title="Flywheel",
        as_of=clock.now,
        window=gating.window(clock, documents.config.gate.window_days),
        data=flywheel,
        headline=words.headline(flywheel, gate),
        findings=words.findings(flywheel, gate),
        freshness=data.freshness(),
        blocks=words.blocks(flywheel, gate),
    )
