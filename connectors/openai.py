"""An endpoint that speaks OpenAI's API (OpenAI, Azure, vLLM, Ollama, llama.cpp, gateways): answers and vectors.

It is asked by `aether-tui replay` and `taxonomy build --embeddings` only, never by a sync.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from connectors.answers import Again, Answer, Verdict, classify
from connectors.base import Denied, Gone, Malformed, Network, RateLimited, Refused, Transient
from connectors.fields import dig, integer, objects, text
from connectors.http import Http

SECRETS = ("api_key",)
_AGAIN = "try again later; nothing is sent by itself"
_ADDRESS = "is the address that of a chat endpoint?"


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer: its words (calls of tools as JSON), the counts the endpoint states (None: it states none), seconds it took."""

    output: str
    model: str | None
    finish: str | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    latency_s: float


class Endpoint:
    """One address and its key. A local server needs no key; any other without one is not asked."""

    def __init__(self, url: str, network: Network, key: str, *, ca_bundle: str = "", timeout_s: float = 120.0) -> None:
        self.host = urlsplit(url).netloc or url
        secrets = {} if not key and is_local(url) else {"api_key": key}
        self._http = Http(
            url,
            network,
            service=f"the endpoint {self.host}",
            secrets=secrets,
            headers={"Authorization": f"Bearer {key.strip()}"} if key else {},
            classify=_classify,
            ca_bundle=ca_bundle,
            timeout_s=timeout_s,
            paid=True,
        )

    async def complete(self, body: Mapping[str, object]) -> Completion:
        """The answer to one chat request. Raises SourceError; what may have been billed is not sent twice."""
        answer = await self._http.post("/chat/completions", body)
        found = _joined(answer.body) if _is_stream(answer) else answer.json
        choices = objects(found, "choices")
        if not choices:
            raise Malformed(f"{answer.asked} answered without a choice", hint=_ADDRESS)
        usage = dig(found, "usage")
        return Completion(
            output=_output(choices[0]),
            model=text(found, "model"),
            finish=text(choices[0], "finish_reason"),
            input_tokens=integer(usage, "prompt_tokens"),
            output_tokens=integer(usage, "completion_tokens"),
            cached_tokens=integer(usage, "prompt_tokens_details", "cached_tokens"),
            reasoning_tokens=integer(usage, "completion_tokens_details", "reasoning_tokens"),
            latency_s=answer.took_s,
        )

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in order. Raises SourceError."""
        answer = await self._http.post(
            "/embeddings", {"model": model, "input": list(texts), "encoding_format": "float"}
        )
        placed = {integer(item, "index"): dig(item, "embedding") for item in objects(answer.json, "data")}
        vectors = [placed.get(number) for number in range(len(texts))]
        sizes = {len(vector) if isinstance(vector, list) else 0 for vector in vectors}
        if len(sizes) != 1 or 0 in sizes:
            raise Malformed(
                f"{answer.asked} answered {len(placed)} vectors of sizes {sorted(sizes)} to {len(texts)} texts",
                hint="is it a model of embeddings?",
            )
        try:
            return [[float(number) for number in vector] for vector in vectors if isinstance(vector, list)]
        except (TypeError, ValueError) as error:
            raise Malformed(f"{answer.asked} answered vectors that are no numbers") from error

    async def check(self) -> str:
        """The address, once it has listed its models to us; nothing is generated."""
        found = objects((await self._http.get("/models")).json, "data")
        return f"{self.host}, {len(found)} models"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()


def is_local(url: str) -> bool:
    """Whether an address is of this machine: what it is sent stays here."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or url.startswith("replay:")


def _is_stream(answer: Answer) -> bool:
    return answer.body.lstrip().startswith(b"data:")


def _joined(body: bytes) -> dict[str, object]:
    """The pieces of a stream (`data: {…}` lines) as the answer they are pieces of: some servers stream although asked not to."""
    said: list[str] = []
    calls: dict[int, dict[str, str]] = {}
    found: dict[str, object] = {}
    finish: str | None = None
    for line in body.splitlines():  # of bytes: a text may hold other ends of lines, such as U+2028
        name, _, data = line.decode("utf-8", "replace").partition(":")
        try:
            piece = json.loads(data) if name == "data" else None
        except ValueError:  # [DONE], or what broke off
            continue
        found |= {key: dig(piece, key) for key in ("model", "usage") if dig(piece, key) is not None}
        for choice in objects(piece, "choices")[:1]:
            said.append(text(choice, "delta", "content") or "")
            finish = text(choice, "finish_reason") or finish
            for call in objects(choice, "delta", "tool_calls"):
                pieces = calls.setdefault(integer(call, "index") or 0, {"name": "", "arguments": ""})
                for key in pieces:
                    pieces[key] += text(call, "function", key) or ""
    message = {"content": "".join(said), "tool_calls": [{"function": call} for call in calls.values()]}
    whole = [{"message": message, "finish_reason": finish}] if finish or said or calls else []
    return {"choices": whole, **found}


def _output(choice: object) -> str:
    """The words of a choice; calls of tools follow as JSON, one a line."""
    content = dig(choice, "message", "content")
    if isinstance(content, list):
        content = "\n".join(filter(None, (text(part, "text") for part in content)))
    words = [content] if isinstance(content, str) and content else []
    calls = [dig(call, "function") for call in objects(choice, "message", "tool_calls")]
    return "\n".join([*words, *(json.dumps(call, ensure_ascii=False, sort_keys=True) for call in calls)])


def _classify(answer: Answer) -> Verdict:
    """What answers mean here, with the hints of a request that costs money."""
    if answer.status == 200 and _is_stream(answer):
        return None
    verdict = classify(answer)
    match verdict:
        case Again(error=RateLimited()) if (dig(answer.document, "error", "code")) == "insufficient_quota":
            return Refused(verdict.error.what, hint="the account has no credit left")
        case Again(error=Transient() | RateLimited()):
            verdict.error.hint = _AGAIN
        case Again(error=Malformed()):
            verdict.error.hint = _ADDRESS
            return verdict.error
        case Gone():
            verdict.hint = "check the address and the name of the model"
        case Denied():
            verdict.hint = ""
        case Refused():
            verdict.hint = "the endpoint does not take this request; `--model` names another model"
        case _:
            pass
    return verdict
