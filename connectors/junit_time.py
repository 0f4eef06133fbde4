"""Durations as JUnit writers spell them: `0,160` · `1,024.12` · `0:00:00.69` · NaN."""

from __future__ import annotations

import re
from typing import Literal

Comma = Literal["decimal", "thousands"]

_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_GROUPED_BY_DOT = re.compile(r"\d{1,3}(\.\d{3})+,\d+")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2},\d{3}")


def comma_in(text: str) -> Comma | None:
    """What a comma means in a file that holds this time; None when the time does not tell.

    A point beside digits makes commas thousands, a comma that cannot group thousands makes them decimal.
    """
    if _AMBIGUOUS.fullmatch(text):
        return None
    if _GROUPED.fullmatch(text) and not text.startswith("0"):
        return "thousands"
    if _DECIMAL_COMMA.fullmatch(text) or _GROUPED_BY_DOT.fullmatch(text):
        return "decimal"
    return "thousands" if re.fullmatch(r"\d*\.\d+", text) else None


def seconds(text: str, comma: Comma | None) -> float | None:
    """The duration in seconds; None when the text is no duration, negative, not finite, or its comma is undecided."""
    text = text.strip()
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, rest = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest.replace(",", "."))
    meaning = comma_in(text) or comma
    if "," in text:
        if meaning is None:
            return None
        grouped = _GROUPED.fullmatch(text) if meaning == "thousands" else None
        if grouped:
            text = text.replace(",", "")
        elif meaning == "decimal" and (_DECIMAL_COMMA.fullmatch(text) or _GROUPED_BY_DOT.fullmatch(text)):
            text = text.replace(".", "").replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
