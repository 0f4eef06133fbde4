"""Flow over thirty items whose every number was computed by hand, through a real cache."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics import flow_findings
from aether_tui.diagnostics.flow_measure import Flow, measure
from aether_tui.diagnostics.frame import Clock, Filters
from aether_tui.diagnostics.run import run_report
from aether_tui.records.model import Row
from aether_tui.report_model import Gap, Plot, Report, Table, Trend
from aether_tui.stats.forecast import fan, hits
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world
from tests.diagnostics.world import at, full

pytestmark = pytest.mark.xdist_group("flow")  # its world is made once

DAY = 86_400.0
Step = tuple[datetime, str | None, str | None]


class Fixture:
    """Items and their transitions, as a tracker would give them."""

    def __init__(self) -> None:
        self.items: list[Row] = []
        self.transitions: list[Row] = []

    def add(
        self, steps: list[Step], *, team: str = "core", type: str = "feature", movers: tuple[str, ...] = ()
    ) -> None:
        """An item whose steps are (when, state, category); the first is its creation."""
        number = len(self.items) + 1
        state, category = steps[-1][1:]
        self.items.append(
            full("work_items", id=f"i{number}", key=f"ENG-{number}", title=f"Item {number}", type=type, team=team,
                 state=state, category=category, created=steps[0][0], updated=steps[-1][0])
        )  # fmt: skip
        before: Step = (steps[0][0], None, None)
        for index, step in enumerate(steps):
            self.transitions.append(
                full("work_transitions", item_id=f"i{number}", at=step[0], to_state=step[1], from_state=before[1],
                     to_category=step[2], from_category=before[2], actor=movers[index - 1] if movers and index else None)
            )  # fmt: skip
            before = step


def thirty() -> Fixture:
    made = Fixture()
    queue: Step = (at(1), "Todo", "queue")
    active: Step = (at(2), "Doing", "active")
    # 1–10: one day queued, then 1 to 10 days of work, done on 3 to 12 November, moved by two people. Number 6 is done on
    # Sunday the 8th: weekends count like all days.
    for days in range(1, 11):
        made.add([queue, active, (at(2 + days), "Done", "done")], movers=("a", "b"))
    # 11–12: reopened. Cycle 2 → 8 November is 6 days, of which 4 active; the two days it was done count as neither.
    for _ in range(2):
        made.add([queue, active, (at(4), "Done", "done"), (at(6), "Doing", "active"), (at(8), "Done", "done")])
    # 13–14: cancelled, one after 3 days in progress, one before it was started.
    made.add([queue, active, (at(5), "Dropped", "cancelled")])
    made.add([queue, (at(3), "Dropped", "cancelled")])
    # 15–16: a day in a state that nobody mapped. Cycle 4 days, 3 of them active.
    for _ in range(2):
        made.add([queue, active, (at(4), "Odd", None), (at(5), "Doing", "active"), (at(6), "Done", "done")])
    # 17: open, in the state that nobody mapped: not in progress, not queued.
    made.add([queue, (at(2), "Odd", None)])
    # 18–20: done without ever being active. Lead time 2 days, no cycle time.
    for _ in range(3):
        made.add([queue, (at(3), "Done", "done")])
    # 21–22: four days of waiting in a cycle of seven. Of a team that finished too little to have a p85.
    for _ in range(2):
        made.add(
            [queue, active, (at(3), "Review", "wait"), (at(7), "Doing", "active"), (at(9), "Done", "done")], team="web"
        )
    # 23–28: in progress, for 1, 2, 6, 20 and 51 days; and one of the other team for 2.
    for started in (at(20), at(19), at(15), at(1), at(1, 10)):
        made.add([(started, "Todo", "queue"), (started, "Doing", "active")])
    made.add([(at(19), "Todo", "queue"), (at(19), "Doing", "active")], team="web")
    # 29: queued.
    made.add([(at(10), "Todo", "queue")], team="web")
    # An incident, which is no part of flow; number 30 follows in `flow_world`.
    made.add([queue, active, (at(3), "Done", "done")], type="incident")
    return made


@pytest.fixture(scope="module")
def flow_world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made, items = world.workspace(tmp_path_factory.mktemp("flow")), thirty()
    world.store(made, "linear", "issues", "work_items", items.items)
    world.store(made, "linear", "history", "work_transitions", items.transitions)
    # 30: from a tracker without status history: lead 4 days, cycle 3, and whether it was reopened is not known.
    world.store(made, "sheet", "items", "work_items", [
        full("work_items", id="x1", key="X-1", title="Listed", type="chore", state="Done", category="done", created=at(1),
             started=at(2), completed=at(5), updated=at(5)),
    ])  # fmt: skip
    world.READ_ONLY.add(made.root)
    return made


def report_of(made: Workspace, **filters: str) -> Report[Flow]:
    return world.report("flow", made, filters=Filters(**filters))


@pytest.fixture(scope="module")
def flow(flow_world: Workspace) -> Flow:
    return report_of(flow_world).data


def test_times_are_those_computed_by_hand(flow: Flow) -> None:
    times = flow.times
    assert (times.finished, times.without_start) == (20, 3)
    # Cycle times in days: 1 2 3 3 4 4 4 5 6 6 6 7 7 7 8 9 10; ranks ⌈8.5⌉ = 9 and ⌈14.45⌉ = 15.
    assert (times.cycle_p50.value, times.cycle_p50.n) == (6 * DAY, 17)
    assert (times.cycle_p85.value, times.cycle_p85.n) == (8 * DAY, 17)
    # P(Bin(17, ½) ≤ 4) = 0.0245: ranks 5 and 13. For 0.85 rank 11 below, and .85¹⁷ = 6.3 % leaves no bound above.
    assert (times.cycle_p50.low, times.cycle_p50.high) == (4 * DAY, 7 * DAY)
    assert (times.cycle_p85.low, times.cycle_p85.high) == (6 * DAY, None)
    # Lead times: 2 2 2 2 3 4 4 5 5 5 6 7 7 7 8 8 8 9 10 11; ranks 10 and 17.
    assert (times.lead_p50.value, times.lead_p50.n) == (5 * DAY, 20)
    assert (times.lead_p85.value, times.lead_p85.n) == (8 * DAY, 20)
    assert flow.before.finished == 0
    assert flow.before.cycle_p50.value is None


def test_reopened_counts_only_items_whose_history_is_known(flow: Flow) -> None:
    assert (flow.times.reopened.value, flow.times.reopened.n) == (pytest.approx(2 / 19), 19)


def test_efficiency_is_active_of_active_wait_and_queue(flow: Flow) -> None:
    # Active 55 + 8 + 6 + 0 + 6 = 75 days, wait 8, queue 10 + 2 + 2 + 6 + 2 = 22; 2 unmapped.
    assert (flow.efficiency.value, flow.efficiency.n) == (pytest.approx(75 / 105), 19)
    assert flow.efficiency.low is not None and 0 < flow.efficiency.low < 75 / 105
    assert flow.unmapped.value == pytest.approx(2 / 107)


def test_handoffs_are_known_where_every_mover_is(flow: Flow) -> None:
    assert (flow.handoffs.value, flow.handoffs.n) == (1, 10)


def test_work_in_progress_and_its_age(flow: Flow) -> None:
    assert flow.wip.value == 6
    # 95 days of items that left (55 + 12 + 3 + 8 + 14 + 3) and 1 + 2 + 6 + 20 + 28 + 2 of those still open, over 28 days.
    assert flow.mean_wip.value == pytest.approx(154 / 28)
    # Core finished 1 2 3 4 4 4 5 6 6 6 7 8 9 10: rank ⌈11.9⌉ = 12 is 8 days. Of its five open items two are older.
    assert (flow.past_p85.value, flow.past_p85.n) == (2 / 5, 5)
    assert [(item.key, item.age_s, item.p85_s) for item in flow.ageing] == [
        ("ENG-27", 51 * DAY, 8 * DAY), ("ENG-26", 20 * DAY, 8 * DAY),
    ]  # fmt: skip


def test_a_past_window_tells_what_was_queued_then(flow_world: Workspace, flow: Flow) -> None:
    assert [one.items for one in flow.forecast] == [6, 7]  # 29 is queued now
    then = world.report("flow", flow_world, window="2026-10-20..2026-11-02").data
    # In progress on the evening of the 2nd: 1–13, 15–16, 21–22, 26–27 and 30. Queued: 14, dropped the day after, and 18–20, then
    # done. 17 was in a state that nobody mapped, 29 was made a week later.
    assert [one.items for one in then.forecast] == [20, 24]


def test_averages_are_marked_invalid_with_the_reasons(flow_world: Workspace, flow: Flow) -> None:
    validity = flow.validity
    assert validity.little.value == pytest.approx(154 / 95)  # 1.62
    assert validity.balance.value == pytest.approx(23 / 18)  # 1.28: five more are open than before
    assert validity.age_growth.value is None  # one was open at the start
    assert validity.holds is False
    assert len(validity.reasons) == 2
    report = report_of(flow_world)
    told = next(item.text for item in report.findings if item.id == "flow.validity")
    assert "1.62 times what Little's Law gives" in told
    assert "1.28 items are started per item that leaves" in told
    assert "not valid" in report.headline


@pytest.mark.parametrize(("arrivals", "holds"), [(89, False), (90, True), (110, True), (111, False)])
def test_averages_hold_within_the_written_bounds(arrivals: int, holds: bool) -> None:
    load = {
        "first_seen": datetime(2026, 1, 1), "open_now": 10, "open_before": 10, "queued": 0, "present_s": 100.0, "stay_s": 100.0,  # noqa: DTZ001
        "arrivals": arrivals, "departures": 100, "age_now_s": 1.25, "age_before_s": 1.0,
    }  # fmt: skip
    validity = measure([], [load], [], [], [], [], world.clock()).validity
    assert validity.holds is holds
    assert len(validity.reasons) == (not holds)
    older = measure([], [{**load, "arrivals": 100, "age_now_s": 1.26}], [], [], [], [], world.clock()).validity
    assert older.reasons == (
        "open items are 1.26 times as old as at the start of the window: work in progress is ageing",
    )


def test_throughput_has_its_empty_weeks_and_seven_are_too_few_for_a_forecast(flow: Flow) -> None:
    assert flow.throughput.value == 5
    assert flow.weekly == (0, 0, 0, 0, 10, 10, 0)  # since the first item of 1 October
    assert flow.weekly_from == datetime(2026, 10, 3, tzinfo=UTC)
    assert [(one.items, one.weeks[0].value) for one in flow.forecast] == [(6, None), (7, None)]
    assert flow.forecast[0].weeks[0].reason == "7 weeks of history, 8 are needed"


def test_days_on_which_nothing_happened_any_more_are_days(flow_world: Workspace) -> None:
    clock = Clock.of(world.NOW + timedelta(days=3), seed=1)
    last = run_report("flow", flow_world, Config(), clock, Cache(flow_world.cache_path)).data.days[-1]
    assert (last.day, last.wip) == (world.NOW + timedelta(days=2), 6)  # the last event of all was on the 20th


def test_drawings_are_of_the_same_items(flow: Flow, flow_world: Workspace) -> None:
    # 23–27 in progress for 1, 2, 6, 20 and 51 days, and 28 of the other team for 2: all in the state they were started in.
    assert [one.age_s / DAY for one in flow.open_items] == [51, 20, 6, 2, 1, 2]
    assert all(one.still_s == one.age_s for one in flow.open_items)
    assert [one.past for one in flow.open_items] == [True, True, False, False, False, False]
    # Twenty finished in the window and none before it; six are open at its end.
    assert (flow.days[-1].finished, flow.days[-1].wip) == (20, 6)
    plots = {block.id: block for block in report_of(flow_world).blocks if isinstance(block, Plot)}
    assert set(plots) == {"flow.age", "flow.cumulative"}  # seven weeks are too few for a fan
    assert "2 of 6 items in progress" in plots["flow.age"].text
    assert "20 items finished" in plots["flow.cumulative"].text


def test_the_fan_of_a_steady_past_is_a_line_and_ends_when_all_is_done() -> None:
    # Three a week, always: after n weeks exactly 3 n, and ten items take four weeks.
    assert fan([3.0] * 8, 10, draws=50, seed=1) == [(3, 3, 3), (6, 6, 6), (9, 9, 9), (12, 12, 12)]
    # A coin of 0 or 2 over one week: a draw in twenty is 0, the middle one or the other, nearly all at most 2.
    assert fan([0.0, 2.0], 2, draws=400, seed=1)[0] in ((0, 0, 2), (0, 2, 2))


@pytest.mark.parametrize(
    ("arrivals", "value", "said"), [(12, 0.75, ""), (16, 1.0, "unstable"), (13, 0.8125, "steeply")]
)
def test_load_against_good_weeks_and_what_queueing_says_of_it(arrivals: int, value: float, said: str) -> None:
    # Twenty weeks: 3 finished in 16 of them, 4 in 4: the 17th smallest, rank ⌈.85 × 20⌉, is 4. Four weeks of arrivals.
    made = weeks(*[3] * 16, *[4] * 4, arrivals=arrivals)
    assert made.utilisation.value == pytest.approx(value)
    texts = [one.text for one in flow_findings.findings(made) if one.id == "flow.utilisation"]
    assert [said in text for text in texts] == ([True] if said else [])


def test_the_page_lists_what_is_late_and_says_what_is_left_out(flow_world: Workspace) -> None:
    report = report_of(flow_world)
    blocks = {block.id: block for block in report.blocks}
    late = blocks["flow.items_past_p85"]
    assert isinstance(late, Table)
    assert [row.cells[0] for row in late.rows] == ["ENG-27", "ENG-26"]
    weekly = blocks["flow.weekly"]
    assert isinstance(weekly, Trend)
    assert weekly.step == "week"
    assert {item.id for item in report.findings} == {"flow.validity", "flow.ageing", "flow.without_start"}


def test_a_team_is_looked_at_alone_and_a_service_cannot_be(flow_world: Workspace) -> None:
    web = report_of(flow_world, team="web").data
    assert (web.times.finished, web.wip.value) == (2, 1)
    assert "n too small" in (web.times.cycle_p50.reason or "")
    assert web.validity.holds is None
    block = report_of(flow_world, service="api").blocks[0]
    assert isinstance(block, Gap) and "service api" in block.reason


def test_without_history_nothing_is_made_up(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    rows = [
        full("work_items", id=f"x{index}", key=f"X-{index}", title="Listed", type="chore", state="Done", category="done",
             created=at(1), completed=at(5), updated=at(5))
        for index in range(6)
    ]  # fmt: skip
    world.store(made, "sheet", "items", "work_items", rows)
    report = report_of(made)
    data = report.data
    for value in (data.efficiency, data.times.reopened, data.handoffs, data.times.cycle_p50, data.past_p85):
        assert value.value is None and value.reason
    assert data.times.lead_p50.value == 4 * DAY
    assert any(block.id == "flow.history" and isinstance(block, Gap) for block in report.blocks)


def test_what_a_state_means_here_decides_how_an_item_ended(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    # Jira calls "Won't do" done and dates its resolution; a team that measures first calls what Jira calls done still active.
    ends = [("Shipped", "done")] * 5 + [("Won't do", "cancelled")] * 2 + [("Measuring", "active"), ("Odd", None)]
    rows = [
        full("work_items", id=f"x{index}", key=f"X-{index}", title="x", type="feature", state=state, category=category,
             created=at(1), started=at(2), completed=at(5), updated=at(5))
        for index, (state, category) in enumerate(ends)
    ]  # fmt: skip
    world.store(made, "jira", "issues", "work_items", rows)
    flow = report_of(made).data
    assert flow.times.finished == 6  # the five, and the one that nobody mapped, by the tracker's word
    assert flow.wip.value == 1
    assert flow.validity.balance.value == 9 / 8  # nine came, eight left


def test_hostile_titles_are_harmless(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    fixture = thirty()
    world.store(made, "linear", "history", "work_transitions", fixture.transitions)
    at_title = 2  # of Table.columns: id, key, title
    rows = [(*row[:at_title], "\x1b]0;x\x07evil\u202e", *row[at_title + 1 :]) for row in fixture.items]
    world.store(made, "linear", "issues", "work_items", rows)
    assert {item.title for item in report_of(made).data.ageing} == {"evil"}


# --- Forecast -----------------------------------------------------------------------------------------------------


def weeks(*finished: int, open_now: int = 6, arrivals: int = 0) -> Flow:
    """A measured world of which only the weeks and the load matter."""
    load = {
        "first_seen": (world.NOW - timedelta(weeks=len(finished))).replace(tzinfo=None), "open_now": open_now, "queued": 0,
        "present_s": 0.0, "stay_s": 0.0, "arrivals": arrivals, "departures": 0,
    }  # fmt: skip
    rows = [{"week": index - len(finished), "finished": count} for index, count in enumerate(finished) if count]
    return measure([], [load], rows, [], [], [], world.clock())


def test_a_steady_past_is_forecast_exactly_and_its_promises_were_kept() -> None:
    outlook = weeks(*[2] * 12).forecast[0]
    assert [one.value for one in outlook.weeks] == [3, 3, 3]  # six items at two a week
    assert [(one.value, one.n) for one in outlook.kept] == [(1, 2)] * 3  # promised after weeks 8 and 9


def test_more_certainty_takes_longer_when_weeks_differ() -> None:
    values = [one.value or 0 for one in weeks(0, 4, 0, 1, 6, 0, 2, 3, 0, 5, 1, 2, open_now=12).forecast[0].weeks]
    assert values == sorted(values)
    assert values[0] < values[2]


def test_no_forecast_from_weeks_that_finished_nothing() -> None:
    outlook = weeks(*[0] * 12).forecast[0]
    assert {one.reason for one in outlook.weeks} == {"no week of the history finished anything"}


def test_a_promise_is_broken_when_work_stops() -> None:
    # After weeks 8 to 11 half of the draws need one week for four items; none was finished in any of them.
    assert hits([4] * 8 + [0] * 4, 4, (0.5,), sample=26, draws=200, seed=1) == {0.5: (0, 4)}


def test_a_promise_whose_time_has_not_come_is_not_counted() -> None:
    # Twelve weeks at two a week: promises of two weeks made after weeks 8, 9 and 10.
    assert hits([2] * 12, 4, (0.85,), sample=26, draws=50, seed=1) == {0.85: (3, 3)}
