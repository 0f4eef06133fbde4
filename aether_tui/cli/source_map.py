"""`sources map`: the words a tracker or host uses that nothing maps yet, with a proposal to paste into aether.toml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json
from aether_tui.cli.source_words import STATES, Said, said
from aether_tui.errors import ConfigurationError
from aether_tui.human import plural

if TYPE_CHECKING:
    from aether_tui.config import Config


@dataclass(frozen=True, slots=True)
class Word:
    """A state with what it is mapped to, and what its words suggest where it is not."""

    state: str
    items: int
    category: str | None
    phase: str | None
    proposed_category: str | None
    proposed_phase: str | None

    @property
    def dropped(self) -> bool:
        """Whether it means that the item was given up, which is no phase."""
        return "cancelled" in {self.category, self.proposed_category}


@click.group(short_help="What sources say, and how it is mapped")
def sources() -> None:
    """What sources say, and how it is mapped to our words."""


@sources.command(name="map")
@click.argument("source", required=False)
@FORMAT
@click.pass_obj
def map_(context: Context, source: str | None, form: str) -> None:
    """Propose a mapping for what SOURCE (default: every tracker and host) says and nobody mapped, as TOML to paste.

    States get a category and a lifecycle phase (the tracker's own category goes before the words of a state), types, labels,
    repositories and environments what their words suggest, in a dozen languages. Of a named Jira the custom fields whose names
    say what they hold are asked for and proposed, too (not with --offline).
    Nothing is changed: a mapping is a decision. Afterwards the cache is derived again by the next sync or load, offline.
    """
    from aether_tui.cache import Cache
    from aether_tui.errors import NoData

    config = context.config()
    if source is not None and source not in config.sources:
        raise ConfigurationError(
            f"no source {source!r} in aether.toml", next_step=f"there are {', '.join(config.sources)}"
        )
    fields = _fields(context, config, source) if source is not None and form == "text" else []
    words: list[Word] = []
    others: list[Said] = []
    try:
        with Cache(context.workspace().cache_path).read() as lease:
            asked = {"source": source}
            words = [_word(row) for row in lease.rows(STATES, asked)]
            others = list(said(lambda sql: lease.rows(sql, asked), config.mapping))
    except NoData:
        if not fields:
            raise
    if form == "json":
        print_json({"states": [asdict(one) for one in words], "words": [asdict(one) for one in others]})
        return
    text = "\n\n".join(filter(None, ("\n".join(fields), proposal(words), sections(others))))
    click.echo(text or "# everything that was seen is mapped")
    left = [one.state for one in words if one.category is None and one.proposed_category is None]
    if left:
        click.echo(f"no word suggests a category for: {', '.join(left)}", err=True)


def _fields(context: Context, config: Config, source: str) -> list[str]:
    """TOML lines of the custom fields that a source proposes, where it can; what stands in the way is told."""
    import asyncio

    from aether_tui.records.source import SourceError
    from aether_tui.sync.plan import plan
    from aether_tui.text import one_line

    try:
        (job,) = plan(config, context.workspace(), [source], now=context.now, offline=context.offline)
    except ConfigurationError as error:
        click.echo(f"fields of {source} were not asked for: {error.sentence()}", err=True)
        return []
    if not hasattr(job.connector, "field_proposal"):
        return []

    async def ask() -> list[str]:
        opened = job.connect()
        try:
            found: list[str] = await getattr(opened, "field_proposal")()  # noqa: B009  # an optional method
            return found
        finally:
            await opened.close()

    try:
        return asyncio.run(ask())
    except SourceError as error:
        click.echo(f"fields of {source} were not asked for: {one_line(error.what, 300)}", err=True)
        return []


def _word(row: Mapping[str, object]) -> Word:
    from aether_tui.config import Category
    from aether_tui.ingest import propose

    state = str(row["state"])
    category, phase = (str(value) if (value := row[name]) is not None else None for name in ("category", "phase"))
    items = row["items"]
    known = next((one for one in get_args(Category) if one == category), propose.category(state))
    return Word(
        state,
        items if isinstance(items, int) else 0,
        category,
        phase,
        None if category else propose.category(state),
        None if phase else propose.phase(state, known),
    )


def proposal(words: Sequence[Word]) -> str:
    """TOML of what is proposed; a state without a proposal stands as a comment, so that nobody overlooks it."""
    lines: list[str] = []
    states = [(one, one.proposed_category) for one in words if one.category is None]
    phases = [(one, one.proposed_phase) for one in words if one.phase is None and not one.dropped]
    for table, open_ in (("states", states), ("phases", phases)):
        if open_:
            lines += ["", f"[mapping.{table}]", *(_line(one, to) for one, to in open_)]
    return "\n".join(lines).lstrip("\n")


def sections(others: Sequence[Said]) -> str:
    """TOML of what else is proposed, table by table; a word is mapped once."""
    lines: list[str] = []
    for table in dict.fromkeys(one.table for one in others):
        seen: dict[str, Said] = {}
        for one in others:
            if one.table == table:
                seen.setdefault(one.word.casefold(), one)
        told = [(one, f"{plural(one.rows, 'row')}{f', {one.because}' if one.because else ''}") for one in seen.values()]
        lines += ["", f"[mapping.{table}]", *(_entry(one.word, one.proposed, why) for one, why in told)]
    return "\n".join(lines).lstrip("\n")


def _line(word: Word, to: str | None) -> str:
    return _entry(word.state, to, plural(word.items, "item"))


def _entry(word: str, to: str | None, why: str) -> str:
    return f"{_quoted(word)} = {_quoted(to)}  # {why}" if to else f"# {_quoted(word)} = ?  # {why}"


def _quoted(text: str) -> str:
    """A basic TOML string."""
    import json

    return json.dumps(text, ensure_ascii=False)
