"""How far a walk through a list came that is sent newest first, so that one that broke off goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.fields import Node, instant


@dataclass(slots=True)
class Walk:
    """The cursor of such a list (naive UTC): everything up to `known` is stored, and of a walk that did not end everything
    from `lower` to `upper`. `newest` is the last change seen."""

    known: datetime | None = None
    newest: datetime | None = None
    upper: datetime | None = None
    lower: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None) -> Walk:
        """From an instant, or from what `cursor` gives."""
        if cursor is None:
            return cls()
        if not cursor.startswith("{"):
            at = datetime.fromisoformat(cursor)
            return cls(at, at)
        said = json.loads(cursor)
        known, upper, lower = (instant(said, name) for name in ("known", "upper", "lower"))
        return cls(known, upper or known, upper, lower)

    def came(self, nodes: Sequence[Node]) -> None:
        """Note a page (nodes with `updatedAt`) of the walk down."""
        self.upper = self.upper or self.newest
        for node in nodes:
            try:
                at = instant(node, "updatedAt")
            except ValueError:
                continue  # a reject already
            self.lower = min(filter(None, (self.lower, at)), default=None)

    @property
    def cursor(self) -> str | None:
        """What the next sync needs to go on; None before the first page."""
        if self.upper is None or self.lower is None:
            return None
        said = {name: at.isoformat() for name in ("known", "upper", "lower") if (at := getattr(self, name)) is not None}
        return json.dumps(said)
