"""Frozen reviews over a real cache: where only one cause is planted, only that cause is told, and the four always add up."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from aether_tui.cache import Cache
from aether_tui.config import Anchor, Config
from aether_tui.config import Lens as LensConfig
from aether_tui.diagnostics import frozen, indicators
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.frozen import Line
from aether_tui.errors import CheckFailed, ConfigurationError, NoData
from aether_tui.records.model import Row
from aether_tui.records.tables import TABLES
from aether_tui.report_model import Facts, Quantity
from aether_tui.workspace import reviews
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.reviews import Review, Value
from tests.diagnostics import world
from tests.diagnostics.world import at, full

CAUSES = ("real", "late", "redefinition", "coverage")


def done(number: int, day: float, days: float) -> Row:
    """An item finished on that day of November after so many days of work."""
    return world.full(
        "work_items", id=f"n{number}", key=f"ENG-{number}", title="Item", type="feature", state="Done", category="done",
        created=at(1), started=at(day - days), completed=at(day), updated=at(day), team="core",
    )  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    workspace = world.workspace(tmp_path / "w")
    world.store(workspace, "linear", "issues", "work_items", [done(number, 10, number) for number in range(1, 7)])
    return workspace


def take(made: Workspace, name: str, config: Config | None = None, days: float = 0) -> Review:
    clock = Clock.of(world.NOW - timedelta(days=days), "28d")
    return frozen.take(name, made, config or Config(), clock, Cache(made.cache_path), world.NOW)


def causes(made: Workspace, old: Review, new: Review, name: str, config: Config | None = None) -> set[str]:
    now = [frozen.again(one, made, config or Config(), Cache(made.cache_path)) for one in (old, new)]
    lines = {line.id: line for line in frozen.compare(old, now[0], new, now[1])}
    for line in lines.values():
        if line.total is not None:
            assert sum(part(line, cause) for cause in CAUSES) == pytest.approx(line.total, abs=1e-9)
    return {cause for cause in CAUSES if abs(part(lines[name], cause)) > 1e-9}


def part(line: Line, cause: str) -> float:
    return float(getattr(line, cause) or 0.0)


CYCLE = "speed.cycle_time"


def test_later_work_is_real(made: Workspace) -> None:
    world.store(made, "linear", "more", "work_items", [done(number, 19, 12) for number in range(11, 17)])
    assert causes(made, take(made, "a", days=4), take(made, "b"), CYCLE) == {"real"}


def test_rows_of_the_old_window_that_come_after_it_was_frozen_are_late(made: Workspace) -> None:
    old = take(made, "a")
    world.store(made, "linear", "late", "work_items", [done(number, 11, 9) for number in range(11, 17)])
    assert causes(made, old, take(made, "b"), CYCLE) == {"late"}
    assert old.values[CYCLE].value.value == 6 * 86_400  # p85 of 1 to 6 days, nearest rank: what was published stays


def test_late_rows_do_not_redefine_a_figure_whose_why_counts_them(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.fill(made)
    old = take(made, "a")
    late = full("deployments", id="late", repo="acme/api", started=at(12.9), finished=at(12.9), updated=at(12.9), result="success",
                reason="planned", service="api", environment="production", team="core")  # fmt: skip
    world.store(made, "github", "late", "deployments", [late])
    assert causes(made, old, take(made, "b"), "scorecard:scorecard.api.frequency") == {"late"}
    assert not [name for name in old.values if name.endswith((".glance", ".worst"))]


def test_another_mapping_is_a_redefinition(made: Workspace) -> None:
    old = take(made, "a")
    world.store(made, "linear", "again", "work_items", [done(number, 10, number + 3) for number in range(1, 7)])
    other = Config.model_validate({"mapping": {"states": {"Done": "done", "Shipped": "done"}}})
    assert causes(made, old, take(made, "b", other), CYCLE, other) == {"redefinition"}


def test_other_prices_redefine_what_model_calls_cost_and_nothing_else(made: Workspace) -> None:
    names = [column.name for column in TABLES["spans"].columns]
    rows = [dict(zip(names, row, strict=True)) for row in world.spans()]
    world.store(made, "traces", "files", "spans", world.spans())
    old = take(made, "a")
    dearer = [full("spans", **row | {"cost_usd": 9} if row["team"] else row) for row in rows]
    world.store(made, "traces", "files", "spans", dearer)
    world.store(made, "linear", "late", "work_items", [done(number, 11, 9) for number in range(11, 17)])
    price = {"model": "m1", "input_usd_per_million": 1, "output_usd_per_million": 1}
    other = Config.model_validate({"prices": [price]})
    new = take(made, "b", other)
    assert causes(made, old, new, "visibility.llm_cost", other) == {"redefinition"}
    assert causes(made, old, new, CYCLE, other) == {"late"}


def review(good: float = 100, **values: float) -> Review:
    """A lens of equally weighted indicators between 0 and `good`."""
    scores = {name: min(100.0, 100 * value / good) for name, value in values.items()}
    stored = {
        name: Value(
            title=name, value=Quantity(value=value), definition="d", score=scores[name], anchor=(0, good, False)
        )
        for name, value in values.items()
    }
    mean = Quantity(value=sum(scores.values()) / len(scores), unit="score")
    stored["lens"] = Value(title="Lens", value=mean, definition="d", parts=dict.fromkeys(scores, 1.0))
    window = world.clock().window
    return Review(
        name="r", frozen=world.NOW, as_of=world.NOW, window=window, previous=window, definitions={}, reports={}, values=stored
    )  # fmt: skip


def test_another_anchor_redefines_the_score_and_no_value() -> None:
    old, now = review(a=60, b=80), review(good=200, a=60, b=80)
    lines = {one.id: one for one in frozen.compare(old, now, now, now)}
    assert (lines["lens"].total, lines["lens"].redefinition) == (-35, -35)  # 70 → 35
    assert (lines["lens"].real, lines["lens"].late, lines["lens"].coverage) == (0, 0, 0)
    assert lines["a"].total == 0


def test_an_indicator_that_arrives_is_coverage_of_the_score() -> None:
    # 60 and 80 published as 70; recomputed 60, 90 (late) and a third of 30: 60. Then 70, 90, 30: 63.33.
    old, old_now, new = review(a=60, b=80), review(a=60, b=90, c=30), review(a=70, b=90, c=30)
    line = next(one for one in frozen.compare(old, old_now, new, new) if one.id == "lens")
    assert (line.before, line.after) == (70, pytest.approx(63 + 1 / 3))
    assert line.late == pytest.approx(5)  # (60 + 90) / 2 − 70
    assert line.coverage == pytest.approx(-15)  # 60 − 75
    assert line.real == pytest.approx(10 / 3)
    assert line.redefinition == 0


def test_a_review_is_written_once_and_read_back_the_same(made: Workspace) -> None:
    made_once = take(made, "2026-Q3")
    file = reviews.freeze(made, made_once)
    before = file.read_bytes()
    assert reviews.read(made, "2026-Q3") == made_once
    assert reviews.newest(made, world.NOW + timedelta(days=1)) == made_once
    assert reviews.newest(made, world.NOW + timedelta(hours=1)) is None  # it is the one being held
    with pytest.raises(CheckFailed, match="frozen already"):
        reviews.freeze(made, msgspec.structs.replace(made_once, note="other"))
    assert file.read_bytes() == before
    assert max(len(line) for line in before.splitlines()) < 2000  # one value per line: merges by line
    with pytest.raises(NoData, match="no review other"):
        reviews.read(made, "other")
    for name in ("../x", "", "a/b", "x" * 80):
        with pytest.raises(ConfigurationError):
            reviews.path(made, name)
    file.with_name("broken.yaml").write_text("values: [")
    found, broken = reviews.every(made)
    assert [one.name for one in found] == ["2026-Q3"]
    assert "broken.yaml" in broken[0].where


def test_scores_are_set_beside_published_ones_only_under_the_same_anchors(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    world.fill(made)
    # Frozen a day before, so that it is a review of the past.
    before = Clock.of(world.NOW - timedelta(days=1), "28d", seed=1)
    reviews.freeze(made, frozen.take("r1", made, Config(), before, Cache(made.cache_path), before.now))
    same = world.report("lens", made)
    assert same.data.anchors_version == same.data.published.anchors_version == indicators.content().version
    speed = next(
        fact for block in same.blocks if isinstance(block, Facts) for fact in block.facts if fact.id == "lens.speed"
    )
    assert f"review {round(same.data.published.scores['lens.speed'])}" in speed.note
    assert not [one for one in same.findings if one.id == "lens.anchors.review"]

    other = Config(lens=LensConfig(anchors={"speed.ci": Anchor(poor=7200, good=60, source="ours")}))
    apart = world.report("lens", made, other)
    assert re.fullmatch(re.escape(same.data.anchors_version) + r"\+[0-9a-f]{6}", apart.data.anchors_version)
    assert not any(
        "in review" in fact.note for block in apart.blocks if isinstance(block, Facts) for fact in block.facts
    )
    finding = next(one for one in apart.findings if one.id == "lens.anchors.review")
    assert f"by other anchors ({same.data.anchors_version}) than these ({apart.data.anchors_version})" in finding.text
