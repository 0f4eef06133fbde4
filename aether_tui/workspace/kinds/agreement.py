"""What one function gives another, and how fast."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from aether_tui.workspace.document import Document, Line, Links, numbered
from aether_tui.workspace.kinds.words import Function


class Agreement(Document):
    """An interface agreement between two functions: what is provided, what is needed for it, how fast an answer comes."""

    PLURAL: ClassVar[str] = "agreements"
    PREFIX: ClassVar[str] = "AGR-"

    id: str = Field(pattern=numbered("AGR-"), description="Id, and the file's name")
    provider: Function = Field(description="The function that provides")
    consumer: Function = Field(description="The function that receives")
    provides: list[Line] = Field(default_factory=list, description="What it provides")
    needs: list[Line] = Field(default_factory=list, description="What it needs from the other for that")
    response_h: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=None, description="Working hours to a first answer"
    )
    agreed: bool = Field(default=False, description="Both sides have said yes")
    notes: str = Field(default="", max_length=20_000, description="Anything else")
    links: Links = Field(default_factory=list)

    @property
    def title(self) -> str:
        """`product → support: release notes, …`."""
        return f"{self.provider} → {self.consumer}: {', '.join(self.provides) or 'nothing yet'}"

    def lacks(self) -> tuple[str, ...]:
        """What both sides can rely on."""
        names = ("provides", "needs", "response_h", "agreed")
        return tuple(name for name in names if getattr(self, name) in ([], None, False))

    @model_validator(mode="after")
    def _between_two(self) -> Agreement:
        if self.provider == self.consumer:
            raise ValueError("`provider` and `consumer` are the same; an agreement is between two functions")
        return self
