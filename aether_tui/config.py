"""`aether.toml`: the model of every key. `config_file.load_config` reads it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from aether_tui.problems import nearest
from aether_tui.records.tables import TABLES

Category = Literal["backlog", "queue", "active", "wait", "done", "cancelled"]
Phase = Literal["ideation", "validation", "specification", "build", "release", "measure", "learn"]
ItemType = Literal["bug", "feature", "incident", "opportunity", "chore", "other"]
Environment = Literal["production", "staging", "dev", "other"]
Share = Annotated[float, Field(ge=0, le=1)]


def _word_or_bound(value: str) -> str:
    if not value.strip() or (value.strip()[0] in "<>" and not re.fullmatch(r"\s*[<>]=?\s*-?\d+(\.\d+)?\s*", value)):
        raise ValueError(f"{value!r} is neither a word nor a bound; write for example >= 0.7")
    return value


SuccessValue = Annotated[str, AfterValidator(_word_or_bound)]
"""A word, or a bound: `>= 0.7`."""


class Section(BaseModel):
    """A table of `aether.toml`: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Engagement(Section):
    """Whom this workspace is about."""

    name: str = Field(default="", description="Shown at the top of the console and on every export")
    client: str = Field(default="", description="The client organisation; hidden in room mode")
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$", description="ISO 4217 currency of budgets and reports")
    timezone: str = Field(
        default="UTC", description="IANA time zone of the client, for people to read: days and windows are UTC days"
    )
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12, description="First month of the fiscal year")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value != "UTC":
            from zoneinfo import ZoneInfo, available_timezones

            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError) as error:
                near = nearest(value, available_timezones())
                raise ValueError(
                    f"{value!r} is not a time zone; " + (f"did you mean {near!r}?" if near else "such as Europe/Paris")
                ) from error
        return value


class Privacy(Section):
    """What is kept, and for how long."""

    retention_days: dict[str, int] = Field(
        default_factory=dict, description="Days to keep raw rows per table; `cache prune` enforces it"
    )
    keep_payloads: bool = Field(
        default=False,
        description="Keep prompts and completions, redacted; without it they are dropped before anything is written",
    )
    patterns: list[str] = Field(default_factory=list, description="Extra regular expressions to redact before writing")

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, value: list[str]) -> list[str]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}; mend it") from error
        return value

    @field_validator("retention_days")
    @classmethod
    def _known_tables(cls, value: dict[str, int]) -> dict[str, int]:
        for table, days in value.items():
            if table not in TABLES:
                near = nearest(table, TABLES)
                raise ValueError(
                    f"no table {table!r}; " + (f"did you mean {near!r}?" if near else f"tables are {', '.join(TABLES)}")
                )
            if days < 1:
                raise ValueError(f"{table}: {days} days keeps nothing; give at least 1")
        return value


class SpanAttributes(Section):
    """Which span or resource attributes carry a dimension, tried in order."""

    environment: list[str] = Field(
        default=["deployment.environment.name", "deployment.environment"], description="Environment"
    )
    feature: list[str] = Field(default=["app.feature", "feature"], description="Feature")
    team: list[str] = Field(default=["app.team", "team"], description="Team")
    scenario: list[str] = Field(
        default=["app.scenario", "scenario", "test.scenario"], description="Traffic or test scenario"
    )
    task_cluster: list[str] = Field(default=["app.intent", "task.category"], description="Request category")
    outcome: list[str] = Field(default=["app.outcome", "outcome"], description="Outcome signal of a task")
    variant: list[str] = Field(
        default=["app.variant", "experiment.variant", "feature_flag.result.variant"],
        description="Arm of an experiment a task was in",
    )
    success_values: list[str] = Field(
        default=["success", "resolved", "accepted", "true", "1", "ok", "yes"],
        description="Outcome values that mean success",
    )


class CostTags(Section):
    """Which cost tags, or vendor columns (`x_…`) of a FOCUS export, carry a dimension; tried in order, without regard to case."""

    environment: list[str] = Field(default=["environment", "env", "stage"], description="Environment")
    team: list[str] = Field(default=["team", "owner", "squad"], description="Team")
    feature: list[str] = Field(default=["feature", "product", "app", "application"], description="Feature")
    service: list[str] = Field(default=["service", "component"], description="Service")


