"""How things pass from one phase of the lifecycle to the next."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from aether_tui.workspace.document import Document, Links
from aether_tui.workspace.kinds.words import LifecyclePhase


class Passage(BaseModel):
    """What the step out of one phase is like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reversible: Literal["easily", "with effort", "hardly"] = Field(description="How it is undone once taken")
    release_cost: Literal["low", "high"] = Field(description="Work and money each passage costs, whatever its size")
    outside_approval: bool = Field(default=False, description="Somebody outside must agree: law, safety, a customer")
    dependencies: int = Field(default=0, ge=0, le=1000, description="Other teams that must move at the same time")
    now: Literal["stage-gate", "continuous", ""] = Field(default="", description="How it is done today")


class Lifecycle(Document):
    """The passage out of each phase; a decision table says which need a gate and which may flow."""

    PLURAL: ClassVar[str] = "lifecycle"
    PREFIX: ClassVar[str] = "lifecycle"
    SINGLE: ClassVar[bool] = True

    id: str = Field(default="lifecycle", pattern="^lifecycle$", description="Id, and the file's name")
    phases: dict[LifecyclePhase, Passage] = Field(default_factory=dict, description="Phase → what leaving it is like")
    links: Links = Field(default_factory=list)
