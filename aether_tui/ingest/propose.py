"""A mapping proposed from the words that sources use: to be read by a person, never applied by itself."""

from __future__ import annotations

import re
from functools import cache
from typing import TypeVar

from aether_tui.config import Category, Environment, ItemType, Phase
from aether_tui.ingest import propose_words as words
from aether_tui.ingest.words import plain

T = TypeVar("T", bound=str)

_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that put no space between words: a cue may stand anywhere, but not behind a "not"."""
_PREFIX = re.compile(r"\s*([^\W\d_]+)\s*(?:::|[:=/])\s*(\S.*?)\s*")


def category(state: str) -> Category | None:
    """The category that the words of a state suggest, if any does."""
    return _suggested(state, words.CATEGORIES)


def phase(state: str, known: Category | None = None) -> Phase | None:
    """The lifecycle phase that the words of a state suggest, as far as its category allows; else the category's own."""
    said = _suggested(state, words.PHASES)
    if known is None:
        return said
    return said if said and said not in words.NOT_IN.get(known, ()) else words.PHASE_OF.get(known)


def item_type(word: str) -> ItemType | None:
    """The type of work that a tracker's type or label suggests."""
    return _suggested(word, words.TYPES)


def environment(name: str) -> Environment | None:
    """The environment that a name suggests."""
    return _suggested(name, words.ENVIRONMENTS)


def team(label: str) -> str | None:
    """The team that a label such as `team: payments` names."""
    return _behind(label, words.TEAM_LABELS)


def feature(label: str) -> str | None:
    """The feature that a label such as `area/checkout` names."""
    return _behind(label, words.FEATURE_LABELS)


def _suggested(said: str, table: tuple[tuple[T, str], ...]) -> T | None:
    found = _WORD.findall(plain(said))
    joined = f" {' '.join(found)} "
    return next((name for name, cues in table if any(_says(cue, found, joined) for cue in _cues(cues))), None)


@cache
def _cues(listed: str) -> tuple[str, ...]:
    return tuple(plain(" ".join(cue.split())) for cue in listed.split(","))


def _says(cue: str, found: list[str], joined: str) -> bool:
    if _UNSPACED.search(cue):
        return re.search(f"(?<![未不没非]){re.escape(cue)}", joined) is not None
    if cue.endswith("*"):
        return any(word.startswith(cue[:-1]) for word in found)
    return f" {cue} " in joined


def _behind(label: str, prefixes: str) -> str | None:
    parts = _PREFIX.fullmatch(label)
    return parts[2] if parts and plain(parts[1]) in _cues(prefixes) else None