class Mapping(Section):
    """From the sources' words to ours. Keys are matched without regard to case; `*` and `?` are wildcards.

    Changing this re-derives what is cached, without pulling again.
    """

    states: dict[str, Category] = Field(default_factory=dict, description='Tracker state (or "TEAM/State") → category')
    phases: dict[str, Phase] = Field(default_factory=dict, description="Tracker state → lifecycle phase")
    types: dict[str, ItemType] = Field(default_factory=dict, description="Tracker type or label → type")
    teams: dict[str, str] = Field(default_factory=dict, description="Tracker team, repository or label → team")
    services: dict[str, str] = Field(
        default_factory=dict, description="Repository, service.name or provider service → service"
    )
    features: dict[str, str] = Field(default_factory=dict, description="Label, project or repository → feature")
    environments: dict[str, Environment] = Field(
        default_factory=dict, description="Environment name, account or project → environment"
    )
    span_attributes: SpanAttributes = Field(default_factory=SpanAttributes, description="Attributes of spans")
    scores: dict[str, list[SuccessValue]] = Field(
        default_factory=dict,
        description='Score → its values that mean success: words, or bounds such as ">= 0.7"; others mean failure',
    )
    cost_tags: CostTags = Field(default_factory=CostTags, description="Tags of cost rows")


class Sheet(Section):
    """How the columns of a spreadsheet are meant, for `load --as`; the command line says more, and beats it."""

    columns: dict[str, str] = Field(default_factory=dict, description="Field → column of the file")
    constants: dict[str, str] = Field(default_factory=dict, description="Field → value where no column says it")
    dates: Literal["", "DMY", "MDY"] = Field(
        "", description="Order of dates such as 03/04/2026; empty: the cells decide"
    )
    decimal: Literal["", ",", "."] = Field("", description="Decimal sign; empty: the cells decide")


class Gate(Section):
    """Thresholds of the go/no-go gate."""

    clusters_share: Share = Field(default=0.80, description="Share of requests with a request category")
    fields_share: Share = Field(default=0.95, description="Share of model calls with every required field")
    cost_share: Share = Field(default=0.95, description="Share of model calls with a cost")
    attribution_share: Share = Field(default=0.90, description="Share of cost with feature and team")
    min_requests: int = Field(default=200, ge=1, description="Requests in the window")
    window_days: int = Field(default=28, ge=1, description="Window looked at", json_schema_extra={"unit": "days"})


class Anchor(Section):
    """Where an indicator scores 0 (`poor`) and 100 (`good`)."""

    poor: float
    good: float
    source: str = Field(default="aether.toml", description="Where these two come from, with the year")


class Lens(Section):
    """The three lenses."""

    anchors: dict[str, Anchor] = Field(default_factory=dict, description="Overrides of anchors by indicator id")


class Leading(Section):
    """A product metric that moves before another one does, and how that is known."""

    metric: str = Field(max_length=200, description="The metric that moves first")
    leads: str = Field(max_length=200, description="What it leads")
    lag_days: int = Field(ge=0, le=3650, description="By how many days")
    evidence: str = Field(min_length=1, max_length=500, description="How that is known, such as EXP-3")


class Scorecard(Section):
    """What delivery is held against, and what product metrics measure."""

    outcomes: dict[str, Literal["adoption", "activation", "retention", "revenue"]] = Field(
        default_factory=dict, description="What a product metric measures, by its name"
    )
    leading: list[Leading] = Field(default_factory=list, max_length=50, description="Leading indicators")

    edition: Literal["2025", "2024", "bands-2024", "bands-2023"] = Field(
        default="2025",
        description="Reference values: Quick Check means of 2025 or 2024, or the levels of the 2024 or 2023 report",
    )


class Portfolio(Section):
    """ICE-P."""

    high_score: float | None = Field(
        default=None, gt=0, description="What counts as a high score; default: the top third"
    )


Limit = Annotated[int, Field(ge=1, le=10_000)]


class Wip(Section):
    """Agreed limits on work in progress; `aether-tui wip check` exits 1 when one is exceeded."""

    action: str = Field(
        default="finish or stop one before the next is started",
        max_length=300,
        description="What everybody agreed to do when a limit is exceeded",
    )
    initiatives: Limit | None = Field(default=None, description="Initiatives with work in progress at a time")
    per_initiative: Limit | None = Field(default=None, description="Items in progress in one initiative")
    initiative: dict[str, Limit] = Field(
        default_factory=dict, description="Limit of a named initiative, instead of per_initiative"
    )
    per_person: Limit | None = Field(default=None, description="Items in progress one person has")
    people: bool = Field(default=False, description="Whether persons are looked at; they are shown as hashes")


