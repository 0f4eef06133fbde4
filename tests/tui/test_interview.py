"""The interview at the keyboard: begun, answered, noted, quoted, left and resumed."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from aether_tui.app import AetherApp
from aether_tui.workspace.kinds.assessment import Assessment
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
from screens.interview_sitting import Sitting
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import unbuilt


async def begin(pilot: Pilot[int], app: AetherApp, row: str = "interview.start/maturity") -> None:
    await until(pilot, lambda: "Start one" in screen_text(app))
    front = app.front()
    assert front is not None
    wanted = row.partition("/")[2]
    await until(pilot, lambda: any(s.item.row == wanted for s in front.page._layout.stops))
    stop = next(s for s in front.page._layout.stops if s.item.row == wanted)
    front.page.select(stop.item.id)
    await pilot.press("enter")
    await until(pilot, lambda: bool(front.query("Prompt")))
    await pilot.press(*"Eva, eng, lead", "enter")
    await until(pilot, lambda: "by function only" in screen_text(app))
    await pilot.press("1")
    await until(pilot, lambda: "why we ask" in screen_text(app))


async def typed(pilot: Pilot[int], app: AetherApp, key: str, text: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: bool(app.screen.query("Prompt")))
    await pilot.press(*text, "enter")
    await until(pilot, lambda: not app.screen.query("Prompt"))


def test_answers_notes_quotes_and_people(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")
    store = Store(workspace)

    def there() -> Interview:
        return store.get(Interview, "INT-1").document

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await begin(pilot, app)
        assert there().people[0].consent is not None and not there().people[0].named
        await pilot.press("4", "2")
        await until(pilot, lambda: len(there().answers) == 2)
        assert [one.value for one in there().answers] == [4, 2]
        await typed(pilot, app, "n", "waits for approval #decisions")
        await typed(pilot, app, "'", "we ship and hope")
        await until(pilot, lambda: len(there().notes) == 2)
        await pilot.press("O")
        await until(pilot, lambda: there().notes[1].opportunity == "OPP-3" or bool(there().notes[1].opportunity))
        made = store.get(Opportunity, there().notes[1].opportunity).document
        assert made.title == "we ship and hope" and made.evidence[0].startswith("INT-1: quote")
        await pilot.press("p")
        await until(pilot, lambda: len(there().parked) == 1)
        await typed(pilot, app, "slash", "work-in-progress limits")
        await until(pilot, lambda: there().at == "flow.3.wip-limits-enforced")
        await until(pilot, lambda: "Work-in-progress limits exist" in screen_text(app))
        await pilot.press("5")
        await until(pilot, lambda: len(there().answers) == 3)
        await pilot.press("u")
        await until(pilot, lambda: len(there().answers) == 2)
        await until(pilot, lambda: "Work-in-progress limits exist" in screen_text(app))
        await typed(pilot, app, "w", "Ola, ops")
        await until(pilot, lambda: there().who == "Ola")
        await until(pilot, lambda: "by function only" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Sitting))

    drive(workspace, script, size=(100, 40), start="interview")
    assert {one.who for one in there().answers} == {"Eva"}


def test_words_measured_values_and_a_second_visit(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")
    store = Store(workspace)

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await begin(pilot, app, "interview.start/stakeholder")
        await pilot.press("3")
        await until(pilot, lambda: "answered in words" in screen_text(app))
        await typed(pilot, app, "enter", "Nobody has to ask twice \x1b[31m漢字")
        await until(pilot, lambda: bool(store.get(Interview, "INT-1").document.answers))
        await pilot.press("escape")

    drive(workspace, script, start="interview")
    at = store.get(Interview, "INT-1").document.at

    async def again(pilot: Pilot[int], app: AetherApp) -> None:
        front = app.front()
        assert front is not None
        await until(pilot, lambda: any(s.item.row == "INT-1" for s in front.page._layout.stops))
        stop = next(s for s in front.page._layout.stops if s.item.row == "INT-1")
        front.page.select(stop.item.id)
        await pilot.press("enter")
        await until(pilot, lambda: "why we ask" in screen_text(app))
        await pilot.press("tab")
        await until(pilot, lambda: store.get(Interview, "INT-1").document.at != at)

    drive(workspace, again, start="interview")


def test_a_broken_interview_says_where_and_the_others_open(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await begin(pilot, app)
        path = workspace.engagement / "interviews" / "INT-1.yaml"
        path.write_text(path.read_text() + "answrs: []\n")
        await pilot.press("4")
        await until(pilot, lambda: "answrs" in screen_text(app))
        assert "did you mean 'answers'" in " ".join(screen_text(app).split())
        assert "answrs" in path.read_text()

    drive(workspace, script, start="interview")


def test_the_next_practice_is_marked_done_with_space(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")
    from datetime import date

    from aether_tui.workspace.questions import shipped
    from tests.tui.workspaces import NOW

    answers = {one.id: 5 if one.level <= 2 else 1 for one in shipped().statements.values()}
    store = Store(workspace)
    store.save(Assessment(id="ASM-1", day=date(2026, 11, 1), answers=answers), None, NOW)

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await until(pilot, lambda: "The one next practice" in screen_text(app))
        await pilot.press("space")
        await until(pilot, lambda: len(store.get(Assessment, "ASM-1").document.done) == 1)
        await pilot.press("u")
        await until(pilot, lambda: store.get(Assessment, "ASM-1").document.done == [])

    drive(workspace, script, start="maturity")
