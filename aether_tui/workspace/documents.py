"""Authored documents: what people write down in an engagement, one YAML file each. Unknown keys are refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.problems import Problem
    from aether_tui.workspace.folder import Workspace

D = TypeVar("D", bound="Document")

Stated = float | tuple[float, float, float]
"""A number as somebody stated it: one value, or low, most likely, high."""


def low_mode_high(value: Stated) -> tuple[float, float, float]:
    """The three points of a stated number; one value stands for all three."""
    return value if isinstance(value, tuple) else (value, value, value)


def _stated(low: float, high: float) -> BeforeValidator:
    allowed = f"it is a number from {low:g} to {high:g}, or [low, mode, high]"

    def check(value: object) -> Stated:
        points = value if isinstance(value, list | tuple) else [value]
        numbers = [float(point) for point in points if isinstance(point, int | float) and not isinstance(point, bool)]
        if len(numbers) != len(points) or len(points) not in {1, 3}:
            raise ValueError(f"not a number or a range of three; {allowed}")
        if not all(low <= number <= high for number in numbers):
            raise ValueError(f"outside {low:g} to {high:g}; {allowed}")
        if len(numbers) == 1:
            return numbers[0]
        if not numbers[0] <= numbers[1] <= numbers[2]:
            raise ValueError("a range rises: low, mode, high; put the three numbers in order")
        return numbers[0], numbers[1], numbers[2]

    return BeforeValidator(check)


Score = Annotated[Stated, _stated(1, 10)]
Weeks = Annotated[Stated, _stated(0.1, 520)]
Line = Annotated[str, Field(min_length=1, max_length=300)]


class Document(BaseModel):
    """One authored file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    PLURAL: ClassVar[str]
    """Folder under `engagement/`."""
    PREFIX: ClassVar[str]
    """Ids are the prefix and a number; the file is named by the id."""

    id: str = Field(description="Id, and the file's name")


class Opportunity(Document):
    """Something worth doing, scored by ICE-P. Each score is a number from 1 to 10, or `[low, mode, high]`."""

    PLURAL: ClassVar[str] = "opportunities"
    PREFIX: ClassVar[str] = "OPP-"

    id: str = Field(pattern=r"^OPP-\d+$", description="Id, and the file's name")
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
    cluster: str = Field(default="", description="Request category it is about")
    constraint: str = Field(default="", description="Constraint it would relieve")
    notes: str = Field(default="", max_length=20_000, description="Anything else")
    created: date | None = Field(default=None, description="When it was written down")


class Tick(BaseModel):
    """A checklist item that a person ticked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Line = Field(description="Who says so")
    when: date = Field(description="Since when it is so")
    note: str = Field(default="", max_length=2000, description="Anything else")


class Artifact(BaseModel):
    """Something a phase leaves behind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Line = Field(description="What it is, such as north-star, interview, value-stream-map")
    title: Line = Field(description="Name")
    link: str = Field(default="", max_length=2000, description="Address or path in the workspace")
    who: str = Field(default="", max_length=200, description="Who made or read it")
    when: date | None = Field(default=None, description="When")
    note: str = Field(default="", max_length=20_000, description="Anything else")


class Cycle(Document):
    """One turn of the flywheel: what was ticked by hand, and what it left behind."""

    PLURAL: ClassVar[str] = "cycles"
    PREFIX: ClassVar[str] = "cycle-"

    id: str = Field(pattern=r"^cycle-\d+$", description="Id, and the file's name")
    started: date = Field(description="First day")
    ended: date | None = Field(default=None, description="Last day; empty while it runs")
    goal: str = Field(default="", max_length=2000, description="What this cycle is for")
    items: dict[str, Tick] = Field(default_factory=dict, description="Checklist item id → who ticked it, and when")
    artifacts: list[Artifact] = Field(default_factory=list, description="What the phases left behind")
    notes: str = Field(default="", max_length=20_000, description="Anything else")

    @property
    def number(self) -> int:
        """1 for the first cycle."""
        return int(self.id.removeprefix(self.PREFIX))

    @model_validator(mode="after")
    def _in_order(self) -> Cycle:
        if self.ended and self.ended < self.started:
            raise ValueError("`ended` is before `started`; mend one of the two dates")
        return self


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

    id: str = Field(pattern=r"^DEC-\d+$", description="Id, and the file's name")
    title: Line = Field(description="What is decided, in a line")
    raised: date = Field(description="When the question came up")
    decided: date | None = Field(default=None, description="When it was answered; empty while open")
    owner: str = Field(default="", max_length=200, description="Who decides")
    options: list[Line] = Field(default_factory=list, description="What could be chosen")
    chosen: str = Field(default="", max_length=300, description="What was chosen")
    reason: str = Field(default="", max_length=20_000, description="Why")
    review_by: date | None = Field(default=None, description="When to look at it again")
    reversed: date | None = Field(default=None, description="When it was taken back")
    gate_override: GateOverride | None = Field(default=None, description="Opens the go/no-go gate until a day")

    @model_validator(mode="after")
    def _in_order(self) -> Decision:
        if self.decided and self.decided < self.raised:
            raise ValueError("`decided` is before `raised`; mend one of the two dates")
        if self.reversed and not self.decided:
            raise ValueError("`reversed` without `decided`; say when it was decided")
        return self


KINDS: dict[str, type[Document]] = {"opportunity": Opportunity, "cycle": Cycle, "decision": Decision}
"""Kinds of documents by the name `doc` commands use."""


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


@dataclass(frozen=True)
class Documents:
    """What the engagement's authors wrote; each kind is read once, when it is first asked for.

    Broken files are in `problems`, everything else is usable.
    """

    workspace: Workspace
    config: Config

    @cached_property
    def opportunities(self) -> tuple[Opportunity, ...]:
        """By number."""
        return self._read(Opportunity)[0]

    @cached_property
    def cycles(self) -> tuple[Cycle, ...]:
        """By number."""
        return self._read(Cycle)[0]

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """By number."""
        return self._read(Decision)[0]

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with files of any kind."""
        return tuple(problem for kind in KINDS.values() for problem in self._read(kind)[1])

    @cached_property
    def cycle(self) -> Cycle | None:
        """The running cycle: the newest that has not ended."""
        return next((cycle for cycle in reversed(self.cycles) if cycle.ended is None), None)

    @cached_property
    def _found(self) -> dict[type[Document], tuple[tuple[Document, ...], list[Problem]]]:
        return {}

    def _read(self, kind: type[D]) -> tuple[tuple[D, ...], list[Problem]]:
        if kind not in self._found:
            from aether_tui.workspace.store import Store

            stored, problems = Store(self.workspace).all(kind)
            self._found[kind] = tuple(item.document for item in stored), problems
        documents, problems = self._found[kind]
        return cast("tuple[D, ...]", documents), problems
