"""Whole maturity interviews typed by keys in a real terminal, killed on the way; every answer that was acknowledged is there."""

from __future__ import annotations

import os
import random
import select
import statistics
import time
from pathlib import Path

import pytest

from aether_tui.workspace import sitting
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.interview import Interview, Person
from aether_tui.workspace.questions import Question, shipped
from aether_tui.workspace.store import Store
from benchmarks.interview import minutes, script
from tests.pty.terminal import ASIDE, Terminal, installed
from tests.tui.workspaces import NOW, unbuilt

CLOCK = ("--as-of", NOW.isoformat(), "--start", "interview")
CONTENT = shipped()
END = "Every question is answered"
KILLS = int(os.environ.get("AETHER_CONSOLE_KILLS", "2"))
SEED = int(os.environ.get("AETHER_SEED", "11"))
LONGEST_S = 0.06
"""A key is answered within this; a kill falls somewhere into it."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = unbuilt(tmp_path / "northwind")
    begin(found)
    return found


def begin(workspace: Workspace, questionnaire: str = "maturity") -> None:
    """An interview that nobody has answered yet, over the one before."""
    eva = Person(name="Eva", function="engineering", consent=NOW.date())
    begun = Interview(
        id="INT-1", questionnaire=questionnaire, started=NOW.replace(tzinfo=None), people=[eva], who="Eva"
    )
    store, old = Store(workspace), workspace.engagement / "interviews" / "INT-1.yaml"
    store.save(begun, store.get(Interview, "INT-1").revision if old.exists() else None, NOW)


def answers(workspace: Workspace) -> dict[str, int | None]:
    return {one.question: one.value for one in Store(workspace).get(Interview, "INT-1").document.answers}


def resumed(workspace: Workspace) -> Terminal:
    terminal = Terminal(installed(*CLOCK), 80, 24, workspace.root)
    terminal.until(lambda text: "INT-1" in text)
    terminal.press("\r")
    terminal.until(lambda text: "why we ask" in text or END in text)
    return terminal


def shown(ask: str, text: str) -> bool:
    return " ".join(ask.split()) in " ".join(text.split())


def test_a_full_interview_by_keys_takes_less_than_four_minutes(workspace: Workspace) -> None:
    asked = script(CONTENT)
    assert len(asked) == 16
    waits: list[float] = []
    with resumed(workspace) as terminal:
        following = [*(question.ask for question, _ in asked[1:]), END]
        for (question, value), after in zip(asked, following, strict=True):
            terminal.until(lambda text, question=question: shown(question.ask, text))
            began = time.monotonic()
            terminal.press(str(value))
            terminal.until(lambda text, after=after: shown(after, text))
            waits.append(time.monotonic() - began)
        terminal.press("q")
        assert terminal.end() == 0
    assert answers(workspace) == {question.id: value for question, value in asked}
    middle, worst = statistics.median(waits), max(waits)
    needed = minutes([question for question, _ in asked], worst)
    print(f"key to next question: median {1000 * middle:.0f}, worst {1000 * worst:.0f} ms; {needed:.1f} minutes")
    assert needed < 4


def test_all_keys_at_once_lose_no_answer_in_words_or_digits(workspace: Workspace) -> None:
    """Words are typed as soon as they are asked for, `q`, `s` and digits among them; the last key leaves while answers wait."""
    begin(workspace, "stakeholder")
    asked = [one for one in CONTENT.questions("stakeholder") if not one.functions or "engineering" in one.functions]
    said: dict[str, int | str] = {
        one.id: f"q s {place} quick" if one.answer == "text" else place % 6 for place, one in enumerate(asked)
    }
    assert len({type(value) for value in said.values()}) == 2
    with resumed(workspace) as terminal:
        terminal.press("".join(f"{value}\r" if isinstance(value, str) else str(value) for value in said.values()))
        terminal.press(ASIDE + "q")
        assert terminal.end() == 0
    document = Store(workspace).get(Interview, "INT-1").document
    assert {one.question: one.text or one.value for one in document.answers} == said
    assert document.finished is not None


def test_killed_at_any_moment_the_console_loses_no_answer_that_was_acknowledged(workspace: Workspace) -> None:
    """Acknowledged is an answer whose next question was painted when the process was killed."""
    chance, counted = random.Random(SEED), 0
    for kill in range(KILLS):
        if sitting.current(CONTENT, Store(workspace).get(Interview, "INT-1").document) is None:
            begin(workspace)
        acknowledged = struck(workspace, chance)
        there = answers(workspace)
        assert acknowledged.items() <= there.items(), (kill, acknowledged, there)
        assert len(there) <= len(acknowledged) + 1  # one may be on disk and not painted yet
        assert Store(workspace).all(Interview)[1] == []
        counted += len(acknowledged)
    print(f"{KILLS} kills, {counted} acknowledged answers, none lost")
    assert not list((workspace.engagement / "interviews").glob("*conflict*"))


def struck(workspace: Workspace, chance: random.Random) -> dict[str, int | None]:
    """Answer some questions, and kill the console at a random moment after a key; what it had acknowledged."""
    document = Store(workspace).get(Interview, "INT-1").document
    before, asked = answers(workspace), planned(document, chance)
    acknowledged: dict[str, int | None] = dict(before)
    with resumed(workspace) as terminal:
        for place in range(chance.randint(1, min(6, len(asked)))):
            question, value, after = asked[place]
            terminal.until(lambda text, question=question: shown(question.ask, text))
            acknowledged |= {one.id: given for one, given, _ in asked[:place]}
            terminal.press(str(value))
        select.select([], [], [], chance.uniform(0, LONGEST_S))
        if shown(after, terminal.kill()):
            acknowledged[question.id] = value
    return acknowledged


def planned(interview: Interview, chance: random.Random) -> list[tuple[Question, int, str]]:
    """The questions still to come with the answers that will be typed, and what is painted after each."""
    steps: list[tuple[Question, int]] = []
    while (question := sitting.current(CONTENT, interview)) is not None:
        steps.append((question, chance.choice((1, 2, 4, 5))))
        interview = sitting.answered(CONTENT, interview, question, NOW, value=steps[-1][1])
    following = [*(question.ask for question, _ in steps[1:]), END]
    return [(question, value, after) for (question, value), after in zip(steps, following, strict=True)]
