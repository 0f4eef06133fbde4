"""Experiments: the one-pager, what was measured, and every step it went through.

Where an experiment stands is the last entry of its history: entries are added, never changed, so nothing is lost on the
way back. An experiment that was started is complete, however its file was made.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aether_tui.workspace.document import Document, Line, numbered

Level = Literal[1, 2, 3, 4, 5]
LEVELS: dict[int, str] = {1: "prompt", 2: "context", 3: "model or router", 4: "agent flow", 5: "product"}
State = Literal["draft", "reviewed", "running", "decided", "codified"]
STATES: tuple[State, ...] = get_args(State)
Choice = Literal["kill", "iterate", "scale"]
Verdict = Literal["kill", "iterate", "scale", "invalid", "none"]
Way = Literal["higher", "lower"]
Measure = Literal["success", "errors", "cost", "latency", "tokens", "typed"]

NEXT: dict[State, frozenset[State]] = {
    "draft": frozenset({"reviewed"}),
    "reviewed": frozenset({"running", "draft"}),
    "running": frozenset({"running", "decided", "reviewed"}),
    "decided": frozenset({"codified", "draft"}),
    "codified": frozenset({"draft"}),
}
"""Where one can go from each state. `running` again is the step from shadow to real traffic; to `draft` and from `running`
to `reviewed` are ways back, which need a note."""
WHOLE = frozenset({"running", "decided", "codified"})
"""States an incomplete experiment cannot be in."""
Text = Annotated[str, Field(max_length=2000)]
Share = Annotated[float, Field(gt=0, lt=1)]
Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Above = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Primary(_Part):
    """A metric that decides."""

    name: Line = Field(description="Name of the metric")
    measure: Measure = Field(default="success", description="Read from cached tasks, or typed")
    better: Way | None = Field(
        default=None, description="Which way is good (unsaid: higher success, lower cost, errors, latency, tokens)"
    )
    min_effect: Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)] = Field(
        default=0.0, description="Smallest effect worth having, in the metric's unit (0.02 is two points of a share)"
    )

    @property
    def good(self) -> Way:
        """Which way is good, as said, else as its measure has it."""
        return self.better or ("higher" if self.measure in {"success", "typed"} else "lower")


class Guardrail(_Part):
    """A metric that must not get worse by its margin."""

    name: Line = Field(description="Name of the metric")
    measure: Measure = Field(default="typed", description="Read from cached tasks, or typed")
    better: Way | None = Field(default=None, description="Which way is good (unsaid: higher success, lower all others)")
    margin: Above = Field(description="Worsening that may not be reached, in the metric's unit")

    @property
    def good(self) -> Way:
        """Which way is good, as said, else as its measure has it."""
        return self.better or ("higher" if self.measure == "success" else "lower")


class Arm(_Part):
    """One arm: how many, and successes of them, or mean and standard deviation."""

    n: int = Field(ge=1, le=10**15, description="Tasks, pairs, or the units an arm was given to")
    successes: int | None = Field(default=None, ge=0, description="Successes among them")
    mean: Number | None = Field(default=None, description="Mean")
    sd: Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)] | None = Field(
        default=None, description="Standard deviation"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Arm:
        if (self.successes is None) == (self.mean is None or self.sd is None):
            raise ValueError("an arm has either successes, or mean and sd; give one of the two")
        if self.successes is not None and self.successes > self.n:
            raise ValueError(f"{self.successes} successes of {self.n}; mend one of the two")
        return self


class Measured(_Part):
    """What was measured of one metric; a later one replaces an earlier one of the same metric."""

    metric: Line = Field(description="Name of the metric, as above")
    when: date = Field(description="When it was read")
    source: Literal["cache", "typed", "csv"] = Field(default="typed", description="Where it comes from")
    who: str = Field(default="", max_length=200, description="Who read it")
    control: Arm | None = Field(default=None, description="Control arm")
    treatment: Arm | None = Field(default=None, description="Treatment arm")
    difference: Arm | None = Field(default=None, description="Paired: treatment minus control of the same requests")
    assigned: tuple[int, int] | None = Field(default=None, description="Tasks given to control and treatment, if more")

    @model_validator(mode="after")
    def _whole(self) -> Measured:
        arms = self.control is not None and self.treatment is not None
        if arms == (self.difference is not None) or (self.control is None) != (self.treatment is None):
            raise ValueError("give control and treatment, or the difference of pairs")
        if self.difference is not None and self.difference.successes is not None:
            raise ValueError("a difference of pairs has mean and sd, not successes")
        if self.control and self.treatment and (self.control.mean is None) != (self.treatment.mean is None):
            raise ValueError("both arms have successes, or both have means")
        return self


class Period(_Part):
    """One team in one week of a test of a process."""

    team: Line = Field(description="Team")
    week: date = Field(description="First day of the week")
    treated: bool = Field(description="Whether the new way was used")
    value: Number = Field(description="The primary metric in that week")


class Observation(_Part):
    """Something a person saw, heard or read: what numbers do not say."""

    text: str = Field(min_length=10, max_length=2000, description="What was observed, in at least ten characters")
    who: Line = Field(description="Who observed it")
    when: date = Field(description="When")
    link: str = Field(default="", max_length=2000, description="Interview, trace or recording it comes from")


class Entry(_Part):
    """One step: where to, who and when. A decision carries what the rule said and what the person chose."""

    to: State = Field(description="State it goes to")
    when: date = Field(description="Day")
    who: Line = Field(description="Who says so")
    note: Text = Field(default="", description="Why; needed for a way back")
    shadow: bool = Field(default=False, description="Running beside the real answer, seen by nobody")
    computed: Verdict | None = Field(default=None, description="Verdict of the rule")
    choice: Choice | None = Field(default=None, description="What the person decided")
    guardrail: str = Field(default="", max_length=300, description="Guardrail that stays after scaling")
    link: str = Field(default="", max_length=300, description="Decision or playbook entry written for it")


class Experiment(Document):
    """One experiment. Everything above Level 1 needs the whole one-pager before it can be started."""

    PLURAL: ClassVar[str] = "experiments"
    PREFIX: ClassVar[str] = "EXP-"

    id: str = Field(pattern=numbered("EXP-"), description="Id, and the file's name")
    title: Line = Field(description="What is tried, in a line")
    level: Level = Field(default=2, description="1 prompt, 2 context, 3 model or router, 4 agent flow, 5 product")
    process: bool = Field(default=False, description="Tests a way of working, by teams and weeks, not by requests")
    opportunity: str = Field(
        default="", pattern=numbered("OPP-", or_none=True), description="Opportunity it tests, such as OPP-3"
    )
    cycle: str = Field(default="", pattern=numbered("cycle-", or_none=True), description="Cycle it belongs to")
    if_we: Text = Field(default="", description="If we …")
    then_we_expect: Text = Field(default="", description="… then we expect …")
    because: Text = Field(default="", description="… because …")
    primary: list[Primary] = Field(default_factory=list, max_length=10, description="Metrics that decide")
    guardrails: list[Guardrail] = Field(default_factory=list, max_length=20, description="Metrics that must not suffer")
    baseline: Number | None = Field(default=None, description="Primary metric today: a share, or a mean")
    sd: Above | None = Field(default=None, description="Standard deviation of the primary metric, when it is a mean")
    mde: Above | None = Field(default=None, description="Smallest effect to detect, absolute")
    alpha: Share = Field(default=0.05, description="False alarm rate, two sides")
    power: Share = Field(default=0.8, description="Chance to see the effect when it is there")
    cluster_size: Annotated[float, Field(ge=1, le=1e9)] = Field(
        default=1.0, description="Tasks per randomised unit, such as a customer's requests"
    )
    icc: Annotated[float, Field(ge=0, le=1)] = Field(default=0.0, description="Likeness of tasks within a unit, 0–1")
    cuped_r2: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Share of variance that earlier behaviour explains (CUPED)"
    )
    duration_weeks: Annotated[int, Field(ge=1, le=520)] | None = Field(default=None, description="Whole weeks it runs")
    event_count: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Or: events after which it ends")
    allocation: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="Share of traffic in the experiment"
    )
    treatment_share: Share = Field(default=0.5, description="Share of the experiment's traffic that gets the treatment")
    stop_criteria: Text = Field(default="", description="When it ends, early or late")
    rollback_triggers: list[Line] = Field(default_factory=list, description="What makes us go back at once")
    rollback_owner: str = Field(default="", max_length=200, description="Who goes back")
    instrumentation: Text = Field(default="", description="What must be measured that is not yet; or: nothing")
    shadow_first: bool = Field(default=False, description="Runs in shadow first")
    why_no_shadow: Text = Field(default="", description="Why not, when it does not")
    feature: str = Field(default="", max_length=200, description="Feature whose tasks count")
    cluster: str = Field(default="", max_length=200, description="Request category whose tasks count")
    environment: str = Field(default="", max_length=200, description="Environment; empty: production, or all")
    variant_attribute: str = Field(
        default="", max_length=200, description="Span attribute with the arm, if not the mapped one"
    )
    unit_attribute: str = Field(
        default="", max_length=200,
        description="Span attribute of what an arm is given to, such as customer.id, or `user`; empty: every request",
    )  # fmt: skip
    control_value: Line = Field(default="control", description="Its value in the control arm")
    treatment_value: Line = Field(default="treatment", description="Its value in the treatment arm")
    history: list[Entry] = Field(
        default_factory=list, description="Every step, oldest first; the last is where it stands"
    )
    results: list[Measured] = Field(default_factory=list, description="What was measured")
    periods: list[Period] = Field(default_factory=list, max_length=5000, description="Process tests: team by week")
    observations: list[Observation] = Field(default_factory=list, description="What people saw")
    notes: str = Field(default="", max_length=20_000, description="Anything else")
    created: date | None = Field(default=None, description="When it was written down")

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.history[-1].to if self.history else "draft"

    def lacks(self) -> tuple[str, ...]:
        """What its one-pager still needs."""
        return tuple(gap.field for gap in missing(self))

    @property
    def last(self) -> Entry | None:
        """The last step."""
        return self.history[-1] if self.history else None

    @property
    def started(self) -> date | None:
        """The day the present run began, in shadow or not; None when it is not past its start."""
        return self._run(shadow=True)

    @property
    def exposed(self) -> date | None:
        """The day the present run began with real traffic; in shadow, None."""
        return self._run(shadow=False)

    @property
    def decision(self) -> Entry | None:
        """The last decision, while it stands."""
        found = None
        for entry in self.history:
            found = entry if entry.to == "decided" else None if entry.to in {"draft", "reviewed", "running"} else found
        return found

    @property
    def ended(self) -> date | None:
        """The day it was decided."""
        return self.decision.when if self.decision else None

    @property
    def exempt(self) -> bool:
        """Level 1 needs no one-pager: a prompt is changed back as quickly as it was changed."""
        return self.level == 1

    def _run(self, *, shadow: bool) -> date | None:
        found: date | None = None
        for entry in self.history:
            if entry.to in {"draft", "reviewed"}:
                found = None
            elif entry.to == "running" and found is None and (shadow or not entry.shadow):
                found = entry.when
        return found

    @model_validator(mode="after")
    def _sound(self) -> Experiment:
        names = [*(item.name for item in self.primary), *(item.name for item in self.guardrails)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two metrics have the same name, {twice!r}; rename one")
        unknown = next((item.metric for item in self.results if item.metric not in names), None)
        if unknown is not None:
            raise ValueError(
                f"results of {unknown!r}, which is no metric of it; name one of {', '.join(names) or 'none'}"
            )
        if self.control_value == self.treatment_value:
            raise ValueError("control_value and treatment_value are the same; rename one")
        before: Entry | None = None
        for number, entry in enumerate(self.history, 1):
            if problem := illegal(before, entry, self.history[: number - 1]):
                raise ValueError(f"history entry {number}: {problem}")
            before = entry
        if self.state in WHOLE and (gaps := missing(self)):
            fields = ", ".join(gap.field for gap in gaps)
            raise ValueError(f"it is {self.state} but incomplete: {fields}; fill them in, or take it back to reviewed")
        if self.decision is not None and (problem := undecidable(self)):
            raise ValueError(problem)
        return self


class Missing(_Part):
    """A field of the one-pager that is not filled in, and what it asks."""

    field: str
    asks: str


def missing(one: Experiment) -> tuple[Missing, ...]:
    """Fields of the one-pager that are missing; none for Level 1, which is exempt by choice."""
    if one.exempt:
        return ()
    asked: list[tuple[str, bool, str]] = [
        ("if_we", bool(one.if_we.strip()), "if we do what?"),
        ("then_we_expect", bool(one.then_we_expect.strip()), "then we expect what?"),
        ("because", bool(one.because.strip()), "because of what?"),
        ("primary", bool(one.primary), "which metric decides?"),
        ("guardrails", bool(one.guardrails), "which metric must not suffer, and by how much at most?"),
        ("stop_criteria", bool(one.stop_criteria.strip()), "when does it end?"),
        ("rollback_triggers", bool(one.rollback_triggers), "what makes us go back at once?"),
        ("rollback_owner", bool(one.rollback_owner.strip()), "who goes back?"),
        ("instrumentation", bool(one.instrumentation.strip()), "what must be measured that is not yet (or: nothing)?"),
        ("why_no_shadow", one.shadow_first or bool(one.why_no_shadow.strip()), "shadow mode first, or why not?"),
        ("duration_weeks", one.duration_weeks is not None or one.event_count is not None,
         "for how many whole weeks, or events (event_count)?"),
    ]  # fmt: skip
    if not one.process:
        asked += [
            ("mde", one.mde is not None, "smallest effect it must be able to see?"),
            ("baseline", one.baseline is not None, "what is the primary metric today?"),
            ("allocation", one.allocation is not None, "which share of traffic?"),
        ]
        if one.primary and not _a_share(one.primary[0].measure, one.baseline) and one.sd is None:
            asked.append(("sd", False, "standard deviation of the primary metric?"))
    return tuple(Missing(field=name, asks=words) for name, given, words in asked if not given)


def _a_share(measure: Measure, baseline: float | None) -> bool:
    return measure in {"success", "errors"} or (measure == "typed" and baseline is not None and 0 < baseline < 1)


def illegal(before: Entry | None, entry: Entry, earlier: list[Entry]) -> str:
    """Why this step cannot follow, with the way out; nothing when it can."""
    here: State = before.to if before else "draft"
    there = entry.to
    if there not in NEXT[here]:
        ahead = [state for state in STATES if state in NEXT[here] and STATES.index(state) > STATES.index(here)]
        return f"{here} cannot become {there}; " + (
            f"the next step is {ahead[0]}" if ahead else "it can only go back to draft"
        )
    if before and entry.when < before.when:
        return f"{entry.when} is before the step it follows, {before.when}; mend one of the two days"
    if there == "running" and here == "running" and (entry.shadow or not (before and before.shadow)):
        return "running already; decide it, or take it back to reviewed"
    back = STATES.index(there) < STATES.index(here)
    if back and not entry.note.strip():
        return f"back from {here} to {there} without a note; say why in `note`"
    if there == "decided" and entry.choice is None:
        return "decided without a choice; it is kill, iterate or scale"
    if there != "decided" and (entry.choice or entry.computed):
        return "only the step to decided carries a choice and a computed verdict; remove them"
    if entry.choice == "scale" and not entry.guardrail.strip():
        return "scaling adds a guardrail; name the one that stays in `guardrail`"
    if entry.choice == "scale" and all(one.shadow for one in earlier if one.to == "running"):
        return "scaled from shadow mode alone; run it with real traffic first"
    if entry.shadow and there != "running":
        return "only running can be in shadow; remove `shadow`"
    return ""


def undecidable(one: Experiment) -> str:
    """Why a person cannot decide it yet; nothing when they can."""
    if not one.observations:
        return "decided without an observation; link at least one thing a person saw, in `observations`"
    return ""
