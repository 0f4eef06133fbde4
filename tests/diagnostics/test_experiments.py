"""Design, results and verdicts of experiments against scipy, hand arithmetic and a real cache."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest
from scipy import stats

from aether_tui.diagnostics import experiments as rule
from aether_tui.diagnostics.experiments_design import Plan, duration, sequential, size
from aether_tui.diagnostics.experiments_files import measured_rows
from aether_tui.diagnostics.experiments_process import TeamWeek, judge_process
from aether_tui.diagnostics.experiments_results import judged
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.stats.ranks import holm
from aether_tui.workspace.kinds.experiment import Arm, Experiment, Measured, Period
from tests.diagnostics import world
from tests.workspace.test_trials import DAY, WHOLE, running, whole


def test_welch_and_paired_agree_with_scipy() -> None:
    rng = random.Random(3)
    one = [rng.gauss(5, 2) for _ in range(40)]
    two = [value + rng.gauss(0.5, 1) for value in one]
    found = rule.means(one, two)
    theirs = stats.ttest_ind(two, one, equal_var=False)
    low, high = theirs.confidence_interval()
    assert (found.p_value, found.ci_low, found.ci_high) == pytest.approx((theirs.pvalue, low, high))
    differences = [b - a for a, b in zip(one, two, strict=True)]
    pair = rule.paired(40, fmean(differences), stdev(differences))
    theirs = stats.ttest_rel(two, one)
    low, high = theirs.confidence_interval()
    assert (pair.p_value, pair.ci_low, pair.ci_high) == pytest.approx((theirs.pvalue, low, high))
    with pytest.raises(ValueError, match="two pairs"):
        rule.paired(1, 0, 0)


def test_values_that_are_all_alike_are_no_certainty() -> None:
    """Two arms of four come apart by chance in 2 of 70 orders, of three in 2 of 20; six differences have one sign in 2 of 64."""
    found = rule.means([1] * 4, [2] * 4)
    assert (found.effect, found.ci_low, found.ci_high, found.p_value) == (1, 1, 1, pytest.approx(2 / 70))
    assert rule.means([1] * 4, [1] * 4).p_value == 1
    assert rule.paired(6, -2, 0).p_value == 2 / 64
    assert rule.paired(6, 0, 0).p_value == 1
    for few in (lambda: rule.means([1] * 3, [2] * 3), lambda: rule.paired(5, 0, 0)):
        with pytest.raises(ValueError, match="are alike, and too few"):
            few()
    one = whole(primary=[{"name": "a", "measure": "typed"}])
    outcome = judged(one, [result("a", Arm(n=3, mean=1, sd=0), Arm(n=3, mean=2, sd=0))])
    assert (outcome.verdict, outcome.why) == (
        "none",
        "a: all values are alike, and too few of them to say that others would be",
    )


def test_holm_as_in_its_worked_example() -> None:
    # By hand: .005 × 4, .01 × 3, then .03 × 2 and max(.06, .04 × 1).
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # .005 ≤ .0125, .01 ≤ .0167, .03 > .025: the rest keeps .025.
    assert rule.holm_levels([0.01, 0.04, 0.03, 0.005], 0.05) == pytest.approx([0.05 / 3, 0.025, 0.025, 0.0125])


def test_size_by_the_textbook_formula_and_its_inflations() -> None:
    # (1.959964 + 0.841621)² × (.1 × .9 + .12 × .88) / .02² = 3838.1: unpooled, both arms alike.
    plain = size(Plan(0.10, 0.02))
    assert not isinstance(plain, str)
    assert (plain.n_control, plain.n_total) == (3839, 7678)
    inflated = size(Plan(0.10, 0.02, cluster_size=11, icc=0.1, cuped_r2=0.25))  # (1 + 10 × .1) × .75 = 1.5
    assert not isinstance(inflated, str)
    assert inflated.n_control == math.ceil(3838.04 * 1.5)
    for wrong, words in ((Plan(0.1, 2.0), "2 % is 0.02"), (Plan(0.5, 1e-9), "10¹²"), (Plan(1.0, 0.1), "leaves 0–1")):
        found = size(wrong)
        assert isinstance(found, str)
        assert words in found


def test_not_feasible_shows_three_levers_with_numbers() -> None:
    assert duration(7000, 1000, 0.5).weeks == 2
    found = duration(112_000, 1000, 0.5)  # 224 days; eight weeks see 28,000: a quarter
    assert (found.weeks, found.feasible) == (32, False)
    assert [lever.change for lever in found.levers] == [
        "not enough: all of the traffic takes 16 weeks", "detect an effect 2 times as large",
        "remove 75 % of the variance (covariates, a closer metric)",
    ]  # fmt: skip
    assert duration(50_000, 1000, 0.5).levers[0].change == "0.893 of traffic"


def test_a_sequential_plan_is_simulated_and_asks_for_more() -> None:
    plan = Plan(0.10, 0.02)
    fixed = size(plan)
    assert not isinstance(fixed, str)
    found = sequential(plan, fixed.n_total, 6, seed=1)
    assert found.looks == 6
    assert 0.2 < found.power < 0.7, "looking costs power"
    assert found.n_total is not None
    assert found.n_total > fixed.n_total
    uneven = sequential(Plan(0.10, 0.02, treatment_share=0.1), fixed.n_total, 6, seed=1)
    assert uneven.power < found.power


def test_of_uneven_arms_the_smaller_one_weighs_most() -> None:
    """One task in ten is treated, and a success there is a coin's throw: .05 × .95 ÷ 9,000 + .5 × .5 ÷ 1,000 is the variance."""
    plan = Plan(0.05, 0.45, treatment_share=0.1)
    pairs = 10_000 * 2 * 0.1 * 0.9
    assert plan.deviation**2 / pairs == pytest.approx(0.05 * 0.95 / 9000 + 0.5 * 0.5 / 1000)


