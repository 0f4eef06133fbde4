"""What a sitting makes of what is said; nothing acknowledged is lost when the process is killed."""

from __future__ import annotations

import os
import random
import signal
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from aether_tui.workspace import sitting
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.interview import Interview, Person
from aether_tui.workspace.questions import Content, load, shipped
from aether_tui.workspace.store import Store
from screens.interview_edits import person, save

CONTENT = shipped()
NOW = datetime(2026, 11, 21, 14)  # noqa: DTZ001 — files carry naive UTC
EVA = Person(name="Eva", function="engineering", consent=NOW.date())
KILLS = int(os.environ.get("AETHER_KILLS", "20"))


def begun(questionnaire: str = "stakeholder") -> Interview:
    return Interview(id="INT-1", questionnaire=questionnaire, started=NOW, people=[EVA], who="Eva")


def answer(interview: Interview, value: int = 4, now: datetime = NOW, content: Content = CONTENT) -> Interview:
    question = sitting.current(content, interview)
    assert question is not None
    text = "a picture" if question.answer == "text" else ""
    return sitting.answered(content, interview, question, now, value=None if text else value, text=text)


@pytest.mark.parametrize("questionnaire", ["stakeholder", "lens", "maturity"])
def test_the_question_before_is_the_one_that_was_answered_last(questionnaire: str) -> None:
    interview, asked = begun(questionnaire), []
    assert sitting.preceding(CONTENT, interview) is None
    while (question := sitting.current(CONTENT, interview)) is not None and len(asked) < 3:
        asked.append(question.id)
        interview = answer(interview)
    for identity in reversed(asked):
        before = sitting.preceding(CONTENT, interview)
        assert before is not None and before.id == identity
        interview = interview.model_copy(update={"at": before.id})
    assert sitting.preceding(CONTENT, interview) is None
    changed = answer(interview, 2)
    assert sitting.current(CONTENT, changed) not in (None, *asked)


def test_people_are_asked_what_concerns_them():
    asked = {one.id for one in sitting.open_questions(CONTENT, begun())}
    assert "stakeholder.quality-time" in asked
    assert "stakeholder.early-warning" not in asked
    after = sitting.joined(CONTENT, begun(), person("Ola, ops, support"))
    assert (after.who, after.people[1].function, after.people[1].role) == ("Ola", "operations", "support")
    assert "stakeholder.early-warning" in {one.id for one in sitting.open_questions(CONTENT, after)}


def test_an_interview_ends_when_nobody_has_an_open_question():
    interview, count = begun("maturity"), 0
    while sitting.current(CONTENT, interview) is not None:
        interview, count = answer(interview), count + 1
    assert interview.finished == NOW
    assert count == len(interview.answers) <= 18
    assert sitting.joined(CONTENT, interview, Person(name="Ola")).finished is None


def test_a_changed_answer_keeps_both_and_a_clock_set_back_loses_nothing():
    interview = answer(answer(answer(begun(), now=NOW)), now=NOW)
    question = sitting.find(CONTENT, interview, "stakeholder.priority-quality")
    assert question is not None
    before = NOW - timedelta(days=400)
    changed = sitting.answered(CONTENT, interview, question, before, value=2, saw="measured 61 %")
    given = changed.given("Eva")[question.id]
    assert (given.value, given.when) == (2, before)
    assert [(one.value, one.saw) for one in given.earlier] == [(4, "measured 61 %")]
    again = sitting.answered(CONTENT, changed, question, before, value=2)
    assert len(again.given("Eva")[question.id].earlier) == 1
    assert Interview.model_validate(changed.model_dump()) == changed


def test_parked_questions_come_back_last_and_tab_goes_round():
    interview = begun()
    first = sitting.current(CONTENT, interview)
    assert first is not None
    parked = sitting.parked(CONTENT, interview, first)
    assert sitting.open_questions(CONTENT, parked)[-1].id == first.id
    here = parked
    for _ in sitting.open_questions(CONTENT, parked):
        here = sitting.moved(CONTENT, here, sitting.current(CONTENT, here))
    assert here.at == parked.at
    while (question := sitting.current(CONTENT, parked)) is not None:
        last = question.id
        parked = answer(parked)
    assert last == first.id and parked.put_off() == []


