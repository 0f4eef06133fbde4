"""What changed since the last review, over a real cache: found, dated, ranked, its driver named; nothing said of quiet series."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from aether_tui.cache import Cache
from aether_tui.diagnostics import changed_series, changed_words, narrative
from aether_tui.diagnostics.changed_measure import Change, Changed
from aether_tui.diagnostics.frame import Data, Filters
from aether_tui.records.model import Row
from aether_tui.report_model import Prose, Quantity, Report, Table
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

TODAY = world.NOW.replace(tzinfo=None)


def bill(service: str, course: Callable[[int], float], noise: float = 0.02, environment: str = "staging") -> list[Row]:
    """A charge a day for 110 days; `course` is told how many days ago."""
    rng = random.Random(service)
    return [
        world.full(
            "costs", row_hash=f"{service}{ago}", charge_start=TODAY - timedelta(days=ago), charge_end=TODAY - timedelta(days=ago - 1),
            billed_cost=Decimal(str(round(course(ago) * rng.gauss(1, noise), 6))), currency="USD", charge_category="Usage",
            service=service, environment=environment,
        )
        for ago in range(110, 0, -1)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = world.workspace(tmp_path_factory.mktemp("billed") / "w")
    rows = [
        *bill("[bold]vectors\x1b]0;x\x07", lambda ago: 60.0 if ago <= 12 else 30.0),
        *bill("web", lambda ago: 50.0 * (0.6 if (TODAY - timedelta(days=ago)).weekday() > 4 else 1)),
        *bill("notebook", lambda ago: 5 * 1.07 ** max(0, 40 - ago), environment="dev"),
    ]
    world.store(made, "focus", "costs", "costs", rows)
    return made


def changes(made: Workspace, window: str = "28d") -> dict[str, Change]:
    report: Report[Changed] = world.report("anomalies", made, window=window)
    return {one.id: one for one in report.data.changes}


def test_a_step_is_found_dated_and_given_its_driver(billed: Workspace) -> None:
    found = changes(billed)
    step = found["cost.billed.environment.staging"]
    assert abs((step.day - world.NOW).days + 12) <= 1
    assert step.driver is not None
    assert step.driver.name.startswith("[bold]vectors")
    assert step.driver.share == pytest.approx(1.0, abs=0.08)  # 30 of 30 a day, but for the noise of web
    assert step.direction == "worse"
    assert step.effect.low is not None and step.effect.high is not None and step.effect.value is not None
    # 30 + 44.3 → 60 + 44.3 a day: web costs 50 on 5 days of 7, 30 on 2; against the weekday median of the whole.
    assert step.effect.low < step.effect.value < step.effect.high
    assert 0.3 <= step.effect.value <= 0.5
    assert "cost.billed.service.web" not in found
    assert step.before.value is not None
    assert step.after.value == pytest.approx(step.before.value * (1 + step.effect.value))  # what is told adds up


def test_days_before_the_first_bill_are_no_days_without_cost(tmp_path: Path) -> None:
    """Bills begin 26 days ago at 50 a day; vectors is new 8 days later, and at 30 a day all of what changed."""
    made = world.workspace(tmp_path)
    rows = [*bill("web", lambda _: 50.0)[-26:], *bill("vectors", lambda _: 30.0)[-18:]]
    world.store(made, "focus", "costs", "costs", rows)
    found = changes(made)
    assert set(found) == {"cost.billed.environment.staging", "cost.billed.service.vectors"}
    step = found["cost.billed.environment.staging"]
    assert (step.before.value, step.after.value) == (pytest.approx(50, rel=0.03), pytest.approx(80, rel=0.03))
    assert step.driver is not None
    assert (step.driver.name, step.driver.before) == ("vectors", 0)
    assert step.driver.share == pytest.approx(1, abs=0.05)
    assert found["cost.billed.service.vectors"].before.value == 0, "a service that begins later is new"


def test_a_runaway_goes_on_since_any_review(billed: Workspace) -> None:
    found = [changes(billed, window)["cost.billed.environment.dev"] for window in ("28d", "9d", "14d")]
    assert {"drift"} == {one.kind for one in found}
    older = next(one for one in found if one.began < one.day)
    told = narrative._change(older).text
    assert told.startswith(f"Billed cost per day of dev has been rising since {older.began:%-d %B}: ")
    assert f" before {older.day:%-d %B}, " in told


def test_a_fall_is_told_by_its_size_and_its_interval_without_a_sign(billed: Workspace) -> None:
    step = changes(billed)["cost.billed.environment.staging"]
    fell = structs.replace(step, effect=Quantity(value=-0.29, unit="ratio", low=-0.34, high=-0.19))
    assert ", 29 % less, between 19 % and 34 %" in narrative._change(fell).text
    assert "(−29 % [−34 % to −19 %])" in changed_words.sentence(fell)
    several = structs.replace(step, kind="drift", title="core, items that arrive")
    assert narrative._change(several).text.startswith("Items that arrive of core have been ")


def test_a_step_before_the_window_is_no_news(billed: Workspace) -> None:
    assert "cost.billed.environment.staging" not in changes(billed, "7d")


def test_every_row_opens_on_its_course_its_parts_and_its_days(billed: Workspace) -> None:
    report = world.report("anomalies", billed)
    table = next(block for block in report.blocks if isinstance(block, Table))
    for row in table.rows:
        course, *rest = report.details[f"{table.id}/{row.id}"]
        assert course.id == "course"
        assert [block.id for block in rest] in (["parts", "days"], ["days"])
    assert not any("\x1b" in finding.text or "because" in finding.text for finding in report.findings)


def test_durations_are_followed_by_their_rank_of_the_day(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    took = {3: [0.0, 0.0, *(1.5**n for n in range(-12, 14)), 3.0, 3.0], 2: [7.0] * 19}  # days ago: seconds, in no order
    calls = [
        world.full(
            "spans", trace_id=f"{ago:032x}", span_id=f"{ago:08x}{place:08x}", start=TODAY - timedelta(days=ago, seconds=-place),
            duration_s=seconds, name="chat", operation="chat", model="m", environment="production",
        )
        for ago, all_of_them in took.items()
        for place, seconds in enumerate(all_of_them)
    ]  # fmt: skip
    runs = [
        world.full("test_runs", id=f"{place}", started=TODAY - timedelta(days=3), repo="r", suite="s", tests=1, duration_s=seconds)
        for place, seconds in enumerate([0.0, 0.0, 0.0, 10.0, 20.0])
    ]  # fmt: skip
    world.store(made, "otlp", "spans", "spans", calls)
    world.store(made, "junit", "test_runs", "test_runs", runs)
    with Data(Cache(made.cache_path), world.clock()) as data:
        found = {one.id: one for one in changed_series.courses(data, data.clock, "USD")}
    model = found["latency.model.segment.m"]
    ranked = sorted(took[3])[28]  # ⌈0.95 × 30⌉ = 29th of 30
    assert model.values[-1] == pytest.approx(ranked, rel=0.01)
    assert model.day(len(model.values) - 1) == TODAY - timedelta(days=3), "of 19 the 95th percentile is their maximum"
    assert found["tests.duration.segment.s"].values[-1] == 0.0


def test_nothing_connected_and_nothing_changed_are_said(empty: Workspace, tmp_path: Path) -> None:
    report = world.report("anomalies", empty)
    assert report.data.series == 0
    assert report.blocks[0].id == "anomalies.gap"
    quiet = world.workspace(tmp_path / "quiet")
    world.store(quiet, "focus", "costs", "costs", bill("web", lambda _: 50.0))
    report = world.report("anomalies", quiet)
    assert (report.data.series, report.data.changes) == (2, ())
    assert report.headline.startswith("Nothing changed")


def test_filters_that_a_series_cannot_honour_are_said(billed: Workspace) -> None:
    narrowed = world.report("anomalies", billed, filters=Filters(team="core"))
    text = next(
        block.text for block in narrowed.blocks if isinstance(block, Prose) and block.id == "anomalies.narrowed"
    )
    assert text.startswith("Narrowed to team core: ")
    assert re.search(r"CI runs, tests.* do not carry a team and are whole", text)
    assert not [block for block in world.report("anomalies", billed).blocks if block.id == "anomalies.narrowed"]
