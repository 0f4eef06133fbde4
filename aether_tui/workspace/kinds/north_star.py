"""The one number everything is held against."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field

from aether_tui.workspace.document import Document, Links


class NorthStar(Document):
    """The one number everything is held against; Impact of an opportunity is its expected movement."""

    PLURAL: ClassVar[str] = "north-star"
    PREFIX: ClassVar[str] = "north-star"
    SINGLE: ClassVar[bool] = True

    id: str = Field(default="north-star", pattern="^north-star$", description="Id, and the file's name")
    metric: str = Field(default="", max_length=300, description="What is counted, in a line")
    query: str = Field(default="", max_length=4000, description="How it is computed: query, report or dashboard")
    unit: str = Field(default="", max_length=40, description="Unit of value and target, such as % of requests")
    value: float | None = Field(default=None, description="What it is now")
    target: float | None = Field(default=None, description="What it shall be")
    target_by: date | None = Field(default=None, description="By when")
    value_per_success: float | None = Field(default=None, ge=0, description="What one success is worth, in money")
    cost_per_failure: float | None = Field(default=None, ge=0, description="What one failure costs, in money")
    impact_1: str = Field(default="", max_length=300, description="Movement that deserves an Impact of 1")
    impact_4: str = Field(default="", max_length=300, description="Movement that deserves an Impact of 4")
    impact_7: str = Field(default="", max_length=300, description="Movement that deserves an Impact of 7")
    impact_10: str = Field(default="", max_length=300, description="Movement that deserves an Impact of 10")
    signed_by: str = Field(default="", max_length=200, description="Who stands for it")
    signed: date | None = Field(default=None, description="When it was signed")
    links: Links = Field(default_factory=list)

    @property
    def title(self) -> str:
        """The metric."""
        return self.metric

    def lacks(self) -> tuple[str, ...]:
        """What makes it a number to be held to."""
        names = ("metric", "query", "value", "target", "value_per_success", "cost_per_failure", "signed_by", "signed")
        return tuple(name for name in names if getattr(self, name) in ("", None))
