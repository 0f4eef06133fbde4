"""ICE-P: Impact × Confidence × Reversibility ÷ Effort, ranked, bucketed, and how sure the order is (diagnostics F)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from aether_tui.stats.intervals import nearest_rank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Range = tuple[float, float, float]
"""Low, most likely, high; three equal numbers are a point."""

Bucket = Literal["quick win", "medium experiment", "strategic bet", "unbanded", "low score"]
Way = Literal["falls to", "rises to"]
Input = Literal["impact", "confidence", "reversibility", "effort_weeks"]

DRAWS = 2000
TIE = 0.8
"""Neighbours of which the upper wins in fewer draws than this are called a tie."""


class Candidate(NamedTuple):
    """What is ranked. Scores 1–10, effort in calendar weeks to the first reliable signal."""

    id: str
    title: str
    impact: Range
    confidence: Range
    reversibility: Range
    effort_weeks: Range
    strategic_bet: bool = False

    @property
    def ranged(self) -> bool:
        """Whether any input is a range."""
        return any(item[0] < item[2] for item in (self.impact, self.confidence, self.reversibility, self.effort_weeks))


class Flip(NamedTuple):
    """The smallest change of one input, the others staying, that changes places with a neighbour."""

    input: Input
    at: float
    direction: Way
    other: str
    likely: bool
    """Whether the stated range reaches that value."""


class Ranked(NamedTuple):
    """A candidate with its place; probabilities are None where no input of any candidate is a range."""

    candidate: Candidate
    score: float
    effort: float
    rank: int
    bucket: Bucket
    p_first: float | None
    p_top3: float | None
    rank_low: int
    rank_high: int
    tie_with: str | None
    tie_p: float | None
    flips: tuple[Flip, ...]

    @property
    def flip(self) -> Flip | None:
        """The nearest of the changes that would move it."""
        return self.flips[0] if self.flips else None


class Ranking(NamedTuple):
    """All candidates in order; `high` is the score from which one counts as high, and `configured` whether it was set."""

    items: tuple[Ranked, ...]
    high: float | None
    configured: bool
    draws: int


def effort_score(weeks: float) -> float:
    """Weeks clipped to 1–10: 10 and 30 weeks score alike."""
    return min(10.0, max(1.0, weeks))


def score(impact: float, confidence: float, reversibility: float, effort_weeks: float) -> float:
    """Impact × Confidence × Reversibility ÷ Effort; 0.1 to 1,000."""
    return impact * confidence * reversibility / effort_score(effort_weeks)


def point(candidate: Candidate) -> float:
    """The score at the most likely values."""
    return score(
        candidate.impact[1], candidate.confidence[1], candidate.reversibility[1], candidate.effort_weeks[1]
    )  # fmt: skip


def bucket(weeks: float, *, high: bool, strategic: bool) -> Bucket:
    """Where it belongs by effort and score."""
    if strategic or weeks >= 26:
        return "strategic bet"
    if weeks <= 2:
        return "quick win" if high else "low score"
    return "medium experiment" if weeks <= 6 else "unbanded"


def rank(
    candidates: Sequence[Candidate],
    *,
    high_score: float | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    flips_of: int | None = None,
) -> Ranking:
    """Candidates in order. High is the top third (ties at its edge included) unless `high_score` is given.

    With ranges, inputs are drawn independently from PERT distributions, `draws` times, seeded. What would change the order is
    found for the first `flips_of` (None: all).
    """
    order = sorted(candidates, key=lambda item: _key(item, point(item), item.reversibility[1], item.effort_weeks[1]))
    if not order:
        return Ranking((), high_score, high_score is not None, 0)
    scores = [point(item) for item in order]
    high = high_score if high_score is not None else scores[math.ceil(len(order) / 3) - 1]
    uncertain = draws > 0 and any(item.ranged for item in order)
    doubt = _simulate(order, seed, draws) if uncertain else None
    items = []
    for index, item in enumerate(order):
        place = doubt.places[index] if doubt else _Place(None, None, index + 1, index + 1)
        wins = None
        if index + 1 < len(order):
            wins = doubt.wins[index] if doubt else (0.5 if scores[index] == scores[index + 1] else 1.0)
        tied = wins is not None and wins < TIE
        weeks = item.effort_weeks[1]
        items.append(
            Ranked(
                candidate=item,
                score=scores[index],
                effort=effort_score(weeks),
                rank=index + 1,
                bucket=bucket(weeks, high=scores[index] >= high, strategic=item.strategic_bet),
                p_first=place.p_first,
                p_top3=place.p_top3,
                rank_low=place.low,
                rank_high=place.high,
                tie_with=order[index + 1].id if tied else None,
                tie_p=wins if tied else None,
                flips=tuple(flips(order, scores, index)) if flips_of is None or index < flips_of else (),
            )
        )
    return Ranking(tuple(items), high, high_score is not None, draws if uncertain else 0)


def _key(item: Candidate, value: float, reversibility: float, weeks: float) -> tuple[float, float, float, int, str]:
    """Higher score, then higher reversibility, then lower effort, then id (OPP-2 before OPP-10)."""
    digits = re.search(r"\d+(?=(-[a-z]{4})?$)", item.id)
    return -value, -reversibility, weeks, int(digits[0]) if digits else 0, item.id


class _Place(NamedTuple):
    """Where a candidate comes in the draws: shares, and the 90 % interval of its rank."""

    p_first: float | None
    p_top3: float | None
    low: int
    high: int


class _Doubt(NamedTuple):
    """What the draws say: the places, and how often each beats the next (equal scores count half)."""

    places: list[_Place]
    wins: list[float]


def _simulate(order: Sequence[Candidate], seed: int, draws: int) -> _Doubt:
    """Draws of all scores at once; memory is some 40 bytes per draw and candidate."""
    import numpy as np

    rng = np.random.Generator(np.random.SFC64(seed % 2**64))
    values = np.array([_scores(item, rng, draws) for item in order])
    # Equal scores keep the order of the points: a shade less for each place, far below any difference of two scores.
    shaded = np.ascontiguousarray((-values * (1 - 1e-14 * np.arange(len(order)))[:, None]).T)
    by_rank = np.argsort(shaded, axis=1)
    ranks = np.empty(by_rank.shape, dtype=np.int32)
    np.put_along_axis(ranks, by_rank, np.arange(1, len(order) + 1, dtype=np.int32)[None, :], axis=1)
    ordered = np.ascontiguousarray(ranks.T)
    ordered.sort(axis=1)
    low, high = (ordered[:, nearest_rank(draws, share) - 1].tolist() for share in (0.05, 0.95))
    first, top3 = ((ordered <= most).mean(axis=1).tolist() for most in (1, 3))
    upper, lower = values[:-1], values[1:]
    wins = ((upper > lower).mean(axis=1) + 0.5 * (upper == lower).mean(axis=1)).tolist()
    return _Doubt([_Place(*one) for one in zip(first, top3, low, high, strict=True)], wins)


def _scores(item: Candidate, rng: np.random.Generator, draws: int) -> NDArray[np.float64]:
    """The scores of one candidate in every draw."""
    import numpy as np

    from aether_tui.stats.pert import sample_many

    drawn = sample_many(rng, (item.impact, item.confidence, item.reversibility, item.effort_weeks), draws)
    found: NDArray[np.float64] = drawn[0] * drawn[1] * drawn[2] / np.clip(drawn[3], 1, 10)
    return found


def flips(order: Sequence[Candidate], scores: Sequence[float], index: int) -> list[Flip]:
    """Every single input that would let the next one overtake it (for the last: let it overtake the one before).

    An input for which no value of its scale would is left out. What the stated range reaches comes first, then the smallest
    change; impact before the others when equal.
    """
    if len(order) < 2:
        return []
    falling = index + 1 < len(order)
    other = index + 1 if falling else index - 1
    needed = scores[other] / scores[index]
    item = order[index]
    found: list[tuple[float, Flip]] = []
    ranges: dict[Input, Range] = {
        "impact": item.impact, "confidence": item.confidence, "reversibility": item.reversibility,
    }  # fmt: skip
    for name, (low, mode, high) in ranges.items():
        at = mode * needed
        if 1 <= at <= 10:
            way: Way = "falls to" if falling else "rises to"
            found.append((_distance(needed), Flip(name, at, way, order[other].id, low <= at <= high)))
    low, mode, high = item.effort_weeks
    at = effort_score(mode) / needed
    if 1 <= at <= 10:
        way = "rises to" if falling else "falls to"
        found.append((_distance(at / mode), Flip("effort_weeks", at, way, order[other].id, low <= at <= high)))
    return [flip for _, flip in sorted(found, key=lambda pair: (not pair[1].likely, pair[0]))]


def _distance(factor: float) -> float:
    return round(abs(math.log(factor)), 9)
