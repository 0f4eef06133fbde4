"""What was said to or by a model, as a person reads it: messages of any convention become `role: words`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

MAX_PARSED: Final = 8 << 20
"""Characters of JSON that are parsed; longer ones are kept as they are (and cut by redaction)."""
_WORDS: Final = ("content", "text", "parts", "message", "message.content", "value", "result", "response", "messages")
_ROLES: Final = ("role", "message.role")
_DEEPEST: Final = 24


def readable(content: str) -> str:
    """Messages as lines of `role: words`, other JSON as JSON, anything else as it is."""
    if content[:1] not in {"[", "{"} or len(content) > MAX_PARSED:
        return content
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content
    return "\n".join(line for line in _said(found, 0) if line) or content


def answered(completion: str) -> str:
    """What a model said, without the role that `readable` puts before it."""
    return completion.removeprefix("assistant: ")


def _said(node: object, depth: int) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list) and depth < _DEEPEST:
        for item in node:
            yield from _said(item, depth + 1)
    elif isinstance(node, Mapping) and depth < _DEEPEST:
        role = next((str(node[name]) for name in _ROLES if node.get(name)), "")
        inner = next((node[name] for name in _WORDS if node.get(name)), None)
        if inner is None:
            yield json.dumps(node, ensure_ascii=False)
            return
        words = "\n".join(_said(inner, depth + 1))
        yield f"{role}: {words}" if role else words
    elif node is not None:
        yield json.dumps(node, ensure_ascii=False)
