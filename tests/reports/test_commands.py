"""`report` and `export` as scripts call them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from aether_tui.diagnostics.registry import REPORTS
from aether_tui.workspace.folder import Workspace
from tests.command import Done, aether

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


def run(made: Workspace, *arguments: str) -> Done:
    return aether("-w", made.root, "--as-of", "2026-11-21T00:00Z", *arguments, cwd=made.root)


@pytest.mark.parametrize("name", list(REPORTS))
def test_json_of_an_empty_workspace(empty: Workspace, name: str) -> None:
    done = run(empty, "report", name, "--format", "json")
    assert json.loads(done.out)["report"] == name
    if name in MEANINGFUL_WHEN_EMPTY:
        assert (done.code, done.err) == (0, "")
    else:
        assert done.code == 3
        assert len(done.err.splitlines()) == 1
        assert "aether-tui load" in done.err


@pytest.mark.parametrize("form", ["text", "md"])
def test_people_always_get_a_page(empty: Workspace, form: str) -> None:
    done = run(empty, "report", "lens", "--format", form)
    assert (done.code, done.err) == (0, "")
    assert "No lens has a score yet" in done.out


def test_an_unknown_name_exits_2_with_the_nearest(empty: Workspace) -> None:
    done = run(empty, "report", "sumary")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [done.err.strip()]
    assert "did you mean 'summary'?" in done.err


def test_a_window_that_is_none_exits_2(empty: Workspace) -> None:
    done = run(empty, "report", "lens", "--window", "soon")
    assert done.code == 2
    assert "--window" in done.err


def test_filters_and_windows_reach_the_report(filled: Workspace) -> None:
    done = run(filled, "report", "lens", "--format", "json", "--window", "2026-Q4", "--feature", "search")
    found = json.loads(done.out)
    assert found["window"] == {"from": "2026-10-01T00:00:00Z", "to": "2026-11-21T00:00:00Z", "label": "2026-Q4"}
    success = next(one for one in found["data"]["lenses"][1]["indicators"] if one["id"] == "quality.task_success")
    assert success["value"]["n"] == 6


def test_output_goes_to_a_file_and_nowhere_else(filled: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "lens.md"
    done = run(filled, "report", "lens", "--format", "md", "-o", str(target))
    assert (done.code, done.out) == (0, "")
    assert target.read_text("utf-8").startswith("# 3-Lens\n")
    assert [path.name for path in tmp_path.iterdir()] == ["lens.md"]


def test_a_file_that_cannot_be_written_exits_2(filled: Workspace, tmp_path: Path) -> None:
    done = run(filled, "report", "lens", "-o", str(tmp_path / "absent" / "lens.md"))
    assert done.code == 2
    assert "lens.md" in done.err and "Traceback" not in done.err


def test_export_writes_the_same_pack_twice(filled: Workspace, tmp_path: Path) -> None:
    packs = []
    for name in ("one", "two"):
        done = run(filled, "export", "-o", str(tmp_path / name))
        assert (done.code, done.out) == (0, "")
        packs.append({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*")})
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


@pytest.mark.parametrize(("cadence", "days"), [("weekly", 7), ("monthly", 28), ("quarterly", 51)])
def test_a_review_pack_has_its_own_window(empty: Workspace, cadence: str, days: int) -> None:
    # The quarter is the one we are in: 1 October to 21 November.
    done = run(empty, "review", "pack", cadence, "--format", "json", "-o", str(empty.root / "pack.json"))
    assert (done.code, done.out) == (0, "")
    pack = json.loads((empty.root / "pack.json").read_text("utf-8"))
    begin, end = (datetime.fromisoformat(pack["window"][edge]) for edge in ("from", "to"))
    assert (pack["data"]["cadence"], (end - begin).days) == (cadence, days)
    assert pack["data"]["sentences"] == []
