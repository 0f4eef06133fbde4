"""What somebody new to a role does first, from rituals, decision rights, agreements and what was written for the role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.operating import Papers
from aether_tui.human import plural
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

EVERYBODY = frozenset({"everybody", "everyone", "all"})


class Step(Struct, frozen=True, kw_only=True):
    """One thing to do in a week, counted from 1, and how both sides know that it is done."""

    week: int
    do: str
    done_when: str


class Curriculum(Struct, frozen=True, kw_only=True):
    """The first weeks of a role."""

    role: str
    steps: tuple[Step, ...]


def curricula(documents: Documents, papers: Papers) -> tuple[Curriculum, ...]:
    """One per role that any document names, by name."""
    from aether_tui.workspace.kinds.onboarding import Onboarding

    written = documents.of(Onboarding)
    named = [
        *(member.role for one in papers.teams for member in one.members), *(one.role for one in written),
        *(part.role for one in papers.rituals for part in one.participation), *(one.decides for one in papers.rights),
    ]  # fmt: skip
    roles: dict[str, str] = {}
    for name in named:
        if name and key(name) not in EVERYBODY:
            roles.setdefault(key(name), one_line(name))
    found = []
    for role, shown in sorted(roles.items()):
        steps = [
            *_reading(documents), *_rituals(papers, role), *_rights(papers, role), *_promises(papers, role),
            *(
                Step(week=step.week, do=one_line(step.do, 400), done_when=one_line(step.done_when, 400))
                for one in written if key(one.role) == role for step in one.steps
            ),
        ]  # fmt: skip
        found.append(Curriculum(role=shown, steps=tuple(sorted(steps, key=lambda step: step.week))))
    return tuple(found)


def key(role: str) -> str:
    """A role without case, and `engineers` as `engineer`."""
    name = " ".join(role.casefold().split())
    return name[:-1] if name.endswith("s") and not name.endswith("ss") and len(name) > 3 else name


def _reading(documents: Documents) -> Iterator[Step]:
    from aether_tui.workspace.kinds.postmortem import Postmortem

    in_force = sum(one.decided is not None and one.reversed is None for one in documents.decisions)
    if in_force:
        yield Step(
            week=1, do=f"Read this handbook and the {plural(in_force, 'decision')} in force",
            done_when="You have named one you would have decided otherwise, and heard why it was not",
        )  # fmt: skip
    failures = documents.of(Postmortem)
    if failures:
        yield Step(
            week=1, do=f"Read the last {plural(min(3, len(failures)), 'postmortem')}",
            done_when="You can say which of their conditions could let something happen today",
        )  # fmt: skip


def _rituals(papers: Papers, role: str) -> Iterator[Step]:
    for one in papers.rituals:
        parts = [part for part in one.participation if key(part.role) in {role, *EVERYBODY}]
        if one.status not in {"running", "trial"} or not parts:
            continue
        title, part = one_line(one.title), parts[0]
        when = f" ({one_line(one.frequency)})" if one.frequency else ""
        if part.part == "listens":
            yield Step(week=1, do=f"Listen in {title}{when}", done_when="")
            continue
        yield Step(week=1, do=f"Sit in on {title}{when}", done_when="")
        verb = {"leads": "Lead", "decides": "Decide in", "contributes": "Take your part in"}[part.part]
        yield Step(
            week=3,
            do=f"{verb} {title}: {one_line(part.rule, 300)}",
            done_when="; ".join(map(one_line, one.outputs[:2])),
        )


def _rights(papers: Papers, role: str) -> Iterator[Step]:
    for one in papers.rights:
        title = one_line(one.title)
        if key(one.decides) == role:
            heard = ", ".join(map(one_line, one.consulted)) or "nobody named yet"
            yield Step(
                week=2, do=f"You decide: {title}. Hear first: {heard}" + (f", {one_line(one.input_by)}" if one.input_by else ""),
                done_when=f"You know what happens when you do not: {one_line(one.escalation)}" if one.escalation else "",
            )  # fmt: skip
        elif role in {key(name) for name in one.consulted}:
            yield Step(
                week=2, do=f"You are heard before: {title}" + (f", {one_line(one.input_by)}" if one.input_by else ""),
                done_when=f"You have met who decides: {one_line(one.decides) or 'nobody named yet'}",
            )  # fmt: skip


def _promises(papers: Papers, role: str) -> Iterator[Step]:
    functions = {one.function for one in papers.teams if role in {key(member.role) for member in one.members}}
    for one in papers.agreements:
        if one.provider in functions and one.provides:
            answer = "" if one.response_h is None else f" within {one.response_h:g} working hours"
            yield Step(
                week=4, do=f"Keep what {one.provider} promised {one.consumer}: {one_line('; '.join(one.provides), 300)}{answer}",
                done_when=f"{one.consumer} has had one from you",
            )  # fmt: skip
