"""The derived columns of every table, computed column by column from raw ones.

`VERSION` changes whenever the same input would give another output, so that what is cached is derived again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

import msgspec

from aether_tui.config import Config
from aether_tui.ingest.mapping import Mapper
from aether_tui.ingest.prices import Cost, Prices, Usage, is_model_call, table_version
from aether_tui.records import Row, Table, Value
from aether_tui.records.definitions import CALLS

VERSION = 4

_REDACTED = re.compile(r"\[([a-z_]+):[0-9a-f]{8}\]")

T = TypeVar("T")

Columns = Mapping[str, Sequence[Value]]
Derived = dict[str, Sequence[Value]]

_NOTHING: dict[str, str] = {}

INPUTS: dict[str, tuple[str, ...]] = {
    "work_items": ("source_team", "state", "state_type", "source_type", "labels", "project"),
    "work_transitions": ("source_team", "to_state", "to_type", "from_state", "from_type"),
    "pull_requests": ("repo", "labels"),
    "deployments": ("repo", "source_environment"),
    "pipeline_runs": ("repo",),
    "costs": ("tags", "account", "source_service"),
    "cost_estimates": ("project",),
    "spans": (
        "provider", "model", "operation", "start", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens",
        "reasoning_tokens", "reported_cost_usd", "attributes", "source_environment", "source_service",
        "request",
    ),
    "span_payloads": ("prompt", "completion"),
    "outcomes": ("name", "value"),
}  # fmt: skip
"""Raw columns that derived ones are computed from, by table; nothing else is looked at."""


def mapping_hash(config: Config, labels: Mapping[str, str] = _NOTHING) -> str:
    """Hash of everything that derivation depends on: mapping, prices, the shipped price table, labels of categories,
    this code's version."""
    parts = {**config.derivation(), "table": table_version(), "version": VERSION}
    if labels:
        parts["labels"] = dict(labels)
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Deriver:
    """Computes derived columns. The order of keys in a mapping counts: wildcards are tried in it.

    `asked` are the names of span attributes that dimensions are read from, `prices` what model calls cost.
    """

    def __init__(self, config: Config, labels: Mapping[str, str] = _NOTHING) -> None:
        self._labels = labels
        mapper = self._mapper = Mapper(config.mapping)
        self.prices = Prices(config.prices)
        self._spans = config.mapping.span_attributes
        self._success = frozenset(value.casefold() for value in self._spans.success_values)
        self._category = lru_cache(16_384)(mapper.category)
        self._phase = lru_cache(16_384)(mapper.phase)
        self._type = lru_cache(16_384)(mapper.type)
        self._team = lru_cache(16_384)(mapper.team)
        self._service = lru_cache(16_384)(mapper.service)
        self._feature = lru_cache(16_384)(mapper.feature)
        self._environment = lru_cache(16_384)(mapper.environment)
        self._cost_dimensions = lru_cache(16_384)(self._of_cost)
        self._words_of = lru_cache(16_384)(self._words)
        self._dimensions = lru_cache(16_384)(self._span_dimensions)
        spans = self._spans
        self._asked = (
            spans.environment, spans.feature, spans.team, spans.scenario, spans.task_cluster, spans.outcome
        )  # fmt: skip
        self.asked = tuple(dict.fromkeys(name for names in self._asked for name in names))
        self._quoted = tuple(json.dumps(name, ensure_ascii=False) for name in self.asked)
        self._silent: tuple[str | None, ...] = (None,) * len(self._asked)
        # A name that JSON does not escape shows in the text, its last part also where objects are nested.
        self._hints = sorted({name.rpartition(".")[2] for names in self._asked for name in names})
        self._tables: dict[str, Callable[[Columns], Derived]] = {
            "work_items": self._work_items,
            "work_transitions": self._work_transitions,
            "pull_requests": self._pull_requests,
            "deployments": self._deployments,
            "pipeline_runs": self._pipeline_runs,
            "costs": self._costs,
            "cost_estimates": self._cost_estimates,
            "spans": self._span_columns,
            "span_payloads": _payload_columns,
            "outcomes": lambda raw: {"outcome": _each(mapper.outcome, _texts(raw["name"]), _texts(raw["value"]))},
        }

    @property
    def labelled(self) -> bool:
        """Whether assigned categories of requests have names."""
        return bool(self._labels)

    def derive(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Full rows in `Table.columns` order from clean raw rows in `Table.raw` order."""
        compute = self._tables.get(table.name)
        if compute is None or not rows:
            return list(rows)
        raw = dict(zip((column.name for column in table.raw), zip(*rows, strict=True), strict=True))
        every = {**raw, **compute({name: raw[name] for name in INPUTS[table.name]})}
        return list(zip(*(every[column.name] for column in table.columns), strict=True))

    def _work_items(self, raw: Columns) -> Derived:
        teams, states = _texts(raw["source_team"]), _texts(raw["state"])
        labels, projects = [_labels(value) for value in raw["labels"]], _texts(raw["project"])
        return {
            "type": _each(self._type, _texts(raw["source_type"]), labels),
            "category": _each(self._category, states, _texts(raw["state_type"]), teams),
            "phase": _each(self._phase, states, teams),
            "team": [self._team(team, *marks) for team, marks in zip(teams, labels, strict=True)],
            "feature": [self._feature(None, *marks, project) for marks, project in zip(labels, projects, strict=True)],
        }

    def _work_transitions(self, raw: Columns) -> Derived:
        teams, states = _texts(raw["source_team"]), _texts(raw["to_state"])
        return {
            "to_category": _each(self._category, states, _texts(raw["to_type"]), teams),
            "to_phase": _each(self._phase, states, teams),
            "from_category": _each(self._category, _texts(raw["from_state"]), _texts(raw["from_type"]), teams),
        }

    def _pull_requests(self, raw: Columns) -> Derived:
        repos, labels = _texts(raw["repo"]), [_labels(value) for value in raw["labels"]]
        return {
            "team": _each(self._mapper.team_of_repo, repos, labels),
            "service": _each(self._mapper.service_of_repo, repos),
        }

    def _of_repo(self, raw: Columns) -> Derived:
        repos = _texts(raw["repo"])
        return {
            "service": _each(self._mapper.service_of_repo, repos),
            "team": _each(self._mapper.team_of_repo, repos),
        }

    def _deployments(self, raw: Columns) -> Derived:
        return {"environment": _each(self._environment, _texts(raw["source_environment"])), **self._of_repo(raw)}

    def _pipeline_runs(self, raw: Columns) -> Derived:
        return self._of_repo(raw)

    def _of_cost(self, tags: str | None, account: str | None, source_service: str | None) -> Row:
        return self._mapper.cost_dimensions(cost_tags(tags), account, source_service)

    def _costs(self, raw: Columns) -> Derived:
        found = _each(self._cost_dimensions, _texts(raw["tags"]), _texts(raw["account"]), _texts(raw["source_service"]))
        return dict(zip(("environment", "service", "team", "feature"), zip(*found, strict=True), strict=True))

    def _cost_estimates(self, raw: Columns) -> Derived:
        return {"environment": _each(self._mapper.environment_hinted, _texts(raw["project"]))}

    def _span_columns(self, raw: Columns) -> Derived:
        costs = _each(
            self._span_cost,
            *(_texts(raw[name]) for name in ("provider", "model", "operation")),
            raw["start"],
            *(_ints(raw[name]) for name in (
                "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens"
            )),
            raw["reported_cost_usd"],
        )  # fmt: skip
        words = _each(self._words_of, raw["attributes"])
        dimensions = _each(self._dimensions, words, _texts(raw["source_environment"]), _texts(raw["source_service"]))
        names = ("environment", "service", "feature", "team", "scenario", "task_cluster", "outcome")
        if self._labels:
            dimensions = [self._categorised(row, asked) for row, asked in zip(dimensions, raw["request"], strict=True)]
        return {
            "cost_usd": [cost.usd for cost in costs],
            "cost_status": [cost.status for cost in costs],
            "price_version": [cost.price_version for cost in costs],
            **dict(zip(names, zip(*dimensions, strict=True), strict=True)),
        }

    def _categorised(self, dimensions: Row, asked: Value) -> Row:
        """Dimensions with the label of the assigned category, where the span's attributes name none."""
        if not isinstance(asked, str) or dimensions[_CLUSTER] is not None:
            return dimensions
        return (*dimensions[:_CLUSTER], self._labels.get(asked.partition(" ")[0]), *dimensions[_CLUSTER + 1 :])

    def _words(self, text: Value) -> tuple[str | None, ...]:
        """What a span's attributes say of each dimension, in the source's words."""
        if not isinstance(text, str) or ("\\" not in text and not any(map(text.__contains__, self._hints))):
            return self._silent
        found = _first_given(text) if self._given_twice(text) else attributes(text)
        return tuple([_first(found, names) for names in self._asked])

    def _given_twice(self, text: str) -> bool:
        return any(text.count(name) > 1 for name in self._quoted)

    def _span_cost(
        self,
        provider: str | None,
        model: str | None,
        operation: str | None,
        start: Value,
        input_tokens: int | None,
        output_tokens: int | None,
        cached: int | None,
        cache_write: int | None,
        reasoning: int | None,
        reported: Value,
    ) -> Cost:
        money = reported if isinstance(reported, Decimal) else None
        if model is None or not is_model_call(model, operation, input_tokens, output_tokens):
            told = money is not None and (operation or "").lower() in CALLS
            return Cost(money, "reported", None) if told else _FREE
        usage = Usage(input_tokens, output_tokens, cached or 0, cache_write or 0, reasoning or 0)
        at = start if isinstance(start, datetime) else _EPOCH
        return self.prices.cost(provider, model, at, usage, money)

    def _span_dimensions(self, words: tuple[str | None, ...], environment: str | None, service: str | None) -> Row:
        named, feature, team, scenario, cluster, outcome = words
        success = None if outcome is None else "success" if outcome.casefold() in self._success else "failure"
        return (
            self._environment(named or environment),
            self._service(service),
            self._feature(feature, service),
            self._team(team, service),
            scenario,
            cluster,
            success,
        )


_CLUSTER = 5
"""Place of the request category among a span's dimensions."""
_FREE = Cost(None, None, None)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # instants in rows are naive UTC


def attributes(text: str | None) -> dict[str, str]:
    """The scalar values of a JSON object as text, by name; names of nested objects are joined by dots."""
    if not text or text == "{}":
        return _NOTHING
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _NOTHING
    if not isinstance(found, dict):
        return _NOTHING
    return dict(_flat(found, ""))


def cost_tags(text: str | None) -> dict[str, str]:
    """Tags of a cost row by name: a JSON object, Google's list of objects with `key` and `value`, or Azure's `"name":"value", …`
    without braces; the latter two also as the member `Tags` beside columns of the vendor."""
    found = attributes(text)
    if found and "Tags" not in found:
        return found
    inner = (found.get("Tags") or text or "").strip()
    try:
        pairs = msgspec.json.decode(f"{{{inner}}}" if inner.startswith('"') else inner)
    except (msgspec.DecodeError, RecursionError):
        return found
    if isinstance(pairs, list):
        folded = ({name.casefold(): value for name, value in one.items()} for one in pairs if isinstance(one, dict))
        pairs = {str(one["key"]): one.get("value") for one in folded if "key" in one}
    return {**dict(_flat(pairs, "")), **found} if isinstance(pairs, dict) else found


def _first_given(text: str) -> dict[str, str]:
    """As `attributes`; of a name that is given twice the first counts."""
    try:
        msgspec.json.decode(text)
        found = json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    except (ValueError, RecursionError):
        return _NOTHING
    return dict(_flat(found, "")) if isinstance(found, dict) else _NOTHING


def _flat(found: Mapping[str, object], prefix: str) -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for name, value in found.items():
        if isinstance(value, str):
            flat.append((prefix + name, value))
        elif isinstance(value, bool):
            flat.append((prefix + name, "true" if value else "false"))
        elif isinstance(value, int | float):
            flat.append((prefix + name, f"{value:.15g}"))
        elif isinstance(value, dict):
            flat += _flat(value, f"{prefix}{name}.")
    return flat


def _first(found: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((value for name in names if (value := found.get(name))), None)


def _each(function: Callable[..., T], *columns: Sequence[object]) -> list[T]:
    return list(map(function, *columns))


def _texts(values: Sequence[Value]) -> list[str | None]:
    return [value if type(value) is str and value else None for value in values]


def _ints(values: Sequence[Value]) -> list[int | None]:
    return [value if type(value) is int else None for value in values]


def _labels(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _payload_columns(raw: Columns) -> Derived:
    """How much redaction took out, by kind."""
    return {"redactions": [_redactions(*said) for said in zip(raw["prompt"], raw["completion"], strict=True)]}


def _redactions(*texts: Value) -> str | None:
    counts: dict[str, int] = {}
    for text in texts:
        for kind in _REDACTED.findall(text) if isinstance(text, str) else ():
            counts[kind] = counts.get(kind, 0) + 1
    return json.dumps(dict(sorted(counts.items()))) if counts else None
