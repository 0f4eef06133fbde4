"""Monthly budgets while the month runs, from a real cache; amounts by hand."""

from datetime import UTC
from decimal import Decimal

import pytest

from aether_tui.budgets.explain import explain_result
from aether_tui.budgets.file import read_budgets
from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics.budgets_live import complete_until
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.run import run_report
from aether_tui.report_model import Plot, Table, load, opened, save
from tests.diagnostics.world import at, full, report, store, workspace

FILE = (
    "version: 1\ncurrency: USD\nbudgets:\n"
    "- {id: llm.month, surface: llm, metric: model.monthly, limit: 30 USD/month}\n"
    "- {id: llm.tokens, surface: llm, metric: model.tokens, limit: 3000 tokens/month}\n"
    "- {id: cost.dev, surface: cost, metric: infra.monthly, match: {env: dev}, limit: 60 USD/month, burn: {period: month}}\n"
)


@pytest.fixture
def made(tmp_path):
    """From 1 October 1 USD and 100 tokens at noon of every day, 12 more USD in the last hour before now; 2 USD a day in dev."""
    made = workspace(tmp_path)
    made.budgets_path.parent.mkdir(exist_ok=True)
    made.budgets_path.write_text(FILE)
    days = [(day, 10) for day in range(1, 32)] + [(day, 11) for day in range(1, 21)]
    calls = [(at(day + 0.5, month), 1) for day, month in days] + [(at(20 + 23.5 / 24), 12)]
    spans = [
        full(
            "spans", trace_id=f"{place:032x}", span_id=f"{place:016x}", name="chat", operation="chat", start=start, duration_s=1.0,
            model="m", input_tokens=90, output_tokens=10, status="ok", cost_usd=Decimal(usd), cost_status="reported",
            environment="production", feature="answers",
        )
        for place, (start, usd) in enumerate(calls)
    ]  # fmt: skip
    store(made, "otlp", "spans", "spans", spans)
    charges = [
        full(
            "costs", row_hash=f"{month}-{day}", charge_start=at(day, month), charge_end=at(day + 1, month), billed_cost=Decimal(2),
            effective_cost=Decimal(2), currency="USD", charge_category="Usage", environment="dev", service="api",
        )
        for day, month in days[:-2]
    ]  # fmt: skip
    store(made, "focus", "costs", "costs", charges)
    return made


def test_spent_burn_pace_and_age(made):
    found = {one.id: one for one in report("budgets", made).data.live}
    month, dev = found["llm.month"], found["cost.dev"]
    assert (month.spent, month.limit, month.source) == (32.0, 30.0, "traces by hour")  # 20 days and 12 more
    assert (month.age_s, f"{month.as_of:%d %H}") == (0.0, "21 00")
    # Even budgets: the last hour may cost a 24th of a day; noon is usual, so late hours have a tenth, spread evenly, at most.
    assert month.rate(1) > 100
    assert month.alarm == "page"
    assert found["llm.tokens"].spent == 2100  # 21 calls of 100 tokens
    assert (dev.spent, f"{dev.as_of:%m-%d}", dev.age_s) == (36.0, "11-19", 2 * 86_400)  # the bill ends on the 18th
    assert dev.rate(24) == pytest.approx(1.0)  # 2 USD a day use up 60 in 30 days
    assert dev.rate(6) is None  # a bill by day has no hours
    assert dev.forecast.total == pytest.approx(60.0)
    assert dev.alarm is None


def test_a_page_is_a_finding_and_rows_open_into_drawings(made):
    built = report("budgets", made)
    assert any(one.id == "budgets.burn.llm.month" and one.severity == "bad" for one in built.findings)
    blocks = opened(load(save(built)), "budgets.rows/llm.month · spent")
    assert [block.id for block in blocks] == ["arithmetic", "forecast", "drivers", "history"]
    drivers = next(block for block in blocks if isinstance(block, Table) and block.id == "drivers")
    assert drivers.rows[0].cells[0] == "answers · m"
    fan = next(block for block in blocks if isinstance(block, Plot) and block.id == "forecast")
    assert max(point.y for point in fan.series[0].points) == pytest.approx(32.0)
    table = next(block for block in built.blocks if block.id == "budgets.rows")
    assert isinstance(table, Table)
    used = {row.id: row.cells[[col.key for col in table.columns].index("used")] for row in table.rows}
    assert used["cost.dev · spent"] == (pytest.approx(18 / 30), pytest.approx(36 / 60))


def test_a_budget_that_somebody_answers_for_is_called_waived(made):
    waiver = "{id: W-1, budget: llm.month, reason: a new contract, owner: '@mia', expires: 2026-12-01}"
    made.budgets_path.write_text(f"{FILE}waivers:\n- {waiver}\n")
    found = report("budgets", made)
    table = next(block for block in found.blocks if block.id == "budgets.rows")
    said = {row.id: (row.state, row.cells[0]) for row in table.rows}
    assert (said["llm.month · spent"], said["cost.dev · spent"]) == (("warn", "waived"), ("pass", "pass"))
    assert {one.id: one.verdict for one in found.data.budgets}["llm.month"] == "warn"


