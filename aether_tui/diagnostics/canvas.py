"""The report `canvas`: the operating model on one page, with what contradicts itself (diagnostics M, I, K)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from aether_tui.diagnostics import operating, registers
from aether_tui.diagnostics.frame import Clock, Data
from aether_tui.diagnostics.operating import BoxLine, Interface, OperatingModel, Papers
from aether_tui.human import NONE, key_words, number, plural
from aether_tui.report_model import Block, Box, Boxes, Col, Finding, Gap, Report, Row, State, Table, worst_first

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


def build(data: Data, documents: Documents, clock: Clock) -> Report[OperatingModel]:
    """The report."""
    from aether_tui.workspace.kinds.event import Event
    from aether_tui.workspace.kinds.tool import Tool

    papers = read(documents)
    against = operating.contradictions(papers)
    kept = registers.measure(documents.of(Event), documents.of(Tool), data.rows("registers_events"))
    model = operating.measure(papers, kept)
    return Report(
        report="canvas",
        title="Operating model",
        as_of=clock.now,
        window=clock.window,
        data=model,
        headline=headline(model, against),
        findings=worst_first((*against, *registers.findings(kept), *_apart(papers))),
        blocks=blocks(model),
    )


def read(documents: Documents) -> Papers:
    """What the operating model is written in."""
    from aether_tui.workspace.kinds.agreement import Agreement
    from aether_tui.workspace.kinds.canvas import Canvas
    from aether_tui.workspace.kinds.decision_right import DecisionRight
    from aether_tui.workspace.kinds.lifecycle import Lifecycle
    from aether_tui.workspace.kinds.ritual import Ritual
    from aether_tui.workspace.kinds.team import Team

    return Papers(
        canvas=next(iter(documents.of(Canvas)), None),
        lifecycle=next(iter(documents.of(Lifecycle)), None),
        rights=documents.of(DecisionRight),
        agreements=documents.of(Agreement),
        teams=documents.of(Team),
        rituals=documents.of(Ritual),
    )


def headline(model: OperatingModel, found: tuple[Finding, ...]) -> str:
    """How much is written, and how much of it fits together."""
    written = sum(bool(box.lines) for box in model.boxes)
    if not written and not model.documents and not model.registers.events:
        return "Nothing is written down about how the organisation works."
    against = sum(one.severity == "bad" for one in found)
    said = f"{written} of 9 boxes are written"
    if model.documents:
        said += f"; {model.complete} of {model.documents} documents behind them are complete"
    return said + (f"; {plural(against, 'contradiction')}." if against else "; nothing contradicts itself.")


def _apart(papers: Papers) -> tuple[Finding, ...]:
    lonely = operating.apart(papers)
    if not lonely or not papers.agreements:
        return ()
    text = f"No agreement with anybody: {', '.join(lonely)}."
    return (Finding(id="canvas.apart", severity="info", text=text, action="aether-tui doc new agreement"),)


def blocks(model: OperatingModel) -> tuple[Block, ...]:
    """Canvas, rights, lifecycle, agreements, teams, registers; what nobody began is left out."""
    found: list[Block] = [_canvas(model)]
    if model.rights:
        found.append(_rights(model))
    if model.passages:
        found.append(_passages(model))
    if model.agreements:
        found += [_matrix(model), _agreements(model)]
    if model.teams:
        found.append(_teams(model))
    found += registers.blocks(model.registers)
    absent = {
        "who decides what (decision-right)": model.rights, "the steps between phases (lifecycle)": model.passages,
        "what functions promise each other (agreement)": model.agreements, "the teams (team)": model.teams,
        "product events (event)": [one for one in model.registers.events if one.state != "unknown"],
        "tools by job (tool)": model.registers.tools,
    }  # fmt: skip
    if missing := [name for name, known in absent.items() if not known]:
        found.append(
            Gap(id="canvas.missing", title="Not written down yet", reason="; ".join(missing) + ".", next_step="aether-tui doc new KIND")
        )  # fmt: skip
    return tuple(found)


def _canvas(model: OperatingModel) -> Boxes:
    boxes = [_box(box) for box in model.boxes]
    return Boxes(
        id="canvas.boxes",
        title="Canvas",
        rows=tuple(tuple(boxes[place : place + 3]) for place in (0, 3, 6)),
        note="✓ written, and something shows it; ? written, and nothing shows it; · not written.",
    )


def _box(box: BoxLine) -> Box:
    state: State = "no-data" if not box.lines else "pass" if box.evidence or box.backed else "inconclusive"
    lines = (*(box.lines or (box.prompt,)), *((f"({box.backed})",) if box.backed else ()))
    why = [box.prompt, f"shown by {', '.join(box.evidence)}" if box.evidence else "nothing is named that shows it"]
    why += [f"wanted: {line}" for line in box.wanted]
    return Box(id=box.name, title=box.name.capitalize(), lines=lines, state=state, why="\n".join(why))


def _open(lacks: tuple[str, ...]) -> str:
    return ", ".join(map(key_words, lacks)) or NONE


def _rights(model: OperatingModel) -> Table:
    return Table(
        id="canvas.rights",
        title="Who decides what",
        columns=(
            Col(key="id", title="id", priority=8),
            Col(key="title", title="decision", priority=10),
            Col(key="decides", title="decides", priority=9),
            Col(key="consulted", title="after hearing", priority=6),
            Col(key="by", title="by when", priority=5),
            Col(key="escalation", title="else", priority=4),
            Col(key="lacks", title="not written", priority=3),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(
                    one.id, one.title, one.decides or NONE, ", ".join(one.consulted) or NONE, one.input_by or NONE,
                    one.escalation or NONE, _open(one.lacks),
                ),
                why=f"{'lets things leave ' + one.phase if one.phase else 'no phase'}\naether-tui doc show decision-right {one.id}",
            )
            for one in model.rights
        ),
    )  # fmt: skip


def _passages(model: OperatingModel) -> Table:
    return Table(
        id="canvas.lifecycle",
        title="Gate or flow, phase by phase",
        columns=(
            Col(key="phase", title="step out of", priority=10),
            Col(key="flow", title="should be", priority=9),
            Col(key="row", title="because of row", priority=7),
            Col(key="now", title="is today", priority=8),
        ),
        rows=tuple(
            Row(
                id=f"lifecycle.{one.phase}", cells=(one.phase, one.flow, one.row, one.now or NONE),
                why=TABLE,
            )
            for one in model.passages
        ),
    )  # fmt: skip


def _matrix(model: OperatingModel) -> Table:
    from aether_tui.workspace.kinds.words import Function

    functions: tuple[str, ...] = get_args(Function)
    held: dict[tuple[str, str], list[Interface]] = {}
    for one in model.agreements:
        held.setdefault((one.provider, one.consumer), []).append(one)

    def cell(provider: str, consumer: str) -> str:
        if provider == consumer:
            return "·"
        here = held.get((provider, consumer), [])
        times = [one.response_h for one in here if one.response_h is not None]
        if not here:
            return ""
        return (f"{number(max(times))} h" if times else "?") + (
            "" if all(one.agreed for one in here) else "?" if times else ""
        )

    return Table(
        id="canvas.matrix",
        title="Answers between functions, working hours",
        columns=(
            Col(key="function", title="gives ↓  to →", priority=10),
            *(Col(key=name, title=SHORT[name], kind="number", priority=9 - place) for place, name in enumerate(functions)),
        ),
        rows=tuple(
            Row(
                id=f"matrix.{provider}",
                cells=(provider, *(cell(provider, consumer) for consumer in functions)),
                why="\n".join(
                    f"{one.id} to {one.consumer}: {', '.join(one.provides) or 'nothing named'}"
                    for one in model.agreements
                    if one.provider == provider
                )
                or "It provides nothing by agreement.",
            )
            for provider in functions
        ),
        note="The slowest agreed answer; ? is not agreed by both, or without a time; empty: no agreement.",
    )  # fmt: skip


TABLE = """The first row that applies decides:
1 somebody outside must agree: gate
2 it can hardly be undone: gate
3 undone with effort, and a costly release: gate
4 two or more other teams, unless easily undone: gate
5 a costly release that is easily undone: flow
6 else: flow"""
SHORT = {
    "product": "prod", "design": "dsgn", "engineering": "eng", "data": "data", "operations": "ops", "go-to-market": "gtm",
    "support": "supp",
}  # fmt: skip


def _agreements(model: OperatingModel) -> Table:
    return Table(
        id="canvas.agreements",
        title="Interface agreements",
        columns=(
            Col(key="id", title="id", priority=8),
            Col(key="pair", title="from → to", priority=10),
            Col(key="provides", title="provides", priority=9),
            Col(key="needs", title="needs", priority=6),
            Col(key="response", title="answer h", priority=7),
            Col(key="lacks", title="not written", priority=4),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(
                    one.id, f"{one.provider} → {one.consumer}", ", ".join(one.provides) or NONE, ", ".join(one.needs) or NONE,
                    NONE if one.response_h is None else number(one.response_h), _open(one.lacks),
                ),
                why=f"aether-tui doc show agreement {one.id}",
            )
            for one in model.agreements
        ),
    )  # fmt: skip


def _teams(model: OperatingModel) -> Table:
    names = {one.id: one.title for one in model.teams}
    return Table(
        id="canvas.teams",
        title="Teams",
        columns=(
            Col(key="id", title="id", priority=7),
            Col(key="title", title="team", priority=10),
            Col(key="shape", title="shape", priority=9),
            Col(key="part_of", title="in", priority=5),
            Col(key="people", title="people", kind="number", priority=8),
            Col(key="embedded", title="embedded", kind="number", priority=4),
            Col(key="owns", title="owns", priority=6),
        ),
        rows=tuple(
            Row(
                id=one.id,
                cells=(
                    one.id, one.title, one.shape, names.get(one.part_of, one.part_of) or NONE, number(one.people),
                    number(one.embedded), ", ".join(one.owns) or NONE,
                ),
                why=f"{'; '.join(one.roles) or 'no roles written'}\nnot written: {_open(one.lacks)}",
            )
            for one in model.teams
        ),
        note="Embedded: works in the team for good; the others are lent by a central one.",
    )  # fmt: skip
