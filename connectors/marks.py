"""Cursors of sources with several repositories: how far each of them is read, as one JSON object."""

from __future__ import annotations

import json
from datetime import datetime

Mark = dict[str, object]
"""How far one repository is read; the cursor is a JSON object of them by repository."""


def read_marks(since: str | None) -> tuple[dict[str, Mark], Mark]:
    """Marks by repository, and the one for a repository that has none: an instant as cursor stands for all of them."""
    if since is None or since.startswith("{"):
        read = json.loads(since) if since else {}
        return {repo: dict(mark) for repo, mark in read.items() if isinstance(mark, dict)}, {}
    return {}, {"created": since, "updated": since}


def advance(mark: Mark, name: str, at: datetime | None) -> None:
    """Move one instant of a mark; None leaves it."""
    if at is not None:
        mark[name] = at.isoformat()
