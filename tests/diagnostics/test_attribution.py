"""Attribution of the small world, computed by hand."""

from __future__ import annotations

import random
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import to_builtins

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.run import run_report
from aether_tui.records.model import Row
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world


def call(number: int, day: float, usd: str, *, user: str | None, model: str = "m", tokens: int = 100) -> Row:
    return world.full(
        "spans", trace_id=f"t{number}", span_id=f"s{number}", start=world.at(day), duration_s=1.0, operation="chat", model=model,
        input_tokens=tokens, output_tokens=0, status="ok", cost_usd=Decimal(usd), environment="production", feature="search",
        team=None if number == 1 else "core", user=user, prompt_name="p", prompt_version=f"v{1 + number % 2}", task_cluster="c",
    )  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """Before: one call of 1 USD. Now: one of 1 USD as before, one of 3 USD with twice the tokens, one by a new model for 2 USD."""
    made = world.workspace(tmp_path / "w")
    earlier = world.at(10) - timedelta(days=30)
    before = (*call(9, 10, "1", user="u1"),)
    names = [column.name for column in world.TABLES["spans"].columns]
    moved = list(before)
    moved[names.index("start")] = earlier
    now = [call(2, 10, "1", user="u1"), call(1, 11, "3", user="u2", tokens=200), call(3, 12, "2", user=None, model="n")]
    world.store(made, "otlp", "receiver", "spans", [tuple(moved), *now])
    return made


def test_cost_by_every_dimension(made: Workspace) -> None:
    found = to_builtins(world.report("attribution", made).data)
    by = {one["name"]: {share["name"]: share["cost_usd"] for share in one["values"]} for one in found["dimensions"]}
    assert by["feature"] == {"search": 6.0}
    assert by["team"] == {"core": 3.0, None: 3.0}
    assert by["category"] == {"c": 6.0}
    assert by["model"] == {"m": 4.0, "n": 2.0}
    assert by["prompt version"] == {"p v1": 1.0, "p v2": 5.0}
    assert by["user tenth"] == {"1. tenth (1 user)": 3.0, "2. tenth (1 user)": 1.0, None: 2.0}
    assert (found["cost_usd"], found["attributed"], found["calls"]) == (6.0, 0.5, 3)


def test_what_the_gate_wants_is_what_is_set(made: Workspace) -> None:
    def told(share: float) -> list[str]:
        config = Config.model_validate({"gate": {"attribution_share": share}})
        found = run_report("attribution", made, config, Clock.of(world.NOW, "28d", seed=1), Cache(made.cache_path))
        return [one.text for one in found.findings if one.id == "attribution.covered"]

    assert told(0.7) == ["50 % of cost has a feature and a team; the gate wants 70 %."]
    assert told(0.5004) == ["50.00 % of cost has a feature and a team; the gate wants 50.04 %."]
    assert told(0.5) == []


def test_the_waterfall_sums_to_the_change(made: Workspace) -> None:
    found = to_builtins(world.report("attribution", made).data)["waterfall"]
    assert (found["before_usd"], found["after_usd"]) == (1.0, 6.0)
    assert sum(found["parts"].values()) == pytest.approx(5.0)
    movers = {mover["name"]: mover["parts"] for mover in found["movers"]}
    assert movers["search · core · n"] == {"volume": 0, "mix": 2.0, "errors": 0, "tokens": 0, "price": 0}


def test_today_so_far_is_no_rise(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.store(made, "otlp", "receiver", "spans", [call(n, n / 24 - 6, "1", user=None) for n in range(22 * 24)])
    noon = world.at(15.5).replace(tzinfo=UTC)  # a dollar an hour: seven days and a half, and as many before
    found = run_report("attribution", made, Config(), Clock.of(noon, "7d", seed=1), Cache(made.cache_path)).data
    assert (found.cost_usd, found.waterfall.before_usd) == (180, 180)
    assert found.waterfall.before.end == found.waterfall.before.start + timedelta(days=7.5)


def test_waterfalls_of_odd_worlds_sum_to_raw_costs(tmp_path: Path) -> None:
    """Nulls, names that read the same, calls without a price, kinds that appear and vanish: against sums over the rows."""
    names = [column.name for column in world.TABLES["spans"].columns]
    features = [None, "search", "search · core", "x" * 90 + "a", "x" * 90 + "b"]
    for seed in range(3):
        rng, rows = random.Random(seed), []
        for number in range(60):
            row = dict(zip(names, call(number, 10, "1", user=rng.choice([None, "u1"])), strict=True))
            row |= {
                "start": world.at(10) - timedelta(days=rng.choice([0, 30])), "feature": rng.choice(features),
                "team": rng.choice([None, "core"]), "model": rng.choice(["m", "n", None]), "status": rng.choice(["ok", "error"]),
                "input_tokens": rng.choice([None, 0, 10, 900]), "cost_usd": rng.choice([None, Decimal(0), Decimal("0.3"), Decimal(2)]),
            }  # fmt: skip
            row["cost_usd"] = None if row["model"] == "n" else row["cost_usd"]
            rows.append(row)
        made = world.workspace(tmp_path / str(seed))
        world.store(made, "otlp", "receiver", "spans", [tuple(row.values()) for row in rows])
        found = to_builtins(world.report("attribution", made).data)
        now = [row for row in rows if row["start"] == world.at(10)]
        cost = float(sum(row["cost_usd"] or 0 for row in now))
        before = float(sum(row["cost_usd"] or 0 for row in rows)) - cost
        fall = found["waterfall"]
        assert (fall["before_usd"], fall["after_usd"]) == (pytest.approx(before), pytest.approx(cost))
        assert sum(fall["parts"].values()) == pytest.approx(cost - before, abs=1e-9)
        assert sum(mover["after_usd"] for mover in fall["movers"]) == pytest.approx(cost)
        for dimension in found["dimensions"]:
            assert sum(share["cost_usd"] or 0 for share in dimension["values"]) == pytest.approx(cost), dimension[
                "name"
            ]
        models = next(one for one in found["dimensions"] if one["name"] == "model")["values"]
        assert [share["cost_usd"] for share in models if share["name"] == "n"] == [None], "unpriced, not nothing"


def test_without_calls_it_says_so(empty: Workspace) -> None:
    report = world.report("attribution", empty)
    assert report.headline.startswith("No model call")
    assert report.data.cost_usd is None  # type: ignore[attr-defined]
