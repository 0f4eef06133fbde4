"""Where things are in a workspace, and how one is found."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from aether_tui.errors import ConfigurationError

CONFIG_NAME = "aether.toml"


@dataclass(frozen=True, slots=True)
class Workspace:
    """An engagement folder. Paths only: nothing is read or made here except by `private`."""

    root: Path

    @property
    def config_path(self) -> Path:
        return self.root / CONFIG_NAME

    @property
    def budgets_path(self) -> Path:
        return self.root / "optimization" / "budgets.yaml"

    @property
    def baselines(self) -> Path:
        return self.root / "benchmarks"

    @property
    def engagement(self) -> Path:
        return self.root / "engagement"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def hidden(self) -> Path:
        return self.root / ".aether"

    @property
    def cache_path(self) -> Path:
        return self.hidden / "cache.duckdb"

    @property
    def state(self) -> Path:
        return self.hidden / "state"

    def private(self) -> Path:
        """The git-ignored folder of cache and state, made 0700 if absent."""
        self.hidden.mkdir(mode=0o700, exist_ok=True)
        self.state.mkdir(mode=0o700, exist_ok=True)
        return self.hidden


def find(explicit: Path | None = None, start: Path | None = None) -> Workspace:
    """The workspace named by flag or `AETHER_WORKSPACE`, else the nearest parent of `start` that holds `aether.toml`.

    Raises ConfigurationError when there is none.
    """
    named = explicit or (Path(value) if (value := os.environ.get("AETHER_WORKSPACE")) else None)
    if named is not None:
        if (named / CONFIG_NAME).is_file():
            return Workspace(named.resolve())
        raise ConfigurationError(
            f"no {CONFIG_NAME} in it",
            where=str(named),
            next_step="make one with `aether-tui init`, or try `aether-tui demo`",
        )
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file():
            return Workspace(folder)
    raise ConfigurationError(
        f"no workspace here (no {CONFIG_NAME} in {here} or above)",
        next_step="make one with `aether-tui init`, or try `aether-tui demo`",
    )
