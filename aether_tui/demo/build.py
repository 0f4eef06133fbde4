"""Builds the demonstration: writes what its sources would say, then pulls and loads it the way real data come in."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.config_file import load_config
from aether_tui.demo import (
    amplitude,
    costs,
    github,
    jira,
    linear,
    papers,
    plans,
    releases,
    requests,
    suites,
    traces,
    work,
)
from aether_tui.demo.settings import aether_toml
from aether_tui.demo.world import GENERATOR, REVIEW_DAYS, SEED, World
from aether_tui.diagnostics import frozen
from aether_tui.diagnostics.frame import Clock
from aether_tui.errors import ConfigurationError
from aether_tui.ingest import Ingest
from aether_tui.ingest.people import key_path
from aether_tui.sync import engine, registry
from aether_tui.sync.intake import Writer
from aether_tui.sync.loading import load
from aether_tui.sync.plan import plan
from aether_tui.workspace import reviews
from aether_tui.workspace.folder import CONFIG_NAME, Workspace

MARKER = "demo.json"
"""Says that a folder is a demonstration, of which generator and of which day; the day is null until it is finished."""

_OURS = (CONFIG_NAME, ".gitignore", "recordings", "files", "engagement", "optimization", "benchmarks")
"""What a build writes, and removes before it writes again; whatever else is in the folder stays."""
_MONTHLY = """
  # Model calls of a whole month, from traces: burn and forecast are live.
  - id: llm.month.cost
    surface: llm
    metric: model.monthly
    limit: 70 USD/month
    warn: {relative: 5%, min_delta: 5 USD/month}
  - id: llm.month.tokens
    surface: llm
    metric: model.tokens
    limit: 45_000_000 tokens/month
