"""Without a source, every report says which one is missing and what to press: never an empty drawing, never a zero of nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics.frame import Clock, Filters
from aether_tui.diagnostics.lens_measure import Lenses
from aether_tui.diagnostics.run import run_all, run_report
from aether_tui.records.model import Column, Row, Value
from aether_tui.records.tables import TABLES
from aether_tui.report_model import Block, Facts, Gap, Plot, Prose, Report, Table, Trend
from aether_tui.workspace.folder import Workspace
from screens import SCREENS
from tests.diagnostics import world

SOURCES: dict[str, tuple[str, ...]] = {
    "traces": ("spans",),
    "tracker": ("work_items", "work_transitions"),
    "code host": ("pull_requests", "deployments", "pipeline_runs"),
    "deployments": ("deployments",),
    "tests": ("test_runs",),
    "bills": ("costs",),
    "usage": ("product_metrics",),
}
SAID: dict[str, dict[str, tuple[str, ...]]] = {
    "traces": {"lens": ("lens.gap.spans",), "budgets": ("budgets.gap.llm",), "constraint": ("constraint.indicators",)},
    "tracker": {
        "lens": ("lens.gap.work_items", "lens.gap.iterations"),
        "scorecard": ("scorecard.gap.work_items",),
        "flow": ("flow.none",),
        "pipeline": ("pipeline.mapping",),
    },
    "code host": {
        "budgets": ("budgets.gap.ci",),
        "lens": ("lens.gap.deployments", "lens.gap.pull_requests", "lens.gap.pipeline_runs"),
        "scorecard": ("scorecard.gap.deployments", "scorecard.gap.pull_requests"),
    },
    "deployments": {"lens": ("lens.gap.deployments",), "scorecard": ("scorecard.gap.deployments",)},
    "tests": {"lens": ("lens.gap.test_runs",)},
    "bills": {"lens": ("lens.gap.costs",)},
    "usage": {"scorecard": ("scorecard.outcomes",)},
}
"""Gaps that must stand on a page, by the source that is missing."""
DAILY = {
    "traces": "model calls", "tracker": "work items", "code host": "CI runs, deployments", "deployments": "deployments",
    "tests": "tests", "bills": "bills",
}  # fmt: skip
"""What `What changed` then does not watch."""


def rows() -> dict[str, list[Row]]:
    """What the sources of the small world say."""
    pulls, deployments = world.changes()
    return {
        "spans": world.spans(), "work_items": world.items(), "work_transitions": world.transitions(), "pull_requests": pulls,
        "deployments": deployments, "pipeline_runs": world.runs(), "test_runs": world.tests(), "costs": world.bills(),
        "product_metrics": world.usage(),
    }  # fmt: skip


def without(folder: Path, source: str) -> Workspace:
    """The small world, less what one source says."""
    made, left = world.workspace(folder), SOURCES[source]
    made.budgets_path.parent.mkdir()
    made.budgets_path.write_text(world.BUDGETS)
    for table, found in rows().items():
        if table not in left:
            world.store(made, "s", table, table, found)
    return made


def _number(column: Column, value: Value, odd: float) -> Value:
    if column.kind not in ("int", "float", "money") or column.most:
        return value
    return odd if column.kind == "float" else Decimal(int(odd)) if column.kind == "money" else int(odd)


def _instant(value: Value, odd: Callable[[datetime], datetime]) -> Value:
    return odd(value) if isinstance(value, datetime) else value


ODD: dict[str, Callable[[Column, Value], Value]] = {
    "below zero": lambda column, value: _number(column, value, -3),
    "more than there are": lambda column, value: _number(
        column, value, {"tests": 5, "skipped": 0}.get(column.name, 10**6)
    ),
    "infinite": lambda column, value: float("inf") if column.kind == "float" else value,
    "of the first day": lambda _, value: _instant(value, lambda _: datetime(1, 1, 1)),  # noqa: DTZ001 (rows are naive UTC)
    "of the last day": lambda _, value: _instant(value, lambda _: datetime(9999, 12, 31)),  # noqa: DTZ001
    "ended before they began": lambda _, value: _instant(value, lambda at: world.at(12) - (at - world.at(12))),
}
"""What strangers' rows may say all over, by what it is called."""


@pytest.mark.parametrize("odd", ODD)
def test_odd_rows_break_no_report_and_are_no_number(tmp_path: Path, odd: str) -> None:
    made = world.workspace(tmp_path)
    for table, found in rows().items():
        columns, key = TABLES[table].columns, TABLES[table].key
        changed = [
            tuple(value if c.name in key else ODD[odd](c, value) for c, value in zip(columns, row, strict=True))
            for row in found
        ]
        world.store(made, "s", table, table, changed)
    reports, _ = run_all(made, Config(), world.clock(), world.Cache(made.cache_path))
    lenses = reports["lens"].data
    assert isinstance(lenses, Lenses)
    for one in (one for lens in lenses.lenses for one in lens.indicators):
        assert one.value.value is None or (math.isfinite(one.value.value) and one.value.value >= 0), one.id
        if odd == "more than there are" and one.id == "quality.flaky":
            assert one.value.reason == "its source counts 2,000,000 of 10 on 12 Nov 2026, which is no share"


def blank(block: Block) -> bool:
    """Whether something is drawn of nothing."""
    if isinstance(block, Plot):
        return not any(point.y is not None for series in block.series for point in series.points)
    if isinstance(block, Trend):
        return not any(value is not None for value in block.values)
    return isinstance(block, Table) and not block.rows and not block.empty


