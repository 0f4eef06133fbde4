"""Which sources a sync pulls: their connectors, validated settings and credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ValidationError

from aether_tui.config import Config
from aether_tui.errors import ConfigurationError
from aether_tui.problems import explain, nearest, raise_first
from aether_tui.records.source import Network, Source, Stream
from aether_tui.secrets import find_secret
from aether_tui.sync import registry
from aether_tui.workspace.folder import CONFIG_NAME, Workspace


@dataclass(frozen=True, slots=True)
class Job:
    """One source ready to be pulled. Credentials are not part of `repr`."""

    name: str
    connector: type[Source]
    settings: BaseModel
    network: Network
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What it is asked for, in order; what its settings leave empty or off is not."""
        wanted = self.connector.streams
        return tuple(one for one in wanted if not one.setting or getattr(self.settings, one.setting))

    def connect(self) -> Source:
        """The connector, built."""
        return self.connector(self.settings, self.secrets, self.network)


def plan(
    config: Config,
    workspace: Workspace,
    names: Sequence[str] = (),
    *,
    now: Callable[[], datetime],
    offline: bool = False,
    find: Callable[[str], type[Source]] = registry.connector,
    left: dict[str, ConfigurationError] | None = None,
) -> list[Job]:
    """A job per named source, or per enabled one; with `left`, those whose connector cannot be used are put there instead.

    Raises ConfigurationError for an unknown source, kind or key, and when there is nothing to pull.
    """
    for name in names:
        if name not in config.sources:
            raise _unknown(name, config)
    chosen = list(dict.fromkeys(names)) or [name for name, source in config.sources.items() if source.enabled]
    if not chosen:
        every = "every source is disabled" if config.sources else "no source is configured"
        raise ConfigurationError(
            every,
            where=CONFIG_NAME,
            next_step="add a [sources.NAME] table (config.example.toml shows them), or load files: `aether-tui load PATH`",
        )
    jobs = []
    for name in chosen:
        network = Network(offline=offline, root=workspace.root, source=name, now=now)
        try:
            connector = _connector(name, config, find)
        except ConfigurationError as error:
            if left is None or len(left) + 1 == len(chosen):
                raise
            left[name] = error
        else:
            jobs.append(_job(name, config, workspace, connector, network))
    return jobs


def _unknown(name: str, config: Config) -> ConfigurationError:
    near = nearest(name, config.sources)
    known = ", ".join(config.sources) or "none"
    hint = f"did you mean {near!r}? " if near else ""
    return ConfigurationError(
        f"no source is called {name!r}", where=CONFIG_NAME, next_step=f"{hint}configured are: {known}"
    )


def _connector(name: str, config: Config, find: Callable[[str], type[Source]]) -> type[Source]:
    source = config.sources[name]
    try:
        return find(source.kind or name)
    except ConfigurationError as error:
        key = "kind" if source.kind else ""
        known = bool(key or error.where)  # there is such a kind, or it was asked for by name
        raise ConfigurationError(
            error.what,
            where=f"{CONFIG_NAME}: sources.{name}{'.' if key else ''}{key}",
            next_step=error.next_step if known else f'give it a kind = "…": {error.next_step}',
        ) from error


def _job(name: str, config: Config, workspace: Workspace, connector: type[Source], network: Network) -> Job:
    source = config.sources[name]
    try:
        settings = connector.Settings.model_validate(source.model_dump())
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), connector.Settings, CONFIG_NAME, {}, ("sources", name)))
        raise
    network.needs = connector.access.permissions
    secrets = {secret: found.value for secret in connector.SECRETS if (found := find_secret(name, secret, workspace))}
    return Job(name, connector, settings, network, secrets)
