"""What people do with experiments: each step is checked, dated and added to the history; nothing is overwritten."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from aether_tui.errors import CheckFailed, ConfigurationError

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.decision import Decision
    from aether_tui.workspace.kinds.experiment import Choice, Experiment, Measured, Verdict
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.kinds.playbook import Kind, PlaybookEntry

T = TypeVar("T")
REVIEW_DAYS = 90
"""A playbook entry is looked at again after so many days, unless somebody says otherwise."""


def draft(
    identity: str, title: str, today: date, opportunity: Opportunity | None = None, cycle: str = ""
) -> Experiment:
    """A new experiment, from an opportunity where there is one."""
    from aether_tui.workspace.kinds.experiment import Experiment

    fields: dict[str, object] = {"id": identity, "title": title, "created": today, "cycle": cycle}
    if opportunity is not None:
        fields |= {"opportunity": opportunity.id, "cluster": opportunity.cluster, "if_we": opportunity.title,
                   "because": "; ".join(opportunity.evidence)[:2000]}  # fmt: skip
    return _made(Experiment, fields, title)


def review(one: Experiment, who: str, when: date, note: str = "") -> Experiment:
    """Somebody has read the one-pager. It may still have gaps: they are closed before the start. Raises CheckFailed after that."""
    if one.state not in {"draft", "reviewed"} and not note:
        raise CheckFailed(
            f"{one.state} already, and a review comes before the start", where=one.id,
            next_step=f"b takes it back, as does aether-tui experiment back {one.id}",
        )  # fmt: skip
    return _step(one, {"to": "reviewed", "who": who, "when": when, "note": note})


def start(one: Experiment, who: str, when: date, *, shadow: bool = False, note: str = "") -> Experiment:
    """Start it, in shadow or with real traffic. Raises CheckFailed naming the fields that are missing."""
    from aether_tui.workspace.kinds.experiment import missing

    if gaps := missing(one):
        fields = ", ".join(gap.field for gap in gaps)
        raise CheckFailed(
            f"incomplete, so it cannot be started; missing: {fields}", where=one.id,
            next_step=f"f fills it in, and `aether-tui experiment check {one.id}` asks the questions",
        )  # fmt: skip
    if one.shadow_first and not shadow and one.state == "reviewed":
        raise CheckFailed(
            "its one-pager says shadow first",
            where=one.id,
            next_step="start it with --shadow, or say why not in why_no_shadow",
        )
    return _step(one, {"to": "running", "who": who, "when": when, "shadow": shadow, "note": note})


def back(one: Experiment, who: str, when: date, note: str) -> Experiment:
    """One way back: running → reviewed, the others → draft, as a new entry with the reason. Raises CheckFailed for a draft."""
    if one.state == "draft":
        raise CheckFailed("a draft has no step before it", where=one.id)
    return _step(one, {"to": "reviewed" if one.state == "running" else "draft", "who": who, "when": when, "note": note})


def record(one: Experiment, results: list[Measured]) -> Experiment:
    """Results more; earlier ones stay. Raises CheckFailed when it was never started."""
    if one.started is None and one.state not in {"decided", "codified"}:
        raise CheckFailed("not started, so it has no results", where=one.id, next_step="review and start it first")
    return one.model_copy(update={"results": [*one.results, *results]})


def observe(one: Experiment, text: str, who: str, when: date, link: str = "") -> Experiment:
    """An observation more."""
    from aether_tui.workspace.kinds.experiment import Observation

    seen = _made(Observation, {"text": text, "who": who, "when": when, "link": link}, one.id)
    return one.model_copy(update={"observations": [*one.observations, seen]})


def decide(
    one: Experiment, choice: Choice, computed: Verdict, who: str, when: date, *, guardrail: str = "", link: str = "", note: str = ""
) -> Experiment:  # fmt: skip
    """A person's decision beside the computed verdict. Raises CheckFailed without an observation."""
    from aether_tui.workspace.kinds.experiment import undecidable

    if problem := undecidable(one):
        raise CheckFailed(
            problem.partition(";")[0], where=one.id,
            next_step=f'o writes down what a person saw, as does aether-tui experiment observe {one.id} "TEXT" --who NAME',
        )  # fmt: skip
    return _step(one, {"to": "decided", "who": who, "when": when, "choice": choice, "computed": computed,
                       "guardrail": guardrail, "link": link, "note": note})  # fmt: skip


