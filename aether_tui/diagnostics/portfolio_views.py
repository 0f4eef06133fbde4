"""Two other looks at the portfolio: which single input would change the order, and impact against effort."""

from __future__ import annotations

from aether_tui.diagnostics import icep, metrics
from aether_tui.diagnostics.portfolio_measure import Item
from aether_tui.human import number
from aether_tui.report_model import Cell, Col, Plot, Point, Row, Series, Table

INPUTS: tuple[icep.Input, ...] = ("impact", "confidence", "reversibility", "effort_weeks")
SHOWN = 40
EASY = 6.0
"""Reversibility from which a thing counts as easily undone."""
SIZES = ((7.0, "●", "○"), (4.0, "•", "◦"), (0.0, "▴", "▵"))
"""From this confidence on: the glyph of what is easily undone, and of what is not."""


def tornado(items: tuple[Item, ...]) -> Table:
    """Per opportunity and input, the value at which it changes places with its neighbour."""
    return Table(
        id="portfolio.tornado",
        title="What would change the order",
        columns=(
            Col(key="id", title="id", priority=9),
            Col(key="title", title="opportunity", priority=6),
            Col(key="other", title="with", priority=8),
            Col(key="impact", title="I", kind="number", priority=7),
            Col(key="confidence", title="C", kind="number", priority=7),
            Col(key="reversibility", title="R", kind="number", priority=7),
            Col(key="effort", title="E wk", kind="number", priority=7),
        ),
        rows=tuple(_tornado_row(item) for item in items[:SHOWN]),
        note="now → where it changes places; ! in range" + (f"; first {SHOWN}" if len(items) > SHOWN else ""),
        empty="Nothing is ranked.",
    )


def _tornado_row(item: Item) -> Row:
    now = {
        "impact": item.impact,
        "confidence": item.confidence,
        "reversibility": item.reversibility,
        "effort_weeks": item.effort_weeks,
    }
    at = {flip.input: flip for flip in item.flips}
    cells: list[Cell] = []
    for name in INPUTS:
        flip = at.get(name)
        mark = "!" if flip is not None and flip.likely else ""
        cells.append("—" if flip is None else f"{number(now[name][1])}→{number(round(flip.at, 2))}{mark}")
    other = item.flips[0].other if item.flips else "—"
    return Row(
        id=item.id,
        cells=(item.id, item.title, other, *cells),
        detail=item.flip or "no single input changes its place",
        why=metrics.why("portfolio.flip"),
    )


def portfolio_map(items: tuple[Item, ...]) -> Plot:
    """Impact against effort: the glyph's size is confidence, filled is easily undone."""
    series = []
    for place, (least, easy, hard) in enumerate(SIZES):
        most = SIZES[place - 1][0] if place else 11.0
        for glyph, undone in ((easy, True), (hard, False)):
            points = tuple(
                Point(x=item.effort_weeks[1], y=item.impact[1], id=item.id, label=item.id)
                for item in items[:SHOWN]
                if least <= item.confidence[1] < most and (item.reversibility[1] >= EASY) == undone
            )
            if points:
                sure = f"confidence {least:g}–{min(most, 10):g}" if place else f"confidence from {least:g}"
                words = "easily undone" if undone else "hard to undo"
                series.append(Series(label=f"{sure}, {words}", points=points, kind="points", glyph=glyph))
    quick = [item.id for item in items[:SHOWN] if item.effort_weeks[1] <= 2 and item.impact[1] >= 7]
    text = f"Impact against effort of the first {min(len(items), SHOWN)}: "
    text += (
        f"high impact within two weeks: {', '.join(quick[:8])}."
        if quick
        else "none has an impact of 7 within two weeks."
    )
    return Plot(
        id="portfolio.map",
        title="Impact against effort",
        series=tuple(series),
        text=text,
        x_title="weeks to the first signal",
        y_title="impact",
        marks=((2.0, "quick"), (6.0, "medium")),
        note="Size is confidence; filled is easily undone.",
        why=metrics.why("portfolio.score"),
    )
