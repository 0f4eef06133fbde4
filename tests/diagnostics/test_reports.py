"""Every report over the small world, against numbers computed by hand (see world.py), and over an empty workspace."""

from __future__ import annotations

import json
import math
import re
import shlex
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click
import pytest

from aether_tui.cache import Cache
from aether_tui.cli import cli
from aether_tui.config import Anchor, Config, Console, Gate, Lens, Privacy, SourceSettings
from aether_tui.diagnostics import sources as sources_report
from aether_tui.diagnostics.frame import Filters
from aether_tui.diagnostics.gate import Gate as GateData
from aether_tui.diagnostics.lens_measure import Lenses, Result
from aether_tui.diagnostics.registry import REPORTS
from aether_tui.diagnostics.run import run_all, run_report
from aether_tui.errors import CacheTrouble, ConfigurationError
from aether_tui.report_model import Checklist, Facts, Gap, Table, envelope, load, save
from aether_tui.reports.draw import fresh_line
from aether_tui.workspace.folder import Workspace
from screens.widgets.chrome import synced
from tests.diagnostics import world

pytestmark = pytest.mark.xdist_group("reports")  # its world is made once

OWN = [name for name in REPORTS if name != "budgets"]


def results(lenses: Lenses) -> dict[str, Result]:
    return {one.id: one for lens in lenses.lenses for one in lens.indicators}


def lens_of(
    made: Workspace, config: Config | None = None, filters: Filters | None = None, window: str = "28d"
) -> Lenses:
    data = world.report("lens", made, config, filters or Filters(), window).data
    assert isinstance(data, Lenses)
    return data


def gate_of(made: Workspace, config: Config | None = None) -> GateData:
    data = world.report("gate", made, config).data
    assert isinstance(data, GateData)
    return data


# --- Lens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indicator", "value", "n", "score"),
    [
        ("speed.lead_time", 3 * 86400, 5, 100 * math.log(0.1) / math.log(1 / 30)),  # 1 to 5 days
        ("speed.deployments", 5 / 28, 5, 100 * math.log(5 / 28 / 0.033) / math.log(1 / 0.033)),
        ("speed.cycle_time", 6 * 86400, 6, None),  # nearest rank: ⌈0.85 × 6⌉ = 6
        ("speed.ci", 1500, 5, 100 * math.log(1500 / 3600) / math.log(600 / 3600)),
        ("speed.agent_latency", 1.02**105.5, 8, 100.0),  # 8 s lies in bucket 105
        (
            "quality.change_fail",
            0.2,
            5,
            100 * (0.2 - 0.4) / (0.05 - 0.4),
        ),  # the incident follows the deployment of 12.75
        ("quality.reopen", 1 / 6, 6, None),
        ("quality.task_success", 5 / 6, 6, None),
        ("quality.flaky", 5 / 2000, 2000, 100 * math.log(0.25) / math.log(0.15)),
        ("quality.call_errors", 1 / 8, 8, 0.0),
        ("visibility.trace", 7 / 8, 8, 100 * 0.875 / 0.95),
        ("visibility.llm_cost", 21 / 36, 8, 0.0),
        ("visibility.bill", 100 / 150, 2, 0.0),  # under 70 %; credits and other currencies left out
        ("visibility.outcome", 6 / 8, 8, None),
        ("visibility.mapped", 7 / 8, 8, None),
        ("visibility.freshness", 8 / 9, 9, 100 * 8 / 9),
    ],
)
def test_indicator(filled: Workspace, indicator: str, value: float, n: int, score: float | None) -> None:
    one = results(lens_of(filled))[indicator]
    assert one.value.value == pytest.approx(value)
    assert one.value.n == n
    assert one.score == (None if score is None else pytest.approx(score))


def test_every_share_has_its_wilson_interval(filled: Workspace) -> None:
    one = results(lens_of(filled))["quality.task_success"].value
    assert (one.low, one.high) == pytest.approx((0.43649, 0.96995), abs=1e-5)  # 5 of 6


def test_a_lens_is_the_mean_of_its_scored_indicators(filled: Workspace) -> None:
    lenses = lens_of(filled)
    for lens in lenses.lenses:
        scores = [one.score for one in lens.indicators if one.score is not None]
        assert lens.score.value == pytest.approx(sum(scores) / len(scores))
        assert lens.score.low is not None and lens.score.high is not None
        assert lens.score.low <= lens.score.value <= lens.score.high
        assert (lens.coverage, lens.scored) == (1.0, len(scores))
    assert [lens.worst for lens in lenses.lenses] == ["speed.ci", "quality.call_errors", "visibility.llm_cost"]


