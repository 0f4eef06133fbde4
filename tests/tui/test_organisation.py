"""Rituals, canvas and decisions: enter opens the document, n begins one, u takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.event import Event
from aether_tui.workspace.kinds.ritual import Ritual
from aether_tui.workspace.store import Store
from screens.form import Form
from tests.tui.driving import drive, screen_text, until


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "aether.toml").write_text("")
    made = Workspace(tmp_path)
    store = Store(made)
    store.add(Ritual, lambda identity: Ritual(id=identity, title="Sync", per_year=48, minutes=60, attendees=8))
    store.add(Event, lambda identity: Event(id=identity, title="Opened"))
    return made


def rows(app, block: str) -> list[str]:
    return [stop.item.row for stop in app.screen.page._layout.stops if stop.item.block == block]


async def leave(pilot, app) -> None:
    """Close the form; one with unsaved words is left by a second escape."""
    await pilot.press("escape")
    if isinstance(app.screen, Form):
        await pilot.press("escape")
    await until(pilot, lambda: not isinstance(app.screen, Form))


async def form(pilot, app, kind: str) -> Form:
    await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._model is not None)
    assert app.screen._kind == kind
    return app.screen


def test_a_ritual_from_a_template_and_back(workspace: Workspace) -> None:
    path = workspace.engagement / "rituals" / "RIT-2.yaml"

    async def script(pilot, app):
        await until(pilot, lambda: rows(app, "rituals.money") == ["RIT-1"] and not app._building)
        await pilot.press("n", *"post-release", "enter")
        await form(pilot, app, "ritual")
        assert "Post-release retrospective" in screen_text(app)
        assert Store(workspace).get(Ritual, "RIT-2").document.lacks() == ()
        await pilot.press("escape")
        await until(pilot, lambda: rows(app, "rituals.money") == ["RIT-1", "RIT-2"] and not app._building)
        await pilot.press("u")
        await until(pilot, lambda: not path.exists())
        app.screen.page.select("rituals.sheets/RIT-1.sheet")
        await pilot.press("enter")
        assert (await form(pilot, app, "ritual"))._identity == "RIT-1"

    drive(workspace, script, start="rituals", size=(120, 50))


def test_a_name_that_is_no_template_is_a_name(workspace: Workspace) -> None:
    async def script(pilot, app):
        await until(pilot, lambda: rows(app, "rituals.money") == ["RIT-1"] and not app._building)
        await pilot.press("n", *"Tea", "enter")
        await form(pilot, app, "ritual")

    drive(workspace, script, start="rituals")
    assert Store(workspace).get(Ritual, "RIT-2").document.title == "Tea"


def test_the_canvas_opens_what_is_behind_each_table(workspace: Workspace) -> None:
    async def script(pilot, app):
        await until(pilot, lambda: bool(rows(app, "canvas.events")) and not app._building)
        await pilot.press("enter")  # a box, of a canvas nobody wrote yet
        assert (await form(pilot, app, "canvas"))._identity is None
        await leave(pilot, app)
        app.screen.page.select("canvas.events/EVT-1")
        await pilot.press("enter")
        assert (await form(pilot, app, "event"))._identity == "EVT-1"
        await leave(pilot, app)
        await pilot.press("n")
        assert (await form(pilot, app, "event"))._identity is None

    drive(workspace, script, start="canvas", size=(120, 60))


def test_decisions_and_postmortems_begin_where_the_cursor_is(workspace: Workspace) -> None:
    async def script(pilot, app):
        await until(pilot, lambda: "No postmortem is written" in screen_text(app) and not app._building)
        await pilot.press("n")
        await form(pilot, app, "decision")
        await leave(pilot, app)
        (row,) = rows(app, "decisions.no-postmortem")
        app.screen.page.select(f"decisions.no-postmortem/{row}")
        await pilot.press("enter")
        await form(pilot, app, "postmortem")

    drive(workspace, script, start="decisions")
