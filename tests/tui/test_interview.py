"""The interview at the keyboard: begun, answered, noted, quoted, left and resumed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from aether_tui.app import AetherApp
from aether_tui.report_model import Col, Quantity, Row, SavedReport, Table, save
from aether_tui.session import Memory
from aether_tui.workspace.kinds.assessment import Assessment
from aether_tui.workspace.kinds.interview import Answer, Interview, Note, Person
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.questions import shipped
from aether_tui.workspace.store import Store
from screens.interview_card import Faces
from screens.interview_sitting import Sitting
from tests.tui.driving import drive, screen_text, settled, until
from tests.tui.workspaces import NOW, WINDOW, unbuilt


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


@pytest.mark.slow
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
        await until(pilot, lambda: len(there().put_off()) == 1)
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
        await pilot.press("n")
        await until(pilot, lambda: "nothing is noted before the answer" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: "no question is open" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Sitting))

    drive(workspace, script, size=(100, 40), start="interview")
    assert {one.who for one in there().answers} == {"Eva"}


def test_words_measured_values_and_a_second_visit(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")
    store = Store(workspace)

    def there() -> Interview:
        return store.get(Interview, "INT-1").document

    def writing_now(app: AetherApp) -> bool:
        return bool(app.screen.query("Prompt"))

    async def writing(pilot: Pilot[int], app: AetherApp) -> None:
        await until(pilot, lambda: writing_now(app))

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await begin(pilot, app, "interview.start/stakeholder")
        await writing(pilot, app)
        await pilot.press(*"Nobody has to ask twice \x1b[31m漢字", "escape")  # the keys are back, the words are kept
        await until(pilot, lambda: len(there().answers) == 1 and not writing_now(app))
        await pilot.press("3")
        await until(pilot, lambda: "answered in words" in screen_text(app))
        await pilot.press("enter")
        await writing(pilot, app)
        app.post_message(events.Paste(", or\nwait"))
        await pilot.press("enter")
        await until(pilot, lambda: there().answers[0].text.endswith("漢字, or wait"))
        await writing(pilot, app)
        await pilot.press("enter")  # nothing typed: on to the next one
        await until(pilot, lambda: "right more often" in screen_text(app) and not writing_now(app))
        await pilot.press("p", "u", "tab")
        await until(pilot, lambda: there().at == "stakeholder.priority-speed" and there().put_off() == [])
        await pilot.press("slash", *"single number", "enter", "0", "enter")  # found, and answered at once
        await until(pilot, lambda: len(there().answers) == 2 and there().answers[1].value == 0)
        await pilot.press("u")  # which gives the keys back too: again would be an undo, not a letter
        await until(pilot, lambda: len(there().answers) == 1 and "single number" in screen_text(app))
        await settled(pilot)
        assert not writing_now(app)
        await pilot.press("escape")

    drive(workspace, script, start="interview")

    async def cut(pilot: Pilot[int], app: AetherApp) -> None:
        app.push_screen(Sitting("INT-1"))
        await writing(pilot, app)
        app.post_message(events.Paste("many words " * 40))
        await pilot.pause()
        assert "Which single number would" in screen_text(app) and "↓" in screen_text(app)  # stays in sight
        await pilot.press("ctrl+u", *"Half a senten")  # and the console is quit

    drive(workspace, cut, start="interview", size=(60, 15))
    at = there().at
    assert (there().given("Eva")[at].text, there().finished) == ("Half a senten", None)

    async def noting(pilot: Pilot[int], app: AetherApp) -> None:
        app.push_screen(Sitting("INT-1"))
        await writing(pilot, app)
        assert len(there().answers) == 2 and " · 2 of " in screen_text(app)  # one of them is still being said
        await pilot.press("escape", "apostrophe", *"forgotten", "escape", "apostrophe", *"kept", "enter")
        await until(pilot, lambda: len(there().notes) == 1)
        await pilot.press("apostrophe", *"Half a quo")

    drive(workspace, noting, start="interview")
    assert [(one.kind, one.text) for one in there().notes] == [("quote", "kept"), ("quote", "Half a quo")]

    async def again(pilot: Pilot[int], app: AetherApp) -> None:
        front = app.front()
        assert front is not None
        await until(pilot, lambda: any(s.item.row == "INT-1" for s in front.page._layout.stops))
        stop = next(s for s in front.page._layout.stops if s.item.row == "INT-1")
        front.page.select(stop.item.id)
        await pilot.press("enter")
        await until(pilot, lambda: "why we ask" in screen_text(app))
        await writing(pilot, app)
        await pilot.press("escape", "shift+tab")
        await until(pilot, lambda: there().at == "stakeholder.success")
        await pilot.press("escape", "tab")
        await until(pilot, lambda: there().at not in {at, "stakeholder.success"})

    drive(workspace, again, start="interview")


def test_what_is_typed_on_behind_an_answer_is_no_command_and_no_other_answer(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")
    store, asked = Store(workspace), shipped().questions("stakeholder")
    eva, left = (
        Person(name="Eva", consent=NOW.date()),
        {"success-number", "priority-quality", "priority-speed", "next-person"},
    )
    others = [one.id for one in asked if one.id.partition(".")[2] not in left]
    answers = [Answer(question=one, who="Eva", value=0, when=NOW) for one in others]
    begun = Interview(id="INT-1", questionnaire="stakeholder", started=NOW, people=[eva], who="Eva", answers=answers)
    store.save(begun, None, NOW)

    async def at_once(pilot: Pilot[int], app: AetherApp, text: str, held: str) -> None:
        for char in text:  # as a fast hand does
            key = {"\n": "enter", "→": "right", " ": "space"}.get(char, char)
            app.post_message(events.Key(key, char if char not in "\n→" else None))
        await until(pilot, lambda: f"not taken as keys: “{held}”" in " ".join(screen_text(app).split()))

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        app.push_screen(Sitting("INT-1"))
        await until(pilot, lambda: bool(app.screen.query("Prompt")))
        await at_once(pilot, app, "half of it\nsync 3 quits\n", "sync 3 quits↵")  # of a scale that nobody has seen yet
        await at_once(pilot, app, "→4 since 2 q", " since 2 q")  # the next scale
        await at_once(pilot, app, "→5it is slow\nsync quits\n", "sync quits↵")
        assert app._commands.job is None and "Every question is answered" in screen_text(app)
        await pilot.press("escape", "escape")

    drive(workspace, script, start="interview", breath_s=math.inf)
    document = store.get(Interview, "INT-1").document
    given = [answer.text or answer.value for name, answer in document.given("Eva").items() if name not in others]
    assert given == ["half of it", 4, 5, "it is slow"] and document.finished is not None


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


def test_two_consoles_on_one_interview_lose_nothing_and_show_a_contradiction(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")
    store = Store(workspace)

    def theirs(value: int) -> str:
        """What another console writes: a person, their answer, and Eva's answer to the question that is open here."""
        stored = store.get(Interview, "INT-1")
        old, ola = stored.document, Person(name="Ola", consent=NOW.date())
        first = Answer(question="flow.3.wip-limits-enforced", who="Ola", value=2, when=NOW)
        also = [Answer(question=old.at, who="Eva", value=value, when=NOW)] if value else []
        people = old.people if old.person("Ola") else [*old.people, ola]
        others = old.answers if old.person("Ola") else [*old.answers, first]
        notes = [Note(text="asked twice", who="Ola", question=old.at, when=NOW)]
        update = {"people": people, "who": "Ola", "answers": [*others, *also], "notes": notes}
        store.save(old.model_copy(update=update), stored.revision, NOW)
        return old.at

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await begin(pilot, app)
        await pilot.press("4")
        await until(pilot, lambda: len(store.get(Interview, "INT-1").document.answers) == 1)
        theirs(0)
        await until(pilot, lambda: "1 note here" in screen_text(app))  # theirs is read; the next digit is still Eva's
        await pilot.press("5")
        await until(pilot, lambda: len(store.get(Interview, "INT-1").document.given("Eva")) == 2)
        document = store.get(Interview, "INT-1").document
        assert [one.value for one in document.given("Ola").values()] == [2] and document.who == "Eva"
        assert app._watch is not None
        app._watch.pause()  # it has not looked yet when the key comes
        await settled(pilot)  # nor is it reading what it saw before
        at = theirs(1)
        await pilot.press("3")
        await until(pilot, lambda: "Eva: yours 3, theirs 1" in " ".join(screen_text(app).split()))
        await pilot.press("n", "p", "tab", "9")  # nothing is answered before this is decided
        assert store.get(Interview, "INT-1").document.given("Eva")[at].value == 1
        assert "conflict" in " ".join(screen_text(app).split())
        await pilot.press("2")
        await until(pilot, lambda: store.all(Interview)[1] == [] and "Two versions" not in screen_text(app))
        await pilot.press("u")
        await until(pilot, lambda: "Two versions" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: store.get(Interview, "INT-1").document.given("Eva")[at].value == 3)
        await until(pilot, lambda: store.all(Interview)[1] == [])
        kept = [file.read_text() for file in (workspace.root / ".aether" / "removed").iterdir()]
        assert any("value: 1" in text for text in kept)

    drive(workspace, script, size=(100, 40), start="interview")


