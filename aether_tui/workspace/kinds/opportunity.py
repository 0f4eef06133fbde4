"""The portfolio's entries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from aether_tui.workspace.document import Document, Line, Links, Score, Stated, Weeks, numbered


class Rescored(BaseModel):
    """A score that changed: a day's changes of one field are one entry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: date = Field(description="Day of the change")
    field: Literal["impact", "confidence", "reversibility", "effort_weeks"] = Field(description="What changed")
    before: Weeks = Field(description="Score at the beginning of that day")
    after: Weeks = Field(description="Score at its end")


HISTORY_MOST = 200


class Opportunity(Document):
    """Something worth doing, scored by ICE-P. Each score is a number from 1 to 10, or `[low, mode, high]`."""

    PLURAL: ClassVar[str] = "opportunities"
    PREFIX: ClassVar[str] = "OPP-"

    id: str = Field(pattern=numbered("OPP-"), description="Id, and the file's name")
    title: Line = Field(description="What would be done, in a line")
    impact: Score = Field(description="Movement of the north star, 1–10")
    confidence: Score = Field(description="How sure, 1–10; `evidence` says why")
    reversibility: Score = Field(description="How easily undone, 1–10")
    effort_weeks: Weeks = Field(description="Calendar weeks to the first reliable signal")
    status: Literal["candidate", "chosen", "running", "done", "dropped"] = Field(
        default="candidate", description="Where it stands"
    )
    strategic_bet: bool = Field(
        default=False, description="A major architecture or capability move, whatever its effort"
    )
    evidence: list[Line] = Field(default_factory=list, description="Interviews, trace queries, experiments behind it")
    cluster: str = Field(default="", max_length=300, description="Request category it is about")
    constraint: str = Field(default="", max_length=300, description="Constraint it would relieve")
    links: Links = Field(default_factory=list)
    notes: str = Field(default="", max_length=20_000, description="Anything else")
    created: date | None = Field(default=None, description="When it was written down")
    history: list[Rescored] = Field(
        default_factory=list,
        max_length=HISTORY_MOST,
        description="Scores that changed, oldest first; kept by the program",
    )

    def rescored(self, changes: Mapping[str, Stated], today: date) -> Opportunity:
        """With scores changed and remembered; a change that is taken back on the same day leaves no trace."""
        history = list(self.history)
        for field, after in changes.items():
            before: Stated = getattr(self, field)
            if after == before:
                continue
            earlier = next((one for one in history if one.when == today and one.field == field), None)
            if earlier is not None:
                history.remove(earlier)
                before = earlier.before
            if before != after:
                history.append(
                    Rescored.model_validate({"when": today, "field": field, "before": before, "after": after})
                )
        return self.model_copy(update={**changes, "history": history[-HISTORY_MOST:]})
