"""The form over any kind of document: by keyboard only, on disk before the next key, nothing lost."""

import os
from datetime import date

import pytest
from textual import events

from aether_tui.errors import ConfigurationError
from aether_tui.stats.cells import Cell
from aether_tui.workspace.edits import change
from aether_tui.workspace.fields import fields, parse, plain
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.cycle import Cycle
from aether_tui.workspace.kinds.decision import Decision
from aether_tui.workspace.kinds.experiment import Experiment
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.kinds.value_stream import ValueStream
from aether_tui.workspace.store import Store
from screens import unstored
from screens.form import Form, _hint
from screens.form_file import name_of
from screens.prose import Prose
from tests.tui.driving import drive, look_away, screen_text, settled, until
from tests.tui.workspaces import HOSTILE, NOW


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "aether.toml").write_text("")
    workspace = Workspace(tmp_path)
    Store(workspace).add(
        Opportunity,
        lambda identity: Opportunity(
            id=identity,
            title="Cache answers",
            impact=5,
            confidence=5,
            reversibility=5,
            effort_weeks=2,
            evidence=["one", "two"],
        ),
    )
    return workspace


def opportunity(workspace, identity="OPP-1") -> Opportunity:
    return Store(workspace).get(Opportunity, identity).document


async def opened(pilot, app, kind, identity=None) -> Form:
    app.open_form(kind, identity)
    await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._model is not None)
    return app.screen


async def stand(pilot, form, name):
    assert form.page.select(f"form/{name}"), name
    await pilot.pause()


async def typed(pilot, text):
    for char in text:
        await pilot.press("space" if char == " " else char)
    await pilot.press("enter")
    await pilot.pause()


def test_a_digit_a_choice_a_text_and_a_switch_are_on_disk(workspace):
    async def script(pilot, app):
        form = await opened(pilot, app, "opportunity", "OPP-1")
        assert "Cache answers" in screen_text(app)
        await stand(pilot, form, "impact")
        assert "Movement of the north star" in screen_text(app)
        await pilot.press("0")
        await until(pilot, lambda: opportunity(workspace).impact == 10)
        await stand(pilot, form, "status")
        await pilot.press("3")
        await until(pilot, lambda: opportunity(workspace).status == "running")
        await pilot.press("space")
        await until(pilot, lambda: opportunity(workspace).status == "done")
        await stand(pilot, form, "strategic_bet")
        await pilot.press("space")
        await until(pilot, lambda: opportunity(workspace).strategic_bet)
        await stand(pilot, form, "effort_weeks")
        await pilot.press("3")
        await pilot.pause()
        await typed(pilot, " 4 9")
        await until(pilot, lambda: opportunity(workspace).effort_weeks == (3, 4, 9))
        await stand(pilot, form, "cluster")
        await pilot.press("enter")
        await pilot.pause()
        await typed(pilot, "refunds")
        await until(pilot, lambda: opportunity(workspace).cluster == "refunds")
        await pilot.press("delete")
        await until(pilot, lambda: opportunity(workspace).cluster == "")
        await pilot.press("u", "u")
        await until(
            pilot, lambda: opportunity(workspace).cluster == "" and opportunity(workspace).effort_weeks == (3, 4, 9)
        )
        await until(pilot, lambda: "3 4 9" in screen_text(app))
        await pilot.press("escape")
        assert not isinstance(app.screen, Form)

    drive(workspace, script, start="portfolio")


def test_what_may_not_stand_is_told_in_place_and_nothing_is_written(workspace):
    path = workspace.engagement / "opportunities" / "OPP-1.yaml"
    before = path.read_bytes()

    async def script(pilot, app):
        form = await opened(pilot, app, "opportunity", "OPP-1")
        for field, text, told in (
            ("effort_weeks", "9999", "outside 0.1 to 520"),
            ("effort_weeks", "soon", "'soon' is not a number"),
            ("effort_weeks", "1,000", "type 1000, or 1.000"),
            ("status", "wild", "none of them"),
            ("created", "tomorrow", "expected a date"),
        ):
            await stand(pilot, form, field)
            await pilot.press("enter")
            await pilot.pause()
            await pilot.press("ctrl+u")
            await typed(pilot, text)
            await until(pilot, lambda told=told: told in " ".join(screen_text(app).split()))
            assert screen_text(app).splitlines()[-1] == f" {field.replace('_', ' ')} {text}"  # to be mended
            await pilot.press("escape")
            assert told not in " ".join(screen_text(app).split())
        assert path.read_bytes() == before

    drive(workspace, script, start="portfolio")


