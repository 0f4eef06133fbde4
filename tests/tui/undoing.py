"""An engagement in which every editing key has something to edit, and the keys; for the walk over the action registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from aether_tui.config import Config
from aether_tui.demo import papers
from aether_tui.demo.world import World
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.run import run_report
from aether_tui.report_model import Col, Row, SavedReport, Table, save
from aether_tui.session import Memory
from aether_tui.workspace.document import Document
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.experiment import Experiment
from aether_tui.workspace.kinds.failure_review import FailureReview
from aether_tui.workspace.kinds.interview import Answer, Interview, Note, Person
from aether_tui.workspace.kinds.taxonomy import Category, Part, Taxonomy
from aether_tui.workspace.store import Store
from tests.tui.workspaces import NOW, _report
from tests.workspace.test_trials import WHOLE

DAY = date(2026, 1, 2)
LATER = 4_102_444_800_000_000_000
BUDGETS = (
    "version: 1\ncurrency: USD\nbudgets:\n"
    "  - {id: ci.main, surface: ci, metric: pipeline.duration, match: {branch: main}, limit: 15min, block: {limit: 10%}}\n"
)


@dataclass(frozen=True)
class Try:
    """Where an editing key is pressed: a screen and a row, a form and a field, or the interview; then what is typed."""

    place: str
    row: str
    key: str
    answers: tuple[str, ...] = ()


EDITS: dict[str, Try] = {
    "form.edit": Try("form:opportunity OPP-1", "title", "enter", ("Another title",)),
    "form.choose": Try("form:opportunity OPP-1", "impact", "9"),
    "form.cycle": Try("form:opportunity OPP-1", "status", "space"),
    "form.add": Try("form:opportunity OPP-1", "links", "n", ("OPP-2",)),
    "form.clear": Try("form:opportunity OPP-1", "created", "delete"),
    "portfolio.rate": Try("portfolio", "portfolio.items/OPP-8", "2"),
    "portfolio.effort": Try("portfolio", "portfolio.items/OPP-8", "w", ("9",)),
    "portfolio.range": Try("portfolio", "portfolio.items/OPP-8", "r", ("1,2,3",)),
    "portfolio.new": Try("portfolio", "portfolio.items/OPP-8", "n", ("Something else",)),
    "portfolio.import": Try("portfolio", "portfolio.items/OPP-8", "i", ("ideas.csv", "y")),
    "page.opportunity": Try("portfolio", "portfolio.items/OPP-8", "O", ("Out of a row",)),
    "app.decide": Try("portfolio", "portfolio.items/OPP-8", "D", ("Keep it", "head of product", "yes")),
    "constraint.rate": Try("constraint", "constraint.traces/FR-1/otlp/t1", "2", ("Ana",)),
    "flywheel.tick": Try("flywheel", "flywheel.phase1/privacy-signed", "space"),
    "flywheel.begin": Try("flywheel", "flywheel.phase1/model", "b", ("2026-11-03",)),
    "flywheel.next-cycle": Try("flywheel", "flywheel.phase1/model", "N", ("retrieval",)),
    "playbook.next-cycle": Try("playbook", "", "N", ("retrieval",)),
    "documents.new": Try("form:tool", "", "", ("A tool",)),
    "papers.new": Try("rituals", "rituals.money/RIT-1", "n", ("planning",)),
    "rituals.inventory": Try("rituals", "rituals.money/RIT-1", "i"),
    "experiments.new": Try("experiments", "experiments.items/EXP-11", "n", ("A new one",)),
    "experiments.review": Try("experiments", "experiments.items/EXP-11", "r", ("Ana",)),
    "experiments.start": Try("experiments", "experiments.items/EXP-12", "t", ("Ana",)),
    "experiments.shadow": Try("experiments", "experiments.items/EXP-12", "S", ("Ana",)),
    "experiments.result": Try("experiments", "experiments.items/EXP-13", "m", ("Ana", "700/1000 690/1000")),
    "experiments.observe": Try("experiments", "experiments.items/EXP-13", "o", ("Ana", "they smiled")),
    "experiments.decide": Try("experiments", "experiments.items/EXP-13", "d", ("Ana", "kill", "not worth it")),
    "experiments.codify": Try("experiments", "experiments.items/EXP-14", "c", ("Ana", "prompt", "refund.cost 0.10 USD/task")),
    "experiments.back": Try("experiments", "experiments.items/EXP-13", "b", ("Ana", "too early")),
    "sitting.answer": Try("sitting:INT-91", "", "4"),
    "sitting.write": Try("sitting:INT-92", "", "", ("Fewer questions",)),
    "sitting.note": Try("sitting:INT-91", "", "n", ("slow #wait",)),
    "sitting.quote": Try("sitting:INT-91", "", "apostrophe", ("we wait",)),
    "sitting.opportunity": Try("sitting:INT-91", "", "O"),
    "sitting.park": Try("sitting:INT-91", "", "p"),
    "sitting.search": Try("sitting:INT-91", "", "slash", ("limits exist",)),
    "sitting.next": Try("sitting:INT-91", "", "tab"),
    "sitting.who": Try("sitting:INT-91", "", "w", ("Ola, ops",)),
    "taxonomy.merge": Try("taxonomy", "taxonomy.kinds/c02", "m", ("c01",)),
    "taxonomy.split": Try("taxonomy", "taxonomy.kinds/c03", "t"),
    "taxonomy.rename": Try("taxonomy", "taxonomy.kinds/c03", "r", ("log in",)),
    "taxonomy.move": Try("taxonomy", "taxonomy.examples/", "w", ("c03",)),
    "maturity.done": Try("maturity", "maturity.next/", "space"),
    "budgets.waive": Try("budgets", "budgets.rows/ci.main", "w", ("moved to next week", "@p", "2026-12-15", "17min")),
    "levers.promote": Try("levers", "levers.rows/ci.0", "p"),
    "page.opportunity documents": Try("over:documents", "documents/opportunity OPP-1", "O", ("Out of a document",)),
    "page.opportunity rows": Try("over:rows", "rows/a", "O", ("Out of what is behind a number",)),
    "page.opportunity trace": Try("over:trace", "trace.tree/a", "O", ("Out of a span",)),
    "page.opportunity replay": Try("over:replay", "replays.answers/a", "O", ("Out of an answer",)),
    "app.decide trace": Try("over:trace", "trace.tree/a", "D", ("Keep it", "head of product", "yes")),
    "report.open": Try("interview", "interview.start/maturity", "enter", ("Ida, ops, lead",)),
}  # fmt: skip
"""Every action that writes what people keep, with one edit that it makes; a word more names another page it is pressed on."""

BY_COMMAND = frozenset({"constraint.sample", "stream.write", "taxonomy.build", "budgets.baseline"})
"""Actions whose edit a command makes that reads the cache; undone in `tests/demo`."""

IN_A_TERMINAL = frozenset({"form.editor"})
"""Undone in `tests/pty`."""

ELSEWHERE = {
    "app.quit": "leaves", "app.sync": "writes the cache", "app.load": "writes the cache", "budgets.receiver": "writes the cache",
    "app.export-all": "writes exports/", "report.export": "writes exports/", "app.undo": "is what is tested",
    "experiments.fill": "opens a form", "stream.form": "opens a form",
}  # fmt: skip
"""Actions that need not be pressed to see whether they edit."""


def engagement(root: Path) -> Workspace:
    """The demonstration's documents, some more, and a saved report for each screen that edits; nothing is out of date."""
    workspace = Workspace(root)
    workspace.config_path.write_text("")
    papers.write(World(NOW.replace(hour=0, tzinfo=None)), workspace, [])
    for document in _more():
        Store(workspace).save(document, None, NOW)
    workspace.budgets_path.parent.mkdir(exist_ok=True)
    workspace.budgets_path.write_text(BUDGETS)
    (root / "ideas.csv").write_text("title,impact\nFrom a list,4\n")
    names = ("flywheel", "portfolio", "maturity", "experiments", "rituals", "constraint", "taxonomy", "stakeholders")
    memory = Memory(workspace)
    for name in names:
        memory.keep_report(name, save(run_report(name, workspace, Config(), Clock.of(NOW))), LATER)
    for name in ("traces", "lens"):
        memory.keep_report(name, save(over(name)), LATER)
    columns = (Col(key="state", title="", kind="state"), Col(key="id", title="id"), Col(key="saving", title="saving"))
    for name, block, row in (("budgets", "budgets.rows", "ci.main"), ("levers", "levers.rows", "ci.0")):
        table = Table(id=block, title=name, columns=columns, rows=(Row(id=row, cells=("pass", row, "3 min a run")),))
        memory.keep_report(name, save(_report(name, name, "One row.", (table,))), LATER)
    return workspace


