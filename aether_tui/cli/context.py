"""What every command may ask for: workspace, clock, seed, network permission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aether_tui.workspace.folder import Workspace, find

if TYPE_CHECKING:
    from aether_tui.config import Config


@dataclass(slots=True)
class Context:
    """The global flags. Passed with `@click.pass_obj`."""

    workspace_flag: Path | None = None
    offline: bool = False
    as_of: datetime | None = None
    seed: int = 0

    def now(self) -> datetime:
        """The fixed clock, else this moment; always aware, in UTC."""
        return self.as_of or datetime.now(UTC)

    def workspace(self) -> Workspace:
        """The workspace; raises ConfigurationError when there is none."""
        return find(self.workspace_flag)

    def config(self) -> Config:
        """Its validated configuration; raises ConfigurationError naming file, key and nearest valid name."""
        from aether_tui.config_file import load_config

        return load_config(self.workspace())
