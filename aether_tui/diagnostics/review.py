"""Review packs: a paragraph to read aloud and the questions of a weekly, monthly or quarterly review (diagnostics N).

The window decides which: up to ten days the weekly product sync, up to 45 the monthly operating review, beyond that the
quarterly strategy refresh. Every part is a block of another report over the same data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, cast

from msgspec import Struct, structs

from aether_tui.diagnostics import narrative, windows
from aether_tui.diagnostics.frame import Clock, Data, Readable
from aether_tui.diagnostics.narrative import Sentence
from aether_tui.diagnostics.run import ask, brief, documents_of, open_data
from aether_tui.human import plural
from aether_tui.report_model import Block, Col, Facts, Gap, Prose, Report, Row, Table

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.folder import Workspace

Cadence = Literal["weekly", "monthly", "quarterly"]

TITLES: dict[Cadence, str] = {
    "weekly": "Weekly product sync",
    "monthly": "Monthly operating review",
    "quarterly": "Quarterly strategy refresh",
}
PROMISED = ("What did we promise?", "commitments", "commitments.rows")
CHANGED = ("What changed?", "anomalies", "anomalies.changes")
SCORES = ("Where do we stand?", "lens", "lens.scores")
DECIDED = ("What is decided, and what waits for it?", "decisions", "decisions.ledger")
AGENDA: dict[Cadence, tuple[tuple[str, str, str], ...]] = {
    "weekly": (
        PROMISED,
        CHANGED,
        ("What is stuck?", "flow", "flow.items_past_p85"),
        ("Which budgets need somebody?", "budgets", "budgets.rows"),
        ("What is being tried?", "experiments", "experiments.items"),
        DECIDED,
    ),
    "monthly": (
        PROMISED,
        SCORES,
        CHANGED,
        ("How do we deliver?", "scorecard", "scorecard.services"),
        ("Where do ideas stay?", "pipeline", "pipeline.stages"),
        ("Which budgets need somebody?", "budgets", "budgets.rows"),
        ("What do model calls cost?", "attribution", "attribution.movers"),
        DECIDED,
    ),
    "quarterly": (
        PROMISED,
        ("What did the cycles gain?", "gains", "gains.cycles"),
        SCORES,
        ("How much of what we began came through?", "pipeline", "pipeline.cohorts"),
        ("How mature is how we work?", "maturity", "maturity.pillars"),
        ("What one thing would unlock most?", "constraint", "constraint.levers"),
        ("What is worth doing next?", "portfolio", "portfolio.items"),
        ("What did we learn to keep?", "playbook", "playbook.entries"),
        DECIDED,
    ),
}
"""Question, report, and the block of it that answers."""
SHOWN = 8
_SETTLED = frozenset({"pass", "no-data"})


class Part(Struct, frozen=True, kw_only=True):
    """One question of the agenda, the report that answers, and whether it has an answer."""

    question: str
    report: str
    answered: bool


class Pack(Struct, frozen=True, kw_only=True):
    """The sentences in order with the facts each rests on, and the agenda."""

    cadence: Cadence
    sentences: tuple[Sentence, ...]
    parts: tuple[Part, ...]


def cadence_of(days: float) -> Cadence:
    """Which review a window of so many days is for."""
    return "weekly" if days <= 10 else "monthly" if days <= 45 else "quarterly"


def build(data: Data, documents: Documents, clock: Clock) -> Report[Pack]:
    """The pack that the length of the window asks for."""
    return assemble(data, documents, clock, cadence_of(windows.days(clock.window)))


def made(
    workspace: Workspace, config: Config, clock: Clock, cache: Readable, cadence: Cadence, *, leaves: bool = False
) -> Report[Struct]:
    """The pack of one cadence, whatever the window; `leaves` and what it raises are as in `run_report`."""
    with open_data(config, clock, cache) as data:
        return cast("Report[Struct]", assemble(data, documents_of(workspace, config, leaves=leaves), clock, cadence))


def assemble(data: Data, documents: Documents, clock: Clock, cadence: Cadence) -> Report[Pack]:
    """The paragraph, then question by question."""
    agenda = AGENDA[cadence]
    wanted = dict.fromkeys((*narrative.SOURCES, *(report for _, report, _ in agenda)))
    ask(wanted, data, documents, clock)
    reports = {name: brief(name, data, documents, clock) for name in wanted}
    sentences = narrative.tell({name: reports[name] for name in narrative.SOURCES}, clock.window, clock.previous)
    answers = {question: _answer(question, reports[name], block) for question, name, block in agenda}
    parts = tuple(
        Part(question=question, report=name, answered=not isinstance(answers[question][-1], Gap))
        for question, name, _ in agenda
    )
    return Report(
        report="review",
        title=TITLES[cadence] if any(one.answered for one in parts) else "Review",
        as_of=clock.now,
        window=clock.window,
        data=Pack(cadence=cadence, sentences=sentences, parts=parts),
        headline=headline(cadence, sentences, parts),
        freshness=data.freshness(),
        blocks=(*paragraph(sentences), *(block for found in answers.values() for block in found)),
        details={f"review.facts/{place}": held(one, reports) for place, one in enumerate(sentences, 1)},
    )


def headline(cadence: Cadence, sentences: Sequence[Sentence], parts: Sequence[Part]) -> str:
    """Which review, and how much of it can be answered."""
    told = sum(one.answered for one in parts)
    return f"{TITLES[cadence]}: {plural(len(sentences), 'sentence')} from facts; {told} of {plural(len(parts), 'question')} answered."


NOTHING = "There is nothing to say yet: no source is connected and nothing is promised, so every sentence would be an opinion."


def paragraph(sentences: Sequence[Sentence]) -> tuple[Block, ...]:
    """The sentences in one piece, each with the number of its line in the table of facts."""
    if not sentences:
        return (
            Gap(id="review.none", title="To be read aloud", reason=NOTHING, action="app.sync",
                next_step="connect a source: add it to aether.toml, then aether-tui sync; or ask people: aether-tui, then g i"),
        )  # fmt: skip
    text = " ".join(f"{one.text} [{place}]" for place, one in enumerate(sentences, 1))
    rows = tuple(_row(place, one) for place, one in enumerate(sentences, 1))
    columns = (
        Col(key="n", title="sentence", kind="number", priority=10),
        Col(key="facts", title="facts", priority=10, width=100),
    )
    return (
        Prose(id="review.paragraph", title="To be read aloud", text=text),
        Table(id="review.facts", title="What each sentence rests on", columns=columns, rows=rows),
    )


def _row(place: int, one: Sentence) -> Row:
    reports = dict.fromkeys(fact.partition("/")[0] for fact in one.facts)
    return Row(
        id=f"{place}",
        cells=(place, ", ".join(one.facts)),
        why="\n".join((one.text, *(f"aether-tui report {name}" for name in reports))),
    )


def held(one: Sentence, reports: Mapping[str, Report[Struct]]) -> tuple[Block, ...]:
    """The facts of a sentence as their own reports show them: key figures, rows with their columns, or the block."""
    found: list[Block] = []
    for fact in one.facts:
        name, _, identity = fact.partition("/")
        for block in reports[name].blocks:
            if block.id == identity:
                found.append(block)
            elif isinstance(block, Facts):
                facts = tuple(item for item in block.facts if item.id == identity)
                found += [structs.replace(block, facts=facts, title="")] if facts else []
            elif isinstance(block, Table):
                rows = tuple(row for row in block.rows if row.id == identity)
                found += [structs.replace(block, rows=rows, note="")] if rows else []
    return tuple(found)


def _answer(question: str, report: Report[Struct], wanted: str) -> tuple[Block, ...]:
    """The question with the report's headline, and the block that answers it; else why there is no answer."""
    block = next((one for one in report.blocks if one.id == wanted), None)
    if block is None or _silent(block):
        return (_unanswered(question, report, block),)
    said = Prose(id=f"review.{report.report}", title=question, text=report.headline)
    return (said, _short(block, report.report) if isinstance(block, Table) else block)


