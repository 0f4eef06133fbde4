"""Recurring meetings: what they are for, who does what in them, and what is needed to judge whether they pay."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aether_tui.workspace.document import Document, Line, Links, Prose, Stated, numbered, stated

Times = Annotated[Stated, stated(0.1, 10_000)]
Minutes = Annotated[Stated, stated(0, 10_000)]
People = Annotated[Stated, stated(1, 10_000)]
Amount = Annotated[Stated, stated(0, 1e12)]
Gain = Annotated[Stated, stated(-1, 1)]
Roti = Annotated[float, Field(ge=0, le=4)]


class Participation(BaseModel):
    """What one role does in a ritual."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Line = Field(description="Role, such as product manager; never a person")
    part: Literal["leads", "decides", "contributes", "listens"] = Field(
        default="contributes", description="What the role does there"
    )
    rule: Line = Field(description="What it brings, and when it may stay away")


class Pulse(BaseModel):
    """After a ritual everybody writes down what was decided, alone; how many wrote the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: date = Field(description="Day")
    asked: int = Field(ge=1, le=10_000, description="People who wrote it down")
    agreed: int = Field(ge=0, le=10_000, description="The largest number who wrote the same")

    @model_validator(mode="after")
    def _share(self) -> Pulse:
        if self.agreed > self.asked:
            raise ValueError("`agreed` is more than `asked`; count the people again")
        return self


class Ritual(Document):
    """A recurring meeting. A number may be a range: `[low, most likely, high]`."""

    PLURAL: ClassVar[str] = "rituals"
    PREFIX: ClassVar[str] = "RIT-"

    id: str = Field(pattern=numbered("RIT-"), description="Id, and the file's name")
    title: Line = Field(description="Name, such as Weekly product sync")
    status: Literal["running", "trial", "asynchronous", "stopped"] = Field(
        default="running", description="Whether it takes place"
    )
    team: str = Field(default="", max_length=200, description="Team or teams it belongs to")
    owner: str = Field(default="", max_length=200, description="Role that may change or stop it")
    purpose: Prose = Field(default="", description="What would go wrong without it, in a sentence or two")
    inputs: list[Line] = Field(default_factory=list, description="What must be there before it starts")
    outputs: list[Line] = Field(default_factory=list, description="What exists afterwards that did not before")
    participation: list[Participation] = Field(default_factory=list, description="Who does what, by role")
    frequency: str = Field(default="", max_length=200, description="When it takes place, such as every Monday at 10")
    documentation: Prose = Field(default="", description="What is written down, where, until when")
    anti_patterns: list[Line] = Field(default_factory=list, description="Signs that it has become something else")
    per_year: Times | None = Field(default=None, description="Times a year")
    minutes: Minutes | None = Field(default=None, description="Minutes it lasts")
    attendees: People | None = Field(default=None, description="People in the room")
    hourly_rate: Amount | None = Field(
        default=None, description="Loaded cost of a person's hour, in the workspace's currency"
    )
    prep_minutes: Minutes = Field(default=0.0, description="Minutes each person prepares")
    follow_up_minutes: Minutes = Field(default=0.0, description="Minutes each person spends afterwards")
    switching_minutes: Minutes = Field(default=0.0, description="Minutes each person loses by the interruption")
    decisions_per_year: Amount | None = Field(default=None, description="Decisions it makes a year")
    stake_per_decision: Amount | None = Field(
        default=None, description="What a wrong decision costs against the right one"
    )
    probability_gain: Gain | None = Field(
        default=None, description="How much likelier the right decision becomes; 0.05 is five more in a hundred"
    )
    days_saved_per_year: Amount = Field(default=0.0, description="Days of delay it avoids a year")
    cost_of_delay_per_day: Amount = Field(default=0.0, description="What a day of delay costs")
    rework_avoided_per_year: Amount = Field(default=0.0, description="Rework it avoids a year, in money")
    roti: list[Roti] = Field(
        default_factory=list, description="Return on time invested as attendees say it, one number each, 0 to 4"
    )
    actions_agreed: int | None = Field(default=None, ge=0, description="Actions agreed in the last quarter")
    actions_done: int | None = Field(default=None, ge=0, description="How many of them were done")
    alignment: list[Pulse] = Field(
        default_factory=list, description="Alignment pulses: who wrote down the same decision"
    )
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """What a ritual sheet and its cost need."""
        names = (
            "purpose", "inputs", "outputs", "participation", "frequency", "documentation", "anti_patterns", "per_year",
            "minutes", "attendees",
        )  # fmt: skip
        return tuple(name for name in names if getattr(self, name) in ("", [], None))

    @model_validator(mode="after")
    def _counts(self) -> Ritual:
        if (self.actions_done or 0) > (self.actions_agreed or 0):
            raise ValueError("`actions_done` is more than `actions_agreed`; count them again")
        return self
