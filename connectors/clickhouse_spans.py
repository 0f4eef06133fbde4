"""The OpenTelemetry Collector's `otel_traces`: SQL that makes of a row the span that it was, or our columns.

The columns in SQL follow `otlp_span` and its alias table; a test compares the two, row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from aether_tui.records.model import MOST_MONEY
from aether_tui.records.tables import MOST_TOKENS, MOST_WORD
from aether_tui.text import BEYOND
from connectors import otlp_aliases

_NS: Final = "toUnixTimestamp64Nano({})"
_TEXT: Final = "Nullable(String)"
_PAIRS: Final = f"Array(Tuple(key String, value Tuple(stringValue {_TEXT})))"
_EVENT: Final = f"Tuple(name {_TEXT}, timeUnixNano {_TEXT}, attributes {_PAIRS})"
_SPAN: Final = (
    f"Tuple(traceId {_TEXT}, spanId {_TEXT}, parentSpanId {_TEXT}, name {_TEXT}, startTimeUnixNano {_TEXT}, "
    f"endTimeUnixNano {_TEXT}, attributes {_PAIRS}, status Tuple(code UInt8), events Array({_EVENT}))"
)


def _pairs(attributes: str) -> str:
    return f"arrayMap((k, v) -> (k, tuple(v)), mapKeys({attributes}), mapValues({attributes}))"


# The collector takes the service's name out of the resource into a column of its own in some versions.
_RESOURCE: Final = (
    f"arrayConcat({_pairs('ResourceAttributes')}, "
    "if(ResourceAttributes['service.name'] = '', [('service.name', tuple(ServiceName))], []))"
)
_EVENTS: Final = (
    f"arrayMap((n, t, a) -> (n, toString({_NS.format('t')}), {_pairs('a')}), "
    "Events.Name, Events.Timestamp, Events.Attributes)"
)
_CODE: Final = "multiIf(lower(StatusCode) IN ('ok', 'status_code_ok'), 1, lower(StatusCode) IN ('error', 'status_code_error'), 2, 0)"
DOCUMENT: Final = (
    f"CAST(tuple([(tuple({_RESOURCE}), [tuple([(TraceId, SpanId, ParentSpanId, SpanName, toString({_NS.format('Timestamp')}), "
    f"toString(toInt128({_NS.format('Timestamp')}) + Duration), {_pairs('SpanAttributes')}, tuple({_CODE}), {_EVENTS})])])]), "
    f"'Tuple(resourceSpans Array(Tuple(resource Tuple(attributes {_PAIRS}), scopeSpans Array(Tuple(spans Array({_SPAN}))))))')"
)
"""SQL: a span with its resource as the document of OTLP's JSON form that it came in."""


# --- Our columns -----------------------------------------------------------------------------------------------------


def literal(words: str) -> str:
    """A text as ClickHouse reads it, whatever is in it."""
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A name as ClickHouse reads it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


class Present:
    """Names of attributes that occur in what is read: no other is looked for."""

    def __init__(self, span: Iterable[str], resource: Iterable[str]) -> None:
        self._found = {"SpanAttributes": frozenset(span), "ResourceAttributes": frozenset(resource)}

    def field(self, name: str) -> str:
        """SQL: a field of the alias table as text, by its best name; the span's before the resource's."""
        found = [
            f"nullIf({attributes}[{literal(alias)}], '')"
            for attributes, known in self._found.items()
            for alias in otlp_aliases.FIELDS[name]
            if alias in known
        ]
        if name == "service":
            found.append("nullIf(ServiceName, '')")
        return f"coalesce({', '.join(found)}, NULL)" if found else "CAST(NULL AS Nullable(String))"

    def word(self, name: str) -> str:
        """SQL: an attribute of any name as text, as much of it as is read here."""
        found = [attributes for attributes, known in self._found.items() if name in known]
        if not found:
            return "CAST(NULL AS Nullable(String))"
        first = f"{found[0]}[{literal(name)}]"
        if len(found) == 1:
            return f"nullIf({_begun(first)}, '')"
        return f"nullIf({_begun(f'if(mapContains({found[0]}, {literal(name)}), {first}, {found[1]}[{literal(name)}])')}, '')"

    def has(self, *fields: str) -> bool:
        """Whether any name of these fields occurs."""
        known = frozenset().union(*self._found.values())
        return any(alias in known for field in fields for alias in otlp_aliases.FIELDS[field])


