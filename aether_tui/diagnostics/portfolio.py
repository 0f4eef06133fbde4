"""The portfolio report: measured by `portfolio_measure`, other looks by `portfolio_views`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from aether_tui.diagnostics import icep, metrics
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.portfolio_calibration import Calibration, calibrate
from aether_tui.diagnostics.portfolio_calibration import table as calibration_table
from aether_tui.diagnostics.portfolio_measure import Item, Portfolio, inputs, measure
from aether_tui.diagnostics.portfolio_views import portfolio_map, tornado
from aether_tui.human import amount, number
from aether_tui.report_model import Block, Col, Fact, Facts, Finding, Gap, Prose, Quantity, Report, Row, Table
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

DRAFTED = 40
"""Rows of a draft whose detail says what would move them."""
ADD = 'aether-tui opportunity add "TITLE" --impact 7 --confidence 5 --effort-weeks 3 --reversibility 8'
SHORT = {
    "quick win": "quick win", "medium experiment": "medium", "strategic bet": "bet", "unbanded": "unbanded",
    "low score": "low score",
}  # fmt: skip


def build(data: Data, documents: Documents, clock: Clock) -> Report[Portfolio]:
    """The report."""
    from aether_tui.workspace.kinds.experiment import Experiment

    return _report(documents, clock, icep.DRAWS, found=calibrate(documents.opportunities, documents.of(Experiment)))


def draft(documents: Documents, clock: Clock) -> tuple[Report[Portfolio], bool]:
    """The order of the points alone, in milliseconds, and whether anything was left: ranges undrawn, rows without a flip."""
    report = _report(documents, clock, 0, DRAFTED)
    items = report.data.items
    return report, len(items) > DRAFTED or any(low < high for item in items for low, _, high in inputs(item))


def _report(
    documents: Documents, clock: Clock, draws: int, flips_of: int | None = None, found: tuple[Calibration, ...] = ()
) -> Report[Portfolio]:
    high = documents.config.portfolio.high_score
    portfolio = structs.replace(measure(documents.opportunities, high, clock.seed, draws, flips_of), calibration=found)
    return Report(
        report="portfolio",
        title="Portfolio",
        as_of=clock.now,
        window=clock.window,
        data=portfolio,
        headline=headline(portfolio),
        findings=findings(portfolio),
        blocks=(*anchors(documents), *blocks(portfolio)),
    )


def rank_text(item: Item) -> str:
    """`1`, or the 90 % interval `1–4`."""
    return str(item.rank_low) if item.rank_low == item.rank_high else f"{item.rank_low}–{item.rank_high}"


def headline(portfolio: Portfolio) -> str:
    """What to do first, and how sure that is."""
    if not portfolio.items:
        return "No opportunity is written down yet."
    first = portfolio.items[0]
    sure = f", first in {amount(first.p_first, 'ratio')} of draws" if first.p_first is not None else ""
    sure += f", a tie with {first.tie_with}" if first.tie_with else ""
    return f"{first.id} {first.title} leads with {number(first.score)} ({first.bucket}{sure})."


def findings(portfolio: Portfolio) -> tuple[Finding, ...]:
    """What a reader should not miss: ties at the top, a first place that rests on nothing, unbanded work."""
    found = [
        Finding(
            id=f"portfolio.tie.{item.id}",
            severity="info",
            text=f"{item.id} and {item.tie_with} are a tie: the upper wins in {amount(item.tie_p or 0, 'ratio')} of draws.",
            evidence=(item.id, item.tie_with),
        )
        for item in portfolio.items[:3]
        if item.tie_with
    ]
    bare = [item.id for item in portfolio.items[:3] if not item.evidence]
    if bare:
        found.append(
            Finding(
                id="portfolio.evidence",
                severity="warn",
                text=f"Confidence names no evidence for {', '.join(bare)} of the top three.",
                evidence=tuple(bare),
                action=f"aether-tui opportunity edit {bare[0]}",
            )
        )
    unbanded = [item.id for item in portfolio.items if item.bucket == "unbanded"]
    if unbanded:
        found.append(
            Finding(
                id="portfolio.unbanded",
                severity="info",
                text=f"{len(unbanded)} of {len(portfolio.items)} take 7 to 25 weeks to a first signal: split or promote them.",
                evidence=tuple(unbanded),
            )
        )
    return tuple(found)


def blocks(portfolio: Portfolio) -> tuple[Block, ...]:
    """The table, how it was made, and what a reader may wonder."""
    if not portfolio.items:
        return (
            Gap(
                id="portfolio.empty",
                title="Opportunities",
                reason="Nobody has written one down. An opportunity needs a title and four numbers, and no data.",
                next_step=ADD,
                action="portfolio.new",
            ),
        )
    how = "Score = Impact × Confidence × Reversibility ÷ Effort; Effort counts 1 to 10 weeks, so 10 and 30 weeks score alike."
    if portfolio.draws:
        how += f" Ranks are 90 % intervals of {portfolio.draws:,} draws from the stated ranges."
    if portfolio.closed:
        how += f" {portfolio.closed} done or dropped are not ranked."
    high = portfolio.high_score.value or 0
    return (
        Facts(
            id="portfolio.facts",
            facts=(
                Fact(
                    id="portfolio.n",
                    label="open",
                    value=Quantity(value=len(portfolio.items), unit="count"),
                    why=metrics.why("portfolio.n"),
                ),
                Fact(
                    id="portfolio.high",
                    label="high from",
                    value=portfolio.high_score,
                    why=metrics.why("portfolio.high"),
                ),
            ),
        ),
        Table(
            id="portfolio.items",
            columns=(
                Col(key="id", title="id", priority=9),
                Col(key="title", title="opportunity", priority=10),
                Col(key="impact", title="I", kind="number", priority=6),
                Col(key="confidence", title="C", kind="number", priority=6),
                Col(key="reversibility", title="R", kind="number", priority=6),
                Col(key="effort", title="E wk", kind="number", priority=6),
                Col(key="score", title="score", kind="number", priority=9),
                Col(key="rank", title="rank", kind="number", priority=8),
                Col(key="bucket", title="bucket", priority=7),
            ),
            rows=tuple(_row(item, high) for item in portfolio.items),
        ),
        Prose(id="portfolio.how", text=how),
        tornado(portfolio.items),
        portfolio_map(portfolio.items),
        *((calibration_table(portfolio.calibration),) if portfolio.calibration else ()),
    )


def anchors(documents: Documents) -> tuple[Prose, ...]:
    """What an Impact of 1, 4, 7 and 10 means: movement of the north star, as it says; nothing while it says nothing."""
    from aether_tui.workspace.kinds.north_star import NorthStar

    star = next(iter(documents.of(NorthStar)), None)
    said = [] if star is None else [(mark, getattr(star, f"impact_{mark}")) for mark in (1, 4, 7, 10)]
    told = ", ".join(f"{mark} = {one_line(words, 120)}" for mark, words in said if words)
    if star is None or not told:
        return ()
    metric = one_line(star.metric, 120) or "the north star"
    return (Prose(id="portfolio.anchors", text=f"Impact, as movement of “{metric}”: {told}."),)


def _arithmetic(item: Item, points: Sequence[str]) -> str:
    impact, confidence, reversibility, weeks = points
    effort = weeks if 1 <= item.effort_weeks[1] <= 10 else number(item.effort_score)
    return (
        f"Impact {impact} × Confidence {confidence} × Reversibility {reversibility} ÷ Effort "
        f"{effort} ({weeks} weeks) = {item.score:,.1f}.\n" + metrics.why("portfolio.score")
    )


def _row(item: Item, high: float) -> Row:
    points = [number(mode) for _, mode, _ in inputs(item)]
    detail = []
    if item.p_first is not None and item.p_top3 is not None:
        detail.append(f"P(rank 1) {item.p_first:.2f}, P(top 3) {item.p_top3:.2f}")
    if item.tie_with:
        detail.append(f"tie with {item.tie_with} ({item.tie_p:.2f})")
    if item.flip:
        detail.append(item.flip)
    if item.history:
        detail.append("rescored " + ", ".join(item.history[-3:]))
    detail.append("evidence " + " · ".join(item.evidence) if item.evidence else "no evidence named")
    return Row(
        id=item.id,
        cells=(
            item.id,
            item.title,
            *(shown + ("±" if low < top else "") for shown, (low, _, top) in zip(points, inputs(item), strict=True)),
            f"{item.score:,.1f}",
            rank_text(item),
            SHORT[item.bucket],
        ),
        why=_arithmetic(item, points),
        detail="; ".join(detail),
    )