# --- Verdicts ------------------------------------------------------------------------------------------------------


def result(metric: str, control: Arm, treatment: Arm, **more: object) -> Measured:
    return Measured(metric=metric, when=DAY, control=control, treatment=treatment, **more)  # type: ignore[arg-type]


def share(n: int, successes: int) -> Arm:
    return Arm(n=n, successes=successes)


COST = (Arm(n=1000, mean=0.02, sd=0.01), Arm(n=1000, mean=0.0205, sd=0.01))


def test_the_verdict_follows_the_rule() -> None:
    one = whole(primary=[{"name": "resolved", "min_effect": 0.02}])
    holds = result("cost", *COST)
    assert judged(one, []).verdict == "none"
    better = result("resolved", share(1000, 700), share(1000, 780))
    assert judged(one, [better, holds]).verdict == "scale"
    unmeasured = judged(one, [better])
    assert (unmeasured.verdict, "cost" in unmeasured.why) == ("none", True)
    dear = result("cost", COST[0], Arm(n=1000, mean=0.0295, sd=0.01))
    broken = judged(one, [better, dear])
    assert (broken.verdict, "cost" in broken.why) == ("kill", True)
    assert judged(one, [result("resolved", share(1000, 700), share(1000, 690)), holds]).verdict == "iterate"
    assert judged(one, [result("resolved", share(9000, 6300), share(9000, 6280)), holds]).verdict == "kill"
    odd = judged(one, [result("resolved", share(1000, 700), share(1000, 780), assigned=(1000, 1200)), holds])
    assert odd.verdict == "invalid"
    assert odd.srm_p == pytest.approx(stats.chisquare([1000, 1200]).pvalue)
    later = result("resolved", share(1000, 700), share(1000, 600)).model_copy(update={"when": DAY + timedelta(days=1)})
    assert judged(one, [later, better, holds]).verdict == "kill", "the newest result of a metric counts"


def test_a_guardrail_is_one_sided() -> None:
    """Worsening of .009 with a standard error of .000447: 95 % one-sided reaches .00974, two-sided .00988."""
    one = whole(guardrails=[{"name": "cost", "measure": "cost", "margin": 0.0098}])
    better = result("resolved", share(1000, 700), share(1000, 780))
    near = result("cost", Arm(n=1000, mean=0.02, sd=0.01), Arm(n=1000, mean=0.029, sd=0.01))
    row = next(item for item in judged(one, [better, near]).metrics if item.role == "guardrail")
    assert row.effect is not None
    assert row.effect.ci_high == pytest.approx(0.009 + stats.t.ppf(0.95, 1998) * 0.01 * math.sqrt(2 / 1000))
    assert row.says == "holds"


