"""Decisions, the override of the gate among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aether_tui.workspace.document import Document, Line, Links, numbered


class GateOverride(BaseModel):
    """Somebody opens the go/no-go gate although it says no. Shown on every export until it expires."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field(description="Who takes the responsibility")
    reason: str = Field(min_length=10, max_length=2000, description="Why, in at least ten characters")
    expires: date = Field(description="Last day it holds")


class Decision(Document):
    """A decision: raised, decided, perhaps reversed. Decision latency is measured from these."""

    PLURAL: ClassVar[str] = "decisions"
    PREFIX: ClassVar[str] = "DEC-"

    id: str = Field(pattern=numbered("DEC-"), description="Id, and the file's name")
    title: Line = Field(description="What is decided, in a line")
    raised: date = Field(description="When the question came up")
    decided: date | None = Field(default=None, description="When it was answered; empty while open")
    owner: str = Field(default="", max_length=200, description="Who decides")
    options: list[Line] = Field(default_factory=list, description="What could be chosen")
    chosen: str = Field(default="", max_length=300, description="What was chosen")
    reason: str = Field(default="", max_length=20_000, description="Why")
    review_by: date | None = Field(default=None, description="When to look at it again")
    reversed: date | None = Field(default=None, description="When it was taken back")
    ritual: str = Field(default="", max_length=40, description="Id of the ritual it was decided in, such as RIT-1")
    links: Links = Field(default_factory=list)
    gate_override: GateOverride | None = Field(default=None, description="Opens the go/no-go gate until a day")

    def lacks(self) -> tuple[str, ...]:
        """An open decision needs an owner and options; a taken one what was chosen, why, and when to look again."""
        names = ("owner", "chosen", "reason", "review_by") if self.decided else ("owner", "options")
        return tuple(name for name in names if getattr(self, name) in ("", [], None))

    @model_validator(mode="after")
    def _in_order(self) -> Decision:
        if self.decided and self.decided < self.raised:
            raise ValueError("`decided` is before `raised`; mend one of the two dates")
        if self.reversed and not self.decided:
            raise ValueError("`reversed` without `decided`; say when it was decided")
        if self.decided and self.reversed and self.reversed < self.decided:
            raise ValueError("`reversed` is before `decided`; mend one of the two dates")
        return self


@dataclass(frozen=True, slots=True)
class Override:
    """A gate override with the decision that holds it."""

    decision: Decision
    override: GateOverride


def active_override(decisions: Iterable[Decision], today: date) -> Override | None:
    """The gate override in force on `today` (the one that expires last), unless its decision was reversed."""
    active = [
        Override(decision, decision.gate_override)
        for decision in decisions
        if decision.gate_override
        and not decision.reversed
        and decision.raised <= today <= decision.gate_override.expires
    ]
    return max(active, key=lambda item: item.override.expires, default=None)
