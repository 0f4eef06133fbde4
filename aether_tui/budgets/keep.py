"""A budget added for something that was won, so that it stays won."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from aether_tui.budgets.edit import with_budget
from aether_tui.budgets.file import METRICS, parse_budgets
from aether_tui.errors import ConfigurationError
from aether_tui.workspace.edits import change_file
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit

SHOWN = "optimization/budgets.yaml"


def add_budget(
    workspace: Workspace, identity: str, metric: str, limit: str, match: Mapping[str, str], today: date
) -> Edit:
    """Add a row to budgets.yaml, where comments and order stay. Raises ConfigurationError when the gate would refuse it."""
    path = workspace.budgets_path
    if not path.is_file():
        raise ConfigurationError(
            "no budgets file", where=str(path), next_step="`aether-tui init --budgets-only` makes one"
        )
    if metric not in METRICS:
        raise ConfigurationError(f"no metric {metric!r}", where="--metric", next_step=f"there are {', '.join(METRICS)}")
    data = path.read_bytes()
    if identity in {one.id for one in parse_budgets(data, SHOWN, today).budgets}:
        raise ConfigurationError(f"there is a budget {identity} already", where=SHOWN, next_step="choose another id")
    row = {"id": identity, "surface": METRICS[metric].surface, "metric": metric, "limit": limit}
    text = with_budget(data, SHOWN, row | ({"match": dict(match)} if match else {}), today)
    return change_file(path, data, text, f"budget {identity} added")
