"""Recorded answers instead of a network: what tests, the demo and bug reports run on.

A recording is one JSON object per line: `{"method", "path", "match": {"query": {…}, "json": {…}}, "status", "headers",
"body" | "body_file"}`. The first one of the same method and path whose `match` is a subset of the request answers it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import msgspec

from connectors.base import Gone, Malformed

SCHEME = "replay:"


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """What a request must contain; null stands for absent."""

    query: dict[str, object] = msgspec.field(default_factory=dict)
    json: object = None


class Recording(msgspec.Struct, forbid_unknown_fields=True):
    """One recorded answer."""

    method: str
    path: str
    match: Match = msgspec.field(default_factory=Match)
    status: int = 200
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: msgspec.Raw = msgspec.Raw()
    body_file: str = ""

    def content(self, folder: Path) -> bytes:
        """The body as it goes over the wire: JSON as JSON, a text as it is, a file as its bytes."""
        if self.body_file:
            return (folder / self.body_file).read_bytes()
        body = bytes(self.body)
        return msgspec.json.decode(body, type=str).encode() if body.startswith(b'"') else body


def subset(part: object, whole: object) -> bool:
    """Whether `whole` contains `part`: objects by their named members, null as absent, everything else by equality."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(subset(value, whole.get(name)) for name, value in part.items())
    return part == whole


def _as_sent(value: object) -> object:
    """A query value as text, the way it travels: 1 is "1"."""
    return value if value is None else str(value)


class Replay:
    """The recordings of one file, or of all `*.jsonl` files of a folder in the order of their names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path if path.is_dir() else path.parent
        self._by_target: dict[tuple[str, str], list[Recording]] | None = None

    def answer(
        self, method: str, path: str, query: Mapping[str, str], json: object
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the first recording that matches; escaped and plain characters of a path are one.

        Raises Gone when none does, Malformed when a line is no recording.
        """
        for recording in self._recordings().get((method, unquote(path)), ()):
            wanted = {name: _as_sent(value) for name, value in recording.match.query.items()}
            if subset(wanted, query) and (recording.match.json is None or subset(recording.match.json, json)):
                return recording.status, recording.headers, self._content(recording)
        shown = msgspec.json.encode({"query": query, "json": json}).decode()
        raise Gone(f"no recording for {method} {path} {shown[:600]}", hint=f"add one to {self._path.name}")

    def _content(self, recording: Recording) -> bytes:
        try:
            return recording.content(self._folder)
        except OSError as error:
            raise Gone(f"recorded body {recording.body_file} cannot be read: {error.strerror}") from error

    def _recordings(self) -> dict[tuple[str, str], list[Recording]]:
        if self._by_target is None:
            self._by_target = {}
            for recording in self._read():
                self._by_target.setdefault((recording.method.upper(), unquote(recording.path)), []).append(recording)
        return self._by_target

    def _read(self) -> Sequence[Recording]:
        files = sorted(self._path.glob("*.jsonl")) if self._path.is_dir() else [self._path]
        decoder = msgspec.json.Decoder(Recording)
        found: list[Recording] = []
        for file in files:
            try:
                lines = file.read_bytes().splitlines()
            except OSError as error:
                raise Gone(f"recordings {self._path} cannot be read: {error.strerror}", hint="check the url") from error
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    found.append(decoder.decode(line))
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise Malformed(f"{file.name} line {number} is not a recording: {error}") from error
        if not files:
            raise Gone(f"no *.jsonl recordings in {self._path}", hint="check the url")
        return found