def _begun(words: str) -> str:
    return f"substringUTF8({words}, 1, {MOST_WORD + BEYOND})"


def spans_sql(table: str, within: str, present: Present, words: Sequence[str]) -> str:
    """SELECT of spans with our raw columns, and `word_N` for each attribute of `words`; ids that are none are left out."""
    cells = {
        "trace_id": "lower(TraceId)",
        "span_id": "lower(SpanId)",
        "parent_id": "if(match(ParentSpanId, '^0*$'), NULL, lower(ParentSpanId))",
        "name": "toNullable(SpanName)",
        "operation": _operation(present.field("operation")),
        "start": "toDateTime64(Timestamp, 6, 'UTC')",
        "duration_s": "toNullable(Duration / 1e9)",
        "time_to_first_token_s": _first_token(present),
        "status": _status(present),
        "reported_cost_usd": _cost(present),
        "usage": present.field("usage_json"),
        **{f"said_{name}": _count(present.field(name)) for name in _COUNTS},
        **{column: present.field(field) for column, field in _TEXTS.items()},
        **{f"word_{place}": present.word(name) for place, name in enumerate(words)},
    }
    picked = ", ".join(f'{cell} AS "{name}"' for name, cell in cells.items())
    valid = (
        "match(TraceId, '^[0-9a-fA-F]{32}$') AND match(SpanId, '^[0-9a-fA-F]{16}$') AND TraceId <> repeat('0', 32) "
        "AND SpanId <> repeat('0', 16) AND match(ParentSpanId, '^(0*|[0-9a-fA-F]{16})$')"
    )
    raw = f"SELECT {picked} FROM {table} WHERE {within} AND {valid}"
    kept = ", ".join(f'"{name}"' for name in cells if name != "usage" and not name.startswith("said_"))
    if present.has("usage_json"):
        raw = f"SELECT * REPLACE ({_of_usage()}) FROM ({raw})"
    whole = {
        "input_tokens": _whole("input_tokens", "cached_tokens", "cache_write_tokens"),
        "output_tokens": _whole("output_tokens", "reasoning_tokens"),
        **{name: f"said_{name}" for name in _COUNTS[2:]},
    }
    return f"SELECT {kept}, {', '.join(f'{cell} AS {name}' for name, cell in whole.items())} FROM ({raw})"


_TEXTS: Final = {
    "provider": "provider", "model": "model", "user": "user", "source_service": "service",
    "source_environment": "environment", "prompt_name": "prompt_name", "prompt_version": "prompt_version",
}  # fmt: skip
_COUNTS: Final = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")


def _operation(said: str) -> str:
    kind = f"lower(trim({said}))"
    none = ", ".join(literal(name) for name, ours in otlp_aliases.OPERATIONS.items() if ours is None)
    known = " ".join(
        f"WHEN {kind} = {literal(name)} THEN {literal(ours)}"
        for name, ours in otlp_aliases.OPERATIONS.items()
        if ours is not None and ours != name
    )
    return f"CASE WHEN {kind} IN ({none}) THEN NULL {known} ELSE {kind} END"


def _count(said: str) -> str:
    number = f"toInt64OrNull(trim({said}))"
    return f"if({number} >= 0 AND {number} <= {MOST_TOKENS}, {number}, NULL)"


def _whole(name: str, *parts: str) -> str:
    part = " + ".join(f"ifNull(said_{one}, 0)" for one in parts)
    whole = f"if({part} > said_{name}, said_{name} + {part}, said_{name})"
    return f"if({whole} <= {MOST_TOKENS}, {whole}, NULL)"


def _status(present: Present) -> str:
    error = present.field("error_type")
    said = (
        "multiIf(lower(StatusCode) IN ('error', 'status_code_error'), 'error', "
        f"lower(StatusCode) IN ('ok', 'status_code_ok'), 'ok', ({error}) IS NOT NULL, 'error', 'unset')"
    )
    return f"toNullable(if(ifNull({present.field('level')}, '') = 'ERROR', 'error', {said}))"


