"""The constraint report: measured by `constraint_measure`, put into words by `constraint_words`."""

from __future__ import annotations

from aether_tui.diagnostics import constraint_failures as failures
from aether_tui.diagnostics import constraint_words as words
from aether_tui.diagnostics.constraint_indicators import hardest_name, indicators
from aether_tui.diagnostics.constraint_measure import Constraint, diagnosed
from aether_tui.diagnostics.constraint_streams import StreamChoice
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.report_model import Report
from aether_tui.workspace.documents import Documents
from aether_tui.workspace.kinds.failure_review import FailureReview
from aether_tui.workspace.kinds.value_stream import ValueStream


def build(data: Data, documents: Documents, clock: Clock) -> Report[Constraint]:
    """The report."""
    streams, reviews = documents.of(ValueStream), documents.of(FailureReview)
    review = reviews[-1] if reviews else None
    solution, reason = None, "nobody has written a value stream down"
    choices: tuple[StreamChoice, ...] = ()
    if streams:
        solution, reason, choices = diagnosed(streams, data.filters.feature, clock.seed)
    found = Constraint(
        solution=solution,
        reason=reason or None,
        indicators=indicators(data),
        hardest=hardest_name(data),
        failures=failures.measure(review) if review else None,
        streams=choices,
    )
    return Report(
        report="constraint",
        title="Constraint",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=words.headline(found),
        findings=words.findings(found, data.filters),
        freshness=data.freshness(),
        blocks=words.blocks(found, review, data),
    )
