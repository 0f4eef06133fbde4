"""Scores and ticks typed in the console are on disk at once, and can be taken back."""

import pytest
from textual import events

from aether_tui.jobs import Job
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.cycle import Cycle
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)
    store = Store(workspace)
    for title, impact in (("Rerank questions", 8), ("Cache answers", 4)):
        store.add(
            Opportunity,
            lambda identity, title=title, impact=impact: Opportunity(
                id=identity, title=title, impact=impact, confidence=5, reversibility=5, effort_weeks=2
            ),
        )
    store.add(Cycle, lambda identity: Cycle(id=identity, started=NOW.date()))
    return workspace


def stored(workspace: Workspace, identity: str) -> Opportunity:
    return Store(workspace).get(Opportunity, identity).document


def rows(app) -> list[str]:
    return [stop.item.row for stop in app.screen.page._layout.stops if stop.item.block == "portfolio.items"]


def test_digits_rate_and_rerank_at_once_and_u_takes_it_back(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: rows(app) == ["OPP-1", "OPP-2"])
        app.screen.page.select("portfolio.items/OPP-2")
        await pilot.press("0")
        await until(pilot, lambda: rows(app) == ["OPP-2", "OPP-1"])
        assert stored(workspace, "OPP-2").impact == 10
        assert app.screen.page.selected.row == "OPP-2"
        await pilot.press("tab", "9")
        await until(pilot, lambda: stored(workspace, "OPP-2").confidence == 9)
        await until(pilot, lambda: "confidence 9" in screen_text(app))
        await pilot.press("u")
        await until(pilot, lambda: stored(workspace, "OPP-2").confidence == 5)
        await until(pilot, lambda: "OPP-2 taken back: confidence 9" in screen_text(app))
        await pilot.press("u")
        await until(pilot, lambda: rows(app) == ["OPP-1", "OPP-2"])
        await pilot.press("u")
        await until(pilot, lambda: "nothing to undo" in screen_text(app))

    drive(workspace, script, start="portfolio")


def test_undo_asks_on_another_screen_and_spares_what_others_changed(workspace):
    path = workspace.engagement / "opportunities" / "OPP-1.yaml"

    async def script(pilot, app):
        await until(pilot, lambda: len(rows(app)) == 2)
        app.screen.page.select("portfolio.items/OPP-1")
        await pilot.press("9")
        await until(pilot, lambda: stored(workspace, "OPP-1").impact == 9)
        await pilot.press("3")
        await until(pilot, lambda: stored(workspace, "OPP-1").impact == 3)
        await pilot.press("g", "s", "u")
        asked = "made on Portfolio: OPP-1 impact 3. Take it back? y or n"
        await until(pilot, lambda: screen_text(app).splitlines()[-1].strip() == asked)
        await pilot.press("n", "enter")
        await until(pilot, lambda: "nothing was taken back" in screen_text(app))
        assert stored(workspace, "OPP-1").impact == 3
        app._edits._made[-1] = (*app._edits._made[-1][:2], "")  # made while no screen was there
        await pilot.press("u")
        asked = "OPP-1 impact 3. Take it back? y or n"
        await until(pilot, lambda: screen_text(app).splitlines()[-1].strip() == asked)
        await pilot.press("y", "enter")
        await until(pilot, lambda: stored(workspace, "OPP-1").impact == 9)
        path.write_text(path.read_text().replace("Rerank questions", "Rerank them"))
        await pilot.press("u", "y", "enter")
        await until(pilot, lambda: any("■" in line for line in screen_text(app).splitlines()[-5:]))
        assert stored(workspace, "OPP-1").title == "Rerank them"
        assert len(list(path.parent.glob("OPP-1.conflict-*.yaml"))) == 1

    drive(workspace, script, start="portfolio")


def test_edits_are_made_in_the_order_of_their_keys_and_quitting_waits_for_them(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: len(rows(app)) == 2)
        app.screen.page.select("portfolio.items/OPP-1")
        for key in "1234567":
            app.post_message(events.Key(key, key))
        app.post_message(events.Key("q", "q"))
        await until(pilot, lambda: not app.is_running)

    drive(workspace, script, start="portfolio")
    assert stored(workspace, "OPP-1").impact == 7


