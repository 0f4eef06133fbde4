"""Days in a phase, by hand; and progress that never shrinks in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from aether_tui.actions import BY_ID
from aether_tui.config import Config, Gate
from aether_tui.diagnostics.flywheel_measure import Flywheel
from aether_tui.report_model import Report, Table
from aether_tui.workspace.documents import KINDS
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
    signed = "items: {first-token: {who: Ada, when: 2026-11-20}}"
    world.document(made, "cycles", "cycle-1", f"id: cycle-1\nstarted: 2026-11-02\n{signed}\n")
    built, found = report(made, WEEK)
    said = {item.id: (item.state, item.evidence) for item in found.phases[1].items}
    assert said["first-token"] == ("pass", "nothing is streamed: Ada, 2026-11-20") and not found.unknown_ticks
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


def test_documents_count_when_they_are_complete(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.document(made, "cycles", "cycle-1", "id: cycle-1\nstarted: 2026-11-02\n")
    steps = "steps: [{name: answer, touch_s: 2, cost: 0.1, error_rate: 0.1}]"
    stream = f"id: VS-1\ntitle: Questions\ndemand_per_month: 1000\nvalue_per_success: 4\ncreated: 2026-11-03\n{steps}\n"
    world.document(made, "value-streams", "VS-1", stream)
    for number, day, finished in ((1, 3, True), (2, 4, True), (3, 5, True), (4, 20, False)):
        end = f"finished: 2026-11-{day:02}T11:00:00\n" if finished else ""
        world.document(
            made, "interviews", f"INT-{number}",
            f"id: INT-{number}\nquestionnaire: stakeholder\nstarted: 2026-11-{day:02}T10:00:00\n{end}"
            "people: [{name: A, function: product}]\n",
        )  # fmt: skip
    world.document(
        made,
        "playbook",
        "PLAY-1",
        "id: PLAY-1\ntitle: Before\nkind: prompt\nowner: A\nreview_by: 2027-01-01\ncreated: 2026-08-01\n",
    )
    _, found = report(made)
    items = {item.id: item for phase in found.phases for item in phase.items}
    assert items["interviews"].state == "pass"
    assert (
        items["interviews"].evidence
        == "INT-1 (product, 2026-11-03), INT-2 (product, 2026-11-04), INT-3 (product, 2026-11-05)"
    )
    assert items["value-stream-map"].evidence == "VS-1 Questions"
    assert items["playbook"].state == "no-data"  # written before this cycle
    assert items["north-star"].state == "no-data"
    places = {item.opens for item in items.values() if item.opens}
    assert {"north-star", "cycle/cycle-1", "go.sources"} < places
    assert all(place in BY_ID or place.partition("/")[0] in KINDS for place in places)


def test_what_a_document_lacks_is_said(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.document(made, "cycles", "cycle-1", "id: cycle-1\nstarted: 2026-11-02\n")
    made.engagement.joinpath("north-star.yaml").write_text("id: north-star\nmetric: Requests resolved\nvalue: 0.61\n")
    world.document(made, "experiments", "EXP-1", "id: EXP-1\ntitle: Smaller model\ncycle: cycle-1\nif_we: try it\n")
    _, found = report(made)
    items = {item.id: item for phase in found.phases for item in phase.items}
    assert items["north-star"].state == "warn"
    assert "who signed, and when" in items["north-star"].evidence
    assert "EXP-1 Smaller model lacks then_we_expect" in items["one-pager"].evidence
