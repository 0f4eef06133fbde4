"""A whole interview typed by keys in a pty: key to the next question on the screen, answers lost, minutes needed.

    python -m benchmarks.interview [--workspace DEMO] [--size 80x24] [--limit 50] [--questionnaire maturity]

Of an answer in words the key is the enter behind it. Types it twice: once waiting for each question, which gives the times,
and once all keys at once, which would show a lost answer. Minutes come from the number of keys by the Keystroke-Level Model
(Card, Moran and Newell, Communications of the ACM 23(7), 1980): 0.28 s a key for somebody who is no typist, 1.35 s to make up
one's mind; the statement is read aloud at 183 words a minute (Brysbaert, Journal of Memory and Language 109, 2019). Words are
counted as one key: what is said is as long as it is. Exit 1 when an answer is lost, the 95th percentile is over the limit or
four minutes are not enough.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from aether_tui.workspace import sitting
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.interview import Interview, Person
from aether_tui.workspace.questions import Content, Question, shipped
from aether_tui.workspace.store import Store, write_whole
from benchmarks.tui_bench import Session, percentile

KEY_S, DECIDE_S, WORDS_PER_MIN = 0.28, 1.35, 183
LEVELS = {"model": 2, "instrumentation": 3, "flow": 2, "rituals": 1, "teams": 3, "improvement": 1}
"""The organisation that answers: what each pillar's statements are true up to."""
QUIET_S = 0.15


def minutes(questions: list[Question], wait_s: float) -> float:
    """Minutes to read each question aloud, decide and press one key, and to wait for the next."""
    words = sum(len(one.ask.split()) for one in questions)
    return words / WORDS_PER_MIN + len(questions) * (DECIDE_S + KEY_S + wait_s) / 60


def answer(question: Question) -> int:
    """What somebody of that organisation says; of other questionnaires than the rubric always the fourth choice."""
    pillar, _, rest = question.id.partition(".")
    return 4 if pillar not in LEVELS or int(rest[0]) <= LEVELS[pillar] else 2


def keys(question: Question, value: int) -> str:
    """What is typed: a digit, or words and enter."""
    return f"{value} of five, said q and s\r" if question.answer == "text" else str(value)


def script(content: Content, questionnaire: str = "maturity") -> list[tuple[Question, int]]:
    """Every question of the interview in order, with its answer."""
    now = datetime(2026, 11, 21)  # noqa: DTZ001 — files carry naive UTC
    eva = Person(name="Eva", function="engineering", consent=now.date())
    interview = Interview(id="INT-1", questionnaire=questionnaire, started=now, people=[eva], who="Eva")
    asked = []
    while (question := sitting.current(content, interview)) is not None:
        asked.append((question, answer(question)))
        interview = sitting.answered(content, interview, question, now, value=asked[-1][1])
    return asked


def begun(root: Path, questionnaire: str) -> str:
    """A new interview in the workspace; its id."""
    now = datetime.now(UTC)
    eva = Person(name="Eva", function="engineering", consent=now.date())
    make = lambda identity: Interview(  # noqa: E731
        id=identity, questionnaire=questionnaire, started=now, people=[eva], who="Eva"
    )
    return Store(Workspace(root)).add(Interview, make).document.id


class Typist:
    """Somebody at the console with one interview open."""

    def __init__(self, root: Path, identity: str, size: str) -> None:
        columns, rows = (int(part) for part in size.split("x"))
        command = [sys.executable, "-m", "aether_tui", "-w", str(root), "--offline", "--start", "interview"]
        self.session = Session(command, columns, rows, answer=True)
        self.wait_for(identity)
        for key in ("/", *identity, "enter", "right", "{", "enter"):  # a letter behind the line would be no key
            self.session.press(key)
            self.settle()

    def settle(self) -> list[tuple[float, str]]:
        """Frames until the screen holds still."""
        self.session.read_until_quiet(QUIET_S, 3.0)
        return self.session.feed()

    def wait_for(self, text: str) -> None:
        for _ in range(200):
            self.settle()
            if text in self.words():
                return
        raise SystemExit(f"{text!r} never came; the screen says:\n{self.session.text()}")

    def words(self) -> str:
        """What is on the screen, without the line breaks."""
        return " ".join(self.session.text().split())


