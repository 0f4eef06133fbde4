"""Showing what was said in one span: only what is stored (redacted), and never without a line in the audit file."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from aether_tui.diagnostics.frame import Data
from aether_tui.errors import NoData
from aether_tui.ingest.said import readable
from aether_tui.text import one_line, plain

AUDIT = "audit.jsonl"
"""In the workspace's state folder: one JSON object per look, with instant, trace and span, and nothing of the text."""


class Said(Struct, frozen=True, kw_only=True):
    """Prompt and completion as stored, and what redaction took out by kind."""

    prompt: str | None
    completion: str | None
    redactions: dict[str, int]


def reveal(data: Data, state: Path, trace: str, span: str, now: datetime, source: str | None = None) -> Said:
    """What was said in a span; the look is on disk before it is returned.

    Raises NoData when nothing is stored, OSError when the look cannot be noted: then nothing is shown.
    """
    found = data.rows("explorer_payload", trace=trace, span=span, source=source)
    if not found:
        raise NoData(
            "neither prompt nor completion of this span is stored",
            where=f"span {one_line(span, 40)}",
            next_step="`[privacy] keep_payloads = true` keeps those that come from then on",
        )
    _note(state, {"at": now.isoformat(), "trace": trace, "span": span})
    row = found[0]
    return Said(
        prompt=None if row["prompt"] is None else plain(readable(str(row["prompt"])), 20_000),
        completion=None if row["completion"] is None else plain(str(row["completion"]), 20_000),
        redactions=json.loads(str(row["redactions"] or "{}")),
    )


def _note(state: Path, entry: dict[str, str]) -> None:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(state / AUDIT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, json.dumps(entry).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
