"""`auth`: credentials into the system keyring, and whether they work."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.cli.sources import connector, is_replayed, kind_of
from aether_tui.errors import CheckFailed, ConfigurationError, SourceFailed
from aether_tui.problems import nearest

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.records.source import Source

ENDPOINTS = ("replay", "embeddings")
"""Tables of `aether.toml` that name an endpoint that is asked only by a command, and have a key."""
Result = Literal["works", "missing", "failed", "unchecked"]
_GLYPH: dict[Result, str] = {"works": "✓", "missing": "▲", "failed": "■", "unchecked": "·"}


@dataclass(frozen=True, slots=True)
class Credential:
    """Where one credential is: `found` is None when it is nowhere."""

    name: str
    found: Literal["environment", "keyring"] | None
    place: str
    variable: str


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The credentials of one source, and what its cheap call answered."""

    source: str
    kind: str
    credentials: tuple[Credential, ...]
    result: Result
    check: str
    hint: str = ""


@click.group(short_help="Keep credentials in the system keyring")
def auth() -> None:
    """Keep credentials in the system keyring. They are never taken from an argument and never shown."""


@auth.command(name="set")
@click.argument("source")
@click.argument("name", required=False)
@click.pass_obj
def set_(context: Context, source: str, name: str | None) -> None:
    """Ask for the credentials of SOURCE (hidden), or read one from stdin, and keep them.

    NAME picks one when a source has several.
    """
    from aether_tui.secrets import NoKeyring, keyring_problem, store_secret, variable

    workspace = context.workspace()
    names = _names(context.config(), source, name)
    if problem := keyring_problem():  # before a secret is typed for nothing
        variables = ", ".join(variable(source, one) for one in names)
        raise NoKeyring(problem, next_step=f"set the environment variable {variables} instead")
    terminal = sys.stdin.isatty()
    if len(names) > 1 and not terminal:
        raise ConfigurationError(f"{source} has {len(names)} credentials", next_step=f"name one of {', '.join(names)}")
    for one in names:
        ask = f"{source} {one}"
        value = click.prompt(ask, hide_input=True, err=True) if terminal else sys.stdin.read().rstrip("\r\n")
        if not value.strip():
            raise ConfigurationError("nothing was given", where=f"{source} {one}", next_step="type it, or pipe it in")
        service = store_secret(source, one, value, workspace)
        click.echo(f"kept {source} {one} in the keyring ({service})", err=True)


@auth.command()
@click.argument("sources", nargs=-1)
@FORMAT
@click.pass_obj
def status(context: Context, sources: tuple[str, ...], form: str) -> None:
    """Say where each credential is, and prove it with one cheap call (not with --offline).

    Exit 1 when one is missing, 4 when a source could not be reached or refused us.
    """
    config = context.config()
    asked = tuple(name for name in ENDPOINTS if getattr(config, name).url)
    found = [_status(context, config, name) for name in sources or (*config.sources, *asked)]
    if form == "json":
        print_json([asdict(one) for one in found])
    elif not found:
        click.echo("no source in aether.toml yet", err=True)
    else:
        rows = [
            (f"{_GLYPH[one.result]} {one.source}", credential.name, credential.place, one.check)
            for one in found
            for credential in one.credentials
            or (Credential("—", None, "—" if one.result == "failed" else "needs none", ""),)
        ]
        print_table(("SOURCE", "CREDENTIAL", "WHERE", "CHECK"), rows)
    for one in found:
        if one.result == "failed":
            raise SourceFailed(one.check, where=one.source, next_step=one.hint or f"`aether-tui auth set {one.source}`")
    for one in found:
        if one.result == "missing":
            raise CheckFailed(one.check, where=one.source, next_step=one.hint)


@auth.command()
@click.argument("source")
@click.argument("name", required=False)
@click.pass_obj
def remove(context: Context, source: str, name: str | None) -> None:
    """Remove the credentials of SOURCE from the keyring."""
    from aether_tui.secrets import remove_secret

    workspace = context.workspace()
    for one in _names(context.config(), source, name):
        gone = remove_secret(source, one, workspace)
        click.echo(f"{'removed' if gone else 'not in the keyring:'} {source} {one}", err=True)


def _names(config: Config, source: str, name: str | None) -> tuple[str, ...]:
    """The credentials of a source, or the one asked for. Raises ConfigurationError for unknown names."""
    known = ("api_key",) if source in ENDPOINTS else connector(kind_of(config, source)).SECRETS
    if name is None or name in known:
        return (name,) if name else known
    near = nearest(name, known)
    fix = f"did you mean {near!r}?" if near else f"it has {', '.join(known) or 'none'}"
    raise ConfigurationError(f"{source} has no credential {name!r}", next_step=fix)


def _status(context: Context, config: Config, name: str) -> SourceStatus:
    from aether_tui.secrets import find_secret, variable

    workspace = context.workspace()
    endpoint = name in ENDPOINTS
    kind = "openai" if endpoint else kind_of(config, name)
    try:
        source = None if endpoint else connector(kind)
    except ConfigurationError as error:
        return SourceStatus(name, kind, (), "failed", error.what, error.next_step)
    needless = _is_local(config, name) if endpoint else is_replayed(config, name)
    credentials, values = [], {}
    for one in ("api_key",) if source is None else source.SECRETS:
        found = find_secret(name, one, workspace)
        place = found.place if found else "not needed" if needless else "nowhere"
        credentials.append(Credential(one, found.origin if found else None, place, variable(name, one)))
        if found:
            values[one] = found.value
    missing = [one for one in credentials if one.found is None]
    result: Result
    hint = ""
    if missing and not needless:
        result, check = "missing", f"no {missing[0].name}"
        hint = f"`aether-tui auth set {name}`, or set the environment variable {missing[0].variable}"
    elif context.offline:
        result, check = "unchecked", "not asked (offline)"
    else:
        result, check, hint = _check(source, config, name, values, context)
    return SourceStatus(name, kind, tuple(credentials), result, check, hint)


def _is_local(config: Config, name: str) -> bool:
    from connectors.openai import is_local

    return is_local(getattr(config, name).url)


def _check(
    source: type[Source] | None, config: Config, name: str, values: dict[str, str], context: Context
) -> tuple[Result, str, str]:
    """What the source answers to its cheapest call."""
    from pydantic import ValidationError

    from aether_tui.records.source import Network
    from aether_tui.sync.engine import mistake

    async def ask() -> str:
        if source is None:
            return await _ask_endpoint(config, name, values, context)
        settings = source.Settings.model_validate(config.sources[name].model_dump() if name in config.sources else {})
        network = Network(root=context.workspace().root, deadline_s=30.0, source=name, needs=source.access.permissions)
        opened = source(settings, values, network)
        try:
            return await opened.check()
        finally:
            await opened.close()

    try:
        return "works", asyncio.run(ask()), ""
    except ValidationError:
        return "failed", "its settings are not valid", "`aether-tui config validate` says what is wrong"
    except Exception as error:  # a connector of a third party may raise anything; it must not stop the others
        return "failed", *mistake(error)


async def _ask_endpoint(config: Config, name: str, values: dict[str, str], context: Context) -> str:
    """Whether an endpoint lists its models to us: the one call that costs nothing."""
    from aether_tui.records.source import Network
    from connectors.openai import Endpoint

    settings = config.replay if name == "replay" else config.embeddings
    network = Network(root=context.workspace().root, deadline_s=30.0, source=name)
    opened = Endpoint(settings.url, network, values.get("api_key", ""), ca_bundle=settings.ca_bundle, timeout_s=30.0)
    try:
        return await opened.check()
    finally:
        await opened.close()