def test_lines_are_added_changed_and_removed(workspace):
    async def script(pilot, app):
        form = await opened(pilot, app, "opportunity", "OPP-1")
        await stand(pilot, form, "evidence")
        await pilot.press("n")
        await pilot.pause()
        await typed(pilot, "three")
        await until(pilot, lambda: opportunity(workspace).evidence == ["one", "two", "three"])
        await stand(pilot, form, "evidence.0")
        await pilot.press("delete")
        await until(pilot, lambda: opportunity(workspace).evidence == ["two", "three"])

    drive(workspace, script, start="portfolio", size=(100, 40))


def test_long_text_is_written_on_a_page(workspace):
    async def script(pilot, app):
        form = await opened(pilot, app, "opportunity", "OPP-1")
        await stand(pilot, form, "notes")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Prose))
        assert screen_text(app).startswith(" OPP-1 · notes   esc keeps it")
        await pilot.press(*"one", "enter", *"two", "escape")
        await until(pilot, lambda: opportunity(workspace).notes == "one\ntwo")
        await stand(pilot, form, "notes")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Prose))
        await pilot.press("x", "ctrl+x")
        await pilot.pause()
        assert opportunity(workspace).notes == "one\ntwo"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Prose))
        await pilot.press("enter", *"thr")
        for letter in "👩\u200d💻":
            app.post_message(events.Key("an emoji in three parts", letter))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running)

    drive(workspace, script, start="portfolio")
    assert opportunity(workspace).notes == "one\ntwo\nthr👩\u200d💻"


def test_a_new_document_is_asked_for_and_made_as_soon_as_it_is_valid(workspace):
    async def script(pilot, app):
        form = await opened(pilot, app, "opportunity")
        await until(pilot, lambda: form._asking)
        await typed(pilot, "Rerank")
        assert "not stored yet" in screen_text(app)
        for digit in "864":
            await pilot.press(digit)
            await pilot.pause()
        assert not (workspace.engagement / "opportunities" / "OPP-2.yaml").exists()
        await until(pilot, lambda: form._asking)
        await typed(pilot, "3")
        await until(pilot, lambda: (workspace.engagement / "opportunities" / "OPP-2.yaml").exists())
        made = opportunity(workspace, "OPP-2")
        assert (made.title, made.impact, made.confidence, made.reversibility, made.effort_weeks) == (
            "Rerank",
            8,
            6,
            4,
            3,
        )
        assert made.created == NOW.date()
        await pilot.press("u")
        await until(pilot, lambda: not (workspace.engagement / "opportunities" / "OPP-2.yaml").exists())

    drive(workspace, script, start="portfolio")


