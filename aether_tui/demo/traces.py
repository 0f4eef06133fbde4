"""Traces of the assistant, as OTLP JSON lines (the collector's file exporter writes the same).

A trace is an agent's answer: a router, retrieval, tools, and model calls with growing context.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random

from aether_tui.demo.words import ANSWERS, INSTRUCTIONS, KINDS, Kind
from aether_tui.demo.world import (
    DAYS,
    EXPERIMENT_DAYS,
    PROMPT_CHANGE_DAYS,
    RETRIEVAL_TROUBLE_DAYS,
    WEEKDAY_TRAFFIC,
    World,
    lognormal,
    poisson,
)

REQUESTS_PER_DAY = 56.0
FILE_DAYS = 24
"""Days of a file: its spans fit into one lease of the cache."""
ROUTED_SHARE = 0.86
OUTCOME_SHARE = 0.64
WORDS_DAYS = 7
"""So many days back the words of an answer are kept: instructions, request and answer."""
PROMPT_GROWTH = 1.315
"""Tokens of the refund agent's own calls after the change: 31 % more per task, the router's tokens included."""

_ENVIRONMENTS = (("production", 0.88), ("staging", 0.09), ("dev", 0.03))
_TEAM_OF = {"assist-api": "Conversations", "retrieval": "Answers", "agent-desk": "Platform"}
_PROVIDER = {
    "gpt-4.1-mini": "openai",
    "gpt-4.1": "openai",
    "claude-sonnet-4-5": "anthropic",
    "northwind-triage-ft-3": "northwind",
}
_SPEED = {
    "gpt-4.1-mini": (0.34, 128.0),
    "gpt-4.1": (0.52, 92.0),
    "claude-sonnet-4-5": (0.84, 74.0),
    "northwind-triage-ft-3": (0.21, 160.0),
}
"""Median seconds to the first token, and tokens per second after it."""
_HOURS = tuple([0.2] * 6 + [0.5, 0.9, 1.4, 1.8, 2.0, 1.9, 1.7, 1.7, 1.8, 1.8, 1.7, 1.6, 1.5, 1.6, 1.5, 1.1, 0.7, 0.4])
_DATABASE = {
    "refunds": "policies",
    "policies": "policies",
    "orders": "help-pages",
    "product-questions": "catalogue",
    "handover": "cases",
}
_ODD_TOOL = "order_lookup\x1b[31m[@click=app.quit]x[/]\u202e"


def _text(key: str, value: str) -> str:
    return f'{{"key":"{key}","value":{{"stringValue":{json.dumps(value)}}}}}'


def _word(key: str, value: str) -> str:
    return f'{{"key":"{key}","value":{{"stringValue":"{value}"}}}}'


def _int(key: str, value: int) -> str:
    return f'{{"key":"{key}","value":{{"intValue":"{value}"}}}}'


def _float(key: str, value: float) -> str:
    return f'{{"key":"{key}","value":{{"doubleValue":{value:.3f}}}}}'


class _Trace:
    """One answer being written down: spans by the service that reports them."""

    def __init__(self, rng: Random, start_ms: int) -> None:
        self.id = f"{rng.getrandbits(128):032x}"
        self.now = start_ms
        self.rng = rng
        self.spans: list[tuple[str, str]] = []

    def span_id(self) -> str:
        return f"{self.rng.getrandbits(64) | 1:016x}"

    def add(
        self,
        service: str,
        name: str,
        span: str,
        parent: str,
        start_ms: int,
        kind: int,
        attributes: list[str],
        failed: bool,
    ) -> None:
        above = f'"parentSpanId":"{parent}",' if parent else ""
        status = '{"code":2}' if failed else "{}"
        self.spans.append((service, (
            f'{{"traceId":"{self.id}","spanId":"{span}",{above}"name":{json.dumps(name)},"kind":{kind},'
            f'"startTimeUnixNano":"{start_ms}000000","endTimeUnixNano":"{self.now}000000",'
            f'"attributes":[{",".join(attributes)}],"status":{status}}}'
        )))  # fmt: skip


class _Agent:
    """Answers requests the way the product did on that day."""

    def __init__(self, world: World) -> None:
        self.rng = world.rng("traces")
        self.conversations = 0
        self.conversation = ""
        self.user = ""
        self.odd = 3
        """So many calls of a tool with a hostile name."""

    def answer(self, at_ms: int, ago: float, environment: str, kind: Kind) -> list[tuple[str, str]]:
        """The spans of one request, as (service, JSON)."""
        rng = self.rng
        trace = _Trace(rng, at_ms)
        self._who()
        service = "agent-desk" if kind.scenario == "escalation" else "assist-api"
        root = trace.span_id()
        work = [_word("app.feature", kind.feature)] if rng.random() < 0.94 else []
        tags = [_word("user.id", self.user), *work] if rng.random() < 0.98 else work
        version = "v14" if ago < PROMPT_CHANGE_DAYS else "v13" if ago < 52 else "v12"
        growth = PROMPT_GROWTH if kind.scenario == "refund" and version == "v14" else 1.0
        ask, thing = rng.choice(kind.asks), rng.choice(kind.things)
        request = ask.format(thing)
        if rng.random() < 0.3:
            request = f"{request}, order {rng.randint(10_000, 99_999)}"

        self._call(trace, service, root, tags, "gpt-4.1-mini" if rng.random() > 0.012 else "northwind-triage-ft-3",
                   430, 12, ("router", "v6"), request)  # fmt: skip
        trouble = False
        if kind.feature in _DATABASE:
            trouble = self._retrieve(
                trace, root, work, _DATABASE[kind.feature], 0.047 if ago < RETRIEVAL_TROUBLE_DAYS else 0.034
            )
        prompt = (f"{kind.scenario}-agent", version if kind.scenario == "refund" else "v9")
        context = lognormal(rng, kind.input_tokens * growth, 0.16)
        for tool in kind.tools:
            self._call(trace, service, root, tags, kind.model, context, kind.output_tokens * 0.35 * growth, prompt)
            trouble |= self._tool(trace, service, root, work, tool)
            context *= 1.04
        words = (request, ANSWERS[kind.scenario].format(thing)) if ago <= WORDS_DAYS else ("", "")
        lost = self._call(trace, service, root, tags, kind.model, context, kind.output_tokens * growth, prompt, *words)
        if lost and rng.random() < 0.8:
            lost = self._call(trace, service, root, tags, kind.model, context, kind.output_tokens * growth, prompt)
        if trouble and rng.random() < 0.35:
            self._call(trace, service, root, tags, kind.model, context * 1.05, kind.output_tokens * growth, prompt)

        attributes = [
            _word("gen_ai.operation.name", "invoke_agent"), _word("gen_ai.agent.name", f"{kind.scenario}-agent"),
            _word("gen_ai.conversation.id", self.conversation), _word("app.scenario", kind.scenario), *tags,
        ]  # fmt: skip
        if rng.random() < ROUTED_SHARE:
            attributes.append(_word("app.intent", kind.name))
        if ago <= EXPERIMENT_DAYS:
            attributes.append(_word("app.variant", "treatment" if int(trace.id[:8], 16) % 2 else "control"))
        if rng.random() < OUTCOME_SHARE:
            good = not lost and rng.random() < kind.success - (0.25 if trouble else 0.0)
            attributes.append(_word("app.outcome", "resolved" if good else "unresolved"))
        trace.now += rng.randint(4, 30)
        trace.add(service, f"invoke_agent {kind.scenario}-agent", root, "", at_ms, 2, attributes, lost)
        return trace.spans

    def _who(self) -> None:
        """A new conversation, or (one time in four) the next turn of the last one."""
        if not self.user or self.rng.random() > 0.25:
            self.conversations += 1
            self.conversation = f"c-{self.conversations:06d}"
            self.user = f"u-{int(self.rng.paretovariate(0.9)) % 5000:05d}"

    def _call(self, trace: _Trace, service: str, root: str, tags: list[str], model: str, tokens_in: float, tokens_out: float,
              prompt: tuple[str, str], request: str = "", answer: str = "") -> bool:  # fmt: skip
        """One model call; returns whether it failed."""
        rng, start = self.rng, trace.now
        failed = rng.random() < 0.011
        first_token, per_second = _SPEED[model]
        first = lognormal(rng, first_token, 0.32)
        spent_in, spent_out = int(tokens_in), max(1, int(lognormal(rng, tokens_out, 0.24)))
        trace.now += int(20_000 if failed else 1000 * (first + spent_out / per_second))
        attributes = [
            _word("gen_ai.operation.name", "chat"), _word("gen_ai.provider.name", _PROVIDER[model]),
            _word("gen_ai.prompt.name", prompt[0]), _word("gen_ai.prompt.version", prompt[1]),
            _int("gen_ai.usage.input_tokens", spent_in), *tags,
        ]  # fmt: skip
        if failed:
            attributes += [_word("error.type", "timeout"), _word("gen_ai.request.model", model)]
        else:
            attributes += [
                _word("gen_ai.response.model", model), _int("gen_ai.usage.output_tokens", spent_out),
                _float("gen_ai.response.time_to_first_chunk", first),
            ]  # fmt: skip
            if spent_in > 1024:
                attributes.append(_int("gen_ai.usage.cache_read.input_tokens", int(spent_in * rng.uniform(0.22, 0.44))))
        if request:
            attributes.append(_text("gen_ai.input.messages", _message("user", request)))
        if answer:
            attributes += [_text("gen_ai.system_instructions", INSTRUCTIONS), _float("gen_ai.request.temperature", 0.2)]
            attributes += [] if failed else [_text("gen_ai.output.messages", _message("assistant", answer))]
        trace.add(service, f"chat {model}", trace.span_id(), root, start, 3, attributes, failed)
        return failed

    def _retrieve(self, trace: _Trace, root: str, tags: list[str], database: str, error_share: float) -> bool:
        start, failed = trace.now, self.rng.random() < error_share
        trace.now += int(lognormal(self.rng, 2400 if failed else 130, 0.45))
        attributes = [_word("gen_ai.operation.name", "retrieval"), _word("gen_ai.data_source.id", database), *tags]
        if failed:
            attributes.append(_word("error.type", "index_timeout"))
        trace.add("retrieval", f"retrieval {database}", trace.span_id(), root, start, 3, attributes, failed)
        return failed

    def _tool(self, trace: _Trace, service: str, root: str, tags: list[str], tool: str) -> bool:
        start, failed = trace.now, self.rng.random() < 0.019
        trace.now += int(lognormal(self.rng, 240, 0.6))
        name = tool
        if self.odd and tool == "order_lookup":
            self.odd -= 1
            name = _ODD_TOOL
        attributes = [_word("gen_ai.operation.name", "execute_tool"), _text("gen_ai.tool.name", name), *tags]
        if failed:
            attributes.append(_word("error.type", "upstream_503"))
        trace.add(service, f"execute_tool {name}", trace.span_id(), root, start, 1, attributes, failed)
        return failed


def _message(role: str, words: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": words}]}], ensure_ascii=False)


def _document(spans: dict[tuple[str, str], list[str]]) -> str:
    """One export request: spans by the service and environment that sent them."""
    groups = []
    for (service, environment), texts in spans.items():
        resource = ",".join((
            _word("service.name", service), _word("deployment.environment.name", environment), _word("app.team", _TEAM_OF[service]),
        ))  # fmt: skip
        groups.append(
            f'{{"resource":{{"attributes":[{resource}]}},"scopeSpans":[{{"scope":{{"name":"northwind.assist"}},'
            f'"spans":[{",".join(texts)}]}}]}}'
        )
    return f'{{"resourceSpans":[{",".join(groups)}]}}\n'


def days(world: World) -> Iterator[tuple[datetime, str]]:
    """Each day with its spans as one OTLP document on a line."""
    agent = _Agent(world)
    rng = agent.rng
    weights = [kind.share for kind in KINDS]
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - instants here are naive UTC
    for index, day in enumerate(world.days()):
        ago = world.ago(day)
        growth = 0.8 + 0.4 * index / DAYS
        count = poisson(rng, REQUESTS_PER_DAY * growth * WEEKDAY_TRAFFIC[day.weekday()] * 1.1)
        start_ms = int((day - epoch).total_seconds()) * 1000
        hours = rng.choices(range(24), _HOURS, k=count)
        moments = sorted(start_ms + hour * 3_600_000 + rng.randrange(3_500_000) for hour in hours)
        kinds = rng.choices(KINDS, weights, k=count)
        places = rng.choices([name for name, _ in _ENVIRONMENTS], [share for _, share in _ENVIRONMENTS], k=count)
        spans: dict[tuple[str, str], list[str]] = {}
        for moment, kind, environment in zip(moments, kinds, places, strict=True):
            for service, text in agent.answer(moment, ago, environment, kind):
                spans.setdefault((service, environment), []).append(text)
        yield day, _document(spans)


def write(world: World, folder: Path) -> None:
    """A file for every `FILE_DAYS`, named by its first day."""
    folder.mkdir(parents=True, exist_ok=True)
    every = list(days(world))
    for start in range(0, len(every), FILE_DAYS):
        part = every[start : start + FILE_DAYS]
        (folder / f"traces-{part[0][0]:%Y-%m-%d}.jsonl").write_text("".join(line for _, line in part), encoding="utf-8")
