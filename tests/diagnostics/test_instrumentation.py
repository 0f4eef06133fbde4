"""Coverage against the small world's own counts; the privacy sample on a cache that holds what it should not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from aether_tui.config import Config, Privacy
from aether_tui.diagnostics.frame import Filters
from aether_tui.diagnostics.instrumentation import Instrumentation
from aether_tui.ingest.recall import examples, recall
from aether_tui.ingest.redact import Redactor
from aether_tui.records.model import Row
from aether_tui.report_model import Facts, Gap
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world


def found(made: Workspace, config: Config | None = None) -> Instrumentation:
    data = world.report("instrumentation", made, config).data
    assert isinstance(data, Instrumentation)
    return data


@pytest.mark.parametrize(
    ("field", "share", "worst"),
    [
        ("model", 8 / 8, None),
        ("output_tokens", 7 / 8, ("production / triage", 1 / 2)),  # missing on one of two triage calls
        ("team", 6 / 8, ("production / triage", 0.0)),
        ("feature_named", 8 / 8, None),
        ("task_cluster", 7 / 8, ("production / search", 5 / 6)),
        ("outcome", 6 / 8, ("production / triage", 0.0)),
        ("first_token", 0.0, ("production / triage", 0.0)),
    ],
)
def test_coverage_of_a_field(filled: Workspace, field: str, share: float, worst: tuple[str, float] | None) -> None:
    one = next(item for item in found(filled).fields if item.id == f"instrumentation.{field}")
    assert one.coverage.value == pytest.approx(share)
    assert one.coverage.n == 8
    if worst is None:
        assert one.worst == ()
    elif field == "first_token":
        assert {item.name for item in one.worst} == {"production / search", "production / triage"}
    else:
        assert (one.worst[0].name, one.worst[0].value.value) == (worst[0], pytest.approx(worst[1]))


def test_what_cannot_be_narrowed_to_a_team_is_said(filled: Workspace) -> None:
    said = [
        block.reason
        for block in world.report("instrumentation", filled, filters=Filters(team="search")).blocks
        if isinstance(block, Gap)
    ]
    assert said == ["What is instrumented cannot be narrowed to a team: it counts all."]


def test_findings_name_the_worst_path_and_the_attribute(filled: Workspace) -> None:
    report = world.report("instrumentation", filled)
    finding = next(item for item in report.findings if item.id == "instrumentation.output_tokens")
    assert "production / triage 50 %" in finding.text
    assert finding.action == "add gen_ai.usage.output_tokens"
    assert not any(item.id == "instrumentation.outcome" for item in report.findings)  # wanted, not required


def test_paths_come_least_instrumented_first(filled: Workspace) -> None:
    paths = found(filled).paths
    assert [item.name for item in paths] == ["production / triage", "production / search"]
    assert (paths[0].calls, paths[0].requests, paths[0].fields["team"]) == (2, 2, 0.0)


def test_the_bill_stands_beside_what_traces_tell(filled: Workspace) -> None:
    report = world.report("instrumentation", filled)
    traced, unpriced = next(block for block in report.blocks if isinstance(block, Facts)).facts
    assert (traced.value.value, traced.value.reason) == (None, "no bill of a model provider in this window")
    assert (unpriced.value.value, unpriced.value.n) == (0.0, 8)


def test_nothing_loaded_is_said_and_not_counted(tmp_path: Path) -> None:
    report = world.report("instrumentation", world.workspace(tmp_path / "empty"))
    assert isinstance(report.data, Instrumentation)
    assert all(item.coverage.value is None and item.coverage.reason for item in report.data.fields)
    assert report.data.privacy.upper_bound is None
    assert "no field can be looked for" in report.headline


def test_a_clean_sample_is_bounded_by_the_rule_of_three(filled: Workspace) -> None:
    privacy = found(filled).privacy
    assert (privacy.hits, privacy.texts > 0) == (0, True)
    assert privacy.upper_bound == pytest.approx(min(1.0, 3 / privacy.texts))


def test_texts_that_should_have_been_clean_are_found(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "dirty")
    row = world.full("work_items", id="1", key="A-1", title="call maria@example.org", state="Done", created=world.at(1))
    world.store(made, "old", "issues", "work_items", [row])  # merged without ingest, as an old program might have
    report = world.report("instrumentation", made)
    assert isinstance(report.data, Instrumentation)
    assert report.data.privacy.hit_places == {"work_items.title": 1}
    assert any(item.id == "instrumentation.privacy" for item in report.findings)
    assert "maria" not in repr(report)


def test_rows_past_the_policy_are_overdue(filled: Workspace) -> None:
    oldest = next(item for item in found(filled).privacy.retention if item.table == "spans").oldest
    assert oldest is not None
    age = (world.NOW - oldest) // timedelta(days=1)
    for keep, overdue in ((age - 2, True), (age + 1, False)):
        kept = found(filled, Config(privacy=Privacy(retention_days={"spans": keep}))).privacy.retention
        assert next(item for item in kept if item.table == "spans").overdue is overdue


def test_recall_is_counted_on_the_texts_made() -> None:
    texts = list(examples(3, 25))
    assert all(value in text for _, text, value in texts)
    redactor = Redactor(b"key")
    counted = {kind: (0, 0) for kind, _, _ in texts}
    for kind, text, value in texts:
        seen, made = counted[kind]
        counted[kind] = seen + (value not in redactor.text(text)), made + 1
    assert recall(redactor, 3, 25) == counted
    assert list(examples(3, 25)) == texts  # the same seed, the same texts


@pytest.mark.parametrize("number", ["030 / 7167562", "phone: 030 / 123 45 67", "0221 - 998877 55"])
def test_national_numbers_with_spaced_separators_are_replaced(number: str) -> None:
    assert "[phone:" in Redactor(b"key").text(f"Please call {number}, thanks")


def said(span: int, prompt: str | None) -> Row:
    return world.full(
        "span_payloads",
        trace_id=f"{span:032x}",
        span_id=f"{span:016x}",
        start=world.at(10 + span),
        prompt=prompt,
        completion="x",
    )


def test_inputs_kept_whole_are_counted_with_the_reasons(tmp_path: Path) -> None:
    made = world.workspace(tmp_path / "w")
    world.store(made, "traces", "files", "spans", world.spans())
    before = found(made).replayable
    assert (before.share.value, before.calls, before.not_kept, before.setting) == (
        0.0,
        8,
        8,
        "[privacy] keep_payloads = true",
    )
    # Two whole, one with an address taken out, one cut, one without its image, one kept as one text: 2 of 8, and two not kept.
    rows = [
        said(1, "hello"), said(2, "[1:2] is fine"), said(6, "user: hello"), said(3, "[email:0a1b2c3d]"), said(4, "long…[cut:0a1b2c3d]"),
        said(5, '{"messages":[{"role":"user","content":"what is this"}],"omitted":["image_url"]}'),
    ]  # fmt: skip
    world.store(made, "traces", "files", "span_payloads", rows)
    after = found(made, Config(privacy=Privacy(keep_payloads=True))).replayable
    assert (after.share.value, after.share.n) == (0.25, 8)
    assert (after.not_kept, after.redacted, after.cut, after.flat, after.setting) == (2, 1, 2, 1, None)


def test_the_criterion_is_a_row_with_the_setting_to_change(filled: Workspace) -> None:
    table = next(
        block for block in world.report("instrumentation", filled).blocks if block.id == "instrumentation.fields"
    )
    row = next(item for item in table.rows if item.id == "instrumentation.replayable")  # type: ignore[union-attr]
    assert row.cells[-1] == "[privacy] keep_payloads = true"
    assert row.cells[-2] == "8 not kept"


def test_without_calls_nothing_is_said_about_inputs(empty: Workspace) -> None:
    assert found(empty).replayable.share.reason == "no calls yet"
