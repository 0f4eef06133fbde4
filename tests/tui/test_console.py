"""The console by its keys, on saved reports and a fixed clock."""

import math
import os
import stat
from pathlib import Path

import pytest
from textual import events

from aether_tui.report_model import SavedReport
from aether_tui.session import Failure, Memory
from screens import SCREENS
from screens.prose import Prose
from screens.widgets.prompt import Prompt
from tests.tui.driving import drive, screen_text, snapshot, until
from tests.tui.workspaces import make_whole, make_workspace, summary

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "northwind")


def without_tabs(app):
    """The screen without the line that names all screens: it is tested by itself, and each new screen changes it."""
    lines = screen_text(app).splitlines()
    return "\n".join([lines[0], *lines[2:]])


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", SCREENS)
def test_screens_look_as_they_did(tmp_path, name, size):
    workspace = make_whole(tmp_path / "northwind")

    async def script(pilot, app):
        snapshot(
            SNAPSHOTS,
            f"{name}-{size[0]}x{size[1]}",
            without_tabs(app),
            renew=os.environ.get("AETHER_SNAPSHOTS") == "renew",
        )

    drive(workspace, script, size=size, start=name)


@pytest.mark.slow
def test_g_and_a_letter_go_anywhere_and_history_goes_back(workspace):
    async def script(pilot, app):
        for spec in SCREENS.values():
            await pilot.press("g")
            await until(pilot, lambda spec=spec: f"{spec.letter} {spec.title}" in screen_text(app))
            assert "then a letter" in screen_text(app).splitlines()[-1]
            await pilot.press(spec.letter)
            await until(pilot, lambda spec=spec: app.screen.name == spec.name)
        *_, third, second, last = SCREENS
        await pilot.press("[")
        assert app.screen.name == second
        await pilot.press("escape")
        assert app.screen.name == third
        await pilot.press("]")
        assert app.screen.name == second
        await pilot.press("g", "comma")
        assert app.screen.name == second
        assert "then a letter" not in screen_text(app)
        assert last != second

    drive(workspace, script)


def test_vim_motions_move_the_cursor_and_scroll(workspace):
    async def script(pilot, app):
        page = app.screen.page
        assert page.selected.row == "OPP-1"
        await pilot.press("j", "j", "k")
        assert page.selected.row == "OPP-2"
        await pilot.press("G")
        assert page.selected.row == "OPP-40"
        assert "OPP-40" in screen_text(app)
        assert screen_text(app).splitlines()[2].split()[:2] == ["id", "opportunity"]
        await pilot.press("ctrl+u")
        assert 25 < int(page.selected.row[4:]) < 35
        await pilot.press("g", "g")
        assert page.selected.row == "OPP-1"
        assert page.scroll_offset.y == 0
        await pilot.press("ctrl+d")
        assert int(page.selected.row[4:]) > 5

    drive(workspace, script, start="portfolio")


def test_only_the_lines_the_cursor_left_and_reached_are_repainted(workspace):
    async def script(pilot, app):
        page = app.screen.page
        drawn = []
        original = page.render_line
        page.render_line = lambda y: drawn.append(y) or original(y)
        await pilot.press("j")
        await pilot.pause()
        assert len(drawn) <= 2

    drive(workspace, script, start="portfolio")


def test_filter_narrows_while_typing_and_escape_gives_up(workspace):
    async def script(pilot, app):
        await pilot.press("/")
        await pilot.pause()
        await pilot.press(*"number 17")
        await pilot.pause()
        assert [stop.item.row for stop in app.screen.page._layout.stops] == ["OPP-17"]
        await pilot.press("enter")
        await pilot.pause()
        assert not app.screen.query(Prompt)
        assert "/number 17" in screen_text(app)
        await pilot.press("escape")
        assert len(app.screen.page._layout.stops) == 40
        await pilot.press("/", "z", "q", "escape")
        await pilot.pause()
        assert len(app.screen.page._layout.stops) == 40
        assert app.is_running

    drive(workspace, script, start="portfolio")


def test_keys_typed_faster_than_the_screen_follows_keep_their_order(workspace):
    async def script(pilot, app):
        for key in ("g", "p", "slash", "q", "q", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else "/" if key == "slash" else None))
        await until(pilot, lambda: app.screen.name == "portfolio" and app.screen.page.view.keep == "qq")
        assert app.is_running

    drive(workspace, script)


def test_a_long_question_leaves_room_for_the_answer(workspace):
    async def script(pilot, app):
        app.screen.ask(
            "a question that is longer than the " + 5 * "very " + "narrow screen; y or n", "", lambda _: None
        )
        await pilot.press(*"yes of course")
        *above, line = screen_text(app).splitlines()[-3:]
        assert line == " answer yes of course"
        assert (
            " ".join(above).split() == f"a question that is longer than the {5 * 'very '}narrow screen; y or n".split()
        )

    drive(workspace, script, size=(60, 20))


