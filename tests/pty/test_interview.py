"""A whole maturity interview typed by keys in a real terminal, killed once on the way; every answer is there."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from aether_tui.workspace import sitting
from aether_tui.workspace.kinds.interview import Interview, Person
from aether_tui.workspace.questions import shipped
from aether_tui.workspace.store import Store
from tests.pty.terminal import Terminal, installed
from tests.tui.workspaces import NOW, unbuilt

CLOCK = ("--as-of", NOW.isoformat(), "--start", "interview")
READING_S = 12.0
"""What a practised pair needs to read a statement aloud and answer it."""


def test_a_full_interview_by_keys_survives_a_kill(tmp_path: Path) -> None:
    workspace = unbuilt(tmp_path / "northwind")
    content, store = shipped(), Store(workspace)
    eva = Person(name="Eva", function="engineering", consent=NOW.date())
    begun = Interview(id="INT-1", questionnaire="maturity", started=NOW.replace(tzinfo=None), people=[eva], who="Eva")
    store.save(begun, None, NOW)
    typed: dict[str, int] = {}
    waits: list[float] = []

    def asked() -> str:
        question = sitting.current(content, store.get(Interview, "INT-1").document)
        return question.id if question else ""

    def answer_until(terminal: Terminal, stop: int) -> None:
        while len(typed) < stop and (name := asked()):
            ask = content.statements[name].says.split()
            terminal.until(lambda text, ask=ask: shown(ask, text))
            value = (4, 2, 5)[len(typed) % 3]
            began = time.monotonic()
            terminal.press(str(value))
            typed[name] = value
            terminal.until(lambda text, ask=ask: not shown(ask, text))
            waits.append(time.monotonic() - began)

    def resume(terminal: Terminal) -> None:
        terminal.until(lambda text: "INT-1" in text)
        terminal.press("k")
        terminal.press("\r")

    with Terminal(installed(*CLOCK), 80, 24, workspace.root) as terminal:
        resume(terminal)
        answer_until(terminal, 9)
        os.kill(terminal._pid, 9)  # the power is cut
    assert {one.question: one.value for one in store.get(Interview, "INT-1").document.answers} == typed
    with Terminal(installed(*CLOCK), 80, 24, workspace.root) as terminal:
        resume(terminal)
        answer_until(terminal, 99)
        terminal.until(lambda text: "Every question is answered" in text)
        terminal.press("q")
        assert terminal.end() == 0
    document = store.get(Interview, "INT-1").document
    assert {one.question: one.value for one in document.answers} == typed
    assert 12 <= len(typed) <= 18 and document.finished is not None
    middle, worst = statistics.median(waits), max(waits)
    print(f"{len(typed)} answers, key to next question: median {1000 * middle:.0f} ms, worst {1000 * worst:.0f} ms")
    assert len(typed) * READING_S < 240  # and the keys are not what it waits for


def shown(words: list[str], text: str) -> bool:
    return " ".join(words) in " ".join(text.split())
