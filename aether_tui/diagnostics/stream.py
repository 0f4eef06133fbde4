"""The value stream map: steps of requests and of work items, as counted and as stated (diagnostics D)."""

from __future__ import annotations

from msgspec import Struct

from aether_tui.diagnostics import stream_words as words
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.stream_measure import Map, counted, document_of, measure
from aether_tui.report_model import Report
from aether_tui.workspace.documents import Documents
from aether_tui.workspace.kinds.value_stream import ValueStream


class Streams(Struct, frozen=True, kw_only=True):
    """All requests, request categories by failures, work items; `documents` counted nothing for."""

    maps: tuple[Map, ...]
    uncounted: tuple[str, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Streams]:
    """The report."""
    written = documents.of(ValueStream)
    maps = tuple(measure(one, document_of(one, written), clock) for one in counted(data))
    used = {one.document for one in maps}
    found = Streams(maps=maps, uncounted=tuple(one.id for one in written if one.id not in used))
    return Report(
        report="value-stream",
        title="Value stream",
        as_of=clock.now,
        window=clock.window,
        data=found,
        headline=words.headline(maps),
        findings=words.findings(maps),
        freshness=data.freshness(),
        blocks=words.blocks(maps, found.uncounted, data),
        details=words.details(maps),
    )
