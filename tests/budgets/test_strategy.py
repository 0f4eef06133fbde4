"""The table of docs/strategy.md names commands and options that exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from aether_tui.cli import cli

TEXT = (Path(__file__).parents[2] / "docs" / "strategy.md").read_text(encoding="utf-8")
COMMANDS = [row.split("|")[2].strip().strip("`").split() for row in TEXT.splitlines() if "| `aether-tui " in row]


def command(words: list[str]) -> tuple[click.Command, list[str]]:
    found: click.Command = cli
    rest = words[1:]
    while isinstance(found, click.Group):
        context = click.Context(found)
        inner = found.get_command(context, rest[0])
        assert inner is not None, (words, rest[0])
        found, rest = inner, rest[1:]
    return found, rest


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_of_the_table_exists_with_its_options(words: list[str]) -> None:
    found, rest = command(words)
    options = {name for parameter in found.params for name in parameter.opts}
    before = rest[: rest.index("--")] if "--" in rest else rest
    assert {word for word in before if word.startswith("--")} <= options
    if found.name == "measure":
        (surface,) = [parameter for parameter in found.params if parameter.name == "surface"]
        assert isinstance(surface.type, click.Choice)
        assert rest[0] in surface.type.choices


def test_the_table_covers_the_strategy() -> None:
    assert len(COMMANDS) >= 14
    for item in ("measure-ci", "estimate-cost", "count-tokens", "compare", "Infracost on pull requests", "end-to-end"):
        assert re.search(item, TEXT)
