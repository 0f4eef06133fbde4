"""The lens report: measured by `lens_measure`, put into words by `lens_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from aether_tui.diagnostics import lens_words as words
from aether_tui.diagnostics import windows
from aether_tui.diagnostics.frame import Clock, Data, Question
from aether_tui.diagnostics.lens_measure import Lenses, last_published, of, questions
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def asks(_data: Data, documents: Documents, clock: Clock) -> tuple[Question, ...]:
    """What it asks that hangs on no other answer."""
    return questions(documents, clock)


def build(data: Data, documents: Documents, clock: Clock) -> Report[Lenses]:
    """The report."""
    lenses = of(data, documents, clock)
    lenses = msgspec.structs.replace(lenses, published=last_published(documents, clock))
    return Report(
        report="lens",
        title="3-Lens",
        as_of=clock.now,
        window=clock.window,
        data=lenses,
        headline=words.headline(lenses),
        findings=words.findings(lenses, windows.called(clock.previous)),
        freshness=data.freshness(),
        blocks=words.blocks(lenses, data),
    )
