"""Which package of a monorepo a report is about, and which job a job of a matrix belongs to."""

from __future__ import annotations

import re
from pathlib import Path

_WORDS = """
    artifact artifacts build ci coverage default dist downloads e2e integration integrationtest junit junitxml latest logs out
    output report reports result results src surefire failsafe target temp test testing testresult testresults tests tmp
    unit unittest unittests xml pytest jest vitest mocha karma nunit xunit gotest cargo debug release main shard part run
    node file files data nightly weekly daily attempt functional acceptance smoke contract performance
"""
_COMMON = frozenset(_WORDS.split())
"""Words of folders and files of reports that name no package."""
_MATRIX = re.compile(r"(?:\s*\(.*\)|:?\s*\[.*\]|\s+\d+/\d+)\s*$")

_ROOTS = (".git", "aether.toml")
"""What marks the top of a repository or a workspace."""


def without_matrix(name: str) -> str:
    """`test (3.11, linux)`, `test: [3.11]` and `test 1/3` are jobs of `test`."""
    return _MATRIX.sub("", name) or name


def package_of(path: Path) -> str:
    """The nearest folder above a report that is named like a package (`packages/api/reports/junit.xml`: api), else the
    file where its name says more than that it is a report; empty when neither does.

    Folders count below the repository or workspace that holds the report, wherever it is called from, else below the current
    folder; what lies outside both is of no package.
    """
    place = path.resolve()
    root = next((one for one in place.parents if any((one / mark).exists() for mark in _ROOTS)), Path.cwd())
    try:
        relative = place.relative_to(root)
    except ValueError:
        return ""
    folders = [without_matrix(name) for name in relative.parts[:-1]]
    found = next((name for name in reversed(folders) if _tells(name)), "")
    stem = without_matrix(relative.name.partition(".")[0])
    return found or (stem if _tells(stem) else "")


def _tells(name: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    return bool(words) and not all(word.lower() in _COMMON for word in words)
