"""Rules of the house that import contracts cannot see, because the imports are lazy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_measuring_a_report_imports_no_validation_and_no_numbers(tmp_path: Path) -> None:
    """The command of every pipeline: what it need not import it need not wait for."""
    report = tmp_path / "report.xml"
    report.write_text('<testsuite name="unit"><testcase name="a" time="0.5"/></testsuite>')
    code = (
        "import sys\nfrom aether_tui.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, "measure", "tests", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '"duration_s":0.5' in done.stdout
    assert not set(HEAVY) & set(done.stderr.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_behind_stdout_is_said_and_no_error_of_ours(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuite name="unit"><testcase name="a" time="0.5"/></testsuite>')
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "aether_tui", "measure", "tests", str(report)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (5, 1)
    assert "cannot be written" in done.stderr
