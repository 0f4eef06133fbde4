"""The user's words looked up: without regard to case, exact before wildcards, wildcards in the order of the file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Generic, TypeVar

T = TypeVar("T")

_VOICED = "\u3099\u309a"
"""Marks that make another letter of a Japanese one, not an accent."""


@lru_cache(maxsize=16_384)
def plain(text: str) -> str:
    """Small letters without accents, as people type them or not."""
    parts = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    return unicodedata.normalize(
        "NFC", "".join(sign for sign in parts if not unicodedata.combining(sign) or sign in _VOICED)
    )


@lru_cache(maxsize=1024)
def wildcard(pattern: str) -> re.Pattern[str]:
    """`*` and `?` as wildcards, everything else literal; matches case-folded text."""
    text = re.escape(pattern.casefold()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL)


class Words(Generic[T]):
    """A mapping of `aether.toml`, ready for lookups."""

    def __init__(self, mapping: Mapping[str, T]) -> None:
        self._exact = {key.casefold(): value for key, value in mapping.items()}
        self._wild = [(wildcard(key), value) for key, value in mapping.items() if "*" in key or "?" in key]

    def find(self, *names: str | None) -> T | None:
        """The value of the first of `names` that is mapped."""
        for name in names:
            if not name:
                continue
            folded = name.casefold()
            if folded in self._exact:
                return self._exact[folded]
            for pattern, value in self._wild:
                if pattern.fullmatch(folded):
                    return value
        return None
