"""`budgets.yaml`: strictly read. Every refusal names file, line, key and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aether_tui.budgets.model import Surface
from aether_tui.budgets.quantity import EXAMPLES, BadQuantity, Quantity, parse_quantity, parse_share
from aether_tui.errors import ConfigurationError
from aether_tui.problems import Lines, Loc, Problem, dotted, explain, line_of, nearest, raise_first
from aether_tui.workspace.yaml_file import read_yaml

Stat = Literal["p50", "p75", "p85", "p90", "p95", "max", "mean"]
Text = str | None | int | float
WAIVER_DAYS = 90
NAME = "optimization/budgets.yaml"


@dataclass(frozen=True, slots=True)
class Metric:
    """What can have a budget: its surface, the kind of its quantities, and the keys `match` may use."""

    surface: Surface
    kind: str
    keys: tuple[str, ...]


_CI = ("repo", "branch", "event", "workflow", "job")
_TESTS = ("repo", "branch", "suite", "package")
_LLM = ("scenario", "env", "service", "feature", "team", "model")
_CALLS = ("env", "service", "feature", "team", "model")
METRICS: dict[str, Metric] = {
    "pipeline.duration": Metric("ci", "s", _CI),
    "pipeline.run": Metric("ci", "s", _CI),
    "pipeline.queue": Metric("ci", "s", _CI),
    "infra.monthly": Metric("cost", "money/month", ("env",)),
    "suite.duration": Metric("tests", "s", _TESTS),
    "suite.flaky": Metric("tests", "tests", _TESTS),
    "benchmark.duration": Metric("tests", "s", ("benchmark",)),
    "task.cost": Metric("llm", "money/task", _LLM),
    "task.tokens": Metric("llm", "tokens/task", _LLM),
    "turn.latency": Metric("llm", "s/turn", _LLM),
    "model.monthly": Metric("llm", "money/month", _CALLS),
    "model.tokens": Metric("llm", "tokens/month", _CALLS),
}
"""Every metric a budget can be about: a closed set."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Noise(_Strict):
    min_samples: int | None = Field(default=None, ge=2, le=30)
    window: int | None = Field(default=None, ge=5, le=100)


class _Threshold(_Strict):
    relative: Text = None
    limit: Text = None
    min_delta: Text = None


class _Burn(_Strict):
    period: Literal["month"]


class _Defaults(_Strict):
    direction: Literal["lower", "higher"] = "lower"
    on_missing: Literal["warn", "block", "carry"] = "warn"
    noise: _Noise = Field(default_factory=_Noise)
    warn: _Threshold = Field(default_factory=_Threshold)
    block: _Threshold = Field(default_factory=_Threshold)


class _Budget(_Strict):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80, examples=["tests.unit"])
    surface: Surface = Field(examples=["tests"])
    metric: str = Field(examples=["suite.duration"])
    match: dict[str, str] = Field(default_factory=dict)
    stat: Stat = "p50"
    limit: Text = Field(default=None, examples=["15min"])
    direction: Literal["lower", "higher"] | None = None
    on_missing: Literal["warn", "block", "carry"] | None = None
    noise: _Noise = Field(default_factory=_Noise)
    warn: _Threshold = Field(default_factory=_Threshold)
    block: _Threshold = Field(default_factory=_Threshold)
    burn: _Burn | None = None


class _Waiver(_Strict):
    id: str = Field(min_length=1, max_length=80)
    budget: str
    reason: str = Field(min_length=10, max_length=2000)
    owner: str = Field(min_length=1, max_length=200, examples=['"@platform-team"'])
    raise_to: Text = None
    expires: date = Field(examples=["2026-12-31"])


class BudgetSource(_Strict):
    """A budgets file as it is written, before units are read."""

    version: Literal[1] = Field(examples=[1])
    currency: str = Field(pattern="^[A-Z]{3}$", examples=["USD"])
    defaults: _Defaults = Field(default_factory=_Defaults)
    budgets: list[_Budget]
    waivers: list[_Waiver] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Threshold:
    """When a difference counts: worse than the baseline by a share, over the limit by a share, never below `min_delta`."""

    relative: float | None = None
    over_limit: float | None = None
    min_delta: float = 0.0


