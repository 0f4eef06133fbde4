"""`init`: make a workspace. Nothing that is there is changed."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.git import merge_by_field

AETHER_TOML = """\
# One engagement. Every key with its meaning: config.example.toml in the source tree, or `aether-tui config schema`.
# Check this file with `aether-tui config validate`; see where values come from with `aether-tui config show`.

[engagement]
name = {name}
currency = "USD"

# Sources: switch on what this engagement has, then `aether-tui auth set NAME` and `aether-tui sync`.
# Credentials never stand here: they are in the system keyring, or in environment variables.

#[sources.linear]

#[sources.jira]
#url = "https://acme.atlassian.net"
#email = "ops@acme.example"

#[sources.github]
#repos = ["acme/assist-api"]

#[sources.amplitude]
#region = "us"
"""

GITIGNORE = """\
# aether-tui: cache, state and logs. They can always be rebuilt; documents and budgets belong in git.
.aether/
"""

NEXT = """\
  aether-tui load PATH…    costs (FOCUS), traces (OTLP, Langfuse), test reports (JUnit), cost estimates (Infracost)
  aether-tui sync          after switching a source on in aether.toml and `aether-tui auth set SOURCE`
  aether-tui               opens the console; it says what can be done without data, too"""


@click.command(short_help="Make a workspace")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@click.option("--name", help="Name of the engagement (default: the folder's name).")
@click.option("--budgets-only", is_flag=True, help="Write optimization/budgets.yaml and nothing else.")
@click.pass_obj
def init(context: Context, folder: Path | None, name: str | None, budgets_only: bool) -> None:
    """Make a workspace in DIR (default: that of -w, else here): aether.toml, optimization/budgets.yaml, benchmarks/, .gitignore.

    Nothing that is there already is changed.
    """
    workspace = Workspace((folder or context.workspace_flag or Path()).resolve())
    plan = {workspace.budgets_path: files("aether_tui.budgets").joinpath("default.yaml").read_text(encoding="utf-8")}
    if not budgets_only:
        title = name or workspace.root.name or "engagement"
        plan[workspace.config_path] = AETHER_TOML.format(name=json.dumps(title, ensure_ascii=False))
        plan[workspace.root / ".gitignore"] = GITIGNORE
    try:
        kept = _write(workspace, plan, budgets_only=budgets_only)
    except OSError as error:
        where = str(error.filename or workspace.root)
        raise ConfigurationError(
            f"cannot be made: {error.strerror}", where=where, next_step="choose another folder"
        ) from error
    for path in plan:
        click.echo(f"{'kept' if path in kept else 'made'} {path.relative_to(workspace.root)}", err=True)
    if budgets_only:
        click.echo(
            "next: `aether-tui budget init REPORT… --write` sets limits that what you measure today keeps;", err=True
        )
        click.echo("      `aether-tui budget check REPORT…` compares reports with them", err=True)
        return
    merge_by_field(workspace.root)
    if workspace.root != Path.cwd():
        click.echo(f"next: cd {folder}", err=True)
    click.echo(NEXT, err=True)


def _write(workspace: Workspace, plan: dict[Path, str], *, budgets_only: bool) -> set[Path]:
    """Make folders and the files of `plan` that are not there; returns those that were."""
    if not budgets_only:
        for folder in (workspace.root, workspace.baselines, workspace.engagement):
            folder.mkdir(parents=True, exist_ok=True)
        workspace.private()
    kept = set()
    for path, text in plan.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            kept.add(path)
    return kept