def zeros(report: Report) -> list[str]:  # type: ignore[type-arg]
    """Shares and rates that are zero of no observation."""
    facts = [fact for block in report.blocks if isinstance(block, Facts) for fact in block.facts]
    return [fact.id for fact in facts if fact.value.value == 0 and fact.value.unit != "count" and not fact.value.n]


SCOPES = {one.report: getattr(import_module(one.module), one.attribute).SCOPES for one in SCREENS.values()}


@pytest.mark.parametrize("source", SOURCES)
def test_each_missing_source_is_named_where_its_numbers_would_stand(tmp_path: Path, source: str) -> None:
    made = without(tmp_path, source)
    reports, _ = run_all(made, Config(), world.clock(), world.Cache(made.cache_path))
    for name, report in reports.items():
        gaps = {block.id: block for block in report.blocks if isinstance(block, Gap)}
        assert [block.id for block in report.blocks if blank(block)] == []
        assert zeros(report) == []
        assert all(gap.reason and gap.next_step for gap in gaps.values()), name
        for identity in SAID[source].get(name, ()):
            gap = gaps[identity]
            assert gap.action == "go.sources", identity
            assert gap.next_step.endswith("(c shows how to connect, i asks people)"), identity
            assert name not in SCOPES or "drill" in SCOPES[name], name  # else those keys do nothing there
    last = reports["anomalies"].blocks[-1]
    told = last.text if isinstance(last, Prose) else ""
    assert "drill" in SCOPES["anomalies"]
    assert (f"(c connects one): {DAILY[source]}." in told) if source in DAILY else ("Not watched" not in told)


def test_what_needs_no_deployments_is_shown_without_them(tmp_path: Path) -> None:
    report = world.report("scorecard", without(tmp_path, "code host"))
    shown = [block.id for block in report.blocks]
    assert shown[-2:] == ["scorecard.discovery", "scorecard.outcomes"]


def test_failures_nobody_records_are_not_called_none(tmp_path: Path) -> None:
    report = world.report("scorecard", without(tmp_path, "tracker"))
    facts = {fact.id: fact for block in report.blocks if isinstance(block, Facts) for fact in block.facts}
    assert facts["scorecard.api.change_fail"].note.startswith("hotfixes and rollbacks only: no incident is recorded")
    assert facts["discovery.time"].value.connect == "linear or jira"
    assert "scorecard.links" not in [block.id for block in report.blocks]


@pytest.mark.parametrize(
    ("report", "gap"),
    [
        ("flow", "flow.none"), ("pipeline", "pipeline.mapping"), ("scorecard", "scorecard.none"),
        ("constraint", "constraint.indicators"), ("budgets", "budgets.gap.ci"), ("budgets", "budgets.gap.llm"),
    ],
)  # fmt: skip
def test_what_filters_leave_out_is_not_said_to_be_unconnected(report: str, gap: str, filled: Workspace) -> None:
    found = world.report(report, filled, filters=Filters(team="nobody"))
    assert found.findings[0].text == "No team is called nobody; there are core."
    assert "looking.team" not in {one.id for one in world.report(report, filled, filters=Filters(team="core")).findings}
    said = next(block for block in found.blocks if block.id == gap)
    assert isinstance(said, Gap)
    assert "for team nobody in this window" in said.reason
    assert "esc for all" in (said.next_step or "")
    assert not any(f"No {what}" in block.reason for block in found.blocks if isinstance(block, Gap)
                   for what in ("work items source", "deployments source", "CI runs source", "AI traces source"))  # fmt: skip


def test_a_filter_that_nothing_takes_is_said_to_have_none(filled: Workspace) -> None:
    def told(report: str, **filters: str) -> list[str]:
        found = world.report(report, filled, filters=Filters(**filters)).findings
        return [one.text for one in found if one.id == "looking.whole"]

    assert told("scorecard", environment="staging") == ["Nothing here can be narrowed to environment staging."]
    assert told("scorecard", team="core") == told("attribution", environment="staging") == []


@pytest.mark.parametrize("name", ["flow", "pipeline"])
def test_work_items_have_no_service_so_nothing_is_counted_for_one(name: str, filled: Workspace) -> None:
    found = world.report(name, filled, filters=Filters(service="api"))
    (said,) = found.blocks
    assert isinstance(said, Gap)
    assert "cannot be narrowed to service api" in said.reason
    assert "in view" in found.headline and not found.findings


# world.py: the last deployment ended on 15 November 2026; nothing is known of 2021.
@pytest.mark.parametrize(
    ("name", "days", "step"),
    [
        (
            "scorecard",
            400,
            "the newest is of 15 Nov 2026: press W, or aether-tui report scorecard --window 2026-10-19..2026-11-15",
        ),
        ("attribution", 35, "the newest is of "),  # it is in the window before
        ("flow", -2000, "press W, or give --window, for another window"),
    ],
)
def test_an_empty_window_says_where_something_is(name: str, days: int, step: str, filled: Workspace) -> None:
    other = Clock.of(world.NOW + timedelta(days=days))
    found = run_report(name, filled, Config(), other, Cache(filled.cache_path))
    said = next(block for block in found.blocks if block.id == f"{name}.none")
    assert isinstance(said, Gap)
    assert said.next_step.startswith(step)


def test_a_gate_over_older_traces_says_of_when_they_are(filled: Workspace) -> None:
    """The newest trace of world.py began on 18 November 2026; half a year later there is nothing to judge by."""
    later = Clock.of(world.NOW + timedelta(days=180))
    for name in ("gate", "summary"):
        said = run_report(name, filled, Config(), later, Cache(filled.cache_path))
        assert "--as-of 2026-11-19" in repr(said.blocks), name
