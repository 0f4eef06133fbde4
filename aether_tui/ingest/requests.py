"""What a person asked, out of the input of a model call: the last thing the user said, without instructions and tools."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from aether_tui.records.tables import MOST_REQUEST
from aether_tui.text import begun

_MOST_JSON: Final = 4_000_000
_NAMES: Final = ("input", "question", "query", "prompt", "text", "content", "request", "message", "gen_ai.prompt")
_FLAT: Final = re.compile(r"\.(\d+)\.(?:message\.)?(role|content)$")
"""`llm.input_messages.0.message.role`, `gen_ai.prompt.0.content`: messages spread over attributes."""
_USERS: Final = frozenset({"user", "human"})
T = TypeVar("T")


def spread(groups: Mapping[str, Sequence[T]], weights: Mapping[str, int], size: int) -> list[T]:
    """`size` things, the first of each group, from every group as many as its weight is of all; where a group has too few,
    the others give more."""
    placed = [
        ((place + 0.5) / weights[name], name, place) for name, things in groups.items() for place in range(len(things))
    ]
    return [groups[name][place] for _, name, place in sorted(placed)[:size]]


def user_words(said: str) -> str:
    """The last user message of a list of messages (OpenTelemetry, OpenAI and LangChain forms), else the text itself.

    Empty where the input is a structure that says nothing of a user.
    """
    text = said.lstrip()
    if text[:1] not in ("[", "{"):
        return begun(text, MOST_REQUEST)
    if len(text) > _MOST_JSON:
        return ""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return begun(text, MOST_REQUEST)
    return begun(_words(found, 0).strip(), MOST_REQUEST)


def _words(found: object, depth: int) -> str:
    if depth > 6:
        return ""
    if isinstance(found, str):
        return user_words(found) if depth and found.lstrip()[:1] in ("[", "{") else found
    if isinstance(found, Mapping):
        if isinstance(messages := found.get("messages"), Sequence):
            return _words(messages, depth + 1)
        if flat := _gathered(found):
            return _last_said(flat, depth)
        return next((words for name in _NAMES if (words := _words(found.get(name), depth + 1))), "")
    if isinstance(found, Sequence):
        return _last_said(found, depth)
    return ""


def _gathered(found: Mapping[str, object]) -> list[dict[str, object]]:
    """Messages that are spread over attributes, in order."""
    messages: dict[int, dict[str, object]] = {}
    for name, value in found.items():
        if isinstance(name, str) and (match := _FLAT.search(name)) and len(match[1]) < 7:
            messages.setdefault(int(match[1]), {})[match[2]] = value
    return [messages[number] for number in sorted(messages)]


def _last_said(messages: Sequence[object], depth: int) -> str:
    roles = [_role(message) for message in messages]
    for message, role in zip(reversed(messages), reversed(roles), strict=True):
        if role in _USERS and (words := _content(message, depth)):
            return words
    return "" if any(roles) else next((words for one in reversed(messages) if (words := _words(one, depth + 1))), "")


def _role(message: object) -> str:
    role = message.get("role", message.get("type")) if isinstance(message, Mapping) else None
    return role.casefold() if isinstance(role, str) else ""


def _content(message: object, depth: int) -> str:
    """The words of one message: its text, or the texts of its parts; results of tools are no words of the user's."""
    if not isinstance(message, Mapping):
        return ""
    content = message.get("content", message.get("parts"))
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    parts = [_part(part) for part in content]
    return " ".join(part for part in parts if part)


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping) and part.get("type", "text") in ("text", "input_text"):
        words = part.get("text", part.get("content"))
        return words if isinstance(words, str) else ""
    return ""
