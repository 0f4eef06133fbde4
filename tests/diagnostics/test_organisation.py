"""Rituals, operating model and decisions: arithmetic by hand, contradictions, registers against what is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from aether_tui.diagnostics import failures, operating, registers
from aether_tui.diagnostics.decisions import Decisions, latency
from aether_tui.diagnostics.decisions import measure as ledger
from aether_tui.diagnostics.operating import OperatingModel, Papers, contradictions, decide
from aether_tui.diagnostics.rituals_measure import Rituals
from aether_tui.diagnostics.rituals_measure import measure as judged
from aether_tui.report_model import Boxes, load, save
from aether_tui.room import discreet
from aether_tui.workspace.kinds.agreement import Agreement
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.decision_right import DecisionRight
from aether_tui.workspace.kinds.event import Event
from aether_tui.workspace.kinds.lifecycle import Lifecycle, Passage
from aether_tui.workspace.kinds.postmortem import Postmortem
from aether_tui.workspace.kinds.ritual import Participation, Ritual
from aether_tui.workspace.kinds.team import Member, Team
from aether_tui.workspace.kinds.tool import Tool
from tests.diagnostics import world

TODAY = date(2026, 11, 21)


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


# --- Rituals --------------------------------------------------------------------------------------------------------

# 48 × 8 people × 95 an hour × 75 minutes = 45,600; 60 decisions × 4,000 × 0.05 = 12,000; 45,600 ÷ 240,000 = 0.19.
SYNC = Ritual.model_validate({
    "id": "RIT-1", "title": "Sync", "per_year": 48, "minutes": 60, "prep_minutes": 15, "attendees": 8, "hourly_rate": 95,
    "decisions_per_year": 60, "stake_per_decision": 4000, "probability_gain": 0.05, "roti": [2, 3, 1], "outputs": ["answers"],
    "actions_agreed": 10, "actions_done": 4, "alignment": [{"when": day(9), "asked": 8, "agreed": 4}],
})  # fmt: skip
# 220 × 10 × 50 × 30 minutes = 55,000 and 1,100 person-hours; no decision, ROTI 1: cut.
ROUND = Ritual.model_validate({
    "id": "RIT-2", "title": "Round", "per_year": 220, "minutes": 20, "switching_minutes": 10, "attendees": 10, "hourly_rate": 50,
    "decisions_per_year": 0, "roti": [1, 1],
})  # fmt: skip
# No rate: no cost, but its hours are known: 12 × 4 × 1 = 48.
RATELESS = Ritual.model_validate({"id": "RIT-3", "title": "Review", "per_year": 12, "minutes": 60, "attendees": 4})


def test_rituals_by_hand() -> None:
    decisions = [
        Decision(id="DEC-1", title="a", raised=day(20), decided=day(16), ritual="RIT-1"),
        Decision(id="DEC-2", title="b", raised=day(30), decided=day(20), reversed=day(2), ritual="RIT-1"),
        Decision(id="DEC-3", title="c", raised=day(5), ritual="RIT-1"),
        Decision(id="DEC-4", title="d", raised=day(50), decided=day(49)),
    ]
    stopped = SYNC.model_copy(update={"id": "RIT-4", "status": "stopped"})
    measured = judged([SYNC, ROUND, RATELESS, stopped], decisions, TODAY, "EUR", 0)
    assert [one.id for one in measured.rituals] == ["RIT-2", "RIT-1", "RIT-3", "RIT-4"]
    cut, sync, rateless, _ = measured.rituals
    assert (sync.cost_per_year.value, sync.cost_per_year.currency) == (pytest.approx(45_600), "EUR")
    assert sync.benefit.value == pytest.approx(12_000)
    assert sync.roi.value == pytest.approx(12_000 / 45_600 - 1)
    assert (sync.break_even, sync.break_even_probability) == (
        "pays if it improves 1 decision in 5",
        pytest.approx(0.19),
    )
    assert (sync.roti.value, sync.roti.n) == (2.0, 3)
    assert sync.decisions_per_person_hour.value == pytest.approx(60 / 480)
    # Answers after 4 and 10 days, one open for 5: S(4) = 2/3, S(10) = 2/3 × 0 = 0, so the median is 10.
    assert (sync.decision_latency.value, sync.decision_latency.n) == (10, 3)
    assert (sync.reversed.value, sync.actions_done.value, sync.aligned.value) == (0.5, 0.4, 0.5)
    assert sync.aligned.low == pytest.approx(0.215, abs=1e-3)  # Wilson, 4 of 8
    assert (cut.verdict, cut.hours_per_year.value) == ("cut or make asynchronous", pytest.approx(1_100))
    assert (rateless.verdict, rateless.hours_per_year.value) == ("unknown", pytest.approx(48))
    assert rateless.cost_per_year.value is None and "hourly_rate" in (rateless.cost_per_year.reason or "")
    assert measured.cost_per_year.value == pytest.approx(45_600 + 55_000)
    assert judged([RATELESS], [], TODAY, "EUR", 0).cost_per_year.reason == "not written: hourly_rate"
    assert measured.hours_per_year.value == pytest.approx(480 + 1_100 + 48)


def test_ranges_give_an_interval_and_a_probability() -> None:
    ranged = SYNC.model_copy(update={"probability_gain": (0.05, 0.19, 0.5)})
    (one,) = judged([ranged], [], TODAY, "USD", 7).rituals
    assert one.roi.low is not None and one.roi.high is not None and one.roi.value is not None
    assert one.roi.low < one.roi.value < one.roi.high
    assert one.roi.level == 0.9 and one.p_pays is not None and 0.5 < one.p_pays < 1
    assert judged([ranged], [], TODAY, "USD", 7).rituals == (one,)


@pytest.mark.parametrize("nothing", [0, (0, 0, 0), (0, 0, 30)])
@pytest.mark.parametrize("name", ["minutes", "hourly_rate"])
def test_a_ritual_that_costs_nothing_is_not_judged(name: str, nothing: object) -> None:
    free = Ritual.model_validate({**SYNC.model_dump(), name: nothing})
    (one,) = judged([free], [], TODAY, "USD", 0).rituals
    assert (one.verdict, one.cost_per_year.value) == ("unknown", None)
    assert name in (one.roi.reason or "")


# --- Decisions and postmortems --------------------------------------------------------------------------------------

NONE = failures.measure([], TODAY)


def test_latency_counts_open_questions_as_unanswered() -> None:
    # Answered after 2, 4, 8 days and one open for 30: S = 3/4, 1/2 → the median is 4; answered only would say 4 of 3.
    assert latency([(2, True), (4, True), (8, True), (30, False)]).value == 4
    assert latency([(2, True), (9, False), (9, False)]).value is None
    assert latency([]).reason == "no question was raised in the last year"


def test_the_ledger() -> None:
    made = ledger(
        [
            Decision(
                id="DEC-1", title="old", raised=day(400), decided=day(10), chosen="x", reason="y", review_by=day(1)
            ),
            Decision(
                id="DEC-2", title="undone", raised=day(40), decided=day(30), reversed=day(3), chosen="x", reason="y"
            ),
            Decision(id="DEC-3", title="waits", raised=day(21)),
            Decision(id="DEC-4", title="future answer", raised=day(2), decided=TODAY + timedelta(days=3)),
            Decision(id="DEC-5", title="not yet raised", raised=TODAY + timedelta(days=1)),
        ],
        NONE,
        TODAY,
    )
    assert {one.id: one.state for one in made.entries} == {
        "DEC-1": "review overdue", "DEC-2": "reversed", "DEC-3": "open", "DEC-4": "open",
    }  # fmt: skip
    assert (made.open, made.oldest_open_days, made.review_overdue) == (2, 21, ("DEC-1",))
    assert (made.reversed.value, made.reversed.n) == (1.0, 1)  # DEC-1 was raised more than a year ago
    assert made.latency_p85.value is None and "under 5" in (made.latency_p85.reason or "")


def _postmortem(number: int, ago: int, *conditions: str, due: int | None = None, done: int | None = None) -> Postmortem:
    action = {"what": "a switch", "owner": "engineering lead", "due": due and day(due), "done": done and day(done)}
    return Postmortem.model_validate({
        "id": f"PM-{number}", "title": "t", "about": "product", "happened": day(ago), "actions": [action],
        "conditions": [{"name": name} for name in conditions],
    })  # fmt: skip


def test_conditions_that_come_back_and_repairs_that_are_late() -> None:
    known = failures.measure(
        [
            _postmortem(1, 10, "no-switch", "no-switch", due=3),
            _postmortem(2, 100, "no-switch", "no-alert", due=90, done=95),
            _postmortem(3, 380, "no-alert", due=370),
        ],
        TODAY,
    )
    assert [(one.condition, one.postmortems, one.unrepaired) for one in known.recurring] == [
        ("no-switch", ("PM-2", "PM-1"), 1)
    ]
    assert [(one.postmortem, one.days) for one in known.late] == [("PM-3", 370), ("PM-1", 3)]


# --- Operating model ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reversible", "cost", "outside", "others", "flow", "row"),
    [
        ("easily", "low", True, 0, "stage-gate", "1"),
        ("hardly", "low", False, 0, "stage-gate", "2"),
        ("with effort", "high", False, 0, "stage-gate", "3"),
        ("with effort", "low", False, 2, "stage-gate", "4"),
        ("with effort", "low", False, 1, "continuous", "6"),
        ("easily", "high", False, 9, "continuous", "5"),
        ("easily", "low", False, 9, "continuous", "6"),
    ],
)
def test_the_decision_table_names_its_row(
    reversible: str, cost: str, outside: bool, others: int, flow: str, row: str
) -> None:
    passage = Passage.model_validate(
        {"reversible": reversible, "release_cost": cost, "outside_approval": outside, "dependencies": others}
    )
    found = decide(passage)
    assert (found[0], found[1].partition(":")[0]) == (flow, row)


def _right(number: int, title: str, decides: str, phase: str = "") -> DecisionRight:
    return DecisionRight.model_validate({"id": f"DR-{number}", "title": title, "decides": decides, "phase": phase})


def _ids(**papers: object) -> list[str]:
    return [one.id for one in contradictions(Papers(**{"canvas": None, "lifecycle": None, **papers}))]  # type: ignore[arg-type]


def test_contradictions() -> None:
    assert _ids(rights=[_right(1, "Release to all", "lead"), _right(2, "release, to ALL!", "head")]) == [
        "canvas.owners.DR-1"
    ]
    assert _ids(rights=[_right(1, "Release", "Lead"), _right(2, "release", "lead")]) == []
    assert _ids(rights=[_right(1, "Release", "lead and head")]) == ["canvas.owners.DR-1"]
    squads = [Team(id=f"TEAM-{n}", title=str(n), shape="squad", owns=["Prompts"]) for n in (1, 2)]
    assert _ids(teams=squads) == ["canvas.owned.TEAM-1"]
    promise = {"provider": "data", "consumer": "product", "provides": ["numbers"]}
    twice = [Agreement.model_validate({"id": f"AGR-{n}", **promise, "response_h": 8 * n}) for n in (1, 2)]
    assert _ids(agreements=twice) == ["canvas.promise.AGR-1"]
    assert _ids(rituals=[SYNC, ROUND]) == ["canvas.output"]
    both = SYNC.model_copy(
        update={"participation": [Participation(role=role, part="decides", rule="x") for role in ("lead", "head")]}
    )
    assert _ids(rituals=[both]) == ["canvas.deciders.RIT-1"]
    crew = Team(id="TEAM-1", title="A", shape="squad", members=[Member(role="Lead")])
    assert _ids(rights=[_right(1, "x", "lead"), _right(2, "y", "head")], teams=[crew]) == ["canvas.roles"]


def test_a_gate_needs_somebody_who_opens_it() -> None:
    release = Passage(reversible="hardly", release_cost="low", now="continuous")
    lifecycle = Lifecycle(phases={"release": release})
    assert _ids(lifecycle=lifecycle) == ["canvas.flow.release", "canvas.gate.release"]
    assert _ids(lifecycle=lifecycle, rights=[_right(1, "Release", "lead", "release")]) == ["canvas.flow.release"]


def _counted(name: str, last: datetime | None, seen: float, until: datetime) -> dict[str, object]:
    return {"name": name, "last_seen": last, "seen": seen, "known_until": until}


def test_events_against_what_is_counted() -> None:
    until = datetime(2026, 11, 20)  # noqa: DTZ001 (rows are naive UTC)
    rows = [
        _counted("Opened", until, 9, until),
        _counted("shown", until - timedelta(days=6), 1, until),
        _counted("Closed", until - timedelta(days=7), 0, until),
        _counted("Surprise", until, 3, until),
        _counted("Gone", until, 2, until),
    ]
    register = [
        Event.model_validate({"id": f"EVT-{n}", "title": title, "status": status})
        for n, (title, status) in enumerate(
            [("Opened", "live"), ("Shown", "live"), ("Closed", "live"), ("Paid", "live"), ("Voice", "planned"), ("Gone", "retired")], 1
        )
    ]  # fmt: skip
    kept = registers.measure(register, [], rows)  # type: ignore[arg-type]
    assert {one.name: one.state for one in kept.events} == {
        "Opened": "seen", "Shown": "seen", "Closed": "silent", "Paid": "not counted", "Voice": "planned", "Gone": "retired",
        "Surprise": "unknown",
    }  # fmt: skip
    assert [one.id for one in registers.findings(kept)] == ["canvas.silent.EVT-3", "canvas.unknown", "canvas.retired"]


def test_advice_about_tools_starts_from_the_job() -> None:
    tools = [
        Tool.model_validate({"id": f"TOOL-{n}", "title": title, "job": job, "team": team, "level": level, "verdict": verdict})
        for n, (title, job, team, level, verdict) in enumerate(
            [
                ("A", "see cost", "x", "defined", ""), ("B", "See  cost", "y", "managed", ""), ("B", "see cost", "x", "", ""),
                ("C", "see work", "x", "managed", "drop"), ("D", "", "x", "", ""),
            ], 1,
        )
    ]  # fmt: skip
    kept = registers.measure([], tools, [])
    advice = {one.id: one.advice.partition(":")[0] for one in kept.tools}
    assert advice == {
        "TOOL-1": "merge into B", "TOOL-2": "keep", "TOOL-3": "keep", "TOOL-4": "keep",
        "TOOL-5": "say what job it does; without one it is a candidate to drop",
    }  # fmt: skip
    assert [one.id for one in registers.findings(kept)] == ["canvas.tools", "canvas.job"]


# --- The reports ----------------------------------------------------------------------------------------------------


def test_reports_of_an_engagement(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    world.document(
        made, "rituals", "RIT-1", "id: RIT-1\ntitle: Sync\nper_year: 48\nminutes: 60\nattendees: 8\nhourly_rate: 95\n"
    )
    world.document(made, "", "canvas", "purpose:\n  lines: [Answers]\n  evidence: [DEC-1]\n")
    world.document(made, "decisions", "DEC-1", 'id: DEC-1\ntitle: "[b]Ask\\e[2J"\nraised: 2026-10-01\n')
    metric = {"segment": "", "zone": "UTC", "unit": "events", "incomplete": False}
    rows = [
        world.full("product_metrics", metric="event:Opened", day=world.at(19), value=5.0, **metric),
        world.full("product_metrics", metric="event:Closed", day=world.at(1), value=5.0, **metric),
        world.full("product_metrics", metric="event:Closed", day=world.at(19), value=0.0, **metric),
        world.full("product_metrics", metric="active_users", day=world.at(19), value=5.0, **metric),
    ]
    world.store(made, "amplitude", "metrics", "product_metrics", rows)
    world.document(made, "events", "EVT-1", "id: EVT-1\ntitle: Closed\n")
    rituals, canvas, decided = (world.report(name, made) for name in ("rituals", "canvas", "decisions"))
    assert isinstance(rituals.data, Rituals) and rituals.data.cost_per_year.value == pytest.approx(36_480)
    told, shown = save(rituals), msgspec.json.encode(discreet(load(save(rituals))))
    assert b"36,480" in told and b"36,480" not in shown and b"Sync" in shown
    assert isinstance(canvas.data, OperatingModel)
    assert {one.name: one.state for one in canvas.data.registers.events} == {"Closed": "silent", "Opened": "unknown"}
    boxes = next(block for block in canvas.blocks if isinstance(block, Boxes))
    assert [box.state for row in boxes.rows for box in row] == ["pass", *["no-data"] * 8]
    assert isinstance(decided.data, Decisions) and decided.data.entries[0].title == "[b]Ask"
    assert decided.as_of == datetime(2026, 11, 21, tzinfo=UTC)


def test_home_names_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    world.document(made, "decisions", "DEC-1", "id: DEC-1\ntitle: x\nraised: 2026-10-01\nritual: RIT-3\n")
    (found,) = [one for one in world.report("summary", made).findings if one.id == "summary.links"]
    assert "engagement/decisions/DEC-1.yaml:4: ritual names RIT-3, which is not there" in found.text


def test_the_boxes_say_what_stands_behind_them() -> None:
    team = Team(id="TEAM-1", title="A", shape="squad", members=[Member(role="Lead", count=2)])
    model = operating.measure(Papers(canvas=None, lifecycle=None, teams=[team]), registers.measure([], [], []))
    backed = {box.name: box.backed for box in model.boxes if box.backed}
    assert backed == {"structure": "1 squad", "people": "2 people in 1 role"}
