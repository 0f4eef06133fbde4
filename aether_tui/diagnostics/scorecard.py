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
    from aether_tui.diagnostics.frame import Clock, Data, Question
    from aether_tui.workspace.documents import Documents


_OWN: tuple[Question, ...] = (
    ("scorecard_changes", {"most": LISTED}), ("scorecard_deployments", {}), ("scorecard_incidents", {}),
)  # fmt: skip


def _unable(data: Data) -> tuple[str, ...]:
    return data.unfiltered("scorecard_changes", ("environment",))


def asks(data: Data, _documents: Documents, _clock: Clock) -> tuple[Question, ...]:
    """What it asks that hangs on no other answer."""
    others: tuple[Question, ...] = (
        ("discovery_items", {}), ("readout_usage", {}), ("row_counts", {}), ("freshness", {}),
    )  # fmt: skip
    return others if _unable(data) else (*_OWN, *others)


def build(data: Data, documents: Documents, clock: Clock) -> Report[Scorecard]:
    """The report."""
    data.together(*asks(data, documents, clock))
    unable = _unable(data)
    changes, deployments, incidents = ([] if unable else data.rows(name, **params) for name, params in _OWN)
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
