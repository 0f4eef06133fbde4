"""Ritual arithmetic by hand, Monte Carlo against the beta distribution it draws from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy import stats

from aether_tui.diagnostics.rituals import Range, Ritual, judge


def point(value: float) -> Range:
    return value, value, value


# 48 x 8 people x 95 an hour x 75 minutes = 45,600; 60 decisions x 4,000 x 0.05 = 12,000; 45,600 of 240,000 = 0.19.
SYNC = Ritual(
    name="sync", per_year=point(48), minutes=point(60), prep_minutes=point(15), attendees=point(8), hourly_rate=point(95),
    decisions_per_year=point(60), stake_per_decision=point(4000), probability_gain=point(0.05), roti=2.4,
)  # fmt: skip


def test_by_hand() -> None:
    judged = judge(SYNC)
    assert judged.cost_per_year == pytest.approx(45_600)
    assert judged.benefit == pytest.approx(12_000)
    assert judged.roi == pytest.approx(-33_600 / 45_600)
    assert judged.break_even_probability == pytest.approx(0.19)
    assert judged.break_even == "pays if it improves 1 decision in 5"
    assert judged.decisions_per_person_hour == pytest.approx(60 / (48 * 8 * 1.25))
    assert (judged.verdict, judged.roi_low, judged.p_pays) == ("does not pay", None, None)


@pytest.mark.parametrize(
    ("change", "verdict", "words", "needed"),
    [
        ({"probability_gain": point(0.25)}, "pays", "1 decision in 5", 0.19),
        ({"probability_gain": point(0.19)}, "pays", "1 decision in 5", 0.19),  # exactly even
        ({"rework_avoided_per_year": point(45_600)}, "pays", "without improving", 0.0),
        ({"days_saved_per_year": point(10), "cost_of_delay_per_day": point(3_600)}, "pays", "1 decision in 25", 0.04),
        ({"decisions_per_year": point(20)}, "does not pay", "57 decisions in 100", 0.57),
        ({"decisions_per_year": point(10)}, "does not pay", "even if it improves every", None),
        ({"decisions_per_year": point(0)}, "does not pay", "no decision", None),
        ({"decisions_per_year": point(0), "roti": 1.9}, "cut or make asynchronous", "no decision", None),
        ({"decisions_per_year": None}, "unknown", "not known", None),
        ({"stake_per_decision": None}, "unknown", "not known", None),
        ({"probability_gain": None}, "unknown", "1 decision in 5", 0.19),
    ],
)
def test_verdicts(change: dict[str, Range | None], verdict: str, words: str, needed: float | None) -> None:
    judged = judge(replace(SYNC, **change))
    assert judged.verdict == verdict
    assert words in judged.break_even
    assert judged.break_even_probability == (None if needed is None else pytest.approx(needed))
    assert (judged.benefit is None) == (verdict == "unknown")


def test_ranges_are_beta() -> None:
    low, mode, high = gain = (0.02, 0.15, 0.5)
    judged = judge(replace(SYNC, probability_gain=gain), draws=20_000)
    spread = stats.beta(1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low), low, high - low)
    assert judged.p_pays == pytest.approx(spread.sf(0.19), abs=0.015)
    returns = [quantile * 240_000 / 45_600 - 1 for quantile in spread.ppf([0.05, 0.95])]
    assert [judged.roi_low, judged.roi_high] == pytest.approx(returns, abs=0.05)
    assert judged.verdict == "unclear"
    assert judge(replace(SYNC, probability_gain=gain), seed=1) == judge(replace(SYNC, probability_gain=gain), seed=1)
    assert judge(replace(SYNC, probability_gain=(0.2, 0.3, 0.4))).verdict == "pays"
    perhaps = replace(SYNC, decisions_per_year=(0.0, 0.0, 9.0), stake_per_decision=None)
    assert judge(perhaps).roi_low is None, "a stake that is not known is not 0"