def over(name: str) -> SavedReport:
    """What a page over the traces shows: one row of the table that its keys are for."""
    block = {"rows": "rows", "trace": "trace.tree", "replay": "replays.answers", "traces": "traces.list"}.get(
        name, name
    )
    table = Table(id=block, title=name, columns=(Col(key="id", title="id"),), rows=(Row(id="a", cells=("a",)),))
    return _report(name, name, "One row.", (table,))


def _more() -> list[Document]:
    def steps(*states: str) -> list[dict[str, object]]:
        return [{"to": state, "when": DAY, "who": "ann"} for state in states]

    typed = [{"metric": "resolved", "when": DAY, "control": {"n": 1000, "successes": 700},
              "treatment": {"n": 1000, "successes": 690}}]  # fmt: skip
    seen = [{"text": "two customers smiled", "who": "ann", "when": DAY}]
    decided = {"to": "decided", "who": "cy", "when": DAY, "choice": "kill", "computed": "iterate"}
    experiments = (
        {"id": "EXP-11"},
        {"id": "EXP-12", "history": steps("reviewed")},
        {"id": "EXP-13", "history": steps("reviewed", "running"), "results": typed, "observations": seen},
        {"id": "EXP-14", "history": [*steps("reviewed", "running"), decided], "results": typed, "observations": seen},
    )  # fmt: skip
    eva = Person(name="Eva", function="engineering", consent=NOW.date())
    begun = NOW.replace(tzinfo=None)
    listed = Answer(question="rituals.list", who="Eva", text="Weekly planning, 60, 8; Standup daily 15 min", when=begun)
    quote = Note(kind="quote", text="we ship and hope", who="Eva", when=begun)
    parts = [Part(holds=[f"3{x}"], label=f"half {x}", size=10, examples=[f"about {x}"]) for x in "ab"]
    kinds = [
        Category(id=f"c0{n}", label=label, size=40 - n, holds=[str(n)], examples=[f"{label} please"], parts=parts)
        for n, label in enumerate(("refund", "parcel", "sign in"), 1)
    ]
    return [
        *(Experiment.model_validate(WHOLE | one) for one in experiments),
        Interview(id="INT-91", questionnaire="maturity", started=begun, people=[eva], who="Eva", notes=[quote]),
        Interview(id="INT-92", questionnaire="stakeholder", started=begun, people=[eva], who="Eva"),
        Interview(id="INT-93", questionnaire="rituals", started=begun, people=[eva], who="Eva", answers=[listed]),
        FailureReview.model_validate({"id": "FR-1", "title": "Failures", "start": DAY, "end": NOW.date(), "failed": 2,
                                      "traces": [{"trace": "t1", "source": "otlp"}]}),
        Taxonomy(id="TAX-1", built=begun, source="asked.csv", texts=300, distinct=250, chosen="3 asked for",
                 unsure_below=0.1, far_below=0.2, model="0" * 16, categories=kinds),
    ]  # fmt: skip