@pytest.mark.parametrize(
    ("measure", "primary", "guardrail"),
    [("success", "higher", "higher"), ("typed", "higher", "lower"), ("cost", "lower", "lower"), ("errors", "lower", "lower")],
)  # fmt: skip
def test_which_way_is_good_follows_the_measure_unless_it_is_said(measure: str, primary: str, guardrail: str) -> None:
    one = whole(
        primary=[{"name": "a", "measure": measure}, {"name": "b", "measure": measure, "better": "higher"}],
        guardrails=[{"name": "c", "measure": measure, "margin": 1}],
    )
    arms = [result(name, Arm(n=10, mean=1, sd=1), Arm(n=10, mean=2, sd=1)) for name in "abc"]
    assert [row.better for row in judged(one, arms).metrics] == [primary, "higher", guardrail]


def test_several_primaries_pay_for_it() -> None:
    two = whole(primary=[{"name": "a", "measure": "typed"}, {"name": "b", "measure": "typed"}])
    holds = result("cost", *COST)
    weak = result("a", share(1000, 700), share(1000, 741))  # p = .041 alone
    alike = result("b", share(1000, 700), share(1000, 702))
    outcome = judged(two, [weak, alike, holds])
    by = {row.name: row for row in outcome.metrics}
    assert by["a"].effect is not None
    assert by["a"].effect.p_value < 0.05
    assert by["a"].p_adjusted == pytest.approx(2 * by["a"].effect.p_value)
    assert outcome.verdict == "iterate"
    single = whole(primary=[{"name": "a", "measure": "typed"}])
    assert judged(single, [weak, holds]).verdict == "scale"


def test_all_alike_is_not_certainty() -> None:
    """Three units an arm without an error, and ten pairs of which none erred: Wilson's 0 of 3 goes to .562, 0 of 10 to .278."""
    one = whole(primary=[{"name": "errors", "measure": "errors", "better": "lower"}])
    none = Arm(n=3, mean=0.0, sd=0.0)
    effect = judged(one, [result("errors", none, none)]).metrics[0].effect
    assert effect is not None
    assert (effect.ci_low, effect.ci_high) == pytest.approx((-0.56150, 0.56150), abs=1e-4)
    pairs = Measured(metric="errors", when=DAY, difference=Arm(n=10, mean=0.0, sd=0.0))
    effect = judged(one, [pairs]).metrics[0].effect
    assert effect is not None
    assert (effect.n, effect.ci_low, effect.ci_high) == (
        10,
        pytest.approx(-0.27753, abs=1e-4),
        pytest.approx(0.27753, abs=1e-4),
    )
    worse = rule.paired_alike(4, 1.0)
    assert (worse.ci_high, worse.p_value) == (1, stats.binomtest(4, 4).pvalue)
    assert worse.ci_low < 0.1, "4 of 4 is 1, of shares that go from -1 to 1"


def test_an_early_look_is_wider_and_may_be_repeated() -> None:
    """At the planned end 3.0352 standard errors and not 1.96, by hand: a = -2 ln .05, c = a + ln(a + 1) = 7.93615, and the root of
    2 (c + 1) / c ln(√(c + 1) / .05). An effect at the edge of it has a p of .05."""
    effect = rule.Effect(3.03521, 3.03521 - 1.959964, 3.03521 + 1.959964, 2 * stats.norm.sf(3.03521), 50, 50, 0.0)
    seen = rule.at_any_time(effect, 0.05, 1.0)
    assert (seen.ci_low, seen.ci_high) == pytest.approx((0, 2 * 3.03521), abs=1e-4)
    assert seen.p_value == pytest.approx(0.05, abs=1e-5)
    days = np.arange(1, 29)
    z = np.random.default_rng(4).standard_normal((4000, 28)).cumsum(axis=1) / np.sqrt(
        days
    )  # two equal arms, seen every day
    none = rule.Effect(0, -1.959964, 1.959964, 1, 50, 50, 0)
    wide = np.array([*(rule.at_any_time(none, 0.05, day / 28).ci_high for day in days[:-1]), 1.959964])
    assert (np.abs(z) > 1.96).any(axis=1).mean() > 0.2, "what looking every day did"
    assert (np.abs(z) > wide).any(axis=1).mean() < 0.06


