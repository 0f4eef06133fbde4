"""A crash, told in six lines; the details go to a redacted file. Never with local variables: they hold secrets."""

from __future__ import annotations

import os
import platform
import re
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from aether_tui import __version__

_SECRET_NAME = re.compile(r"token|secret|password|passwd|key|credential|auth|cookie|session", re.I)
_LOOKS_SECRET = re.compile(r"(?i)(bearer|basic)\s+\S+|://[^/\s:@]+:[^/\s@]+@|[A-Za-z0-9_\-+/=]{24,}")
# What an error quotes is what it met, a name or a sentence of a client; names that programs use stay.
_QUOTED = re.compile(
    r"""(?<!\w)b?(?:'(?![a-z][a-z0-9_.]{0,60}')(?:[^'\\]|\\.)*'|"(?![a-z][a-z0-9_.]{0,60}")(?:[^"\\]|\\.)*")(?!\w)"""
)
_INPUT = re.compile(r"input_value=.*(?=, input_type=)")
HIDDEN = "•••"


def redact(text: str, environ: Mapping[str, str]) -> str:
    """An error, with its traceback or without, but without the values of variables that name secrets, what redaction knows of the data
    of clients, what the error quotes, long unbroken strings and the home folder."""
    from aether_tui.ingest.redact import Redactor

    clean = Redactor(os.urandom(32)).text
    for name, value in environ.items():
        if len(value) >= 6 and _SECRET_NAME.search(name):
            text = text.replace(value, HIDDEN)
    home = environ.get("HOME", "")

    def shown(line: str, above: str) -> str:
        if line.startswith('  File "'):
            return line
        if not above.startswith('  File "'):  # else it is a line of the program
            line = _QUOTED.sub(f"'{HIDDEN}'", _INPUT.sub(f"input_value={HIDDEN}", line))
        return _LOOKS_SECRET.sub(HIDDEN, clean(line))

    given = text.split("\n")
    lines = map(shown, given, ["", *given])
    text = "\n".join(lines)
    return text.replace(home, "~") if len(home) > 1 else text


def write_crash(
    folder: Path, error: BaseException, actions: Sequence[str], now: datetime, environ: Mapping[str, str] = os.environ
) -> Path:
    """Write the crash file (0600); returns its path. Raises OSError when the folder cannot be written."""
    trace = "".join(traceback.format_exception(error))
    told = {
        "aether-tui": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "terminal": environ.get("TERM", ""),
        "size": f"{environ.get('COLUMNS', '')}x{environ.get('LINES', '')}",
        "at": now.isoformat(timespec="seconds"),
        "last actions": " ".join(actions),
    }
    head = "\n".join(f"{name}: {value}" for name, value in told.items())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(redact(f"{head}\n\n{trace}", environ))
    return path


def panel(error: BaseException, path: Path | None, environ: Mapping[str, str] = os.environ) -> str:
    """The six lines a person sees."""
    what = redact(" ".join(str(error).split())[:160], environ)
    where = f"  Details (no secrets): {path}" if path else "  The details could not be written: the disk refused."
    return "\n".join(
        (
            "aether-tui stopped because of an error in the program.",
            f"  What: {type(error).__name__}{': ' if what else ''}{what}",
            "  Safe: your documents and the cache; every change was saved when it was made.",
            where,
            "  Next: start it again; it opens where you were.",
            "  If it happens again: `aether-tui doctor`, and send the file with your report.",
        )
    )