def test_keys_typed_into_a_prompt_are_text(workspace):
    async def script(pilot, app):
        await pilot.press("/")
        await pilot.pause()
        await pilot.press("g", "h", "q", "?")
        await pilot.pause()
        assert app.screen.page.view.keep == "ghq?"
        assert app.screen.name == "portfolio"

    drive(workspace, script, start="portfolio")


def test_what_is_pasted_or_stands_in_a_file_is_harmless_where_it_is_typed(workspace):
    hostile = "a\x1b]52;c;aGk=\x07[@click=app.quit]b[/]\x9b31m\x00\u202e\ud800\r\n=c|d"

    async def script(pilot, app):
        given = []
        app.screen.ask("title", f"{hostile} {hostile}", given.append, most=None)
        await pilot.pause()
        app.post_message(events.Key("end", None))
        app.post_message(events.Paste(hostile * 600))
        await pilot.pause()
        assert screen_text(app).replace("\n", "").isprintable() and "[@click=app.quit]b[/]" in screen_text(app)
        await pilot.press("enter")
        assert given[0].startswith("a[@click=app.quit]b[/] =c|d a[@click") and given[0].isprintable()
        app.push_screen(Prose("title", "", hostile, lambda: None, given.append, given.append))
        await pilot.pause()
        app.post_message(events.Paste(f" {hostile}"))
        await pilot.pause()
        assert screen_text(app).replace("\n", "").isprintable()
        await pilot.press("escape")
        app.screen.ask("title", f"{'long ' * 40}END", given.append, goes_on=True)
        await pilot.pause()
        assert "END" in screen_text(app).splitlines()[-1]
        await pilot.resize_terminal(70, 24)
        assert "END" in screen_text(app).splitlines()[-1]  # what is written on stays in sight
        await pilot.press("escape")
        assert given.pop() is None
        app.screen.ask("title", "one", given.append)
        await pilot.pause()
        app.post_message(events.Key("end", None))
        app.post_message(events.Paste(" word\nmore\n"))
        await pilot.press(*"or", "enter")
        assert given.pop() == "one word more or"
        assert given[1] == "a[@click=app.quit]b[/]\n=c|d a[@click=app.quit]b[/]\n=c|d"

    drive(workspace, script)


def test_a_command_behind_a_line_that_a_key_opened_runs_at_once(workspace):
    async def script(pilot, app):
        await pilot.press("/", *"number 1", "enter", "x")
        assert app.screen.page.view.open_as == "why" and app.screen.page.view.keep == "number 1"
        await pilot.press("/", "escape", "t")
        assert "typed on" not in screen_text(app) and "there is nothing to look at" in screen_text(app)
        await pilot.press("w", *"soon", "enter", "ctrl+u", *"3", "enter", "x")  # refused, and mended in the same line
        assert "typed on" not in screen_text(app) and app.screen.page.view.open_as == "why"

    drive(workspace, script, start="portfolio", breath_s=math.inf)


def test_open_and_why_show_under_the_row_and_close(workspace):
    async def script(pilot, app):
        await pilot.press("j", "x")
        assert "Mean of eight" not in screen_text(app)
        await app.screen.page.run_action("top")
        app.screen.page.select("summary.lenses/summary.speed")
        await pilot.press("x")
        assert "Mean of eight indicators, each 0–100." in screen_text(app)
        await pilot.press("x")
        assert "Mean of eight" not in screen_text(app)
        await pilot.press("enter")
        assert "before: 56" in screen_text(app)
        await pilot.press("escape")
        assert "before: 56" not in screen_text(app)

    drive(workspace, script, size=(120, 40))


def test_sort_goes_through_the_columns_and_back(workspace):
    async def script(pilot, app):
        page = app.screen.page
        for _ in range(3):
            await pilot.press("<")
        assert "I▾" in screen_text(app)
        assert next(stop.item.row for stop in page._layout.stops) == "OPP-8"
        await pilot.press(">")
        assert next(stop.item.row for stop in page._layout.stops) == "OPP-9"
        for _ in range(7):
            await pilot.press("<")
        assert page.view.sorts == ()

    drive(workspace, script, start="portfolio")


def test_words_replace_bars_and_sparklines(workspace):
    async def script(pilot, app):
        assert "█" in screen_text(app)
        await pilot.press("v")
        assert "v draws again" in screen_text(app)
        text = "\n".join(line.ljust(120) for line in screen_text(app).splitlines())
        assert not set("▁▂▃▅▆▇█") & set("".join(line[:-1] for line in text.splitlines()))
        assert "30 to 62, lowest 30, highest 62" in text

    drive(workspace, script, size=(120, 40))


