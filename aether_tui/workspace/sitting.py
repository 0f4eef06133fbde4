"""A sitting: what is open, and what each thing a person says makes of the interview. Pure: an interview in, one out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from aether_tui.workspace import rubric
from aether_tui.workspace.kinds.interview import Answer, Earlier, Interview, Note, Person, naive
from aether_tui.workspace.questions import Content, Question, as_question

_TAG = re.compile(r"(?<!\w)#([\w-]{1,40})")


def tags(text: str) -> tuple[str, ...]:
    """`#words` of a note, in order, without repeats."""
    return tuple(dict.fromkeys(_TAG.findall(text)))


def open_questions(content: Content, interview: Interview) -> tuple[Question, ...]:
    """What is still to be asked of the person in front, in order; parked questions come last."""
    person = interview.person(interview.who)
    given = interview.given(interview.who)
    sheet = content.questionnaires.get(interview.questionnaire)
    if sheet is None:
        return ()
    found = [
        question
        for question in (content.questions(sheet.questionnaire) if not sheet.rubric else sheet.questions)
        if question.id not in given
        and (not question.functions or person is None or person.function in question.functions)
    ]
    if sheet.rubric:
        values = {name: answer.value or 0 for name, answer in given.items()}
        asked = [
            (pillar, rubric.next_statement(pillar, values, interview.begin.get(name, rubric.START)))
            for name, pillar in content.pillars.items()
        ]
        found = [
            as_question(one, pillar).model_copy(update={"choices": sheet.choices}) for pillar, one in asked if one
        ] + found
    parked = interview.put_off()
    return tuple(sorted(found, key=lambda question: question.id in parked))


def expected(content: Content, interview: Interview) -> int:
    """About how many questions the person in front will have answered at the end."""
    given, left = len(interview.given(interview.who)), open_questions(content, interview)
    sheet = content.questionnaires.get(interview.questionnaire)
    if sheet is None or not sheet.rubric:
        return given + len(left)
    values = {name: answer.value or 0 for name, answer in interview.given(interview.who).items()}
    more = 0.0
    for pillar in content.pillars.values():
        if rubric.next_statement(pillar, values) is not None:
            more += max(1.0, 8 / 3 - rubric.standing(pillar, values).asked)
    return given + round(more)


def find(content: Content, interview: Interview, identity: str) -> Question | None:
    """A question of this questionnaire by its id."""
    return next((one for one in content.questions(interview.questionnaire) if one.id == identity), None)


def current(content: Content, interview: Interview) -> Question | None:
    """The question the sitting stands at; the first open one when that is answered or gone."""
    left = open_questions(content, interview)
    at = next((one for one in left if one.id == interview.at), None)
    return at or find(content, interview, interview.at) or next(iter(left), None)


def preceding(content: Content, interview: Interview) -> Question | None:
    """The question before the one the sitting stands at, answered or not, in the order they are asked; the last one at the end."""
    given, now = interview.given(interview.who), current(content, interview)
    open_now = {one.id for one in open_questions(content, interview)}
    asked = [one for one in content.questions(interview.questionnaire) if one.id in given or one.id in open_now]
    place = next((number for number, one in enumerate(asked) if now is not None and one.id == now.id), len(asked))
    return asked[place - 1] if place else None


def orphans(content: Content, interview: Interview) -> tuple[Answer, ...]:
    """Answers to questions that no longer exist: kept, and listed."""
    known = {one.id for one in content.questions(interview.questionnaire)}
    return tuple(answer for answer in interview.answers if answer.question not in known)


def answered(
    content: Content,
    interview: Interview,
    question: Question,
    now: datetime,
    *,
    value: int | None = None,
    text: str = "",
    saw: str = "",
) -> Interview:
    """The answer of the person in front, and on to the next open question; what it was before is kept."""
    before = interview.given(interview.who).get(question.id)
    moment = naive(now)
    earlier = []
    if before is not None:
        old = Earlier(value=before.value, text=before.text, when=before.when, saw=saw)
        same = before.value == value and before.text == text
        earlier = [*before.earlier] if same else [*before.earlier, old]
    answer = Answer(question=question.id, who=interview.who, value=value, text=text, when=moment, earlier=earlier)
    others = list(interview.answers)
    if before is not None:
        others[others.index(before)] = answer
    else:
        others.append(answer)
    parked = [name for name in interview.put_off() if name != question.id]
    after = _putting_off(interview.model_copy(update={"answers": others}), parked)
    return _onward(content, after, question, moment)


def begun(content: Content, interview: Interview, question: Question, now: datetime, text: str) -> Interview:
    """The answer in words as far as it is said; the sitting stays at its question."""
    return answered(content, interview, question, now, text=text).model_copy(update={"at": question.id})


def _putting_off(interview: Interview, parked: list[str]) -> Interview:
    """With the questions that the person in front puts off."""
    if interview.put_off() == parked:
        return interview
    people = [
        one.model_copy(update={"parked": parked}) if one.name == interview.who else one for one in interview.people
    ]
    return interview.model_copy(update={"people": people})


def _onward(content: Content, interview: Interview, question: Question, moment: datetime) -> Interview:
    """To the question after this one; finished when nobody has any left."""
    after = _following(content, interview, question)
    finished = interview.finished or (moment if after is None else None)
    return interview.model_copy(
        update={"at": after.id if after else "", "finished": finished if after is None else None}
    )


def _following(content: Content, interview: Interview, question: Question) -> Question | None:
    """The next open question after this one in the order they are asked; parked ones come last."""
    left, parked = open_questions(content, interview), interview.put_off()
    nearby = next((one for one in left if one.section == question.section and one.id not in parked), None)
    order = [one.id for one in content.questions(interview.questionnaire)]
    place = order.index(question.id) if question.id in order else -1
    fresh = [one for one in left if one.id not in parked]
    later = next((one for one in fresh if order.index(one.id) > place), None)
    return nearby or later or next(iter(left), None)


def moved(content: Content, interview: Interview, question: Question | None) -> Interview:
    """To the next open question without answering."""
    left = open_questions(content, interview)
    if not left:
        return interview.model_copy(update={"at": ""})
    ids = [one.id for one in left]
    place = ids.index(question.id) if question is not None and question.id in ids else -1
    return interview.model_copy(update={"at": ids[(place + 1) % len(ids)]})


def parked(content: Content, interview: Interview, question: Question) -> Interview:
    """Put a question off to the end for the person in front, and on."""
    after = _putting_off(interview, [*dict.fromkeys([*interview.put_off(), question.id])])
    following = _following(content, after, question)
    return after.model_copy(update={"at": following.id if following else ""})


def noted(interview: Interview, kind: Literal["note", "quote"], text: str, at: str, now: datetime) -> Interview:
    """A note or a quote at the question it belongs to."""
    note = Note(kind=kind, text=text, who=interview.who, question=at, when=naive(now))
    return interview.model_copy(update={"notes": [*interview.notes, note]})


def joined(content: Content, interview: Interview, person: Person) -> Interview:
    """Put somebody in front: known by name, or added; on to their first open question."""
    people = interview.people if interview.person(person.name) else [*interview.people, person]
    after = interview.model_copy(update={"people": people, "who": person.name, "at": ""})
    first = current(content, after)
    finished = None if first else interview.finished
    return after.model_copy(update={"at": first.id if first else "", "finished": finished})


def matching(questions: Sequence[Question], text: str) -> list[Question]:
    """Questions that contain every word, in their own words, section or id."""
    words = text.casefold().split()
    return [
        one
        for one in questions
        if all(word in f"{one.ask} {one.section} {one.id} {one.label}".casefold() for word in words)
    ]
