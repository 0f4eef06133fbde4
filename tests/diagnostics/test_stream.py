"""The value stream from spans and status history, computed by hand; written down, it solves to what was counted."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import to_builtins

from aether_tui.cache import Cache
from aether_tui.diagnostics.constraint_measure import Constraint
from aether_tui.diagnostics.constraint_solve import stream_of
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.stream_document import new, refreshed
from aether_tui.diagnostics.stream_measure import counted, document_of
from aether_tui.records.model import Row, Value
from aether_tui.stats.cells import Cell
from aether_tui.stats.chain import solve
from aether_tui.workspace.folder import Workspace
from tests.command import aether
from tests.diagnostics import world


def span(trace: str, number: int, begin: float, end: float, name: str, operation: str | None, **more: Value) -> Row:
    at = world.at(15) + timedelta(seconds=begin)
    values: dict[str, Value] = {
        "parent_id": None if number == 0 else f"{trace}0", "status": "ok", "environment": "production", "feature": "f", **more,
    }  # fmt: skip
    return world.full(
        "spans", trace_id=trace, span_id=f"{trace}{number}", name=name, operation=operation, start=at, duration_s=end - begin, **values
    )  # fmt: skip


def chat(trace: str, number: int, begin: float, end: float, usd: str) -> Row:
    return span(
        trace, number, begin, end, "chat m", "chat", model="m", prompt_name="p", input_tokens=1, cost_usd=Decimal(usd)
    )


A = [
    span("a", 0, 0, 10, "invoke_agent desk", "invoke_agent", task_cluster="c", outcome="success"),
    chat("a", 1, 1, 3, "0.01"),
    span("a", 2, 3.5, 4.5, "execute_tool look", "execute_tool", status="error"),
    span("a", 3, 5, 6, "execute_tool look", "execute_tool"),
    chat("a", 4, 6, 9, "0.03"),
]
B = [
    span("b", 0, 0, 2, "invoke_agent desk", "invoke_agent", task_cluster="c", outcome="failure"),
    chat("b", 1, 0, 2, "0.02"),
]
C = [span("c", 0, 0, 4, "handle 12345", None), span("c", 1, 1, 2, "db", None)]
"""A: a tool tried again, then answered. B failed where it ended. C has no calls: every span is a step."""


def history() -> tuple[list[Row], list[Row]]:
    """i1: queued a day, built two, waited one, reviewed one, built again one, reviewed one, done. i2: built a day, cancelled."""
    items = [
        world.full("work_items", id="i1", key="K-1", title="x", type="feature", state="Done", category="done", created=world.at(3),
                   completed=world.at(10), updated=world.at(10)),
        world.full("work_items", id="i2", key="K-2", title="y", type="feature", state="No", category="cancelled", created=world.at(5),
                   cancelled=world.at(6), updated=world.at(6)),
    ]  # fmt: skip
    steps = [
        ("i1", 3, "Todo", "queue"), ("i1", 4, "Build", "active"), ("i1", 6, "Hold", "wait"), ("i1", 7, "Review", "active"),
        ("i1", 8, "Build", "active"), ("i1", 9, "Review", "active"), ("i1", 10, "Done", "done"),
        ("i2", 5, "Build", "active"), ("i2", 6, "No", "cancelled"),
    ]  # fmt: skip
    moves, before = [], {"i1": None, "i2": None}
    for item, day, state, category in steps:
        moves.append(
            world.full("work_transitions", item_id=item, at=world.at(day), to_state=state, to_category=category, from_category=before[item])
        )  # fmt: skip
        before[item] = category  # type: ignore[assignment]
    return items, moves


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    made = world.workspace(tmp_path / "w")
    world.store(made, "otlp", "receiver", "spans", [*A, *B, *C])
    items, moves = history()
    world.store(made, "linear", "issues", "work_items", items)
    world.store(made, "linear", "history", "work_transitions", moves)
    return made


def maps(made: Workspace) -> dict[str, dict[str, object]]:
    found = to_builtins(world.report("value-stream", made).data)
    return {one["id"]: one for one in found["maps"]}


def steps(one: dict[str, object]) -> dict[str, dict[str, object]]:
    return {step["name"]: step for step in one["steps"]}  # type: ignore[attr-defined]


def test_steps_of_requests_are_what_the_spans_say(made: Workspace) -> None:
    one = maps(made)["requests"]
    assert (one["n"], one["known"], one["failed"]) == (3, 2, 1)
    found = steps(one)
    assert list(found) == ["span handle #", "chat p", "span db", "execute_tool look"]
    call, tool, root = found["chat p"], found["execute_tool look"], found["span handle #"]
    # chat p: 2 + 3 + 2 s in three visits, one of which began a second after its task; 0.06 USD; B ended there.
    assert (call["visits"], call["touch_s"], call["wait_s"], call["lost"]) == (
        3,
        pytest.approx(7 / 3),
        pytest.approx(1 / 3),
        1,
    )
    assert call["cost"] == pytest.approx(0.02)
    assert (tool["visits"], tool["touch_s"], tool["wait_s"], tool["retried"]) == (2, 1.0, 0.5, 1)
    assert tool["error_rate"]["value"] == 0.5  # type: ignore[index]
    assert (root["touch_s"], found["span db"]["touch_s"], found["span db"]["wait_s"]) == (3.0, 1.0, 0.0)


def test_failures_of_a_category_are_placed(made: Workspace) -> None:
    one = maps(made)["cluster.c"]
    assert (one["n"], one["failed"]) == (2, 1)
    assert {name: step["lost"] for name, step in steps(one).items()} == {"chat p": 1, "execute_tool look": 0}


def test_steps_of_work_items_are_stays_in_active_states(made: Workspace) -> None:
    one = maps(made)["work"]
    found = steps(one)
    build, review = found["Build"], found["Review"]
    # Build: 2 + 1 + 1 days in three visits, a day of queue before the first. Review went back once, after a day of hold.
    assert (build["visits"], build["touch_s"], build["wait_s"]) == (
        3,
        pytest.approx(4 / 3 * 86_400),
        pytest.approx(86_400 / 3),
    )
    assert (build["lost"], review["visits"], review["back_to"]) == (1, 2, "Build")
    assert review["error_rate"]["value"] == 0.5  # type: ignore[index]
    assert (one["n"], one["failed"], one["lead_s"]) == (2, 1, 4 * 86_400)


def everything(made: Workspace) -> tuple[Data, Clock]:
    clock = Clock.of(world.NOW)
    return Data(Cache(made.cache_path), clock), clock


def test_what_is_written_down_solves_to_what_was_counted(made: Workspace) -> None:
    data, clock = everything(made)
    with data:
        one = counted(data)[0]
    document = new("VS-1", one, (), clock)
    solved = solve(stream_of(document).steps(), document.demand_per_month)
    assert solved.lead_time_s == pytest.approx(15 / 3)  # 7 + 1, 2 + 1, 3 and 1 s over three tasks
    assert solved.cost == pytest.approx(0.06 / 3)
    assert solved.success_rate == pytest.approx(1 / 2)
    assert document_of(one, (document,)) is document


def test_what_comes_later_the_same_day_is_not_counted(made: Workspace) -> None:
    """As of noon there is no task of three o'clock, neither as one that came nor in its steps."""
    later = [chat("late", 0, 15 * 3600, 15 * 3600 + 2, "0.05")]
    world.store(made, "traces", "later", "spans", later)
    clock = Clock.of(world.at(15.5).replace(tzinfo=UTC))
    with Data(Cache(made.cache_path), clock) as data:
        one = counted(data)[0]
    assert (one.flow.n, sum(step.cost or 0 for step in one.steps.values())) == (3, pytest.approx(0.06))


