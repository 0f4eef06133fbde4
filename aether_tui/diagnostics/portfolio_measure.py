"""Opportunities ranked by ICE-P, and how sure the order is (diagnostics F)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import icep
from aether_tui.diagnostics.portfolio_calibration import Calibration
from aether_tui.human import number
from aether_tui.report_model import Quantity, missing
from aether_tui.text import one_line
from aether_tui.workspace.document import low_mode_high

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.opportunity import Opportunity, Rescored

WORDS: dict[icep.Input, str] = {
    "impact": "Impact", "confidence": "Confidence", "reversibility": "Reversibility", "effort_weeks": "Effort",
}  # fmt: skip
OPEN = ("candidate", "chosen", "running")


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


def inputs(item: Item) -> tuple[icep.Range, ...]:
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