def typed(
    root: Path, asked: list[tuple[Question, int]], size: str, questionnaire: str
) -> tuple[str, list[float], list[float]]:
    """Answer question by question: the interview, seconds from key to the next question, and to the last paint."""
    identity = begun(root, questionnaire)
    typist, shown, ended = Typist(root, identity, size), [], []
    after = [*(question.ask for question, _ in asked[1:]), "Every question is answered"]
    for (question, value), following in zip(asked, after, strict=True):
        typist.wait_for(question.ask)
        for key in keys(question, value):
            sent = typist.session.press(key)
            if question.answer == "text" and key != "\r":
                typist.settle()
        frames = typist.settle()
        first = next((stamp for stamp, text in frames if following in " ".join(text.split())), None)
        if first is None:
            typist.wait_for(following)
            first = time.perf_counter()
        shown.append(first - sent)
        ended.append(typist.session.chunks[-1][0] - sent)
    typist.session.stop(["right", "q"])
    return identity, shown, ended


def blasted(root: Path, asked: list[tuple[Question, int]], size: str, questionnaire: str) -> tuple[str, float]:
    """Press every key at once: the interview, and seconds until the end is on the screen."""
    identity = begun(root, questionnaire)
    typist = Typist(root, identity, size)
    typist.wait_for(asked[0][0].ask)
    sent = time.perf_counter()
    os.write(typist.session.fd, "".join(keys(question, value) for question, value in asked).encode())
    typist.wait_for("Every question is answered")
    took = typist.session.chunks[-1][0] - sent
    typist.session.stop(["right", "q"])
    return identity, took


def lost(root: Path, identity: str, asked: list[tuple[Question, int]]) -> int:
    """Answers that are not on disk as they were typed."""
    document = Store(Workspace(root)).get(Interview, identity).document
    there = {one.question: f"{one.text}\r" if one.text else str(one.value) for one in document.answers}
    return sum(there.get(question.id) != keys(question, value) for question, value in asked)


def disk_s(root: Path) -> float:
    """Median seconds to write, sync and rename a file of 2 KB there."""
    times = []
    for _ in range(21):
        begin = time.perf_counter()
        write_whole(root / "probe.tmp", b"x" * 2000)
        times.append(time.perf_counter() - begin)
    (root / "probe.tmp").unlink()
    return sorted(times)[len(times) // 2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, help="an engagement to copy; a demonstration is built when absent")
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--limit", type=float, default=50, help="milliseconds")
    parser.add_argument("--questionnaire", default="maturity", choices=("maturity", "stakeholder", "lens", "rituals"))
    options = parser.parse_args()
    asked = script(shipped(), options.questionnaire)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "demo"
        if options.workspace:
            shutil.copytree(options.workspace, root)
        else:
            command = [sys.executable, "-m", "aether_tui", "demo", "--no-tui", "--dir", str(root)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        waited, shown, ended = typed(root, asked, options.size, options.questionnaire)
        at_once, took = blasted(root, asked, options.size, options.questionnaire)
        gone, disk = lost(root, waited, asked) + lost(root, at_once, asked), disk_s(root)
    p95 = percentile(shown, 0.95) or 0.0
    needed = minutes([question for question, _ in asked], p95)
    words = sum(len(question.ask.split()) for question, _ in asked)
    for name, times in (("key to next question", shown), ("key to last paint", ended)):
        told = ", ".join(f"{word} {1000 * (percentile(times, share) or 0):.0f} ms" for word, share in SHARES)
        print(f"{name:22} {told}")
    print(f"{'all keys at once':22} {took:.2f} s for {len(asked)} answers")
    print(
        f"{'write and sync 2 KB':22} {1000 * disk:.1f} ms; key to next question is {p95 / disk:.0f} times that at p95"
    )
    print(f"{'answers lost':22} {gone} of {2 * len(asked)}")
    print(
        f"{'minutes':22} {needed:.1f} = {words} words / {WORDS_PER_MIN} + {len(asked)} × "
        f"({DECIDE_S} + {KEY_S} + {p95:.2f}) s / 60"
    )
    return 0 if not gone and 1000 * p95 <= options.limit and needed < 4 else 1


SHARES = (("median", 0.5), ("p95", 0.95), ("worst", 1.0))

if __name__ == "__main__":
    sys.exit(main())