@pytest.mark.slow
def test_measured_values_show_only_after_the_answer_and_a_change_keeps_both(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "w")
    store, memory = Store(workspace), Memory(workspace)
    question = next(one for one in shipped().questions("lens") if one.indicator)
    cells = ("block", "change fail rate", Quantity(value=24.0, unit="%", n=62))
    columns = (
        Col(key="state", title="", kind="state"),
        Col(key="name", title="indicator"),
        Col(key="now", title="now", kind="number"),
    )
    table = Table(id="lens.quality", title="Quality", columns=columns, rows=(Row(id=question.indicator, cells=cells),))
    report = SavedReport(report="lens", title="3-Lens", as_of=NOW, window=WINDOW, headline="x", blocks=(table,))
    memory.keep_report("lens", save(report), 1)

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        await begin(pilot, app, "interview.start/lens")

        def words() -> str:
            return " ".join(screen_text(app).split())

        for value in ("4", "2"):
            await typed(pilot, app, "slash", question.ask)
            await until(pilot, lambda: "appears after the answer" in words())  # the list of matches had its words too
            assert question.ask[:40] in words() and "measured:" not in words()
            assert "24" not in words().partition("/ ")[2][5:]
            await pilot.press(value)
            await until(pilot, lambda: "measured: 24 %" in words())
        await pilot.press("u")
        await until(pilot, lambda: "taken back: 2 to" in words() and "measured:" not in words())
        await pilot.press("2")
        await until(pilot, lambda: "measured: 24 %" in words())
        given = store.get(Interview, "INT-1").document.given("Eva")[question.id]
        assert given.value == 2 and [(one.value, one.saw[:4]) for one in given.earlier] == [(4, "24 %")]

    drive(workspace, script, size=(100, 40), start="interview")


