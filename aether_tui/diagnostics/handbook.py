"""The handbook: how we work, and what somebody new does first, from what is written down (diagnostics P)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import canvas
from aether_tui.diagnostics.curriculum import Curriculum, curricula
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.operating import Papers, decide
from aether_tui.human import NONE, number, plural
from aether_tui.report_model import Block, Col, Gap, Prose, Report, Row, Table
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.workspace.document import Document
    from aether_tui.workspace.documents import Documents


class Handbook(Struct, frozen=True, kw_only=True):
    """How many documents of each kind it was made of, and the curriculum of each role."""

    made_of: dict[str, int]
    roles: tuple[Curriculum, ...]


def build(data: Data, documents: Documents, clock: Clock) -> Report[Handbook]:
    """The report."""
    del data  # the handbook is what people wrote
    papers = canvas.read(documents)
    sources = _sources(documents, papers)
    book = Handbook(
        made_of={name: len(found) for name, found in sources.items() if found}, roles=curricula(documents, papers)
    )
    return Report(
        report="handbook",
        title="Handbook",
        as_of=clock.now,
        window=clock.window,
        data=book,
        headline=headline(book),
        blocks=tuple(_blocks(documents, papers, sources, book)),
    )  # fmt: skip


def _sources(documents: Documents, papers: Papers) -> dict[str, Sequence[Document]]:
    from aether_tui.workspace.documents import KINDS
    from aether_tui.workspace.kinds.postmortem import Postmortem

    playbook: Sequence[Document] = documents.of(KINDS["playbook"]) if "playbook" in KINDS else ()
    return {
        "rituals": [one for one in papers.rituals if one.status in {"running", "trial"}],
        "decision rights": papers.rights,
        "agreements": papers.agreements,
        "teams": papers.teams,
        "decisions in force": [one for one in documents.decisions if one.decided and not one.reversed],
        "playbook entries": playbook,
        "postmortems": documents.of(Postmortem),
    }


_ONE = {"decisions in force": "decision in force", "playbook entries": "playbook entry"}


def headline(book: Handbook) -> str:
    """What it is made of."""
    if not book.made_of:
        return "Nothing is written down that a handbook could be made of."
    parts = ", ".join(
        f"{n} {name if n != 1 else _ONE.get(name) or name.removesuffix('s')}" for name, n in book.made_of.items()
    )
    first = f"; {plural(len(book.roles), 'role has', 'roles have')} a first month" if book.roles else ""
    return f"How we work, from {parts}{first}."


def _blocks(
    documents: Documents, papers: Papers, sources: dict[str, Sequence[Document]], book: Handbook
) -> Iterator[Block]:
    if not book.made_of and papers.canvas is None:
        reason = "Rituals, decision rights, agreements, teams or decisions make the handbook; none is written down yet."
        yield Gap(
            id="handbook.none",
            title="Handbook",
            reason=reason,
            next_step="aether-tui doc new ritual --from weekly-product-sync",
        )
        return
    yield from _purpose(documents, papers)
    yield from _table("teams", "Teams", ("team", "is there for", "owns"), (
        (one.id, one.title, one.purpose, ", ".join(one.owns)) for one in papers.teams
    ))  # fmt: skip
    yield from _table("rituals", "When we meet", ("ritual", "when", "what would go wrong without it", "before", "after"), (
        (one.id, one.title, one.frequency, one.purpose, "; ".join(one.inputs), "; ".join(one.outputs))
        for one in papers.rituals if one.status in {"running", "trial"}
    ))  # fmt: skip
    yield from _table("rights", "Who decides", ("decision", "decides", "after hearing", "by when", "else"), (
        (one.id, one.title, one.decides, ", ".join(one.consulted), one.input_by, one.escalation) for one in papers.rights
    ))  # fmt: skip
    passages = papers.lifecycle.phases.items() if papers.lifecycle else ()
    yield from _table("lifecycle", "Where a gate stands, and where work flows", ("step out of", "is a", "because"), (
        (phase, phase, decide(passage)[0], decide(passage)[1].partition(": ")[2]) for phase, passage in passages
    ))  # fmt: skip
    yield from _table("agreements", "What we owe each other", ("from → to", "provides", "needs", "first answer"), (
        (one.id, f"{one.provider} → {one.consumer}", "; ".join(one.provides), "; ".join(one.needs),
         "" if one.response_h is None else f"{number(one.response_h)} working hours")
        for one in papers.agreements
    ))  # fmt: skip
    in_force = sorted((one for one in documents.decisions if one.decided and not one.reversed), key=_newest_first)
    yield from _table("decisions", "Decisions in force", ("decision", "chosen", "because", "look again"), (
        (one.id, one.title, one.chosen, one.reason, "" if one.review_by is None else one.review_by.isoformat()) for one in in_force
    ))  # fmt: skip
    fields = [one.model_dump() for one in sources["playbook entries"]]
    yield from _table("playbook", "What worked", ("pattern", "when to use it", "who keeps it"), (
        (str(one["id"]), str(one.get("title", "")), str(one.get("when_to_use", "")), str(one.get("owner", ""))) for one in fields
    ))  # fmt: skip
    yield from (_curriculum(one) for one in book.roles)


def _newest_first(one: Document) -> int:
    from aether_tui.workspace.document import number_of

    return -number_of(one.id)


def _purpose(documents: Documents, papers: Papers) -> Iterator[Block]:
    from aether_tui.workspace.kinds.north_star import NorthStar

    star = next(iter(documents.of(NorthStar)), None)
    if star is not None and star.metric:
        at = "" if star.value is None else f" It is {number(star.value)} {star.unit}"
        goal = "" if star.target is None else f" and shall be {number(star.target)} {star.unit}".rstrip()
        by = "" if star.target_by is None else f" by {star.target_by}"
        yield Prose(
            id="handbook.north-star",
            title="The number we are held to",
            text=f"{star.metric}.{at}{goal}{by}".rstrip() + ".",
        )
    boxes = (
        () if papers.canvas is None else (("purpose", papers.canvas.purpose), ("principles", papers.canvas.principles))
    )
    for name, box in boxes:
        if box.lines:
            title = "What we are here for" if name == "purpose" else "Rules that settle a conflict"
            yield Prose(
                id=f"handbook.{name}", title=title, text=". ".join(line.rstrip(".") for line in box.lines) + "."
            )


def _table(name: str, title: str, columns: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[Block]:
    """A table, or nothing where there are no rows; each row begins with its id."""
    found = tuple(Row(id=row[0], cells=tuple(one_line(cell, 600) or NONE for cell in row[1:])) for row in rows)
    if found:
        cols = tuple(Col(key=f"c{place}", title=text, priority=10 - place) for place, text in enumerate(columns))
        yield Table(id=f"handbook.{name}", title=title, columns=cols, rows=found)


def _curriculum(one: Curriculum) -> Table:
    return Table(
        id=f"handbook.role.{one.role}",
        title=f"First weeks: {one.role}",
        columns=(
            Col(key="week", title="week", kind="number", priority=8),
            Col(key="do", title="do", priority=10),
            Col(key="done", title="done when", priority=9),
        ),
        rows=tuple(
            Row(id=f"{one.role}.{place}", cells=(step.week, step.do, step.done_when or NONE))
            for place, step in enumerate(one.steps)
        ),
    )