def _first_token(present: Present) -> str:
    told = []
    if present.has("first_token_s"):
        told.append(_finite(present.field("first_token_s")))
    if present.has("first_token_ms"):
        told.append(f"{_finite(present.field('first_token_ms'))} / 1e3")
    if present.has("first_token_at"):
        at = f"parseDateTime64BestEffortOrNull(trim(BOTH '\"' FROM {present.field('first_token_at')}), 6, 'UTC')"
        start = "toUnixTimestamp64Micro(toDateTime64(Timestamp, 6, 'UTC'))"
        told.append(f"(toUnixTimestamp64Micro({at}) - {start}) / 1e6")
    names = ", ".join(map(literal, otlp_aliases.FIRST_TOKEN_EVENTS))
    marked = f"arrayFilter((t, n) -> n IN ({names}), Events.Timestamp, Events.Name)"
    since = f"toUnixTimestamp64Nano(arrayMin({marked})) - toUnixTimestamp64Nano(Timestamp)"
    told.append(f"if(hasAny(Events.Name, [{names}]), ({since}) / 1e9, NULL)")
    seconds = f"coalesce({', '.join(told)})"
    return f"if({seconds} >= 0, {seconds}, NULL)"


def _finite(said: str) -> str:
    number = f"toFloat64OrNull(trim({said}))"
    return f"if(isFinite({number}), {number}, NULL)"


def _cost(present: Present) -> str:
    def amount(said: str) -> str:
        number = f"toDecimal128OrNull(trim({said}), 12)"
        return f"if(abs({number}) <= {MOST_MONEY}, {number}, NULL)"

    told = [amount(present.field("cost"))] if present.has("cost") else []
    parts = [amount(present.field(name)) for name in ("cost_prompt", "cost_completion") if present.has(name)]
    if present.has("cost_json"):
        details = present.field("cost_json")
        told.append(amount(f"JSONExtractRaw(ifNull({details}, '{{}}'), 'total')"))
        each = f"arrayMap(p -> {amount('p.2')}, JSONExtractKeysAndValuesRaw(ifNull({details}, '{{}}')))"
        known = f"arrayFilter(x -> x IS NOT NULL, {each})"
        parts.append(f"if(empty({known}), NULL, arraySum({known}))")
    if parts:
        # The sum of what is known; null where nothing is.
        known = f"arrayFilter(x -> x IS NOT NULL, [{', '.join(parts)}])"
        told.append(f"if(empty({known}), NULL, arraySum({known}))")
    cost = f"coalesce({', '.join(told)}, NULL)"
    return f"if({cost} >= 0, {cost}, NULL)" if told else "CAST(NULL AS Nullable(Decimal(38, 12)))"


def _of_usage() -> str:
    """Token counts of Langfuse usage details where a span names none, as `otlp_span.usage_counts` reads them."""
    counts = (
        f"arrayFilter(p -> p.2 BETWEEN 0 AND {MOST_TOKENS}, JSONExtractKeysAndValues(ifNull(usage, '{{}}'), 'Int64'))"
    )

    def of(condition: str) -> str:
        return f"arrayMap(p -> p.2, arrayFilter(p -> {condition}, {counts}))"

    def first(*names: str) -> str:
        return f"coalesce({', '.join(one(name) for name in names)}, NULL)"

    def one(name: str) -> str:
        found = of(f"p.1 = {literal(name)}")
        return f"if(empty({found}), NULL, ({found})[1])"

    inputs = of("startsWith(p.1, 'input') OR startsWith(p.1, 'cache_')")
    outputs = of("startsWith(p.1, 'output')")
    overlap = f"ifNull(arraySum({inputs}) + arraySum({outputs}) > {one('total')}, 0)"
    sums = {
        "input_tokens": f"if({overlap}, {one('input')}, if(empty({inputs}), NULL, arraySum({inputs})))",
        "output_tokens": f"if({overlap}, {one('output')}, if(empty({outputs}), NULL, arraySum({outputs})))",
        "cached_tokens": first("input_cached_tokens", "input_cache_read", "cache_read_input_tokens"),
        "cache_write_tokens": first("input_cache_creation", "cache_creation_input_tokens"),
        "reasoning_tokens": first("output_reasoning_tokens", "output_reasoning"),
    }
    told = "usage IS NULL OR said_input_tokens IS NOT NULL OR said_output_tokens IS NOT NULL"
    return ", ".join(f"if({told}, said_{name}, {cell}) AS said_{name}" for name, cell in sums.items())