def test_before_its_end_a_guardrail_kills_only_what_is_worse_for_sure() -> None:
    """On the fourth of 28 days; with as few an interval reaches every margin."""
    one = running(guardrails=[{"name": "late", "measure": "latency", "margin": 1.0}])
    soon, better = DAY + timedelta(days=4), result("resolved", share(1000, 600), share(1000, 780))
    few = result("late", Arm(n=40, mean=6.0, sd=3.0), Arm(n=40, mean=6.0, sd=3.0))
    early = judged(one, [item.model_copy(update={"when": soon}) for item in (better, few)])
    assert (early.verdict, early.metrics[1].says) == ("iterate", "not known yet")
    assert "late" in early.why
    ended = judged(one, [item.model_copy(update={"when": DAY + timedelta(weeks=4)}) for item in (better, few)])
    assert (ended.verdict, ended.metrics[1].says) == ("kill", "reached its margin")
    slow = result("late", Arm(n=400, mean=6.0, sd=3.0), Arm(n=400, mean=8.0, sd=3.0))
    worse = judged(one, [item.model_copy(update={"when": soon}) for item in (better, slow)])
    assert (worse.verdict, worse.metrics[1].says) == ("kill", "reached its margin")
    counted = running(duration_weeks=None, event_count=4000, guardrails=one.model_dump()["guardrails"])
    half = judged(counted, [better, few])
    assert (half.metrics[1].says, half.events) == ("not known yet", 2000)


def test_a_split_that_cannot_be_still_has_a_p() -> None:
    assert rule.sample_ratio_p(10_000, 8_000) == pytest.approx(stats.chi2.sf(2000**2 / 18_000, 1))


def test_lower_is_better_turns_the_sign() -> None:
    one = whole(
        primary=[{"name": "late", "measure": "latency", "better": "lower", "min_effect": 0.2}], baseline=6, sd=3
    )
    sooner = result("late", Arm(n=900, mean=6.4, sd=2.9), Arm(n=900, mean=5.9, sd=2.8))
    outcome = judged(one, [sooner, result("cost", *COST)])
    assert outcome.verdict == "scale"
    assert outcome.metrics[0].effect is not None
    assert outcome.metrics[0].effect.effect == pytest.approx(-0.5)


# --- Processes -----------------------------------------------------------------------------------------------------


def weeks(team: str, values: list[tuple[bool, float]]) -> list[TeamWeek]:
    return [TeamWeek(team, date(2026, 1, 5) + timedelta(weeks=i), new, value) for i, (new, value) in enumerate(values)]


def test_switchback_is_a_paired_t_over_teams() -> None:
    rng = random.Random(5)
    rows, differences = [], []
    for team in range(7):
        values = [(week % 2 == 1, 10 + team + rng.gauss(2.0 if week % 2 else 0, 1)) for week in range(8)]
        rows += weeks(f"t{team}", values)
        differences.append(fmean(v for new, v in values if new) - fmean(v for new, v in values if not new))
    found = judge_process(rows)
    theirs = stats.ttest_1samp(differences, 0)
    assert found.effect is not None
    assert found.reason == ""
    assert found.effect.p_value == pytest.approx(theirs.pvalue)
    five = judge_process([row for row in rows if row.team < "t5"])
    assert "5 of 6 teams" in five.reason
    short = judge_process([row for row in rows if row.week < date(2026, 2, 20)])
    assert "7 of 8 weeks" in short.reason


