"""Days in a phase, by hand; and progress that never shrinks in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from aether_tui.config import Config, Gate
from aether_tui.diagnostics.flywheel_measure import Flywheel
from aether_tui.report_model import Report, Table
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

WEEK = Config(gate=Gate(window_days=7, min_requests=1))

ALL_READ = "\n".join(
    f"  - {{kind: {kind}, title: Read, who: Ada, when: 2026-11-05}}"
    for kind in (
        "north-star", "value-stream-map", "task-taxonomy", "priorities", "interview", "interview", "interview",
        "decision-record", "prompt-repository", "cost-dashboard", "trace-sample", "user-research", "ticket",
        "incident-report",
    )
)  # fmt: skip


def report(made: Workspace, config: Config | None = None) -> tuple[Report, Flywheel]:
    built = world.report("flywheel", made, config)
    assert isinstance(built.data, Flywheel)
    return built, built.data


def test_days_of_a_phase_follow_from_the_dates_of_its_items(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.document(made, "cycles", "cycle-1", f"id: cycle-1\nstarted: 2026-11-02\nartifacts:\n{ALL_READ}\n")
    built, found = report(made)
    immersion, visibility, diagnosis = found.phases[:3]
    # Phase 0: Monday the second to Thursday the fifth; then phase 1, which is open on the 21st.
    assert (immersion.progress, immersion.entered, immersion.days) == ("done", date(2026, 11, 2), 4)
    assert (visibility.entered, visibility.days) == (date(2026, 11, 5), 17)
    assert (diagnosis.entered, diagnosis.days) == (None, None)
    assert any(item.text == "Phase 0 took 4 days; it is budgeted at 3." for item in built.findings)


def test_a_day_that_the_cycle_names_beats_what_follows_from_items(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    text = f"id: cycle-1\nstarted: 2026-11-02\nentered: {{1: 2026-11-04}}\nartifacts:\n{ALL_READ}\n"
    world.document(made, "cycles", "cycle-1", text)
    _, found = report(made)
    assert [phase.days for phase in found.phases[:2]] == [3, 18]


def test_without_a_cycle_no_phase_has_taken_time(tmp_path: Path) -> None:
    _, found = report(world.workspace(tmp_path / "w"))
    assert {phase.days for phase in found.phases} == {None}


def test_what_was_verified_a_week_ago_and_is_not_now_is_said_with_both_figures(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    rows = [
        world.full(
            "spans", trace_id=f"{n:032x}", span_id=f"{n:016x}", name="answer", operation="chat", start=world.at(day),
            duration_s=1.0, provider="acme", model="m1", input_tokens=10, output_tokens=tokens, status="ok",
            environment="production",
        )
        for n, (day, tokens) in enumerate([(9, 5), (10, 5), (11, 5), (12, 5), (17, 5), (18, None), (19, 5), (20, None)])
    ]  # fmt: skip
    world.store(made, "traces", "files", "spans", rows)
    built, found = report(made, WEEK)
    assert [item.item for item in found.lost] == ["tokens"]  # the model is still on every call
    text = next(item.text for item in built.findings if item.id == "flywheel.lost.tokens")
    assert "verified a week ago (100 %" in text
    assert "not any more (50 %" in text


def test_what_went_silent_is_lost_too(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    rows = [
        world.full(
            "spans", trace_id="a" * 32, span_id="b" * 16, name="answer", operation="chat", start=world.at(10),
            duration_s=1.0, provider="acme", model="m1", input_tokens=10, output_tokens=5, status="ok",
            environment="production",
        )
    ]  # fmt: skip
    world.store(made, "traces", "files", "spans", rows)
    _, found = report(made, WEEK)
    assert {item.item for item in found.lost} >= {"model", "tokens", "latency"}
    assert all("no calls yet" in item.now for item in found.lost if item.item == "model")


def test_cycles_are_listed_newest_first(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.document(made, "cycles", "cycle-1", "id: cycle-1\nstarted: 2026-09-01\nended: 2026-09-30\ngoal: Refunds\n")
    world.document(made, "cycles", "cycle-2", "id: cycle-2\nstarted: 2026-11-02\ngoal: Retrieval\n")
    built, found = report(made)
    assert [(item.cycle, item.days) for item in found.cycles] == [("cycle-1", 30), ("cycle-2", 20)]
    table = next(block for block in built.blocks if isinstance(block, Table) and block.id == "flywheel.cycles")
    assert [row.cells[0] for row in table.rows] == ["cycle-2", "cycle-1"]
