"""Answers of services, written down the way `connectors/replay.py` reads them: one JSON object per line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import msgspec


class Recordings:
    """The answers of one service, in the order in which they are tried."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def get(
        self,
        path: str,
        body: object,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The answer to a GET whose query contains `query`."""
        self._add(
            {"method": "GET", "path": path, "match": {"query": query or {}}, "headers": headers or {}, "body": body}
        )

    def pages(self, path: str, pages: Sequence[object], query: Mapping[str, object] | None = None) -> None:
        """A list over several pages, linked the way GitHub links them; its first page has no number."""
        for number, body in enumerate(pages, 1):
            following = urlencode({**(query or {}), "page": number + 1, "per_page": 100})
            headers = {"link": f'<{path}?{following}>; rel="next"'} if number < len(pages) else {}
            self.get(path, body, {**(query or {}), "page": None if number == 1 else number}, headers)

    def post(self, path: str, body: object, sent: Mapping[str, object] | None = None) -> None:
        """The answer to a POST whose JSON contains `sent`."""
        self._add({"method": "POST", "path": path, "match": {"json": sent or {}}, "body": body})

    def _add(self, recording: Mapping[str, object]) -> None:
        self._lines.append(msgspec.json.encode(recording))

    def write(self, path: Path) -> None:
        """All of them, as JSON lines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\n".join(self._lines) + b"\n")