def test_what_was_said_to_a_form_and_not_stored_is_there_when_it_opens_again(workspace):
    path = workspace.engagement / "opportunities" / "OPP-2.yaml"
    left = lambda: [one.name for one in workspace.state.glob("form-*")]  # noqa: E731

    async def begun(pilot, app):
        form = await opened(pilot, app, "opportunity")
        await until(pilot, lambda: form._asking)
        for letter in "Größe\u200cها":
            app.post_message(events.Key("a letter", letter))
        await pilot.press("enter")
        await pilot.press("8", "6", "4")
        for key in ("1", "ctrl+q"):  # at once
            app.post_message(events.Key(key, key if key == "1" else None))
        await until(pilot, lambda: not app.is_running)

    async def gone_on(pilot, app):
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._asking)
        assert screen_text(app).splitlines()[-1] == " effort weeks 1"
        await pilot.press("2", "escape", "escape")  # one escape too many
        await until(pilot, lambda: "not stored: effort weeks still to be said" in screen_text(app))
        await pilot.press("g", "h")
        assert "the new opportunity is not stored yet; opening it again goes on" in " ".join(screen_text(app).split())
        await pilot.press("g", "p")
        await opened(pilot, app, "opportunity")
        await typed(pilot, "12")
        await until(pilot, path.exists)
        await pilot.press("escape")

    drive(workspace, begun, start="portfolio")
    assert left() == ["form-opportunity.json"] and not path.exists()
    assert (workspace.state / "form-opportunity.json").stat().st_mode & 0o077 == 0
    drive(workspace, gone_on, start="portfolio")
    made = opportunity(workspace, "OPP-2")
    assert (made.title, made.impact, made.effort_weeks) == ("Größe\u200cها", 8, 12) and left() == []

    async def in_a_line(pilot, app):
        await stand(pilot, await opened(pilot, app, "opportunity", "OPP-1"), "effort_weeks")
        await pilot.press("enter", "1")

    async def given_up(pilot, app):
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._asking)
        assert screen_text(app).splitlines()[-1] == " effort weeks 1"
        await pilot.press("escape", "escape")
        form = await opened(pilot, app, "opportunity")
        await typed(pilot, "Nobody wants this")
        await pilot.press("escape", "escape", "escape")
        assert not isinstance(app.screen, Form) and form._stored is None and left() == []
        unstored.keep(workspace, unstored.Unstored("opportunity", "OPP-9", at=("title",), typed="Gone"))
        form = await opened(pilot, app, "opportunity", "OPP-9")
        assert "OPP-9" in screen_text(app) and not form._asking

    drive(workspace, in_a_line, start="portfolio")
    assert left() == ["form-OPP-1.json"] and opportunity(workspace).effort_weeks == 2  # half a number is none
    drive(workspace, given_up, start="portfolio")
    assert left() == [] and opportunity(workspace).effort_weeks == 2


def test_an_entry_and_a_page_begun_in_a_document_are_there_when_it_opens_again(workspace):
    async def begun(pilot, app):
        form = await opened(pilot, app, "value-stream")
        await until(pilot, lambda: form._asking)
        for said in ("Refunds", "9", "2,5", "Ask"):  # title, demand, value, and the first step, which has to be there
            await typed(pilot, said)
        await until(pilot, lambda: form._stored is not None)
        await pilot.press("n")
        await until(pilot, lambda: form._asking)
        await pilot.press(*"Prüf")

    async def gone_on(pilot, app):
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._asking)
        await typed(pilot, "ung")
        await until(pilot, lambda: not app.screen._sets)
        await stand(pilot, app.screen, "steps.1.wait_s")
        await pilot.press("enter")
        await typed(pilot, "60 120,5 300")

    async def page(pilot, app):
        app.open_form("decision")
        await until(pilot, lambda: isinstance(app.screen, Form) and app.screen._asking)
        await pilot.press("escape")
        await stand(pilot, app.screen, "reason")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Prose))
        await pilot.press(*"one", "enter", *"tw")

    async def page_again(pilot, app):
        await until(pilot, lambda: isinstance(app.screen, Prose))
        await pilot.press("o")
        assert app.screen._area.text == "one\ntwo"
        await pilot.press("escape", "escape")  # the second leaves the line for the title
        (workspace.state / ".form-decision.json.tmp").mkdir()  # where it would be written
        await pilot.press("g", "h")
        assert "what was said to the new decision could not be kept" in screen_text(app)

    drive(workspace, begun, start="portfolio")
    drive(workspace, gone_on, start="portfolio")
    first, second = Store(workspace).get(ValueStream, "VS-1").document.steps
    assert (first.name, second.name, second.wait_s) == ("Ask", "Prüfung", Cell(120.5, low=60, high=300))
    drive(workspace, page, start="portfolio")
    drive(workspace, page_again, start="portfolio")


