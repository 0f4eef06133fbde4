"""Scores of Langfuse as rows of `outcomes`: feedback of users, annotations, evaluations."""

from __future__ import annotations

from aether_tui.records.tables import OUTCOMES
from connectors.base import Row
from connectors.fields import Node, dig, instant, text
from connectors.langfuse_rows import hex_id

TYPES = ("NUMERIC", "BOOLEAN", "CATEGORICAL")
"""Those that are values. The others are texts that people or models wrote, and stay where they are."""


_WORDS = frozenset({"comment", "metadata", "authorUserId"})


def without_words(raw: Node) -> Node:
    """A score without what somebody wrote about it, and who: the list before the present one sends both unasked."""
    return {name: value for name, value in raw.items() if name not in _WORDS}


def score_rows(raw: Node) -> dict[str, list[Row]]:
    """One score as the present list (v3) or the one before it states it; nothing of one that is a text.

    Raises ValueError for an instant of unknown form or a missing id.
    """
    if text(raw, "dataType") not in TYPES:
        return {OUTCOMES.name: []}
    trace, span, session = _subject(raw)
    row = OUTCOMES.row(
        id=text(raw, "id"),
        name=text(raw, "name"),
        at=instant(raw, "timestamp"),
        value=_value(raw),
        kind=text(raw, "source"),
        trace_id=hex_id(trace),
        span_id=hex_id(span),
        conversation=session,
        updated=instant(raw, "updatedAt"),
    )
    return {OUTCOMES.name: [row]}


def _subject(raw: Node) -> tuple[str | None, str | None, str | None]:
    """Trace, observation and session it is about."""
    kind, named = text(raw, "subject", "kind"), text(raw, "subject", "id")
    if kind is None:
        return text(raw, "traceId"), text(raw, "observationId"), text(raw, "sessionId")
    if kind == "observation":
        return text(raw, "subject", "traceId"), named, None
    return named if kind == "trace" else None, None, named if kind == "session" else None


def _value(raw: Node) -> str | None:
    """The value as text: a number, true or false, or the word of a category."""
    value = dig(raw, "value")
    if text(raw, "dataType") == "BOOLEAN":
        return None if value is None else "true" if value in (True, 1) else "false"
    return text(raw, "stringValue") or text(raw, "value")
