"""What an engagement learned, in a form that can be used again."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from aether_tui.workspace.document import Document, Line, numbered

Kind = Literal["prompt", "router rule", "regression test", "onboarding text", "taxonomy or instrumentation"]


class Case(BaseModel):
    """One regression check: what goes in, what must and must not come out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(description="Name")
    input: str = Field(min_length=1, max_length=20_000, description="What is asked")
    contains: list[Line] = Field(default_factory=list, description="Texts the answer must contain")
    lacks: list[Line] = Field(default_factory=list, description="Texts the answer must not contain")


class PlaybookEntry(Document):
    """A pattern that won, with who keeps it alive and until when it is believed."""

    PLURAL: ClassVar[str] = "playbook"
    PREFIX: ClassVar[str] = "PLAY-"

    id: str = Field(pattern=numbered("PLAY-"), description="Id, and the file's name")
    title: Line = Field(description="The pattern, in a line")
    kind: Kind = Field(description="prompt, router rule, regression test, onboarding text, taxonomy or instrumentation")
    when_to_use: str = Field(default="", max_length=2000, description="When this helps")
    body: str = Field(default="", max_length=50_000, description="The prompt, rule or text itself")
    cases: list[Case] = Field(default_factory=list, max_length=1000, description="Regression checks that go with it")
    experiment: str = Field(default="", pattern=numbered("EXP-", or_none=True), description="Experiment that earned it")
    budget: str = Field(default="", max_length=200, description="Budget that keeps it won")
    owner: Line = Field(description="Who keeps it true")
    review_by: date = Field(description="Look at it again by this day")
    evidence: str = Field(default="", max_length=2000, description="What showed that it works")
    origin: str = Field(default="", max_length=200, description="Pack it came from")
    created: date | None = Field(default=None, description="When it was written down")
