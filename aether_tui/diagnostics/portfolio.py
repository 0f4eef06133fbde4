"""The portfolio of opportunities, ranked by ICE-P, and how sure the order is (diagnostics F)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from aether_tui.diagnostics import icep, metrics
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.portfolio_calibration import Calibration, calibrate
from aether_tui.diagnostics.portfolio_calibration import table as calibration_table
from aether_tui.diagnostics.portfolio_views import portfolio_map, tornado
from aether_tui.human import amount, number
from aether_tui.report_model import Block, Col, Fact, Facts, Finding, Gap, Prose, Quantity, Report, Row, Table, missing
from aether_tui.text import one_line
from aether_tui.workspace.document import low_mode_high

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.kinds.opportunity import Opportunity, Rescored

OPEN = ("candidate", "chosen", "running")
DRAFTED = 40
"""Rows of a draft whose detail says what would move them."""
ADD = 'aether-tui opportunity add "TITLE" --impact 7 --confidence 5 --effort-weeks 3 --reversibility 8'
SHORT = {
    "quick win": "quick win", "medium experiment": "medium", "strategic bet": "bet", "unbanded": "unbanded",
    "low score": "low score",
}  # fmt: skip
WORDS: dict[icep.Input, str] = {
    "impact": "Impact", "confidence": "Confidence", "reversibility": "Reversibility", "effort_weeks": "Effort",
}  # fmt: skip


class Item(Struct, frozen=True, kw_only=True):
    """One ranked opportunity; inputs are low, most likely, high, and the score is that of the most likely values."""

    id: str
    title: str
    status: str
    impact: tuple[float, float, float]
    confidence: tuple[float, float, float]
    reversibility: tuple[float, float, float]
    effort_weeks: tuple[float, float, float]
    effort_score: float
    score: float
    rank: int
    rank_low: int
    rank_high: int
    p_first: float | None
    p_top3: float | None
    bucket: str
    tie_with: str | None
    tie_p: float | None
    flip: str | None
    flips: tuple[icep.Flip, ...]
    evidence: tuple[str, ...]
    history: tuple[str, ...]


class Portfolio(Struct, frozen=True, kw_only=True):
    """All open opportunities in order. `reason` says why probabilities are null, when they are."""

    items: tuple[Item, ...]
    high_score: Quantity
    draws: int
    closed: int
    reason: str | None = None
    calibration: tuple[Calibration, ...] = ()


def build(data: Data, documents: Documents, clock: Clock) -> Report[Portfolio]:
    """The report."""
    from aether_tui.workspace.kinds.experiment import Experiment

    return _report(documents, clock, icep.DRAWS, found=calibrate(documents.opportunities, documents.of(Experiment)))


def draft(documents: Documents, clock: Clock) -> tuple[Report[Portfolio], bool]:
    """The order of the points alone, in milliseconds, and whether anything was left: ranges undrawn, rows without a flip."""
    report = _report(documents, clock, 0, DRAFTED)
    items = report.data.items
    return report, len(items) > DRAFTED or any(low < high for item in items for low, _, high in _inputs(item))


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


def _inputs(item: Item) -> tuple[icep.Range, ...]:
    return item.impact, item.confidence, item.reversibility, item.effort_weeks


def measure(
    opportunities: Sequence[Opportunity],
    high_score: float | None,
    seed: int,
    draws: int = icep.DRAWS,
    flips_of: int | None = None,
) -> Portfolio:
    """Rank what is open; done and dropped ones are counted only. Without draws there are no probabilities."""

    open_ones = {item.id: item for item in opportunities if item.status in OPEN}
    ranking = icep.rank(
        [
            icep.Candidate(
                id=item.id,
                title=one_line(item.title),
                impact=low_mode_high(item.impact),
                confidence=low_mode_high(item.confidence),
                reversibility=low_mode_high(item.reversibility),
                effort_weeks=low_mode_high(item.effort_weeks),
                strategic_bet=item.strategic_bet,
            )
            for item in open_ones.values()
        ],
        high_score=high_score,
        seed=seed,
        draws=draws,
        flips_of=flips_of,
    )
    high = (
        missing("no opportunity is written down yet", unit="score")
        if ranking.high is None
        else Quantity(value=ranking.high, unit="score", n=len(ranking.items))
    )
    return Portfolio(
        items=tuple(_item(one, open_ones[one.candidate.id]) for one in ranking.items),
        high_score=high,
        draws=ranking.draws,
        closed=len(opportunities) - len(open_ones),
        reason=None if ranking.draws else "nothing was drawn: no input is a range, or the draws follow",
    )


def _item(one: icep.Ranked, document: Opportunity) -> Item:
    candidate = one.candidate
    return Item(
        id=candidate.id,
        title=candidate.title,
        status=document.status,
        impact=candidate.impact,
        confidence=candidate.confidence,
        reversibility=candidate.reversibility,
        effort_weeks=candidate.effort_weeks,
        effort_score=one.effort,
        score=one.score,
        rank=one.rank,
        rank_low=one.rank_low,
        rank_high=one.rank_high,
        p_first=one.p_first,
        p_top3=one.p_top3,
        bucket=one.bucket,
        tie_with=one.tie_with,
        tie_p=one.tie_p,
        flip=None if one.flip is None else _flip_sentence(one.flip),
        flips=one.flips,
        evidence=tuple(one_line(text) for text in document.evidence),
        history=tuple(_rescored(change) for change in document.history),
    )


def _rescored(change: Rescored) -> str:
    before, after = (number(low_mode_high(value)[1]) for value in (change.before, change.after))
    return f"{change.when} {WORDS[change.field]} {before} → {after}"


def _flip_sentence(flip: icep.Flip) -> str:
    unit = " weeks" if flip.input == "effort_weeks" else ""
    reach = ", which its stated range reaches" if flip.likely else ""
    return f"changes places with {flip.other} when {WORDS[flip.input]} {flip.direction} {number(round(flip.at, 2))}{unit}{reach}"


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
    points = [number(mode) for _, mode, _ in _inputs(item)]
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
            *(shown + ("±" if low < top else "") for shown, (low, _, top) in zip(points, _inputs(item), strict=True)),
            f"{item.score:,.1f}",
            rank_text(item),
            SHORT[item.bucket],
        ),
        why=_arithmetic(item, points),
        detail="; ".join(detail),
    )
