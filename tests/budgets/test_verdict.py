"""The rules of the gate, one by one, and its rate of false alarms in a seeded simulation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from aether_tui.budgets.explain import explain_result
from aether_tui.budgets.file import BudgetFile, parse_budgets, read_budgets
from aether_tui.budgets.model import Estimate, Measured, Result, Sample, Series, Spend
from aether_tui.budgets.outputs import signed_share
from aether_tui.budgets.selftest import self_test
from aether_tui.budgets.verdict import expired, judge, overall
from tests.conftest import ROOT

TODAY = date(2026, 11, 21)
SHIPPED = read_budgets(ROOT / "aether_tui" / "budgets" / "default.yaml", "default.yaml", TODAY)
HEAD = "version: 1\ncurrency: USD\ndefaults: {warn: {relative: 5%}, block: {relative: 10%}}\nbudgets:\n"
STEADY = [
    98.0, 99.5, 100.2, 101.1, 99.0, 100.9, 98.6, 100.4, 101.6, 99.8,
    97.9, 100.7, 102.0, 99.3, 98.3, 101.3, 100.0, 99.1, 100.6, 98.9,
]  # fmt: skip


def parse(text: str) -> BudgetFile:
    return parse_budgets((HEAD + text).encode(), "budgets.yaml", TODAY)


def series(now: Sequence[float], base: Sequence[float] = (), mark: str = "", base_mark: str = "") -> Series:
    return Series(
        "", tuple(Sample(x, fingerprint=mark) for x in now), tuple(Sample(x, fingerprint=base_mark) for x in base)
    )


def one(budget: str, measured: Measured, extra: str = "") -> Result:
    file = parse(f"- {{id: a, {budget}}}\n{extra}")
    return judge(file, {"a": [measured]}, TODAY)[0]


CI = "surface: ci, metric: pipeline.duration, limit: 100s, block: {limit: 10%, relative: 50%}"
TESTS = "surface: tests, metric: suite.duration, limit: 100s, block: {limit: 0%, relative: 50%}"
LLM = "surface: llm, metric: task.cost, limit: 100 USD/task, block: {relative: 50%}"
FREE = "surface: ci, metric: pipeline.duration"


@pytest.mark.parametrize(
    ("budget", "now", "verdict", "words"),
    [
        (TESTS, [99], "pass", "99 s of 100 s; new: 0 of 5 measurements before, only the limit counts"),
        (TESTS, [100], "pass", "100 s of 100 s"),
        (TESTS, [101], "block", "over the limit"),
        (CI, [109], "pass", "over the limit by 9 %, up to 10 % is shown only"),
        (CI, [111], "warn", "over the limit by 11 %"),
        (CI, [90, 90, 111, 112, 113], "block", "confirmed"),
        (CI, [90, 90, 90, 112, 113], "pass", "90 s of 100 s"),
        (LLM, [101], "warn", "over the limit by 1 %"),
        (LLM, [101, 102], "block", "confirmed"),
    ],
)
def test_absolute_limits_by_surface(budget: str, now: list[float], verdict: str, words: str) -> None:
    result = one(budget, series(now))
    assert result.verdict == verdict
    assert words in result.why


@pytest.mark.parametrize(
    ("now", "verdict", "more"),
    [
        ([101, 99, 100, 98, 102], "pass", None),
        ([70, 71, 69, 72, 70], "pass", None),
        ([107, 108, 106, 107, 108], "warn", None),
        ([121, 119, 122, 118, 120], "block", None),
        ([121, 119], "block", None),
        ([121, 97], "pass", None),
        ([125, 99, 124], "inconclusive", 2),
        ([104], "pass", None),
        ([130], "inconclusive", 1),
    ],
)
def test_against_the_baseline_size_and_evidence_are_asked(now: list[float], verdict: str, more: int | None) -> None:
    result = one(FREE, series(now, STEADY))
    assert (result.verdict, result.need_more) == (verdict, more), result.why
    assert (result.n_now, result.n_base) == (len(now), 20)
    assert result.smallest_detectable


def test_a_shift_comes_with_interval_and_adjusted_evidence() -> None:
    result = one(FREE, series([121, 119, 122, 118, 120], STEADY))
    assert result.shift == pytest.approx(0.2, abs=0.02)
    assert result.shift_low is not None
    assert result.shift_high is not None
    assert result.shift_low < result.shift < result.shift_high
    assert result.p_value == pytest.approx(1 / 53130)
    many = parse("".join(f"- {{id: b{place}, {FREE}}}\n" for place in range(20)))
    results = judge(many, {f"b{place}": [series([121, 119, 122, 118, 120], STEADY)] for place in range(20)}, TODAY)
    assert [item.p_value for item in results] == pytest.approx([20 / 53130] * 20)


def test_a_limit_of_no_flaky_test() -> None:
    flaky = "surface: tests, metric: suite.flaky, limit: 0 tests"
    assert one(flaky, series([0])).verdict == "pass"
    blocked = one(flaky, series([2]))
    assert (blocked.verdict, blocked.share) == ("block", None)


def test_higher_is_better_turns_the_sign() -> None:
    result = one(FREE + ", direction: higher", series([79, 81, 80, 78, 82], STEADY))
    assert result.verdict == "block"
    assert result.shift == pytest.approx(-0.2, abs=0.02)
    assert one(FREE + ", direction: higher", series([121, 119, 122, 118, 120], STEADY)).verdict == "pass"
    low = one(TESTS + ", direction: higher", series([90]))
    assert (low.verdict, "90 s of 100 s: under the limit" in low.why) == ("block", True)


def test_another_machine_is_never_compared() -> None:
    result = one(FREE, series([130, 131, 132, 133, 134], STEADY, "large", "small"))
    assert result.verdict == "inconclusive"
    assert "the baseline ran on small, this on large" in result.why
    assert one(TESTS, series([150], STEADY, "large", "small")).verdict == "block", "its limit still counts"


def test_nothing_measured_is_never_green() -> None:
    results = judge(SHIPPED, {}, TODAY)
    assert {item.verdict for item in results} == {"no-data"}
    assert overall(SHIPPED, results) == "no-data"
    assert all(item.reason and item.now is None for item in results)
    assert one(FREE, series([100])).verdict == "inconclusive", "no limit and no baseline"
    assert one(FREE, replace(series([100] * 5, STEADY), problem="a report was cut short")).verdict == "inconclusive"
    assert one(FREE, replace(series([]), problem="nothing since 2026-10-24")).why == "nothing since 2026-10-24"


@pytest.mark.parametrize(("policy", "verdict"), [("warn", "warn"), ("block", "block"), ("carry", "pass")])
def test_what_was_not_measured_counts_as_its_policy_says(policy: str, verdict: str) -> None:
    file = parse(f"- {{id: a, {TESTS}}}\n- {{id: b, {TESTS}, on_missing: {policy}}}\n")
    results = judge(file, {"a": [series([10])]}, TODAY)
    assert overall(file, results) == verdict
    assert overall(file, results, frozenset({"tests"})) == ("block" if policy == "block" else "pass"), (
        "a path-filtered change"
    )
    assert overall(file, results, frozenset({"ci"})) == "pass", "tests were not part of this run"


COST = "surface: cost, metric: infra.monthly, limit: 500 USD/month, warn: {relative: 5%, min_delta: 10 USD/month}"


def plan(monthly: str, past: str | None = None, errors: tuple[str, ...] = (), currency: str = "USD") -> Estimate:
    return Estimate(Decimal(monthly), None if past is None else Decimal(past), currency, 1, errors)


@pytest.mark.parametrize(
    ("estimate", "verdict", "words"),
    [
        (plan("500.00"), "pass", "plan 500 USD/month of 500 USD/month"),
        (plan("500.01"), "block", "plan 500.01 USD/month of 500 USD/month: over the budget"),
        (plan("315.00", "300.00"), "pass", "plan 315"),
        (plan("315.01", "300.00"), "warn", "raises it by 15.01 USD/month (+5.0 %)"),
        (plan("109.00", "100.00"), "pass", "plan 109"),
        (plan("400", "200"), "warn", "+100 %"),
        (plan("200", "0"), "pass", "plan 200"),
        (plan("200", "200", ("us1-dev: no such provider",)), "inconclusive", "incomplete: us1-dev"),
        (plan("600", "200", ("us1-dev: no such provider",)), "block", "over the budget"),
        (plan("100", currency="EUR"), "inconclusive", "priced in EUR, the budget is in USD"),
    ],
)
def test_plan_estimates(estimate: Estimate, verdict: str, words: str) -> None:
    result = one(COST, estimate)
    assert result.verdict == verdict
    assert words in result.why


def test_a_plan_is_explained_in_its_own_currency_and_told_from_its_limit() -> None:
    rule = parse(f"- {{id: a, {COST}}}\n").budgets[0]
    assert "now         300 EUR/month (of 1 project)" in explain_result(
        rule, one(COST, plan("300", currency="EUR")), "USD"
    )
    said = explain_result(rule, one(COST, plan("500.42", "500.00")), "USD")
    assert "now         500.42 USD/month (of 1 project)" in said
    assert "limit       500 USD/month, 100.1 % used" in said


@pytest.mark.parametrize(
    ("spent", "days", "verdict", "words"),
    [
        ("500.3", 20, "block", "500.30 USD of 500 USD spent after 20 of 30 days: over the budget"),
        (
            "250.1",
            15,
            "warn",
            "250 USD of 500 USD spent after 15 of 30 days, used up in 15 days at this pace, a straight line to 500.20 USD",
        ),
        ("250", 15, "pass", "a straight line to 500 USD at the month's end"),
        ("300", 15, "warn", "used up in 10 days at this pace, a straight line to 600 USD"),
        ("100", 2, "pass", "100 USD of 500 USD spent after 2 of 30 days"),
    ],
)
def test_spend(spent: str, days: int, verdict: str, words: str) -> None:
    result = one(COST, Spend(Decimal(spent), "USD", days, 30, Decimal("200")))
    assert result.verdict == verdict
    assert words in result.why
    assert result.run_rate == (None if days < 3 else pytest.approx(float(spent) / days * 30))


def test_more_after_a_month_of_credits_is_more() -> None:
    """From -100 to 50 USD is 150 up."""
    assert one(COST, Spend(Decimal(50), "USD", 9, 30, Decimal(-100))).shift == 1.5
    assert one(COST, plan("50", "-100")).shift == 1.5


WAIVED = "waivers: [{id: W-1, budget: a, reason: a good reason, owner: '@mia', expires: 2026-12-01%s}]\n"


def test_a_waiver_raises_or_downgrades_and_never_hides() -> None:
    raised = one(TESTS, series([110]), WAIVED % ", raise_to: 120s")
    assert (raised.verdict, raised.limit, raised.waiver) == ("pass", 120, "W-1")
    assert "waived by @mia until 2026-12-01 (W-1: a good reason)" in raised.why
    assert one(TESTS, series([130]), WAIVED % ", raise_to: 120s").verdict == "block", (
        "even the raised limit is exceeded"
    )
    assert one(TESTS, series([130]), WAIVED % "").verdict == "warn"
    assert one(TESTS, series([95]), WAIVED % ", raise_to: 90s").verdict == "pass", (
        "the limit was raised beyond it since"
    )
    floor = TESTS + ", direction: higher"
    assert one(floor, series([85]), WAIVED % ", raise_to: 80s").verdict == "pass"
    assert one(floor, series([75]), WAIVED % ", raise_to: 80s").verdict == "block", (
        "even the floor of the waiver is missed"
    )
    breach = series([200], STEADY, "m", "m")
    assert one(FREE, breach).verdict == "inconclusive"
    assert one(FREE, breach, WAIVED % "").verdict == "warn", "what a second run would confirm is waived, too"
    assert one(FREE, replace(breach, problem="cut short"), WAIVED % "").verdict == "inconclusive"
    assert one(FREE, series([200], STEADY, "m", "n"), WAIVED % "").verdict == "inconclusive", "another machine"


def test_one_measurement_sees_no_less_than_what_would_ask_for_another() -> None:
    """Ten equal ones have no noise band: then the block threshold of 10 % is the smallest rise that is seen."""
    same = one(FREE, series([100.001], [100.0] * 10))
    assert (same.verdict, same.smallest_detectable, signed_share(same.shift)) == ("pass", 0.1, "0 %")


def test_a_rise_from_nothing_is_no_pass() -> None:
    """A free model that costs something now, on five days against twenty; one day alone asks for another, and what was there
    before says nothing."""
    free = "surface: llm, metric: task.cost"
    paid = one(free, series([0.02, 0.03, 0.02, 0.04, 0.03], [0.0] * 20))
    assert (paid.verdict, paid.shift, paid.baseline) == ("block", None, 0)
    assert paid.why.startswith("worse than a baseline of nothing (p ")
    assert "nothing" in explain_result(parse(f"- {{id: a, {free}}}\n").budgets[0], paid, "USD")
    assert one(free, series([0.02], [0.0] * 20)).verdict == "inconclusive"
    assert one(free, series([0.02], [0.0] * 19 + [0.03])).verdict == "pass"
    assert one(free, series([0.0] * 5, [0.0] * 20)).verdict == "pass"
    assert one(free + ", direction: higher", series([0.02] * 5, [0.0] * 20)).verdict == "pass"
    drift = replace(series([0.02] * 5, [0.02] * 20), drift=tuple(Sample(0.0) for _ in range(20)))
    slow = one(free, drift)
    assert (slow.verdict, slow.drift, "there, and was not 90 days ago" in slow.why) == ("warn", None, True)


def test_an_expired_waiver_no_longer_holds() -> None:
    file = parse(f"- {{id: a, {TESTS}}}\n" + WAIVED % "")
    later = date(2026, 12, 2)
    assert judge(file, {"a": [series([130])]}, later)[0].verdict == "block"
    assert [waiver.id for waiver in expired(file, later)] == ["W-1"]
    assert expired(file, date(2026, 12, 1)) == ()


def test_a_slow_drift_that_passes_every_day_is_seen() -> None:
    drift = tuple(Sample(value - 20) for value in STEADY)
    result = one(FREE, replace(series([100, 101, 99, 100, 102], STEADY), drift=drift))
    assert result.verdict == "warn"
    assert "worse than 90 days ago: a slow drift" in result.why
    assert result.drift == pytest.approx(0.25, abs=0.02)


def test_the_shipped_gate_blocks_a_planted_spike() -> None:
    assert self_test(SHIPPED) == ()
    deaf = parse("- {id: a, surface: ci, metric: pipeline.duration, block: {relative: 10%}}\n")
    assert self_test(deaf) == ()
    numb = parse_budgets(
        b"version: 1\ncurrency: USD\nbudgets:\n- {id: a, surface: ci, metric: pipeline.duration}\n", "f", TODAY
    )
    assert self_test(numb) == ("a",), "a budget without a limit and without a threshold can never block"


def test_worst_first() -> None:
    file = parse("".join(f"- {{id: {name}, {TESTS}}}\n" for name in "abcd"))
    results = judge(
        file, {"a": [series([10])], "b": [series([101])], "c": [replace(series([9]), problem="cut")]}, TODAY
    )
    assert [item.verdict for item in results] == ["block", "inconclusive", "no-data", "pass"]


TWENTY = "".join(f"- {{id: b{place:02}, {FREE}}}\n" for place in range(20))


def simulated(generator: random.Random, variation: float, rise: float = 0.0) -> dict[str, Result]:
    """A run of 20 budgets, 5 measurements against 20 each; the first budget is worse by `rise`, the others as before."""
    file = parse(TWENTY)

    def draw(size: int, change: float = 0.0) -> list[float]:
        return [100 * (1 + change) * generator.gauss(1, variation) for _ in range(size)]

    measured = {budget.id: [series(draw(5, rise if budget.id == "b00" else 0.0), draw(20))] for budget in file.budgets}
    return {one.id: one for one in judge(file, measured, TODAY)}


@pytest.mark.slow
@pytest.mark.parametrize("variation", [0.1, 0.2])
def test_false_alarms_per_run_of_twenty_budgets(variation: float) -> None:
    """Nothing changed: at most 2 in 100 runs block; 1 − 0.99²⁰ = 18 % warn, here within three standard errors of it."""
    generator = random.Random(1)
    runs = [simulated(generator, variation) for _ in range(250)]
    assert sum(any(one.verdict == "block" for one in run.values()) for run in runs) / 250 <= 0.02
    assert sum(any(one.verdict == "warn" for one in run.values()) for run in runs) / 250 <= 0.182 + 3 * 0.0244


@pytest.mark.slow
@pytest.mark.parametrize(("rise", "blocked", "seen"), [(0.2, 0.0, 0.70), (0.5, 0.75, 0.75)])
def test_what_a_budget_sees_within_a_run_of_twenty(rise: float, blocked: float, seen: float) -> None:
    """5 runs against 20 at 10 % variation: +20 % is warned of or blocked, +50 % is blocked."""
    generator = random.Random(2)
    verdicts = [simulated(generator, 0.1, rise)["b00"].verdict for _ in range(150)]
    assert verdicts.count("block") / 150 >= blocked
    assert sum(one in {"block", "warn"} for one in verdicts) / 150 >= seen


@pytest.mark.slow
@pytest.mark.parametrize("variation", [0.1, 0.2])
def test_a_speed_up_never_blocks(variation: float) -> None:
    generator = random.Random(4)
    for _ in range(100):
        run = simulated(generator, variation, -0.2)
        assert run["b00"].verdict == "pass"