def test_a_group_that_is_not_there_is_added_whole(workspace):
    Store(workspace).add(Decision, lambda i: Decision(id=i, title="Go", raised=date(2026, 11, 1)))
    path = workspace.engagement / "decisions" / "DEC-1.yaml"

    async def script(pilot, app):
        form = await opened(pilot, app, "decision", "DEC-1")
        await stand(pilot, form, "gate_override")
        await pilot.press("enter")
        await until(pilot, lambda: form._asking)
        await typed(pilot, "Ada")
        assert "gate_override" not in path.read_text()
        await until(pilot, lambda: isinstance(app.screen, Prose))
        await pilot.press(*"nobodycansee", "escape")
        await until(pilot, lambda: form._asking)
        await typed(pilot, "")
        await until(pilot, lambda: "gate_override" in path.read_text())
        held = Store(workspace).get(Decision, "DEC-1").document.gate_override
        assert (held.name, held.reason, held.expires) == ("Ada", "nobodycansee", NOW.date())

    drive(workspace, script, start="portfolio", size=(100, 40))


def test_entries_of_lists_and_tables_open_and_close(workspace):
    Store(workspace).add(
        Cycle,
        lambda i: Cycle.model_validate(
            {"id": i, "started": date(2026, 11, 1), "artifacts": [{"kind": "map", "title": HOSTILE}],
             "items": {"p1.goal": {"who": "Ada", "when": date(2026, 11, 2)}}}
        ),
    )  # fmt: skip

    async def script(pilot, app):
        form = await opened(pilot, app, "cycle", "cycle-1")
        assert "artifacts.0.title" not in form._fields
        await stand(pilot, form, "artifacts.0")
        await pilot.press("enter")
        await until(pilot, lambda: "artifacts.0.title" in form._fields)
        await stand(pilot, form, "items.p1.goal")
        await pilot.press("enter")
        await pilot.pause()
        await stand(pilot, form, "items.p1.goal.who")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("end")  # what is offered is marked, and would give way to the first letter
        await typed(pilot, " Lovelace")
        read = lambda: Store(workspace).get(Cycle, "cycle-1").document  # noqa: E731
        await until(pilot, lambda: read().items["p1.goal"].who == "Ada Lovelace")
        assert read().artifacts[0].title == HOSTILE

    drive(workspace, script, start="portfolio", size=(100, 50))


def test_what_others_change_elsewhere_stays_and_in_the_same_field_is_a_choice(workspace):
    path = workspace.engagement / "opportunities" / "OPP-1.yaml"

    def elsewhere(**values):
        change(workspace, Opportunity, "OPP-1", lambda old: old.model_copy(update=values), NOW)

    async def script(pilot, app):
        form = await opened(pilot, app, "opportunity", "OPP-1")
        look_away(app)
        await settled(pilot)
        elsewhere(confidence=9)
        await stand(pilot, form, "impact")
        await pilot.press("7")
        await until(pilot, lambda: opportunity(workspace).impact == 7)
        assert opportunity(workspace).confidence == 9
        for theirs, keep, stands in ((2, "2", 2), (3, "1", 8)):
            await settled(pilot)
            elsewhere(impact=theirs)
            await stand(pilot, form, "impact")
            await pilot.press("8")
            await until(pilot, lambda: "Nothing was overwritten" in " ".join(screen_text(app).split()))
            assert opportunity(workspace).impact == theirs
            (ours,) = path.parent.glob("*conflict*")
            for then in ("u", keep):  # taken back, both versions wait again
                await pilot.press(keep)
                await until(pilot, lambda e=stands, o=ours: opportunity(workspace).impact == e and not o.exists())
                await settled(pilot)
                if then == "u":
                    await pilot.press("u")
                    await until(pilot, lambda e=theirs, o=ours: opportunity(workspace).impact == e and o.exists())
                    await until(pilot, lambda: "Nothing was overwritten" in " ".join(screen_text(app).split()))
        kept = {file.name.split("-2026")[0] for file in (workspace.hidden / "removed").iterdir()}
        assert {"OPP-1-mine", "OPP-1-theirs"} <= kept

    drive(workspace, script, start="portfolio")