class Price(Section):
    """A model price that overrides the shipped table."""

    model: str = Field(description="Model name; * and ? are wildcards")
    valid_from: str = Field(default="1970-01-01", pattern=r"^\d{4}-\d{2}-\d{2}$", description="First day it applies")
    input_usd_per_million: Decimal = Field(ge=0)
    output_usd_per_million: Decimal = Field(ge=0)
    cached_usd_per_million: Decimal | None = Field(default=None, ge=0)
    cache_write_usd_per_million: Decimal | None = Field(default=None, ge=0)


ENDPOINT = r"^(https?://[^\s/@]+(/\S*)?|replay:.+)?$"


class Replay(Section):
    """The endpoint that recorded requests are sent to again by `aether-tui replay`; its key is `auth set replay`."""

    url: str = Field(
        default="",
        pattern=ENDPOINT,
        description="Address of an OpenAI-compatible API, such as http://127.0.0.1:11434/v1",
    )
    max_cost_usd: float = Field(
        default=1.0,
        ge=0,
        description="Most that one replay may cost; --max-cost overrides it",
        json_schema_extra={"unit": "USD"},
    )
    max_output_tokens: int = Field(
        default=2048,
        ge=1,
        description="Output limit of a request that was recorded without one, so that its cost has a limit",
        json_schema_extra={"unit": "tokens"},
    )
    output_limit: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="The endpoint's word for that limit"
    )
    timeout_s: float = Field(
        default=120.0, gt=0, description="Longest silence of the endpoint", json_schema_extra={"unit": "seconds"}
    )
    ca_bundle: str = Field(default="", description="PEM file of a private certificate authority, from the workspace")


class Embeddings(Section):
    """The endpoint that turns texts into vectors for `taxonomy build --embeddings`; its key is `auth set embeddings`."""

    url: str = Field(
        default="", pattern=ENDPOINT, description="Address of an OpenAI-compatible API; empty: never asked"
    )
    model: str = Field(default="", description="Model of embeddings")
    timeout_s: float = Field(
        default=120.0, gt=0, description="Longest silence of the endpoint", json_schema_extra={"unit": "seconds"}
    )
    ca_bundle: str = Field(default="", description="PEM file of a private certificate authority, from the workspace")


class Console(Section):
    """How the console looks and listens."""

    theme: str = Field(default="aether-dark", description="aether-dark, aether-light, ansi, or any Textual theme")
    keys: dict[str, str] = Field(default_factory=dict, description="Action id → keys, comma separated")
    stale_after_hours: float = Field(default=24, gt=0, description="Age at which a source is called stale")


class SourceSettings(BaseModel):
    """One `[sources.NAME]` table; the connector of that kind checks the rest of its keys."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = Field(default="", description="Connector; default: the table's own name")
    enabled: bool = Field(default=True, description="Whether `sync` without names pulls it")


class Config(Section):
    """The whole of `aether.toml`."""

    engagement: Engagement = Field(default_factory=Engagement, description="Whom this workspace is about")
    sources: dict[str, SourceSettings] = Field(default_factory=dict, description="Outside systems, by a name of yours")
    privacy: Privacy = Field(default_factory=Privacy, description="What is kept, and for how long")
    mapping: Mapping = Field(default_factory=Mapping, description="From the sources' words to ours")
    load: dict[Literal["items", "opportunities", "invoice", "requests"], Sheet] = Field(
        default_factory=dict, description="Columns of spreadsheets, by the kind given to load --as"
    )
    gate: Gate = Field(default_factory=Gate, description="Thresholds of the go/no-go gate")
    lens: Lens = Field(default_factory=Lens, description="The three lenses")
    scorecard: Scorecard = Field(default_factory=Scorecard, description="The three lenses")
    portfolio: Portfolio = Field(default_factory=Portfolio, description="ICE-P")
    wip: Wip = Field(default_factory=Wip, description="Limits on work in progress")
    prices: list[Price] = Field(default_factory=list, description="Model prices that override the shipped table")
    replay: Replay = Field(default_factory=Replay, description="Where recorded requests are sent again")
    embeddings: Embeddings = Field(default_factory=Embeddings, description="Where texts of the taxonomy become vectors")
    console: Console = Field(default_factory=Console, description="How the console looks and listens")

    def derivation(self) -> dict[str, object]:
        """What rows are derived by, as JSON values: the mapping, and prices."""
        return {
            # Arms of experiments are read when an experiment is, not derived.
            "mapping": self.mapping.model_dump(mode="json", exclude={"span_attributes": {"variant"}}),
            "prices": [price.model_dump(mode="json") for price in self.prices],
        }

    def derived_by(self) -> str:
        """A few digits of `derivation`."""
        return blake2b(json.dumps(self.derivation(), sort_keys=True).encode(), digest_size=8).hexdigest()
