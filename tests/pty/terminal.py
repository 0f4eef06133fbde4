"""A terminal to run the installed command in: a real pty, read into a pyte screen, with a terminal's own answers."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pyte

ANSWERS = (
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),
)
UNKNOWN_TO_PYTE = re.compile(r"\x1b[P_^X].*?\x1b\\|\x1b\[[<>=][0-9;:]*[a-zA-Z]", re.S)
ASIDE = "\x1b[C"
"""A key that does nothing and is no letter: behind a line that was typed, what comes after it is a key again."""
PATIENCE_S = 180.0
"""How long a broken program is waited for; a working one is never waited for longer than it takes."""


class Terminal:
    """One run of a command. `until` waits for a screen, `raw` keeps every byte it sent."""

    def __init__(self, command: list[str], columns: int, rows: int, cwd: Path) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        self.raw = b""
        self.status: int | None = None
        size = struct.pack("HHHH", rows, columns, 0, 0)
        env = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            env.pop(name, None)
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, size)
            os.chdir(cwd)
            os.execvpe(command[0], command, env)
        self.before = termios.tcgetattr(self._fd)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is None:
            os.kill(self._pid, 9)
            os.waitpid(self._pid, 0)
        os.close(self._fd)

    @property
    def text(self) -> str:
        """The screen as a person sees it."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> None:
        """Type; `\\udce9` is the byte E9, which is no UTF-8."""
        for key in keys:
            os.write(self._fd, key.encode(errors="surrogateescape"))

    def until(self, ready: Callable[[str], bool]) -> str:
        """Read until the screen is as wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while not ready(self.text):
            if not self.read(0.2) or time.monotonic() > deadline:
                raise AssertionError(f"ended or never came; the screen says:\n{self.text}\n{self.raw[-600:]!r}")
        return self.text

    def kill(self) -> str:
        """Kill it at once; what it had painted by then."""
        os.kill(self._pid, 9)
        while self.read(1.0):
            pass
        os.waitpid(self._pid, 0)
        self.status = -9
        return self.text

    def stopped(self) -> None:
        """Read until it is stopped, as by ctrl+z in a shell."""
        while os.waitpid(self._pid, os.WUNTRACED | os.WNOHANG) == (0, 0):
            assert self.read(0.1)
        while select.select([self._fd], [], [], 0)[0]:
            self.read(0)

    def goes_on(self) -> None:
        """Have it go on, as `fg` does."""
        os.kill(self._pid, signal.SIGCONT)

    def end(self) -> int:
        """Read to the end; the exit status."""
        while self.read(1.0):
            pass
        _, status = os.waitpid(self._pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def read(self, wait_s: float) -> bool:
        """False when the program has closed its terminal."""
        if not select.select([self._fd], [], [], wait_s)[0]:
            return True
        try:
            data = os.read(self._fd, 65_536)
        except OSError:
            return False
        if not data:
            return False
        self.raw += data
        for question, answer in ANSWERS:
            for _ in question.findall(data):
                os.write(self._fd, answer)
        self._stream.feed(UNKNOWN_TO_PYTE.sub("", data.decode(errors="replace")))
        return True


def installed(*arguments: str) -> list[str]:
    """The installed command beside this interpreter, else the package itself."""
    script = Path(sys.executable).with_name("aether-tui")
    return [str(script), *arguments] if script.exists() else [sys.executable, "-m", "aether_tui", *arguments]
