"""The Markdown face of documents, the pack they stand in, and the handbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest

from aether_tui.config import Config
from aether_tui.diagnostics.handbook import Handbook
from aether_tui.report_model import Check, Checklist, Col, Finding, Gap, Report, Row, SavedReport, Table, Window
from aether_tui.reports import markdown, pack, paper
from aether_tui.reports.client import without_commands
from aether_tui.workspace.document import Document
from aether_tui.workspace.documents import read_documents
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.experiment import Experiment
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.kinds.value_stream import ValueStream
from screens.interview_edits import opportunity
from tests.command import aether
from tests.diagnostics import world
from tests.tui.workspaces import NOW

RITUAL = """\
id: RIT-1
title: '[x](javascript:1) <b>Sync</b>'
frequency: every Tuesday
purpose: Questions wait otherwise
minutes: [30, 45, 60]
roti: [2, 3]
participation:
  - {role: engineers, part: leads, rule: "brings a list | with a bar"}
outputs: [answers as in DR-1 and XX-9]
"""


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    workspace = world.workspace(tmp_path)
    world.document(workspace, "rituals", "RIT-1", RITUAL)
    world.document(
        workspace, "decision-rights", "DR-1", "id: DR-1\ntitle: Release\ndecides: engineer\nlinks: [RIT-1]\n"
    )
    world.document(workspace, "", "canvas", "people:\n  lines: [Two know the router]\n")
    world.document(workspace, "opportunities", "OPP-1", (
        "id: OPP-1\ntitle: Ask once\nimpact: 5\nconfidence: 5\nreversibility: 5\neffort_weeks: 2\n"
    ))  # fmt: skip
    return workspace


def test_a_page_holds_all_of_a_document(made: Workspace) -> None:
    pages = paper.papers(read_documents(made, Config()))
    assert set(pages) == {"RIT-1.md", "DR-1.md", "canvas.md", "OPP-1.md"}
    page = pages["RIT-1.md"]
    assert page.startswith(r"# RIT-1: \[x\](javascript:1) \<b\>Sync\</b\>" + "\n\n*ritual*\n")
    trial = Experiment(id="EXP-1", title="A", level=4, sd=2.5, instrumentation="as in `aether-tui report lens`")
    said = paper.render(trial, "experiment")
    assert (
        "**Level:** 4 (agent flow)" in said
        and "**Standard deviation:** 2.5" in said
        and "as in the page 3-Lens" in said
    )
    assert "- **Minutes:** 45 (30 to 60)" in page and "- **Roti:** 2; 3" in page
    assert r"| engineers | leads | brings a list \| with a bar |" in page
    assert "not on" not in page and "Named by [DR-1](DR-1.md)." in page
    assert "Not written yet: inputs, documentation" in page
    assert "[RIT-1](RIT-1.md)" in pages["DR-1.md"]
    assert "Two know the router" in pages["canvas.md"]


def test_every_link_of_a_pack_leads_somewhere(made: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = aether("--as-of", "2026-11-21", "export", "-o", out, cwd=made.root)
    assert done.code == 0, done.err
    pages = list(out.rglob("*.md"))
    assert len(pages) >= 8
    for page in pages:
        for target in re.findall(r"\]\(([^)]+\.md)\)", page.read_text()):
            assert (page.parent / target).is_file(), (page, target)
        assert not re.search(r"aether-tui|\\`|↵|\bg [a-z]\b|anti.?_patterns", page.read_text()), (
            page
        )  # for whoever sits at a console
    (made.engagement / "rituals" / "RIT-1.yaml").unlink()
    aether("--as-of", "2026-11-21", "export", "-o", out, cwd=made.root)
    assert not (out / "documents" / "RIT-1.md").exists() and (out / "documents" / "DR-1.md").exists()


def test_the_handbook_is_a_pack_of_its_own(made: Workspace, tmp_path: Path) -> None:
    done = aether("--as-of", "2026-11-21", "export", "--handbook", cwd=made.root)
    assert done.code == 0, done.err
    folder = made.exports / "handbook"
    index = (folder / "index.md").read_text()
    assert "## When we meet" in index and "## First weeks: engineer" in index
    assert {path.name for path in (folder / "documents").iterdir()} == {"RIT-1.md", "DR-1.md", "canvas.md"}


def test_a_first_month_follows_from_what_is_written(made: Workspace) -> None:
    world.document(made, "onboarding", "ONB-1", "id: ONB-1\nrole: Engineer\nsteps:\n  - {week: 2, do: Ship one word}\n")
    world.document(made, "teams", "TEAM-1", (
        "id: TEAM-1\ntitle: Core\nshape: squad\nfunction: engineering\nmembers:\n  - {role: engineer}\n"
    ))  # fmt: skip
    world.document(made, "agreements", "AGR-1", (
        "id: AGR-1\nprovider: engineering\nconsumer: support\nprovides: [a fix]\nresponse_h: 8\n"
    ))  # fmt: skip
    book = world.report("handbook", made).data
    assert isinstance(book, Handbook)
    (one,) = book.roles
    assert one.role == "engineer"
    assert [(step.week, step.do.partition(":")[0]) for step in one.steps] == [
        (1, "Sit in on [x](javascript"), (2, "You decide"), (2, "Ship one word"),
        (3, "Lead [x](javascript"), (4, "Keep what engineering promised support"),
    ]  # fmt: skip


def test_an_empty_handbook_says_how_to_begin(tmp_path: Path) -> None:
    report = world.report("handbook", world.workspace(tmp_path))
    assert pack.silent("handbook", report)
    assert "doc new ritual" in report.blocks[0].next_step


def test_a_client_reads_sentences_and_no_commands() -> None:
    items = (
        Check(
            id="a", text="Agreed", state="no-data", kind="manual", evidence="not ticked", next_step="g f, then space"
        ),
    )
    rows = (
        Row(id="1", cells=("EXP-1",), detail="Level 2\n1. build"),
        Row(id="2", cells=("t",), detail="aether-tui trace t"),
        Row(id="3", cells=("u",), detail="5.4 % of them"),
    )
    report = Report(
        report="gate", title="Gate", as_of=NOW, window=Window(start=NOW, end=NOW), data=Row(id="", cells=()), headline="Go.",
        findings=(Finding(id="f", severity="warn", text="One is old.", action="aether-tui doc edit decision DEC-1"),),
        blocks=(
            Checklist(id="c", title="C", items=items),
            Table(id="t", columns=(Col(key="id", title="id"),), rows=rows,
                  note="1. A row is a day. 3 more in `aether-tui report budgets`. Press ↵ to open."),
            Gap(id="g", title="G", reason="Nobody was asked.", next_step="aether-tui doc new cycle"),
        ),
    )  # fmt: skip
    page = markdown.render(without_commands(report))
    assert "aether-tui" not in page and "g f" not in page and "↵" not in page
    assert "- EXP-1:\n  - Level 2\n  - 1\\. build\n- u: 5.4 % of them" in page
    assert "1\\. A row is a day. 3 more on the page Budgets." in page
    assert "1\\. A row is a day. 3 more in `aether-tui report budgets`. Press ↵ to open." in markdown.render(report)


def test_a_private_kind_is_exported_only_as_it_says_itself() -> None:
    class Sitting(Document):
        PRIVATE: ClassVar[bool] = True
        people: list[str] = []

    class Careful(Sitting):
        def public(self) -> Document:
            return self.model_copy(update={"people": []})

    assert not paper.exported(Sitting) and paper.exported(Careful)
    assert not paper.exported(Interview)


def test_cells_and_units_are_words_on_a_page() -> None:
    stream = ValueStream.model_validate(
        {
            "id": "VS-1", "title": "Questions", "demand_per_month": 10, "value_per_success": 4.2,
            "steps": [{"name": "ask", "touch_s": {"value": 2, "n": 1600}, "cost": [1, 2, 4], "abandon_rate": 0.1}],
        }
    )  # fmt: skip
    page = paper.render(stream, "value-stream")
    assert "| ask | 2 (measured n 1,600) | 2 (stated, 1–4) | 0.1 (stated) |" in page
    assert "| Name | Touch, s | Cost | Abandon rate |" in page
    assert "- **Currency:** USD" in page


def test_a_page_says_nothing_twice() -> None:
    columns = (Col(key="who", title="who"), Col(key="text", title="words"))
    rows = (
        Row(id="a", cells=("product", "“we wait”"), detail="we wait"),
        Row(id="b", cells=("product", "short"), detail="longer than that"),
    )
    made = SavedReport(
        report="x", title="X", as_of=NOW, window=Window(start=NOW, end=NOW), headline="",
        blocks=(Table(id="t", columns=columns, rows=rows),),
    )  # fmt: skip
    page = markdown.render(made)
    assert page.count("- product:") == 1 and "- product: longer than that" in page


TALK = """\
id: INT-1
questionnaire: stakeholder
started: 2026-11-02T09:00:00
people:
  - {name: Zorvanna Quellmark, function: product, role: head of zyxrole, consent: 2026-11-02}
  - {name: Tibor Xanthakis, function: engineering, consent: 2026-11-02}
  - {name: Ida Lund, function: operations, consent: 2026-11-02, named: true}
