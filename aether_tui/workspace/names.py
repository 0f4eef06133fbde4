"""Whether a text names a person, as far as that can be told without knowing anybody."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_QUOTED = re.compile(r"`[^`]*`")
ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+\.[\w.]+|(?<![\w/])@[^\W\d][\w.-]*", re.I)
TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Mx|Dr|Herr|Frau|Mme|Monsieur|Madame)\.? [A-ZÀ-Þ][\w'-]+")
WORD = re.compile(r"\b[A-ZÀ-Þ][a-zß-ÿ]+\b")


@cache
def given() -> frozenset[str]:
    """Given names that are hardly ever another word, in small letters."""
    text = (resources.files("aether_tui.workspace") / "content" / "given-names.txt").read_text("utf-8")
    return frozenset(" ".join(line for line in text.splitlines() if not line.startswith("#")).split())


def person_in(text: str) -> str:
    """The first word that reads like a person's name or address; nothing when none does.

    It knows e-mail addresses, @handles, "Dr X" and common given names, and cannot know others. Words in backticks pass.
    """
    text = _QUOTED.sub(" ", text)
    for pattern in (ADDRESS, TITLED):
        if found := pattern.search(text):
            return found[0]
    return next((word for word in WORD.findall(text) if word.casefold() in given()), "")
