"""What all screens look at, and how a typed or pressed change of it is understood."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from aether_tui.diagnostics import windows
from aether_tui.errors import ConfigurationError
from aether_tui.text import one_line
from aether_tui.workspace.folder import Workspace

NARROW = ("team", "service", "feature")


class Looking(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What all screens look at: the window, what it is compared with, and what they are narrowed to."""

    window: str = "28d"
    compare: str = "previous"
    team: str | None = None
    service: str | None = None
    feature: str | None = None

    @property
    def key(self) -> str:
        """Names the saved reports made for it; nothing for the usual view."""
        return "" if self == Looking() else hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]

    def words(self) -> str:
        """`90d vs 2026-08-31, team payments`, or nothing for the usual view."""
        if self == Looking():
            return ""
        against = "" if self.compare == "previous" else f" vs {self.compare}"
        named = ((name, getattr(self, name)) for name in ("team", "service", "feature"))
        return ", ".join([self.window + against, *(f"{name} {value}" for name, value in named if value)])


USUAL = Looking()
"""Everything, over four weeks."""


def current_quarter(now: datetime, fiscal_start_month: int) -> str:
    """The name of the fiscal quarter `now` is in: `2026-Q4`."""
    for year in (now.year + 1, now.year):
        for quarter in (4, 3, 2, 1):
            with contextlib.suppress(ConfigurationError):  # still to come
                return windows.parse(f"{year}-Q{quarter}", now, fiscal_start_month).label
    return windows.DEFAULT


def usual(now: datetime, fiscal_start_month: int) -> tuple[str, ...]:
    """The windows that one key leads to, the narrowest first."""
    return ("7d", "28d", "90d", current_quarter(now, fiscal_start_month))


def stepped(looking: Looking, step: int, among: Sequence[str]) -> Looking:
    """The next window of those; one that was typed goes back to the default."""
    at = among.index(looking.window) + step if looking.window in among else 1
    return structs.replace(looking, window=among[min(max(at, 0), len(among) - 1)])


def nearby(looking: Looking, among: Sequence[str]) -> list[Looking]:
    """The other windows of those, the nearest first."""
    at = among.index(looking.window) if looking.window in among else 1
    others = sorted((one for one in among if one != looking.window), key=lambda one: abs(among.index(one) - at))
    return [structs.replace(looking, window=one) for one in others]


def windowed(looking: Looking, text: str, workspace: Workspace, now: datetime, fiscal_start_month: int) -> Looking:
    """Another window, typed: days, a fiscal quarter (`q`: this one), or two dates. Raises ConfigurationError."""
    text = current_quarter(now, fiscal_start_month) if text in {"q", "quarter"} else text
    return _possible(structs.replace(looking, window=text), workspace, now, fiscal_start_month)


def compared(looking: Looking, text: str, workspace: Workspace, now: datetime, fiscal_start_month: int) -> Looking:
    """Compared with something else: `previous`, a date, or a frozen review. Raises ConfigurationError."""
    return _possible(structs.replace(looking, compare=text), workspace, now, fiscal_start_month)


def _possible(looking: Looking, workspace: Workspace, now: datetime, fiscal_start_month: int) -> Looking:
    """Itself, where it is a window and what can be compared with it. Raises ConfigurationError."""
    from aether_tui.workspace import reviews

    span = windows.parse(looking.window, now, fiscal_start_month)
    before = reviews.window_of(workspace, looking.compare)
    windows.not_later(before or windows.previous(span, looking.compare, fiscal_start_month), span)
    return looking


def narrowed(looking: Looking, text: str, known: Sequence[tuple[str, str]]) -> Looking:
    """Narrowed to `team payments`, a name alone or its number among those known, or to nothing.

    Raises ConfigurationError when a word is none of team, service, feature.
    """
    wanted: dict[str, str | None] = dict.fromkeys(NARROW)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.replace("=", " ").partition(" ")
        if part.isdigit() and 0 < int(part) <= len(known):
            name, value = known[int(part) - 1]
        elif name not in wanted:  # a name alone, when data know whose it is
            name, value = next((one for one in known if one[1] == part), (name, value))
        if name not in wanted or not value.strip():
            raise ConfigurationError(
                f"{one_line(part)!r} is not understood", next_step=f"write one of {', '.join(NARROW)} and its name"
            )
        wanted[name] = value.strip()
    return structs.replace(looking, **wanted)


def is_known(looking: Looking, known: Sequence[tuple[str, str]]) -> bool:
    """Whether data name all that it is narrowed to."""
    return all((name, value) in known for name in NARROW if (value := getattr(looking, name)) is not None)


def listed(names: Sequence[tuple[str, str]], cells: int) -> str:
    """`team: 1 answers 2 desk; service: 3 api`, as many as there is room for."""
    told, kind = "", ""
    for number, (of, name) in enumerate(names, 1):
        word = f"{number} {one_line(name)[:20]}"
        longer = f"{told} {word}" if of == kind else f"{told}; {of}: {word}" if told else f"{of}: {word}"
        if len(longer) > cells:
            break
        told, kind = longer, of
    return told
