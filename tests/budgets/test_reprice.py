"""Cost per task at today's prices on both sides, and the model as a driver; gpt-4o-mini is 0.15 and 0.60 USD per million."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aether_tui.budgets.baseline import read_baselines, updated
from aether_tui.budgets.file import parse_budgets
from aether_tui.budgets.filed import from_files
from aether_tui.budgets.measurements import Tokens
from aether_tui.budgets.model import Sample, Series, Used
from aether_tui.budgets.reprice import repriced
from aether_tui.budgets.store import Folder
from tests.budgets.test_commands import by_id
from tests.budgets.test_verdict import TODAY
from tests.command import Done, aether

FILE = parse_budgets(
    b"version: 1\ncurrency: USD\nbudgets:\n- {id: a, surface: llm, metric: task.cost}\n", "budgets.yaml", TODAY
)
BUDGETS = """\
version: 1
currency: USD
defaults: {warn: {relative: 5%}, block: {relative: 10%}}
budgets:
  - {id: cost, surface: llm, metric: task.cost, match: {scenario: "*"}, limit: 1 USD/task}
  - {id: tokens, surface: llm, metric: task.tokens, match: {scenario: "*"}, limit: 100000 tokens/task}
"""


def used(model: str, calls: int = 10) -> Used:
    return Used(model=model, calls=calls, input_tokens=1000 * calls, output_tokens=500 * calls)


def test_both_sides_are_priced_today() -> None:
    """Then 2 USD for ten calls, today 0.1 each: the sample costs half of what it did."""
    then = Sample(0.2, usage=(used("a"),), usd=2.0)
    now = Sample(0.1, usage=(used("a"),), usd=1.0)
    (one,) = repriced(FILE, {"a": [Series("", (now,), (then,) * 5)]}, lambda _: Decimal("0.1"))["a"]
    assert isinstance(one, Series)
    assert one.now[0].value == pytest.approx(0.1)
    assert [sample.value for sample in one.base] == pytest.approx([0.1] * 5)
    assert one.drivers == ()


def test_an_unknown_price_or_usage_changes_nothing() -> None:
    then, now = Sample(0.2), Sample(0.1, usage=(used("a"),), usd=1.0)
    (one,) = repriced(FILE, {"a": [Series("", (now,), (then,))]}, lambda _: Decimal(7))["a"]
    assert isinstance(one, Series)
    assert (one.now[0].value, one.base[0].value) == (0.1, 0.2), "one side alone is not repriced"
    (one,) = repriced(FILE, {"a": [Series("", (now,), (now,))]}, lambda _: None)["a"]
    assert isinstance(one, Series)
    assert one.now[0].value == 0.1


def traces(model: str, each: float) -> str:
    """As `measure tokens` prints it: ten tasks of 1000 and 500 tokens, at what the calls cost then."""
    scenario: dict[str, Any] = {
        "scenario": "refund", "environment": "", "model": model, "tasks": 10, "tokens_p50": 1500.0, "cost_p50": each,
        "latency_p50_s": 1.0, "turn_latency_p50_s": 1.0, "tokens": [1500.0] * 10, "cost": [each] * 10,
        "turn_latency_s": [1.0] * 10, "usd": 10 * each,
        "usage": [{"model": model, "calls": 10, "input_tokens": 10_000, "output_tokens": 5_000}],
    }  # fmt: skip
    return json.dumps({"tasks": 10, "spans": 10, "unpriced": 0, "problems": [], "by_scenario": [scenario]})


def test_a_price_cut_is_no_gain_and_a_model_swap_is_named(tmp_path: Path) -> None:
    (tmp_path / "optimization").mkdir()
    (tmp_path / "optimization" / "budgets.yaml").write_text(BUDGETS)
    file = parse_budgets(BUDGETS.encode(), "budgets.yaml", TODAY)
    store = Folder(tmp_path / "benchmarks")
    for place in range(6):
        then = msgspec.json.decode(traces("gpt-4o-mini", 0.0009 + place / 1e6), type=Tokens)
        day = datetime(2026, 11, 1 + place, 12, tzinfo=UTC)
        known = read_baselines(store, "USD")
        added, _ = updated(file, from_files(file, [then]), known, commit=f"{place:012x}", now=day)
        store.write({one.baseline.name: one.baseline.encoded("USD") for one in added})

    def check(text: str) -> Done:
        return aether("--as-of", "2026-11-21", "budget", "check", "-", "--format", "json", cwd=tmp_path, stdin=text)

    same = check(traces("gpt-4o-mini", 0.00045))
    cost = by_id(same, "cost")
    # 1000 × 0.15 + 500 × 0.60 per million, whatever was paid then.
    assert (cost["now"], cost["baseline"]) == (pytest.approx(0.00045), pytest.approx(0.00045))
    assert cost["shift"] == pytest.approx(0)
    dear = check(traces("gpt-4o", 0.00045))
    swapped = by_id(dear, "cost")
    # gpt-4o: 1000 × 2.50 + 500 × 10 per million.
    assert swapped["now"] == pytest.approx(0.0075)
    assert swapped["verdict"] == "inconclusive", "16 times as dear asks for a confirming run"
    assert swapped["drivers"] == ["model gpt-4o-mini → gpt-4o"]
    assert "model gpt-4o-mini → gpt-4o" in swapped["why"]
    tokens = by_id(dear, "tokens")
    assert (tokens["now"], tokens["drivers"]) == (1500.0, ["model gpt-4o-mini → gpt-4o"])
