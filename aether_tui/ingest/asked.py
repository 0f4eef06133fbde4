"""What was sent to a model, kept so that it can be sent again: the messages and settings of an OpenAI request.

Conventions differ (OpenTelemetry, OpenAI, Anthropic, LangChain, messages spread over attributes); one form is stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from aether_tui.ingest.said import MAX_PARSED

if TYPE_CHECKING:
    from aether_tui.ingest.redact import Redactor

MOST_CHARS: Final = 100_000
"""Characters kept of the messages of one request; what is longer ends in `…[cut:digest]`."""
SETTINGS: Final = (
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "stop", "frequency_penalty", "presence_penalty",
    "response_format", "tools", "tool_choice", "reasoning_effort",
)  # fmt: skip
"""Keys of an OpenAI request that decide over its answer, and are kept beside its messages."""
_ROLES: Final = {
    "system": "system", "developer": "developer", "user": "user", "human": "user", "assistant": "assistant", "ai": "assistant",
    "model": "assistant", "tool": "tool", "function": "tool", "humanmessage": "user", "aimessage": "assistant",
    "systemmessage": "system", "toolmessage": "tool",
}  # fmt: skip
_FLAT: Final = re.compile(r"(?:llm\.input_messages|gen_ai\.prompt)\.(\d{1,6})\.(?:message\.)?(.+)")
_FLAT_CALL: Final = re.compile(r"tool_calls\.(\d{1,6})\.(?:tool_call\.)?(?:function\.)?(id|name|arguments)")
_TEXT: Final = ("text", "input_text", "output_text")
_CALL: Final = ("tool_call", "tool_use", "function")
_RESULT: Final = ("tool_call_response", "tool_result")


class _NoMessages(Exception):
    """It is a text, or a structure of another kind."""


def request_of(content: str) -> dict[str, object] | None:
    """`messages` and settings of an input in any known convention; None for a text or another structure.

    `omitted` names kinds of parts that are no words (images, sound): with them the request cannot be made again.
    """
    if content[:1] not in {"[", "{"} or len(content) > MAX_PARSED:
        return None
    try:
        found = json.loads(content)
        omitted: set[str] = set()
        messages, rest = _messages(found)
        told = [message for one in messages for message in _message(one, omitted)]
    except (ValueError, RecursionError, _NoMessages):
        return None
    if not told:
        return None
    settings = {name: rest[name] for name in SETTINGS if rest.get(name) is not None}
    return {"messages": told, **settings, **({"omitted": sorted(omitted)} if omitted else {})}


def stored(content: str, redactor: Redactor) -> str:
    """`content` as it may be kept, redacted: a text, or the JSON of `request_of`."""
    from aether_tui.ingest.said import readable

    request = request_of(content)
    if request is None:
        return redactor.text(readable(content))
    room = MOST_CHARS
    messages = request["messages"]
    assert isinstance(messages, list)
    for message in messages:
        room = _clean(message, redactor, room)
    rest = {name: value for name, value in request.items() if name != "messages"}
    clean = json.loads(redactor.json(json.dumps(rest, ensure_ascii=False))) if rest else {}
    return json.dumps({"messages": messages, **clean}, ensure_ascii=False, separators=(",", ":"))


def _clean(message: dict[str, object], redactor: Redactor, room: int) -> int:
    """Redact one message in place; returns the characters left for those that follow."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [message] if content else []
    for part in parts:
        name = "text" if part is not message else "content"
        words = redactor.text(str(part[name]), room)
        part[name] = words
        room = max(room - len(words), 0)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call["function"]
        arguments = redactor.json(function["arguments"])
        kept: str = arguments if len(arguments) <= room else redactor.text(arguments, room)
        function.update(name=redactor.text(function["name"]), arguments=kept)
        call["id"] = redactor.identifier(call["id"])
        room = max(room - len(kept), 0)
    if "tool_call_id" in message:
        message["tool_call_id"] = redactor.identifier(str(message["tool_call_id"]))
    return room


def _messages(found: object) -> tuple[Sequence[object], Mapping[str, object]]:
    """The messages of a document, and what stands beside them."""
    if isinstance(found, list):
        return _messages(found[0]) if len(found) == 1 and isinstance(found[0], list) else (found, {})
    if not isinstance(found, Mapping):
        raise _NoMessages
    if flat := list(_gathered(found)):
        return flat, {}
    inner = _loaded(found.get("messages", found.get("input_messages")))
    if isinstance(inner, str):
        inner = [{"role": "user", "content": inner}]
    messages, rest = _messages(inner)
    settings = _loaded(found.get("settings"))
    rest = {
        **(settings if isinstance(settings, Mapping) else {}),
        **rest,
        **found,
        "tools": _loaded(found.get("tools")),
    }
    system = _loaded(found.get("system"))
    return ([{"role": "system", "content": system}, *messages] if system else messages), rest


