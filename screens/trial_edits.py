"""Edits of the experiments screen. These run in a thread; what needs the cache is computed by a command of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from msgspec import Struct

from aether_tui.errors import AetherError, CheckFailed, ConfigurationError
from aether_tui.text import one_line
from aether_tui.workspace import trials
from aether_tui.workspace.edits import change, checked, create, take_back
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit, together

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.experiment import Choice, Experiment, Measured
    from aether_tui.workspace.kinds.playbook import Kind

FILTERS = ("source", "type", "label", "project", "state", "team")
CHOICES: tuple[Choice, ...] = ("kill", "iterate", "scale")
KEPT_BY = {"USD/task": "task.cost", "tokens/task": "task.tokens", "s/turn": "turn.latency"}
"""Units of a limit, and the metric a budget of it is about."""
KINDS: tuple[Kind, ...] = ("prompt", "router rule", "regression test", "onboarding text", "taxonomy or instrumentation")


def new(workspace: Workspace, words: str, now: datetime) -> Edit:
    """A draft by title, or from an opportunity by its id."""
    from aether_tui.workspace.document import numbered
    from aether_tui.workspace.kinds.experiment import Experiment
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Store

    words = one_line(words, 300)
    found = Store(workspace).get(Opportunity, words).document if re.fullmatch(numbered("OPP-"), words) else None
    make = lambda identity: trials.draft(identity, found.title if found else words, now.date(), found)  # noqa: E731
    return create(workspace, Experiment, make, now, "{id} drafted; fill in its one-pager")


def step(
    workspace: Workspace, identity: str, update: Callable[[Experiment], Experiment], now: datetime, what: str
) -> Edit:
    """One step of an experiment, checked by its rules."""
    from aether_tui.workspace.kinds.experiment import Experiment

    return change(workspace, Experiment, identity, update, now, f"{identity} {what}")


def record(workspace: Workspace, identity: str, arms: str, who: str, now: datetime) -> Edit:
    """`METRIC 120/1000 140/1010` typed (the metric may be left out), or cached tasks when nothing is typed."""
    if not arms.strip():
        cached = _computed(workspace, identity, now).measured()
        if not cached:
            raise CheckFailed("no cached task carries an arm of it", where=identity, next_step="type two arms instead")
        return step(workspace, identity, lambda one: trials.record(one, cached), now, f"{len(cached)} results recorded")
    return step(workspace, identity, lambda one: typed(one, arms, who, now), now, "result recorded")


def typed(one: Experiment, arms: str, who: str, now: datetime) -> Experiment:
    """The experiment with `METRIC 120/1000 140/1010`; raises ConfigurationError for what these cannot be."""
    parts = arms.rsplit(maxsplit=2)
    if len(parts) < 2:
        raise ConfigurationError(f"{arms[:40]!r} is not two arms", next_step="type 120/1000 140/1010")
    metric = parts[0] if len(parts) == 3 else one.primary[0].name if one.primary else ""
    found = trials.measured(one, metric, trials.Typed(parts[-2], parts[-1]), who, now.date())
    return checked(trials.record(one, [found]))


def choice_of(text: str) -> Choice:
    """Kill, iterate or scale, by the word or how it begins; raises ConfigurationError for anything else."""
    found = next((choice for choice in CHOICES if text and choice.startswith(text.casefold())), None)
    if found is None:
        raise ConfigurationError(f"{text[:40]!r} is none of {', '.join(CHOICES)}", next_step="type one of them")
    return found


def kind_of(text: str) -> Kind:
    """The kind of a playbook entry, by its word or number; raises ConfigurationError for anything else."""
    found = next((kind for number, kind in enumerate(KINDS, 1) if text in {kind, str(number)}), None)
    if found is None:
        raise ConfigurationError(f"{text[:40]!r} is none of {', '.join(KINDS)}", next_step="type one, or its number")
    return found


def won_of(text: str) -> tuple[str, str, str]:
    """Id, limit and metric of the budget that keeps something won, empty where none is asked for.

    Raises ConfigurationError for a limit that no task can have.
    """
    budget, _, limit = text.strip().partition(" ")
    limit = limit.strip()
    if budget and not limit:
        raise ConfigurationError(
            f"{budget} has no limit", next_step="type an id and a limit, such as refund.cost 0.10 USD/task"
        )
    metric = next((metric for unit, metric in KEPT_BY.items() if limit.endswith(unit)), "")
    if budget and not metric:
        raise ConfigurationError(
            f"{limit[:40]!r} is no limit of a task", next_step=f"end it with one of {', '.join(KEPT_BY)}"
        )
    return budget, limit, metric


class Computed(Struct, frozen=True):
    """What the rule says of an experiment, and what it was computed from."""

    verdict: Literal["kill", "iterate", "scale", "invalid", "none"]
    why: str
    cached: list[object]

    def measured(self) -> list[Measured]:
        """Cached results that nobody recorded yet."""
        from aether_tui.workspace.kinds.experiment import Measured

        return [Measured.model_validate(item) for item in self.cached]


def decision(
    workspace: Workspace, identity: str, choice: Choice, who: str, guardrail: str, note: str, now: datetime
) -> Edit:
    """The decision record, then the experiment that names it; both are taken back together."""
    from aether_tui.workspace.kinds.decision import Decision
    from aether_tui.workspace.kinds.experiment import Experiment
    from aether_tui.workspace.store import Store

    rule = _computed(workspace, identity, now)

    def decided(one: Experiment, link: str) -> Experiment:
        live = rule.measured()
        kept = trials.record(one, live) if live else one
        return trials.decide(kept, choice, rule.verdict, who, now.date(), guardrail=guardrail, link=link, note=note)

    one = Store(workspace).get(Experiment, identity).document
    checked(decided(one, ""))  # before anything is written
    make = lambda made: trials.decision_record(  # noqa: E731
        made, one, choice, rule.verdict, rule.why, who, now.date(), note
    )
    record = create(workspace, Decision, make, now, f"{{id}} records {choice} of {identity}")
    what = f"decided {choice} (computed: {rule.verdict}), see {record.identity}"
    return _named(workspace, record, identity, lambda one: decided(one, record.identity), now, what)


def _named(
    workspace: Workspace,
    made: Edit,
    identity: str,
    update: Callable[[Experiment], Experiment],
    now: datetime,
    what: str,
) -> Edit:
    """The step of an experiment that names what was made for it; that does not stay when the step is refused."""
    try:
        done = step(workspace, identity, update, now, what)
    except AetherError:
        take_back(workspace, made, now)
        raise
    return together([made, done], done.what, identity)


def codify(workspace: Workspace, identity: str, kind: Kind, owner: str, won: str, now: datetime) -> Edit:
    """The playbook entry, the budget that keeps it won (`ID LIMIT`, or nothing) and the experiment's last step, as one edit."""
    from aether_tui.workspace.codify import codify as write
    from aether_tui.workspace.kinds.playbook import PlaybookEntry

    budget, limit, metric = won_of(won)

    def entry(made: str, one: Experiment) -> PlaybookEntry:
        return trials.playbook_entry(made, one, kind, owner, now.date(), budget=budget)

    def keep() -> Edit:
        from aether_tui.budgets.keep import add_budget
        from aether_tui.workspace.kinds.experiment import Experiment
        from aether_tui.workspace.store import Store

        feature = Store(workspace).get(Experiment, identity).document.feature
        return add_budget(workspace, budget, metric, limit, {"feature": feature} if feature else {}, now.date())

    return write(workspace, identity, entry, owner, now, keep if budget else None)


