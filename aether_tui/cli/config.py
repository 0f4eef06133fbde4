"""`config`: which file, each value with where it came from, what is wrong with it, the schema."""

from __future__ import annotations

import json

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError
from aether_tui.problems import Problem, raise_first


@click.group(short_help="Show, check and explain the configuration")
def config() -> None:
    """Show, check and explain aether.toml."""


@config.command()
@click.pass_obj
def path(context: Context) -> None:
    """Print where aether.toml is."""
    click.echo(context.workspace().config_path)


@config.command()
@FORMAT
@click.pass_obj
def show(context: Context, form: str) -> None:
    """Print every value and where it came from. Secrets are never shown."""
    from aether_tui.config_file import read_config, settings

    workspace = context.workspace()
    loaded = read_config(workspace)
    raise_first(loaded.problems)
    found = settings(loaded)
    if form == "json":
        values = [{"key": item.key, "value": item.value, "origin": item.origin} for item in found]
        print_json({"file": str(workspace.config_path), "values": values})
        return
    rows = [(item.key, json.dumps(item.value, ensure_ascii=False), item.origin) for item in found]
    print_table(("KEY", "VALUE", "FROM"), rows)


@config.command()
@FORMAT
@click.pass_obj
def validate(context: Context, form: str) -> None:
    """Check aether.toml and every [sources] table against its connector. Exit 2 when something is wrong."""
    from aether_tui.cli.sources import source_problems
    from aether_tui.config_file import read_config

    loaded = read_config(context.workspace())
    problems = [*loaded.problems, *(source_problems(loaded.config, loaded.lines) if loaded.config else [])]
    if form == "json":
        print_json({"valid": not problems, "problems": [_plain(problem) for problem in problems]})
    elif not problems:
        click.echo("aether.toml is valid")
    elif len(problems) > 1:
        for problem in problems:
            click.echo(problem.sentence())
        raise ConfigurationError(
            f"{len(problems)} problems, first: {problems[0].what}", where=problems[0].where, next_step=problems[0].fix
        )
    raise_first(problems)


@config.command()
def schema() -> None:
    """Print the JSON Schema of aether.toml, for editors."""
    from aether_tui.config import Config

    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()})


def _plain(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "problem": problem.what,
        "fix": problem.fix,
    }