def _loaded(value: object) -> object:
    """What a text says when it is JSON, else itself."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _gathered(found: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Messages that are spread over attributes, in order."""
    messages: dict[int, dict[str, object]] = {}
    for name, value in found.items():
        match = _FLAT.fullmatch(name)
        if match is None:
            continue
        message = messages.setdefault(int(match[1]), {})
        call = _FLAT_CALL.fullmatch(match[2])
        if call is None:
            message[match[2]] = value
        else:
            calls = message.setdefault("tool_calls", {})
            assert isinstance(calls, dict)
            calls.setdefault(int(call[1]), {})[call[2]] = value
    for _, message in sorted(messages.items()):
        calls = message.get("tool_calls")
        if isinstance(calls, dict):
            message["tool_calls"] = [one for _, one in sorted(calls.items())]
        yield message


def _message(found: object, omitted: set[str]) -> Iterator[dict[str, object]]:
    """One message as OpenAI takes it; results of tools that stand among its parts become messages of their own."""
    if not isinstance(found, Mapping):
        raise _NoMessages
    if isinstance(inner := found.get("message"), Mapping):
        found = inner
    if isinstance(inner := found.get("kwargs"), Mapping):  # LangChain's serialised form
        kind = found.get("id")
        found = {"type": kind[-1] if isinstance(kind, list) and kind else None, **inner}
    said = found.get("role", found.get("message.role", found.get("type")))
    role = _ROLES.get(said.casefold()) if isinstance(said, str) else None
    if role is None:
        raise _NoMessages
    content = found.get("content", found.get("message.content", found.get("parts")))
    words: list[str] = []
    calls = list(_calls(found.get("tool_calls"), omitted))
    results: list[dict[str, object]] = []
    for part in content if isinstance(content, list) else [] if content is None else [content]:
        _part(part, words, calls, results, omitted)
    omitted.update(f"field {name}"[:60] for name in found if name.startswith("contents."))
    if role == "tool" and len(results) == 1 and not words:
        yield results[0]
        return
    message: dict[str, object] = {"role": role}
    if len(words) == 1 or (not words and not calls and not results):
        message["content"] = words[0] if words else ""
    elif words:
        message["content"] = [{"type": "text", "text": text} for text in words]
    if calls:
        message["tool_calls"] = calls
    if role == "tool" and isinstance(identity := found.get("tool_call_id", found.get("id")), str):
        message["tool_call_id"] = identity
    yield from results
    if words or calls or not results:
        yield message


def _part(
    part: object, words: list[str], calls: list[dict[str, object]], results: list[dict[str, object]], omitted: set[str]
) -> None:
    """Sort one part of a message: words, a call of a tool, a tool's result, or something that is not kept."""
    if isinstance(part, str):
        words.append(part)
        return
    if not isinstance(part, Mapping):
        words.append(json.dumps(part, ensure_ascii=False))
        return
    kind = part.get("type", "text")
    if kind in _TEXT and isinstance(text := part.get("text", part.get("content")), str):
        words.append(text)
    elif kind in _CALL:
        calls += _calls([part], omitted)
    elif kind in _RESULT:
        answer = next((part[name] for name in ("response", "result", "content") if part.get(name) is not None), "")
        told = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        identity = str(part.get("id", part.get("tool_use_id", "")))
        results.append({"role": "tool", "content": told, "tool_call_id": identity})
    else:
        omitted.add(str(kind)[:60])


def _calls(found: object, omitted: set[str]) -> Iterable[dict[str, object]]:
    """Calls of tools in OpenAI's form."""
    for number, one in enumerate(found if isinstance(found, list) else ()):
        if not isinstance(one, Mapping):
            omitted.add("tool_call")
            continue
        inner = one.get("function", one)
        inner = inner if isinstance(inner, Mapping) else one
        arguments = next((inner[name] for name in ("arguments", "input", "args") if name in inner), "")
        yield {
            "id": str(one.get("id") or f"call_{number}"),
            "type": "function",
            "function": {
                "name": str(inner.get("name", "")),
                "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False),
            },
        }
