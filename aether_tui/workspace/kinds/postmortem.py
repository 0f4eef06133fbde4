"""Postmortems, blameless: what happened, what made it possible, what is done about it. No names."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aether_tui.workspace.document import Document, Line, Links, Prose, numbered
from aether_tui.workspace.names import person_in


class Moment(BaseModel):
    """One line of the timeline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Line = Field(description="When, such as 14:05 or second day")
    what: Line = Field(description="What happened, by role or system")


class Condition(BaseModel):
    """Something that made it possible."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60,
        description="Short name, the same in every postmortem, such as no-staged-rollout",
    )  # fmt: skip
    what: str = Field(default="", max_length=2000, description="How it was so this time")


class Repair(BaseModel):
    """What is done so that it does not come back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: Line = Field(description="What changes in the system, not in a person")
    owner: str = Field(default="", max_length=200, description="Role that does it")
    due: date | None = Field(default=None, description="By when")
    done: date | None = Field(default=None, description="When it was done; empty while open")


class Postmortem(Document):
    """What went wrong in the product or in how we work, and what made it possible. Roles, never names."""

    PLURAL: ClassVar[str] = "postmortems"
    PREFIX: ClassVar[str] = "PM-"

    id: str = Field(pattern=numbered("PM-"), description="Id, and the file's name")
    title: Line = Field(description="What happened, in a line")
    about: Literal["product", "process"] = Field(description="A failure of the product, or of how we work")
    happened: date = Field(description="Day it began")
    impact: Prose = Field(default="", description="Who felt it, how long, how much")
    timeline: list[Moment] = Field(default_factory=list, description="What happened when")
    conditions: list[Condition] = Field(default_factory=list, description="What made it possible")
    actions: list[Repair] = Field(default_factory=list, description="What is done about it")
    learned: Prose = Field(default="", description="What we did not know before")
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """What makes it worth having been there."""
        missing = [name for name in ("impact", "timeline", "conditions", "actions") if getattr(self, name) in ("", [])]
        missing += [f"actions[{place}].owner" for place, one in enumerate(self.actions) if not one.owner]
        return tuple(missing)

    @model_validator(mode="after")
    def _blameless(self) -> Postmortem:
        texts = (
            ("title", self.title), ("impact", self.impact), ("learned", self.learned),
            *((f"timeline[{place}].what", one.what) for place, one in enumerate(self.timeline)),
            *((f"conditions[{place}].what", one.what) for place, one in enumerate(self.conditions)),
            *((f"actions[{place}].what", one.what) for place, one in enumerate(self.actions)),
            *((f"actions[{place}].owner", one.owner) for place, one in enumerate(self.actions)),
        )  # fmt: skip
        for key, text in texts:
            if name := person_in(text):
                raise ValueError(
                    f"{key}: {name!r} reads like a person; a postmortem names roles: say which role it was, or put the "
                    "word in backticks when it is not a person"
                )
        return self
