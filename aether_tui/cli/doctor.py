"""`doctor`: what works here, what does not, and what to do. Nothing is changed and no source is asked."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from aether_tui import __version__
from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import AetherError, CheckFailed, NoData
from aether_tui.report_model import GLYPHS, State
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    state: State
    what: str
    next_step: str = ""


@click.command(short_help="What works here, what does not, and what to do")
@FORMAT
@click.pass_obj
def doctor(context: Context, form: str) -> None:
    """Look at environment, terminal, keyring, workspace, cache and sources. Exit 1 when something is broken."""
    checks = list(look(context))
    if form == "json":
        print_json(
            {"ok": all(check.state != "block" for check in checks), "checks": [asdict(check) for check in checks]}
        )
    else:
        print_table(("", "LOOKED AT", "FOUND"), [(GLYPHS[one.state], one.name, _sentence(one)) for one in checks])
    if broken := [check for check in checks if check.state == "block"]:
        raise CheckFailed(broken[0].what, where=broken[0].name, next_step=broken[0].next_step)


def _sentence(check: Check) -> str:
    return f"{check.what}; {check.next_step}" if check.next_step else check.what


def look(context: Context) -> Iterator[Check]:
    """Every check, in order; later ones need what earlier ones found."""
    yield Check("program", "pass", f"aether-tui {__version__}, Python {platform.python_version()}, {platform.system()}")
    yield _terminal()
    yield _keyring()
    try:
        workspace = context.workspace()
    except AetherError as error:
        yield Check("workspace", "warn", error.what, error.next_step)
        return
    yield from _workspace(workspace)
    try:
        config = context.config()
    except AetherError as error:
        yield Check(
            "aether.toml", "block", f"{error.where}: {error.what}" if error.where else error.what, error.next_step
        )
        return
    yield Check("aether.toml", "pass", f"valid, {len(config.sources)} sources")
    yield from _documents(workspace, config)
    yield from _cache(workspace)
    yield from _sources(workspace, config)


def _terminal() -> Check:
    if not sys.stdout.isatty():
        return Check("terminal", "info", "output is not a terminal; commands work, the console needs one")
    size = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower()
    what = f"{os.environ.get('TERM', 'unknown')}, {size.columns}×{size.lines}, {encoding}"
    if "utf" not in encoding:
        return Check("terminal", "warn", what, "set a UTF-8 locale, such as LANG=C.UTF-8")
    if size.columns < 80 or size.lines < 24:
        return Check("terminal", "warn", what, "make it at least 80×24")
    return Check("terminal", "pass", what)


def _keyring() -> Check:
    from aether_tui.secrets import keyring_name, keyring_problem

    if problem := keyring_problem():
        return Check(
            "keyring", "warn", problem, "credentials come from environment variables; `auth status` names them"
        )
    return Check("keyring", "pass", keyring_name())


def _workspace(workspace: Workspace) -> Iterator[Check]:
    yield Check("workspace", "pass", str(workspace.root))
    hidden = workspace.hidden
    if os.name == "posix" and hidden.is_dir() and stat.S_IMODE(hidden.stat().st_mode) & 0o077:
        yield Check("privacy", "warn", f"{hidden} can be read by others", f"chmod 700 {hidden}")
    if not os.access(workspace.root, os.W_OK):
        yield Check("privacy", "block", f"{workspace.root} cannot be written", "check its permissions")
    free = shutil.disk_usage(workspace.root).free
    if free < 200 << 20:
        yield Check("disk", "warn", f"{free >> 20} MiB free", "make room: a sync needs space beside the cache")


def _documents(workspace: Workspace, config: Config) -> Iterator[Check]:
    from aether_tui.workspace.documents import KINDS, read_documents

    documents = read_documents(workspace, config)
    count = sum(len(documents.of(KINDS[name])) for name in KINDS)
    if documents.problems:
        yield Check("documents", "block", documents.problems[0].sentence(), "`aether-tui doc validate` lists all")
    else:
        yield Check("documents", "pass", f"{count} valid")


_COUNTED_TWICE = """
SELECT account, any_value(sources) AS sources FROM (
  SELECT account, billing_start, string_agg(DISTINCT source, ' and ' ORDER BY source) AS sources FROM costs
  WHERE account IS NOT NULL GROUP BY ALL HAVING count(DISTINCT source) > 1
) GROUP BY account ORDER BY account LIMIT 5
"""
"""Accounts of which two sources tell the same month: an export and Cost Explorer, say."""


def _cache(workspace: Workspace) -> Iterator[Check]:
    from aether_tui.cache import Cache

    cache = Cache(workspace.cache_path)
    if not cache.exists():
        yield Check("cache", "info", "nothing pulled yet", "`aether-tui sync` or `aether-tui load PATH…`")
        return
    try:
        with cache.read() as lease:
            size = workspace.cache_path.stat().st_size
            twice = lease.rows(_COUNTED_TWICE)
        yield Check("cache", "pass", f"opens, {size / 1e6:.1f} MB")
        for row in twice:
            what = f"account {one_line(str(row['account']), 40)} is billed by {one_line(str(row['sources']), 80)}: counted twice"
            yield Check(
                "costs", "warn", what, "disable one of them, then `aether-tui cache reset`, and sync and load again"
            )
    except NoData as error:
        yield Check("cache", "info", error.what, error.next_step)
    except AetherError as error:
        yield Check("cache", "block", error.what, error.next_step)


def _sources(workspace: Workspace, config: Config) -> Iterator[Check]:
    from aether_tui.cli.sources import connector, is_replayed, kind_of, source_problems
    from aether_tui.secrets import find_secret, variable
    from aether_tui.sync.registry import passed_over

    for sentence in passed_over():
        yield Check("connectors", "warn", sentence, "install one of the two, or rename the kind of your own")
    wrong = {problem.key.split(".")[1]: problem for problem in source_problems(config, {})}
    for name in config.sources:
        if name in wrong:
            problem = wrong[name]
            key = problem.key.removeprefix(f"sources.{name}").removeprefix(".")
            what = f"{key} {problem.what}" if key else problem.what
            yield Check(name, "block", what, problem.fix or "`aether-tui config validate`")
            continue
        kind = kind_of(config, name)
        settings = connector(kind).Settings.model_validate(config.sources[name].model_dump())
        wanted = connector(kind).SECRETS if getattr(settings, "needs_secrets", True) else ()
        missing = [one for one in wanted if not find_secret(name, one, workspace)]
        if is_replayed(config, name):
            yield Check(name, "pass", f"{kind} source, answers from recordings")
        elif missing:
            fix = f"`aether-tui auth set {name}`, or set {variable(name, missing[0])}"
            yield Check(name, "warn", f"{kind} source without {missing[0]}", fix)
        else:
            found = "credentials found" if wanted else "no credential of ours needed"
            yield Check(name, "pass", f"{kind} source, {found}; `aether-tui auth status {name}` tries them")
