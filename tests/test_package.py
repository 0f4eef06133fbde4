"""The product as strangers get it: a wheel in an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("aether_tui", "connectors", "screens")


def run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
    return done.stdout


def files(root: Path) -> set[str]:
    """Files of the packages under a folder, as paths within it."""
    found = (path for name in PACKAGES for path in (root / name).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix() for path in found if path.parent.name != "__pycache__"}


@pytest.mark.slow
def test_the_wheel_is_whole_and_runs_the_main_job_in_an_empty_environment(built_demo: Path, tmp_path: Path) -> None:
    """Installed with its locked dependencies and nothing else: all files of the packages, no others, and numbers from data."""
    source = tmp_path / "source"
    source.mkdir()
    for name in (*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "config.example.toml"):
        origin = ROOT / name
        copy = shutil.copytree if origin.is_dir() else shutil.copy2
        copy(origin, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels = tmp_path / "wheels"
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)])
    (wheel,) = wheels.glob("aether_tui-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == files(source)

    venv.create(tmp_path / "env", with_pip=False)
    bin_dir = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    into = [*pip, "--python", str(bin_dir / "python"), "install", "--no-compile"]
    run([*into, "--require-hashes", "-r", str(ROOT / "requirements.lock")])
    run([*into, "--no-deps", str(wheel)])
    run([*pip, "--python", str(bin_dir / "python"), "check"])

    demo = shutil.copytree(built_demo, tmp_path / "demo")
    (demo / ".aether" / "cache.duckdb").unlink()
    program = [str(bin_dir / "aether-tui"), "-w", str(demo), "--as-of", "2026-11-21T09:30Z"]
    assert run([*program, "--version"]).startswith("aether-tui 0.")
    run([*program, "sync", "jira"])
    run([*program, "load", str(demo / "files" / "costs"), str(demo / "files" / "plans")])
    assert "NEXT" in run([*program, "report", "summary"]).upper()
