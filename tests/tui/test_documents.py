"""Any document from anywhere: found by its words, made from a row, recorded in passing."""

import json
from datetime import date

import pytest

from aether_tui.builds import Outcome
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.search import find
from aether_tui.workspace.store import Store
from screens.documents import Documents
from screens.form import Form
from tests.command import aether
from tests.tui.driving import drive, screen_text, until
from tests.tui.test_form import typed
from tests.tui.workspaces import HOSTILE, NOW, make_workspace


@pytest.fixture
def workspace(tmp_path):
    workspace = make_workspace(tmp_path / "northwind")
    store = Store(workspace)
    for title in ("Cache answers", HOSTILE, "Rerank long questions"):
        store.add(
            Opportunity,
            lambda i, title=title: Opportunity(
                id=i, title=title, impact=5, confidence=5, reversibility=5, effort_weeks=2, notes="Ünlike\nthe other"
            ),
        )
    store.add(Decision, lambda i: Decision(id=i, title="Which cache", raised=date(2026, 11, 1)))
    (workspace.engagement / "opportunities" / "OPP-9.yaml").write_text("title: broken: cache\n\x00")
    return workspace


def test_words_are_found_in_any_case_and_in_broken_files(workspace):
    assert [item.identity for item in find(workspace, "CACHE")] == ["OPP-1", "OPP-9", "DEC-1"]
    assert [item.identity for item in find(workspace, "ünlike")] == ["OPP-1", "OPP-2", "OPP-3"]
    assert [(item.identity, item.line) for item in find(workspace, "long rerank")] == [("OPP-3", 2)]
    assert len(find(workspace)) == 5
    assert find(workspace, "nowhere at all") == []


def test_the_command_prints_what_it_found(workspace):
    done = aether("search", "cache", "--format", "json", cwd=workspace.root)
    found = json.loads(done.out)
    assert [(item["identity"], item["file"]) for item in found][-1] == ("DEC-1", "engagement/decisions/DEC-1.yaml")
    assert "engagement/decisions/DEC-1.yaml:2" in aether("search", "cache", cwd=workspace.root).out
    assert aether("search", "nowhere", cwd=workspace.root).code == 3
    assert "\x1b" not in aether("search", "quit", cwd=workspace.root).out


def test_what_ends_while_the_console_closes_is_drawn_on_no_page(workspace):
    async def script(pilot, app):
        report = app.page_screen()
        await app._prune(report)
        assert app.screen is report and app.front() is None
        app.post_message(app.Built(Outcome("summary"), app.looking()))
        app.push_screen(page := Documents(""))
        assert app.page_screen() is None  # not composed yet
        app.edited("made", "portfolio")
        await pilot.pause()
        assert app.page_screen() is page
        await app._prune(page)
        assert app.screen is page and app.page_screen() is None
        app.edited("made", "portfolio")
        await pilot.pause()

    drive(workspace, script)


def test_what_is_found_opens_as_a_form_and_escape_comes_back(workspace):
    async def script(pilot, app):
        await pilot.press("F")
        await pilot.pause()
        await typed(pilot, "rerank")
        await until(pilot, lambda: isinstance(app.screen, Documents) and "OPP-3" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Form) and "Rerank long questions" in screen_text(app))
        await pilot.press("escape")
        assert isinstance(app.screen, Documents)
        await pilot.press("n")
        await pilot.pause()
        await typed(pilot, "decis")
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._kind == "decision")
        await until(pilot, lambda: app.screen._asking)
        await pilot.press("escape", "escape", "escape")
        assert app.screen.name == "home"

    drive(workspace, script)


def test_a_decision_is_recorded_from_anywhere(workspace):
    read = lambda identity: Store(workspace).get(Decision, identity).document  # noqa: E731
    folder = workspace.engagement / "decisions"

    async def script(pilot, app):
        for number, chosen in (("DEC-2", "small"), ("DEC-3", "")):
            await pilot.press("D")
            await pilot.pause()
            await typed(pilot, "Which model")
            await typed(pilot, "Ada")
            await typed(pilot, chosen)
            await until(pilot, lambda n=number: (folder / f"{n}.yaml").exists())
        await pilot.press("u")
        await until(pilot, lambda: not (folder / "DEC-3.yaml").exists())

    drive(workspace, script)
    made = read("DEC-2")
    assert (made.title, made.owner, made.chosen, made.decided) == ("Which model", "Ada", "small", NOW.date())


def test_a_row_becomes_an_opportunity_in_two_keys(workspace):
    async def script(pilot, app):
        app.screen.page.select("findings/f.tokens")
        await pilot.press("O")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Form) and "f.tokens" in screen_text(app))

    drive(workspace, script, size=(120, 40))
    made = Store(workspace).get(Opportunity, "OPP-10").document
    assert made.title == "Refund tokens per task +31 % since prompt v14."
    assert made.evidence == ["f.tokens"]
