"""What a model call cost: as the source reports it, else by the user's prices, else by the shipped table (genai-prices).

Cost = Σ tokens × price ÷ 10⁶, where the cached, cache-written and reasoning parts of the tokens have their own prices and
a prompt above a tier's threshold pays that tier for all of its tokens. Money is `Decimal` throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from aether_tui.config import Price
from aether_tui.ingest.words import wildcard

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

CostStatus = Literal["reported", "priced", "unpriced"]
MILLION = Decimal(1_000_000)
_PLACES = Decimal("1e-12")
_REMEMBERED_DAYS: Final = 4096
_LONGEST_NAME: Final = 256

NOT_CALLS = frozenset(
    {"invoke_agent", "create_agent", "agent", "execute_tool", "tool", "chain", "workflow", "invoke_workflow", "task",
     "retrieval", "retriever", "guardrail", "evaluator", "plan"}
)  # fmt: skip
"""Operations that only hold model calls, or none: their tokens and costs are those of the calls inside."""

# Providers whose OpenTelemetry names (gen_ai.provider.name) the price table does not know by itself.
_PROVIDERS = {"azure.ai.inference": "azure", "x_ai": "x-ai"}


class Usage(NamedTuple):
    """Tokens of one call, as in `spans`: cached and written ones are part of the input, reasoning ones of the output."""

    input: int | None
    output: int | None
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


class Cost(NamedTuple):
    """USD and where the number comes from; null and `unpriced` when nobody knows the model's price."""

    usd: Decimal | None
    status: CostStatus | None
    price_version: str | None


@dataclass(frozen=True, slots=True)
class Rate:
    """USD per million tokens: from `tiers` the price of the highest threshold that the prompt exceeds, else `base`."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def of(self, prompt_tokens: int) -> Decimal:
        """The price that a prompt of this length pays."""
        if self.tiers:
            for start, price in reversed(self.tiers):
                if prompt_tokens > start:
                    return price
        return self.base


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of one model at one time; None: not sold (input, output), or priced as the whole it is part of."""

    input: Rate | None
    output: Rate | None
    cached: Rate | None = None
    cache_write: Rate | None = None
    reasoning: Rate | None = None
    usd_per_request: Decimal = Decimal(0)

    def cost(self, usage: Usage) -> Decimal | None:
        """USD of one call; None where a needed count is missing or the counts contradict each other."""
        if self.input is None and self.output is None:
            return None
        if (usage.input is None and _costs(self.input)) or (usage.output is None and _costs(self.output)):
            return None
        prompt, written = usage.input or 0, usage.output or 0
        total = self.usd_per_request
        if not (usage.cached or usage.cache_write or usage.reasoning):  # most calls; the loop below says the same
            if prompt < 0 or written < 0:
                return None
            if self.input is not None:
                total += prompt * self.input.of(prompt) / MILLION
            if self.output is not None:
                total += written * self.output.of(prompt) / MILLION
            return total.quantize(_PLACES)
        for whole, rate, parts in (
            (prompt, self.input, ((usage.cached, self.cached), (usage.cache_write, self.cache_write))),
            (written, self.output, ((usage.reasoning, self.reasoning),)),
        ):
            rest = whole
            for tokens, part in parts:
                if part is not None:
                    total += tokens * part.of(prompt) / MILLION
                    rest -= tokens
            if rest < 0 or min(tokens for tokens, _ in parts) < 0:
                return None
            if rate is not None:
                total += rest * rate.of(prompt) / MILLION
        return total.quantize(_PLACES)


def is_model_call(
    model: str | None, operation: str | None, input_tokens: int | None, output_tokens: int | None
) -> bool:
    """Whether a span is a call of a model, and so costs something by itself."""
    return model is not None and (input_tokens is not None or output_tokens is not None) and operation not in NOT_CALLS


def table_version() -> str:
    """Name and version of the shipped price table; read from package metadata, so that the table is not imported."""
    return f"genai-prices {version('genai-prices')}"


@dataclass(frozen=True, slots=True)
class DayRates:
    """What a model costs on one day (UTC). `varies`: not the same all day, so ask for each call."""

    rates: Rates | None
    price_version: str
    varies: bool = False


