"""The register of product events."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from aether_tui.workspace.document import Document, Line, Links, numbered


class Event(Document):
    """One product event: what sets it off, what it carries, who owns it, which numbers live on it."""

    PLURAL: ClassVar[str] = "events"
    PREFIX: ClassVar[str] = "EVT-"

    id: str = Field(pattern=numbered("EVT-"), description="Id, and the file's name")
    title: Line = Field(description="Its name exactly as the product sends it")
    trigger: str = Field(default="", max_length=2000, description="What a customer or the system did just before")
    properties: list[Line] = Field(default_factory=list, description="What it carries")
    owner: str = Field(default="", max_length=200, description="Role or team that keeps it right")
    metrics: list[Line] = Field(default_factory=list, description="Numbers that are computed from it")
    status: Literal["planned", "live", "retired"] = Field(default="live", description="Whether it is sent")
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """What somebody needs who trusts a number made of it."""
        return tuple(name for name in ("trigger", "properties", "owner", "metrics") if getattr(self, name) in ("", []))
