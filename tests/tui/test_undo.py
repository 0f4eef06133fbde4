"""Every editing key is taken back by `u`, byte by byte; a key that is not known to edit changes nothing that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual import events

from aether_tui.actions import ACTIONS
from aether_tui.app import AetherApp
from aether_tui.builds import Options
from aether_tui.report_model import SavedReport
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import bytes_of
from screens.base import PageScreen, ReportScreen
from screens.documents import Documents
from screens.drill import Asking, ReplayPage, RowsPage, TracePage
from screens.form import Form
from screens.interview_sitting import Sitting
from screens.widgets.prompt import Prompt
from tests.tui.driving import looks, screen_text
from tests.tui.undoing import BY_COMMAND, EDITS, ELSEWHERE, IN_A_TERMINAL, Try, engagement, over
from tests.tui.workspaces import NOW

OVER: dict[str, Callable[[SavedReport, Asking], PageScreen]] = {
    "rows": RowsPage, "trace": TracePage, "replay": ReplayPage,
}  # fmt: skip
"""Pages that the explorer opens over a report."""


class Still(AetherApp):
    """The console with the reports it has: each of these edits would have a child build them anew."""

    def rebuild(self, report: str, *, alone: bool = False) -> None:
        """Not here."""


def kept(workspace: Workspace) -> dict[Path, bytes]:
    """Everything that people keep, without the cache, state and what was removed."""
    return bytes_of([workspace.engagement, workspace.budgets_path, workspace.baselines, workspace.config_path])


async def soon(app: AetherApp, ready: Callable[[], bool]) -> None:
    """Let the console work until `ready`. Unlike `until` it lets nothing else settle: there are 700 keys here."""
    for pause_s in looks():
        if ready():
            return
        await asyncio.sleep(pause_s)
    raise AssertionError(f"never became ready; the screen says:\n{screen_text(app)}")


def press(app: AetherApp, *keys: str) -> None:
    """Type ahead; the console takes keys in their order, each when it is ready for it."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def typed(app: AetherApp, answers: tuple[str, ...]) -> None:
    for answer in answers:
        await soon(app, lambda: any(not one.left for one in app.screen.query(Prompt)))
        asked = next(one for one in app.screen.query(Prompt) if not one.left)
        press(app, "ctrl+u", *answer, "enter")
        await soon(app, lambda asked=asked: asked.left)


async def at(app: AetherApp, place: str, row: str) -> None:
    """Stand where the key is to be pressed."""
    kind, _, rest = place.partition(":")
    front = app.front()
    if kind == "form":
        app.open_form(*rest.split())
        await soon(app, lambda: isinstance(app.screen, Form) and app.screen.ready and bool(app.screen.page.report))
        assert isinstance(app.screen, Form)
        assert not row or app.screen.page.select(f"form/{row}"), screen_text(app)
    elif kind == "over":
        await at(app, "traces", "")
        home = app.front()
        assert isinstance(home, Asking)
        page = Documents("") if rest == "documents" else OVER[rest](over(rest), home)
        app.push_screen(page)
        await soon(app, lambda: app.screen is page and bool(page.query("Page")) and bool(page.page.report))
        await soon(app, lambda: not row or page.page.select(row))
    elif kind == "sitting":
        app.push_screen(Sitting(rest))
        await soon(app, lambda: "why we ask" in screen_text(app))
    else:
        if front is None or front.name != place:
            app.action_go(place)
        await soon(app, lambda: (here := app.front()) is not None and here.name == place and here is app.screen)
        assert isinstance(app.screen, ReportScreen)
        page = app.screen.page
        stops = lambda: (stop.item.id for stop in page._layout.stops)  # noqa: E731
        first = lambda: next((item for item in stops() if item.startswith(row)), "") if row.endswith("/") else row  # noqa: E731
        await soon(app, lambda: not row or (bool(first()) and page.select(first())))
    await asyncio.sleep(0)


async def away(app: AetherApp) -> None:
    """Close what lies over the report."""
    await soon(app, lambda: not app._holds)
    while not isinstance(app.screen, ReportScreen):
        left = app.screen
        app.pop_screen()
        await soon(app, lambda left=left: app.screen is not left)


async def undone(app: AetherApp, one: Try) -> None:
    workspace = app.workspace
    await at(app, one.place, one.row)
    before = kept(workspace)
    if one.key:
        press(app, one.key)
    await typed(app, one.answers)
    await soon(app, lambda: not app._holds and kept(workspace) != before)
    edits = len(app._edits)
    assert edits == 1, one
    if any(not prompt.left for prompt in app.screen.query(Prompt)):  # the next question asks for words
        press(app, "escape")
    press(app, "u")
    await soon(app, lambda: not app._holds and kept(workspace) == before)
    assert not app._edits
    await away(app)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return engagement(tmp_path_factory.mktemp("undo"))


def drive(workspace: Workspace, script: Callable[[Still], Awaitable[None]]) -> None:
    app = Still(workspace, Options(now=lambda: NOW, as_of=NOW, start="portfolio", offline=True))
    app._stretch.breath_s = 0.0

    async def run() -> None:
        async with app.run_test(size=(110, 40)) as pilot:
            await pilot.pause()
            await script(app)

    asyncio.run(run())


@pytest.mark.slow
def test_every_editing_key_is_taken_back(workspace: Workspace) -> None:
    async def script(app: AetherApp) -> None:
        for name, one in EDITS.items():
            try:
                await undone(app, one)
            except AssertionError as error:
                raise AssertionError(f"{name}: {one}; {error}") from error

    drive(workspace, script)


@pytest.mark.slow
def test_no_other_key_edits_anything(workspace: Workspace) -> None:
    """A new action is pressed here until somebody lists it among those that edit, and then it is taken back above."""
    edits = {name.partition(" ")[0] for name in EDITS}
    known = {*edits, *BY_COMMAND, *IN_A_TERMINAL, *ELSEWHERE}
    assert known <= {action.id for action in ACTIONS}
    looking = [one for one in ACTIONS if one.id not in known and not one.id.startswith("go.")]
    reports = {"app", "page", "report", "list"}

    async def script(app: AetherApp) -> None:
        before = kept(workspace)
        for action in looking:
            over = {name: f"over:{name}" for name in ("documents", *OVER)}
            place = {
                "form": "form:opportunity OPP-1",
                "papers": "rituals",
                "drill": "lens",
                "sitting": "sitting:INT-91",
                **over,
            }.get(action.where, "portfolio" if action.where in reports else action.where)
            await at(app, place, "")
            here = app.page_screen()
            assert here is not None
            node = {"app": app, "list": here.page}.get(action.where, here)
            await app.run_action(action.call(action.keys.split(",")[0][-1:]), node)
            for _ in range(4):
                await asyncio.sleep(0.02)
                for asked in [one for one in app.screen.query(Prompt) if not one.left]:
                    press(app, "y", "enter")
                    await soon(app, lambda asked=asked: asked.left)
            await away(app)
            assert not app._edits, action.id
            assert kept(workspace) == before, action.id

    drive(workspace, script)