class Prices:
    """The user's prices over the shipped table. The table is imported at the first model it is asked for."""

    def __init__(self, overrides: Sequence[Price] = ()) -> None:
        # The latest valid_from wins; of two of one day the later in the file.
        ordered = sorted(enumerate(overrides), key=lambda item: (item[1].valid_from, item[0]), reverse=True)
        self._overrides = [(wildcard(price.model), price.valid_from, _override(price)) for _, price in ordered]
        self._expanded: dict[int, Rates] = {}
        self._days: dict[tuple[str | None, str, int], DayRates] = {}
        self.version = table_version()

    def cost(self, provider: str | None, model: str, at: datetime, usage: Usage, reported: Decimal | None) -> Cost:
        """The cost of one call at `at` (UTC). A reported cost beats a computed one."""
        if reported is not None:
            return Cost(reported, "reported", None)
        found = self.of_day(provider, model, at)
        return _priced(None if found.rates is None else found.rates.cost(usage), found.price_version)

    def of_day(self, provider: str | None, model: str, at: datetime) -> DayRates:
        """The prices at `at` (UTC), and whether they are those of its whole day."""
        key = provider, model, at.toordinal()
        known = self._days.get(key)
        if known is None:
            known = self._of_day(provider, model, at)
            if not known.varies and len(model) <= _LONGEST_NAME:
                if len(self._days) >= _REMEMBERED_DAYS:
                    self._days.clear()
                self._days[key] = known
        return known

    def _of_day(self, provider: str | None, model: str, at: datetime) -> DayRates:
        day = f"{at:%Y-%m-%d}"
        for pattern, valid_from, rates in self._overrides:
            if valid_from <= day and pattern.fullmatch(model.casefold()):
                return DayRates(rates, f"aether.toml {valid_from}")
        found = shipped(provider, model)
        if found is None:
            return DayRates(None, self.version)
        return DayRates(self._rates(found, at), self.version, _by_the_clock(found))

    def _rates(self, info: ModelInfo, at: datetime) -> Rates:
        price = info.get_prices(at)
        # By identity: the table's objects are not hashable, and live as long as the process.
        rates = self._expanded.get(id(price))
        if rates is None:
            rates = self._expanded[id(price)] = _expand(price)
        return rates


@lru_cache(maxsize=4096)
def _clocked(constraints: tuple[type, ...]) -> bool:
    from genai_prices.types import StartDateConstraint

    return any(kind not in (StartDateConstraint, type(None)) for kind in constraints)


def _by_the_clock(info: ModelInfo) -> bool:
    """Whether some price of a model holds for hours only."""
    prices = info.prices if isinstance(info.prices, list) else []
    return _clocked(tuple(type(price.constraint) for price in prices))


def _costs(rate: Rate | None) -> bool:
    return rate is not None and rate.base > 0


def _priced(usd: Decimal | None, price_version: str) -> Cost:
    return Cost(usd, "unpriced" if usd is None else "priced", price_version)


def _override(price: Price) -> Rates:
    def rate(value: Decimal | None) -> Rate | None:
        return None if value is None else Rate(value)

    return Rates(
        rate(price.input_usd_per_million),
        rate(price.output_usd_per_million),
        rate(price.cached_usd_per_million),
        rate(price.cache_write_usd_per_million),
    )


@lru_cache(maxsize=4096)
def shipped(provider: str | None, model: str) -> ModelInfo | None:
    """The shipped entry of a model: sought at its provider, then by the model's name alone, also where several providers sell it
    if all ask the same for it."""
    from genai_prices.data_snapshot import get_snapshot

    names = [None] if provider is None else [_PROVIDERS.get(provider.casefold(), provider), None]
    for name in names:
        try:
            return get_snapshot().find_provider_model(model, None, name, None)[1]
        except LookupError:
            continue
    name = model.casefold()
    sold = [entry for seller in get_snapshot().providers for entry in seller.models if entry.is_match(name)]
    return sold[0] if sold and all(entry.prices == sold[0].prices for entry in sold) else None


def _expand(price: ModelPrice) -> Rates:
    per_thousand_requests = _rate(price.requests_kcount)
    return Rates(
        _rate(price.input_mtok),
        _rate(price.output_mtok),
        _rate(price.cache_read_mtok),
        _rate(price.cache_write_mtok),
        _rate(price.output_reasoning_mtok),
        Decimal(0) if per_thousand_requests is None else per_thousand_requests.base / 1000,
    )


def _rate(value: object) -> Rate | None:
    from genai_prices.types import TieredPrices

    if isinstance(value, TieredPrices):
        return Rate(value.base, tuple((tier.start, tier.price) for tier in value.tiers))
    return Rate(value) if isinstance(value, Decimal) else None
