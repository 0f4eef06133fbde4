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
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.kinds.value_stream import ValueStream
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
