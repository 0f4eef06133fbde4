"""Gains from cached tasks, by hand, and the interval of resampled days against a simulation."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from pathlib import Path

import pytest

from aether_tui.config import Config
from aether_tui.diagnostics.gains import Work, resampled
from aether_tui.diagnostics.gains_measure import deflator_of
from aether_tui.diagnostics.run import open_data
from tests.diagnostics import world

CYCLES = {
    "cycle-1": "id: cycle-1\nstarted: 2026-10-01\nended: 2026-10-20\n",
    "cycle-2": "id: cycle-2\nstarted: 2026-10-21\n",
}


def engagement(folder: Path, extra: str = "", **costs: str) -> world.Workspace:
    """Twenty days of 10 `easy` and 10 `hard` requests, then twenty of 30 and 10; eight of ten succeed. The second cycle pays
    a cent and four cents instead of two and eight: exactly twice as much per dollar at any mix."""
    made = world.workspace(folder)
    for name, text in CYCLES.items():
        world.document(
            made, "cycles", name, text + (extra if name == "cycle-2" else "") + costs.get(name.replace("-", "_"), "")
        )
    rows = []
    for day in range(40):
        late = day >= 20
        for cluster, n, cost in (("easy", 30 if late else 10, 1 if late else 2), ("hard", 10, 4 if late else 8)):
            for i in range(n):
                number = len(rows) + 1
                rows.append(world.full(
                    "spans", trace_id=f"{number:032x}", span_id=f"{number:016x}", name="a", operation="chat",
                    start=world.at(1 + day + 0.4, 10), duration_s=1.0, provider="openai", model="gpt-4.1", input_tokens=1000,
                    output_tokens=100, status="ok", cost_usd=Decimal(cost) / 100, cost_status="reported", environment="production",
                    task_cluster=cluster, outcome="success" if i % 10 < 8 else "failure",
                ))  # fmt: skip
    world.store(made, "traces", "files", "spans", rows)
    return made


def test_twice_as_much_per_dollar_whatever_the_mix(tmp_path: Path) -> None:
    report = world.report("gains", engagement(tmp_path))
    first, second = report.data.cycles
    assert (first.tasks, second.tasks) == (400, 800)
    assert (first.gain.value, first.cumulative.value) == (None, 1)
    assert second.gain.value == pytest.approx(2)
    assert (second.gain.low, second.gain.high) == pytest.approx((2, 2)), "every day is alike"
    assert second.raw_gain == pytest.approx((640 / 14) / (320 / 20))  # 640 successes for 14 USD against 320 for 20
    assert second.success.value == pytest.approx(0.8)
    assert report.data.value.startswith("a success counts as 1")
    assert any("with the change of mix" in finding.text for finding in report.findings)
    # 20.5 days between the middles: October 11 and October 31 to November 21 (its middle is November 5).
    days = (second.middle - first.middle).total_seconds() / 86400
    assert second.reference_low == pytest.approx(3 ** (days / 182.5))
    assert "cumulative" in {fact.id.removeprefix("gains.") for fact in report.blocks[0].facts}


def test_values_and_people_count_where_they_are_written(tmp_path: Path) -> None:
    costs = {
        "cycle_1": "infra_cost_usd: 10\nreview_cost_usd: 10\n",
        "cycle_2": "infra_cost_usd: 4\nreview_cost_usd: 2\n",
    }
    made = engagement(tmp_path, "value_per_success_usd: 3\ncluster_values_usd: {hard: 9}\n", **costs)
    found = world.report("gains", made).data
    assert found.costs == "model calls, infrastructure and review"
    # (160 easy × 3 + 160 hard × 9) ÷ (20 + 20); then (480 × 3 + 160 × 9) ÷ (14 + 6).
    assert found.cycles[0].output_per_dollar == pytest.approx(1920 / 40)
    assert found.cycles[1].output_per_dollar == pytest.approx(2880 / 20)
    half = world.report("gains", engagement(tmp_path / "half", "", cycle_2=costs["cycle_2"])).data
    assert half.costs.startswith("model calls only")


def test_a_price_cut_of_the_provider_is_not_our_gain(tmp_path: Path) -> None:
    """The list price falls to a quarter on the day the second cycle begins: at constant prices half is lost."""
    made = engagement(tmp_path)
    price = {"model": "gpt-4.1", "output_usd_per_million": 0}
    config = Config.model_validate({"prices": [
        price | {"input_usd_per_million": 4, "valid_from": "2026-01-01"},
        price | {"input_usd_per_million": 1, "valid_from": "2026-10-21"},
    ]})  # fmt: skip
    second = world.report("gains", made, config).data.cycles[1]
    assert second.cumulative.value == pytest.approx(2)
    assert second.constant_price == pytest.approx(0.5)
    assert second.repriced_share == 1
    with open_data(config, world.clock(), None) as data:
        assert deflator_of(world.at(1), world.at(2), world.at(1), data, config) == (1.0, None)


def test_a_price_cut_within_a_cycle_is_not_our_gain_either(tmp_path: Path) -> None:
    """The list price halves on the eleventh of the twenty days of the second cycle, alike but for it: at constant prices each
    dollar of the second half was two, so the gain of 2 is one of 2 × 20 ÷ (10 + 10 × 2)."""
    price = {"model": "gpt-4.1", "output_usd_per_million": 0}
    config = Config.model_validate({"prices": [
        price | {"input_usd_per_million": 4, "valid_from": "2026-01-01"},
        price | {"input_usd_per_million": 2, "valid_from": "2026-10-31"},
    ]})  # fmt: skip
    second = world.report("gains", engagement(tmp_path), config).data.cycles[1]
    assert second.constant_price == pytest.approx(2 * 20 / 30)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    assert "needs two cycles" in world.report("gains", made).headline
    world.document(made, "cycles", "cycle-1", CYCLES["cycle-1"])
    assert world.report("gains", made).data.left_out == ("cycle-1",)


@pytest.mark.parametrize("length", [7, 12])
def test_resampled_days_hold_the_truth(length: int) -> None:
    """Output per dollar doubles; few noisy days a cycle. The 95 % interval holds 2 in 92 of 100 worlds at least."""
    inside = 0
    for seed in range(150):
        rng = random.Random(seed)

        def day(cost: float, rng: random.Random = rng) -> dict[str, Work]:
            return {
                key: Work(n * rng.uniform(0.5, 0.9), cost * n * math.exp(rng.gauss(0, 0.3)), n)
                for key in "abc"
                for n in [rng.randint(5, 30)]
            }

        days = [[day(0.2) for _ in range(length)], [day(0.1) for _ in range(length)]]
        ((gain, total),) = resampled(days, 200, seed)
        assert gain is not None
        assert gain == total
        assert gain[1] is not None
        assert gain[2] is not None
        inside += gain[1] <= 2 <= gain[2]
    assert inside >= 0.92 * 150, inside
    short = [[day(0.2) for _ in range(6)], [day(0.1) for _ in range(20)]]
    assert resampled(short, 50, 1) == [(None, None)]
