"""What a replay would send, and what it would cost at least, probably and at most: shown before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from aether_tui.config import Config
from aether_tui.config import Replay as Settings
from aether_tui.errors import ConfigurationError
from aether_tui.ingest.asked import SETTINGS
from aether_tui.ingest.prices import Prices, Usage
from aether_tui.replay.recorded import Recorded

CHARS_A_TOKEN = 4
"""For inputs whose tokens nobody counted: an estimate for English."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request to one model. `worst_usd` cannot be passed: a byte is at least a token, and the output is limited."""

    call: Recorded
    model: str
    body: dict[str, object]
    repeat: int
    limited: bool
    expected_usd: float
    worst_usd: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that would be sent, in order."""

    shots: tuple[Shot, ...]
    requests: int
    models: tuple[str, ...]
    repeats: int
    host: str
    max_cost_usd: float

    @property
    def expected_usd(self) -> float:
        """Most likely cost: recorded token counts at today's prices."""
        return sum(shot.expected_usd for shot in self.shots)

    @property
    def worst_usd(self) -> float:
        """What it costs when every answer is as long as it may be."""
        return sum(shot.worst_usd for shot in self.shots)

    def not_recorded(self) -> list[tuple[int, str]]:
        """What may differ from what was sent then because nobody recorded it: how many requests, and what."""
        calls = {(shot.call.trace, shot.call.span): shot for shot in self.shots}.values()
        settings = set(SETTINGS) - {"max_tokens", "max_completion_tokens"}
        bare = sum(not settings & set(shot.call.request) for shot in calls)
        told = (
            (sum(shot.call.as_text for shot in calls), "are a text without roles: sent as what one user said"),
            (bare, "carry no settings such as temperature: the endpoint's own hold"),
            (sum(shot.limited for shot in calls), "carry no limit of output: ours holds ([replay] max_output_tokens)"),
        )
        return [(n, what) for n, what in told if n]

    @property
    def chars(self) -> int:
        """Characters of everything sent."""
        return sum(len(json.dumps(shot.body["messages"], ensure_ascii=False)) for shot in self.shots)


def planned(
    calls: Sequence[Recorded],
    config: Config,
    *,
    host: str,
    model: str | None,
    both: bool,
    repeats: int,
    max_cost_usd: float | None,
    now: datetime,
) -> Plan:
    """The shots of a replay: each call to `model` (else the one it was recorded with), with `both` to both, interleaved.

    Raises ConfigurationError for a model without a price and for an expected cost above the budget.
    """
    prices, settings = Prices(config.prices), config.replay
    budget = settings.max_cost_usd if max_cost_usd is None else max_cost_usd
    shots = [
        _shot(call, name, repeat, settings, prices, now)
        for call in calls
        for repeat in range(1, repeats + 1)
        for name in dict.fromkeys(([call.model] if both else []) + [model or call.model])
    ]
    models = tuple(dict.fromkeys(shot.model for shot in shots))
    plan = Plan(tuple(shots), len(calls), models, repeats, host, budget)
    if plan.expected_usd > budget:
        raise ConfigurationError(
            f"it would cost about {plan.expected_usd:.4f} USD, more than the budget of {budget:g}",
            where="--max-cost",
            next_step="replay fewer, or raise the budget",
        )
    return plan


def _shot(call: Recorded, model: str, repeat: int, settings: Settings, prices: Prices, now: datetime) -> Shot:
    body = {**call.request, "model": model, "stream": False}
    limits = [value for name in ("max_tokens", "max_completion_tokens") if isinstance(value := body.get(name), int)]
    if not limits:
        body[settings.output_limit] = settings.max_output_tokens
    elif settings.output_limit not in body:  # the endpoint's word for it
        body = {name: value for name, value in body.items() if name not in ("max_tokens", "max_completion_tokens")}
        body[settings.output_limit] = min(limits)
    limit = min(limits) if limits else settings.max_output_tokens
    size = json.dumps({name: body[name] for name in ("messages", "tools") if name in body}, ensure_ascii=False)
    likely_in = call.input_tokens if call.input_tokens is not None else max(len(size) // CHARS_A_TOKEN, 1)
    likely_out = min(call.output_tokens if call.output_tokens is not None else limit, limit)
    provider = call.provider if model == call.model else None
    expected = cost(prices, provider, model, now, likely_in, likely_out)
    worst = cost(prices, provider, model, now, max(len(size.encode()), likely_in), limit)
    if expected is None or worst is None:
        raise ConfigurationError(
            f"nobody knows the price of {model!r}, so no budget can hold",
            where="aether.toml: prices",
            next_step="add a [[prices]] table for it; a model of your own may cost 0",
        )
    return Shot(call, model, body, repeat, not limits, float(expected), float(worst))


def cost(
    prices: Prices, provider: str | None, model: str, at: datetime, tokens_in: int | None, tokens_out: int | None,
    cached: int = 0, reasoning: int = 0,
) -> Decimal | None:  # fmt: skip
    """USD of one call at today's prices; None where the counts or the price are not known."""
    if tokens_in is None or tokens_out is None:
        return None
    usage = Usage(tokens_in, tokens_out, cached=min(cached, tokens_in), reasoning=min(reasoning, tokens_out))
    return prices.cost(provider, model, at.replace(tzinfo=None), usage, None).usd
