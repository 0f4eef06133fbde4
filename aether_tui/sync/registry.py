"""Connectors and kinds of files by entry point; naming them imports none, using one imports that one only."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from aether_tui.errors import ConfigurationError
from aether_tui.problems import nearest
from aether_tui.records.source import FileKind, Source

CONNECTORS = "aether_tui.connectors"
FILES = "aether_tui.files"


def connector_names() -> list[str]:
    """Kinds of `[sources.NAME]`, without importing them."""
    return sorted(_points(CONNECTORS))


def file_kind_names() -> list[str]:
    """Kinds of files `load` knows, without importing them."""
    return sorted(_points(FILES))


def connector(kind: str) -> type[Source]:
    """The connector of that kind. Raises ConfigurationError naming the nearest kind."""
    return cast("type[Source]", _load(CONNECTORS, kind, "source"))


def file_kind(kind: str) -> FileKind:
    """The reader of that kind of file. Raises ConfigurationError naming the nearest kind."""
    return cast("type[FileKind]", _load(FILES, kind, "file"))()


def file_kinds(tell: Callable[[str], None]) -> list[FileKind]:
    """Readers of all kinds of files, by name; `tell` hears of those that cannot be used: one must not stop the others."""
    kinds = []
    for name in file_kind_names():
        try:
            kinds.append(file_kind(name))
        except ConfigurationError as error:
            tell(error.sentence())
    return kinds


def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _load(group: str, kind: str, what: str) -> object:
    points = _points(group)
    if kind not in points:
        near = nearest(kind, points)
        hint = f"did you mean {near!r}? " if near else ""
        raise ConfigurationError(
            f"no kind of {what} is called {kind!r}", next_step=f"{hint}known are {', '.join(sorted(points))}"
        )
    try:
        return points[kind].load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"the kind of {what} {kind!r} cannot be used ({error})",
            where=points[kind].value,
            next_step="install its package again",
        ) from error
