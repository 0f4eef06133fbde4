"""Maturity between interviews: answers typed or imported, and the practices that were carried out."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from aether_tui.workspace.document import Document, Line, Prose, numbered


class Done(BaseModel):
    """A practice that is in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    practice: Line = Field(description="Id of the practice")
    when: date = Field(description="Since when")
    who: str = Field(default="", max_length=200, description="Who says so")


class Assessment(Document):
    """One look at the maturity of the organisation; interviews of the same quarter are read together with it."""

    PLURAL: ClassVar[str] = "assessments"
    PREFIX: ClassVar[str] = "ASM-"
    PRIVATE: ClassVar[bool] = True

    id: str = Field(pattern=numbered("ASM-"), description="Id, and the file's name")
    day: date = Field(description="The day it stands for")
    answers: dict[str, Annotated[int, Field(ge=0, le=5)]] = Field(
        default_factory=dict, description="Statement id → 1–5 as in the interview, 0 does not apply"
    )
    done: list[Done] = Field(default_factory=list, description="Practices that are in place")
    notes: Prose = Field(default="", description="Anything else")