def test_time_before_a_pause_is_kept_and_a_suspended_session_does_not_count(tmp_path: Path) -> None:
    workspace, clock = unbuilt(tmp_path / "w"), [1000.0]
    store = Store(workspace)
    eva = Person(name="Eva", consent=NOW.date())
    store.save(Interview(id="INT-1", questionnaire="maturity", started=NOW, people=[eva], who="Eva"), None, NOW)

    async def opened(pilot: Pilot[int], app: AetherApp) -> Sitting:
        sitting = Sitting("INT-1", lambda: clock[0])
        app.push_screen(sitting)
        await until(pilot, lambda: "why we ask" in screen_text(app))
        return sitting

    def spend(sitting: Sitting, seconds: int) -> None:
        for _ in range(seconds // 10):
            clock[0] += 10
            sitting.draw()

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        sitting = await opened(pilot, app)
        spend(sitting, 120)
        clock[0] += 8 * 3600  # the machine slept
        sitting.draw()
        await until(pilot, lambda: "2:20 / 30:00" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: store.get(Interview, "INT-1").document.elapsed_s == 140)
        await until(pilot, lambda: not isinstance(app.screen, Sitting))

    async def again(pilot: Pilot[int], app: AetherApp) -> None:
        sitting = await opened(pilot, app)
        await until(pilot, lambda: "2:20 / 30:00" in screen_text(app))
        spend(sitting, 60)

    drive(workspace, script, size=(100, 40), start="interview")
    drive(workspace, again, size=(100, 40), start="interview")
    assert store.get(Interview, "INT-1").document.elapsed_s == 200  # quitting keeps it too
    assert store.undecided(Interview, "INT-1") is None


def test_at_the_end_stands_what_was_said_unless_it_is_to_be_hidden() -> None:
    asked = shipped().questions("lens")
    answers = [Answer(question=one.id, who="Eva", value=3, when=NOW) for one in asked]
    eva = Person(name="Eva", consent=NOW.date())
    interview = Interview(id="INT-1", questionnaire="lens", started=NOW, people=[eva], who="Eva", answers=answers)

    def lines(rows: int, *, hidden: bool = False) -> list[str]:
        faces = Faces(shipped(), interview, 80, rows, spent_s=0, after="")
        return ["".join(text for text, _ in line).rstrip() for line in faces.ended(hidden=hidden)]

    assert [line.split()[-1] for line in lines(24)[-2:]] == ["thirds", "half"]
    interview.answers[-1] = Answer(
        question=asked[-1].id, who="Eva", text="as long as it takes to say it, and nothing is cut", when=NOW
    )
    assert [line[40:] for line in lines(24)[-2:]] == ["as long as it takes to say it, and", "nothing is cut"]
    assert not any("half" in line for line in lines(60, hidden=True))


def test_what_does_not_fit_is_counted_and_scrolled_to(tmp_path: Path) -> None:
    workspace, asked = unbuilt(tmp_path / "w"), shipped().questions("lens")
    answers = [Answer(question=one.id, who="Eva", value=3, when=NOW) for one in asked]
    eva = Person(name="Eva", consent=NOW.date())
    done = Interview(id="INT-1", questionnaire="lens", started=NOW, people=[eva], who="Eva", answers=answers)
    Store(workspace).save(done, None, NOW)

    async def script(pilot: Pilot[int], app: AetherApp) -> None:
        sitting = Sitting("INT-1", lambda: 0.0)
        app.push_screen(sitting)
        await until(pilot, lambda: "Every question is answered" in screen_text(app))
        assert "↓ 10 more" in screen_text(app)
        await pilot.press("down", "down")
        sitting.draw()  # as the clock does
        text = screen_text(app)
        assert "more" not in text and " half\n" in text and "Every question" not in text and "0:00 / " in text
        await pilot.press("up", "pageup", "up")
        assert "↓ 10 more" in screen_text(app)

    drive(workspace, script, start="interview")
