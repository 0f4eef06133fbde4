"""The OpenTelemetry Collector's `otel_traces`: one row of it → a span, and the SQL that makes our columns of it there.

The columns in SQL follow `otlp_span` and its alias table; a test compares the two, row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aether_tui.records.model import MOST_MONEY
from aether_tui.records.tables import MOST_TOKENS, MOST_WORD
from aether_tui.text import BEYOND
from connectors import otlp_aliases
from connectors.fields import Node, dig, integer, text
from connectors.otlp_attributes import Resource
from connectors.otlp_span import Event, Span

READ: Final = (
    "toUnixTimestamp64Nano(Timestamp) AS at", "TraceId", "SpanId", "ParentSpanId", "SpanName", "ServiceName", "StatusCode",
    "toString(Duration) AS Duration", "ResourceAttributes", "SpanAttributes",
    "arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp) AS EventTimes", "Events.Name AS EventNames",
    "Events.Attributes AS EventAttributes",
)  # fmt: skip
"""What is asked for of each span."""

SERVICE: Final = "service.name"

_STATUS: Final = {"ok": 1, "error": 2, "status_code_ok": 1, "status_code_error": 2}


def span_of(raw: Node) -> tuple[Span, Resource]:
    """One row as it would have come off the wire, and its resource. Raises ValueError for times that cannot be."""
    start, length = integer(raw, "at"), integer(raw, "Duration")
    if start is None or length is None:
        raise ValueError(f"Timestamp or Duration is not a number: {str(dig(raw, 'at'))[:60]}")
    names, times, attributes = (dig(raw, f"Event{what}") for what in ("Names", "Times", "Attributes"))
    events: list[Event] = []
    if isinstance(names, list) and isinstance(times, list) and isinstance(attributes, list):
        events = [
            (str(name), integer({"at": at}, "at") or 0, _texts(found))
            for name, at, found in zip(names, times, attributes, strict=False)
        ]
    resource = _texts(dig(raw, "ResourceAttributes"))
    span = Span(
        trace_id=text(raw, "TraceId") or "",
        span_id=text(raw, "SpanId") or "",
        parent_id=text(raw, "ParentSpanId") or "",
        name=text(raw, "SpanName") or "",
        start_ns=start,
        end_ns=start + length,
        attributes=_texts(dig(raw, "SpanAttributes")),
        status=_STATUS.get((text(raw, "StatusCode") or "").lower(), 0),
        events=events,
    )
    # The collector takes the service's name out of the resource into a column of its own in some versions.
    named = {SERVICE: text(raw, "ServiceName") or "", **{k: v for k, v in resource.items() if k != SERVICE or v}}
    return span, Resource(named)


def _texts(value: object) -> dict[str, str]:
    return {str(name): str(found) for name, found in value.items()} if isinstance(value, Mapping) else {}


# --- The same in ClickHouse's words --------------------------------------------------------------------------------


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
