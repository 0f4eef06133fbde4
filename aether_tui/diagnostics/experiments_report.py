"""The experiments report: measured by `experiments_measure`, put into words by `experiments_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_tui.diagnostics import experiments_words as words
from aether_tui.diagnostics.experiments_measure import Experiments, item_of
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.report_model import Finding, Report
from aether_tui.text import one_line
from aether_tui.workspace.document import number_of
from aether_tui.workspace.kinds.experiment import Experiment

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[Experiments]:
    """The report."""
    found = [item_of(one, data, documents.config, clock) for one in documents.of(Experiment)]
    order = ("running", "reviewed", "draft", "decided", "codified")
    found.sort(key=lambda pair: (order.index(pair[0].state), number_of(pair[0].id)))
    items = tuple(item for item, _ in found)
    broken = tuple(
        Finding(
            id=f"experiments.broken.{number}",
            severity="bad",
            text=one_line(problem.sentence(), 400),
            action="doc validate",
        )
        for number, problem in enumerate(documents.problems)
        if "/experiments/" in problem.file
    )
    return Report(
        report="experiments", title="Experiments", as_of=clock.now, window=clock.window, data=Experiments(items=items),
        headline=words.headline(items), findings=(*broken, *words.findings(items)), freshness=data.freshness(),
        blocks=words.blocks(items, [one for _, one in found]),
    )  # fmt: skip
