"""Interviews and assessments of the demonstration: three people asked, the maturity of two quarters."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from aether_tui.demo.world import World
from aether_tui.workspace import rubric, sitting
from aether_tui.workspace.document import Document
from aether_tui.workspace.kinds.assessment import Assessment, Done
from aether_tui.workspace.kinds.interview import Interview, Note, Person
from aether_tui.workspace.questions import Function, shipped

# Name, function, role, days ago, answers to the stakeholder questions in order (words where a question asks for words).
_ASKED: tuple[tuple[str, Function, str, int, tuple[int | str, ...]], ...] = (
    ("Person Twelve", "product", "product manager", 31,
     ("A customer gets a refund answered right the first time, on the phone, while waiting for the bus.",
      "Share of refunds resolved without a person: we think 60 %, nobody measures it.",
      5, 4, 2, 3, 4, 2, 2, 3, 3, "Every team improved its own part; nobody owned the whole answer.",
      "Complaints that reach a person must not take longer.", "Support operations: they see what happens after we say it worked.")),
    ("Person Seven", "engineering", "engineering lead", 31,
     ("We change a prompt on Monday and know on Tuesday whether it helped.",
      "Time from a merged change to a measured outcome; today about two weeks.",
      4, 5, 3, 4, 2, 4, 4, 2, 2, "There was never time to build the evaluation first.",
      "Latency: people leave after ten seconds.", "Finance, about what an answer costs.")),
    ("Person Nine", "operations", "support operations", 30,
     ("Nobody writes to us a second time about the same refund.",
      "Second contacts within a day: about one in five, from the ticket system.",
      5, 2, 4, 5, 2, 2, 4, 3, 2, "Our reports arrive a month later and nobody reads them.",
      "The hand-over to a person must always work.", "The people who answer the phone at night.")),
)  # fmt: skip
_QUOTES = (
    (0, "We measure what we ship, not what anybody gets. #outcome"),
    (1, "I would rather have one number I trust than twenty dashboards. #trust"),
    (2, "Half of my team's day is answers the assistant gave twice, differently. #consistency"),
)
# What each says about the lenses: question → 1–5; measured values are shown beside them.
_LENS = (
    {"lens.lead-time": 4, "lens.deployments": 5, "lens.wip-age": 4, "lens.ci": 3, "lens.change-fail": 4, "lens.task-success": 4,
     "lens.outcome": 4, "lens.llm-cost": 3, "lens.evaluation": 4, "lens.decisions": 3},
    {"lens.lead-time": 4, "lens.deployments": 4, "lens.wip-age": 3, "lens.ci": 2, "lens.change-fail": 3, "lens.task-success": 3,
     "lens.outcome": 3, "lens.llm-cost": 3, "lens.decision-latency": 2, "lens.decisions": 2},
    {"lens.lead-time": 2, "lens.deployments": 4, "lens.change-fail": 2, "lens.task-success": 2, "lens.outcome": 2},
)  # fmt: skip
# What the engineering lead says about meetings; what is asked by a scale is answered 2 unless said here.
_MEETINGS: dict[str, int | str] = {
    "rituals.list": "Weekly product sync, 60, 8; Backlog refinement, weekly, 60 min, 9 people; "
    "Evaluation round, every two weeks, 45 min, 5 people; Release call, weekly, 30 min, 6 people",
    "rituals.most-useful": "The incident review: it decided in October to keep two indexes side by side.",
    "rituals.least-useful": "The daily status round. We read the board to each other.",
    "rituals.hours": 3,
    "rituals.purpose": 1,
}
# Level by pillar that a person's answers are consistent with; the quarter before, then this one by two people.
_BEFORE = {"model": 2, "instrumentation": 1, "flow": 2, "rituals": 2, "teams": 2, "improvement": 1}
_NOW = (
    {"model": 2, "instrumentation": 3, "flow": 2, "rituals": 2, "teams": 3, "improvement": 2},
    {"model": 2, "instrumentation": 3, "flow": 3, "rituals": 2, "teams": 3, "improvement": 2},
)


def talks(world: World) -> list[Document]:
    """All of them."""
    stakeholders = [_stakeholder(world, number) for number in range(3)]
    lenses = [_lens(world, number) for number in range(3)]
    people = [_person(world, 1), _person(world, 0)]
    return [*stakeholders, *lenses, _maturity(world, people), _first(world), _inventory(world), *_assessments(world)]


def _at(world: World, ago: int, minute: int = 0) -> datetime:
    return world.day(ago).replace(hour=9, minute=minute, second=0, microsecond=0, tzinfo=None)


def _person(world: World, number: int) -> Person:
    name, function, role, ago, _ = _ASKED[number]
    return Person(name=name, function=function, role=role, consent=world.day(ago).date())


def _stakeholder(world: World, number: int) -> Interview:
    content, person = shipped(), _person(world, number)
    ago, answers = _ASKED[number][3], _ASKED[number][4]
    start = _at(world, ago, number)
    interview = Interview(
        id=f"INT-{number + 1}", questionnaire="stakeholder", started=start, people=[person], who=person.name
    )
    for place, given in enumerate(answers, 1):
        question = sitting.current(content, interview)
        assert question is not None
        when = start + timedelta(minutes=2 * place)
        text, value = (given, None) if isinstance(given, str) else ("", given)
        interview = sitting.answered(content, interview, question, when, value=value, text=text)
    notes = [
        Note(
            kind="quote",
            text=text,
            who=person.name,
            question="stakeholder.shared-goal",
            when=start + timedelta(minutes=15),
        )
        for who, text in _QUOTES
        if who == number
    ]
    return interview.model_copy(update={"notes": notes, "elapsed_s": 1860.0})


def _first(world: World) -> Interview:
    """A short one of the first cycle: the quote that became an opportunity, an experiment and a playbook entry."""
    person, start = _person(world, 2).model_copy(update={"consent": world.day(70).date()}), _at(world, 70)
    text = "It looks the same order up twice while the customer waits. #orders"
    note = Note(kind="quote", text=text, who=person.name, when=start + timedelta(minutes=4), opportunity="OPP-15")
    return Interview(
        id="INT-8", questionnaire="stakeholder", started=start, finished=start + timedelta(minutes=9), people=[person],
        who=person.name, notes=[note], elapsed_s=540.0,
    )  # fmt: skip


def _inventory(world: World) -> Interview:
    """The calendar of one person: meetings of which three have no sheet yet."""
    content, person, start = shipped(), _person(world, 1), _at(world, 17)
    interview = Interview(id="INT-9", questionnaire="rituals", started=start, people=[person], who=person.name)
    for place, question in enumerate(content.questions("rituals"), 1):
        given = _MEETINGS.get(
            question.id, "Once a quarter, and by the people who are in it." if question.answer == "text" else 2
        )
        text, value = (given, None) if isinstance(given, str) else ("", given)
        when = start + timedelta(minutes=place)
        interview = sitting.answered(content, interview, question, when, value=value, text=text)
    return interview.model_copy(update={"elapsed_s": 1020.0})


def _lens(world: World, number: int) -> Interview:
    content, person, start = shipped(), _person(world, number), _at(world, 24, number)
    interview = Interview(id=f"INT-{number + 4}", questionnaire="lens", started=start, people=[person], who=person.name)
    for question in content.questions("lens"):
        value = _LENS[number].get(question.id, 0)
        interview = sitting.answered(content, interview, question, start + timedelta(minutes=9), value=value)
    return interview.model_copy(update={"elapsed_s": 610.0})


def _maturity(world: World, people: list[Person]) -> Interview:
    """Two people, one after the other."""
    content, start = shipped(), _at(world, 10)
    interview = Interview(id="INT-7", questionnaire="maturity", started=start, people=people, who=people[0].name)
    for person, levels in zip(people, _NOW, strict=True):
        interview = sitting.joined(content, interview, person)
        while (question := sitting.current(content, interview)) is not None:
            pillar, level, _ = question.id.split(".")
            value = 4 if int(level) <= levels[pillar] else 2
            interview = sitting.answered(content, interview, question, start + timedelta(minutes=20), value=value)
    return interview.model_copy(update={"elapsed_s": 1490.0})


def _assessments(world: World) -> list[Document]:
    """The quarter before, typed from a workshop; a practice finished since then."""
    content, day = shipped(), _quarter_before(world.day(0).date())
    answers: dict[str, int] = {}
    for name, pillar in content.pillars.items():
        while (one := rubric.next_statement(pillar, answers)) is not None:
            answers[one.id] = 5 if one.level <= _BEFORE[name] else 2
    return [
        Assessment(
            id="ASM-1", day=day, answers=answers, notes="Workshop with both teams.",
            done=[Done(practice="instrumentation-trace-calls", when=day + timedelta(days=20), who="person-02")],
        )
    ]  # fmt: skip


def _quarter_before(day: date) -> date:
    """The tenth day of the last month of the quarter before."""
    first = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    return (first - timedelta(days=1)).replace(day=10)
