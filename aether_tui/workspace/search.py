"""Finding documents by their words. Files are scanned as text, so that a broken one is found too; nothing is indexed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aether_tui.text import one_line
from aether_tui.workspace.document import number_of
from aether_tui.workspace.documents import KINDS
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.yaml_file import MAX_BYTES

_TITLE = re.compile(r"^(?:title|name|goal|question|statement|who|person|started): *(.+)$", re.M)
_KEY = re.compile(r"^\s*(?:- )?[\w-]+: *")


@dataclass(frozen=True, slots=True)
class Found:
    """A document, and the line that was looked for (0: none was)."""

    kind: str
    identity: str
    title: str
    path: Path
    line: int = 0
    text: str = ""


def find(workspace: Workspace, text: str = "", limit: int = 500) -> list[Found]:
    """Documents with a line that contains all words of `text`, in any case; all documents for no text.

    A line each, the first of each document, at most `limit` documents, by kind and number.
    """
    words = text.casefold().split()
    found: list[Found] = []
    for kind, path in files(workspace):
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES).decode("utf-8", errors="replace")
        except OSError:
            continue
        match = _TITLE.search(content)
        title = one_line(match[1].strip("'\""), 200) if match else ""
        if not words:
            found.append(Found(kind, path.stem, title, path))
        elif (line := _line(content, words)) is not None:
            said = one_line(_KEY.sub("", content.splitlines()[line]), 200)
            found.append(Found(kind, path.stem, title, path, line + 1, said))
        if len(found) >= limit:
            break
    return found


def _line(content: str, words: list[str]) -> int | None:
    """The first line with all words, else the first with one of them when the whole file has them all."""
    if not all(word in content.casefold() for word in words):
        return None
    lines = [line.casefold() for line in content.splitlines()]
    whole = next((n for n, line in enumerate(lines) if all(word in line for word in words)), None)
    return whole if whole is not None else next(n for n, line in enumerate(lines) if words[0] in line)


def files(workspace: Workspace) -> Iterator[tuple[str, Path]]:
    """The file of every document with the name of its kind; second versions of a conflict are left out."""
    for kind in KINDS:
        place = KINDS.place(kind, workspace)
        if place.suffix == ".yaml":
            if place.is_file():
                yield kind, place
        elif place.is_dir():
            names = sorted(place.glob("*.yaml"), key=lambda path: (number_of(path.stem), path.name))
            yield from ((kind, path) for path in names if path.is_file() and "." not in path.stem)
