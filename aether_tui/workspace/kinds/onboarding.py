"""What somebody new to a role does in their first weeks."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from aether_tui.workspace.document import Document, Line, Links, numbered


class Step(BaseModel):
    """One thing to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    week: int = Field(ge=1, le=52, description="Week it belongs in, counted from 1")
    do: Line = Field(description="What to do")
    done_when: str = Field(default="", max_length=300, description="How both sides know that it is done")


class Onboarding(Document):
    """The curriculum of a role beyond what follows from rituals, decision rights and agreements."""

    PLURAL: ClassVar[str] = "onboarding"
    PREFIX: ClassVar[str] = "ONB-"

    id: str = Field(pattern=numbered("ONB-"), description="Id, and the file's name")
    role: Line = Field(description="Role, as rituals and decision rights name it")
    steps: list[Step] = Field(default_factory=list, description="What to do, week by week")
    links: Links = Field(default_factory=list)

    @property
    def title(self) -> str:
        """The role."""
        return self.role

    def lacks(self) -> tuple[str, ...]:
        """A curriculum without steps is a title."""
        return () if self.steps else ("steps",)
