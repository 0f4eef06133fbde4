"""Reports of what people said: maturity by quarter, stakeholders across people, stated values in the lenses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from aether_tui.config import Config
from aether_tui.diagnostics import maturity, stakeholders, voices
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.lens import build as build_lens
from aether_tui.diagnostics.run import run_report
from aether_tui.workspace.documents import Documents
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.assessment import Assessment, Done
from aether_tui.workspace.kinds.interview import Answer, Interview, Note, Person
from aether_tui.workspace.questions import ORDER, shipped
from aether_tui.workspace.store import Store

NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)
WHEN = datetime(2026, 11, 2, 9, tzinfo=UTC).replace(tzinfo=None)
CLOCK = Clock.of(NOW)
PEOPLE = [
    Person(name="Eva Stone", function="engineering"),
    Person(name="Ola", function="engineering"),
    Person(name="Kim", function="product", named=True),
]


def written(root: Path, *documents: Interview | Assessment) -> Documents:
    for document in documents:
        Store(Workspace(root)).save(document, None, NOW)
    return Documents(Workspace(root), Config())


def interview(number: int, questionnaire: str, answers: dict[str, dict[str, int]], **more: object) -> Interview:
    given = [
        Answer(question=question, who=who, value=value, when=WHEN)
        for who, values in answers.items()
        for question, value in values.items()
    ]
    return Interview.model_validate(
        {"id": f"INT-{number}", "questionnaire": questionnaire, "started": WHEN, "people": PEOPLE, "answers": given}
        | more
    )


def consistent(levels: dict[str, int]) -> dict[str, int]:
    """Every statement answered as a pillar of that level would."""
    return {one.id: 5 if one.level <= levels[one.id.split(".")[0]] else 1 for one in shipped().statements.values()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "engagement").mkdir()
    return tmp_path


def test_an_empty_engagement_says_what_to_do(root: Path):
    documents = written(root)
    with Data(None, CLOCK) as data:
        one = maturity.build(data, documents, CLOCK)
        two = stakeholders.build(data, documents, CLOCK)
    assert one.data.level is None and one.data.reason == "nobody was asked yet" and one.data.next_practice is None
    assert two.data.people == 0 and "↵" in two.headline


def test_voices_that_differ_are_shown_and_the_lowest_counts(root: Path):
    threes = dict.fromkeys(ORDER, 3)
    documents = written(
        root,
        interview(1, "maturity", {"Eva Stone": consistent(threes), "Kim": consistent({**threes, "flow": 1})}),
        Assessment(id="ASM-1", day=date(2026, 8, 1), answers=consistent(dict.fromkeys(ORDER, 2))),
    )
    found = maturity.build(Data(None, CLOCK), documents, CLOCK).data
    flow = next(one for one in found.pillars if one.pillar == "flow")
    assert (flow.level, flow.low, flow.high, flow.contested) == (1, 1, 3, True)
    assert {voice.who for voice in flow.voices} == {"engineering 1", "Kim"}
    assert found.level == 2  # five pillars at 3, flow at 1: none may be below L − 1
    assert [(one.quarter, one.level) for one in found.quarters] == [("2026-Q3", 2), ("2026-Q4", 2)]
    assert found.next_practice is not None and found.next_practice.pillar == "flow"
    assert "conversation" in maturity.AID


def test_a_practice_counts_from_the_day_of_the_answers_and_moves_its_pillar_only(root: Path):
    two = consistent(dict.fromkeys(ORDER, 2))
    before = maturity.measure(shipped(), [maturity.Heard("2026-Q4", "a", date(2026, 10, 10), two)], {})
    assert before.next_practice is not None
    name, pillar = before.next_practice.id, before.next_practice.pillar
    heard = [maturity.Heard("2026-Q4", "a", date(2026, 10, 10), two)]
    late = maturity.measure(shipped(), heard, {name: date(2026, 11, 1)})
    early = maturity.measure(shipped(), heard, {name: date(2026, 9, 1)})
    assert {one.pillar: one.level for one in late.pillars} == {one: 2 + (one == pillar) for one in ORDER}
    assert {one.level for one in early.pillars} == {2}
    documents = written(
        root,
        Assessment(id="ASM-1", day=date(2026, 11, 1), answers=two, done=[Done(practice=name, when=date(2027, 1, 1))]),
    )
    assert maturity.done(documents, NOW) == {}  # not yet


def test_answers_to_statements_that_are_gone_are_listed(root: Path):
    documents = written(
        root, interview(1, "maturity", {"Ola": {"flow.3.gone-since": 5, "flow.3.wip-limits-enforced": 5}})
    )
    report = maturity.build(Data(None, CLOCK), documents, CLOCK)
    assert report.data.unknown == ("flow.3.gone-since",)
    assert "flow.3.gone-since" in " ".join(one.text for one in report.findings)
    assert report.data.level is None and "Team" in (report.data.reason or "")


def test_who_has_not_agreed_to_be_asked_was_not_interviewed(root: Path):
    asked, agreed = Person(name="Ola"), Person(name="Kim", function="product", consent=WHEN.date())
    answers = {"Eva Stone": {"stakeholder.priority-cost": 1}}
    documents = written(
        root,
        interview(1, "stakeholder", answers, people=[PEOPLE[0], asked, agreed]),
        interview(2, "stakeholder", {}, people=[asked]),
    )
    found = stakeholders.build(Data(None, CLOCK), documents, CLOCK)
    assert found.data.people == 2 and found.headline.startswith("2 people in 1 interview.")
    assert [one.people for one in found.data.sittings] == [("engineering", "product"), ()]


def test_people_are_anonymous_unless_they_agreed(root: Path):
    answers = {
        "Eva Stone": {"stakeholder.priority-cost": 1, "stakeholder.priority-speed": 5},
        "Ola": {"stakeholder.priority-cost": 5, "stakeholder.priority-speed": 4},
        "Kim": {"stakeholder.priority-cost": 3},
    }
    quote = Note(kind="quote", text="Ask eva stone, not me. #people", who="Ola", when=WHEN)
    told = Answer(question="stakeholder.success", who="Kim", text="Ola answers the phone", when=WHEN)
    first = interview(1, "stakeholder", answers, notes=[quote])
    documents = written(root, first.model_copy(update={"answers": [*first.answers, told]}))
    report = stakeholders.build(Data(None, CLOCK), documents, CLOCK)
    said = msgspec.json.encode(report).decode()
    assert "Eva" not in said and "eva stone" not in said and "Ola" not in said and "Kim" in said
    cost = next(one for one in report.data.answers if one.question == "stakeholder.priority-cost")
    assert (cost.n, cost.low, cost.high, cost.median, cost.agree) == (3, 1, 5, 3, False)
    assert cost.by == {"engineering 1": 1, "engineering 2": 5, "Kim": 3}
    words = {one.kind: one for one in report.data.words}
    assert words["quote"].text == "Ask engineering 1, not me. #people" and words["quote"].tags == ("people",)
    assert words["answer"].text == "engineering 2 answers the phone"


def test_stated_values_fill_gaps_and_are_marked(root: Path):
    older = interview(1, "lens", {"Ola": {"lens.ci": 1, "lens.lead-time": 0}})
    newer = interview(2, "lens", {"Ola": {"lens.ci": 4}, "Kim": {"lens.ci": 2}, "Eva Stone": {"lens.ci": 2}})
    documents = written(root, older, newer)
    said = voices.stated(documents, NOW)
    assert {name: [(one.who, one.value) for one in found] for name, found in said.items()} == {
        "speed.ci": [("engineering 2", 600), ("Kim", 1800), ("engineering 1", 1800)]
    }
    assert voices.stated(documents, NOW - timedelta(days=60)) == {}
    with Data(None, CLOCK) as data:
        lenses = build_lens(data, documents, CLOCK).data.lenses
    ci = next(one for lens in lenses for one in lens.indicators if one.id == "speed.ci")
    assert ci.value.stated and (ci.value.value, ci.value.n, ci.value.low, ci.value.high) == (1800, 3, 600, 1800)
    assert ci.score == pytest.approx(100 * (1 - 0.6131471928))  # log(1800 / 600) ÷ log(3600 / 600) from good to poor
    assert ci.answers == (4, 2, 2)


def test_quarters_follow_the_fiscal_calendar_of_the_configuration(root: Path):
    from aether_tui.diagnostics.windows import parse, quarter_of

    levels = consistent(dict.fromkeys(ORDER, 3))
    documents = written(root, interview(1, "maturity", {"Ola": levels}))
    engagement = documents.config.engagement.model_copy(update={"fiscal_year_start_month": 4})
    fiscal = Documents(Workspace(root), documents.config.model_copy(update={"engagement": engagement}))
    build = lambda found: maturity.build(Data(None, CLOCK), found, CLOCK).data  # noqa: E731
    assert [one.quarter for one in build(documents).quarters] == ["2026-Q4"]
    assert [one.quarter for one in build(fiscal).quarters] == ["2027-Q3"]  # November is the third of a year from April
    for first in range(1, 13):
        for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 4, 1), date(2026, 9, 30)):
            window = parse(quarter_of(day, first), NOW + timedelta(days=400), first)
            assert window.start.date() <= day < window.end.date(), (first, day)


def test_a_clock_set_back_across_a_quarter_says_what_it_leaves_out(root: Path):
    levels = consistent(dict.fromkeys(ORDER, 3))
    early = interview(1, "maturity", {"Ola": levels}, started=WHEN - timedelta(days=90))
    documents = written(root, early, interview(2, "maturity", {"Kim": levels}))
    back = Clock.of(NOW - timedelta(days=60))
    for name in ("maturity", "stakeholders"):
        told = run_report(name, Workspace(root), Config(), back).findings
        assert told[0].text.startswith("INT-2 is dated after 2026-09-22; it is not counted.")
        assert not any(
            "not counted." in one.text for one in run_report(name, Workspace(root), Config(), CLOCK).findings
        )
    assert [one.quarter for one in maturity.build(Data(None, back), documents, back).data.quarters] == ["2026-Q3"]
