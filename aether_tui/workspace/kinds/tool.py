"""The register of tools."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from aether_tui.workspace.document import Document, Line, Links, numbered
from aether_tui.workspace.kinds.words import Level


class Tool(Document):
    """One tool of one team. The job comes first: what somebody hired it for."""

    PLURAL: ClassVar[str] = "tools"
    PREFIX: ClassVar[str] = "TOOL-"

    id: str = Field(pattern=numbered("TOOL-"), description="Id, and the file's name")
    title: Line = Field(description="Name of the tool")
    job: str = Field(default="", max_length=300, description="The job it does, in words a customer of it would use")
    team: str = Field(default="", max_length=200, description="Team that uses it")
    level: Level | Literal[""] = Field(default="", description="How well that job is done with it")
    verdict: Literal["keep", "merge", "drop", ""] = Field(default="", description="What was decided about it")
    notes: str = Field(default="", max_length=20_000, description="Anything else")
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """What a verdict needs."""
        return tuple(name for name in ("job", "team", "level") if not getattr(self, name))
