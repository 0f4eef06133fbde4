"""What was promised at a review."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from aether_tui.workspace.document import Document, Line, Links, numbered


class Commitment(Document):
    """A promise made at a review: who, by when, whether it is done, and the number that should move."""

    PLURAL: ClassVar[str] = "commitments"
    PREFIX: ClassVar[str] = "COM-"

    id: str = Field(pattern=numbered("COM-"), description="Id, and the file's name")
    title: Line = Field(description="What was promised, in a line")
    who: str = Field(default="", max_length=200, description="Who promised it: a role or a person")
    promised: date = Field(description="The day it was promised")
    by: date | None = Field(default=None, description="By when")
    done: date | None = Field(default=None, description="The day it was done")
    dropped: date | None = Field(default=None, description="The day it was given up")
    number: str = Field(
        default="", max_length=200, description="Daily series that should move, such as task.cost.scenario.refund"
    )
    direction: Literal["up", "down"] = Field(default="down", description="Which way the number should move")
    notes: str = Field(default="", max_length=20_000, description="Anything else")
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """What makes it a promise somebody can be asked about."""
        return tuple(name for name in ("who", "by", "number") if getattr(self, name) in ("", None))

    @model_validator(mode="after")
    def _in_order(self) -> Commitment:
        for name in ("done", "dropped"):
            day = getattr(self, name)
            if day is not None and day < self.promised:
                raise ValueError(f"`{name}` is before `promised`; mend one of the two dates")
        if self.done and self.dropped:
            raise ValueError("both `done` and `dropped`; keep one of the two dates")
        return self
