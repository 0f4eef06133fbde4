"""Window, comparison and filters: one choice for all screens, kept across them and across starts."""

import gc
from datetime import UTC, datetime

import pytest

from aether_tui import ahead, background, builders
from aether_tui.looking import Looking, current_quarter, listed
from aether_tui.report_model import Col, Row, SavedReport, Table, save
from aether_tui.session import KEPT_VIEWS, Memory
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
from screens import SCREENS
from tests.tui.driving import drive, screen_text, until
from tests.tui.test_form import typed
from tests.tui.workspaces import NOW, WINDOW, make_workspace


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)
    Store(workspace).add(
        Opportunity,
        lambda i: Opportunity(id=i, title="Cache", impact=5, confidence=5, reversibility=5, effort_weeks=2),
    )
    return workspace


def window(app) -> str:
    report = app.saved("portfolio")
    return report.window.label if report is not None and app.current("portfolio") else ""


def test_a_wider_window_is_built_shown_kept_and_cleared(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: window(app) == "28d" and not app._building)
        await pilot.press("+")
        await until(pilot, lambda: window(app) == "90d" and not app._building)
        assert "90d" in screen_text(app).splitlines()[1]
        await pilot.press("-")
        await pilot.pause()
        assert window(app) == "28d"
        assert not app._building, "what was built before is shown without being built again"
        await pilot.press("-")
        await until(pilot, lambda: window(app) == "7d" and not app._building)
        await pilot.press("escape")
        await pilot.pause()
        assert window(app) == "28d"
        await pilot.press("+", "g", "h")
        await until(pilot, lambda: app.screen.name == "home")
        assert app.looking().window == "90d"
        assert "90d" in screen_text(app).splitlines()[1]

    async def again(pilot, app):
        assert app.looking() == Looking(window="90d")

    drive(workspace, script, start="portfolio")
    drive(workspace, again, start="portfolio")


def test_usual_windows_are_built_while_nobody_types_and_others_while_they_are_typed(workspace, monkeypatch):
    monkeypatch.setattr(ahead, "QUIET_S", 0.0)
    memory = Memory(workspace)

    def there(name: str) -> bool:
        saved = memory.report("lens", Looking(window=name).key)
        return saved is not None and saved.window.label == name

    async def script(pilot, app):
        await until(pilot, lambda: app.current("lens") and all(map(there, ("7d", "90d", "2026-Q4"))))
        await until(pilot, lambda: not app._building)
        await pilot.press("W")
        await pilot.press(*"40d")
        await until(pilot, lambda: there("40d"))  # before enter
        await pilot.press("enter")
        await until(pilot, lambda: app.looking().window == "40d")
        assert app.current("lens")
        await pilot.press("escape")
        await until(pilot, lambda: not app.looking().key and not app._building)
        await pilot.press("+")
        await pilot.pause()
        assert app.current("lens")
        assert app.saved("lens").window.label == "90d"
        assert "lens" not in app._building
        (workspace.root / "aether.toml").write_text(
            '[engagement]\nname = "Other"\n'
        )  # what was built ahead is out of date now
        await until(pilot, lambda: not app._shelf.outdated("lens", app.now()))
        await pilot.press("+")
        await until(pilot, lambda: app.current("lens") and not app._shelf.outdated("lens", app.now()))
        assert app.saved("lens").window.label == "2026-Q4"

        gc.set_threshold(*thresholds[:2], 1_000_000)  # as `open_console` does
        for _ in range(background.GARBAGE + 1):
            gc.collect(1)
        await until(pilot, lambda: gc.get_count()[2] <= background.GARBAGE)  # looked through while nobody types

        monkeypatch.setattr(ahead, "QUIET_S", 3600.0)  # nothing is built any more that nobody asks for
        await until(pilot, lambda: app._ahead._begun is None and app._builders._waiting is not None)
        child = app._builders._waiting.pid
        for days in range(11, 21):
            await pilot.press("W", *f"{days}d", "enter")
            tabs = screen_text(app).splitlines()[1]
            assert f"{days}d" in tabs
            assert "still" in tabs or app.saved("lens").window.label == f"{days}d"
        await until(pilot, lambda: app.current("lens") and "20d · now" in screen_text(app).splitlines()[1])
        assert app.saved("lens").window.label == "20d"
        assert "updating" not in screen_text(app).splitlines()[1]
        await until(pilot, lambda: app._builders._waiting is not None)
        assert app._builders._waiting.pid == child, "a window that is typed ends no child: the next would be slow"
        await pilot.press("g", SCREENS["scorecard"].letter)
        await until(pilot, lambda: app.current("scorecard"))  # at once, not after all that nobody sees

        monkeypatch.setattr(builders, "COMMAND", ("false",))
        app._builders.let_go()
        await pilot.press("W", *"44d")
        await until(pilot, lambda: ("scorecard", Looking(window="44d").key) in app._shelf._failures)
        assert "could not be built" not in screen_text(app)
        await pilot.press("escape")
        assert "could not be built" not in screen_text(app)

    thresholds = gc.get_threshold()
    try:
        drive(workspace, script, start="lens")
    finally:
        gc.set_threshold(*thresholds)


