"""Value streams: the steps an item goes through, each number with what it rests on."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, model_validator

from aether_tui.stats.cells import Cell, read
from aether_tui.workspace.document import Document, Line, numbered

_PLAIN = PlainSerializer(lambda cell: None if cell is None else cell.plain())
Size = Annotated[
    Cell | None, PlainValidator(lambda raw: raw if isinstance(raw, Cell | None) else read(raw, "size")), _PLAIN
]
Share = Annotated[
    Cell | None, PlainValidator(lambda raw: raw if isinstance(raw, Cell | None) else read(raw, "share")), _PLAIN
]
Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]


class StreamStep(BaseModel):
    """One step. A number is `2`, `[low, mode, high]`, or `{value, n}` where it was measured; `who` says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(description="Name, once in the stream")
    touch_s: Size = Field(default=None, description="Seconds of work per visit")
    wait_s: Size = Field(default=None, description="Seconds of waiting per visit")
    cost: Size = Field(default=None, description="Money per visit")
    error_rate: Share = Field(default=None, description="Share of visits that go wrong")
    rework_to: str | None = Field(
        default=None, max_length=300, description="Step that errors go back to; none: they fail"
    )
    abandon_rate: Share = Field(default=None, description="Share of visits that are given up")
    capacity_per_month: Size = Field(default=None, description="Visits a month it can take; none: no limit")
    seen_as: list[Line] = Field(
        default_factory=list,
        max_length=50,
        description="Steps of traces or of work items it stands for, as `report value-stream` names them; * is any text",
    )
    volume_per_month: Size = Field(default=None, description="Visits a month it really has, to check the chain against")


class StreamBody(BaseModel):
    """What is solved: demand, value and the steps in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    demand_per_month: Amount = Field(description="Items that enter in a month")
    value_per_success: Amount = Field(description="Money an item is worth that comes through")
    steps: list[StreamStep] = Field(min_length=1, max_length=200, description="Steps in order")

    @model_validator(mode="after")
    def _sound(self) -> StreamBody:
        names = [step.name for step in self.steps]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two steps have the same name, {twice!r}; rename one")
        for step in self.steps:
            if step.rework_to is not None and step.rework_to not in names:
                raise ValueError(
                    f"step {step.name}: rework_to names no step: {step.rework_to!r}; name one of the steps"
                )
            leaving = sum(cell.value for cell in (step.error_rate, step.abandon_rate) if cell)
            if leaving >= 1:
                raise ValueError(
                    f"step {step.name}: error_rate + abandon_rate is {leaving:g}: nothing gets through; lower one of the two"
                )
        return self


class ValueStream(StreamBody, Document):
    """A value stream: demand, value per success, and the steps an item goes through."""

    PLURAL: ClassVar[str] = "value-streams"
    PREFIX: ClassVar[str] = "VS-"
    OFFERED: ClassVar[dict[str, tuple[str, str]]] = {"value_per_success": ("north-star", "value_per_success")}

    id: str = Field(pattern=numbered("VS-"), description="Id, and the file's name")
    title: Line = Field(description="What flows through it, in a line")
    cluster: str = Field(default="", max_length=200, description="Request category or feature it is about; empty: all")
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Currency of cost and value")
    created: date | None = Field(default=None, description="When it was written down")
    notes: str = Field(default="", max_length=20_000, description="Anything else")
