"""Whole sequences of keys in one write, as a fast hand or a paste into a terminal over SSH makes them: none is lost,
none lands in the field before."""

import os
import sys
from pathlib import Path

import pytest

from aether_tui.workspace.kinds.interview import Interview, Person
from aether_tui.workspace.kinds.opportunity import Opportunity
from aether_tui.workspace.store import Store
from tests.pty.terminal import Terminal, installed
from tests.tui.workspaces import NOW, make_workspace, unbuilt

ESCAPE = "\x1b[27u"
"""As terminals with the kitty protocol send it: nothing has to pass before the next key."""
EDITOR = (
    "import sys; p = sys.argv[1]; t = open(p).read(); d = t.replace('e: Cached', 'e: Cached twice').replace('e: Cache\\n', 'e: Cached\\n')"
    "; open(p, 'w').write(d); sys.exit('twice' not in d)"
)
"""It fails when it is opened on the file, and not when it is opened on what it wrote then."""


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "northwind")


def console(workspace, start="home"):
    return Terminal(installed("--as-of", NOW.isoformat(), "--start", start), 80, 24, workspace.root)


def test_a_document_is_made_by_one_burst_and_mended_in_the_editor(workspace, tmp_path, monkeypatch):
    script = tmp_path / "editor.py"
    script.write_text(EDITOR)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.delenv("VISUAL", raising=False)
    read = lambda: Store(workspace).get(Opportunity, "OPP-1").document  # noqa: E731
    with console(workspace) as terminal:
        terminal.until(lambda text: "Refund tokens per task" in text)
        terminal.press("F\rnopp\rCachx\x7fe\r8643\r")
        terminal.until(lambda text: "OPP-1 made" in text)
        assert (read().title, read().impact, read().confidence, read().reversibility, read().effort_weeks) == (
            "Cache", 8, 6, 4, 3,
        )  # fmt: skip
        terminal.press("\x0f")
        terminal.until(lambda text: "ended with status 1" in text)
        assert read().title == "Cache"
        terminal.press("\x0f")
        terminal.until(lambda text: "OPP-1  Cached twice" in text)
        assert read().title == "Cached twice"
        terminal.press("u")
        terminal.until(lambda text: "OPP-1  Cached" not in text and "OPP-1  Cache" in text)
        terminal.press("/notes\r\rSaves tokens,\rand time" + ESCAPE + ESCAPE)
        terminal.until(lambda text: "Saves tokens, and time" in text)
        terminal.press(ESCAPE + ESCAPE + "q")
        assert terminal.end() == 0
    assert (read().title, read().notes) == ("Cache", "Saves tokens,\nand time")


def test_both_versions_of_a_document_are_opened_in_the_editor(workspace, tmp_path, monkeypatch):
    script = tmp_path / "editor.py"
    script.write_text("import sys, pathlib; pathlib.Path('opened').write_text(' '.join(sys.argv[1:]))")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    store = Store(workspace)
    make = lambda identity: Opportunity(  # noqa: E731
        id=identity, title="Cache", impact=5, confidence=5, reversibility=5, effort_weeks=2
    )
    path = store.path(Opportunity, store.add(Opportunity, make).document.id)
    with console(workspace) as terminal:
        terminal.until(lambda text: "Refund tokens per task" in text)
        terminal.press("FCache\r\r")
        terminal.until(lambda text: "OPP-1  Cache" in text and "impact" in text)
        before = path.stat()
        path.write_text(path.read_text().replace("impact: 5", "impact: 9"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # else the console reads it again by itself
        terminal.press("/impact\r7")
        terminal.until(lambda text: "Somebody changed this document meanwhile" in text)
        terminal.press("3")
        terminal.until(lambda text: "now 1 keeps yours" in text)
        theirs, ours = (workspace.root / "opened").read_text().split()
        assert theirs == str(path) and "impact: 7" in Path(ours).read_text()
        terminal.press("1")
        terminal.until(lambda text: "Somebody changed" not in text)
        terminal.press(ESCAPE + ESCAPE + "q")
        assert terminal.end() == 0
    kept = store.get(Opportunity, "OPP-1").document
    assert kept.impact == 7


def test_an_interview_is_resumed_and_answered_in_one_burst(tmp_path):
    workspace = unbuilt(tmp_path / "northwind")
    store = Store(workspace)
    begun = Interview(
        id="INT-1", questionnaire="maturity", started=NOW.replace(tzinfo=None), who="Eva",
        people=[Person(name="Eva", function="engineering", consent=NOW.date())],
    )  # fmt: skip
    store.save(begun, None, NOW)
    with console(workspace, "interview") as terminal:
        terminal.until(lambda text: "INT-1" in text)
        terminal.press("k\r42'they wait for us\rn#limits matter\r5wIvo, product, lead\r1")
        terminal.until(lambda text: "consent noted" in text)
        terminal.press(ESCAPE + "q")
        assert terminal.end() == 0
    document = store.get(Interview, "INT-1").document
    assert [answer.value for answer in document.answers] == [4, 2, 5]
    assert [(note.kind, note.text) for note in document.notes] == [
        ("quote", "they wait for us"), ("note", "#limits matter"),
    ]  # fmt: skip
    assert [one.name for one in document.people] == ["Eva", "Ivo"]