def test_no_change_is_claimed_where_the_window_before_has_no_data(filled: Workspace) -> None:
    lenses = lens_of(filled)
    assert all(lens.change.value is None and lens.change.reason for lens in lenses.lenses)
    assert results(lenses)["speed.deployments"].previous.value is None


def test_the_window_after_the_data_has_zero_deployments_not_none(filled: Workspace) -> None:
    one = results(lens_of(filled, window="2026-11-18..2026-11-20"))["speed.deployments"]
    assert one.value.value == 0
    assert one.previous.value == pytest.approx(1 / 3)  # of 15 November; windows are three days long


def test_half_the_anchored_indicators_are_needed_for_a_score(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.store(made, "github", "runs", "pipeline_runs", world.runs())
    speed = lens_of(made).lenses[0]
    assert (speed.scored, speed.anchored, speed.coverage) == (1, 4, 0.25)
    assert speed.score.value is None
    assert "1 of 4" in (speed.score.reason or "")


def test_an_override_of_an_anchor_counts_and_an_unknown_one_is_named(filled: Workspace) -> None:
    anchors = {
        "quality.task_success": Anchor(poor=0.5, good=1.0, source="our contract 2026"),
        "quality.task_sucess": Anchor(poor=0, good=1),
    }
    report = world.report("lens", filled, Config(lens=Lens(anchors=anchors)))
    assert isinstance(report.data, Lenses)
    assert results(report.data)["quality.task_success"].score == pytest.approx(100 * (5 / 6 - 0.5) / 0.5)
    assert any("Did you mean quality.task_success" in item.text for item in report.findings)


def test_a_filter_that_rows_cannot_answer_leaves_no_number(filled: Workspace) -> None:
    found = results(lens_of(filled, filters=Filters(feature="search")))
    assert found["quality.task_success"].value.n == 6
    assert found["speed.ci"].value.value is None
    assert found["speed.ci"].value.reason == "its rows cannot be narrowed to feature search"


def test_an_unknown_team_is_nothing_not_everything(filled: Workspace) -> None:
    found = results(lens_of(filled, filters=Filters(team="nobody")))
    assert found["speed.cycle_time"].value.value is None
    assert found["speed.cycle_time"].value.reason == "nothing that was seen in progress was finished in this window"


def test_few_values_are_too_small_a_sample(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.store(made, "github", "runs", "pipeline_runs", world.runs()[:4])
    one = results(lens_of(made))["speed.ci"].value
    assert (one.value, one.n, one.reason) == (None, 4, "n too small (4, needs 5)")


def test_open_items_older_than_their_teams_p85(tmp_path: Path) -> None:
    # Ten items of team core took 1 to 10 days: p85 is the 9th, 9 days. Of three open ones started 10, 9.5 and 2 days before
    # now, two are older. Team other finished nothing, so its old item is not judged.
    made = world.workspace(tmp_path / "w")
    rows = [
        world.full("work_items", id=f"d{days}", type="feature", category="done", created=world.at(1), started=world.at(15 - days),
                   completed=world.at(15), updated=world.at(15), team="core")
        for days in range(1, 11)
    ]  # fmt: skip
    rows += [
        world.full("work_items", id=f"o{index}", type="feature", category="active", created=world.at(1), started=world.at(21 - age),
                   updated=world.at(15), team=team)
        for index, (age, team) in enumerate([(10, "core"), (9.5, "core"), (2, "core"), (19, "other")])
    ]  # fmt: skip
    world.store(made, "linear", "issues", "work_items", rows)
    one = results(lens_of(made))["speed.wip_age"].value
    assert one.reason == "n too small (3, needs 5)"
    assert one.n == 3
    more = [
        world.full("work_items", id=f"p{index}", type="feature", category="active", created=world.at(1), started=world.at(20),
                   updated=world.at(20), team="core")
        for index in range(2)
    ]  # fmt: skip
    world.store(made, "linear", "issues", "work_items", more)
    assert results(lens_of(made))["speed.wip_age"].value.value == pytest.approx(2 / 5)


# --- Gate ---------------------------------------------------------------------------------------------------------


def test_gate_by_hand(filled: Workspace) -> None:
    gate = gate_of(filled)
    by_id = {item.id: item for item in gate.criteria}
    assert {name: (item.value.value, item.met) for name, item in by_id.items()} == {
        "gate.clusters": (pytest.approx(7 / 8), True),
        "gate.fields": (pytest.approx(7 / 8), False),
        "gate.cost": (1.0, True),
        "gate.attribution": (pytest.approx(21 / 36), False),
    }
    assert (gate.verdict, gate.open, gate.environment) == ("no-go", False, "production")
    assert [(one.name, one.value.value) for one in by_id["gate.fields"].worst] == [("production / triage", 0.5)]
    assert by_id["gate.attribution"].worst[0].name == "production / triage"


def test_cost_curve_by_hand(filled: Workspace) -> None:
    curve = gate_of(filled).cost_curve
    assert curve is not None
    assert (curve.n, curve.total.value) == (8, pytest.approx(0.36))
    assert [one.value for one in (curve.p50, curve.p95, curve.p99)] == pytest.approx([0.04, 0.08, 0.08])
    assert (curve.p50.low, curve.p50.high) == pytest.approx(
        (0.01, 0.08)
    )  # ranks 1 and 8: 99.2 %; 2 and 7 are only 93 %
    assert [(one.requests, one.cost_share) for one in curve.tops] == [
        (1, pytest.approx(8 / 36)), (1, pytest.approx(8 / 36)), (1, pytest.approx(8 / 36)),
        (2, pytest.approx(15 / 36)), (4, pytest.approx(26 / 36)),
    ]  # fmt: skip
    assert curve.first_day == datetime(2026, 11, 11, tzinfo=UTC)
    assert curve.per_day == pytest.approx([index / 100 for index in range(1, 9)])


LOW = Gate(clusters_share=0.8, fields_share=0.8, cost_share=0.9, attribution_share=0.5)


def test_gate_is_provisional_with_few_requests_and_go_with_enough(filled: Workspace) -> None:
    few = gate_of(filled, Config(gate=LOW))
    assert (few.verdict, few.open) == ("provisional", True)
    assert few.provisional_because == ("only 8 of the 200 requests it takes were seen",)
    enough = gate_of(filled, Config(gate=LOW.model_copy(update={"min_requests": 8})))
    assert (enough.verdict, enough.provisional_because) == ("go", ())


def test_gate_looks_at_its_own_days(filled: Workspace) -> None:
    # The last eight days before 21 November hold requests 13 to 18 November only: 6 of 8.
    gate = gate_of(filled, Config(gate=Gate(window_days=8)))
    assert {item.value.n for item in gate.criteria} == {6}


def test_an_override_opens_the_gate_until_it_expires(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.store(made, "traces", "files", "spans", world.spans())
    decision = (
        "id: DEC-1\ntitle: Go on\nraised: 2026-11-01\ndecided: 2026-11-02\n"
        "gate_override:\n  name: Ada\n  reason: The pilot cannot wait\n  expires: 2026-11-{}\n"
    )
    world.document(made, "decisions", "DEC-1", decision.format(21))
    gate = gate_of(made)
    assert (gate.verdict, gate.open) == ("no-go", True)
    assert gate.override is not None and gate.override.decision == "DEC-1"
    assert "Ada" in world.report("gate", made).headline
    for name in ("summary", "flywheel", "gate", "readout"):
        assert [item.id for item in world.report(name, made).findings].count("gate.override") == 1
    reports, notices = run_all(made, Config(), world.clock())
    assert set(reports) == set(REPORTS)
    assert len(notices) == 1 and "DEC-1" in notices[0] and "The pilot cannot wait" in notices[0]
    world.document(made, "decisions", "DEC-1", decision.format(20))
    assert (gate_of(made).open, gate_of(made).override) == (False, None)


# --- Flywheel -----------------------------------------------------------------------------------------------------

CYCLE = """id: cycle-1
started: 2026-11-01
items:
  privacy-signed: {who: Grace, when: 2026-11-10, note: looked at 200 texts}
  made-up: {who: Grace, when: 2026-11-10}
artifacts:
  - {kind: north-star, title: Resolved without help, who: Ada, when: 2026-11-02}
  - {kind: interview, title: Support lead, who: Ada, when: 2026-11-02}
  - {kind: interview, title: Head of product, who: Ada, when: 2026-11-03}
  - {kind: interview, title: Nobody in particular}
  - {kind: ticket, title: Forty tickets, who: Ada, when: 2026-11-03}
"""


def flywheel(made: Workspace, config: Config | None = None) -> dict[str, Checklist]:
    report = world.report("flywheel", made, config)
    return {block.id: block for block in report.blocks if isinstance(block, Checklist)}


def test_flywheel_counts_documents_ticks_and_rows(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.fill(made)
    world.document(made, "cycles", "cycle-1", CYCLE)
    lists = flywheel(made)
    assert list(lists)[:4] == ["flywheel.phase0", "flywheel.phase1", "gate.criteria", "flywheel.phase2"]
    items = {item.id: item for block in lists.values() for item in block.items}
    assert items["north-star"].state == "pass"
    assert items["north-star"].evidence == "Resolved without help (Ada, 2026-11-02)"
    assert items["interviews"].state == "warn"
    assert items["interviews"].evidence.startswith("2 of 3; Nobody in particular lacks who or when")
    assert items["reading"].state == "warn"
    assert "1 of 7 kinds read; unread: decision records" in items["reading"].evidence
    assert items["model"].state == "pass"
    assert items["tokens"].state == "block"
    assert items["first-token"].state == "block"
    assert items["outcome"].state == "pass"
    assert items["ids"].evidence == "100 % of 8 requests with a root span, 95 % needed"
    assert (items["replay"].state, items["replay"].evidence) == ("pass", "left out, as was signed: Grace, 2026-11-10")
    assert items["privacy-signed"].evidence == "Grace, 2026-11-10: looked at 200 texts"
    assert items["bill-signed"].state == "no-data"
    report = world.report("flywheel", made)
    assert any("made-up" in item.text for item in report.findings)
    assert "cycle-1, phase 0" in report.headline


def test_phases_after_the_gate_are_locked_with_the_reason(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.store(made, "traces", "files", "spans", world.spans())
    lists = flywheel(made)
    unsigned = next(item for item in lists["flywheel.phase1"].items if item.id == "replay")
    assert (unsigned.state, unsigned.evidence) == ("no-data", "not kept, so no trace can be replayed")
    keeping = flywheel(made, Config(privacy=Privacy(keep_payloads=True)))
    (kept,) = (item for item in keeping["flywheel.phase1"].items if item.id == "replay")
    assert (kept.state, kept.evidence) == ("block", "0 % of 8 model calls with the input whole, 95 % needed")
    assert "cost with feature and team" in lists["flywheel.phase2"].locked
    assert lists["flywheel.phase6"].locked == "waits for the gate"
    assert lists["flywheel.phase1"].locked == ""
    opened = flywheel(made, Config(gate=LOW))
    assert opened["flywheel.phase2"].locked == ""
    assert "only 8 of the 200" in opened["gate.criteria"].note


# --- Sources, summary, readout ------------------------------------------------------------------------------------


def test_sources_by_hand(filled: Workspace) -> None:
    report = world.report("sources", filled, Config(sources={"linear": SourceSettings(), "jira": SourceSettings()}))
    data = json.loads(envelope(report))["data"]
    states = {f"{one['source']}/{one['stream']}": one for one in data["streams"]}
    assert len(states) == 9
    assert states["linear/issues"]["stale"] is True
    assert states["linear/issues"]["age_s"] == 72 * 3600
    assert states["junit/files"]["rejected"] == 1
    assert data["never_pulled"] == ["jira"]
    assert data["tables"]["spans"] == 8
    assert [one["name"] for one in data["missing"]] == ["sprints or cycles", "cost estimates"]
    assert data["unmapped"] == [{"kind": "state", "word": "Odd", "n": 1}]
    told = {"sources.stale.linear", "sources.rejects", "sources.never", "sources.unmapped"}
    assert {item.id for item in report.findings} == told
    assert (
        next(item for item in report.findings if item.id == "sources.stale.linear").action == "aether-tui sync linear"
    )


def test_traces_that_no_window_shows_are_told(tmp_path: Path) -> None:
    """A sender whose clock, or unit of time, is wrong."""
    made = world.workspace(tmp_path / "w")
    starts = [datetime(1970, 1, 1, 0, 29), world.at(20.9), world.at(22.5), datetime(2200, 1, 1)]  # noqa: DTZ001  # naive UTC
    rows = [
        world.full("spans", trace_id=f"{n:032x}", span_id=f"{n:016x}", name="answer", start=start, duration_s=1.0)
        for n, start in enumerate(starts, 1)
    ]
    world.store(made, "otlp", "receiver", "spans", rows)
    (finding,) = [item for item in world.report("sources", made).findings if item.id == "sources.astray.otlp"]
    assert finding.text.startswith(
        "3 traces of otlp began before 2000 or after the day they came (1970-01-01 to 2200-01-01)"
    )


def test_what_to_do_about_a_stream_that_failed_is_whole_in_its_row() -> None:
    said = f"the credential was not accepted (answered 401: {'word ' * 20}); run `aether-tui auth set jira`"
    failed = sources_report.StreamState(
        source="jira", stream="issues", rows=0, last_success=None, last_attempt=None, age_s=None, stale=True, last_error=said,
        cursor="5", rejected=0, configured=True,
    )  # fmt: skip
    made = sources_report.Sources(streams=(failed,), tables={}, rejects=(), missing=(), never_pulled=())
    (row,) = next(block for block in sources_report.blocks(made) if isinstance(block, Table)).rows
    assert row.detail.split("\n") == [" ".join(said.split()), "cursor 5"]
    assert str(row.cells[-1]) == row.detail.partition("; ")[0]


def test_stale_follows_the_configuration(filled: Workspace) -> None:
    report = world.report("sources", filled, Config(console=Console(stale_after_hours=100)))
    assert not any(item.stale for item in report.freshness)


def test_what_succeeded_later_than_now_is_not_fresh(tmp_path: Path) -> None:
    """Pulled while the clock was ahead; some minutes are the clocks of two machines."""
    made = world.workspace(tmp_path / "w")
    world.store(made, "linear", "issues", "work_items", world.items(), age_h=-48)
    alone = world.report("sources", made)
    share = next(
        fact for block in alone.blocks if isinstance(block, Facts) for fact in block.facts if fact.id == "sources.fresh"
    )
    assert (share.value.value, share.value.reason) == (None, "every stream succeeded later than this report's now")
    world.store(made, "traces", "files", "spans", world.spans(), age_h=-0.05)
    report = world.report("sources", made)
    assert [(one.source, one.age_s, one.stale, one.ahead) for one in report.freshness] == [
        ("linear", -48 * 3600, True, True), ("traces", 0, False, False),
    ]  # fmt: skip
    assert report.headline == "2 streams of 2 sources, 1 ahead of now."
    (said,) = [item.text for item in report.findings if item.id.startswith(("sources.ahead", "sources.stale"))]
    assert said.startswith("1 stream last succeeded after this report's now, by up to 2 d (linear/issues): how old")
    (table,) = [block for block in report.blocks if isinstance(block, Table) and block.id == "sources.streams"]
    assert [(row.cells[0], row.cells[4]) for row in table.rows] == [("ahead", "in 2 d"), ("fresh", "0 s")]
    assert fresh_line(report.freshness) == "2 streams, 1 ahead of now (linear/issues)"
    assert synced(report.freshness, world.NOW) == "▲ linear synced ahead of now"
    assert action(made) != "stale"


def action(made: Workspace, config: Config | None = None) -> str:
    return str(json.loads(envelope(world.report("summary", made, config)))["data"]["next_action"]["id"])


def test_the_next_action_moves_on_as_things_are_done(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    assert action(made) == "connect"
    assert action(made, Config(sources={"linear": SourceSettings()})) == "sync"
    world.store(made, "linear", "issues", "work_items", world.items())
    assert action(made) == "traces"
    world.store(made, "traces", "files", "spans", world.spans())
    assert action(made) == "gate.fields"
    assert action(made, Config(gate=LOW)) == "cycle"
    world.document(made, "cycles", "cycle-1", CYCLE)
    assert action(made, Config(gate=LOW)) == "interviews"
    world.store(made, "old", "files", "test_runs", world.tests(), age_h=100)
    assert action(made, Config(gate=LOW)) == "stale"
    world.document(made, "opportunities", "OPP-1", "id: OPP-1\nnonsense: 1\n")
    assert action(made, Config(gate=LOW)) == "documents"


def test_readout_shows_usage_and_names_what_it_left_out(filled: Workspace) -> None:
    report = world.report("readout", filled)
    data = json.loads(envelope(report))["data"]
    assert [(one["metric"], one["now"]["value"], one["before"]["value"]) for one in data["usage"]] == [
        ("active_users", 40, 15)
    ]
    assert {"opportunities", "decisions"} <= set(data["left_out"])
    texts = [block.text for block in report.blocks if block.id == "readout.left" and hasattr(block, "text")]
    assert len(texts) == 1 and "decisions" in texts[0]


def test_an_interview_that_was_left_open_is_the_next_action_until_it_is_finished(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    said = (
        "id: INT-1\nquestionnaire: maturity\nstarted: 2026-11-20T09:00:00\npeople: [{name: Eva}]\nwho: Eva\n"
        "answers:\n- {question: flow.3.wip-limits-enforced, who: Eva, value: 4, when: 2026-11-20T09:01:00}\n"
    )
    assert action(made) == "connect"
    world.document(made, "interviews", "INT-1", said)
    assert action(made) == "interview"
    world.document(made, "interviews", "INT-1", said + "finished: 2026-11-20T09:20:00\n")
    assert action(made) == "connect"
    world.document(made, "interviews", "INT-2", "id: INT-2\nanswrs: []\n")
    assert action(made) == "documents"


# --- All reports --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OWN)
def test_an_empty_workspace_gives_a_report_that_says_what_is_missing(empty: Workspace, name: str) -> None:
    report = run_report(name, empty, Config(), world.clock(), None)
    assert report.headline
    assert report.blocks
    steps = [block.next_step for block in report.blocks if isinstance(block, Gap)]
    lists = [item.next_step for block in report.blocks if isinstance(block, Checklist) for item in block.items]
    notes = [block.note for block in report.blocks if isinstance(block, Table | Checklist)]
    assert any("aether-tui" in text for text in (*steps, *lists, *notes)) or name == "lens"


def test_the_empty_home_says_what_to_connect_and_what_needs_no_data(empty: Workspace) -> None:
    report = run_report("summary", empty, Config(), world.clock(), None)
    assert [block.id for block in report.blocks][:3] == ["summary.next", "sources.missing", "summary.work"]


@pytest.mark.parametrize("name", OWN)
def test_same_input_same_bytes(filled: Workspace, name: str) -> None:
    one = world.report(name, filled)
    two = run_report(name, filled, Config(), world.clock(), Cache(filled.cache_path))
    assert envelope(one) == envelope(two)
    assert save(one) == save(two)
    assert load(save(one)).blocks == one.blocks


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("state", ["filled", "empty"])
def test_json_is_one_object_without_nan_and_every_null_value_has_a_reason(
    filled: Workspace, empty: Workspace, name: str, state: str
) -> None:
    text = envelope(world.report(name, filled if state == "filled" else empty))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(text, parse_constant=refuse)
    assert list(found)[:4] == ["report", "schema", "as_of", "window"]
    assert found["as_of"] == "2026-11-21T00:00:00Z"
    assert set(found["window"]) >= {"from", "to"}

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "value" in value and value["value"] is None:
                assert value["reason"], value
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(found["data"])


def test_an_unknown_report_names_the_nearest(empty: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'portfolio'"):
        run_report("portfolo", empty, Config(), world.clock(), None)


def test_rows_that_nobody_asked_twice_for_are_read_once(filled: Workspace) -> None:
    # Home asks for everything; one lease, every query once.
    from aether_tui.cache import Cache
    from aether_tui.diagnostics.frame import Data
    from aether_tui.diagnostics.summary import build
    from aether_tui.workspace.documents import read_documents

    opened: list[int] = []

    class Counting(Cache):
        def read(self):  # type: ignore[no-untyped-def]
            opened.append(1)
            return super().read()

    with Data(Counting(filled.cache_path), world.clock()) as data:
        build(data, read_documents(filled, Config()), world.clock())
    assert len(opened) == 1


def named_commands(made: Workspace) -> set[str]:
    """Every `aether-tui …` that any report tells its reader to run."""
    found: set[str] = set()
    for name in REPORTS:
        report = world.report(name, made)
        texts = [report.headline, *(item.action or "" for item in report.findings)]
        for block in report.blocks:
            texts += [str(getattr(block, field, "")) for field in ("next_step", "note", "text", "reason")]
            if isinstance(block, Checklist):
                texts += [item.next_step for item in block.items]
            if isinstance(block, Table):
                texts += [str(cell) for row in block.rows for cell in (*row.cells, row.detail)]
        for text in texts:
            found |= {match.strip(" .") for match in re.findall(r"aether-tui (?:[^,;()`\n.:]|\.(?! ))+", text)}
    return found


@pytest.mark.parametrize("state", ["filled", "empty", "begun"])
def test_every_command_a_report_names_exists(filled: Workspace, empty: Workspace, state: str) -> None:
    if state == "begun":
        world.document(empty, "cycles", "cycle-1", CYCLE)
        world.document(empty, "opportunities", "OPP-1", "id: OPP-1\nnonsense: 1\n")
        world.document(
            empty, "opportunities", "OPP-2",
            "id: OPP-2\ntitle: t\nimpact: 5\nconfidence: 5\nreversibility: 5\neffort_weeks: 8\n",
        )  # fmt: skip
    commands = named_commands(filled if state == "filled" else empty)
    assert commands
    for line in commands:
        words = shlex.split(line)[1:]
        command: click.Command = cli
        while isinstance(command, click.Group):
            context = click.Context(command)
            word = words.pop(0)
            inner = command.get_command(context, word)
            assert inner is not None, line
            command = inner
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_home_says_what_it_cannot_narrow(filled: Workspace) -> None:
    first = world.report("summary", filled, filters=Filters(team="core")).blocks[0]
    assert first.id == "summary.narrowed"
    assert "team core" in getattr(first, "text", "")
    assert world.report("summary", filled).blocks[0].id == "summary.next"


def test_a_damaged_cache_is_an_error_of_the_cache(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    made.cache_path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(CacheTrouble) as caught:
        world.report("lens", made)
    assert caught.value.exit_code == 5


def test_what_people_wrote_cannot_reach_a_terminal(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.fill(made)
    evil = r'"\x1b]52;c;ZXZpbA==\x07 \u202eevil\nline"'
    world.document(
        made, "opportunities", "OPP-1",
        f"id: OPP-1\ntitle: {evil}\nimpact: 5\nconfidence: 5\nreversibility: 5\neffort_weeks: 8\nstatus: chosen\nevidence: [{evil}]\n",
    )  # fmt: skip
    world.document(
        made, "cycles", "cycle-1",
        f"id: cycle-1\nstarted: 2026-11-01\nitems:\n  privacy-signed: {{who: {evil}, when: 2026-11-02, note: {evil}}}\n"
        f"artifacts:\n  - {{kind: north-star, title: {evil}, who: {evil}, when: 2026-11-02}}\n",
    )  # fmt: skip
    world.document(
        made, "decisions", "DEC-1",
        f"id: DEC-1\ntitle: {evil}\nraised: 2026-11-01\ndecided: 2026-11-02\nowner: {evil}\nchosen: {evil}\n"
        f"gate_override:\n  name: {evil}\n  reason: {evil}\n  expires: 2026-11-30\n",
    )  # fmt: skip
    reports, notices = run_all(made, Config(), world.clock(), world.Cache(made.cache_path))
    whole = json.dumps([json.loads(save(report)) for report in reports.values()]) + json.dumps(notices)
    assert "evil" in whole
    assert "\\u001b" not in whole and "\\u0007" not in whole and "\\u202e" not in whole


def test_every_row_says_why(filled: Workspace) -> None:
    rows = [row for block in world.report("lens", filled).blocks if isinstance(block, Table) for row in block.rows]
    assert rows
    assert [row.id for row in rows if not row.why] == []


@pytest.mark.parametrize(
    "path", sorted((resources.files("aether_tui.diagnostics") / "sql").iterdir(), key=str), ids=lambda path: path.name
)
def test_queries_order_their_rows(path: Traversable) -> None:
    # Sums of floats depend on the order of rows, and the same data must give the same bytes.
    text, depth, outside = re.sub(r"--[^\n]*", "", path.read_text()), 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        outside += character if depth == 0 else ""
    assert "ORDER BY" in outside or "GROUP BY" not in outside
