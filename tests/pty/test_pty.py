"""The installed command in a real terminal."""

import subprocess
import termios

import pytest

from screens import SCREENS
from tests.pty.terminal import Terminal, installed
from tests.tui.workspaces import NOW, make_workspace

CLOCK = ("--as-of", NOW.isoformat())


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "northwind")


def test_every_screen_and_out_again_with_the_terminal_as_it_was(workspace):
    with Terminal(installed(*CLOCK, "--start", "home"), 80, 24, workspace.root) as terminal:
        terminal.until(lambda text: "Refund tokens per task" in text)
        for spec in list(SCREENS.values())[1:]:
            terminal.press("g", spec.letter)
            terminal.until(lambda text, spec=spec: f" {spec.title} " in text.splitlines()[1])
        terminal.press("\x03")
        terminal.until(lambda text: "ctrl+c does not quit: press q" in text)
        terminal.press("\x1a")
        terminal.stopped()
        assert termios.tcgetattr(terminal._fd)[3] & termios.ECHO  # the shell has it back
        terminal.screen.reset()
        terminal.goes_on()
        terminal.until(lambda text: " Sources " in text.splitlines()[1] and "help" in text.splitlines()[-1])
        terminal.press("q")
        assert terminal.end() == 0
        after = termios.tcgetattr(terminal._fd)
        assert after[3] & (termios.ECHO | termios.ICANON) == terminal.before[3] & (termios.ECHO | termios.ICANON)
        tail = terminal.raw[-400:]
        for restored in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l"):
            assert restored in tail, restored
    assert b"\x1b]52" not in terminal.raw


def test_bytes_that_are_no_text_are_taken_as_a_letter_each(workspace):
    with Terminal(installed(*CLOCK, "--start", "portfolio"), 80, 24, workspace.root) as terminal:
        terminal.until(lambda text: "OPP-1 leads" in text)
        terminal.press("/caf\udce9 \udcff\x1b[200~a\x1b]52;c;aGk=\x07b\udc80\x1b[201~d")
        terminal.until(lambda text: "/ caf� �" in text and text.splitlines()[-1].endswith("d"))
        terminal.press("\x11")
        assert terminal.end() == 0
    assert b"\x1b]52" not in terminal.raw


def test_twenty_by_five_gets_a_sentence(workspace):
    with Terminal(installed(*CLOCK), 20, 5, workspace.root) as terminal:
        terminal.until(lambda text: "aether needs 60×15" in text)
        terminal.press("q")
        assert terminal.end() == 0


def test_two_consoles_on_one_workspace(workspace):
    with (
        Terminal(installed(*CLOCK, "--start", "home"), 80, 24, workspace.root) as one,
        Terminal(installed(*CLOCK, "--start", "portfolio"), 120, 40, workspace.root) as two,
    ):
        one.until(lambda text: "Refund tokens" in text)
        two.until(lambda text: "OPP-1 leads" in text)
        for terminal in (one, two):
            terminal.press("q")
            assert terminal.end() == 0


@pytest.mark.parametrize(
    ("files", "arguments", "status", "said"),
    [
        ({}, (), 2, "no workspace here"),
        ({"aether.toml": "[engagement\n"}, (), 2, "aether.toml"),
        ({"aether.toml": ""}, ("--start", "hoem"), 2, "did you mean 'home'"),
    ],
)
def test_one_sentence_when_it_cannot_open(tmp_path, files, arguments, status, said):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with Terminal(installed(*arguments), 120, 24, tmp_path) as terminal:
        assert terminal.end() == status
        assert said in " ".join(terminal.text.split())
        assert "Traceback" not in terminal.text
        assert b"\x1b[?1049h" not in terminal.raw


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("TERM=dumb",), "TERM=dumb cannot place text; run `aether-tui` in another terminal"),
        (
            ("LC_ALL=C", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0"),
            "not UTF-8; run `aether-tui` with LANG=C.UTF-8 to open",
        ),
    ],
)
def test_where_it_cannot_draw_it_prints_the_summary(workspace, given, said):
    with Terminal(["env", *given, *installed(*CLOCK)], 120, 60, workspace.root) as terminal:
        assert terminal.end() == 0
        assert "NORTHWIND ASSIST" in terminal.text
        assert said in " ".join(terminal.text.split())
        assert b"\x1b[?1049h" not in terminal.raw


def test_without_a_terminal_it_prints_the_summary(workspace):
    told = subprocess.run(
        installed(*CLOCK), capture_output=True, text=True, cwd=workspace.root, check=False, stdin=subprocess.DEVNULL
    )
    assert told.returncode == 0, told.stderr
    assert "Northwind Assist" in told.stdout or "NORTHWIND ASSIST" in told.stdout
    assert "\x1b" not in told.stdout
    assert "to open the console" in told.stderr
    assert len(told.stderr.splitlines()) == 1
