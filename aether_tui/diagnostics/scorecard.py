"""The scorecard report: measured by `scorecard_measure`, put into words by `scorecard_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from aether_tui.diagnostics import discovery
from aether_tui.diagnostics import scorecard_words as words
from aether_tui.diagnostics.delivery import editions
from aether_tui.diagnostics.scorecard_measure import Scorecard, measure
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.diagnostics.frame import Clock, Data
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[Scorecard]:
    """The report."""
    unable = data.unfiltered("scorecard_changes", ("environment",))
    if not unable:
        data.together("scorecard_changes", "scorecard_deployments", "scorecard_incidents")
    rows = {name: [] if unable else data.rows(f"scorecard_{name}") for name in ("changes", "deployments", "incidents")}
    card = measure(
        rows["changes"], rows["deployments"], rows["incidents"], clock, editions()[documents.config.scorecard.edition]
    )
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