class Opening(Struct, frozen=True):
    """What the next cycle would open on, and the cycle it closes."""

    constraint: str
    goal: str
    closes: str | None


def next_opening(workspace: Workspace, now: datetime) -> Opening:
    """What `playbook next-cycle` would do; it solves the value stream, the console does not."""
    return _asked(workspace, ["playbook", "next-cycle", "--dry-run"], now, Opening, form=False)


def _computed(workspace: Workspace, identity: str, now: datetime) -> Computed:
    """By `experiment check` in a process of its own; it reads the cache, the console does not."""
    return _asked(workspace, ["experiment", "check", identity], now, Computed)


class Imported(Struct, frozen=True):
    """What an import would add (fields of each opportunity), and what is there already."""

    added: list[dict[str, object]]
    linked: dict[str, str]

    @property
    def titles(self) -> str:
        """All titles in a line."""
        return ", ".join(str(one["title"]) for one in self.added)


def planned_import(workspace: Workspace, words: str, now: datetime) -> Imported:
    """What `opportunity import` of these words would do: `label=ai team=Answers`, or the path of a file."""
    try:
        parts = shlex.split(words)
    except ValueError:
        parts = [words]
    if len(parts) == 1 and "=" not in parts[0]:
        flags = ["--", str(workspace.root / parts[0])]
    else:
        pairs = [part.partition("=") for part in parts]
        wrong = next((name for name, equals, _ in pairs if name not in FILTERS or not equals), None)
        if wrong is not None:
            raise ConfigurationError(
                f"{wrong[:40]!r} is no filter", next_step=f"one of {', '.join(FILTERS)}, as name=value"
            )
        flags = [f"--{name}={value}" for name, _, value in pairs]
    found = _asked(workspace, ["opportunity", "import", "--dry-run", *flags], now, Imported)
    return Imported([{k: v for k, v in one.items() if k != "assumed"} for one in found.added], found.linked)


S = TypeVar("S")


def _asked(workspace: Workspace, command: list[str], now: datetime, kind: type[S], *, form: bool = True) -> S:
    """The JSON a command prints; CheckFailed with its own sentence when it prints none."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "aether_tui", "-w", str(workspace.root), "--as-of", now.isoformat(),
         *command[:2], *(("--format", "json") if form else ()), *command[2:]],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    try:
        return msgspec.json.decode(done.stdout, type=kind)
    except msgspec.MsgspecError as error:
        said = done.stderr.decode(errors="replace").strip().removeprefix("aether-tui: ")
        raise CheckFailed(one_line(said) or "could not be computed", where=" ".join(command[:2])) from error
