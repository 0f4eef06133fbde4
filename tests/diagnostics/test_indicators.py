"""Indicators that documents, sprints and labels give, against values counted by hand; and who says where an anchor is."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics import indicators
from aether_tui.diagnostics.frame import Data, Filters
from aether_tui.diagnostics.lens_measure import Result
from aether_tui.records.model import Row
from aether_tui.report_model import Gap, Quantity, Table, Window
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world
from tests.diagnostics.test_discovery import OPPORTUNITY, experiment
from tests.diagnostics.world import NOW, at, full


def bug(number: int, day: float, found: str | None, month: int = 11) -> Row:
    labels = ("Bug",) if found is None else ("Bug", f"Found:{found}")
    return full("work_items", id=f"b{number}", key=f"BUG-{number}", title="x", type="bug", state="Done", category="done", team="core",
                created=at(day, month), updated=at(day, month), labels=labels)  # fmt: skip


def planned(number: int, completed: float | None) -> Row:
    return full("work_items", id=f"p{number}", key=f"PLAN-{number}", title="x", type="feature", state="s", team="core", source_team="C",
                category="done" if completed else "active", created=at(1), started=at(2), completed=at(completed) if completed else None,
                updated=at(10))  # fmt: skip


def call(number: int, feature: str, tokens: int | None) -> Row:
    return full("spans", trace_id=f"{number:032x}", span_id=f"{number:016x}", name="a", operation="chat", start=at(10), duration_s=1.0,
                provider="p", model="m", input_tokens=10, output_tokens=tokens, status="ok", environment="production", feature=feature,
                service="api")  # fmt: skip


RUNS = [(NOW.replace(tzinfo=None) - timedelta(hours=9 + 12 * number), float(number * 7 % 100)) for number in range(100)]
"""Two a day: when each began, and its seconds."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = world.workspace(tmp_path_factory.mktemp("indicators") / "w")
    # Eight bugs of the window name a phase, three of them after release; one names none; two of October.
    found = ["build", "build", "build", "specification", " Release", "production", "customer", "build", None]
    bugs = [bug(number, 3 + number, phase) for number, phase in enumerate(found)]
    bugs += [bug(20, 3, "build", 10), bug(21, 4, "release", 10)]
    # Sprint 1 of 3 to 10 November: six were in it on the first day (one of them for half of it), five done in time, one late;
    # one came later, one was out before the day ended, one had been done before. Cycle 7 only counts: 4 of 6, with more done later.
    dones: list[float | None] = [5, 6, 7, 8, 9, 12, 6, 6, 2.5]
    store = [*bugs, *(planned(number, completed) for number, completed in enumerate(dones))]
    sprints = [
        full("iterations", id="1", name="1", source_team="C", state="closed", start=at(3), end=at(10), completed=at(10), updated=at(10)),
        full("iterations", id="7", name="7", source_team="C", start=at(3), end=at(10), items_start=6, items_end=9, items_done=4,
             updated=at(10)),
        full("iterations", id="8", name="8", source_team="C", start=at(17), end=at(24), items_start=6, items_end=9, items_done=1,
             updated=at(20)),
    ]  # fmt: skip
    added = {number: at(2) for number in range(5)} | {5: at(3.9), 6: at(5), 7: at(2), 8: at(2)}
    members = [
        full("iteration_items", iteration_id="1", item_id=f"p{number}", added=when, updated=at(10),
             removed=at(3.5) if number == 7 else at(10) if number == 5 else None)
        for number, when in added.items()
    ]  # fmt: skip
    world.store(workspace, "jira", "issues", "work_items", store)
    world.store(workspace, "jira", "sprints", "iterations", sprints)
    world.store(workspace, "jira", "members", "iteration_items", members)
    # Of three paths one lacks output tokens on one of its two calls.
    calls = [call(1, "a", 5), call(2, "b", 5), call(3, "b", None), call(4, "c", 5), call(5, "c", 6)]
    world.store(workspace, "traces", "files", "spans", calls)
    # Six deployments that say why, one of them a rollback; one of a host that never says is not counted.
    deployed = [
        full("deployments", id=f"d{number}", repo="acme/api", service="api", environment="production", result="success", team="core",
             reason="rollback" if number == 3 else "planned", started=at(4 + number), finished=at(4 + number), updated=at(4 + number))
        for number in range(6)
    ]  # fmt: skip
    world.store(workspace, "github", "deployments", "deployments", deployed)
    silent = full("deployments", id="s", repo="x", service="s", environment="production", result="success", reason="unknown",
                  started=at(9), finished=at(9), updated=at(9))  # fmt: skip
    world.store(workspace, "gitlab", "deployments", "deployments", [silent])
    runs = [
        full("pipeline_runs", id=f"c{number}", attempt=1, repo="acme/api", workflow="ci", created=began, updated=began, wall_s=took,
             result="success", service="api")
        for number, (began, took) in enumerate(RUNS)
    ]  # fmt: skip
    world.store(workspace, "github", "runs", "pipeline_runs", runs)
    # Five features were released, ENG-1 and ENG-2 of which an opportunity with an experiment names.
    shipped = [
        full("work_items", id=f"r{number}", key=f"ENG-{number}", title="x", type="feature", state="s", category="active", created=at(1),
             updated=at(9))
        for number in range(1, 6)
    ]  # fmt: skip
    moves = [
        full(
            "work_transitions",
            item_id=f"r{number}",
            at=at(9),
            to_state="Released",
            to_phase="release",
            to_category="active",
        )
        for number in range(1, 6)
    ]
    world.store(workspace, "linear", "issues", "work_items", shipped)
    world.store(workspace, "linear", "history", "work_transitions", moves)
    world.document(workspace, "opportunities", "OPP-1", OPPORTUNITY)
    world.document(workspace, "experiments", "EXP-1", experiment(1, at(5).date(), "scale", 0.5, 0.6))
    # Five decisions of the window after 1, 2, 4, 8 and 16 days; one before it, one open.
    for number, days in enumerate((1, 2, 4, 8, 16), 1):
        decided = NOW.date() - timedelta(days=3)
        text = f"id: DEC-{number}\ntitle: d\nraised: {decided - timedelta(days=days)}\ndecided: {decided}\n"
        world.document(workspace, "decisions", f"DEC-{number}", text)
    world.document(workspace, "decisions", "DEC-8", "id: DEC-8\ntitle: d\nraised: 2026-09-01\ndecided: 2026-09-03\n")
    world.document(workspace, "decisions", "DEC-9", "id: DEC-9\ntitle: d\nraised: 2026-09-01\n")
    return workspace


