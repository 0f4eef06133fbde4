"""Teams: their shape, what they own, which roles they have."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from aether_tui.workspace.document import Document, Line, Links, numbered
from aether_tui.workspace.kinds.words import Function


class Member(BaseModel):
    """How many of a role a team has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Line = Field(description="Role; never a person")
    count: float = Field(default=1, gt=0, le=10_000, description="How many; 0.5 is somebody for half their time")
    placement: Literal["embedded", "central"] = Field(
        default="embedded", description="Embedded in this team, or lent by a central one"
    )


class Team(Document):
    """One team. Roles and counts only, never names."""

    PLURAL: ClassVar[str] = "teams"
    PREFIX: ClassVar[str] = "TEAM-"

    id: str = Field(pattern=numbered("TEAM-"), description="Id, and the file's name")
    title: Line = Field(description="Name of the team")
    shape: Literal["squad", "tribe", "chapter"] = Field(
        description="Squad: works on one thing. Tribe: squads that share a mission. Chapter: one craft across squads"
    )
    function: Function | Literal["mixed"] = Field(default="mixed", description="The function it belongs to")
    part_of: str = Field(default="", max_length=40, description="Id of the tribe it belongs to, such as TEAM-1")
    purpose: str = Field(default="", max_length=2000, description="What it is there for")
    owns: list[Line] = Field(
        default_factory=list, description="Features, services or numbers only this team answers for"
    )
    members: list[Member] = Field(default_factory=list, description="Roles and how many of each")
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """A chapter owns a craft, the others own things."""
        names = ("purpose", "members") if self.shape == "chapter" else ("purpose", "owns", "members")
        return tuple(name for name in names if getattr(self, name) in ("", []))
