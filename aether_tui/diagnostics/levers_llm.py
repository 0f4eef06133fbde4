"""Levers of model use: prefixes a provider could cache, requests asked before, categories a smaller model could answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from aether_tui.diagnostics.frame import Data, Parameter, Record, real, text, whole
from aether_tui.diagnostics.levers_model import DAYS_A_MONTH, Found, Lever, Unknown
from aether_tui.diagnostics.sampling import after, moments, newest_begin, newest_since
from aether_tui.human import amount, money, number, plural
from aether_tui.ingest.prices import Prices, Usage
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line

CACHEABLE = 1024
"""Tokens from which providers cache a prefix."""
LEAST_REQUESTS = 30
CHEAPER = 0.7
GOOD = 0.7
"""A category whose lower bound of success is below this is not made cheaper, but better."""
WORTH_USD = 0.01
LOOKED = 10_000
"""Requests whose spans are read; where the window has many more, what they cost stands for all."""


def find(data: Data, prices: Prices) -> Found:
    """Levers of prompts, requests and categories, and what traces cannot tell."""
    clock = data.clock
    a_month = DAYS_A_MONTH * 86_400 / (clock.window.end - clock.window.start).total_seconds()
    live = data.live()
    repeats: dict[str, Parameter] = {"since": newest_begin(data, LOOKED, live)}
    data.together(*after(data, LOOKED, live), levers_repeats=repeats)
    looked, (_, newer) = moments(data, LOOKED, live), newest_since(data, LOOKED, live)
    asked = {"levers_models": looked.asked, "levers_prompts": looked.asked, "levers_repeats": repeats}
    data.together(**asked)
    rows = {name: data.rows(name, **params) for name, params in asked.items()}
    scale = looked.n / looked.tasks if looked.tasks else 1.0
    recent = looked.n / newer if newer else 1.0
    of_sample = f"{looked.sentence()} Scaled up to all of them." if scale > 1 else ""
    of_newest = f" Of the newest {newer:,} of {looked.n:,} requests, scaled up to all of them." if recent > 1 else ""
    levers = [
        *_prefixes(rows["levers_prompts"], prices, clock.now, a_month * scale, of_sample),
        *_repeats(rows["levers_repeats"], a_month * recent, of_newest),
        *_smaller(rows["levers_models"], a_month * scale, of_sample),
    ]
    return levers, _unknown(rows, levers)


def _unknown(rows: Mapping[str, Sequence[Record]], levers: Sequence[Lever]) -> list[Unknown]:
    reasons = {
        "Cacheable prefix": ("levers_prompts", "no call names its prompt (gen_ai.prompt.name)",
                             "no prompt of 1,024 tokens and more that is not cached yet"),
        "Repeated requests": ("levers_repeats", "no request has a hash: traces carry no input", "nothing was asked twice"),
        "Smaller model": ("levers_models", "no request has a category and a priced model",
                          "no category does well with a model that has a cheaper one beside it"),
    }  # fmt: skip
    found = {one.lever for one in levers}
    return [
        Unknown(surface="llm", lever=lever, reason=without if rows[query] else missing)
        for lever, (query, missing, without) in reasons.items()
        if lever not in found
    ]


def _prefixes(rows: Sequence[Record], prices: Prices, at: datetime, a_month: float, of: str) -> list[Lever]:
    levers = []
    for row in rows:
        whole_input, output, cached = (round(real(row[name])) for name in ("input", "output", "cached"))
        prefix = min(whole(row["shortest"]), whole_input)
        if prefix < CACHEABLE or prefix <= cached:
            continue
        provider, model = text(row["provider"]) or None, text(row["model"])
        now, then = (
            prices.cost(provider, model, at, Usage(whole_input, output, part), None).usd for part in (cached, prefix)
        )
        saved = 0.0 if now is None or then is None else float(now - then) * whole(row["n"]) * a_month
        if saved < WORTH_USD:
            continue
        name = one_line(text(row["prompt"]), 50)
        why = (
            f"No call of {name} is shorter than {number(prefix)} tokens, so at most that much is the same every time; "
            f"{number(cached)} are read from a cache already. High: all of it cached, at the provider's price for cached input. "
            "Low: nothing of it is the same. The prompt itself tells which."
        )
        behind = (
            ("calls", f"{whole(row['n']):,}"), ("input per call", f"{number(whole_input)} tokens"),
            ("shortest input", f"{number(prefix)} tokens"), ("cached per call", f"{number(cached)} tokens"),
            ("cost", money(real(row["cost"]), "USD")),
        )  # fmt: skip
        levers.append(
            _lever(
                f"llm.prefix.{name}.{model}",
                "Cacheable prefix",
                f"{name} · {one_line(model, 40)}",
                0.0,
                saved,
                whole(row["n"]),
                "call",
                why + of,
                behind,
            )
        )
    return levers


def _repeats(rows: Sequence[Record], a_month: float, of: str) -> list[Lever]:
    levers = []
    for row in rows:
        if not whole(row["repeats"]) or real(row["cost"]) * a_month < WORTH_USD:
            continue
        feature = one_line(text(row["feature"]), 50)
        share = whole(row["repeats"]) / whole(row["n"])
        why = (
            f"{amount(share, 'ratio')} of the requests had been asked before, word by word. Low: those within an hour of the same "
            "one. High: all of them, the upper bound of a cache of answers; a semantic cache also answers alike ones, which no "
            "hash shows."
        )
        behind = (
            ("requests", f"{whole(row['n']):,}"),
            ("asked before", f"{whole(row['repeats']):,}"),
            ("their cost", money(real(row["cost"]), "USD")),
        )
        low, high = (real(row[name]) * a_month for name in ("soon", "cost"))
        levers.append(
            _lever(
                f"llm.repeats.{feature}",
                "Repeated requests",
                feature,
                low,
                high,
                whole(row["n"]),
                "request",
                why + of,
                behind,
            )
        )
    return levers


def _smaller(rows: Sequence[Record], a_month: float, of: str) -> list[Lever]:
    """Categories that go well with a model far dearer per token than another one in use."""
    per_token: dict[str, float] = {}
    for model in {text(row["model"]) for row in rows}:
        mine = [row for row in rows if row["model"] == model and real(row["tokens"])]
        if sum(whole(row["n"]) for row in mine) >= LEAST_REQUESTS:
            per_token[model] = sum(real(row["cost"]) for row in mine) / sum(real(row["tokens"]) for row in mine)
    if len(per_token) < 2:
        return []
    cheapest = min(per_token, key=lambda model: (per_token[model], model))
    levers = []
    for row in rows:
        model, cluster, told = text(row["model"]), row["cluster"], whole(row["told"])
        if (
            cluster is None
            or model not in per_token
            or per_token[cheapest] > CHEAPER * per_token[model]
            or told < LEAST_REQUESTS
        ):
            continue
        low_rate, high_rate = wilson(whole(row["succeeded"]), told)
        saved = (real(row["cost"]) - real(row["tokens"]) * per_token[cheapest]) * a_month
        if low_rate < GOOD or saved < WORTH_USD:
            continue
        name = one_line(str(cluster), 40)
        why = (
            f"{amount(low_rate, 'ratio')}–{amount(high_rate, 'ratio')} of {plural(told, 'judged request')} succeed with {model}. High: "
            f"the same tokens at what {cheapest} costs here. Low: it fails too often to be used; an experiment on this category tells."
        )
        behind = (
            (f"{one_line(model, 40)}, now", f"{money(per_token[model] * 1e6, 'USD')} per million tokens"),
            (f"{one_line(cheapest, 40)}, in use elsewhere", f"{money(per_token[cheapest] * 1e6, 'USD')} per million tokens"),
            ("cost of the category", money(real(row["cost"]), "USD")),
        )  # fmt: skip
        levers.append(
            _lever(
                f"llm.smaller.{name}.{model}",
                "Smaller model",
                f"{name} · {one_line(model, 40)}",
                0.0,
                saved,
                whole(row["n"]),
                "request",
                why + of,
                behind,
            )
        )
    return levers


def _lever(
    identity: str,
    lever: str,
    where: str,
    low: float,
    high: float,
    n: int,
    of: str,
    why: str,
    rows: tuple[tuple[str, str], ...],
) -> Lever:
    return Lever(
        id=identity, surface="llm", lever=lever, where=where, low=low, high=high, unit="money/month", n=n, of=plural(n, of),
        why=why, rows=rows,
    )  # fmt: skip