def test_effort_is_typed_and_nonsense_is_refused(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: len(rows(app)) == 2)
        app.screen.page.select("portfolio.items/OPP-1")
        await pilot.press("w", "3", ".", "5", "enter")
        await until(pilot, lambda: stored(workspace, "OPP-1").effort_weeks == 3.5)
        await pilot.press("w", "x", "enter")
        await until(pilot, lambda: "'x' is not a number" in screen_text(app))
        await pilot.press("backspace", *"9999", "enter")  # what was typed is there to be mended
        await until(pilot, lambda: "0.1 to 520" in screen_text(app))
        assert stored(workspace, "OPP-1").effort_weeks == 3.5

    drive(workspace, script, start="portfolio")


def test_a_new_opportunity_and_its_undo(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: len(rows(app)) == 2)
        await pilot.press("n", *"[b]q", "enter")
        await until(pilot, lambda: len(rows(app)) == 3)
        assert "[b]q" in screen_text(app)
        await pilot.press("u")
        await until(pilot, lambda: len(rows(app)) == 2)
        assert not (workspace.engagement / "opportunities" / "OPP-3.yaml").exists()
        assert "title: '[b]q'" in next((workspace.hidden / "removed").glob("OPP-3-*.yaml")).read_text()

    drive(workspace, script, start="portfolio")


def test_what_is_too_long_stays_on_its_line(workspace):
    async def script(pilot, app):
        await pilot.press("n")
        app.post_message(events.Paste("W" * 302))
        await pilot.press("enter")
        assert "■ 300 characters at most; this has 302" in screen_text(app)
        await pilot.press("backspace", "backspace", "enter")
        await until(pilot, lambda: "OPP-3" in screen_text(app))

    drive(workspace, script, start="portfolio")
    assert Store(workspace).get(Opportunity, "OPP-3").document.title == "W" * 300


def test_a_broken_document_is_told_and_nothing_is_lost(workspace):
    path = workspace.engagement / "opportunities" / "OPP-1.yaml"

    async def script(pilot, app):
        await until(pilot, lambda: len(rows(app)) == 2)
        app.screen.page.select("portfolio.items/OPP-1")
        path.write_text("id: OPP-1\ntitel: typo\n")
        await pilot.press("9")
        await until(pilot, lambda: any("■" in line for line in screen_text(app).splitlines()[-5:]))
        assert path.read_text() == "id: OPP-1\ntitel: typo\n"

    drive(workspace, script, start="portfolio")