def test_the_first_hour_that_anything_was_spent_opens_without_a_history(tmp_path):
    """100 tokens at 09:59 of the 16th, looked at when that hour is over: no day is whole, the mean day is what was spent."""
    made = workspace(tmp_path)
    made.budgets_path.parent.mkdir(exist_ok=True)
    made.budgets_path.write_text(FILE)
    span = full(
        "spans", trace_id=f"{1:032x}", span_id=f"{1:016x}", name="chat", operation="chat", start=at(16 + 9.99 / 24), duration_s=1.0,
        model="m", input_tokens=90, output_tokens=10, status="ok", environment="production",
    )  # fmt: skip
    store(made, "otlp", "spans", "spans", [span])
    now = at(16 + 10.5 / 24).replace(tzinfo=UTC)
    built = run_report("budgets", made, Config(), Clock.of(now, "28d", seed=1), Cache(made.cache_path))
    blocks = opened(load(save(built)), "budgets.rows/llm.tokens · spent")
    assert [block.id for block in blocks] == ["arithmetic", "forecast", "drivers"]
    fan = next(block for block in blocks if isinstance(block, Plot) and block.id == "forecast")
    first = fan.series[1].points[0]
    assert (first.x, first.y) == (at(17).replace(tzinfo=UTC).timestamp(), 200.0)


@pytest.fixture(scope="module")
def even(tmp_path_factory):
    """A dollar an hour from 25 September to 25 November: 744 USD in October, 720 in November; as much a day in dev, by its bill."""
    made = workspace(tmp_path_factory.mktemp("even"))
    made.budgets_path.parent.mkdir(exist_ok=True)
    made.budgets_path.write_text(
        FILE.replace("limit: 30 USD", "limit: 700 USD").replace("limit: 60 USD", "limit: 700 USD")
    )
    spans = [
        full(
            "spans", trace_id=f"{hour:032x}", span_id=f"{hour:016x}", name="chat", operation="chat", start=at(25 + hour / 24, 9),
            duration_s=1.0, model="m", input_tokens=9, output_tokens=1, cost_usd=Decimal(1), cost_status="reported",
        )
        for hour in range(61 * 24)
    ]  # fmt: skip
    store(made, "otlp", "spans", "spans", spans)
    charges = [
        full("costs", row_hash=str(day), charge_start=at(25 + day, 9), billed_cost=Decimal(24), currency="USD", charge_category="Usage",
             environment="dev")
        for day in range(61)
    ]  # fmt: skip
    store(made, "focus", "costs", "costs", charges)
    return made


def months_of(made, now):
    """What is said of each month's budget by then: live, and by its verdict."""
    found = run_report(
        "budgets", made, Config(), Clock.of(now.replace(tzinfo=UTC), seed=1), Cache(made.cache_path)
    ).data
    return {one.id: one for one in found.live}, {one.id: one for one in found.budgets}


@pytest.mark.parametrize(
    ("now", "usd", "paced_usd", "used_up"),  # 700 USD are reached on the 30th at 4 o'clock
    [
        (at(20), 720, 720, 30), (at(20.25), 720, 720, 30), (at(20.75), 720, 720, 30), (at(1.25), 720, None, 30),
        (at(1), 744, 744, None), (at(31.5, 10), 744, 744, None),
    ],
)  # fmt: skip
def test_even_spend_is_forecast_exactly_at_any_hour_of_any_day(even, now, usd, paced_usd, used_up):
    live, judged = months_of(even, now)
    ahead = live["llm.month"].forecast
    assert (ahead.total, ahead.low, ahead.high) == (pytest.approx(usd),) * 3
    assert (ahead.crosses and ahead.crosses.day) == used_up
    assert judged["llm.month"].run_rate == (paced_usd and pytest.approx(paced_usd))


def test_at_midnight_a_month_that_has_just_ended_is_judged(even):
    _, judged = months_of(even, at(1))
    assert [(judged[name].now, judged[name].n_now) for name in ("llm.month", "cost.dev")] == [(744, 31), (744, 31)]


def test_the_month_before_is_told_over_as_long_or_not_at_all(even):
    for now, model_usd, bill_usd in (
        (at(20.25), 19 * 24 + 6, 20 * 24),
        (at(31.5, 10), None, None),
    ):  # September has no 31st
        _, judged = months_of(even, now)
        assert (judged["llm.month"].baseline, judged["cost.dev"].baseline) == (model_usd, bill_usd)


def test_a_month_is_explained_as_a_sum_in_its_own_unit(even):
    _, judged = months_of(even, at(20.25))
    file = read_budgets(even.budgets_path, "budgets.yaml", at(20).date())
    said = {one.id: explain_result(one, judged[one.id], file.currency) for one in file.budgets}
    assert "now         462 USD (the month so far, 20 days)" in said["llm.month"]
    assert "baseline    462 USD (the month before, as long)" in said["llm.month"]
    assert "pace        7,200 tokens at the month's end" in said["llm.tokens"]  # ten an hour


def test_what_a_bill_has_of_the_next_month_is_not_spent_in_this(even):
    # At noon of the first the bill is complete to the end of October; the 24 USD of today are November's.
    dev = months_of(even, at(1.5))[0]["cost.dev"]
    assert (dev.spent, f"{dev.as_of:%m-%d}") == (744.0, "11-01")


def test_a_day_of_a_bill_that_is_half_there_is_held_back():
    rows = {at(day): 100 for day in range(1, 11)}
    assert complete_until(rows, at(15)) == at(11)
    assert complete_until({**rows, at(11): 40}, at(15)) == at(11)
    assert complete_until({**rows, at(11): 85}, at(15)) == at(12)
    assert complete_until({**rows, at(11): 100}, at(11)) == at(11)  # today is not over
    assert complete_until({}, at(11)) is None
