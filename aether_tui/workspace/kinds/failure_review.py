"""Failure reviews: a sample of failed traces, each given one cause by a person. Holds no text of anybody."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aether_tui.workspace.document import Document, Line, numbered

CAUSES = {
    "ceiling": "model intelligence ceiling",
    "retrieval": "retrieval recall or precision",
    "context": "prompt or context pollution",
    "loop": "agent loop inefficiency",
    "latency": "tail latency, given up",
    "evaluation": "evaluation blind spot, not really failed",
    "economics": "unit economics, cut short to save",
    "tool": "tool or data source failed",
    "other": "anything else",
}
"""The categories of a constraint diagnosis, in the order of the digits that stand for them."""


class Reviewed(BaseModel):
    """One failed trace and what it failed of, in the eyes of one or two people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trace: Line = Field(description="Trace id")
    source: str = Field(default="", max_length=200, description="Source that holds it")
    cause: str = Field(default="", max_length=60, description="Key of the cause")
    who: str = Field(default="", max_length=200, description="Who gave it")
    second: str = Field(default="", max_length=60, description="Key of the cause, by a second rater")
    second_who: str = Field(default="", max_length=200, description="Who the second rater is")


class FailureReview(Document):
    """A seeded sample of failed traces, one cause each, so that a cause has a share and a price."""

    PLURAL: ClassVar[str] = "failure-reviews"
    PREFIX: ClassVar[str] = "FR-"

    id: str = Field(pattern=numbered("FR-"), description="Id, and the file's name")
    title: Line = Field(description="What was sampled, in a line")
    created: date | None = Field(default=None, description="When the sample was drawn")
    start: date = Field(description="First day of the window")
    end: date = Field(description="Day after the last")
    seed: int = Field(default=0, description="Seed of the sample")
    failed: int = Field(ge=0, description="Failed traces in the window, of which the sample is drawn")
    cost_per_failure: float | None = Field(
        default=None,
        ge=0,
        le=1e12,
        allow_inf_nan=False,
        description="Money one failure costs; none: only shares are told",
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Currency of that cost")
    causes: dict[str, Line] = Field(default_factory=lambda: dict(CAUSES), description="Key → cause; at most nine")
    traces: list[Reviewed] = Field(default_factory=list, max_length=1000, description="The sample")

    @model_validator(mode="after")
    def _known(self) -> FailureReview:
        if not 1 <= len(self.causes) <= 9:
            raise ValueError(f"{len(self.causes)} causes; one to nine have a digit each")
        if self.end <= self.start:
            raise ValueError("`end` is not after `start`; mend one of the two dates")
        for item in self.traces:
            for given, by in ((item.cause, item.who), (item.second, item.second_who)):
                if given and given not in self.causes:
                    raise ValueError(f"trace {item.trace}: no cause {given!r}; causes are {', '.join(self.causes)}")
                if given and not by:
                    raise ValueError(f"trace {item.trace}: nobody is named for {given!r}; say who gave the cause")
        if len({(item.source, item.trace) for item in self.traces}) < len(self.traces):
            raise ValueError("a trace stands twice; remove one")
        return self

    def lacks(self) -> tuple[str, ...]:
        """A sample, and a cause for each of its traces."""
        if not self.traces:
            return ("traces",)
        return () if all(one.cause for one in self.traces) else ("traces[].cause",)

    def rated(self, source: str, trace: str, cause: str, who: str) -> FailureReview:
        """The review with one more verdict: the first person's, or that of a second one; the same person's is replaced.

        Raises ConfigurationError for a trace that is not in the sample, an unknown cause, or a third rater.
        """
        from aether_tui.errors import ConfigurationError

        at = next((i for i, item in enumerate(self.traces) if (item.source, item.trace) == (source, trace)), None)
        if at is None:
            raise ConfigurationError(f"trace {trace!r} is not in the sample", where=self.id)
        if cause not in self.causes:
            raise ConfigurationError(
                f"no cause {cause!r}", where=self.id, next_step=f"causes are {', '.join(self.causes)}"
            )
        item = self.traces[at]
        if not item.who or item.who == who:
            changed = item.model_copy(update={"cause": cause, "who": who})
        elif not item.second_who or item.second_who == who:
            changed = item.model_copy(update={"second": cause, "second_who": who})
        else:
            raise ConfigurationError(
                f"trace {trace} is rated by {item.who} and {item.second_who}",
                where=self.id,
                next_step="two raters are enough",
            )
        return self.model_copy(update={"traces": [*self.traces[:at], changed, *self.traces[at + 1 :]]})