def _pattern(words: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in words)


@lru_cache(maxsize=1024)
def _matcher(words: str) -> Callable[[str], object]:
    return re.compile(_pattern(words), re.I).fullmatch


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget with its defaults filled in. `limit` is in the metric's base unit."""

    id: str
    surface: Surface
    metric: str
    match: Mapping[str, str]
    stat: Stat
    limit: Decimal | None
    direction: Literal["lower", "higher"]
    on_missing: Literal["warn", "block", "carry"]
    min_samples: int
    window: int
    warn: Threshold
    block: Threshold
    own_block: bool
    """Whether the budget itself, not the defaults, says when a rise over the baseline blocks."""
    burn: bool

    @property
    def kind(self) -> str:
        """Kind of its quantities, a key of `quantity.EXAMPLES`."""
        return METRICS[self.metric].kind

    @property
    def overshoot(self) -> float:
        """Share over the limit that is shown only."""
        if self.block.over_limit is not None:
            return self.block.over_limit
        return 0.1 if self.surface == "ci" else 0.0

    def pattern(self, key: str) -> str:
        """A regular expression for what `match` says about `key`; everything where it says nothing."""
        return _pattern(self.match.get(key, "*"))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels is meant. A label that is not there counts as empty."""
        return all(_matcher(self.match[key])(labels.get(key, "")) for key in self.match)

    def allows(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels can be meant: what is not said cannot exclude it."""
        return all(_matcher(self.match[key])(value) for key, value in labels.items() if key in self.match)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody answers for a budget being exceeded until a day; `raise_to` lifts the limit, without it a block warns."""

    id: str
    budget: str
    reason: str
    owner: str
    expires: date
    raise_to: Decimal | None


@dataclass(frozen=True, slots=True)
class BudgetFile:
    """All budgets of a file."""

    path: str
    currency: str
    budgets: tuple[Budget, ...]
    waivers: tuple[Waiver, ...]


def read_budgets(path: Path, shown: str, today: date) -> BudgetFile:
    """The budgets of a file; `shown` is its name in messages. Raises ConfigurationError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        fix = "`aether-tui init --budgets-only` writes one"
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=shown, next_step=fix) from error
    return parse_budgets(data, shown, today)


def parse_budgets(data: bytes, shown: str, today: date) -> BudgetFile:
    """The budgets in a YAML text. Raises ConfigurationError for the first problem, saying how many more there are."""
    value, lines = read_yaml(data, shown)
    try:
        read = BudgetSource.model_validate(value)
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), BudgetSource, shown, lines))
        raise
    reader = _Reader(shown, lines, read)
    return BudgetFile(
        shown,
        read.currency,
        tuple(reader.budget(place, budget) for place, budget in enumerate(read.budgets)),
        tuple(reader.waiver(place, waiver, today) for place, waiver in enumerate(read.waivers)),
    )