def test_an_edit_that_meets_an_error_of_the_program_is_told(workspace):
    async def script(pilot, app):
        app.edit(lambda: 1 // 0)
        await until(
            pilot, lambda: "met an error in the program, ZeroDivisionError" in " ".join(screen_text(app).split())
        )
        assert len(list(workspace.state.glob("crash-*.txt"))) == 1
        await pilot.press("g", "h")
        assert app.screen.name == "home"

    drive(workspace, script, start="portfolio")


def test_ticking_asks_who_and_keeps_it_in_the_cycle(workspace):
    def ticks() -> dict:
        return Store(workspace).get(Cycle, "cycle-1").document.items

    async def script(pilot, app):
        await until(pilot, lambda: app.saved("flywheel") is not None and not app._building)
        screen = app.screen
        manual = next(
            stop.item.id
            for stop in screen.page._layout.stops
            if screen.page.select(stop.item.id)
            and (check := screen._check()[1]) is not None
            and check.kind == "manual"
            and not screen._check()[0].locked
        )
        screen.page.select(manual)
        await pilot.press("space", *"Dana", "enter")
        await until(pilot, lambda: "note (may be empty)" in screen_text(app))
        await pilot.press(*"seen", "enter")
        await until(pilot, lambda: len(ticks()) == 1)
        (tick,) = ticks().values()
        assert (tick.who, tick.note, tick.when) == ("Dana", "seen", NOW.date())
        await until(
            pilot, lambda: not app._building and screen.page.select(manual) and screen._check()[1].state == "pass"
        )
        await pilot.press("space")
        await until(pilot, lambda: ticks() == {})

    drive(workspace, script, start="flywheel", size=(120, 60))


def test_only_a_persons_items_can_be_ticked(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: app.saved("flywheel") is not None and not app._building)
        screen = app.screen
        assert next(
            stop.item.id
            for stop in screen.page._layout.stops
            if screen.page.select(stop.item.id) and (check := screen._check()[1]) is not None and check.kind == "auto"
        )
        await pilot.press("space")
        assert "only a person's items" in screen_text(app)
        assert screen.page.select("flywheel.facts/done") or screen.page.select(screen.page._layout.stops[0].item.id)
        await pilot.press("space")
        assert "select an item of a phase first" in screen_text(app)

    drive(workspace, script, start="flywheel", size=(120, 60))


def test_a_sync_that_cannot_start_says_why_and_the_console_lives_on(workspace):
    async def script(pilot, app):
        await pilot.press("s")
        await until(pilot, lambda: app.progress() is not None and not app.progress().running)
        await until(pilot, lambda: "Last sync from here" in screen_text(app))
        below = screen_text(app).partition("Last sync from here")[2].splitlines()[1]
        assert below.split() == app.progress().error.split()[: len(below.split())] != []
        await pilot.press("g", "h")
        assert app.is_running

    app = drive(workspace, script, start="sources")
    assert app.progress().running is False


def test_files_are_loaded_by_key(workspace):
    tickets = workspace.root / "my tickets.csv"
    said = lambda app: " ".join(screen_text(app).split())  # noqa: E731
    tickets.write_text("Key,Summary,Created\nA-1,Fix login,2026-11-01\n")

    async def script(pilot, app):
        await pilot.press("L")
        app.post_message(events.Paste(f"'{tickets}'"))
        await pilot.press("enter")
        await until(pilot, lambda: "read `--as items` (issues)" in said(app))
        await pilot.press("L", "end")
        app.post_message(events.Paste(" --as items --accept"))
        await pilot.press("enter")
        await until(pilot, lambda: "items, 1 row (1 new" in said(app))

    drive(workspace, script, start="sources")


def test_progress_is_heard_line_by_line_and_nonsense_is_ignored():
    job = Job("sync", [])
    for line in (
        b'{"event": "start", "source": "linear"}',
        b'{"event": "page", "source": "linear", "stream": "issues", "rows": 50, "total": 200}',
        b'{"event": "page", "source": "linear", "stream": "issues", "rows": 100, "total": 200}',
        b'{"event": "page", "source": "\\u001b[31mjira", "stream": "issues", "rows": 7}',
        b'{"event": "error", "source": "github", "message": "refused\\u0007; run `auth set`"}',
        b'{"event": "error", "source": "github", "stream": "pulls", "message": "not tried: refused"}',
        b"not json",
        b'{"event": "finish"}',
    ):
        job.hear(line)
    assert job.told == ["not json"]
    assert job.rows() == [
        ("linear", "issues", 100, 200, ""),
        ("jira", "issues", 7, None, ""),
        ("github", "pulls", 0, None, "refused; run `auth set`"),
    ]


def test_a_range_is_typed_ranked_at_once_and_drawn_behind(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: rows(app) == ["OPP-1", "OPP-2"])
        app.screen.page.select("portfolio.items/OPP-2")
        await pilot.press("r", *"6 9, 10", "enter")
        await until(pilot, lambda: stored(workspace, "OPP-2").impact == (6.0, 9.0, 10.0))
        await until(pilot, lambda: rows(app) == ["OPP-2", "OPP-1"])
        await until(pilot, lambda: "draws" in screen_text(app) and not app._building)
        (change,) = stored(workspace, "OPP-2").history
        assert (change.field, change.before, change.after, change.when) == ("impact", 4.0, (6.0, 9.0, 10.0), NOW.date())
        for nonsense in ("6,9", "9,6,10", "a,b,c"):
            await pilot.press("r", *nonsense, "enter")
            await until(
                pilot, lambda: any(line.strip().startswith(("▲", "■")) for line in screen_text(app).splitlines()[-5:])
            )
        assert stored(workspace, "OPP-2").impact == (6.0, 9.0, 10.0)

    drive(workspace, script, start="portfolio")


def test_tornado_and_map_are_other_looks_at_the_same(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: len(rows(app)) == 2)
        await pilot.press("t")
        assert "What would change the order" in screen_text(app)
        assert "8→4" in screen_text(app), "8 × 5 × 5 ÷ 2 against 4 × 5 × 5 ÷ 2"
        await pilot.press("m")
        assert "Impact against effort" in screen_text(app)
        assert rows(app) == ["OPP-1", "OPP-2"], "the list is under the map"
        await pilot.press("m", "m")
        assert "Impact against effort" in screen_text(app)
        await pilot.press("escape")
        assert "Impact against effort" not in screen_text(app), "escape closes the map before it leaves the screen"
        assert app.screen.name == "portfolio"
        assert rows(app) == ["OPP-1", "OPP-2"]

    drive(workspace, script, start="portfolio")


def test_what_was_typed_on_lines_and_not_stored_is_offered_again(workspace):
    path, folder = workspace.state / "lines.json", workspace.engagement / "decisions"
    line = lambda app: screen_text(app).splitlines()[-1].strip()  # noqa: E731

    async def begun(pilot, app):
        await pilot.press("D", *"Größe", "enter", *"Ana", "enter", *"tw")
        for key in ("o", "ctrl+q"):  # at once
            app.post_message(events.Key(key, key if key == "o" else None))
        await until(pilot, lambda: not app.is_running)

    async def gone_on(pilot, app):
        await until(pilot, lambda: "typed and not stored" in screen_text(app))
        told = " ".join(screen_text(app).split())
        assert "to “what was chosen (empty: still open)”: “two”; D (Record a decision) asks again" in told
        await pilot.press("slash", *"nothing", "enter", "escape")  # another line, of which nothing is kept
        await pilot.press("w", *"1.5", "enter")  # and one that is stored
        await until(pilot, lambda: stored(workspace, "OPP-1").effort_weeks == 1.5)
        folder.parent.mkdir(exist_ok=True)
        folder.write_text("")  # where the decision would be written
        await pilot.press("D")
        assert line(app) == "decision, in a line Größe"
        await pilot.press(*"n", "enter", "enter")
        assert line(app) == "what was chosen (empty: still open) two"
        await pilot.press("enter")
        await until(pilot, lambda: "■" in screen_text(app))
        folder.unlink()
        await pilot.press("D", "enter", "enter", "enter")
        await until(pilot, folder.exists)
        await pilot.press("D")
        assert line(app) == "decision, in a line"
        await pilot.press(*"Nobody wants this", "escape", "O", "X", "escape", "O")
        assert line(app) == "new opportunity Rerank questions"
        await pilot.press("Y", "escape", "slash", *"one")

    drive(workspace, begun, start="portfolio")
    assert path.stat().st_mode & 0o077 == 0
    drive(workspace, gone_on, start="portfolio")
    (made,) = folder.iterdir()
    assert made.read_text().count("Größen") == 1 and "chosen: two" in made.read_text() and not path.exists()


def test_an_item_of_the_flywheel_leads_to_where_it_is_done(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: app.screen.page.select("flywheel.phase0/north-star"))
        await pilot.press("enter")
        assert "↵ again opens the document" in screen_text(app)
        await pilot.press("enter")
        await until(
            pilot, lambda: screen_text(app).splitlines()[-1] == " metric"
        )  # nothing is required, and this is lacking first
        await pilot.press(*"cases", "enter")
        await until(pilot, (workspace.engagement / "north-star.yaml").exists)
        await pilot.press("escape", "escape")
        app.screen.page.select("flywheel.phase0/value-stream-map")
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.screen.name == "stream")

    drive(workspace, script, start="flywheel")
    assert "metric: cases" in (workspace.engagement / "north-star.yaml").read_text()
