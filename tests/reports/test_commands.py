"""`report` and `export` as scripts call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aether_tui.diagnostics.registry import REPORTS
from aether_tui.workspace.folder import Workspace

MEANINGFUL_WHEN_EMPTY = {
    "summary",
    "flywheel",
    "portfolio",
    "constraint",
    "experiments",
    "playbook",
    "sources",
    "readout",
    "review",
    "rituals",
    "canvas",
    "decisions",
    "handbook",
    "stakeholders",
    "commitments",
    "maturity",
}


def run(
    made: Workspace, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aether_tui", "-w", str(made.root), "--as-of", "2026-11-21T00:00Z", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **(environment or {})},
    )  # fmt: skip


@pytest.mark.parametrize("name", list(REPORTS))
def test_json_of_an_empty_workspace(empty: Workspace, name: str) -> None:
    done = run(empty, "report", name, "--format", "json")
    assert json.loads(done.stdout)["report"] == name
    if name in MEANINGFUL_WHEN_EMPTY:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 3
        assert len(done.stderr.splitlines()) == 1
        assert "aether-tui load" in done.stderr


@pytest.mark.parametrize("form", ["text", "md"])
def test_people_always_get_a_page(empty: Workspace, form: str) -> None:
    done = run(empty, "report", "lens", "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No lens has a score yet" in done.stdout


def test_an_unknown_name_exits_2_with_the_nearest(empty: Workspace) -> None:
    done = run(empty, "report", "sumary")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert "did you mean 'summary'?" in done.stderr


def test_a_window_that_is_none_exits_2(empty: Workspace) -> None:
    done = run(empty, "report", "lens", "--window", "soon")
    assert done.returncode == 2
    assert "--window" in done.stderr


def test_filters_and_windows_reach_the_report(filled: Workspace) -> None:
    done = run(filled, "report", "lens", "--format", "json", "--window", "2026-Q4", "--feature", "search")
    found = json.loads(done.stdout)
    assert found["window"] == {"from": "2026-10-01T00:00:00Z", "to": "2026-11-21T00:00:00Z", "label": "2026-Q4"}
    success = next(one for one in found["data"]["lenses"][1]["indicators"] if one["id"] == "quality.task_success")
    assert success["value"]["n"] == 6


def test_output_goes_to_a_file_and_nowhere_else(filled: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "lens.md"
    done = run(filled, "report", "lens", "--format", "md", "-o", str(target))
    assert (done.returncode, done.stdout) == (0, "")
    assert target.read_text("utf-8").startswith("# 3-Lens\n")
    assert [path.name for path in tmp_path.iterdir()] == ["lens.md"]


def test_a_file_that_cannot_be_written_exits_2(filled: Workspace, tmp_path: Path) -> None:
    done = run(filled, "report", "lens", "-o", str(tmp_path / "absent" / "lens.md"))
    assert done.returncode == 2
    assert "lens.md" in done.stderr and "Traceback" not in done.stderr


def test_export_writes_the_same_pack_twice(filled: Workspace, tmp_path: Path) -> None:
    packs = []
    for name in ("one", "two"):
        done = run(filled, "export", "-o", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (0, "")
        packs.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert packs[0] == packs[1]
    assert "index.md" in packs[0] and "readout.md" in packs[0]


def test_a_report_imports_neither_textual_nor_httpx(filled: Workspace) -> None:
    code = (
        "import sys\nfrom aether_tui.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*[name for name in ('textual', 'httpx', 'keyring', 'plotext') if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "-w", str(filled.root), "report", "summary", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stderr.strip() == ""
