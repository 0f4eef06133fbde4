"""The installed command, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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


def aether(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None, stdin: str | None = None) -> Done:
    """Run `aether-tui ARGUMENTS` in `cwd`, without a terminal."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AETHER_", "GITHUB_", "CI_"))}
    done = subprocess.run(
        [sys.executable, "-m", "aether_tui", *map(str, arguments)],
        cwd=cwd,
        env=clean | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        input=stdin or "",
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)
