"""Turns of the flywheel."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aether_tui.workspace.document import Document, Line, numbered

Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class Tick(BaseModel):
    """A checklist item that a person ticked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Line = Field(description="Who says so")
    when: date = Field(description="Since when it is so")
    note: str = Field(default="", max_length=2000, description="Anything else")


class Artifact(BaseModel):
    """Something a phase leaves behind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Line = Field(description="What it is, such as north-star, interview, value-stream-map")
    title: Line = Field(description="Name")
    link: str = Field(default="", max_length=2000, description="Address or path in the workspace")
    who: str = Field(default="", max_length=200, description="Who made or read it")
    when: date | None = Field(default=None, description="When")
    note: str = Field(default="", max_length=20_000, description="Anything else")


class Cycle(Document):
    """One turn of the flywheel: what was ticked by hand, and what it left behind."""

    PLURAL: ClassVar[str] = "cycles"
    PREFIX: ClassVar[str] = "cycle-"

    id: str = Field(pattern=numbered("cycle-"), description="Id, and the file's name")
    started: date = Field(description="First day")
    ended: date | None = Field(default=None, description="Last day; empty while it runs")
    goal: str = Field(default="", max_length=2000, description="What this cycle is for")
    constraint: str = Field(default="", max_length=300, description="Constraint or request category it works on")
    value_per_success_usd: Money | None = Field(default=None, description="What one success is worth, USD")
    cluster_values_usd: dict[str, Money] = Field(
        default_factory=dict, description="Request category → what one success of it is worth, USD; others as above"
    )
    infra_cost_usd: Money | None = Field(default=None, description="Infrastructure of this cycle, USD")
    review_cost_usd: Money | None = Field(default=None, description="People who check answers, this cycle, USD")
    items: dict[str, Tick] = Field(default_factory=dict, description="Checklist item id → who ticked it, and when")
    entered: dict[int, date] = Field(
        default_factory=dict, description="Phase number → the day it was begun; where absent, it follows from the items"
    )
    artifacts: list[Artifact] = Field(default_factory=list, description="What the phases left behind")
    notes: str = Field(default="", max_length=20_000, description="Anything else")

    @model_validator(mode="after")
    def _in_order(self) -> Cycle:
        if self.ended and self.ended < self.started:
            raise ValueError("`ended` is before `started`; mend one of the two dates")
        return self
