"""The person's own editor, for whole files: the console steps aside while it runs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from textual.app import App, SuspendNotSupported

from aether_tui.errors import ConfigurationError

FALLBACKS = ("nano", "vim", "vi")


def command() -> list[str]:
    """`$VISUAL`, `$EDITOR`, else one that is installed; raises ConfigurationError when there is none."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named:
        return shlex.split(named)
    found = next((name for name in FALLBACKS if shutil.which(name)), None)
    if found is None:
        raise ConfigurationError("no editor is known", where="$EDITOR", next_step="set EDITOR, such as EDITOR=nano")
    return [found]


def open_files(app: App[int], paths: Sequence[Path]) -> None:
    """Let the editor have the terminal until it ends; raises ConfigurationError when it cannot be started."""
    words = command()
    try:
        with app.suspend():
            done = subprocess.run([*words, *map(str, paths)], check=False)
    except SuspendNotSupported as error:
        raise ConfigurationError(
            "there is no terminal to give to the editor", next_step="use `aether-tui doc edit`"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"cannot be started: {error.strerror}", where=words[0], next_step="set EDITOR"
        ) from error
    if done.returncode:
        raise ConfigurationError(
            f"ended with status {done.returncode}",
            where=words[0],
            next_step="what it wrote is kept; open it again",
        )