def test_answers_to_questions_that_are_gone_are_kept_and_listed(tmp_path: Path):
    workspace = Workspace(tmp_path)
    folder = tmp_path / "engagement" / "content"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(
        "questionnaire: own\ntitle: Own\nchoices: [a, b, c, d, e]\nquestions:\n"
        "  - {id: own.one, ask: One or two?, why: We learn., evidence: A day.}\n"
        "  - {id: own.two, ask: Two or three?, why: We learn., evidence: A day.}\n"
    )
    content = load(workspace)
    interview = answer(answer(begun("own"), content=content), content=content)
    (folder / "own.yaml").write_text((folder / "own.yaml").read_text().replace("own.one", "own.first"))
    after = load(workspace)
    assert [one.question for one in sitting.orphans(after, interview)] == ["own.one"]
    left = sitting.current(after, interview.model_copy(update={"at": ""}))
    assert left is not None and left.id == "own.first"
    (folder / "own.yaml").unlink()
    assert len(sitting.orphans(load(workspace), interview)) == 2


def test_two_answers_of_one_person_or_two_people_of_one_name_are_refused():
    interview = answer(begun())
    data = interview.model_dump()
    with pytest.raises(ValidationError, match="twice; keep one"):
        Interview.model_validate({**data, "answers": data["answers"] * 2})
    with pytest.raises(ValidationError, match="stands twice among"):
        Interview.model_validate({**data, "people": data["people"] * 2})
    with pytest.raises(ValidationError, match="not among `people`"):
        Interview.model_validate({**data, "people": []})


def test_tags_and_search():
    assert sitting.tags("slow #flow, again #flow and #data-quality but a#b") == ("flow", "data-quality")
    found = sitting.matching(CONTENT.questions("maturity"), "work-in-progress LIMITS")
    assert [one.id for one in found] == ["flow.3.wip-limits-enforced"]


def test_killed_at_any_moment_no_acknowledged_answer_is_lost(tmp_path: Path):
    """The process that answers is killed at random moments; what it had acknowledged is on disk, and it resumes there."""
    workspace, chance = Workspace(tmp_path), random.Random(7)
    (tmp_path / "engagement").mkdir()
    store = Store(workspace)
    stored = store.save(begun("maturity"), None, NOW)
    acknowledged: dict[str, int] = {}
    for round_ in range(KILLS):
        if sitting.current(CONTENT, stored.document) is None:
            store.save(begun("maturity"), stored.revision, NOW)
            acknowledged.clear()
        acknowledged |= _killed(workspace, chance, round_)
        stored = store.get(Interview, "INT-1")
        on_disk = {name: given.value for name, given in stored.document.given("Eva").items()}
        assert acknowledged.items() <= on_disk.items(), (round_, acknowledged, on_disk)
        assert len(on_disk) <= len(acknowledged) + 1  # one may be saved and not acknowledged yet
        acknowledged = {name: value or 0 for name, value in on_disk.items()}
        assert store.all(Interview)[1] == []
    assert not list(store.folder(Interview).glob("*.conflict-*"))


def _killed(workspace: Workspace, chance: random.Random, seed: int) -> dict[str, int]:
    """Answer in a child, kill it after some bytes of acknowledgement and a moment more; what it acknowledged."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _answer_all(workspace, write, seed)
        finally:
            os._exit(0)
    os.close(write)
    said = b""
    for _ in range(chance.randrange(6)):
        said += os.read(read, 200)
    for _ in range(chance.randrange(60_000)):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while data := os.read(read, 65_536):
        said += data
    os.close(read)
    return {name: int(value) for name, _, value in (line.partition("=") for line in said.decode().splitlines())}


def _answer_all(workspace: Workspace, write: int, seed: int) -> None:
    stored, chance = Store(workspace).get(Interview, "INT-1"), random.Random(seed)
    while (question := sitting.current(CONTENT, stored.document)) is not None:
        value = chance.randrange(6)

        def update(old: Interview, value: int = value) -> Interview:
            assert question is not None
            return sitting.answered(CONTENT, old, question, NOW, value=value)

        stored, _ = save(workspace, stored, update, "", NOW)
        os.write(write, f"{question.id}={value}\n".encode())
