"""Room mode, looking only, and the bell: for when others see the screen."""

import re

import msgspec
import pytest

from aether_tui.app import AetherApp
from aether_tui.builds import Options, Outcome
from aether_tui.report_model import (
    Box,
    Boxes,
    Col,
    Fact,
    Facts,
    Finding,
    Plot,
    Point,
    Prose,
    Row,
    SavedReport,
    Series,
    Table,
    Trend,
)
from aether_tui.room import discreet, masked
from aether_tui.session import Memory
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
from screens import SCREENS
from screens.form import Form
from tests.tui.driving import drive, screen_text, until
from tests.tui.workspaces import NOW, REPORTS, WINDOW, make_workspace, q

MONEY = re.compile(r"\d\s?(USD|EUR)|[$€]\s?\d")


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "northwind")


def secret() -> SavedReport:
    mine = Row(id="a", cells=("open", 3.0, 12.0, "+4,321"))
    theirs = Row(id="b", cells=("Globex pays late", 3.0, 13.0, "0"), private=True)
    columns = (
        Col(key="t", title="what"), Col(key="n", title="n", kind="number"), Col(key="c", title="cost", kind="number", unit="USD"),
        Col(key="d", title="Δ USD/month", kind="number"),
    )  # fmt: skip
    line = Series(label="cost", points=(Point(x=0, y=1), Point(x=1, y=4321)))
    limits = (
        Col(key="b", title="budget"), Col(key="n", title="now", kind="number"), Col(key="l", title="limit", kind="number"),
        Col(key="u", title="used", kind="bar"), Col(key="r", title="recent", kind="spark"),
    )  # fmt: skip
    return SavedReport(
        report="summary", title="Home", as_of=NOW, window=WINDOW, headline="Northwind Assist spends 1,640 USD, up from €1,200.",
        findings=(Finding(id="f1", severity="bad", text="Saves 0.13 USD per task"),
                  Finding(id="f2", severity="bad", text="Ada rates trust 1 of 5", private=True)),
        blocks=(
            Table(id="t", columns=columns, rows=(mine, theirs)),
            Facts(id="f", facts=(Fact(id="x", label="spend", value=q(4321.0, "USD"), series=(4320.0, 4321.0), previous=q(4000.0, "USD")),
                                 Fact(id="y", label="trust of Ada", value=q(2.0), private=True))),
            Trend(id="tr", title="Cost", start=NOW, values=(4321.0, 4322.0), unit="USD"),
            Plot(id="p", title="Cost", text="Rises to 4,321 USD", series=(line,), y_unit="USD/month"),
            Boxes(id="b", title="Stream", rows=((Box(id="1", title="check", lines=("0.300 USD",)), 
                                                Box(id="2", title="Globex", private=True)),)),
            Prose(id="pr", text="Globex did it too", private=True),
            Table(id="l", columns=limits, rows=(
                Row(id="c", cells=("spend", q(4321.0, "USD"), "9,876", 0.4, (4320.0, 4321.0))),
                Row(id="d", cells=("suite", q(62.0, "s"), "40", 0.4, (61.0, 62.0))),
            )),
        ),
    )  # fmt: skip


def test_money_people_and_clients_are_left_out_and_the_rest_stays():
    page = msgspec.json.encode(discreet(secret(), "Northwind Assist")).decode()
    for word in ("Globex", "Ada", "Northwind", "432", "1,640", "1,200", "0.13 ", "0.300", "13.0", "9,876"):
        assert word not in page, word
    for word in ("open", "what", "check", "hidden in room mode", "••• per task", '"40"', "61.0"):
        assert word in page, word
    assert discreet(secret()) == discreet(secret())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("1,640 of 2,000 USD", "•••"),
        ("0.131 USD/task", "•••/task"),
        ("12 to 15 EUR", "•••"),
        ("p50 of 5: 0.1311, 0.1243, 0.137 USD", "p50 of 5: •••"),
        ("costs $12.50 or €3k", "costs ••• or •••"),
        ("82 % of 1,204 tasks in 28 d, OPP-12, 2026-11-21", "82 % of 1,204 tasks in 28 d, OPP-12, 2026-11-21"),
    ],
)
def test_amounts_in_sentences(said, shown):
    assert masked(said) == shown


