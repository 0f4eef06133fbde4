"""The taxonomy of the demonstration: found in the requests that its own traces carry, and mended by one of its people."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.demo.world import SEED
from aether_tui.ingest import Ingest, workspace_key
from aether_tui.ingest.categories import model_path
from aether_tui.ingest.redact import Redactor
from aether_tui.ingest.taxonomy import build
from aether_tui.sync.requests import drawn
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.store import Store, write_whole

SAMPLE = 300
BUILT_DAYS = 30
"""Days ago; requests since then hold the gate."""


def write(workspace: Workspace, config: Config, today: datetime) -> None:
    """Build TAX-1 from the traces in `files/`, as `taxonomy sample` and `taxonomy build` would. `today` is naive UTC."""
    paths = sorted((workspace.root / "files" / "traces").glob("*.jsonl"))[:1]
    texts = _texts(paths, workspace, config, today)
    made = build(
        texts, identity="TAX-1", source="requests of the assistant's traces", now=today - timedelta(days=BUILT_DAYS), seed=SEED,
        k=None, before=None,
    )  # fmt: skip
    assert made is not None
    path = model_path(workspace, "TAX-1")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, made.data)
    Store(workspace).save(made.taxonomy, None, today)


def _texts(paths: list[Path], workspace: Workspace, config: Config, today: datetime) -> list[str]:
    redactor = Redactor(workspace_key(workspace), config.privacy.patterns)
    ingest = Ingest.of(workspace, config)
    found = drawn(paths, "", "", SAMPLE, SEED, Cache(workspace.cache_path), ingest, today)
    return [redactor.text(text) for text in found.texts]
