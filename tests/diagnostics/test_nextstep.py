"""The one next action: each source of it, and which comes before which."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from aether_tui.cache import Cache
from aether_tui.config import Config, Gate
from aether_tui.diagnostics import aged, ahead, flywheel_measure, gate, nextstep, sources
from aether_tui.diagnostics.flywheel_measure import Lost
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.run import open_data, run_report
from aether_tui.report_model import Row
from aether_tui.workspace.documents import read_documents
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

OPEN = Config(gate=Gate(clusters_share=0.8, fields_share=0.8, cost_share=0.9, attribution_share=0.5))
BLOCKED = (Row(id="ci.main", cells=("■ block", "ci.main"), state="block", detail="15.2 min of 15 min; since Monday"),)
LOST = Lost(item="cost", text="Cost of every model call", was="99 %", now="71 %")
CYCLE = "id: cycle-1\nstarted: 2026-11-01\n"
INTERVIEW = """id: INT-1
questionnaire: maturity
started: 2026-11-20T09:00:00
people: [{name: Eva}]
who: Eva
answers:
- {question: flow.3.wip-limits-enforced, who: Eva, value: 4, when: 2026-11-20T09:01:00}
"""
REVIEW = """id: FR-1
title: Failed in November
created: 2026-11-19
start: 2026-11-01
end: 2026-11-19
failed: 9
traces: [{trace: a, cause: tool, who: Kim}, {trace: b}]
"""


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """Traces seen today, a gate that lets through, and a cycle."""
    here = world.workspace(tmp_path / "w")
    world.store(here, "traces", "files", "spans", world.spans())
    world.document(here, "cycles", "cycle-1", CYCLE)
    return here


def chosen(
    here: Workspace, *, config: Config = OPEN, blocked: tuple[Row, ...] = (), lost: tuple[Lost, ...] = (),
    clock: Clock | None = None,
) -> nextstep.NextAction:  # fmt: skip
    clock = clock or world.clock()
    documents = read_documents(here, config)
    with open_data(config, clock, Cache(here.cache_path)) as data:
        gated = gate.measure(data, documents, clock)
        turning = flywheel_measure.measure(data, documents, clock, gated)
        old = aged.look(data, documents, clock, structs.replace(turning, lost=lost))
        return nextstep.choose(documents, sources.measure(data, documents), gated, turning, old, blocked)


def test_gate_then_stale_evidence_then_work_left_half_way_then_budgets_then_documents_then_items(
    made: Workspace,
) -> None:
    (made.engagement / "canvas.yaml").write_text("id: canvas\npurpose: {lines: [Answer at once]}\n")
    world.document(made, "interviews", "INT-1", INTERVIEW)
    world.document(made, "opportunities", "OPP-1", "id: OPP-1\nnonsense: 1\n")
    world.store(made, "old", "files", "test_runs", world.tests(), age_h=100)
    strict = Config()
    assert chosen(made, config=strict, blocked=BLOCKED, lost=(LOST,)).id == "documents"
    (made.engagement / "opportunities" / "OPP-1.yaml").unlink()
    assert chosen(made, config=strict, blocked=BLOCKED, lost=(LOST,)).id == "gate.fields"
    (made.engagement / "cycles" / "cycle-1.yaml").unlink()
    assert chosen(made, blocked=BLOCKED, lost=(LOST,)).id == "cycle"
    world.document(made, "cycles", "cycle-1", CYCLE)
    lost = chosen(made, blocked=BLOCKED, lost=(LOST,))
    assert (lost.id, lost.screen) == ("aged", "flywheel")
    assert "cost of every model call" in lost.text and "99 %" in lost.why and "71 %" in lost.why
    assert chosen(made, blocked=BLOCKED).id == "stale"
    world.store(made, "old", "files", "test_runs", world.tests())
    assert chosen(made, blocked=BLOCKED).id == "interview"
    world.document(made, "interviews", "INT-1", INTERVIEW + "finished: 2026-11-20T09:20:00\n")
    assert chosen(made, blocked=BLOCKED).id == "budget"
    canvas = chosen(made)
    assert (canvas.id, canvas.text, canvas.how) == ("canvas", "Finish canvas.", "aether-tui doc edit canvas canvas")
    assert canvas.why == "It lacks principles, structure, process, people …."
    (made.engagement / "canvas.yaml").unlink()
    assert chosen(made).id == "north-star"  # the first open item of phase 0


def test_a_failure_review_left_half_way(made: Workspace) -> None:
    world.document(made, "failure-reviews", "FR-1", REVIEW)
    told = chosen(made, blocked=BLOCKED)
    assert (told.id, told.screen) == ("failure-review", "constraint")
    assert told.text == "Finish FR-1, Failed in November." and told.why == "1 of 2 failed traces have no cause yet."


def test_an_unfinished_document_of_any_kind(made: Workspace) -> None:
    for kind, place, text, lacks in (
        ("experiment", "experiments/EXP-1", "title: Shorter\nlevel: 2\n", "if we"),
        ("north-star", "north-star", "metric: solved\n", "query"),
        ("decision", "decisions/DEC-1", "title: Which\nraised: 2026-11-02\n", "owner"),
        ("ritual", "rituals/RIT-1", "title: Daily\n", "purpose"),
        ("agreement", "agreements/AGR-1", "provider: product\nconsumer: design\n", "provides"),
        ("team", "teams/TEAM-1", "title: Answers\nshape: squad\n", "purpose"),
        ("tool", "tools/TOOL-1", "title: Board\n", "job"),
        ("event", "events/EVT-1", "title: asked\n", "trigger"),
        ("postmortem", "postmortems/PM-1", "title: Outage\nabout: product\nhappened: 2026-11-02\n", "impact"),
        ("commitment", "commitments/COM-1", "title: Faster\npromised: 2026-11-02\n", "who"),
        ("onboarding", "onboarding/ONB-1", "role: engineer\n", "steps"),
        ("decision-right", "decision-rights/DR-1", "title: Prices\n", "decides"),
    ):
        path = made.engagement / f"{place}.yaml"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f"id: {path.stem}\n{text}")
        told = chosen(made)
        assert told.id == kind, told
        assert told.why.startswith(f"It lacks {lacks}"), told
        assert told.how == f"aether-tui doc edit {kind} {path.stem}"
        path.unlink()


def test_a_diagnosis_that_failures_have_overtaken(made: Workspace) -> None:
    """40 tasks before 10 November of which 4 failed (10 %, Wilson 4–23 %), 40 since of which 20 did (50 %, 35–65 %)."""
    rows = []
    for index in range(80):
        late = index >= 40
        outcome = "failure" if index % 40 < (20 if late else 4) else "success"
        rows.append(
            world.full(
                "spans", trace_id=f"{index + 100:032x}", span_id=f"{index + 100:016x}", name="answer", operation="chat",
                start=world.at(12 if late else 5), duration_s=1.0, provider="acme", model="m1", input_tokens=100,
                output_tokens=10, cost_usd=Decimal(1), cost_status="reported", environment="production", status="ok",
                service="api", feature="search", team="core", task_cluster="question", outcome=outcome,
            )
        )  # fmt: skip
    world.store(made, "traces", "more", "spans", rows)
    whole = REVIEW.replace("{trace: b}", "{trace: b, cause: tool, who: Kim}").replace(
        "2026-11-19\nstart", "2026-11-10\nstart"
    )
    world.document(made, "failure-reviews", "FR-1", whole)
    told = chosen(made)
    assert (told.id, told.text) == ("aged", "Diagnose the constraint again; the last time was 2026-11-10.")
    assert "went up from 10 %" in told.why
    world.document(made, "failure-reviews", "FR-1", whole.replace("created: 2026-11-10", "created: 2026-11-20"))
    assert chosen(made).id != "aged"


def test_maturity_is_asked_again_after_a_quarter(made: Workspace) -> None:
    said = INTERVIEW + "finished: 2026-11-20T09:20:00\n"
    world.document(made, "interviews", "INT-1", said)
    assert chosen(made).id != "aged"
    world.document(made, "interviews", "INT-1", said.replace("2026-11-20T", "2026-08-20T"))
    told = chosen(made)
    assert (told.id, told.screen) == ("aged", "interview") and "2026-08-20" in told.why


# --- The clock set back -------------------------------------------------------------------------------------------


def test_a_cycle_that_has_not_begun_is_not_the_running_one_and_is_named(made: Workspace) -> None:
    world.document(made, "cycles", "cycle-1", "id: cycle-1\nstarted: 2026-09-01\nended: 2026-11-10\n")
    world.document(made, "cycles", "cycle-2", "id: cycle-2\nstarted: 2026-11-10\n")
    documents = read_documents(made, OPEN)
    for day, cycle in ((10, "cycle-2"), (20, "cycle-2"), (5, "cycle-1")):
        assert getattr(documents.running(world.at(day).date()), "id", None) == cycle
    back = Clock.of(world.clock().now - timedelta(days=120))
    for name in ("flywheel", "summary", "readout"):
        report = run_report(name, made, OPEN, back, Cache(made.cache_path))
        told = next(one.text for one in report.findings if one.id.endswith(".ahead"))
        assert told.startswith("cycle-1, cycle-2 are dated after 2026-07"), told
        assert told.endswith("they are not counted. If that is today, the clock was set back.")
    assert "No cycle is open" in run_report("flywheel", made, OPEN, back, Cache(made.cache_path)).headline


def test_documents_a_day_ahead_are_those_of_somebody_east_of_us(made: Workspace) -> None:
    def found(text: str, now: Clock) -> tuple[str, ...]:
        world.document(made, "decisions", "DEC-1", text)
        return tuple(item.text for item in ahead.findings("decisions", read_documents(made, OPEN), now.now))

    tomorrow = (world.clock().now + timedelta(days=1)).date()
    one = f"id: DEC-1\ntitle: Which\nraised: {tomorrow}\n"
    assert found(one, world.clock()) == ()
    assert found(one.replace(str(tomorrow), str(tomorrow + timedelta(days=1))), world.clock()) == (
        f"DEC-1 is dated after {world.clock().now.date()}. If that is today, the clock was set back.",
    )
