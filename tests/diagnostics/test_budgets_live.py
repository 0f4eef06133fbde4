"""Monthly budgets while the month runs, from a real cache; amounts by hand."""

from datetime import UTC
from decimal import Decimal

import pytest

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


def test_a_day_of_a_bill_that_is_half_there_is_held_back():
    rows = {at(day): 100 for day in range(1, 11)}
    assert complete_until(rows, at(15)) == at(11)
    assert complete_until({**rows, at(11): 40}, at(15)) == at(11)
    assert complete_until({**rows, at(11): 85}, at(15)) == at(12)
    assert complete_until({**rows, at(11): 100}, at(11)) == at(11)  # today is not over
    assert complete_until({}, at(11)) is None
