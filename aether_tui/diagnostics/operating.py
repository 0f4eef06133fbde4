"""The operating model measured: what is written, what contradicts itself, which passages need a gate (diagnostics M)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from msgspec import Struct

from aether_tui.diagnostics.registers import Registers
from aether_tui.human import number, plural
from aether_tui.report_model import Finding, worst_first
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.agreement import Agreement
    from aether_tui.workspace.kinds.canvas import Canvas
    from aether_tui.workspace.kinds.decision_right import DecisionRight
    from aether_tui.workspace.kinds.lifecycle import Lifecycle, Passage
    from aether_tui.workspace.kinds.ritual import Ritual
    from aether_tui.workspace.kinds.team import Team


@dataclass(frozen=True, slots=True)
class Papers:
    """Everything the operating model is made of."""

    canvas: Canvas | None
    lifecycle: Lifecycle | None
    rights: Sequence[DecisionRight] = ()
    agreements: Sequence[Agreement] = ()
    teams: Sequence[Team] = ()
    rituals: Sequence[Ritual] = ()


class BoxLine(Struct, frozen=True, kw_only=True):
    """One box of the canvas. `backed` says which documents stand behind it."""

    name: str
    prompt: str
    lines: tuple[str, ...]
    evidence: tuple[str, ...]
    wanted: tuple[str, ...]
    backed: str


class Right(Struct, frozen=True, kw_only=True):
    """One decision right."""

    id: str
    title: str
    decides: str
    consulted: tuple[str, ...]
    input_by: str
    escalation: str
    phase: str
    lacks: tuple[str, ...]


class Gate(Struct, frozen=True, kw_only=True):
    """The passage out of a phase: what the decision table says (`row` is the deciding one), and how it is done now."""

    phase: str
    flow: str
    row: str
    now: str


class Interface(Struct, frozen=True, kw_only=True):
    """One agreement between two functions; `response_h` in working hours."""

    id: str
    provider: str
    consumer: str
    provides: tuple[str, ...]
    needs: tuple[str, ...]
    response_h: float | None
    agreed: bool
    lacks: tuple[str, ...]


class Crew(Struct, frozen=True, kw_only=True):
    """One team: roles and counts, never names. `people` counts embedded and lent ones."""

    id: str
    title: str
    shape: str
    function: str
    part_of: str
    owns: tuple[str, ...]
    people: float
    embedded: float
    roles: tuple[str, ...]
    lacks: tuple[str, ...]


class OperatingModel(Struct, frozen=True, kw_only=True):
    """How the organisation works, as written down."""

    boxes: tuple[BoxLine, ...]
    rights: tuple[Right, ...]
    passages: tuple[Gate, ...]
    agreements: tuple[Interface, ...]
    teams: tuple[Crew, ...]
    registers: Registers
    complete: int
    documents: int


def measure(papers: Papers, registers: Registers) -> OperatingModel:
    """The typed form of all of it."""
    every = (*papers.rights, *papers.agreements, *papers.teams, *papers.rituals)
    return OperatingModel(
        boxes=tuple(_boxes(papers, registers)),
        rights=tuple(
            Right(
                id=one.id, title=one_line(one.title), decides=one_line(one.decides), consulted=tuple(one.consulted),
                input_by=one_line(one.input_by), escalation=one_line(one.escalation), phase=one.phase, lacks=one.lacks(),
            )
            for one in papers.rights
        ),
        passages=tuple(
            Gate(phase=phase, flow=decide(passage)[0], row=decide(passage)[1], now=passage.now)
            for phase, passage in (papers.lifecycle.phases.items() if papers.lifecycle else ())
        ),
        agreements=tuple(
            Interface(
                id=one.id, provider=one.provider, consumer=one.consumer, provides=tuple(one.provides), needs=tuple(one.needs),
                response_h=one.response_h, agreed=one.agreed, lacks=one.lacks(),
            )
            for one in papers.agreements
        ),
        teams=tuple(_crew(one) for one in papers.teams),
        registers=registers,
        complete=sum(not one.lacks() for one in every),
        documents=len(every),
    )  # fmt: skip


def decide(passage: Passage) -> tuple[str, str]:
    """Stage-gate or continuous, and the row of the decision table that decides: the first that applies."""
    if passage.outside_approval:
        return "stage-gate", "1: somebody outside must agree"
    if passage.reversible == "hardly":
        return "stage-gate", "2: it can hardly be undone"
    if passage.reversible == "with effort" and passage.release_cost == "high":
        return "stage-gate", "3: costly to do and costly to undo"
    if passage.dependencies >= 2 and passage.reversible != "easily":
        return "stage-gate", f"4: {passage.dependencies} other teams must move with it"
    if passage.release_cost == "high":
        return "continuous", "5: easily undone; make each passage cheaper instead of gating it"
    return "continuous", "6: nothing asks for a gate"


def _crew(one: Team) -> Crew:
    return Crew(
        id=one.id, title=one_line(one.title), shape=one.shape, function=one.function, part_of=one.part_of,
        owns=tuple(one.owns), people=sum(member.count for member in one.members),
        embedded=sum(member.count for member in one.members if member.placement == "embedded"),
        roles=tuple(f"{number(member.count)} {one_line(member.role)}" for member in one.members), lacks=one.lacks(),
    )  # fmt: skip


def _boxes(papers: Papers, registers: Registers) -> Iterator[BoxLine]:
    from aether_tui.workspace.kinds.canvas import BOXES, Canvas

    canvas = papers.canvas or Canvas()
    shapes = [one.shape for one in papers.teams]
    backed = {
        "structure": ", ".join(plural(shapes.count(shape), shape) for shape in ("tribe", "squad", "chapter") if shape in shapes),
        "process": f"{len(papers.lifecycle.phases)} of 7 passages" if papers.lifecycle else "",
        "people": _people(papers.teams),
        "technology": plural(len({one.title for one in registers.tools}), "tool") if registers.tools else "",
        "data": plural(sum(one.state != "unknown" for one in registers.events), "event") if registers.events else "",
        "rituals": plural(len(papers.rituals), "ritual") if papers.rituals else "",
        "governance": plural(len(papers.rights), "decision right") if papers.rights else "",
    }  # fmt: skip
    for name in BOXES:
        box = getattr(canvas, name)
        yield BoxLine(
            name=name, prompt=Canvas.model_fields[name].description or "", lines=tuple(map(one_line, box.lines)),
            evidence=tuple(map(one_line, box.evidence)), wanted=tuple(map(one_line, box.wanted)), backed=backed.get(name, ""),
        )  # fmt: skip


def _people(teams: Sequence[Team]) -> str:
    members = [member for one in teams for member in one.members]
    roles = {member.role.casefold() for member in members}
    return (
        f"{number(sum(member.count for member in members))} people in {plural(len(roles), 'role')}" if members else ""
    )


# --- Contradictions -------------------------------------------------------------------------------------------------

_TWO = re.compile(r"\s*(?:\band\b|\bor\b|[,;/&+])\s*", re.I)


def contradictions(papers: Papers) -> tuple[Finding, ...]:
    """What the documents say against each other; the bad ones first."""
    found = (
        *_two_owners(papers.rights), *_owned_twice(papers.teams), *_two_promises(papers.agreements), *_gates(papers),
        *_rituals(papers.rituals), *_nowhere(papers), *_tribes(papers.teams),
    )  # fmt: skip
    return worst_first(found)


def _said(text: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", text.casefold()).split())


def _two_owners(rights: Sequence[DecisionRight]) -> Iterator[Finding]:
    by_title: dict[str, list[DecisionRight]] = defaultdict(list)
    for one in rights:
        by_title[_said(one.title)].append(one)
        owners = [part for part in _TWO.split(one.decides) if part]
        if len(owners) > 1:
            text = f"{one.id}, {one_line(one.title)}: {one_line(one.decides)} decide; a decision has one owner."
            yield Finding(id=f"canvas.owners.{one.id}", severity="bad", text=text, evidence=(one.id,))
    for same in by_title.values():
        owners = list(dict.fromkeys(one_line(one.decides) for one in same if one.decides))
        if len({_said(owner) for owner in owners}) > 1:
            ids = tuple(one.id for one in same)
            text = f"{one_line(same[0].title)} has two owners: {' and '.join(owners)} ({', '.join(ids)})."
            yield Finding(id=f"canvas.owners.{ids[0]}", severity="bad", text=text, evidence=ids)


def _owned_twice(teams: Sequence[Team]) -> Iterator[Finding]:
    owners: dict[str, list[Team]] = defaultdict(list)
    for one in teams:
        for thing in one.owns:
            owners[_said(thing)].append(one)
    for name, same in owners.items():
        if len(same) > 1:
            text = f"{name!r} is owned by {' and '.join(one_line(one.title) for one in same)}."
            yield Finding(
                id=f"canvas.owned.{same[0].id}", severity="bad", text=text, evidence=tuple(one.id for one in same)
            )


def _two_promises(agreements: Sequence[Agreement]) -> Iterator[Finding]:
    promised: dict[tuple[str, str, str], list[Agreement]] = defaultdict(list)
    for one in agreements:
        for thing in one.provides:
            promised[one.provider, one.consumer, _said(thing)].append(one)
    for (provider, consumer, thing), same in promised.items():
        if len({one.response_h for one in same}) > 1:
            ids = tuple(one.id for one in same)
            text = f"{provider} promises {consumer} {thing!r} within two different times ({', '.join(ids)})."
            yield Finding(id=f"canvas.promise.{ids[0]}", severity="bad", text=text, evidence=ids)


def _gates(papers: Papers) -> Iterator[Finding]:
    held = {one.phase for one in papers.rights}
    for phase, passage in papers.lifecycle.phases.items() if papers.lifecycle else ():
        flow, row = decide(passage)
        if passage.now and passage.now != flow:
            text = f"The step out of {phase} is {passage.now} and should be {flow} (row {row})."
            yield Finding(
                id=f"canvas.flow.{phase}",
                severity="bad" if flow == "stage-gate" else "warn",
                text=text,
                evidence=("lifecycle",),
            )
        if flow == "stage-gate" and phase not in held:
            text = f"The step out of {phase} needs a gate (row {row}), and no decision right says who opens it."
            yield Finding(
                id=f"canvas.gate.{phase}", severity="warn", text=text, evidence=("lifecycle",),
                action=f"aether-tui doc new decision-right --set 'title=…' --set phase={phase}",
            )  # fmt: skip


def _rituals(rituals: Sequence[Ritual]) -> Iterator[Finding]:
    running = [one for one in rituals if one.status in {"running", "trial"}]
    silent = [one for one in running if not one.outputs]
    if silent:
        text = f"{plural(len(silent), 'ritual')} without an output: {', '.join(one_line(one.title) for one in silent[:4])}."
        yield Finding(id="canvas.output", severity="warn", text=text, evidence=tuple(one.id for one in silent))
    for one in running:
        deciding = [each.role for each in one.participation if each.part == "decides"]
        if len(deciding) > 1:
            text = f"In {one_line(one.title)} {' and '.join(map(one_line, deciding))} decide; a decision has one owner."
            yield Finding(id=f"canvas.deciders.{one.id}", severity="warn", text=text, evidence=(one.id,))


def _nowhere(papers: Papers) -> Iterator[Finding]:
    """Roles that decide and are in no team."""
    roles = {_said(member.role) for one in papers.teams for member in one.members}
    lost = [
        one for one in papers.rights if one.decides and not _TWO.search(one.decides) and _said(one.decides) not in roles
    ]
    if roles and lost:
        named = ", ".join(f"{one_line(one.decides)} ({one.id})" for one in lost[:4])
        text = f"{plural(len(lost), 'decision right')} held by a role that is in no team: {named}."
        yield Finding(id="canvas.roles", severity="warn", text=text, evidence=tuple(one.id for one in lost))


def _tribes(teams: Sequence[Team]) -> Iterator[Finding]:
    tribes = {one.id for one in teams if one.shape == "tribe"}
    lost = [one for one in teams if one.shape == "squad" and tribes and one.part_of not in tribes]
    if lost:
        text = f"{plural(len(lost), 'squad')} in no tribe: {', '.join(one_line(one.title) for one in lost[:4])}."
        yield Finding(id="canvas.tribe", severity="info", text=text, evidence=tuple(one.id for one in lost))


def apart(papers: Papers) -> tuple[str, ...]:
    """Functions that have a team and no agreement with anybody."""
    from aether_tui.workspace.kinds.words import Function

    bound = {name for one in papers.agreements for name in (one.provider, one.consumer)}
    here = {one.function for one in papers.teams}
    return tuple(name for name in get_args(Function) if name in here and name not in bound)
