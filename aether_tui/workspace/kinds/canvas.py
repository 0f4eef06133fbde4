"""The operating model on one page: nine boxes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from aether_tui.workspace.document import Document, Line, Links


class CanvasBox(BaseModel):
    """One box: what is so, in short lines, and what shows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: list[Line] = Field(default_factory=list, description="What is so today, one short line each")
    evidence: list[Line] = Field(
        default_factory=list, description="What shows it: ids of documents, addresses, reports"
    )
    wanted: list[Line] = Field(default_factory=list, description="What should be so instead")


def _box(prompt: str) -> CanvasBox:
    box: CanvasBox = Field(default_factory=CanvasBox, description=prompt)
    return box


class Canvas(Document):
    """The operating model as it is: nine boxes, each with lines and what shows them."""

    PLURAL: ClassVar[str] = "canvas"
    PREFIX: ClassVar[str] = "canvas"
    SINGLE: ClassVar[bool] = True

    id: str = Field(default="canvas", pattern="^canvas$", description="Id, and the file's name")
    purpose: CanvasBox = _box("Whom does this organisation serve, and what changes for them?")
    principles: CanvasBox = _box("Which rules settle a conflict when nobody in charge is in the room?")
    structure: CanvasBox = _box("Which teams are there, what does each own, and where do two of them meet?")
    process: CanvasBox = _box("How does an idea become something customers use, and where does it wait?")
    people: CanvasBox = _box("Which skills and roles are there, which are missing, how does one learn here?")
    technology: CanvasBox = _box("On which platforms and tools does work depend, and which hold it up?")
    data: CanvasBox = _box("Which numbers steer, who trusts them, what is not measured?")
    rituals: CanvasBox = _box("Which meetings keep this going, and what does each of them decide?")
    governance: CanvasBox = _box("Who decides what, by when, and what happens when they disagree?")
    links: Links = Field(default_factory=list)

    def lacks(self) -> tuple[str, ...]:
        """Boxes nobody has written in."""
        return tuple(name for name in BOXES if not getattr(self, name).lines)


BOXES = (
    "purpose", "principles", "structure", "process", "people", "technology", "data", "rituals", "governance",
)  # fmt: skip
"""Row by row."""