"""
"""Budgets of the demonstration beside the usual ones."""
Tell = Callable[[str], None]


def existing(folder: Path) -> datetime | None:
    """The day (midnight, naive UTC) of a finished demonstration of this generator in `folder`; None when it needs building.

    Raises ConfigurationError for a folder that holds anything else: it is never written to.
    """
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise ConfigurationError("is a file", where=str(folder), next_step="choose another folder with --dir")
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        whole = marker["generator"] == GENERATOR and marker["day"] is not None
        return datetime.fromisoformat(marker["day"]) if whole else None
    except FileNotFoundError:
        if not any(folder.iterdir()):
            return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(
            f"{MARKER} cannot be read ({error})", where=str(folder), next_step="choose another folder with --dir"
        ) from error
    raise ConfigurationError(
        "is not empty and not a demonstration: nothing was changed",
        where=str(folder),
        next_step="choose another folder with --dir",
    )


def claim(folder: Path) -> Workspace:
    """Mark `folder` as a demonstration being built, so that one that is interrupted is built again and not refused.

    Raises ConfigurationError where it cannot be made.
    """
    workspace = Workspace(folder.resolve())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _mark(workspace, None)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be made: {error.strerror}", where=str(folder), next_step="choose another folder with --dir"
        ) from error
    return workspace


def build(workspace: Workspace, now: Callable[[], datetime], tell: Tell) -> None:
    """Make the demonstration as seen at the last midnight (UTC) before `now`, over the one that is there.

    `now` (aware) is the clock of the sync. Raises what sync, load and the store raise.
    """
    world = World(now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None))
    _clear(workspace)
    tell("telling the story of a team that does not exist: 120 days")
    write_sources(world, workspace)
    requests.write(workspace, load_config(workspace), world.today)
    _pull(workspace, now, tell)
    _freeze(workspace, world)
    _mark(workspace, world.today)


def write_sources(world: World, workspace: Workspace) -> None:
    """Everything a demonstration consists of before its first sync: configuration, budgets, documents, recordings, files."""
    root = workspace.root
    for folder in (root, workspace.budgets_path.parent, workspace.baselines):
        folder.mkdir(parents=True, exist_ok=True)
    workspace.config_path.write_text(aether_toml(world), encoding="utf-8")
    (root / ".gitignore").write_text(".aether/\n", encoding="utf-8")
    budgets = files("aether_tui.budgets").joinpath("default.yaml").read_text(encoding="utf-8")
    workspace.budgets_path.write_text(budgets + _MONTHLY, encoding="utf-8")
    # Made-up people need no secret: the same key everywhere makes the same demonstration everywhere.
    workspace.private()
    key_path(workspace).write_text(
        hashlib.sha256(f"demonstration {SEED}".encode()).hexdigest() + "\n", encoding="ascii"
    )

    story = releases.happen(world)
    recordings = root / "recordings"
    items = work.linear_items(world, story.troubles)
    linear.write(items, recordings / "linear.jsonl")
    jira.write(work.jira_items(world), recordings / "jira.jsonl")
    github.write(story, recordings / "github.jsonl")
    amplitude.write(world, recordings / "amplitude.jsonl")
    traces.write(world, root / "files" / "traces")
    costs.write(world, root / "files" / "costs")
    suites.write(world, root / "files" / "tests")
    plans.write(world, root / "files" / "plans")
    papers.write(world, workspace, items)


def _pull(workspace: Workspace, now: Callable[[], datetime], tell: Tell) -> None:
    """One sync of the recordings and one load of the files; the traces, which are most of it, in a process of their own.

    Raises ConfigurationError when any of it is refused.
    """
    config = load_config(workspace)
    tell(
        "syncing linear, jira, github and amplitude from recorded answers, loading traces, costs, test reports and plans"
    )
    folder = workspace.root / "files"
    beside = _load_beside(workspace, folder / "traces", now())
    try:
        writer = Writer(Cache(workspace.cache_path), Ingest.of(workspace, config), now)
        outcomes = asyncio.run(engine.run(plan(config, workspace, now=now, offline=True), writer, lambda _event: None))
        rest = [folder / name for name in ("costs", "tests", "plans")]
        loaded = load(rest, kinds=registry.file_kinds(tell), writer=writer, now=now())
        output, errors = beside.communicate()
    except BaseException:
        beside.kill()
        beside.communicate()
        raise
    traces_read = json.loads(output)["files"] if beside.returncode == 0 else []
    counted = [*(outcome.counts for outcome in outcomes), *(one.counts for one in loaded)]
    refused = [f"{outcome.source} {outcome.stream}: {outcome.error}" for outcome in outcomes if outcome.error]
    refused += [f"{one.path.name}: {one.error}" for one in loaded if one.error]
    refused += [f"{counts.rejected} rows were rejected" for counts in counted if counts.rejected]
    refused += [f"{one['rejected']} spans were rejected" for one in traces_read if one["rejected"]]
    refused += [errors.decode(errors="replace").strip() or "the traces were not loaded"] if not traces_read else []
    if refused:
        raise ConfigurationError(
            f"the demonstration was not understood: {refused[0]}",
            where=str(workspace.root),
            next_step="report this; it is a defect",
        )
    rows = sum(counts.rows for counts in counted) + sum(one["rows"] for one in traces_read)
    tell(f"{rows:,} rows from {len(outcomes)} streams and {len(loaded) + len(traces_read)} files")


def _freeze(workspace: Workspace, world: World) -> None:
    """The review of nine days ago, as it would have been frozen then."""
    then = world.day(REVIEW_DAYS).replace(tzinfo=UTC)
    cache, config = Cache(workspace.cache_path), load_config(workspace)
    name = f"{then:%Y-%m-%d}"
    reviews.freeze(workspace, frozen.take(name, workspace, config, Clock.of(then), cache, then, "operating review"))


def _load_beside(workspace: Workspace, folder: Path, at: datetime) -> subprocess.Popen[bytes]:
    """Start `aether-tui load` of `folder`; `-P` keeps Python files of the folder we are in from being imported."""
    command = [sys.executable, "-P", "-m", "aether_tui", "-w", str(workspace.root), "--as-of", at.isoformat()]
    return subprocess.Popen(
        [*command, "load", str(folder), "--format", "json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _clear(workspace: Workspace) -> None:
    """Remove what we made, but for the lock that is being held."""
    for path in [workspace.root / name for name in _OURS] + list(workspace.hidden.glob("*")):
        if path.name == "sync.lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _mark(workspace: Workspace, day: datetime | None) -> None:
    marker = {"generator": GENERATOR, "day": day and day.isoformat()}
    (workspace.root / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