def decision_record(
    identity: str, one: Experiment, choice: Choice, computed: Verdict, why: str, who: str, when: date, note: str
) -> Decision:
    """The decision as a document of its own, with what the rule said and what the person chose."""
    from aether_tui.workspace.kinds.decision import Decision

    agrees = "as computed" if choice == computed else f"against the computed verdict, {computed}"
    reason = f"Computed verdict: {computed} ({why}). Human verdict: {choice}, by {who}, {agrees}." + (
        f" {note}" if note else ""
    )
    raised = min(one.started or when, when)
    fields = {
        "id": identity, "title": f"{one.id} {choice}: {one.title}"[:300], "raised": raised, "decided": when, "owner": who,
        "options": ["kill", "iterate", "scale"], "chosen": choice, "reason": reason[:20_000],
        "review_by": when + timedelta(days=REVIEW_DAYS),
    }  # fmt: skip
    return _made(Decision, fields, one.id)


def playbook_entry(
    identity: str, one: Experiment, kind: Kind, owner: str, today: date, review_by: date | None = None, body: str = "", budget: str = ""
) -> PlaybookEntry:  # fmt: skip
    """A playbook entry earned by a decided experiment. Raises CheckFailed when nothing was decided."""
    from aether_tui.workspace.kinds.playbook import PlaybookEntry

    held = one.decision
    if held is None or one.state != "decided":
        raise CheckFailed(
            f"{one.state}, not decided: nothing was learned yet", where=one.id, next_step="decide it first"
        )
    learned = f"{one.id} was decided {held.choice} on {held.when} by {held.who} (computed: {held.computed})"
    if held.guardrail:
        learned += f"; guardrail that stays: {held.guardrail}"
    fields = {
        "id": identity, "title": one.title if held.choice == "scale" else f"Not worth it: {one.title}"[:300], "kind": kind,
        "when_to_use": one.because, "body": body, "experiment": one.id, "budget": budget, "owner": owner,
        "review_by": review_by or today + timedelta(days=REVIEW_DAYS), "evidence": learned, "created": today,
    }  # fmt: skip
    return _made(PlaybookEntry, fields, one.id)


def codify(one: Experiment, who: str, when: date, link: str) -> Experiment:
    """The last step: what was learned is in the playbook under `link`."""
    return _step(one, {"to": "codified", "who": who, "when": when, "link": link})


@dataclass(frozen=True, slots=True)
class Typed:
    """Two arms as people write them, `120/1000` or `MEAN±SD/N`."""

    control: str
    treatment: str


def measured(one: Experiment, metric: str, typed: Typed, who: str, when: date) -> Measured:
    """A typed result. Raises ConfigurationError when an arm is not written as `120/1000` or `4.2±1.1/300`."""
    from aether_tui.workspace.kinds.experiment import Measured

    fields = {
        "metric": metric,
        "when": when,
        "who": who,
        "control": _arm(typed.control),
        "treatment": _arm(typed.treatment),
    }
    return _made(Measured, fields, one.id)


def _arm(text: str) -> Mapping[str, float]:
    head, slash, n = text.replace(" ", "").rpartition("/")
    mean, spread, sd = head.replace("+-", "±").partition("±")
    try:
        if not slash:
            raise ValueError
        found = {"n": int(n), "mean": float(mean), "sd": float(sd)} if spread else {"n": int(n), "successes": int(mean)}
        if not all(math.isfinite(value) for value in found.values()):
            raise ValueError
    except ValueError:
        raise ConfigurationError(f"{text[:40]!r} is not an arm such as 120/1000 or 4.2±1.1/300") from None
    return found


def _step(one: Experiment, fields: Mapping[str, object]) -> Experiment:
    from aether_tui.workspace.kinds.experiment import Entry, illegal

    entry = _made(Entry, fields, one.id)
    if problem := illegal(one.last, entry, one.history):
        what, _, fix = problem.partition("; ")
        raise CheckFailed(what, where=one.id, next_step=fix)
    return one.model_copy(update={"history": [*one.history, entry]})


def _made(kind: type[T], fields: Mapping[str, object], where: str) -> T:
    """The model of these fields; raises ConfigurationError naming the first that is wrong."""
    from pydantic import BaseModel, ValidationError

    from aether_tui.problems import explain, raise_first

    assert issubclass(kind, BaseModel)
    try:
        return kind.model_validate(dict(fields))
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), kind, where, {}))
        raise
