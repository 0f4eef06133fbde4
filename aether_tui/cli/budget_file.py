"""What the commands of `budget` share: the budgets file, the store of baselines, the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.budgets.file import NAME, BudgetFile, read_budgets
from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.budgets.store import Store

FILE = click.option(
    "--budgets",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Budgets file (default: nearest {NAME}).",
)
STORE = click.option(
    "--store",
    metavar="PLACE",
    help="Where baselines are: a folder (default: benchmarks/ beside optimization/), branch:NAME or artifact:FILE.",
)
FINGERPRINT = click.option(
    "--fingerprint",
    envvar="AETHER_FINGERPRINT",
    help="What the tests ran on (default: runner label, system, processor and its count, of here).",
)
BASE = click.option(
    "--base",
    metavar="REF",
    help="Base branch of the change (default: of a pull or merge request's job its own).",
)


def find_budgets(context: Context, path: Path | None) -> Path:
    """The budgets file named, else the nearest one above here (or of the workspace), else a refusal."""
    if path is not None:
        return path
    here = Path.cwd() if context.workspace_flag is None else context.workspace().root
    for folder in (here, *here.parents):
        if (folder / NAME).is_file():
            return folder / NAME
    raise ConfigurationError(f"no {NAME} here or above", next_step="`aether-tui init --budgets-only` writes one")


def read_found(context: Context, path: Path | None, today: date) -> tuple[BudgetFile, Path]:
    """The budgets and where they are."""
    found = find_budgets(context, path)
    return read_budgets(found, str(path) if path else NAME, today), found


def store_of(found: Path, store: str | None) -> Store:
    """The baselines that belong to a budgets file."""
    from aether_tui.budgets.store import open_store

    folder = found.resolve().parent
    return open_store(store, (folder.parent if folder.name == "optimization" else folder) / "benchmarks")


def fingerprint_of(given: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """What names this machine's kind: another kind is not compared with."""
    if given:
        return one_line(given, 120)
    label = environ.get("RUNNER_ENVIRONMENT") or environ.get("CI_RUNNER_DESCRIPTION") or ""
    parts = (label, platform.system(), platform.machine(), f"{os.cpu_count() or 0}cpu")
    return one_line(" ".join(part for part in parts if part), 120)
