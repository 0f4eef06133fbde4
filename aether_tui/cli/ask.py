"""`ask`: the letter that asks a client for access: per source what is needed, what is read, and what it unlocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import format_option, print_json
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.records.model import Table
    from aether_tui.records.source import Access

    Handed = tuple[Access, Sequence[Table]]


@dataclass(frozen=True, slots=True)
class Unlocked:
    """One stream of a source: the tables it fills, and the numbers that reports make of them."""

    stream: str
    tables: tuple[str, ...]
    unlocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One source of the letter."""

    source: str
    kind: str
    credential: str
    permissions: tuple[str, ...]
    reads: tuple[str, ...]
    leaves: tuple[str, ...]
    drops: tuple[str, ...]
    unlocks: tuple[str, ...]
    streams: tuple[Unlocked, ...]


@click.command()
@click.argument("sources", nargs=-1)
@format_option("text", "md", "json")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file instead.")
@click.pass_obj
def ask(context: Context, sources: tuple[str, ...], form: str, output: Path | None) -> None:
    """Print the letter that asks a client for access to SOURCES.

    Without names: the sources of aether.toml, or every kind of source and of file there is. Nothing is contacted.
    """
    config = _config(context)
    asked = []
    for name, kind in _named(config, sources):
        try:
            asked.append(_asked(name, kind))
        except ConfigurationError as error:
            if name in sources:
                raise
            click.echo(f"{name} is left out: {error.sentence()}", err=True)
    if form == "json":
        print_json([asdict(one) for one in asked])
        return
    client = config.engagement.client if config else ""
    text = letter(asked, client, markdown=form == "md")
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(f"wrote {output}", err=True)


def _config(context: Context) -> Config | None:
    """The workspace's configuration; None where there is no workspace and none was named."""
    try:
        context.workspace()
    except ConfigurationError:
        if context.workspace_flag is not None:
            raise
        return None
    return context.config()


def _named(config: Config | None, sources: Sequence[str]) -> list[tuple[str, str]]:
    """Names of sources with their kinds; a name that is neither configured nor a kind is refused."""
    from aether_tui.problems import nearest
    from aether_tui.sync.registry import connector_names

    known = [*connector_names(), *_files()]
    configured = {name: settings.kind or name for name, settings in (config.sources if config else {}).items()}
    for name in sources:
        if name not in configured and name not in known:
            near = nearest(name, [*configured, *known])
            raise ConfigurationError(
                f"no source {name!r}" + (f", did you mean {near!r}?" if near else ""),
                next_step=f"there are {', '.join(known)}",
            )
    chosen = sources or tuple(configured) or tuple(known)
    return [(name, configured.get(name, name)) for name in chosen]


def _files() -> dict[str, Handed]:
    """Kinds of files that a client is asked for."""
    from aether_tui.sync.registry import file_kinds

    kinds = file_kinds(lambda sentence: click.echo(sentence, err=True))
    told = ((kind.kind, getattr(kind, "access", None), getattr(kind, "tables", ())) for kind in kinds)
    return {name: (access, tables) for name, access, tables in told if access is not None}


def _asked(name: str, kind: str) -> Asked:
    from aether_tui.sync.registry import connector, connector_names

    files = {} if kind in connector_names() else _files()
    if kind in files:
        access, tables = files[kind]
        streams = [_unlocked("files", tables)]
    else:
        source = connector(kind)
        access, streams = source.access, [_unlocked(one.name, one.tables) for one in source.streams]
    every = tuple(dict.fromkeys(words for stream in streams for words in stream.unlocks))
    return Asked(
        name,
        kind,
        access.credential,
        access.permissions,
        access.reads,
        access.leaves,
        access.drops,
        every,
        tuple(streams),
    )


def _unlocked(stream: str, filled: Sequence[Table]) -> Unlocked:
    """What the tables that a stream fills give, in the words of the empty screens."""
    from aether_tui.diagnostics.needs import unlocked

    tables = tuple(table.name for table in filled)
    return Unlocked(stream, tables, tuple(words for table in tables if (words := unlocked(table))))


def letter(asked: Sequence[Asked], client: str, *, markdown: bool) -> str:
    """The letter as Markdown, or as plain text of 80 columns."""
    to = f" to {client}" if client else ""
    lines = [
        f"# Access we ask for{to}",
        "",
        "We read, and never write. What is read stays on one machine, in a local file that can be deleted at any time. Before "
        "anything is stored, e-mail addresses, phone and card numbers, keys and passwords are replaced and people become keyed "
        "hashes. Please send credentials by a channel for secrets, not by mail; they are kept in the system keyring.",
    ]
    for one in asked:
        lines += ["", f"## {one.source}" + (f" ({one.kind})" if one.kind != one.source else ""), ""]
        lines += [f"- **Please give us**: {one.credential}"]
        lines += [f"- **Permissions, and no more**: {'; '.join(one.permissions)}"]
        lines += [f"- **We read**: {'; '.join(one.reads)}"]
        if one.leaves:
            lines += [f"- **We leave where they are**: {'; '.join(one.leaves)}"]
        if one.drops:
            lines += [f"- **Comes along, and is not stored**: {'; '.join(one.drops)}"]
        told: dict[tuple[str, ...], str] = {}
        for stream in one.streams:
            name, same = stream.stream.replace("_", " ").capitalize(), told.get(stream.unlocks)
            told.setdefault(stream.unlocks, name.lower())
            lines += [f"- **{name} give**: {f'the same as {same}' if same else '; '.join(stream.unlocks)}"]
    text = "\n".join(lines) + "\n"
    return text if markdown else _plain(text)


def _plain(text: str) -> str:
    """Headings in capitals, no markup, wrapped."""
    import textwrap

    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("#"):
            lines.append(line.lstrip("# ").upper())
        else:
            indent = "  " if line.startswith("- ") else ""
            lines += textwrap.wrap(line.replace("**", ""), 80, subsequent_indent=indent) or [""]
    return "\n".join(lines) + "\n"
