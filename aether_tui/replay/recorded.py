"""Recorded model calls that can be sent again, and why others cannot."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from aether_tui.diagnostics.frame import Data, Record, instant, real, text, whole
from aether_tui.errors import ConfigurationError, NoData
from aether_tui.ingest.asked import SETTINGS
from aether_tui.ingest.said import answered
from aether_tui.text import one_line

REDACTED: Final = re.compile(r"\[(?!cut:)[a-z_]+:[0-9a-f]{8}\]")
CUT: Final = re.compile(r"…\[cut:[0-9a-f]{8}\]")
WORDS: Final = re.compile(r"(?:system|developer|user|human|assistant|ai|tool): ")
"""How inputs began that were kept as words for people, before their messages were."""
MOST_PROMPT: Final = 1 << 20
KEEP: Final = "`[privacy] keep_payloads = true` keeps the requests that come from then on"
_SPAN_SETTINGS: Final = {
    "gen_ai.request.temperature": "temperature", "gen_ai.request.top_p": "top_p", "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.seed": "seed", "gen_ai.request.stop_sequences": "stop",
    "gen_ai.request.frequency_penalty": "frequency_penalty", "gen_ai.request.presence_penalty": "presence_penalty",
}  # fmt: skip
"""Attributes of a span that are settings of its request."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instructions from a file, in place of those a request was recorded with. `version` is file name and hash."""

    text: str
    version: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One model call as it was recorded. `same_input`: what would be sent is what was sent then."""

    trace: str
    span: str
    name: str
    provider: str | None
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    latency_s: float | None
    request: dict[str, object]
    completion: str | None
    redactions: int
    prompt_version: str | None = None
    same_input: bool = True
    as_text: bool = False
    """Kept as a text without roles, not as messages."""

    @property
    def messages(self) -> list[dict[str, object]]:
        """The messages of the request."""
        found = self.request["messages"]
        assert isinstance(found, list)
        return found

    def with_prompt(self, prompt: Prompt) -> Recorded:
        """The request under other instructions: its system message replaced, or one put first."""
        rest = [message for message in self.messages if message.get("role") not in ("system", "developer")]
        messages: list[dict[str, object]] = [{"role": "system", "content": prompt.text}, *rest]
        return replace(
            self,
            request={**self.request, "messages": messages},
            prompt_version=prompt.version,
            same_input=False,
            input_tokens=self._tokens_with(messages),
        )

    def _tokens_with(self, messages: Sequence[dict[str, object]]) -> int | None:
        """The recorded count, and a quarter of the characters that are more or fewer."""
        if self.input_tokens is None:
            return None
        return max(self.input_tokens + (_size(messages) - _size(self.messages)) // 4, 1)


@dataclass(frozen=True, slots=True)
class Found:
    """Calls that can be sent again; the others by reason; how many inputs the window keeps."""

    calls: tuple[Recorded, ...]
    left_out: dict[str, int]
    kept: int = 0


class CannotReplay(Exception):
    """Why a call cannot be made again."""


def of_trace(data: Data, trace: str, span: str | None, *, redacted: bool) -> Found:
    """Every model call of a trace (or the one of `span`) that can be sent again.

    With `redacted` what redaction took out is sent as its placeholder. Raises NoData when there is none, and says why.
    """
    tasks = data.rows("explorer_task", trace=trace, source=None, begun=None)
    if not tasks:
        raise NoData(
            f"no trace {one_line(trace, 80)!r}", where="the cache", next_step="`aether-tui traces` lists what there is"
        )
    begun = instant(tasks[0]["start"])
    assert begun is not None
    last = begun + timedelta(seconds=min(real(tasks[0]["duration_s"]), 1e9) + 1)
    rows = data.rows("replay_trace", trace=trace, source=text(tasks[0]["source"]), first=begun, last=last)
    if span is not None:
        rows = [row for row in rows if row["span_id"] == span]
        if not rows:
            raise NoData(f"span {one_line(span, 40)!r} is no model call of this trace", where=f"trace {one_line(trace, 40)}",
                         next_step="`aether-tui trace ID` names its spans")  # fmt: skip
    found = _found(rows, redacted=redacted)
    if not found.calls:
        reason = max(found.left_out, key=found.left_out.__getitem__) if found.left_out else "it has no model call"
        step = "`--redacted` sends the placeholders as they stand" if "redacted" in reason else KEEP
        raise NoData(f"nothing can be sent again: {reason}", where=f"trace {one_line(trace, 40)}", next_step=step)
    return found


def sample(data: Data, n: int, seed: int, *, recorded: str | None, redacted: bool) -> Found:
    """Up to `n` calls of the window drawn by seed, one of a trace. Raises NoData when no input is kept."""
    (counted,) = data.rows("replay_kept") or [{"kept": 0, "changed": 0}]
    rows = data.rows("replay_sample", n=n, seed=str(seed), recorded=recorded, redacted=redacted)
    found = _found(rows, redacted=redacted)
    left_out = dict(found.left_out)
    if not redacted and whole(counted["changed"]):
        left_out["something in it is redacted or cut"] = whole(counted["changed"])
    if not found.calls:
        kept = whole(counted["kept"])
        why = f"{kept:,} inputs are kept, none fits" if kept else "no input of a model call is kept"
        step = "widen --window or leave filters out" if kept else KEEP
        raise NoData(why, where=f"window {data.clock.window.label}", next_step=step)
    return Found(found.calls, left_out, whole(counted["kept"]))


def read_prompt(path: Path) -> Prompt:
    """Instructions from a file. Raises ConfigurationError for one that is empty, too large or no text."""
    try:
        content = path.read_bytes()
        words = content.decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"cannot be read as text ({error})", where=str(path), next_step="give a UTF-8 file"
        ) from error
    if not words or len(content) > MOST_PROMPT:
        what = "is empty" if not words else "is larger than 1 MB"
        raise ConfigurationError(f"the prompt file {what}", where=str(path), next_step="give the text of a prompt")
    return Prompt(words, f"{path.name} {hashlib.sha256(content).hexdigest()[:12]}")


def _found(rows: Sequence[Record], *, redacted: bool) -> Found:
    calls: list[Recorded] = []
    left_out: dict[str, int] = {}
    for row in rows:
        try:
            calls.append(_recorded(row, redacted=redacted))
        except CannotReplay as reason:
            left_out[str(reason)] = left_out.get(str(reason), 0) + 1
    return Found(tuple(calls), left_out)


def _recorded(row: Record, *, redacted: bool) -> Recorded:
    """A row as a call. Raises CannotReplay."""
    prompt, model = row["prompt"], row["model"]
    if not isinstance(prompt, str) or not prompt.strip():
        raise CannotReplay("its input was not kept")
    if not isinstance(model, str):
        raise CannotReplay("its model is not known")
    if CUT.search(prompt):
        raise CannotReplay("its input was too long to be kept whole")
    if WORDS.match(prompt):
        raise CannotReplay("its messages were kept as one text, which is not what was sent")
    taken = len(REDACTED.findall(prompt))
    if taken and not redacted:
        raise CannotReplay("something in it is redacted")
    request = _request(prompt)
    if omitted := request.pop("omitted", None):
        assert isinstance(omitted, list)
        raise CannotReplay(f"it holds {one_line(', '.join(map(str, omitted)), 60)}, which is not kept")
    return Recorded(
        trace=text(row["trace_id"]),
        span=text(row["span_id"]),
        name=one_line(text(row["name"]), 60),
        provider=None if row["provider"] is None else text(row["provider"]),
        model=model,
        input_tokens=None if row["input_tokens"] is None else whole(row["input_tokens"]),
        output_tokens=None if row["output_tokens"] is None else whole(row["output_tokens"]),
        cost_usd=None if row["cost_usd"] is None else real(row["cost_usd"]),
        latency_s=None if row["duration_s"] is None else real(row["duration_s"]),
        request={**_span_settings(row["attributes"]), **request},
        completion=None if row["completion"] is None else answered(text(row["completion"])),
        redactions=taken,
        same_input=not taken,
        as_text=prompt[:1] != "{",
    )


def _request(prompt: str) -> dict[str, object]:
    """What was stored as a request; a text is what one user said."""
    if prompt[:1] == "{":
        try:
            found = json.loads(prompt)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and isinstance(found.get("messages"), list):
            return {name: found[name] for name in ("messages", "omitted", *SETTINGS) if name in found}
    return {"messages": [{"role": "user", "content": prompt}]}


def _span_settings(attributes: object) -> dict[str, object]:
    try:
        found = json.loads(attributes) if isinstance(attributes, str) else {}
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        return {}
    told = {ours: _plain(found[theirs]) for theirs, ours in _SPAN_SETTINGS.items() if found.get(theirs) is not None}
    return {name: value for name, value in told.items() if value is not None}


def _plain(value: object) -> object:
    """A number as it is, JSON text as what it says, any other text not at all."""
    if isinstance(value, str):
        try:
            return _plain(json.loads(value)) if not isinstance(json.loads(value), str) else None
        except ValueError:
            return None
    return value


def _size(messages: Sequence[dict[str, object]]) -> int:
    return len(json.dumps(messages, ensure_ascii=False))
