"""Frozen reviews: what was published, by which definitions, over which data. One file each, written once and never changed.

The file is YAML in its JSON form with one value per line: people can read it, git can merge it, and Home can read it quickly.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from aether_tui.errors import CheckFailed, ConfigurationError, NoData
from aether_tui.report_model import Quantity, Window
from aether_tui.workspace.lock import Busy, exclusive
from aether_tui.workspace.store import write_whole

if TYPE_CHECKING:
    from aether_tui.workspace.folder import Workspace

FORMAT = 1
MAX_BYTES = 16 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


class Value(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One published number. `definition` fingerprints formula, query and mapping, `anchor` what scores it (poor, good, log or not).

    `parts` of a score are the weights of the values it is the mean of.
    """

    title: str
    value: Quantity
    definition: str
    formula: str = ""
    score: float | None = None
    anchor: tuple[float, float, bool] | None = None
    parts: dict[str, float] = {}


class Review(Struct, frozen=True, kw_only=True):
    """A review as it was frozen. `as_of` is the clock, `definitions` and `reports` are fingerprints by name."""

    name: str
    frozen: datetime
    as_of: datetime
    window: Window
    previous: Window
    definitions: dict[str, str]
    reports: dict[str, str]
    values: dict[str, Value]
    note: str = ""
    seed: int = 0
    format: int = FORMAT


def fingerprint(*parts: bytes | str) -> str:
    """Sixteen hexadecimal digits that stand for these parts."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()[:16]


def folder(workspace: Workspace) -> Path:
    """Where reviews are."""
    return workspace.engagement / "reviews"


def path(workspace: Workspace, name: str) -> Path:
    """The file of one; raises ConfigurationError for a name that is none."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name[:80]!r} is not a name for a review", next_step="use letters, digits, . _ -, such as 2026-Q3"
        )
    return folder(workspace) / f"{name}.yaml"


def freeze(workspace: Workspace, review: Review) -> Path:
    """Write a review. Raises CheckFailed when the name is taken: what was published stays as it was."""
    file = path(workspace, review.name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(workspace.private() / "documents.lock", 10.0):
            if file.exists():
                raise CheckFailed(
                    f"{review.name} is frozen already",
                    where=f"engagement/reviews/{file.name}",
                    next_step="choose another name",
                )
            write_whole(file, encode(review))
    except Busy as error:
        raise CheckFailed("another aether-tui is saving documents", next_step="try again") from error
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(file)) from error
    return file


def encode(review: Review) -> bytes:
    """The bytes of the file: keys of the head in order, then one line per fingerprint and value, sorted."""
    made = msgspec.to_builtins(review)
    lines = []
    for key, value in made.items():
        if key in {"definitions", "reports", "values"}:
            inner = [f"    {_json(name)}: {_json(one)}" for name, one in sorted(value.items())]
            lines.append(f"  {_json(key)}: {{\n" + ",\n".join(inner) + "\n  }")
        else:
            lines.append(f"  {_json(key)}: {_json(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def read(workspace: Workspace, name: str) -> Review:
    """One review. Raises NoData when there is none of that name, ConfigurationError when the file is broken."""
    file = path(workspace, name)
    if not file.is_file():
        known = ", ".join(names(workspace))
        raise NoData(
            f"no review {name}", where="engagement/reviews",
            next_step=f"there are {known}" if known else f"`aether-tui review freeze {name}` makes one",
        )  # fmt: skip
    return _decode(file)


def _decode(file: Path) -> Review:
    where = f"engagement/reviews/{file.name}"
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigurationError("larger than 16 MiB", where=where)
        review = msgspec.json.decode(file.read_bytes(), type=Review)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"not a frozen review: {error}", where=where, next_step="take it back from git; nobody edits it by hand"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=where) from error
    if review.format > FORMAT:
        raise ConfigurationError("frozen by a newer aether-tui", where=where, next_step="upgrade aether-tui")
    return review


def names(workspace: Workspace) -> tuple[str, ...]:
    """Names of the files that are there, sorted."""
    here = folder(workspace)
    return (
        tuple(sorted(file.stem for file in here.glob("*.yaml") if _NAME.fullmatch(file.stem))) if here.is_dir() else ()
    )


def every(workspace: Workspace) -> tuple[tuple[Review, ...], tuple[ConfigurationError, ...]]:
    """Readable reviews by the moment they stand for, and what is wrong with the others."""
    found, broken = [], []
    for name in names(workspace):
        try:
            found.append(_decode(folder(workspace) / f"{name}.yaml"))
        except ConfigurationError as error:
            broken.append(error)
    return tuple(sorted(found, key=lambda one: (one.as_of, one.name))), tuple(broken)


def newest(workspace: Workspace, until: datetime) -> Review | None:
    """The last readable review of a day before that of `until`: one frozen on the same day is the one being held."""
    return next((one for one in reversed(every(workspace)[0]) if one.as_of.date() < until.date()), None)


def window_of(workspace: Workspace, word: str) -> Window | None:
    """The window of the review a word names, where a date or `previous` may stand too; None when no file bears the name."""
    if not _NAME.fullmatch(word) or not (folder(workspace) / f"{word}.yaml").is_file():
        return None
    found = read(workspace, word).window
    return Window(start=found.start, end=found.end, label=f"review {word}")
