"""Rules of the house that import contracts cannot see, because the imports are lazy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("textual", "duckdb", "httpx", "numpy", "pydantic", "keyring", "plotext", "opentelemetry", "ruamel")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from aether_tui.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stderr.split())
