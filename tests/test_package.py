"""The product as strangers get it: a wheel in an empty environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def needed(name: str, extras: frozenset[str] = frozenset()) -> Iterator[Distribution]:
    """What a distribution requires here, of that what it requires, and so on."""
    for line in distribution(name).requires or ():
        one = Requirement(line)
        if any(one.marker is None or one.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield distribution(one.name)
            yield from needed(one.name, frozenset(one.extras))


def link(found: Distribution, into: Path) -> None:
    """Install what is installed in this environment in another one as well, without a network and without a copy."""
    for file in found.files or ():
        origin = Path(str(found.locate_file(file)))
        cached = Path(cache_from_source(str(origin)))
        for one, place in ((origin, into / file), (cached, into / file.parent / "__pycache__" / cached.name)):
            if ".." in file.parts or place.exists() or not one.exists():
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                place.hardlink_to(one)
            except OSError:  # on another disk
                shutil.copy2(one, place)


@pytest.mark.slow
def test_the_wheel_is_whole_and_runs_the_main_job_in_an_empty_environment(built_demo: Path, tmp_path: Path) -> None:
    """Beside its locked dependencies and nothing else: all files of the packages, no others, and numbers from data.

    That the lock itself installs, with its hashes, is what `make` begins with.
    """
    source = tmp_path / "source"
    source.mkdir()
    for name in (*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "config.example.toml"):
        origin = ROOT / name
        copy = shutil.copytree if origin.is_dir() else shutil.copy2
        copy(origin, source / name)
    run([sys.executable, "-c", "from hatchling.build import build_wheel; build_wheel('dist')"], source)
    (wheel,) = (source / "dist").glob("aether_tui-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == files(source)

    venv.create(tmp_path / "env", with_pip=False)
    bin_dir = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    python = str(bin_dir / "python")
    packages = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
    locked = {
        canonicalize_name(name)
        for name in re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.M)
    }
    for found in {canonicalize_name(one.name): one for one in needed("aether-tui")}.values():
        assert canonicalize_name(found.name) in locked
        link(found, packages)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", python]
    run([*pip, "install", "--no-index", str(wheel)])  # which refuses where a requirement is not met

    demo = shutil.copytree(built_demo, tmp_path / "demo")
    (demo / ".aether" / "cache.duckdb").unlink()
    program = [str(bin_dir / "aether-tui"), "-w", str(demo), "--as-of", "2026-11-21T09:30Z"]
    assert run([*program, "--version"]).startswith("aether-tui 0.")
    run([*program, "sync", "jira"])
    run([*program, "load", str(demo / "files" / "costs"), str(demo / "files" / "plans")])
    assert "NEXT" in run([*program, "report", "summary"]).upper()
