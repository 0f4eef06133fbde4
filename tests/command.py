"""The installed command, run as a user runs it."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO


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


@cache
def _forks(_process: int) -> BinaryIO:
    """The process that forks for commands, one for each process of the suite; it ends with us."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(command, cwd=root, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    ours.settimeout(600)
    stream = ours.makefile("rwb", buffering=0)

    @atexit.register
    def end() -> None:
        stream.close()
        ours.close()
        process.wait()

    return stream


def aether(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None, stdin: str | None = None) -> Done:
    """Run `aether-tui ARGUMENTS` in `cwd`, without a terminal."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AETHER_", "GITHUB_", "CI_"))}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").write_text(stdin or "", encoding="utf-8")
        request = {"arguments": [*map(str, arguments)], "cwd": str(cwd), "env": clean | (env or {}), "folder": folder}
        forks = _forks(os.getpid())
        forks.write(json.dumps(request).encode() + b"\n")
        code = int(forks.readline())
        out, err = ((Path(folder) / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return Done(code, out, err)
