"""What was sent to a model, kept so that it can be sent again: every convention, hostile and huge inputs."""

from __future__ import annotations

import json

import pytest

from aether_tui.ingest.asked import MOST_CHARS, request_of, stored
from aether_tui.ingest.redact import Redactor

HELLO = [{"role": "user", "content": "hello"}]
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}


def redactor() -> Redactor:
    return Redactor(b"k" * 32)


@pytest.mark.parametrize(
    ("content", "want"),
    [
        (HELLO, {"messages": HELLO}),
        ({"messages": HELLO, "model": "m", "temperature": 0.2, "stream": True}, {"messages": HELLO, "temperature": 0.2}),
        ([{"role": "user", "parts": [{"type": "text", "content": "hello"}]}], {"messages": HELLO}),
        ([{"type": "human", "content": "hello"}], {"messages": HELLO}),
        ({"messages": [[{"lc": 1, "id": ["x", "HumanMessage"], "kwargs": {"content": "hello"}}]]}, {"messages": HELLO}),
        ({"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hello"}, {"messages": HELLO}),
        ({"gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "hello", "gen_ai.prompt.0.role": "system",
          "gen_ai.prompt.0.content": "be kind"}, {"messages": [{"role": "system", "content": "be kind"}, *HELLO]}),
        ({"messages": json.dumps(HELLO), "system": json.dumps([{"type": "text", "content": "be kind"}]),
          "tools": '[{"type":"function"}]', "settings": '{"temperature": 0.5, "model": "m"}'},
         {"messages": [{"role": "system", "content": "be kind"}, *HELLO], "temperature": 0.5, "tools": [{"type": "function"}]}),
        ({"messages": "hello", "system": "be kind"}, {"messages": [{"role": "system", "content": "be kind"}, *HELLO]}),
        ([{"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1", "content": "7"}],
         {"messages": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "7", "tool_call_id": "c1"}]}),
        ([{"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "find", "arguments": {"q": 1}}]},
          {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "7"}]}],
         {"messages": [{"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "content": "7", "tool_call_id": "c1"}]}),
        ([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "7"},
                                       {"type": "text", "text": "go on"}]}],
         {"messages": [{"role": "tool", "content": "7", "tool_call_id": "c1"}, {"role": "user", "content": "go on"}]}),
        ({"llm.input_messages.0.message.role": "assistant",
          "llm.input_messages.0.message.tool_calls.0.tool_call.function.name": "find",
          "llm.input_messages.0.message.tool_calls.0.tool_call.id": "c1",
          "llm.input_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"q": 1}'},
         {"messages": [{"role": "assistant", "tool_calls": [CALL]}]}),
        ([{"role": "user", "content": [{"type": "text", "text": "what is this"}, {"type": "image_url", "image_url": "…"}]}],
         {"messages": [{"role": "user", "content": "what is this"}], "omitted": ["image_url"]}),
        ("plain words", None), ("[]", None), ('{"question": "x"}', None), ("[1, 2]", None), ('[{"role": "wizard"}]', None),
        ("[" * 100_000, None), ('{"messages": 3}', None), ('{"not json', None),
    ],
)  # fmt: skip
def test_every_convention_becomes_one_request(content: object, want: object) -> None:
    assert request_of(content if isinstance(content, str) else json.dumps(content)) == want


def test_it_is_redacted_in_every_place_and_stays_a_request() -> None:
    hostile = "mail canary@example.com\x1b]52;c;eA==\x07 \u202eevil"
    content = {
        "messages": [
            {"role": "system", "content": hostile},
            {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": json.dumps({"to": hostile})}}]},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": hostile}, {"type": "text", "text": "你好"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": hostile}}],
    }  # fmt: skip
    kept = stored(json.dumps(content), redactor())
    assert "canary@" not in kept
    assert "\x1b" not in json.loads(kept)["messages"][0]["content"]
    assert kept.count("[email:") == 4
    assert request_of(kept) == json.loads(kept)


def test_a_huge_prompt_is_cut_and_says_so_and_a_text_stays_a_text() -> None:
    long = [{"role": "user", "content": "α" * (2 << 20)}, *HELLO]
    kept = stored(json.dumps(long, ensure_ascii=False), redactor())
    assert len(kept) < MOST_CHARS + 500
    request = json.loads(kept)
    assert [message["content"][:6] for message in request["messages"]] == ["α" * 6, "…[cut:"]
    assert stored("no\x1b[2J messages", redactor()) == "no messages"
    assert stored('["a", "b"]', redactor()) == "a\nb"