def test_a_key_typed_ahead_waits_for_the_disk(workspace):
    async def script(pilot, app):
        form = await opened(pilot, app, "opportunity", "OPP-1")
        await stand(pilot, form, "impact")
        for key in ("9", "j", "8", "j", "7", "q"):
            app.post_message(events.Key(key, key))
        await until(pilot, lambda: not app.is_running)

    drive(workspace, script, start="portfolio")
    made = opportunity(workspace)
    assert (made.impact, made.confidence, made.reversibility) == (9, 8, 7)


def test_a_broken_file_says_what_is_wrong_and_can_be_opened(workspace, monkeypatch):
    path = workspace.engagement / "opportunities" / "OPP-1.yaml"
    path.write_text("id: OPP-1\ntitel: x\n")
    monkeypatch.setenv("EDITOR", "true")

    async def script(pilot, app):
        await opened(pilot, app, "opportunity", "OPP-1")
        await until(pilot, lambda: "did you mean 'title'" in " ".join(screen_text(app).split()))
        await pilot.press("ctrl+o")
        assert "no terminal to give" in screen_text(app)

    drive(workspace, script, start="portfolio")
    assert os.environ["EDITOR"] == "true"
    assert path.read_text() == "id: OPP-1\ntitel: x\n"


def test_numbers_with_what_they_rest_on_are_read_as_words():
    step = {
        "name": "review",
        "rework_to": "",
        "wait_s": {"value": 1200.0, "n": 85, "who": "Mia"},
        "touch_s": {"value": 60.0, "who": "Mia"},
        "capacity_per_month": 16000.0,
    }
    stream = {"demand_per_month": 12000, "value_per_success": 4.2, "steps": [step]}
    rows = {name_of(row.path): row.shown() for row in fields(ValueStream, stream, {("steps", 0)})}
    assert rows["steps.0"] == "▾ review"
    assert (rows["steps.0.wait_s"], rows["steps.0.touch_s"]) == ("1200 (n 85, Mia)", "60 (Mia)")
    assert plain(step["wait_s"]) == "1200"


@pytest.mark.parametrize(
    ("text", "value"),
    [("2,5", 2.5), ("0,125", 0.125), ("1234,567", 1234.567), ("5 %", 0.05), ("2% 5% 12,5%", [0.02, 0.05, 0.125])],
)
def test_numbers_are_read_as_people_type_them(text, value):
    rate = next(row for row in fields(ValueStream, {"steps": [{}]}, {("steps", 0)}) if row.path[-1] == "error_rate")
    assert parse(rate, text, NOW.date()) == value


def test_tab_goes_through_what_a_document_still_lacks(workspace):
    store = Store(workspace)
    store.save(Decision(id="DEC-9", title="Which model", raised=NOW.date()), None, NOW)

    async def script(pilot, app):
        form = await opened(pilot, app, "decision", "DEC-9")
        assert form._open == ["owner", "options"]
        assert "▲  owner" in screen_text(app)
        await pilot.press("tab", *"Mia", "enter")
        await settled(pilot)
        assert store.get(Decision, "DEC-9").document.owner == "Mia"
        await pilot.press("tab")
        assert form.field is not None and form.field.path == ("options",)

    drive(workspace, script)


@pytest.mark.parametrize(
    ("kind", "name", "ranged"),
    [(Opportunity, "effort_weeks", True), (Opportunity, "impact", True), (Experiment, "mde", False), (Experiment, "power", False)],
)  # fmt: skip
def test_a_range_is_offered_where_it_may_stand(kind, name, ranged):
    field = next(field for field in fields(kind, {}) if field.label == name.replace("_", " "))
    assert field.ranged == ranged == ("low, likely, high" in _hint(field))
    with pytest.raises(ConfigurationError, match="not a number") as refused:
        parse(field, "soon", NOW.date())
    assert ranged == ("3 4 6" in refused.value.sentence())
