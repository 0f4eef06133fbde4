"""Who may decide what."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from aether_tui.workspace.document import Document, Line, Links, numbered
from aether_tui.workspace.kinds.words import LifecyclePhase


class DecisionRight(Document):
    """Who decides a recurring kind of question, whom they ask, and what happens when they do not."""

    PLURAL: ClassVar[str] = "decision-rights"
    PREFIX: ClassVar[str] = "DR-"

    id: str = Field(pattern=numbered("DR-"), description="Id, and the file's name")
    title: Line = Field(description="The kind of decision, such as Release to all customers")
    decides: str = Field(default="", max_length=200, description="The one role that decides")
    consulted: list[Line] = Field(default_factory=list, description="Roles heard before")
    input_by: str = Field(default="", max_length=200, description="By when they must be heard, such as two days before")
    escalation: str = Field(default="", max_length=300, description="Who decides when it is not decided in time")
    phase: LifecyclePhase | Literal[""] = Field(default="", description="Phase of the lifecycle it lets things pass")
    notes: str = Field(default="", max_length=20_000, description="Anything else")
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """What makes it a right and not a hope."""
        return tuple(
            name for name in ("decides", "consulted", "input_by", "escalation") if getattr(self, name) in ("", [])
        )