def test_a_click_on_a_letter_goes_to_its_screen_unless_something_is_typed(workspace):
    async def click(pilot, letter):
        tabs = screen_text(pilot.app).splitlines()[1]
        await pilot.click("#tabs", offset=(tabs.index(f" {letter} ") + 1, 0))

    async def script(pilot, app):
        await click(pilot, "e")
        await until(pilot, lambda: app.screen.name == "experiments")
        await pilot.press("n")
        await click(pilot, "p")
        await pilot.pause()
        assert app.screen.name == "experiments"
        await pilot.press("escape")
        await click(pilot, "p")
        await until(pilot, lambda: app.screen.name == "portfolio")

    drive(workspace, script, start="portfolio")


def test_help_lists_this_screens_keys_and_the_palette_finds_actions(workspace):
    async def script(pilot, app):
        await pilot.press("?")
        await pilot.pause()
        assert "Opportunities ranked by ICE-P" in screen_text(app)
        assert screen_text(app).index("Set the marked field") < screen_text(app).index("The seven phases")
        await pilot.press("escape", ":")
        await pilot.pause()
        await pilot.press(*"sources")
        await until(pilot, lambda: "Go to Sources" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.name == "sources")

    drive(workspace, script, start="portfolio")


def test_ctrl_c_explains_and_q_quits(workspace):
    async def script(pilot, app):
        await pilot.press("ctrl+c")
        assert "press q" in screen_text(app).splitlines()[-1]
        await pilot.press("j")
        assert "press q" not in screen_text(app)
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running

    drive(workspace, script)


@pytest.mark.parametrize("size", [(20, 5), (59, 30), (100, 14)])
def test_a_sentence_instead_of_a_broken_screen(workspace, size):
    async def script(pilot, app):
        assert "aether needs" in " ".join(screen_text(app).split())
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Portfolio" in screen_text(app)

    drive(workspace, script, size=size)


def test_a_session_goes_on_where_it_stopped(workspace):
    async def first(pilot, app):
        await pilot.press("g", "p", "j", "j")

    async def second(pilot, app):
        assert app.screen.name == "portfolio"
        assert app.screen.page.selected.row == "OPP-3"

    drive(workspace, first)
    drive(workspace, second, start=None)


def test_a_damaged_session_and_a_damaged_report_count_as_absent(workspace):
    (workspace.state / "session.json").write_bytes(b"{")
    (workspace.state / "reports" / "lens.json").write_bytes(b'{"report": 3}')

    async def script(pilot, app):
        assert app.screen.name == "home"
        assert app.saved("lens") is None

    drive(workspace, script, start=None)


def test_a_failed_report_says_why_in_its_own_place(workspace):
    async def script(pilot, app):
        app._shelf.take("summary", Failure("the cache is locked", "cache.duckdb", "wait for sync"))
        app.screen.show()
        text = " ".join(screen_text(app).split())
        assert "cache.duckdb: the cache is locked" in text
        assert "→ wait for sync" in text
        assert "Refund tokens" in text

    drive(workspace, script)


def test_export_writes_markdown(workspace):
    async def script(pilot, app):
        await pilot.press("e")
        await until(pilot, lambda: "wrote exports/portfolio.md" in screen_text(app))

    drive(workspace, script, start="portfolio")
    assert "OPP-1" in (workspace.exports / "portfolio.md").read_text()


def test_copy_says_how(workspace):
    async def script(pilot, app):
        await pilot.press("y")
        assert "copied by the terminal" in screen_text(app)
        assert app.clipboard.startswith("OPP-1\t")

    drive(workspace, script, start="portfolio")


def test_the_users_keys_are_in_force_and_their_problems_are_told(workspace):
    with workspace.config_path.open("a") as file:
        file.write('\n[console.keys]\n"report.why" = "W"\n"app.quit" = "j"\n')

    async def script(pilot, app):
        app.screen.page.select("summary.lenses/summary.speed")
        await pilot.press("W")
        assert app.screen.page.view.open_as == "why"
        await pilot.press("?")
        await pilot.pause()
        await pilot.press("end")
        assert any("app.quit" in problem for problem in app.keymap.problems)

    drive(workspace, script)


def test_saved_reports_are_private_and_currentness_follows_the_files(workspace):
    memory = Memory(workspace)
    path = workspace.state / "reports" / "summary.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    memory.keep_report("summary", path.read_bytes(), 5)
    assert memory.built_ns("summary") == 5
    before = memory.changed_ns()
    (workspace.engagement / "opportunities").mkdir()
    assert memory.changed_ns() > before > 5
    assert isinstance(memory.report("summary"), SavedReport)
    assert memory.report("summary") == summary()