def _silent(block: Block) -> bool:
    if isinstance(block, Facts):
        return all(one.value.value is None for one in block.facts)
    return isinstance(block, Gap) or (isinstance(block, Table) and not block.rows)


def _unanswered(question: str, report: Report[Struct], block: Block | None) -> Gap:
    """Why a question has no answer, in the words of the report that would give it, and what to do about it."""
    gap = block if isinstance(block, Gap) else next((one for one in report.blocks if isinstance(one, Gap)), None)
    empty = block.empty if isinstance(block, Table) else ""
    reason = empty or (gap.reason if gap else "") or report.headline or f"{report.title} has nothing to say."
    step, action = (gap.next_step, gap.action) if gap and not empty else (f"aether-tui report {report.report}", "")
    return Gap(id=f"review.{report.report}", title=question, reason=reason, next_step=step, action=action)


def _short(table: Table, name: str) -> Table:
    """The rows that need somebody, where rows are judged at all; else the first ones."""
    open_rows = [row for row in table.rows if row.state not in _SETTLED]
    rows = open_rows or list(table.rows)
    left = len(table.rows) - len(rows[:SHOWN])
    note = f"{left} more in `aether-tui report {name}`." if left else table.note
    return structs.replace(table, title="", rows=tuple(rows[:SHOWN]), note=note)
