"""What commands need of connectors: the class behind a `[sources]` table, its settings, its secrets."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from aether_tui.errors import ConfigurationError
from aether_tui.problems import Lines, Problem, dotted, line_of, nearest
from aether_tui.workspace.folder import CONFIG_NAME

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.records.source import Source


def connectors() -> dict[str, EntryPoint]:
    """Installed connectors by kind, none of them imported."""
    return {point.name: point for point in entry_points(group="aether_tui.connectors")}


def kind_of(config: Config, name: str) -> str:
    """The connector kind of a source: its `kind`, else its own name. Raises ConfigurationError for an unknown source."""
    if name in config.sources:
        return config.sources[name].kind or name
    if name in connectors():
        return name
    near = nearest(name, [*config.sources, *connectors()])
    fix = f"did you mean {near!r}?" if near else f"add [sources.{name}] to {CONFIG_NAME}"
    raise ConfigurationError(f"no source {name!r}", where=CONFIG_NAME, next_step=fix)


def connector(kind: str) -> type[Source]:
    """The connector's class. Raises ConfigurationError when none of that kind is installed."""
    known = connectors()
    if kind not in known:
        raise ConfigurationError(f"no connector {kind!r}", next_step=_known(kind, known))
    return cast("type[Source]", known[kind].load())


def is_replayed(config: Config, name: str) -> bool:
    """Whether the source answers from recordings, and so needs no credential."""
    extra = config.sources[name].model_extra if name in config.sources else None
    return str((extra or {}).get("url", "")).startswith("replay:")


def source_problems(config: Config, lines: Lines) -> list[Problem]:
    """What the connectors say against their tables."""
    return list(_problems(config, lines))


def _problems(config: Config, lines: Lines) -> Iterator[Problem]:
    from aether_tui.config_file import check_source

    known = connectors()
    for name in config.sources:
        kind = kind_of(config, name)
        if kind in known:
            yield from check_source(config, name, connector(kind).Settings, lines)
        else:
            loc = ("sources", name, "kind")
            yield Problem(CONFIG_NAME, f"no connector {kind!r}", dotted(loc), line_of(lines, loc), _known(kind, known))


def _known(kind: str, known: dict[str, EntryPoint]) -> str:
    near = nearest(kind, known)
    return f"did you mean {near!r}?" if near else f"connectors are {', '.join(sorted(known))}"
