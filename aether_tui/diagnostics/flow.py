"""The flow report: measured by `flow_measure`, put into words by `flow_words`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from aether_tui.diagnostics import flow_defects as defects
from aether_tui.diagnostics import flow_findings as said
from aether_tui.diagnostics import flow_words as words
from aether_tui.diagnostics import wip as limits
from aether_tui.diagnostics.flow_measure import Flow, measure
from aether_tui.report_model import Report

if TYPE_CHECKING:
    from aether_tui.diagnostics.frame import Clock, Data, Question
    from aether_tui.workspace.documents import Documents


def _unable(data: Data) -> tuple[str, ...]:
    return data.unfiltered("flow_finished", ("environment",))


def asks(data: Data, _documents: Documents, _clock: Clock) -> tuple[Question, ...]:
    """What it asks that hangs on no other answer."""
    queries = ("flow_ageing", "flow_finished", "flow_load", "flow_time", "flow_weekly", "flow_defects", "freshness")
    counts = () if data.filters.feature else ("flow_counts",)
    return () if _unable(data) else tuple((name, {}) for name in (*queries, *counts))


def build(data: Data, documents: Documents, clock: Clock) -> Report[Flow]:
    """The report."""
    data.together(*asks(data, documents, clock))
    unable = _unable(data)
    rows = {
        name: [] if unable else data.rows(f"flow_{name}") for name in ("finished", "load", "weekly", "ageing", "time")
    }
    if clock.window.end < clock.now and not unable:  # what is queued now was not all of it then
        rows["load"] = [{**row, **then} for row, then in zip(rows["load"], data.rows("flow_queued"), strict=True)]
    counts = [] if unable or data.filters.feature else data.rows("flow_counts")
    flow = measure(rows["finished"], rows["load"], rows["weekly"], rows["ageing"], rows["time"], counts, clock)
    flow = structs.replace(flow, defects=defects.measure([] if unable else data.rows("flow_defects")))
    held = (
        None
        if unable or flow.wip.value is None
        else limits.measure(
            data.rows("flow_limits") if limits.agreed(documents.config.wip) else (),
            documents.config.wip,
            {},
            people=False,
        )
    )
    return Report(
        report="flow",
        title="Flow",
        as_of=clock.now,
        window=clock.window,
        data=flow,
        headline=said.headline(flow),
        findings=(*said.findings(flow), *limits.findings(held)),
        freshness=data.freshness(),
        blocks=words.blocks(
            flow, data, unable, (*limits.blocks(held, documents.config.wip, data), *defects.blocks(flow.defects, data))
        ),
    )
