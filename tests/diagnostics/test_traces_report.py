"""The report of traces: what stands out, groups and retries, counted by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

from aether_tui.diagnostics.traces import Traces
from aether_tui.records import Row, Value
from aether_tui.reports import markdown
from tests.diagnostics import world

AT = world.at(9.5)


def span(trace: str, number: int, *, parent: int | None = None, begin: float = 0, **more: Value) -> Row:
    row: dict[str, Value] = {
        "trace_id": f"{trace:0>32}", "span_id": f"{number:016x}", "start": AT + timedelta(seconds=begin), "duration_s": 1.0,
        "parent_id": None if parent is None else f"{parent:016x}", "name": "step", "operation": "chat", "model": "m",
        "environment": "production",
    }  # fmt: skip
    return world.full("spans", **(row | more))


def test_top_lists_groups_and_retries_by_hand(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    rows = [
        span("a", 1, duration_s=9.0, feature="x", outcome="failure"),
        *(span("a", n, parent=1, begin=n, status="error" if n < 4 else "ok") for n in range(2, 6)),
        span("b", 1, cost_usd=Decimal("2"), feature="x", outcome="success", begin=60),
        span("c", 1, status="error", begin=120, feature="[red]\x1b[31mx"),
    ]
    world.store(made, "otlp", "spans", "spans", rows)
    found = cast(Traces, world.report("traces", made).data)
    top = {kind: [task.trace[-1] for task in tasks] for kind, tasks in found.top.items()}
    assert top["slowest"][0] == "a"
    assert top["dearest"] == ["b"]
    assert top["most turns"][0] == "a"
    assert top["most retries"] == ["a"]
    assert found.retries == {f"{'a':0>32}": 2}, "spans 3 and 4 follow failed ones; 5 follows one that went well"
    assert top["failed"] == ["c", "a"]
    assert next((one.shared, one.n, one.failed) for one in found.groups["feature"]) == ("x", 2, 1)
    assert [(one.shared, one.n, one.failed) for one in found.groups["model"]] == [("m", 3, 2)]
    assert found.all is not None and (found.all.n, found.all.failed, found.all.cost_usd) == (3, 2, 2.0)
    assert {one.id.partition(".")[0] for one in found.loops} == {"context", "loop", "latency"}
    assert "\x1b" not in markdown.render(world.report("traces", made))


def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    report = world.report("traces", made)
    assert report.headline == "No trace is in view."
    assert [type(block).__name__ for block in report.blocks] == ["Gap"]