def test_cells_written_by_hand_stay(made: Workspace) -> None:
    data, clock = everything(made)
    with data:
        one = counted(data)[0]
    document = new("VS-1", one, (), clock)
    hand = Cell(99.0, who="Dana")
    first = document.steps[0].model_copy(update={"touch_s": hand, "wait_s": Cell(5.0, who="traces")})
    again = refreshed(document.model_copy(update={"steps": [first, *document.steps[1:]]}), one)
    assert again.steps[0].touch_s == hand
    assert again.steps[0].wait_s == document.steps[0].wait_s


def test_writing_twice_keeps_one_document_that_the_diagnosis_reads(made: Workspace) -> None:
    assert aether("--as-of", "2026-11-21", "stream", "write", cwd=made.root).out.strip() == "VS-1"
    assert aether("--as-of", "2026-11-21", "stream", "write", cwd=made.root).out.strip() == "VS-1"
    assert aether("--as-of", "2026-11-21", "stream", "write", "c", cwd=made.root).out.strip() == "VS-2"
    assert aether("--as-of", "2026-11-21", "stream", "write", "--work", cwd=made.root).out.strip() == "VS-3"
    refused = aether("--as-of", "2026-11-21", "stream", "write", "nothing", cwd=made.root)
    assert refused.code == 3
    assert "categories are c" in refused.err
    assert maps(made)["requests"]["document"] == "VS-1"
    diagnosis = world.report("constraint", made).data
    assert isinstance(diagnosis, Constraint)
    assert diagnosis.solution is not None
    assert {one.id for one in diagnosis.streams} == {"VS-1", "VS-2", "VS-3"}
    most = max(diagnosis.streams, key=lambda one: one.delta_money_per_month or 0)
    assert (diagnosis.solution.id, most.chosen) == (most.id, True), "the one with the most to gain"


def test_a_document_groups_counted_steps_and_keeps_the_stated_apart(made: Workspace) -> None:
    world.document(
        made, "value-streams", "VS-1",
        "id: VS-1\ntitle: t\ndemand_per_month: 1\nvalue_per_success: 1\nsteps:\n- {name: work, seen_as: ['chat *', 'execute_tool *']}\n"
        "- {name: sign, touch_s: {value: 60, who: Dana}}\n",
    )  # fmt: skip
    one = maps(made)["requests"]
    assert [(step["name"], step["visits"]) for step in one["steps"]] == [("work", 5), ("sign", 0)]  # type: ignore[attr-defined]
    assert steps(one)["sign"]["stated"] == {"touch_s": {"value": 60.0, "rests_on": "stated by Dana", "measured": False}}
    assert [step["name"] for step in one["apart"]] == ["span handle #", "span db"]  # type: ignore[attr-defined]


def test_nothing_counted_is_said(empty: Workspace) -> None:
    report = world.report("value-stream", empty)
    assert report.headline.startswith("No step can be counted")
