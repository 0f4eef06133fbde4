"""Is a recurring meeting worth its hours? (diagnostics L): cost per year, break-even first, benefit, verdict.

Cost = times a year x attendees x hourly rate x (duration + preparation + follow-up + switching). Benefit = decisions x stake x
improved probability of the right one + days saved x cost of delay + rework avoided. ROI = (benefit - cost) / cost.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from aether_tui.stats.intervals import nearest_rank
from aether_tui.stats.pert import draw

Range = tuple[float, float, float]
"""Low, most likely, high; three equal numbers are a point."""
Verdict = Literal["pays", "does not pay", "unclear", "cut or make asynchronous", "unknown"]
ZERO: Range = (0.0, 0.0, 0.0)
DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ritual:
    """One ritual. Minutes per person and time, money in one currency; None is not known.

    `probability_gain` is a difference of probabilities: 0.05 is five more right decisions in a hundred. `roti` is the
    attendees' return on time invested, 0 to 4.
    """

    name: str
    per_year: Range
    minutes: Range
    attendees: Range
    hourly_rate: Range
    prep_minutes: Range = ZERO
    follow_up_minutes: Range = ZERO
    switching_minutes: Range = ZERO
    decisions_per_year: Range | None = None
    stake_per_decision: Range | None = None
    probability_gain: Range | None = None
    days_saved_per_year: Range = ZERO
    cost_of_delay_per_day: Range = ZERO
    rework_avoided_per_year: Range = ZERO
    roti: float | None = None


QUANTITIES = tuple(field.name for field in fields(Ritual) if field.name not in {"name", "roti"})


@dataclass(frozen=True, slots=True)
class Judged:
    """What a ritual costs and brings a year, at the most likely values; 90 % ranges and `p_pays` are None without ranges.

    `break_even_probability` is the gain in probability at which it pays; None when no gain up to certainty would, or when
    decisions and stakes are not known; `break_even` says so in words.
    """

    name: str
    break_even: str
    cost_per_year: float
    benefit: float | None
    roi: float | None
    roi_low: float | None
    roi_high: float | None
    p_pays: float | None
    break_even_probability: float | None
    decisions_per_person_hour: float | None
    verdict: Verdict


def judge(ritual: Ritual, *, seed: int = 0, draws: int = DRAWS) -> Judged:
    """The ritual judged; ranges are drawn independently from PERT distributions, seeded."""
    likely = {name: None if value is None else value[1] for name, value in _ranges(ritual).items()}
    cost, benefit, needed = _cost(likely), _benefit(likely), _needed(likely)
    hours = cost / likely["hourly_rate"] if likely["hourly_rate"] else 0.0
    decisions = likely["decisions_per_year"]
    drawn = _drawn(ritual, random.Random(seed), draws) if _uncertain(ritual) else []
    low, high = (drawn[nearest_rank(len(drawn), p) - 1] for p in (0.05, 0.95)) if drawn else (None, None)
    return Judged(
        name=ritual.name,
        break_even=_words(likely, needed),
        cost_per_year=cost,
        benefit=benefit,
        roi=None if benefit is None else benefit / cost - 1,
        roi_low=low,
        roi_high=high,
        p_pays=sum(roi >= 0 for roi in drawn) / len(drawn) if drawn else None,
        break_even_probability=needed if needed is not None and needed <= 1 else None,
        decisions_per_person_hour=decisions / hours if hours and decisions is not None else None,
        verdict=_verdict(ritual, benefit, cost, low, high),
    )


Point = Mapping[str, float | None]


def _ranges(ritual: Ritual) -> dict[str, Range | None]:
    return {name: getattr(ritual, name) for name in QUANTITIES}


def _uncertain(ritual: Ritual) -> bool:
    return any(value is not None and value[0] < value[2] for value in _ranges(ritual).values())


def _known(point: Point, name: str) -> float:
    value = point[name]
    return 0.0 if value is None else value  # only for quantities that have a default


def _cost(point: Point) -> float:
    minutes = sum(_known(point, f"{part}minutes") for part in ("", "prep_", "follow_up_", "switching_"))
    return _known(point, "per_year") * _known(point, "attendees") * _known(point, "hourly_rate") * minutes / 60


def _beside(point: Point) -> float:
    """Benefit that comes from no decision."""
    delay = _known(point, "days_saved_per_year") * _known(point, "cost_of_delay_per_day")
    return delay + _known(point, "rework_avoided_per_year")


def _stakes(point: Point) -> float | None:
    decisions, stake = point["decisions_per_year"], point["stake_per_decision"]
    if decisions == 0:
        return 0.0
    return None if decisions is None or stake is None else decisions * stake


def _benefit(point: Point) -> float | None:
    stakes, gain = _stakes(point), point["probability_gain"]
    if stakes == 0:
        return _beside(point)
    return None if stakes is None or gain is None else stakes * gain + _beside(point)


def _needed(point: Point) -> float | None:
    """The gain in probability that pays for the rest of the cost; above 1 when none can. None: not known."""
    rest = max(0.0, _cost(point) - _beside(point))
    stakes = _stakes(point)
    if rest == 0:
        return 0.0
    return None if stakes is None else rest / stakes if stakes else math.inf


def _words(point: Point, needed: float | None) -> str:
    if needed is None:
        return "not known: decisions_per_year and stake_per_decision are needed"
    if needed == 0:
        return "pays without improving a decision"
    if needed > 1:
        why = "it makes no decision" if not point["decisions_per_year"] else "even if it improves every decision"
        return f"does not pay, {why}"
    if needed > 0.5:
        return f"pays if it improves {math.ceil(100 * needed - 1e-9)} decisions in 100"
    return f"pays if it improves 1 decision in {math.floor(1 / needed + 1e-9)}"


def _drawn(ritual: Ritual, rng: random.Random, draws: int) -> list[float]:
    """Sorted returns on investment; none when a possible decision has no stake."""
    ranges = _ranges(ritual)
    found = []
    for _ in range(draws):
        point = {name: None if value is None else draw(rng, *value) for name, value in ranges.items()}
        benefit = _benefit(point)
        if benefit is None:
            return []
        found.append(benefit / _cost(point) - 1)
    return sorted(found)


def _verdict(ritual: Ritual, benefit: float | None, cost: float, low: float | None, high: float | None) -> Verdict:
    """Zero decisions and little return felt: cut. Else by the sign of the whole 90 % range, or of the point."""
    silent = ritual.decisions_per_year is not None and ritual.decisions_per_year[2] == 0
    if silent and ritual.roti is not None and ritual.roti < 2:
        return "cut or make asynchronous"
    if benefit is None:
        return "unknown"
    worst = benefit - cost if low is None else low
    best = benefit - cost if high is None else high
    return "pays" if worst >= 0 else "does not pay" if best < 0 else "unclear"