def test_an_interrupted_series_finds_its_step_over_a_trend() -> None:
    exact = weeks("t", [(week >= 6, 3 + 0.5 * week + (4 if week >= 6 else 0)) for week in range(12)])
    found = judge_process(exact)
    assert found.effect is not None
    assert found.effect.effect == pytest.approx(4)
    noise = np.random.default_rng(1).normal(0, 0.4, 12)
    noisy = [TeamWeek(r.team, r.week, r.treated, r.value + float(e)) for r, e in zip(exact, noise, strict=True)]
    x = np.column_stack([np.ones(12), np.arange(12), [r.treated for r in noisy]])
    theirs = np.linalg.lstsq(x, np.array([r.value for r in noisy]), rcond=None)[0][2]
    found = judge_process(noisy)
    assert found.effect is not None
    assert found.effect.effect == pytest.approx(theirs)
    assert found.effect.ci_low < 4 < found.effect.ci_high
    gaps = judge_process([row for row in exact if row.week not in {exact[2].week, exact[3].week, exact[8].week}]).effect
    assert gaps is not None
    assert gaps.effect == pytest.approx(4), "a week that nobody counted in has passed all the same"
    assert "7 of 8 weeks" in judge_process(exact[:7]).reason
    assert judge_process(exact[:8]).effect is None, "two weeks after the change are too few"


def test_a_process_without_enough_weeks_gets_no_verdict() -> None:
    periods = [Period(team="t", week=date(2026, 1, 5) + timedelta(weeks=w), treated=w > 2, value=w) for w in range(6)]
    one = whole(process=True, periods=[p.model_dump() for p in periods])
    outcome = judged(one, [])
    assert outcome.verdict == "none"
    assert "6 of 8 weeks" in outcome.why


# --- From the cache ------------------------------------------------------------------------------------------------


def tasks(made: world.Workspace, arms: dict[str, tuple[int, int]], attribute: str = "app.variant") -> None:
    """Requests of 3 to 20 November: (tasks, successes) of each arm, all with an outcome, half a cent or a cent each."""
    rows = []
    for arm, (n, good) in arms.items():
        for i in range(n):
            rows.append(world.full(
                "spans", trace_id=f"{len(rows) + 1:032x}", span_id=f"{len(rows) + 1:016x}", name="a", operation="chat",
                start=world.at(3 + (i % 18) + 0.3), duration_s=2.0, provider="p", model="m", input_tokens=10, output_tokens=5,
                status="ok", cost_usd=Decimal("0.005") * (1 + i % 2), cost_status="reported", environment="production",
                feature="search", outcome="success" if i < good else "failure", request_hash=f"r{i % n}",
                attributes=f'{{"{attribute}": "{arm}"}}',
            ))  # fmt: skip
    world.store(made, "traces", "files", "spans", rows)


def test_results_come_from_cached_tasks_by_arm(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    tasks(made, {"control": (400, 280), "treatment": (420, 336), "other": (50, 1)})
    one = running(guardrails=[{"name": "cost", "measure": "cost", "margin": 0.01}], duration_weeks=2)
    _save(made, one)
    item = world.report("experiments", made).data.items[0]
    by = {metric.name: metric for metric in item.metrics}
    theirs = rule.proportions((280, 400), (336, 420))
    assert (by["resolved"].effect.value, by["resolved"].effect.n) == (pytest.approx(0.1), 820)
    assert by["resolved"].effect.low == pytest.approx(theirs.ci_low)
    assert by["cost"].effect.value == pytest.approx(0, abs=1e-12)
    assert (item.verdict, item.srm_p) == ("scale", pytest.approx(stats.chisquare([400, 420]).pvalue))
    assert by["resolved"].source == "cache"


@pytest.mark.parametrize(
    ("seen", "why"),
    [("control", "no cached task of arm treatment since 2026-11-02, of the other there are"),
     ("other", "no cached task carries an arm since 2026-11-02")],
)  # fmt: skip
def test_an_arm_without_a_task_is_named(tmp_path: Path, seen: str, why: str) -> None:
    made = world.workspace(tmp_path)
    tasks(made, {seen: (20, 10)})
    _save(made, running())
    item = world.report("experiments", made).data.items[0]
    assert (item.verdict, item.why) == ("none", why)


def sandwich(arms: list[list[list[float]]]) -> tuple[float, float]:
    """Difference of two arms of clusters and its standard error: regression with errors robust to clusters."""
    rows = [
        (1.0, float(arm), value, (arm, unit))
        for arm, units in enumerate(arms)
        for unit, values in enumerate(units)
        for value in values
    ]
    x, y = np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])
    bread = np.linalg.inv(x.T @ x)
    left = y - x @ (bread @ x.T @ y)
    meat = np.zeros((2, 2))
    for arm, units in enumerate(arms):
        for unit in range(len(units)):
            score = x[[row[3] == (arm, unit) for row in rows]].T @ left[[row[3] == (arm, unit) for row in rows]]
            meat += np.outer(score, score) * len(units) / (len(units) - 1)
    return float((bread @ x.T @ y)[1]), float(np.sqrt((bread @ meat @ bread)[1, 1]))


