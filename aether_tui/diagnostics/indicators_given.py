"""Rows of the lenses' indicators that documents give: decisions of the ledger, and items whose effect somebody measures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from aether_tui.diagnostics.discovery import items_named
from aether_tui.diagnostics.frame import Data, Record, text
from aether_tui.diagnostics.indicators import Given
from aether_tui.records.model import Value

if TYPE_CHECKING:
    from datetime import date

    from aether_tui.workspace.documents import Documents

DAY_S = 86_400.0


def rows(data: Data, documents: Documents) -> Given:
    """By what `indicators.json` calls them."""
    return {"decisions": _decisions(documents), "released": _released(data, documents)}


def _decisions(documents: Documents) -> list[Record]:
    """Decisions that were taken: the day, and the seconds since the question was raised (a list of one, as queries give)."""
    return [
        {"day": _midnight(one.decided), "x": cast(Value, ((one.decided - one.raised).days * DAY_S,))}
        for one in documents.decisions
        if one.decided is not None
    ]


def _released(data: Data, documents: Documents) -> list[Record]:
    """Items that were released: the day, and whether an experiment with a primary metric is about them."""
    from aether_tui.workspace.kinds.experiment import Experiment

    measured = {
        key
        for one in documents.of(Experiment)
        if one.primary and not one.process
        for key in items_named(documents, one.opportunity)
    }
    return [
        {"day": row["released"], "k": int(text(row["key"]).upper() in measured), "n": 1}
        for row in data.rows("discovery_items")
        if isinstance(row["released"], datetime)
    ]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 (rows are naive UTC)
