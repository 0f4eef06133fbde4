"""Interviews: who was asked what, what they said, noted as it is said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aether_tui.workspace.document import Document, Line, numbered
from aether_tui.workspace.questions import Function


class Person(BaseModel):
    """Somebody who is asked. Exports show the function only, unless they agreed to be named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(description="Name or initials; stays in this file")
    function: Function = Field(default="other", description="Which function they speak for")
    role: str = Field(default="", max_length=200, description="What they do, such as engineering lead")
    consent: date | None = Field(default=None, description="When they agreed to be noted")
    named: bool = Field(default=False, description="They agreed to be named in exports")
    parked: list[Line] = Field(default_factory=list, description="Questions they put off to the end")


class Earlier(BaseModel):
    """What an answer was before it was changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: int | None = Field(default=None, ge=0, le=5)
    text: str = Field(default="", max_length=20_000)
    when: datetime
    saw: str = Field(default="", max_length=200, description="The measured value that was shown after it")


class Answer(BaseModel):
    """One person's answer to one question: 1–5, 0 for does not apply, or words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: Line = Field(description="Id of the question")
    who: Line = Field(description="Name of one of `people`")
    value: int | None = Field(default=None, ge=0, le=5, description="1–5 as the choices stand; 0 does not apply")
    text: str = Field(default="", max_length=20_000, description="The answer in words")
    when: datetime = Field(description="When it was given, UTC")
    earlier: list[Earlier] = Field(default_factory=list, description="What it was before")


class Note(BaseModel):
    """Something noted while a question was open; `#words` in it are tags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["note", "quote"] = "note"
    text: str = Field(min_length=1, max_length=20_000)
    who: str = Field(default="", max_length=300)
    question: str = Field(default="", max_length=80)
    when: datetime
    opportunity: str = Field(default="", max_length=40, description="The opportunity it became")


class Interview(Document):
    """A sitting of one questionnaire with one or several people, resumable at any time."""

    PLURAL: ClassVar[str] = "interviews"
    PREFIX: ClassVar[str] = "INT-"
    PRIVATE: ClassVar[bool] = True
    STANDING: ClassVar[frozenset[str]] = frozenset({"who", "at", "elapsed_s"})

    id: str = Field(pattern=numbered("INT-"), description="Id, and the file's name")
    questionnaire: Line = Field(description="Which one: stakeholder, maturity, lens, rituals, or one of your own")
    started: datetime = Field(description="When it began, UTC")
    finished: datetime | None = Field(default=None, description="When the last open question was answered")
    people: list[Person] = Field(default_factory=list, description="Who is asked")
    who: str = Field(default="", max_length=300, description="Who is being asked now")
    at: str = Field(default="", max_length=80, description="The question it stands at")
    elapsed_s: float = Field(default=0, ge=0, description="Seconds spent on it so far")
    begin: dict[str, int] = Field(default_factory=dict, description="Pillar → level that measured evidence suggested")
    answers: list[Answer] = Field(default_factory=list, description="What was said")
    notes: list[Note] = Field(default_factory=list, description="Notes and quotes")

    @field_validator("started", "finished", mode="after")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        return naive(value) if value is not None else None

    @model_validator(mode="after")
    def _known(self) -> Interview:
        names = [person.name for person in self.people]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} stands twice among `people`; give one of them another name")
        for answer in self.answers:
            if answer.who not in names:
                raise ValueError(f"{answer.who!r} answered but is not among `people`; add them")
        keys = [(answer.question, answer.who) for answer in self.answers]
        if len(set(keys)) < len(keys):
            question, who = next(key for key in keys if keys.count(key) > 1)
            raise ValueError(f"{who!r} answers {question} twice; keep one, the other belongs under `earlier`")
        return self

    def lacks(self) -> tuple[str, ...]:
        """Its end, once it was begun."""
        return ("finished",) if self.answers and self.finished is None else ()

    def person(self, name: str) -> Person | None:
        """One of the people by name."""
        return next((person for person in self.people if person.name == name), None)

    def heard(self) -> list[Person]:
        """Who was interviewed: those who agreed to be noted, or whose answers stand here all the same."""
        answered = {answer.who for answer in self.answers}
        return [person for person in self.people if person.consent is not None or person.name in answered]

    def put_off(self) -> list[str]:
        """Questions that the person in front put off to the end."""
        person = self.person(self.who)
        return person.parked if person is not None else []

    def given(self, who: str) -> dict[str, Answer]:
        """Answers of one person by question id."""
        return {answer.question: answer for answer in self.answers if answer.who == who}


def naive(moment: datetime) -> datetime:
    """An instant as files carry it: UTC, naive, whole seconds."""
    return (moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment).replace(microsecond=0)