def results(made: Workspace, filters: Filters | None = None) -> dict[str, Result]:
    report = world.report("lens", made, filters=filters or Filters())
    return {one.id: one for lens in report.data.lenses for one in lens.indicators}


@pytest.mark.parametrize(
    ("identity", "value", "n"),
    [
        ("speed.decision_latency", 4 * 86_400, 5),
        ("quality.rework", 1 / 6, 6),
        ("quality.escaped", 3 / 8, 8),
        ("visibility.item_outcome", 2 / 5, 5),
        ("visibility.paths", 2 / 3, 3),
        ("visibility.predictability", (5 + 4) / (6 + 6), 12),
    ],
)
def test_values_are_those_counted_by_hand(made: Workspace, identity: str, value: float, n: int) -> None:
    shown = results(made)[identity].value
    assert (shown.value, shown.n) == (pytest.approx(value), n)
    assert (
        indicators.known()[identity].anchor is None
    )  # nobody says where poor and good are, so it is shown and not scored


def test_a_span_that_begins_within_a_day_has_the_days_that_begin_in_it(made: Workspace) -> None:
    """Of each span, whatever others are asked for with it: between their ends days are not told apart."""
    edges = [(28.4, 0.0), (20.4, 10.1), (14.0, 7.0), (40.0, 28.4), (10.1, 0.6)]
    spans = [Window(start=NOW - timedelta(days=first), end=NOW - timedelta(days=last)) for first, last in edges]
    item = indicators.known()["speed.ci"]
    with Data(Cache(made.cache_path), world.clock()) as data:
        found = indicators.rows(item, data, spans, Config(), {})
    for span in spans:
        start, end = (edge.replace(tzinfo=None) for edge in (span.start, span.end))
        days = [(began.replace(hour=0), took) for began, took in RUNS]
        inside = sorted(took for day, took in days if start <= day < end)
        value = indicators.over(item, found, span)
        assert value is not None and (value.n, value.value) == (len(inside), inside[math.ceil(0.85 * len(inside)) - 1])


def test_what_only_people_can_say_points_to_the_interview_and_filters_are_never_ignored(made: Workspace) -> None:
    narrowed = results(made, Filters(team="core"))
    for identity in ("quality.evaluation", "visibility.decisions"):
        assert "press i to ask in the interview" in (narrowed[identity].value.reason or "")
    assert narrowed["speed.decision_latency"].value.reason == "its rows cannot be narrowed to team core"
    assert narrowed["visibility.predictability"].value.value == pytest.approx(9 / 12)
    nobody = results(made, Filters(team="nobody"))
    assert all(
        nobody[one].value.value is None for one in ("quality.escaped", "quality.rework", "visibility.predictability")
    )


def test_defects_are_shown_by_the_phase_that_found_them(made: Workspace, tmp_path: Path) -> None:
    shown = next(block for block in world.report("flow", made).blocks if block.id == "flow.defects")
    assert isinstance(shown, Table)
    rows = [(row.cells[0], row.cells[1], row.cells[3]) for row in shown.rows]
    assert rows == [
        ("specification", 1, 0), ("build", 4, 1), ("release", 1, 1), ("customer", 1, 0), ("production", 1, 0),
    ]  # fmt: skip
    share = shown.rows[1].cells[2]
    assert isinstance(share, Quantity) and share.value == 0.5
    assert shown.note == "1 bug more of this window name no phase."
    silent = world.workspace(tmp_path / "w")
    world.store(silent, "jira", "issues", "work_items", [bug(1, 5, None)])
    gap = next(block for block in world.report("flow", silent).blocks if block.id == "flow.defects.none")
    assert isinstance(gap, Gap) and "found:release" in gap.next_step


def test_every_anchor_says_who_and_when() -> None:
    for one in indicators.content().indicators:
        if one.anchor is not None:
            assert one.anchor.poor != one.anchor.good and one.anchor.weight > 0
            assert (one.anchor.good > one.anchor.poor) is (one.better == "higher"), one.id
            undated = one.anchor.gate or one.anchor.source.startswith("by definition")
            assert bool(undated) is (one.anchor.year is None), one.id