def test_an_arm_given_to_customers_is_known_by_its_customers(tmp_path: Path) -> None:
    """From CSV and from the cache, against the sandwich estimator; tasks taken as independent would claim half the width."""
    rng = np.random.default_rng(8)
    arms = [
        [
            list((rng.random(int(size)) < share).astype(float))
            for size, share in zip(rng.integers(1, 30, 40), rng.beta(2, 1, 40), strict=True)
        ]
        for _ in range(2)
    ]
    difference, se = sandwich(arms)
    rows = [
        {"arm": arm, "value": str(value), "unit": f"{arm}{unit}"}
        for arm, units in zip(("control", "treatment"), arms, strict=True) for unit, values in enumerate(units) for value in values
    ]  # fmt: skip
    one = running()
    read = measured_rows(one, rows, "", DAY + timedelta(weeks=4))[0]
    assert read.control is not None
    assert read.treatment is not None
    assert (read.control.n, read.treatment.n) == (40, 40)
    made = world.workspace(tmp_path)
    world.store(made, "traces", "files", "spans", [
        world.full(
            "spans", trace_id=f"{n + 1:032x}", span_id=f"{n + 1:016x}", name="a", operation="chat", start=world.at(3 + (n % 17) + 0.3),
            duration_s=2.0, provider="p", model="m", input_tokens=10, output_tokens=5, status="ok", cost_status="reported",
            environment="production", feature="search", outcome="success" if row["value"] == "1.0" else "failure",
            attributes=f'{{"app.variant": "{row["arm"]}", "customer.id": "{row["unit"]}"}}',
        )
        for n, row in enumerate(rows)
    ])  # fmt: skip
    _save(made, running(unit_attribute="customer.id", duration_weeks=2))
    item = world.report("experiments", made).data.items[0]
    effect = item.metrics[0].effect
    plain = rule.proportions(*((int(sum(map(sum, units))), sum(map(len, units))) for units in arms))
    assert (effect.value, effect.n) == (pytest.approx(difference), 80)
    from_csv = judged(one, [read]).metrics[0].effect
    assert from_csv is not None
    for low, high in ((effect.low, effect.high), (from_csv.ci_low, from_csv.ci_high)):
        half = (high - low) / 2
        assert (
            stats.t.ppf(0.975, 78) * se <= half <= stats.t.ppf(0.975, 60) * se
        )  # Welch's degrees of freedom lie between
    assert half > 1.5 * (plain.ci_high - plain.ci_low) / 2
    assert item.srm_p == pytest.approx(1.0)
    _save(made, running(unit_attribute="customer.name"), again=True)
    assert world.report("experiments", made).data.items[0].verdict == "none"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("control", "a"), ("treatment", "a")], "in both arms"),
        ([("control", "a"), ("treatment", "")], "no unit"),
        ([("control", "a"), ("control", "a"), ("treatment", "b")], "too few"),
    ],
)
def test_units_that_cannot_be_are_refused(rows: list[tuple[str, str]], why: str) -> None:
    with pytest.raises((ConfigurationError, NoData), match=why):
        measured_rows(running(), [{"arm": arm, "value": "1", "unit": unit} for arm, unit in rows], "", DAY)


