"""The way of an experiment: nobody starts an incomplete one, and nothing is ever lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aether_tui.errors import AetherError, CheckFailed, ConfigurationError
from aether_tui.workspace import trials
from aether_tui.workspace.edits import change, checked, take_back
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.experiment import Arm, Experiment, Guardrail, Measured, Primary, missing
from aether_tui.workspace.store import Store

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, tzinfo=UTC)
WHOLE: dict[str, object] = {
    "id": "EXP-1", "title": "Rerank", "level": 3, "if_we": "rerank", "then_we_expect": "better answers", "because": "recall",
    "primary": [{"name": "resolved"}], "guardrails": [{"name": "cost", "measure": "cost", "margin": 0.01}], "baseline": 0.7,
    "mde": 0.05, "duration_weeks": 4, "allocation": 0.5, "stop_criteria": "four weeks", "rollback_triggers": ["cost"],
    "rollback_owner": "ann", "instrumentation": "nothing", "why_no_shadow": "it needs users",
}  # fmt: skip
REQUIRED = sorted(set(WHOLE) - {"id", "title", "level"})


def whole(**other: object) -> Experiment:
    return Experiment.model_validate(WHOLE | other)


def running(**other: object) -> Experiment:
    return trials.start(trials.review(whole(**other), "ann", DAY), "bob", DAY)


@pytest.mark.parametrize("field", REQUIRED)
def test_each_missing_field_is_named_and_refuses_the_start(field: str) -> None:
    lacking = Experiment.model_validate({key: value for key, value in WHOLE.items() if key != field})
    assert [gap.field for gap in missing(lacking)] == [field]
    with pytest.raises(CheckFailed, match=field):
        trials.start(trials.review(lacking, "ann", DAY), "bob", DAY)


def test_a_mean_needs_its_standard_deviation_and_level_1_nothing() -> None:
    slow = whole(primary=[{"name": "latency", "measure": "latency", "better": "lower"}], baseline=6.0)
    assert [gap.field for gap in missing(slow)] == ["sd"]
    prompt = Experiment(id="EXP-1", title="Shorter greeting", level=1)
    assert missing(prompt) == ()
    assert trials.start(trials.review(prompt, "ann", DAY), "bob", DAY).state == "running"


def test_a_running_file_that_is_incomplete_is_a_problem_naming_the_field(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)
    store = Store(workspace)
    store.save(running(), None, NOW)
    path = store.path(Experiment, "EXP-1")
    path.write_text(path.read_text().replace("rollback_owner: ann\n", ""))
    documents, problems = store.all(Experiment)
    assert documents == []
    assert "rollback_owner" in problems[0].sentence()
    assert "EXP-1.yaml" in problems[0].sentence()


def test_illegal_steps_are_refused_with_the_reason() -> None:
    with pytest.raises(CheckFailed, match="draft cannot become running"):
        trials.start(whole(), "bob", DAY)
    with pytest.raises(CheckFailed, match="without a note"):
        trials.back(running(), "bob", DAY, " ")
    with pytest.raises(CheckFailed, match="running already, and a review comes before the start"):
        trials.review(running(), "bob", DAY)
    with pytest.raises(CheckFailed, match="a draft has no step before it"):
        trials.back(whole(), "bob", DAY, "why")
    with pytest.raises(CheckFailed, match="running cannot become codified") as refused:
        trials.codify(running(), "bob", DAY, link="PLAY-1")
    assert "the next step is decided" in refused.value.sentence()
    with pytest.raises(CheckFailed, match="before the step it follows"):
        trials.back(running(), "bob", DAY - timedelta(days=1), "too early")
    with pytest.raises(CheckFailed, match="running already"):
        trials.start(running(), "bob", DAY)
    with pytest.raises(CheckFailed, match="observation"):
        trials.decide(running(), "kill", "kill", "cy", DAY)
    seen = trials.observe(running(), "two customers smiled", "ann", DAY)
    with pytest.raises(CheckFailed, match="scaling adds a guardrail"):
        trials.decide(seen, "scale", "scale", "cy", DAY)
    with pytest.raises(CheckFailed, match="not decided"):
        trials.playbook_entry("PLAY-1", seen, "prompt", "ann", DAY)
    with pytest.raises(CheckFailed, match="not started"):
        trials.record(whole(), [])


def test_shadow_comes_first_when_the_one_pager_says_so_and_cannot_be_scaled_alone() -> None:
    one = trials.review(whole(shadow_first=True, why_no_shadow=""), "ann", DAY)
    with pytest.raises(CheckFailed, match="shadow first"):
        trials.start(one, "bob", DAY)
    shadow = trials.observe(trials.start(one, "bob", DAY, shadow=True), "answers look alike", "ann", DAY)
    assert (shadow.started, shadow.exposed) == (DAY, None)
    with pytest.raises(CheckFailed, match="shadow mode alone"):
        trials.decide(shadow, "scale", "scale", "cy", DAY, guardrail="cost")
    real = trials.start(shadow, "bob", DAY + timedelta(days=3))
    assert (real.started, real.exposed) == (DAY, DAY + timedelta(days=3))


def test_a_decision_keeps_both_verdicts_and_becomes_a_playbook_entry() -> None:
    seen = trials.observe(running(), "two customers smiled", "ann", DAY)
    decided = checked(trials.decide(seen, "scale", "iterate", "cy", DAY, guardrail="cost budget"))
    record = trials.decision_record("DEC-1", seen, "scale", "iterate", "wide interval", "cy", DAY, "we believe it")
    assert (record.chosen, record.owner, record.decided) == ("scale", "cy", DAY)
    assert "Computed verdict: iterate (wide interval). Human verdict: scale, by cy, against" in record.reason
    entry = trials.playbook_entry("PLAY-1", decided, "prompt", "ann", DAY, budget="llm.task.cost")
    assert (entry.experiment, entry.review_by, entry.budget) == ("EXP-1", DAY + timedelta(days=90), "llm.task.cost")
    assert "cost budget" in entry.evidence
    assert trials.codify(decided, "ann", DAY, "PLAY-1").state == "codified"


def test_typed_arms() -> None:
    found = trials.measured(running(), "resolved", trials.Typed("120/1000", "140 / 1010"), "ann", DAY)
    assert (found.control, found.treatment) == (Arm(n=1000, successes=120), Arm(n=1010, successes=140))
    found = trials.measured(running(), "cost", trials.Typed("4.2±1.1/300", "4+-1/290"), "ann", DAY)
    assert found.treatment == Arm(n=290, mean=4, sd=1)
    for wrong in ("12", "5/x", "nan±1/4", "1.5/3", "9/4", "1±-2/9", "inf±1/4"):
        with pytest.raises((ConfigurationError, ValidationError)):
            trials.measured(running(), "resolved", trials.Typed(wrong, "1/2"), "ann", DAY)


def test_documents_that_contradict_themselves_are_refused() -> None:
    for wrong, words in (
        ({"results": [{"metric": "x", "when": DAY, "difference": {"n": 2, "mean": 1, "sd": 1}}]}, "no metric"),
        ({"guardrails": [{"name": "resolved", "margin": 1}]}, "same name"),
        ({"control_value": "a", "treatment_value": "a"}, "the same"),
        ({"history": [{"to": "running", "when": DAY, "who": "x"}]}, "draft cannot become running"),
        ({"history": [{"to": "reviewed", "when": DAY, "who": "x", "choice": "kill"}]}, "only the step to decided"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=words):
            whole(**wrong)
    with pytest.raises(ValidationError, match="both arms"):
        Measured(metric="m", when=DAY, control=Arm(n=2, successes=1), treatment=Arm(n=2, mean=1, sd=1))


def test_every_step_can_be_taken_back(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)
    Store(workspace).save(whole(), None, NOW)
    before = Store(workspace).path(Experiment, "EXP-1").read_bytes()
    edit = change(workspace, Experiment, "EXP-1", lambda one: trials.review(one, "ann", DAY), NOW)
    assert Store(workspace).get(Experiment, "EXP-1").document.state == "reviewed"
    take_back(workspace, edit, NOW)
    assert Store(workspace).path(Experiment, "EXP-1").read_bytes() == before


RESULT = Measured(metric="resolved", when=DAY, control=Arm(n=9, successes=3), treatment=Arm(n=9, successes=4))
Step = Callable[[Experiment, date], Experiment]
STEPS: dict[str, Step] = {
    "review": lambda one, day: trials.review(one, "a", day),
    "start": lambda one, day: trials.start(one, "a", day),
    "shadow": lambda one, day: trials.start(one, "a", day, shadow=True),
    "back": lambda one, day: trials.back(one, "a", day, "because"),
    "observe": lambda one, day: trials.observe(one, "somebody smiled", "a", day),
    "record": lambda one, _day: trials.record(one, [RESULT]),
    "decide": lambda one, day: trials.decide(one, "scale", "scale", "a", day, guardrail="cost"),
    "kill": lambda one, day: trials.decide(one, "kill", "kill", "a", day),
    "codify": lambda one, day: trials.codify(one, "a", day, "PLAY-1"),
    "forget": lambda one, _day: one.model_copy(update={"rollback_owner": ""}),
    "fill": lambda one, _day: one.model_copy(update={"rollback_owner": "ann"}),
}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(-2, 5)), max_size=25),
    st.integers(1, 5),
    st.booleans(),
)
def test_no_way_leads_to_an_incomplete_start_or_loses_history(
    ways: list[tuple[str, int]], level: int, complete: bool
) -> None:
    one = whole(level=level, **({} if complete else {"rollback_owner": ""}))
    day = DAY
    for name, later in ways:
        day += timedelta(days=later)
        before = one
        try:
            one = checked(STEPS[name](one, day))
        except AetherError:
            assert one == before
            continue
        assert one.history[: len(before.history)] == before.history
        assert one.results[: len(before.results)] == before.results
        assert one.observations[: len(before.observations)] == before.observations
        if one.state == "running":
            assert level == 1 or not missing(one)
        days = [entry.when for entry in one.history]
        assert days == sorted(days)


def test_models_read_what_they_write() -> None:
    one = running(guardrails=[Guardrail(name="cost", margin=1)], primary=[Primary(name="resolved", min_effect=0.02)])
    assert Experiment.model_validate(one.model_dump(mode="json", exclude_defaults=True)) == one
