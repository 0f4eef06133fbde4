"""What the console remembers between two starts: the last report of every kind, and where somebody was."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct, field

from aether_tui.looking import USUAL, Looking
from aether_tui.report_model import SavedReport, load
from aether_tui.workspace.folder import Workspace

REBUILD_AFTER_S = 900.0
"""Ages and windows move with the clock: a report is renewed after this long although nothing changed."""


KEPT_VIEWS = 80
"""Saved reports of other windows and filters that are kept."""


class Session(Struct, kw_only=True, omit_defaults=True):
    """Where somebody was, and what the configuration said last: enough to paint before anything is read."""

    screen: str = "home"
    selected: dict[str, str] = field(default_factory=dict)
    """Item by screen."""
    name: str = ""
    theme: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    fiscal_start_month: int = 1
    looking: Looking = USUAL
    room: bool = False
    """Room mode was on: it is on again before anything is painted."""


class Failure(Struct, frozen=True):
    """A report that could not be built: what, where, and the next step."""

    what: str
    where: str = ""
    next_step: str = ""


class Settings(Struct, frozen=True):
    """What the configuration says about the console."""

    name: str
    theme: str
    keys: dict[str, str]
    fiscal_start_month: int = 1


class _About(Struct):
    name: str = ""
    fiscal_year_start_month: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1


class _Console(Struct):
    theme: str = ""
    keys: dict[str, str] = field(default_factory=dict)


class _Said(Struct):
    """What the first start takes from `aether.toml` before anybody has checked it."""

    engagement: _About = field(default_factory=_About)
    console: _Console = field(default_factory=_Console)


class Memory:
    """Files in `.aether/state`, each written whole and readable by the owner only. Damaged ones count as absent."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def session(self) -> Session:
        """The last session, or a new one that looks as the configuration says."""
        try:
            return msgspec.json.decode((self._workspace.state / "session.json").read_bytes(), type=Session)
        except (OSError, msgspec.MsgspecError):
            return self._first_session()

    def _first_session(self) -> Session:
        import tomllib

        try:
            said = msgspec.convert(tomllib.loads(self._workspace.config_path.read_text("utf-8-sig")), _Said)
        except (OSError, ValueError, msgspec.MsgspecError):  # told by the first report that reads it
            return Session()
        about, console = said.engagement, said.console
        return Session(
            name=about.name,
            theme=console.theme,
            keys=console.keys,
            fiscal_start_month=about.fiscal_year_start_month,
        )

    def keep_session(self, session: Session) -> None:
        """Remember where somebody was: convenience only, on a full or read-only disk the next start paints without it."""
        with contextlib.suppress(OSError):
            self._write(self._workspace.state / "session.json", msgspec.json.encode(session))

    def report(self, name: str, key: str = "") -> SavedReport | None:
        """The last report of that name; `key` is that of the view it was made for (`Looking`)."""
        try:
            return load(self._report_path(name, key).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None

    def keep_report(self, name: str, data: bytes, built_ns: int, key: str = "") -> None:
        """Remember a report (`report_model.save`); `built_ns` is when its building began, on the files' clock.

        Raises OSError where it cannot be written: the console shows what is remembered, and would show the one before for it.
        """
        path = self._report_path(name, key)
        self._write(path, data)
        os.utime(path, ns=(built_ns, built_ns))
        if key:
            views = sorted(path.parent.glob("*@*.json"), key=_modified_ns)
            for old in views[:-KEPT_VIEWS]:
                old.unlink(missing_ok=True)

    def built_ns(self, name: str, key: str = "") -> int:
        """When the building of the remembered report began; 0 without one."""
        return _modified_ns(self._report_path(name, key))

    def cached_ns(self) -> int:
        """When the cache changed last; 0 without one."""
        return _modified_ns(self._workspace.cache_path)

    def changed_ns(self) -> int:
        """When anything reports are made of changed last: cache, configuration, budgets, baselines, documents."""
        workspace = self._workspace
        single = (workspace.cache_path, workspace.config_path, workspace.budgets_path)
        newest = max(_modified_ns(path) for path in single)
        for folder in (workspace.engagement, workspace.baselines):
            newest = max(newest, *_tree_ns(folder))
        return newest

    def _report_path(self, name: str, key: str = "") -> Path:
        return self._workspace.state / "reports" / f"{name}{'@' if key else ''}{key}.json"

    def _write(self, path: Path, data: bytes) -> None:
        self._workspace.private()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


class Shelf:
    """The reports the console holds for one view, the failures of those it could not get, and which are out of date."""

    def __init__(self, memory: Memory, as_of: datetime | None, looking: Looking = USUAL) -> None:
        self.looking = looking
        self._memory = memory
        self._as_of = as_of
        self._reports: dict[tuple[str, str], SavedReport] = {}
        self._failures: dict[tuple[str, str], tuple[Failure, int]] = {}
        self._shown: dict[str, SavedReport] = {}

    def report(self, name: str) -> SavedReport | None:
        """The last report of that name for this view, read once; until there is one, that of the view before."""
        found = self._held(name, self.looking.key)
        if found is not None:
            self._shown[name] = found
        return found or self._shown.get(name)

    def usual(self, name: str) -> SavedReport | None:
        """The last report of the usual view."""
        return self._held(name, "")

    def there(self, name: str) -> bool:
        """Whether there is one for this view."""
        return self._held(name, self.looking.key) is not None

    def _held(self, name: str, key: str) -> SavedReport | None:
        if (name, key) not in self._reports and (found := self._memory.report(name, key)) is not None:
            self._reports[name, key] = found
        return self._reports.get((name, key))

    def failure(self, name: str) -> Failure | None:
        """Why the last attempt at it failed, when it did."""
        found = self._failures.get((name, self.looking.key))
        return found[0] if found else None

    def take(self, name: str, failure: Failure | None, looking: Looking | None = None) -> None:
        """A build ended, for this view unless another is named: its report is in memory, or it failed."""
        here = name, (looking or self.looking).key
        if failure is not None:
            self._failures[here] = (failure, self._memory.changed_ns())
        else:
            self._failures.pop(here, None)
            self._reports.pop(here, None)

    def outdated(self, name: str, now: datetime, looking: Looking | None = None, changed_ns: int | None = None) -> bool:
        """Whether it is older than what it is made of, or made for another moment. What failed is not tried again until
        something changes. `changed_ns` is when that was, where the folder was looked through already."""
        changed = self._memory.changed_ns() if changed_ns is None else changed_ns
        key = (looking or self.looking).key
        failed = self._failures.get((name, key))
        if failed is not None and failed[1] == changed:
            return False
        saved = self._held(name, key)
        if saved is None or changed > self._memory.built_ns(name, key):
            return True
        if self._as_of is not None:
            return saved.as_of != self._as_of
        return abs((now - saved.as_of).total_seconds()) > REBUILD_AFTER_S


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _tree_ns(folder: Path) -> Iterator[int]:
    """Modification times of a folder and everything in it; a rename shows in its folder."""
    yield 0
    try:
        yield folder.stat().st_mtime_ns
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _tree_ns(Path(entry.path))
                else:
                    yield entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        return
