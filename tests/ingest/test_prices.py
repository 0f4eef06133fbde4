"""Prices against the library itself, against hand arithmetic on published prices, and where there is none."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aether_tui.config import Config, Price
from aether_tui.ingest import Ingest
from aether_tui.ingest.prices import NOT_CALLS, Prices, Rate, Rates, Usage, table_version
from aether_tui.records import TABLES, Value

DAY = datetime(2026, 11, 1)  # noqa: DTZ001  # instants in rows are naive UTC
MODELS = (
    ("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("openai", "text-embedding-3-small"), ("openai", "gpt-5"),
    ("anthropic", "claude-sonnet-4-5"), ("anthropic", "claude-3-5-haiku-latest"), ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"), ("deepseek", "deepseek-chat"), ("mistral", "mistral-large-latest"),
    ("aws", "anthropic.claude-3-5-sonnet-20241022-v2:0"), ("groq", "llama-3.3-70b-versatile"),
)  # fmt: skip


@pytest.mark.parametrize(("provider", "model"), MODELS)
@settings(max_examples=25, deadline=None)
@given(
    prompt=st.integers(0, 400_000),
    output=st.integers(0, 50_000),
    cached=st.floats(0, 1),
    written=st.floats(0, 1),
    at=st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001  # as above
)
def test_the_same_number_as_the_library(
    provider: str, model: str, prompt: int, output: int, cached: float, written: float, at: datetime
) -> None:
    import genai_prices

    read = int(prompt * cached)
    write = int((prompt - read) * written)
    usage = genai_prices.Usage(
        input_tokens=prompt, output_tokens=output, cache_read_tokens=read, cache_write_tokens=write
    )
    oracle = genai_prices.calc_price(usage, model, provider_id=provider, genai_request_timestamp=at).total_price
    cost = Prices().cost(provider, model, at, Usage(prompt, output, read, write), None)
    assert cost.status == "priced"
    assert cost.price_version == table_version()
    assert cost.usd is not None
    assert abs(cost.usd - oracle) <= Decimal("1e-12")


def test_published_prices_by_hand() -> None:
    """gpt-4o: 2.50 USD input, 1.25 cached input, 10.00 output per million tokens."""
    cost = Prices().cost("openai", "gpt-4o", DAY, Usage(1005, 100, 200), None)
    assert cost.usd == (805 * Decimal("2.50") + 200 * Decimal("1.25") + 100 * 10) / 1_000_000


def test_a_model_of_an_unnamed_provider_has_a_price_where_all_ask_the_same() -> None:
    """OpenAI and Azure ask 0.02 USD per million tokens; four hosts of Qwen3-Next differ."""
    usage = Usage(1000, 0)
    assert Prices().cost(None, "text-embedding-3-small", DAY, usage, None).usd == Decimal("0.00002")
    assert Prices().cost("gateway", "Text-Embedding-3-Small", DAY, usage, None).usd == Decimal("0.00002")
    assert Prices().cost(None, "Qwen/Qwen3-Next-80B-A3B-Instruct", DAY, usage, None).status == "unpriced"


def test_a_tier_is_paid_by_every_token() -> None:
    rates = Rates(Rate(Decimal(1), ((200_000, Decimal(2)),)), Rate(Decimal(10), ((200_000, Decimal(20)),)))
    assert rates.cost(Usage(200_000, 10)) == Decimal("0.2001")
    assert rates.cost(Usage(200_001, 10)) == Decimal("0.400202")


def test_counts_that_are_missing_or_contradict_each_other_have_no_cost() -> None:
    rates = Rates(Rate(Decimal(1)), Rate(Decimal(2)), cached=Rate(Decimal("0.1")))
    assert rates.cost(Usage(None, 10)) is None
    assert rates.cost(Usage(10, None)) is None
    assert rates.cost(Usage(10, 1, cached=11)) is None
    assert rates.cost(Usage(10, 1, cached=-1)) is None
    assert Rates(Rate(Decimal(1)), None).cost(Usage(10, None)) == Decimal("0.00001")
    assert Rates(None, None).cost(Usage(10, 10)) is None


def test_the_users_prices() -> None:
    def price(model: str, day: str, dollars: int, cached: int | None = None) -> Price:
        return Price(
            model=model, valid_from=day, input_usd_per_million=Decimal(dollars), output_usd_per_million=Decimal(0),
            cached_usd_per_million=None if cached is None else Decimal(cached),
        )  # fmt: skip

    prices = Prices(
        [price("house-*", "2026-01-01", 3), price("HOUSE-*", "2026-06-01", 5, 1), price("gpt-4o", "2027-01-01", 9)]
    )

    def usd(model: str, at: datetime, usage: Usage) -> tuple[Decimal | None, str | None]:
        cost = prices.cost(None, model, at, usage, None)
        return cost.usd, cost.price_version

    million = Usage(1_000_000, 0)
    assert usd("House-1", DAY, million) == (Decimal(5), "aether.toml 2026-06-01")
    assert usd("house-1", DAY, Usage(1_000_000, 0, cached=500_000)) == (Decimal(3), "aether.toml 2026-06-01")
    assert usd("house-1", DAY.replace(month=5), million) == (Decimal(3), "aether.toml 2026-01-01")
    assert usd("house-1", DAY.replace(year=2025), million) == (None, table_version())
    assert usd("gpt-4o", DAY, million) == (Decimal("2.5"), table_version())


def span(**values: Value) -> tuple[Value, Value, Value]:
    table = TABLES["spans"]
    row = table.row(**{"trace_id": "t", "span_id": "s", "start": DAY, "operation": "chat", **values})
    (full,) = Ingest(Config(), bytes(32)).prepare(table, [row])
    every = dict(zip((column.name for column in table.columns), full, strict=True))
    return every["cost_usd"], every["cost_status"], every["price_version"]


def test_what_a_span_costs() -> None:
    tokens: dict[str, Value] = {"input_tokens": 1000, "output_tokens": 100}
    assert span(provider="openai", model="gpt-4o", **tokens) == (Decimal("0.0035"), "priced", table_version())
    assert span(model="gpt-4o", reported_cost_usd=Decimal("0.5"), **tokens) == (Decimal("0.5"), "reported", None)
    assert span(model="no-such-model", **tokens) == (None, "unpriced", table_version())
    assert span(provider="nobody", model="no-such-model", **tokens) == (None, "unpriced", table_version())
    assert span(provider="unheard-of", model="gpt-4o", **tokens)[1] == "priced"
    nothing = (None, None, None)
    assert span(model="gpt-4o") == nothing
    told = (Decimal(2), "reported", None)
    assert span(reported_cost_usd=Decimal(2)) == told, "a call that only says what it cost"
    assert span(model="gpt-4o", operation="Chat", reported_cost_usd=Decimal(2)) == told
    assert span(model="gpt-4o", operation="plan", reported_cost_usd=Decimal(2)) == nothing
    assert span(**tokens) == nothing
    for operation in NOT_CALLS:
        assert span(model="gpt-4o", operation=operation, reported_cost_usd=Decimal(1), **tokens) == nothing


def test_the_price_table_is_imported_only_for_a_price() -> None:
    code = (
        "import sys; from aether_tui.config import Config; from aether_tui.ingest import Ingest; "
        "from aether_tui.records import TABLES; t = TABLES['work_items']; "
        "Ingest(Config(), bytes(32)).prepare(t, [t.row(id='1')]); print('genai_prices' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
