"""The installed command, run as a user runs it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.forks import PROGRAMS


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def refuses(self, code: int, *words: str) -> None:
        """Exit status `code`, and exactly one line on stderr that holds every word."""
        assert self.code == code, (self.code, self.out[-500:], self.err[-2000:])
        lines = [line for line in self.err.splitlines() if line.startswith("aether-tui: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in lines[0], (word, lines[0])


LAUNCHER = """import json, os, signal, socket, sys
given = sys.argv[1:]
module = given.index("-m") + 1 if "-m" in given else 0
if not module or given[module] not in {programs!r}:
    os.execv({python!r}, [{python!r}, *given])
asker = socket.socket(socket.AF_UNIX)
asker.connect({place!r})
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: asker.send(bytes([number])))
request = dict(program=given[module], arguments=given[module + 1:], cwd=os.getcwd(), env=dict(os.environ))
socket.send_fds(asker, [json.dumps(request).encode() + b"\\n"], [0, 1, 2])
for stream in (0, 1, 2):
    os.close(stream)
code = int(asker.makefile().readline() or 1)
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""
"""What can stand in for the interpreter where a program of ours is started with it: it is forked instead (`tests.forks`)."""


place_of_forks: Path | None = None
"""Where the process is that forks for commands, if who started us has one."""


@cache
def forks(_process: int) -> Path:
    """The place of the process that forks for commands, one for all processes of the suite; it ends with who started it."""
    if place_of_forks is not None:
        return place_of_forks
    folder = Path(tempfile.mkdtemp(prefix="forks"))
    place, (ours, theirs) = folder / "door", socket.socketpair()
    command = [sys.executable, "-m", "tests.forks", str(theirs.fileno()), str(place)]
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(command, cwd=root, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    while not place.exists():
        assert process.poll() is None
        time.sleep(0.01)

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()
        shutil.rmtree(folder)

    return place


@cache
def launcher() -> str:
    """A program that stands in for `sys.executable`, for those who start commands of ours with it."""
    place = forks(os.getpid())
    folder = place.with_name(f"{os.getpid()}")
    folder.mkdir()
    script, code = folder / "python", folder / "launch.py"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{code}" "$@"\n', "utf-8")
    code.write_text(LAUNCHER.format(python=sys.executable, programs=set(PROGRAMS), place=str(place)), "utf-8")
    script.chmod(0o755)
    return str(script)


def aether(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None, stdin: str | None = None) -> Done:
    """Run `aether-tui ARGUMENTS` in `cwd`, without a terminal."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AETHER_", "GITHUB_", "CI_"))}
    request = {
        "program": "aether_tui",
        "arguments": [*map(str, arguments)],
        "cwd": str(cwd),
        "env": clean | (env or {}),
    }
    with ExitStack() as stack:
        given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        given.write((stdin or "").encode())
        given.seek(0)
        asker = stack.enter_context(socket.socket(socket.AF_UNIX))
        asker.settimeout(600)
        asker.connect(str(forks(os.getpid())))
        line = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(asker, [line], [one.fileno() for one in (given, out, err)])
        if rest := line[sent:]:  # nothing at all is an error, too, where a quick command has ended already
            asker.sendall(rest)
        code = int(stack.enter_context(asker.makefile()).readline())
        for one in (out, err):
            one.seek(0)
        return Done(code, out.read().decode(), err.read().decode())