class _Reader:
    """What the model alone cannot check: units, metrics, keys of `match`, ids, currencies, days."""

    def __init__(self, shown: str, lines: Lines, file: BudgetSource) -> None:
        self._shown = shown
        self._lines = lines
        self._file = file
        self._budgets: dict[str, _Budget] = {}
        self._waivers: set[str] = set()

    def budget(self, place: int, read: _Budget) -> Budget:
        here: Loc = ("budgets", place)
        if read.id in self._budgets:
            self._bad((*here, "id"), f"the id {read.id!r} is used twice", "give one of the two another id")
        self._budgets[read.id] = read
        metric = self._metric(here, read)
        defaults = self._file.defaults
        noise, shared = read.noise, defaults.noise
        return Budget(
            read.id,
            read.surface,
            read.metric,
            read.match,
            read.stat,
            self._limit((*here, "limit"), read.limit, metric.kind),
            read.direction or defaults.direction,
            read.on_missing or defaults.on_missing,
            noise.min_samples or shared.min_samples or 5,
            noise.window or shared.window or 30,
            self._threshold(here, "warn", read.warn, defaults.warn, metric.kind),
            self._threshold(here, "block", read.block, defaults.block, metric.kind),
            read.block.relative is not None,
            read.burn is not None,
        )

    def waiver(self, place: int, read: _Waiver, today: date) -> Waiver:
        here: Loc = ("waivers", place)
        if read.id in self._waivers:
            self._bad((*here, "id"), f"the id {read.id!r} is used twice", "give one of the two another id")
        self._waivers.add(read.id)
        budget = self._budgets.get(read.budget)
        if budget is None:
            near = nearest(read.budget, self._budgets)
            fix = f"did you mean {near!r}?" if near else f"budgets are {', '.join(self._budgets)}"
            self._bad((*here, "budget"), f"no budget {read.budget!r}", fix)
        latest = today + timedelta(days=WAIVER_DAYS)
        if read.expires > latest:
            self._bad((*here, "expires"), f"more than {WAIVER_DAYS} days away", f"a waiver ends by {latest}")
        raised = self._amount((*here, "raise_to"), read.raise_to, METRICS[budget.metric].kind)
        return Waiver(read.id, read.budget, read.reason, read.owner, read.expires, raised)

    def _metric(self, here: Loc, read: _Budget) -> Metric:
        metric = METRICS.get(read.metric)
        if metric is None:
            near = nearest(read.metric, METRICS)
            fix = f"did you mean {near!r}?" if near else f"metrics are {', '.join(METRICS)}"
            self._bad((*here, "metric"), f"no metric {read.metric!r}", fix)
        if metric.surface != read.surface:
            self._bad(
                (*here, "surface"), f"{read.metric} is of the surface {metric.surface!r}", f"write {metric.surface}"
            )
        for key in read.match:
            if key not in metric.keys:
                near = nearest(key, metric.keys)
                fix = f"did you mean {near!r}?" if near else f"it knows {', '.join(metric.keys)}"
                self._bad((*here, "match", key), f"{read.metric} cannot be matched by {key!r}", fix)
        return metric

    def _threshold(self, here: Loc, name: str, own: _Threshold, shared: _Threshold, kind: str) -> Threshold:
        def pick(key: Literal["relative", "limit", "min_delta"]) -> tuple[Loc, Text]:
            value: Text = getattr(own, key)
            return ((*here, name, key), value) if value is not None else (("defaults", name, key), getattr(shared, key))

        relative = self._share(*pick("relative"))
        over = self._share(*pick("limit"))
        delta = self._amount(*pick("min_delta"), kind)
        return Threshold(relative, over, float(delta or 0))

    def _share(self, loc: Loc, text: Text) -> float | None:
        try:
            return None if text is None else float(parse_share(text))
        except BadQuantity as error:
            self._bad(loc, *_split(error))

    def _limit(self, loc: Loc, text: Text, kind: str) -> Decimal | None:
        limit = self._amount(loc, text, kind)
        if limit == 0 and kind != "tests":
            self._bad(loc, "a limit of nothing", f"write for example {EXAMPLES[kind]}")
        return limit

    def _amount(self, loc: Loc, text: Text, kind: str) -> Decimal | None:
        if text is None:
            return None
        try:
            quantity: Quantity = parse_quantity(text, kind)
        except BadQuantity as error:
            self._bad(loc, *_split(error))
        if quantity.currency and quantity.currency != self._file.currency:
            fix = f"write {self._file.currency}; amounts are never converted"
            self._bad(loc, f"{quantity.currency} in a file in {self._file.currency}", fix)
        return quantity.value

    def _bad(self, loc: Loc, what: str, fix: str) -> NoReturn:
        raise Problem(self._shown, what, dotted(loc), line_of(self._lines, loc), fix).error()


def _split(error: BadQuantity) -> tuple[str, str]:
    what, _, fix = str(error).partition("; ")
    return what, fix
