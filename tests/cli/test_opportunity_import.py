"""`opportunity import`: from cached items and from spreadsheets, seen first, and never twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
from tests.cli.test_experiment import aether
from tests.diagnostics.world import at, full, store, workspace
from tests.tui.driving import drive, screen_text, until


def item(number: int, **values: object) -> tuple[object, ...]:
    usual = {"id": f"u-{number}", "key": f"ENG-{number}", "title": f"Idea {number}", "type": "opportunity",
             "created": at(number), "updated": at(number), "labels": (), "url": f"https://linear.app/ENG-{number}"}  # fmt: skip
    return full("work_items", **{**usual, **values})  # type: ignore[arg-type]


@pytest.fixture
def engaged(tmp_path: Path) -> Workspace:
    made = workspace(tmp_path / "w")
    rows = [
        item(1, priority="Urgent", estimate=4.0),
        item(2, priority="No priority", estimate=0.0, labels=("ai", "impact: 8")),
        item(3, type="bug", priority="Low", team="Answers", project="Search"),
        item(4, completed=at(5), state="Done", category="done"),
    ]
    store(made, "linear", "issues", "work_items", rows)
    return made


def opportunities(made: Workspace) -> list[Opportunity]:
    return [one.document for one in Store(made).all(Opportunity)[0]]


def test_open_ideas_of_the_tracker_become_opportunities_once(engaged: Workspace) -> None:
    seen = aether("opportunity", "import", "--dry-run", cwd=engaged.root)
    assert seen.code == 0
    assert seen.out.splitlines()[1].split() == ["linear", "ENG-1", "10", "5*", "5*", "2", "Idea", "1"]
    assert seen.err.startswith("2 would be added; 0 linked already; impact from priority (1 assumed)")
    assert opportunities(engaged) == []
    aether("opportunity", "import", cwd=engaged.root)
    first, second = opportunities(engaged)
    assert (first.impact, first.effort_weeks, first.links) == (10, 2, ["linear:u-1"])
    assert (second.impact, second.effort_weeks) == (5, 4), "no priority and an estimate of 0 say nothing"
    assert first.evidence == ["linear ENG-1 https://linear.app/ENG-1"]
    again = aether("opportunity", "import", "--format", "json", cwd=engaged.root)
    assert json.loads(again.out)["linked"] == {"linear:u-1": "OPP-1", "linear:u-2": "OPP-2"}
    assert len(opportunities(engaged)) == 2


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        (["--label", "AI"], ["Idea 2"]),
        (["--type", "bug"], ["Idea 3"]),
        (["--team", "answers"], ["Idea 3"]),
        (["--project", "search"], ["Idea 3"]),
        (["--state", "done"], ["Idea 4"]),
        (["--source", "linear"], ["Idea 1", "Idea 2", "Idea 3"]),
    ],
)
def test_filters(engaged: Workspace, filters: list[str], titles: list[str]) -> None:
    seen = aether("opportunity", "import", *filters, "--dry-run", "--format", "json", cwd=engaged.root)
    assert [one["title"] for one in json.loads(seen.out)["added"]] == titles


def test_a_score_in_a_label(engaged: Workspace) -> None:
    aether(
        "opportunity",
        "import",
        "--label",
        "ai",
        "--map",
        "impact=label:impact",
        "--default",
        "confidence=3",
        cwd=engaged.root,
    )
    (one,) = opportunities(engaged)
    assert (one.impact, one.confidence) == (8, 3)


def test_a_spreadsheet_by_its_columns(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    (tmp_path / "ideas.csv").write_text(
        "Idea;Value;Effort Weeks;no\nTidy the prompt;8;2;17\nRoute small talk;4,6,9;;18\n"
    )
    asked = ("opportunity", "import", "ideas.csv", "--map", "title=Idea", "--map", "impact=Value", "--map", "id=no")
    assert aether(*asked, cwd=tmp_path).code == 0
    assert [(o.title, o.impact, o.effort_weeks, o.links) for o in opportunities(made)] == [
        ("Tidy the prompt", 8, 2, ["ideas.csv:17"]),
        ("Route small talk", (4, 6, 9), 4, ["ideas.csv:18"]),
    ]
    assert aether(*asked, cwd=tmp_path).err.startswith("nothing new; 2 linked already")
    (tmp_path / "more.jsonl").write_text('{"title": "Cache\u2028", "impact": [3, 5, 7], "effort_weeks": 1.5}\r\n')
    aether("opportunity", "import", "more.jsonl", cwd=tmp_path)
    assert (opportunities(made)[-1].impact, opportunities(made)[-1].effort_weeks) == ((3, 5, 7), 1.5)


@pytest.mark.parametrize(
    ("text", "flags", "said"),
    [
        ("title,impact\nx,12\n", [], "bad.csv: line 2: impact: '12' is no impact from 1 to 10"),
        ("title,impact\nx,soon\n", [], "bad.csv: line 2: impact: 'soon' is no impact"),
        ("title,impact\nx,nan\n", [], "'nan' is no impact"),
        ("title,impact\n,3\n", [], "bad.csv: line 2: has no title"),
        ("title,impact\nx,1\nx,2\n", [], "bad.csv: line 3: bad.csv:x stands twice"),
        ("title,impact\nx\n", [], "bad.csv: line 2: 1 cells instead of 2"),
        ("title,impact\nx,1\n", ["--map", "impact=Impct"], "no column 'Impct', did you mean 'impact'?"),
        ("title,impact\nx,1\n", ["--map", "size=impact"], "is not FIELD=COLUMN"),
        ("title,impact\nx,1\n", ["--default", "impact=80"], "'impact=80' is not FIELD=N"),
        ("title,impact\nx,1\n", ["--label", "ai"], "a file is taken whole"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_added(tmp_path: Path, text: str, flags: list[str], said: str) -> None:
    made = workspace(tmp_path)
    (tmp_path / "bad.csv").write_text(text)
    refused = aether("opportunity", "import", "bad.csv", *flags, cwd=tmp_path)
    assert (refused.code, refused.err.count("\n"), refused.out) == (2, 1, "")
    assert said in refused.err
    assert opportunities(made) == []


def test_nothing_to_import_says_what_to_do(tmp_path: Path) -> None:
    workspace(tmp_path)
    refused = aether("opportunity", "import", cwd=tmp_path)
    assert refused.code == 3
    assert "no work item of type opportunity; `aether-tui sync` first" in refused.err


def test_on_screen_it_is_seen_first_and_taken_back_at_once(engaged: Workspace) -> None:
    async def script(pilot, app):
        await until(pilot, lambda: "No opportunity is written down" in screen_text(app))
        await pilot.press("i", "enter")
        await until(pilot, lambda: "add 2: Idea 1, Idea 2" in screen_text(app))
        assert opportunities(engaged) == []
        await pilot.press("enter")
        await until(pilot, lambda: len(opportunities(engaged)) == 2)
        await until(pilot, lambda: "2 imported: OPP-1 to OPP-2" in screen_text(app))
        await pilot.press("u")
        await until(pilot, lambda: opportunities(engaged) == [])

    drive(engaged, script, start="portfolio")