@pytest.mark.slow
def test_room_mode_holds_on_every_screen_in_the_first_paint_and_until_it_ends(workspace):
    Memory(workspace).keep_report("summary", msgspec.json.encode(secret()), 4_102_444_800_000_000_000)

    async def first(pilot, app):
        assert MONEY.search(screen_text(app)) and "Globex" in screen_text(app)
        await pilot.press("R")
        for spec in SCREENS.values():
            await pilot.press("g", spec.letter)
            await pilot.pause()
            await pilot.press("enter")
            text = screen_text(app)
            assert not MONEY.search(text), text
            assert "Globex" not in text and "Northwind" not in text
        await pilot.press("g", "h", "e")
        await until(pilot, lambda: (workspace.exports / "summary.md").exists())

    async def again(pilot, app):
        assert "Globex" not in screen_text(app) and "room mode" in screen_text(app).splitlines()[0]
        await pilot.press("R")
        assert "Globex" in screen_text(app)

    drive(workspace, first, size=(120, 40))
    assert "Globex" in (workspace.exports / "summary.md").read_text(), "exports stay whole"
    drive(workspace, again, size=(120, 40))


def test_what_people_said_cannot_be_opened_in_room_mode(workspace):
    folder = workspace.engagement / "interviews"
    folder.mkdir()
    assert Interview.PRIVATE
    (folder / "INT-1.yaml").write_text("id: INT-1\nwho: Ada Lovelace\n")

    async def script(pilot, app):
        await pilot.press("R")
        app.open_form("interview", "INT-1")
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._model is not None)
        await pilot.pause()
        assert "Lovelace" not in screen_text(app)
        assert "not shown in room mode" in screen_text(app)
        await pilot.press("escape", "F")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: "documents" in screen_text(app))
        assert "INT-1" not in screen_text(app)

    drive(workspace, script)


def run(workspace, script, **options):
    import asyncio

    app = AetherApp(workspace, Options(now=lambda: NOW, as_of=NOW, start="portfolio", offline=True, **options))

    async def follow():
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            await script(pilot, app)

    asyncio.run(follow())


def test_read_only_looks_and_changes_nothing(workspace):
    Store(workspace).add(
        Opportunity, lambda i: Opportunity(id=i, title="T", impact=5, confidence=5, reversibility=5, effort_weeks=2)
    )  # fmt: skip
    before = {path: path.read_bytes() for path in workspace.engagement.rglob("*.yaml")}

    async def script(pilot, app):
        assert "read-only" in screen_text(app).splitlines()[0]
        for keys in (("9",), ("s",), ("E",), ("e",), ("n", "x", "enter")):
            await pilot.press("j")
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            assert "nothing is edited or started here" in screen_text(app).splitlines()[-1], keys
        app.open_form("opportunity", "OPP-1")
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._model is not None)
        await pilot.pause()
        app.screen.page.select("form/impact")
        await pilot.press("9")
        await pilot.pause()
        assert "read-only" in screen_text(app).splitlines()[-1]

    run(workspace, script, read_only=True)
    assert {path: path.read_bytes() for path in workspace.engagement.rglob("*.yaml")} == before
    assert not workspace.exports.exists()


def test_the_bell_rings_once_for_a_new_block(workspace):
    rung = []

    async def script(pilot, app):
        app.bell = lambda: rung.append(1)
        memory = Memory(workspace)
        budgets = REPORTS["budgets"]()
        table = budgets.blocks[0]
        worse = msgspec.structs.replace(
            table, rows=tuple(msgspec.structs.replace(r, state="block") for r in table.rows)
        )
        assert app.saved("budgets") is not None
        for report, expected in ((budgets, 0), (msgspec.structs.replace(budgets, blocks=(worse,)), 1), (budgets, 1)):
            memory.keep_report("budgets", msgspec.json.encode(report), 4_102_444_800_000_000_000)
            app.on_background_built(app.Built(Outcome("budgets"), app.looking()))
            assert len(rung) == expected

    run(workspace, script, bell=True)
