"""The constraint report and the failure review, from documents and traces, through the commands a person types."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from aether_tui.diagnostics.constraint_failures import measure
from aether_tui.diagnostics.constraint_measure import Constraint
from aether_tui.diagnostics.frame import Filters
from aether_tui.errors import ConfigurationError
from aether_tui.human import number
from aether_tui.records.model import Row, Value
from aether_tui.reports import markdown
from aether_tui.stats.agreement import cohen_kappa
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.failure_review import FailureReview, Reviewed
from aether_tui.workspace.kinds.value_stream import ValueStream
from aether_tui.workspace.store import Store
from tests.command import aether
from tests.diagnostics import world

STREAM = {
    "title": "Refunds", "demand_per_month": 12000, "value_per_success": 4.2,
    "steps": [
        {"name": "retrieve", "touch_s": 2, "wait_s": 1, "cost": 0.004, "error_rate": {"value": 0.08, "n": 400},
         "rework_to": "retrieve", "abandon_rate": 0.02, "volume_per_month": 30000},
        {"name": "draft", "touch_s": 4.1, "cost": {"value": 0.021, "n": 900, "who": "billing"}, "error_rate": 0.03},
        {"name": "check", "wait_s": {"value": 1200, "who": "Dana"}, "cost": 0.3, "abandon_rate": [0.05, 0.15, 0.3]},
    ],
}  # fmt: skip


def write(made: Workspace, **changes: object) -> ValueStream:
    fields = {**STREAM, **changes}
    return (
        Store(made).add(ValueStream, lambda identity: ValueStream.model_validate({"id": identity, **fields})).document
    )


def constraint(made: Workspace) -> Constraint:
    data = world.report("constraint", made).data
    assert isinstance(data, Constraint)
    return data


def test_without_a_stream_it_says_what_to_write(empty: Workspace) -> None:
    report = world.report("constraint", empty)
    assert "nobody has written a value stream down" in report.headline
    text = markdown.render(report)
    assert "aether-tui doc new value-stream" in text
    assert "aether-tui failures sample" in text
    assert constraint(empty).solution is None


def test_the_one_pager_carries_objective_ceiling_and_evidence(empty: Workspace) -> None:
    write(empty)
    report = world.report("constraint", empty)
    found = report.data
    assert isinstance(found, Constraint) and found.solution is not None
    lead = found.solution.leads["money"]
    assert lead is not None and (lead.step, lead.sure) == ("check", True)
    assert found.solution.leads["throughput"] is None
    assert report.headline.startswith("check is the constraint")
    best = next(one for one in found.solution.levers["money"] if (one.step, one.lever) == (lead.step, lead.lever))
    assert f"[{number(best.low['money'])}–{number(best.high['money'])}]" in report.headline  # as its row has them
    text = markdown.render(report)
    for words in (
        "ceiling",
        "stated by Dana",
        "measured n 400",
        "measured n 900 by billing",
        "no lever moves it",
        "of ceiling",
    ):
        assert words in text, words
    assert "retrieve is visited 30,000 times a month" in text
    assert len(text.splitlines()) < 120, "one page"


def test_a_doubtful_constraint_says_what_to_measure_first(empty: Workspace) -> None:
    twins = [{"name": "a", "cost": 1.0}, {"name": "b", "cost": {"value": 1.0, "n": 5000}}]
    write(empty, steps=twins)
    report = world.report("constraint", empty)
    assert report.headline.startswith("Measure first")
    measured = next(finding for finding in report.findings if finding.id == "constraint.measure")
    assert "cost of a" in measured.text, "b is measured well: what is not known is a"


def test_of_several_streams_the_one_asked_for_or_with_most_to_gain(empty: Workspace) -> None:
    """By hand: 1,000 items at 10 a success; 30 % fewer of 20 % errors is 60 more successes, of 10 % it is 30."""
    small, large = ([{"name": "a", "error_rate": rate}] for rate in (0.1, 0.2))
    body = {"demand_per_month": 1000, "value_per_success": 10}
    write(empty, title="Large", steps=large, **body)
    write(empty, title="Small", steps=small, cluster="refund", **body)
    write(
        empty,
        title="Never",
        steps=[{"name": "a", "error_rate": 0.5, "rework_to": "a"}],
        **body | {"value_per_success": 0},
    )
    found = constraint(empty)
    assert found.solution is not None
    assert (found.solution.title, found.solution.others) == ("Large", ("VS-2", "VS-3"))
    listed = {one.id: (one.delta_money_per_month, one.chosen) for one in found.streams}
    assert listed["VS-1"] == (pytest.approx(600), True)
    assert listed["VS-2"] == (pytest.approx(300), False)
    asked = world.report("constraint", empty, filters=Filters(feature="Refund")).data
    assert asked.solution is not None
    assert asked.solution.title == "Small"
    said = [one.text for one in world.report("constraint", empty, filters=Filters(team="T", feature="Refund")).findings]
    assert "VS-2 stands as it is written: no figure of it can be narrowed to team T." in said
    write(empty, title="Newer", steps=large, **body)
    newest = constraint(empty).solution
    assert newest is not None
    assert newest.title == "Newer", "of equals the newest"


def test_titles_of_strangers_are_harmless(empty: Workspace) -> None:
    write(empty, title="\x1b]52;c;aGk=\x07[b]x", steps=[{"name": "\x1b[2J<script>", "cost": 1}])
    text = markdown.render(world.report("constraint", empty))
    assert "\x1b" not in text and "<script>" not in text


# --- Indicators ---------------------------------------------------------------------------------------------------

AT = world.at(10.5)


def span(
    trace: str, number: int, *, parent: int | None = None, begin: float = 0, lasts: float = 1, **more: Value
) -> Row:
    row: dict[str, Value] = {
        "trace_id": f"{trace:0>32}", "span_id": f"{number:016x}", "start": AT + timedelta(seconds=begin), "duration_s": lasts,
        "parent_id": None if parent is None else f"{parent:016x}", "name": "step", "operation": "chat",
        "environment": "production",
    }  # fmt: skip
    return world.full("spans", **(row | more))


def test_indicators_by_hand(tmp_path: Path) -> None:
    """Two tasks: one serial that succeeds for 2 USD, one parallel that fails for 1 USD, and one that nobody judged."""
    made = world.workspace(tmp_path)
    root: dict[str, Any] = {"operation": "invoke_agent", "lasts": 4.0}
    rows = [
        span("a", 1, outcome="success", **root),
        span("a", 2, parent=1, begin=0, lasts=2, input_tokens=100, model="m", cost_usd=Decimal("1")),
        span("a", 3, parent=1, begin=2, lasts=2, input_tokens=300, model="m", cost_usd=Decimal("1")),
        span("b", 1, outcome="failure", **root),
        span("b", 2, parent=1, begin=0, lasts=2, input_tokens=100, model="m", cost_usd=Decimal("0.5")),
        span("b", 3, parent=1, begin=1, lasts=2, input_tokens=100, model="m", cost_usd=Decimal("0.5")),
        span("c", 1, begin=0, lasts=1, input_tokens=10, model="m", cost_usd=Decimal("9")),
    ]
    world.store(made, "otlp", "spans", "spans", rows)
    found = {one.id: one.value for one in constraint(made).indicators}
    assert found["loop.steps-in-a-task"].value == 2
    assert found["loop.serial-share"].value == pytest.approx(3 / 4), "1 and 3 s busy of 4: the lower median"
    assert found["context.context-growth-in-a-task"].value == pytest.approx(1.0), "growth 3 and 1: the lower median"
    assert found["evaluation.tasks-without-an-outcome"].value == pytest.approx(1 / 3)
    assert found["economics.cost-per-success"].value == pytest.approx(3.0), (
        "both outcomes are paid for, one is a success"
    )
    assert found["context.context-growth-a-turn"].value == pytest.approx(0.0), "200 and 0 tokens: the lower median"
    for missing in (
        "loop.tool-error-rate",
        "loop.repeated-identical-calls",
        "latency.p99-over-p50",
        "retrieval.relevant-passages-found",
        "ceiling.success-of-the-hardest-category",
    ):
        assert found[missing].value is None and found[missing].reason


def test_a_task_with_a_call_of_unknown_price_makes_no_success_cheaper(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    known: dict[str, Any] = {"input_tokens": 100, "model": "m", "outcome": "success"}
    rows = [
        span("a", 1, cost_usd=Decimal("2"), **known),
        span("b", 1, cost_usd=Decimal("0.5"), **known),
        span("b", 2, parent=1, input_tokens=100, model="new"),  # nobody knows its price
    ]
    world.store(made, "otlp", "spans", "spans", rows)
    (cost,) = (one.value for one in constraint(made).indicators if one.id == "economics.cost-per-success")
    assert (cost.value, cost.n) == (pytest.approx(2.0), 1)
    world.store(made, "otlp", "spans", "spans", [span("a", 2, parent=1, input_tokens=100, model="new")])
    (cost,) = (one.value for one in constraint(made).indicators if one.id == "economics.cost-per-success")
    assert (cost.value, cost.reason) == (None, "no task that ended has a price for all of its calls")


def test_loop_indicators_by_hand(tmp_path: Path) -> None:
    """Five tool calls of which two fail; six calls with a known input of which three repeat one of their own task."""
    made = world.workspace(tmp_path)
    tool: dict[str, Any] = {"operation": "execute_tool"}
    rows = [
        *(span("a", n, request_hash="x", begin=n, model="m", input_tokens=1) for n in range(1, 5)),
        *(span("a", n, begin=n, status="error" if n < 12 else "ok", **tool) for n in range(10, 14)),
        *(span("b", n, request_hash=f"y{n}", begin=n, model="m", input_tokens=1) for n in range(1, 3)),
        span("b", 9, begin=9, **tool),
    ]
    world.store(made, "otlp", "spans", "spans", rows)
    found = {one.id: one for one in constraint(made).indicators}
    tools, repeats = found["loop.tool-error-rate"], found["loop.repeated-identical-calls"]
    assert (tools.value.value, tools.value.n) == (2 / 5, 5)
    assert (repeats.value.value, repeats.value.n) == (3 / 6, 6)
    low_high = stats.binomtest(3, 6).proportion_ci(method="wilson")
    assert (repeats.value.low, repeats.value.high) == pytest.approx(tuple(low_high))
    assert repeats.traces == tools.traces == (f"{'a':0>32}",)
    assert found["loop.steps-in-a-task"].traces == (f"{'a':0>32}", f"{'b':0>32}")


# --- Failure review -----------------------------------------------------------------------------------------------


def review(causes: list[str], second: list[str] | None = None, **more: object) -> FailureReview:
    traces = [
        Reviewed(trace=f"t{i}", source="s", cause=cause, who="Ana" if cause else "",
                 second=(second or [""] * len(causes))[i], second_who="Bo" if second and second[i] else "")
        for i, cause in enumerate(causes)
    ]  # fmt: skip
    fields = {"failed": 304, "cost_per_failure": 5.0} | more
    return FailureReview(id="FR-1", title="x", start=date(2026, 10, 1), end=date(2026, 10, 31), traces=traces, **fields)  # type: ignore[arg-type]


def test_the_sentence_by_hand() -> None:
    # 304 failures in 30 days are 308.4 a month of 30.44 days, 1,542 USD at 5 each: 62 % is 956, [48.15–74.14] 743–1,143.
    found = measure(review(["retrieval"] * 19 + ["loop"] * 31))
    assert [(one.key, one.share.value) for one in found.causes] == [("loop", 0.62), ("retrieval", 0.38)]
    retrieval = found.causes[1]
    assert (retrieval.share.low, retrieval.share.high) == pytest.approx(
        tuple(stats.binomtest(19, 50).proportion_ci(method="wilson"))
    )
    assert retrieval.per_month.value == pytest.approx(0.38 * 304 / 30 * 30.4375 * 5)
    assert found.sentence == (
        "Agent loop inefficiency is responsible for an estimated 62 % [48–74] of failed resolutions, "
        "956 USD/month [743–1,143] (n 50)."
    )


def test_without_a_price_there_is_a_share_and_no_money() -> None:
    found = measure(review(["loop"] * 3, cost_per_failure=None))
    assert found.causes[0].per_month.value is None
    assert found.sentence is not None and "USD" not in found.sentence


def test_nothing_reviewed_says_nothing() -> None:
    found = measure(review(["", ""]))
    assert (found.causes, found.sentence, found.reviewed) == ((), None, 0)


def test_kappa_of_the_textbook() -> None:
    # The usual example of two readers of 50 proposals: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: kappa 0.4.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert cohen_kappa([("y", "y"), ("n", "n")]) == 1
    assert cohen_kappa([]) is None
    assert cohen_kappa([("y", "y")] * 5) is None, "with one label there is nothing to agree on"


def test_two_raters_stand_beside_each_other_and_a_third_is_refused() -> None:
    first = (
        review(["", ""])
        .rated("s", "t0", "loop", "Ana")
        .rated("s", "t0", "retrieval", "Bo")
        .rated("s", "t0", "tool", "Ana")
    )
    item = first.traces[0]
    assert (item.cause, item.who, item.second, item.second_who) == ("tool", "Ana", "retrieval", "Bo")
    for call, words in (
        (("s", "t0", "loop", "Cy"), "two raters"),
        (("s", "t9", "loop", "Ana"), "sample"),
        (("s", "t1", "nonsense", "Ana"), "no cause"),
    ):
        with pytest.raises(ConfigurationError) as told:
            first.rated(*call)
        assert words in told.value.sentence()


def failed_traces(made: Workspace, n: int) -> None:
    world.store(
        made,
        "otlp",
        "spans",
        "spans",
        [
            span(f"{i:x}", 1, model="m", input_tokens=1, outcome="failure" if i % 2 else "success")
            for i in range(1, n + 1)
        ],
    )


def test_a_review_from_sample_to_sentence(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    failed_traces(made, 40)
    now = ["--as-of", "2026-11-15", "-w", str(made.root)]
    assert aether(*now, "failures", "sample", "-n", "5", "--cost-per-failure", "10", cwd=tmp_path).out.strip() == "FR-1"
    assert aether(*now, "failures", "sample", "-n", "5", cwd=tmp_path).out.strip() == "FR-2"
    one, again = (Store(made).get(FailureReview, name).document for name in ("FR-1", "FR-2"))
    assert [item.trace for item in one.traces] == [item.trace for item in again.traces], (
        "the same seed, the same sample"
    )
    other = aether("--seed", "7", *now, "failures", "sample", "-n", "5", cwd=tmp_path).out.strip()
    assert [item.trace for item in Store(made).get(FailureReview, other).document.traces] != [
        i.trace for i in one.traces
    ]
    assert one.failed == 20
    for item in one.traces:
        aether(*now, "failures", "rate", "FR-1", item.trace, "retrieval", "--by", "Ana", cwd=tmp_path)
    shown = aether(*now, "failures", "show", "FR-1", "--format", "json", cwd=tmp_path).json
    assert shown["sentence"].startswith("Retrieval recall or precision is responsible for an estimated 100 % [57–100]")
    aether(*now, "failures", "rate", "FR-1", "nope", "retrieval", "--by", "Ana", cwd=tmp_path).refuses(2, "nope")
    aether(*now, "failures", "show", "FR-9", cwd=tmp_path).refuses(3, "FR-9")
    text = (made.engagement / "failure-reviews" / "FR-1.yaml").read_text()
    assert "content" not in text and json.dumps(shown)


def test_no_failures_is_said(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    failed_traces(made, 1)
    args = ["--as-of", "2026-12-25", "-w", str(made.root), "failures", "sample"]
    aether(*args, cwd=tmp_path).refuses(3, "no trace says how it ended")
