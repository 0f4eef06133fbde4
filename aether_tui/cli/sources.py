"""What commands need of connectors: the class behind a `[sources]` table, and what it says against the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aether_tui.errors import ConfigurationError
from aether_tui.problems import Lines, Problem, dotted, line_of, nearest
from aether_tui.sync.registry import connector, connector_names
from aether_tui.workspace.folder import CONFIG_NAME

if TYPE_CHECKING:
    from aether_tui.config import Config

__all__ = ["connector", "is_replayed", "kind_of", "source_problems"]


def kind_of(config: Config, name: str) -> str:
    """The connector kind of a source: its `kind`, else its own name. Raises ConfigurationError for an unknown source."""
    if name in config.sources:
        return config.sources[name].kind or name
    known = connector_names()
    if name in known:
        return name
    near = nearest(name, [*config.sources, *known])
    fix = f"did you mean {near!r}?" if near else f"add [sources.{name}] to {CONFIG_NAME}"
    raise ConfigurationError(f"no source {name!r}", where=CONFIG_NAME, next_step=fix)


def is_replayed(config: Config, name: str) -> bool:
    """Whether the source answers from recordings, and so needs no credential."""
    extra = config.sources[name].model_extra if name in config.sources else None
    return str((extra or {}).get("url", "")).startswith("replay:")


def source_problems(config: Config, lines: Lines) -> list[Problem]:
    """What the connectors say against their tables."""
    return list(_problems(config, lines))


def _problems(config: Config, lines: Lines) -> Iterator[Problem]:
    from aether_tui.config_file import check_source

    known = connector_names()
    for name in config.sources:
        kind = kind_of(config, name)
        loc = ("sources", name, "kind")
        if kind in known:
            try:
                found = connector(kind)
            except ConfigurationError as error:
                yield Problem(CONFIG_NAME, error.what, dotted(loc), line_of(lines, loc), error.next_step)
            else:
                yield from check_source(config, name, found.Settings, lines)
            continue
        near = nearest(kind, known)
        fix = f"did you mean {near!r}?" if near else f"connectors are {', '.join(known)}"
        yield Problem(CONFIG_NAME, f"no connector {kind!r}", dotted(loc), line_of(lines, loc), fix)
