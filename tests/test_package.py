"""The product as strangers get it: a wheel in an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT

TREE = ("aether_tui", "connectors", "screens", "pyproject.toml", "README.md", "LICENSE", "config.example.toml")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of executables of an environment that holds the built wheel and its locked dependencies, nothing else."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    source.mkdir()
    for name in TREE:
        origin = ROOT / name
        copy = shutil.copytree if origin.is_dir() else shutil.copy2
        copy(origin, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels = folder / "wheels"
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)])
    (wheel,) = wheels.glob("aether_tui-*.whl")
    venv.create(folder / "env", with_pip=False)
    bin_dir = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    into = [*pip, "--python", str(bin_dir / "python"), "install"]
    run([*into, "--require-hashes", "-r", str(ROOT / "requirements.lock")])
    run([*into, "--no-deps", str(wheel)])
    run([*pip, "--python", str(bin_dir / "python"), "check"])
    return bin_dir


def run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.xdist_group("package")
def test_wheel_runs_the_main_job_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    program = str(installed / "aether-tui")
    assert run([program, "--version"]).startswith("aether-tui 0.")
    out = run([program, "demo", "--no-tui", "--dir", str(tmp_path / "demo")])
    assert "NORTHWIND" in out
    summary = run([program, "-w", str(tmp_path / "demo"), "report", "summary"])
    assert "NEXT" in summary.upper()


@pytest.mark.xdist_group("package")
def test_wheel_holds_no_tests_and_no_contract_data(installed: Path) -> None:
    listing = run(
        [
            str(installed / "python"),
            "-Ic",
            "import aether_tui, pathlib; print(*pathlib.Path(aether_tui.__file__).parent.parent.iterdir(), sep='\\n')",
        ]
    )
    names = {Path(line).name for line in listing.splitlines()}
    assert {"aether_tui", "connectors", "screens"} <= names
    assert "tests" not in names
