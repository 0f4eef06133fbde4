"""Model cost by traces beside the bill, computed by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from aether_tui.records.model import Row, Value
from aether_tui.report_model import envelope
from tests.diagnostics import world


def call(number: int, day: float, usd: str | None) -> Row:
    return world.full(
        "spans", trace_id=f"{number:032x}", span_id=f"{number:016x}", start=world.at(day), duration_s=1.0, operation="chat",
        model="m", input_tokens=10, output_tokens=1, cost_usd=None if usd is None else Decimal(usd),
    )  # fmt: skip


def charge(number: int, day: float, usd: str, **more: Value) -> Row:
    values: dict[str, Value] = {"provider": "OpenAI", "currency": "USD", "charge_category": "Usage", **more}
    return world.full("costs", row_hash=f"h{number}", charge_start=world.at(day), billed_cost=Decimal(usd), **values)


def bill(tmp_path: Path, spans: list[Row], costs: list[Row]) -> dict[str, object]:
    made = world.workspace(tmp_path / "w")
    if spans:
        world.store(made, "otlp", "receiver", "spans", spans)
    if costs:
        world.store(made, "focus", "files", "costs", costs)
    found = json.loads(envelope(world.report("sources", made)))["data"]["bill"]
    return found if found is None else dict(found)


SPANS = [call(1, 1.5, "9"), call(2, 3.5, "1"), call(3, 4.5, "2"), call(4, 4.6, None)]


def test_the_days_that_both_sides_have_are_compared(tmp_path: Path) -> None:
    costs = [
        charge(1, 3, "2.5"),
        charge(2, 4, "1.5", provider="AWS", source_service="Amazon Bedrock"),
        charge(3, 4, "100", provider="AWS", source_service="AmazonEC2"),
        charge(4, 4, "7", charge_category="Tax"),
        charge(6, 9, "50"),
    ]
    found = bill(tmp_path, SPANS, costs)
    # Days 3 and 4: 1 + 2 USD traced, 2.5 + 1.5 billed. Day 1 has no bill, day 9 no traces.
    assert (found["traced_usd"], found["billed_usd"], found["ratio"]) == (3.0, 4.0, 0.75)
    assert str(found["first_day"]).startswith("2026-11-03")
    assert str(found["last_day"]).startswith("2026-11-04")
    assert (found["calls"], found["unpriced_calls"], found["unpriced_share"]) == (4, 1, 0.25)
    assert (found["unbilled_days"], found["other_currencies"]) == (0, None)
    # Which of the traced calls are on the bill in euros nobody knows.
    mixed = bill(tmp_path / "mixed", SPANS, [*costs, charge(5, 4, "7", currency="EUR")])
    assert (mixed["ratio"], mixed["other_currencies"], mixed["billed_usd"]) == (None, "EUR", 4.0)
    assert mixed["reason"] == "model providers bill in EUR too, and only USD can be compared"


def test_a_charge_for_several_days_counts_for_each_and_days_without_a_bill_are_left_out(tmp_path: Path) -> None:
    spans = [call(1, 1.5, "2"), call(2, 3.5, "4"), call(3, 5.5, "3"), call(4, 9.5, "1"), call(5, 10.5, "1")]
    # 20 days of 1 USD, from before the window on; without an end one day; days 3 and 9 have one charge each.
    costs = [
        charge(1, -12, "20", charge_end=world.at(8)),
        charge(2, 10, "2", provider="Anthropic"),
        charge(3, 10, "0.5", charge_end=world.at(11), provider="AWS", source_service="Amazon Bedrock"),
        charge(4, 10, "-5", charge_category="Credit"),
    ]
    found = bill(tmp_path, spans, costs)
    # Days 1 to 7 and day 10: 7 × 1 + 2.5 billed, 2 + 4 + 3 + 1 traced; nobody billed day 9.
    assert (found["traced_usd"], found["billed_usd"], found["unbilled_days"]) == (10.0, 9.5, 1)
    assert found["ratio"] == pytest.approx(10 / 9.5)


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        ([], "no bill of a model provider in this window"),
        ([charge(1, 4, "5", provider="AWS", source_service="AmazonEC2")], "no bill of a model provider in this window"),
        ([charge(1, 20, "5")], "traces and bill have no day in common"),
        ([charge(1, 4, "5", currency="EUR")], "model providers bill in EUR, and only USD can be compared"),
        ([charge(1, 4, "0")], "the bill of these days is not above 0"),
    ],
)
def test_without_a_bill_the_ratio_is_absent_with_the_reason(tmp_path: Path, costs: list[Row], reason: str) -> None:
    found = bill(tmp_path, SPANS, costs)
    assert (found["ratio"], found["reason"]) == (None, reason)


def test_calls_without_a_price_are_a_day_in_common_all_the_same(tmp_path: Path) -> None:
    found = bill(tmp_path, [call(1, 1.5, "9"), call(2, 4.5, None)], [charge(1, 4, "5")])
    assert (found["ratio"], found["reason"]) == (
        None,
        "no call of the days that traces and bill have in common has a price",
    )


def test_without_model_calls_there_is_nothing_to_reconcile(tmp_path: Path) -> None:
    assert bill(tmp_path, [], [charge(1, 4, "5")]) is None