who: Zorvanna Quellmark
answers:
  - {question: stakeholder.success, who: Zorvanna Quellmark, text: "Quellmark's SAID-1, ask q@zyxmail.example", when: 2026-11-02T09:05:00}
  - {question: stakeholder.priority-speed, who: Zorvanna Quellmark, value: 5, text: "ZORVANNA would SAID-2", when: 2026-11-02T09:05:00,
     earlier: [{text: zyxearlier, value: 2, when: 2026-11-02T09:04:00, saw: zyxsaw}]}
  - {question: stakeholder.priority-speed, who: Tibor Xanthakis, value: 1, when: 2026-11-02T09:05:00}
notes:
  - {kind: quote, who: Zorvanna Quellmark, when: 2026-11-02T09:06:00,
     text: "SAID-3 quellmark says @zquell and Maria Zyxlast want it, with Ida; Dr Zyxtitle too, ring +49 171 5551234 #Zorvanna #speed"}
  - {kind: note, who: Zyxother Zyxlast, when: 2026-11-02T09:07:00, text: "SAID-4 Met tibor's assistant Peter Zyxlast, xanthakis_t in chat"}
"""
LOOK = "id: ASM-1\nday: 2026-11-02\nnotes: zyxnotes\ndone:\n  - {practice: zyxpractice, when: 2026-11-02, who: Petra Zyxlast}\n"
TELLS = re.compile(r"zorvanna|quell|tibor|xanth|maria|peter|petra|zyx|5551234|INT-1\.yaml", re.I)
"""What tells who spoke, or was only for the file."""


def test_what_people_said_leaves_without_what_tells_who_they_are(made: Workspace, tmp_path: Path) -> None:
    world.document(made, "interviews", "INT-1", TALK)
    world.document(made, "assessments", "ASM-1", LOOK)
    edit = opportunity(made, "INT-1", 0, NOW)
    packs = [tmp_path / "md", tmp_path / "html"]
    assert aether("--as-of", "2026-11-21", "export", "-o", packs[0], cwd=made.root).code == 0
    assert aether("--as-of", "2026-11-21", "export", "--html", "-o", packs[1], cwd=made.root).code == 0
    said = {path: path.read_text() for folder in packs for path in folder.rglob("*") if path.is_file()}
    said[tmp_path / "json"] = aether(
        "--as-of", "2026-11-21", "report", "stakeholders", "--format", "json", cwd=made.root
    ).out
    for path, text in said.items():
        found = TELLS.search(f"{path.name} {text}")
        assert found is None, (path, text[max(0, found.start() - 90) : found.end() + 80] if found else "")
    page = said[packs[0] / "stakeholders.md"]
    assert all(f"SAID-{number}" in page for number in (1, 3, 4)) and "with Ida" in page and "#speed" in page
    assert f"{edit.identity}.md" in said[packs[0] / "index.md"]  # a quote that became an opportunity, with its title


def test_a_broken_link_of_each_step_is_named(made: Workspace) -> None:
    world.document(made, "interviews", "INT-1", TALK.replace("kind: quote,", "kind: quote, opportunity: OPP-7,"))
    world.document(made, "opportunities", "OPP-2", (
        "id: OPP-2\ntitle: A\nimpact: 5\nconfidence: 5\nreversibility: 5\neffort_weeks: 2\nevidence: ['INT-9: quote', FR-3 chart]\n"
    ))  # fmt: skip
    world.document(made, "experiments", "EXP-1", "id: EXP-1\ntitle: A\nopportunity: OPP-12-kdqt\ncycle: cycle-4\n")
    world.document(
        made,
        "playbook",
        "PLAY-1",
        "id: PLAY-1\ntitle: A\nkind: prompt\nowner: lead\nreview_by: 2027-01-01\nexperiment: EXP-2\n",
    )
    told = aether("doc", "validate", "--format", "json", cwd=made.root)
    found = {(Path(one["file"]).stem, one["key"]): one for one in told.json["problems"]}
    assert told.code == 1
    for place, line, target in (
        (("INT-1", "notes[0].opportunity"), 15, "OPP-7"), (("OPP-2", "evidence[0]"), 7, "INT-9"),
        (("OPP-2", "evidence[1]"), 7, "FR-3"), (("EXP-1", "opportunity"), 3, "OPP-12-kdqt"), (("EXP-1", "cycle"), 4, "cycle-4"),
        (("PLAY-1", "experiment"), 6, "EXP-2"),
    ):  # fmt: skip
        one = found[place]
        assert (one["line"], target in one["what"]) == (line, True), one
        assert "take the link out" in one["fix"]
