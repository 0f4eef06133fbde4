"""Connectors and kinds of files by entry point; naming them imports none, using one imports that one only."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from aether_tui.errors import ConfigurationError
from aether_tui.problems import nearest
from aether_tui.records.source import FileKind, Source
from aether_tui.text import one_line

CONNECTORS = "aether_tui.connectors"
FILES = "aether_tui.files"
_OURS = "aether-tui"
_PARTS = ("Settings", "SECRETS", "streams", "access", "pages", "check", "close")
"""What is asked of a connector before there is one of it."""


def connector_names() -> list[str]:
    """Kinds of `[sources.NAME]`, without importing them."""
    return sorted(_points(CONNECTORS))


def file_kind_names() -> list[str]:
    """Kinds of files `load` knows, without importing them."""
    return sorted(_points(FILES))


def connector(kind: str) -> type[Source]:
    """The connector of that kind. Raises ConfigurationError naming the nearest kind, and for one that is no connector."""
    found = _load(CONNECTORS, kind, "source")
    missing = [name for name in _PARTS if not hasattr(found, name)]
    if missing:
        raise ConfigurationError(
            f"the kind of source {kind!r} cannot be used (it has no {', '.join(missing)})",
            where=_points(CONNECTORS)[kind].value,
            next_step="its package was made for another version: install one that fits",
        )
    return cast("type[Source]", found)


def passed_over() -> list[str]:
    """A sentence for each connector or kind of file whose name another one has: what is built in comes first."""
    return [
        f"{_package(point)} brings a kind {point.name!r} too, which is not used: {_package(used[point.name])} has it"
        for group in (CONNECTORS, FILES)
        for used in [_points(group)]
        for point in entry_points(group=group)
        if point.value != used[point.name].value
    ]


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
    """Who has a name: the built-in one, else the first that is found."""
    points: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda point: _package(point) != _OURS):
        points.setdefault(point.name, point)
    return points


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.module


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
    except Exception as error:  # a stranger's module may raise anything; it must not stop the others
        raise ConfigurationError(
            f"the kind of {what} {kind!r} cannot be used ({one_line(str(error) or type(error).__name__, 200)})",
            where=points[kind].value,
            next_step="install its package again",
        ) from error