def test_arms_of_another_attribute_and_a_broken_split(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    tasks(made, {"a": (300, 200), "b": (180, 130)}, "flag.checkout")
    _save(made, running(variant_attribute="flag.checkout", control_value="a", treatment_value="b", feature="search"))
    report = world.report("experiments", made)
    assert report.data.items[0].verdict == "invalid"
    assert any("invalid" in finding.text for finding in report.findings)
    _save(
        made,
        running(variant_attribute="flag.checkout", control_value="a", treatment_value="b", feature="other"),
        again=True,
    )
    assert world.report("experiments", made).data.items[0].verdict == "none"


def test_shadow_mode_compares_the_same_request(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    tasks(made, {"control": (100, 70), "treatment": (100, 90)})
    one = WHOLE | {"duration_weeks": 2, "history": [
        {"to": "reviewed", "when": DAY, "who": "a"}, {"to": "running", "when": DAY, "who": "a", "shadow": True}]}  # fmt: skip
    _save(made, Experiment.model_validate(one))
    item = world.report("experiments", made).data.items[0]
    effect = item.metrics[0].effect
    differences = [0.0] * 70 + [1.0] * 20 + [0.0] * 10
    low, high = stats.ttest_1samp(differences, 0).confidence_interval()
    assert (effect.value, effect.low, effect.high) == pytest.approx((0.2, low, high))
    assert item.shadow


def test_a_task_counts_in_one_arm_and_pairs_by_its_first_call(tmp_path: Path) -> None:
    """Ten requests are answered by both arms, the treatment's second calls ask what the control's first ones did; one more task
    was in control and in a third arm."""
    made = world.workspace(tmp_path)
    rows = []
    for n in range(21):
        arm, request = ("control", "treatment")[n % 2], f"m{n // 2}"
        rows += [
            world.full(
                "spans", trace_id=f"{n + 1:032x}", span_id=f"{2 * n + call + 1:016x}", parent_id=f"{2 * n + 1:016x}" if call else None,
                name="a", operation="chat", start=world.at(5 + call / 100), duration_s=2.0, status="ok", environment="production",
                outcome="success" if arm == "treatment" else "failure", request_hash="a" if call else request,
                attributes=f'{{"app.variant": "{arm}"}}',
            )
            for call in range(2 if n % 2 else 1)
        ]  # fmt: skip
    rows.append(world.full("spans", trace_id=f"{21:032x}", span_id="f" * 16, parent_id=f"{41:016x}", name="b", start=world.at(5.5),
                           duration_s=1.0, environment="production", attributes='{"app.variant": "other"}'))  # fmt: skip
    world.store(made, "traces", "files", "spans", rows)
    shadow = [{"to": "reviewed", "when": DAY, "who": "a"}, {"to": "running", "when": DAY, "who": "a", "shadow": True}]
    _save(made, Experiment.model_validate(WHOLE | {"history": shadow}))
    effect = world.report("experiments", made).data.items[0].metrics[0].effect
    assert (effect.value, effect.n) == (1, 10)
    _save(made, running(), again=True)
    assert world.report("experiments", made).data.items[0].metrics[0].effect.n == 20


def test_design_help_reads_traffic(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    tasks(made, {"control": (560, 400)})
    _save(made, whole(history=[]))
    plan = world.report("experiments", made).data.items[0].design
    assert plan.traffic_per_day.value == pytest.approx(20)
    assert plan.weeks == math.ceil(plan.n_total / 10 / 7)
    assert plan.feasible is False
    assert {name for name, _ in plan.levers} == {"allocation", "effect", "variance"}


def test_hostile_words_and_an_empty_workspace(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    assert "No experiment" in world.report("experiments", made).headline
    _save(made, whole(title="\x1b]52;c;x\x07[@click=app.quit]x[/] \u202egnp"))
    item = world.report("experiments", made).data.items[0]
    assert "\x1b" not in item.title
    assert "\u202e" not in item.title


def _save(made: world.Workspace, one: Experiment, *, again: bool = False) -> None:
    from aether_tui.workspace.store import Store

    store = Store(made)
    store.save(one, store.get(Experiment, one.id).revision if again else None, world.NOW)
