"""The scorecard report: measured by `scorecard_measure`, put into words by `scorecard_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from aether_tui.diagnostics import discovery
from aether_tui.diagnostics import scorecard_words as words
from aether_tui.diagnostics.delivery import editions
from aether_tui.diagnostics.scorecard_measure import LISTED, Scorecard, measure
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.diagnostics.frame import Clock, Data
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[Scorecard]:
    """The report."""
    unable = data.unfiltered("scorecard_changes", ("environment",))
    asked = {"most": LISTED}
    others = () if unable else ("scorecard_deployments", "scorecard_incidents")
    data.together(
        *others, "discovery_items", "readout_usage", "row_counts", "freshness",
        **({} if unable else {"scorecard_changes": asked}),
    )  # fmt: skip
    changes = [] if unable else data.rows("scorecard_changes", **asked)
    deployments, incidents = (data.rows(name) for name in others) if others else ([], [])
    card = measure(changes, deployments, incidents, clock, editions()[documents.config.scorecard.edition])
    found = discovery.measure(data, documents, clock)
    card = structs.replace(card, discovery=found)
    return Report(
        report="scorecard",
        title="Scorecard",
        as_of=clock.now,
        window=clock.window,
        data=card,
        headline=words.headline(card),
        findings=words.findings(card),
        freshness=data.freshness(),
        blocks=words.blocks(card, data, unable, () if unable else discovery.blocks(found, data)),
    )