def test_windows_comparisons_and_filters_are_typed_and_nonsense_is_refused(workspace):
    async def script(pilot, app):
        await until(pilot, lambda: window(app) == "28d" and not app._building)
        for key, text, said in (
            ("W", "soon", "is not a window"),
            ("W", "2027-01-01..2027-02-01", "lies in the future"),
            ("C", "yesterday", "is not a date"),
            ("C", "2027-01-01", "ends after the window"),
            ("T", "tribe payments", "is not understood"),
        ):
            await pilot.press(key)
            await pilot.pause()
            await typed(pilot, text)
            assert said in screen_text(app).splitlines()[-2] and text in screen_text(app).splitlines()[-1]
            assert app.looking() == Looking()
            await pilot.press("escape")
            assert said not in screen_text(app)
        for key, text, expected in (
            ("W", "q", Looking(window="2026-Q4")),
            ("C", "2026-08-31", Looking(window="2026-Q4", compare="2026-08-31")),
            ("T", "team payments", Looking(window="2026-Q4", compare="2026-08-31", team="payments")),
        ):
            await pilot.press(key)
            await pilot.pause()
            await typed(pilot, text)
            assert app.looking() == expected
        assert "2026-Q4 vs 2026-08-31, team payments" in screen_text(app).splitlines()[1]
        await until(pilot, lambda: window(app) == "2026-Q4" and not app._building)
        await pilot.press("T")
        await pilot.pause()
        await pilot.press("ctrl+u", "enter")
        await pilot.pause()
        assert app.looking().team is None

    drive(workspace, script, start="portfolio", size=(120, 40))


def test_narrowing_offers_the_names_that_data_know(workspace):
    rows = tuple(
        Row(id=f"{kind}.{name}", cells=(kind, name, 9))
        for kind, name in (("team", "answers"), ("team", "pay ments"), ("service", "api"))
    )
    names = Table(id="sources.names", columns=(Col(key="kind", title="kind"), Col(key="name", title="name")), rows=rows)
    report = SavedReport(report="sources", title="Sources", as_of=NOW, window=WINDOW, headline="x", blocks=(names,))
    Memory(workspace).keep_report("sources", save(report), 4_102_444_800_000_000_000)

    async def script(pilot, app):
        await until(pilot, lambda: window(app) == "28d" and not app._building)
        for text, expected in (
            ("2", ("pay ments", None)),
            ("1, api", ("answers", "api")),
            ("service=web", (None, "web")),
        ):
            await pilot.press("T")
            await until(pilot, lambda: "team: 1 answers 2 pay ments; service: 3 api" in screen_text(app))
            await typed(pilot, text)
            assert (app.looking().team, app.looking().service) == expected

    drive(workspace, script, start="portfolio", size=(120, 40))
    assert listed([("team", "answers"), ("team", "desk")], 16) == "team: 1 answers"
    assert listed([], 80) == ""


@pytest.mark.parametrize(
    ("day", "first_month", "expected"),
    [
        ((2026, 11, 21), 1, "2026-Q4"),
        ((2026, 11, 21), 10, "2027-Q1"),
        ((2026, 1, 1), 1, "2026-Q1"),
        ((2026, 9, 30), 10, "2026-Q4"),
        ((2026, 2, 28), 4, "2026-Q4"),
    ],
)
def test_the_quarter_we_are_in(day, first_month, expected):
    assert current_quarter(datetime(*day, 12, tzinfo=UTC), first_month) == expected


def test_the_status_line_keeps_the_usual_view_and_old_views_are_let_go(tmp_path):
    workspace = make_workspace(tmp_path / "w")
    memory = Memory(workspace)
    for number in range(KEPT_VIEWS + 5):
        memory.keep_report("lens", b"{}", 1_000_000_000 + number, f"{number:012x}")
    kept = list((workspace.state / "reports").glob("*@*.json"))
    assert len(kept) == KEPT_VIEWS
    assert memory.report("lens") is not None

    async def script(pilot, app):
        app.action_wider()  # at once: the next look may already find the other view built
        assert "cycle 2, phase 2" in screen_text(app).splitlines()[0]
        assert "still 28d" in screen_text(app).splitlines()[1]
        assert "Refund tokens" in screen_text(app)
        assert app.now() == NOW

    drive(workspace, script)
