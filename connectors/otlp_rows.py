"""SQL for the raw rows of spans that `otlp_scan` has read: the cells that `otlp_span` would make, and what makes a span odd."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from aether_tui.records.tables import MOST_TOKENS, MOST_WORD, SPANS
from connectors import otlp_aliases
from connectors.otlp_span import LAST_NS, NOT_ASKED

_TEXTS: Final = {
    "provider": "provider", "model": "model", "error_type": "error_type", "conversation": "conversation", "user": "user",
    "source_service": "service", "source_environment": "environment", "prompt_name": "prompt_name",
    "prompt_version": "prompt_version",
}  # fmt: skip
_TOKENS: Final = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
_NUMBER: Final = "'\"?(0|[1-9][0-9]{0,18})\"?'"
_FIELDS: Final = tuple(otlp_aliases.FIELDS)


def known(read: str) -> str:
    """Spans that were `read`, a table or query, as `r` and what their names mean as `k`."""
    return f"{read} AS r LEFT JOIN otlp_kinds AS k ON r.keys = k.keys AND r.resource IS NOT DISTINCT FROM k.resource"


def rows_of(columns: Sequence[str], read: str, *, some_ask: bool) -> str:
    """SELECT of number of line, whether that is `strange`, whether it is `odd`, whether its names are `unknown`, and raw columns of every
    span that was `read`, by `otlp_kinds` with these columns, and by `otlp_asked` where some ask."""
    odd, cells = _plain_cells()
    best = {field: _best(field, columns) for field in _FIELDS}
    found = ", ".join(f"{value} AS {field}" for field, value in best.items() if value)
    there = [field for field, value in best.items() if value]
    for column, field in _TEXTS.items():
        cells[column] = _said(field) if field in there else "CAST(NULL AS VARCHAR)"
    unread = "contains({0}, '\\') AND contains(replace({0}, '\\\"', ''), '\\')"  # `_said` reads quotation marks only
    texts = [field for field in there if field in _TEXTS.values() or field == "operation"]
    odd += [f"{field} IS NOT NULL AND (strlen({field}) > {MOST_WORD} OR ({unread.format(field)}))" for field in texts]
    odd += _operation(cells, "operation" in there) + _tokens(cells, there) + _first_token(cells, there)
    cells["status"] = _status(cells["error_type"], "level" in there)
    # Not by array_to_string, a macro which says its list twice: within a CASE it is made twice, too.
    members = "coalesce(list_aggr(list_select(list_concat(literals, names), kept), 'string_agg', ''), '')"
    cells["attributes"] = f"CASE WHEN len(kept) > 0 OR tail <> '' THEN '{{' || {members} || tail || '}}' END"
    cells["request_hash"] = "request_hash" if some_ask else "CAST(NULL AS VARCHAR)"
    asked = f"CASE WHEN {cells['operation']} NOT IN ({_NOT_ASKED}) IS NOT FALSE THEN asked END"
    cells["request"] = asked if some_ask else "CAST(NULL AS VARCHAR)"
    selected = ", ".join(f'{cells[column.name]} AS "{column.name}"' for column in SPANS.raw)
    answered = ", a.request_hash, a.request AS asked" * some_ask
    told = f"k.keys IS NULL AS unknown, k.kept, k.names, k.tail, k.used{answered}{', ' * bool(found)}{found}"
    return (
        f"SELECT n, other OR traceId IS NULL OR spanId IS NULL AS strange, "
        f"{' OR '.join(f'({one}) IS NOT FALSE' for one in odd)} AS odd, unknown, {selected} "
        f"FROM (SELECT *, {_numbers(there)} FROM (SELECT r.*, {told} FROM {known(read)}{_ANSWERED * some_ask}))"
    )


def _inner(literal: str) -> str:
    return f"substr({literal}, 2, length({literal}) - 2)"


def _whole(literal: str) -> str:
    return f"TRY_CAST(CASE WHEN starts_with({literal}, '\"') THEN {_inner(literal)} ELSE {literal} END AS BIGINT)"


def _numbers(there: Sequence[str]) -> str:
    """SQL columns that are asked for in many places: times in nanoseconds, and tokens as they are said."""
    names = {"startTimeUnixNano": "start_ns", "endTimeUnixNano": "end_ns"}
    names |= {name: f"{name}_said" for name in _TOKENS if name in there}
    return ", ".join(f"{_whole(name)} AS {column}" for name, column in names.items())


_ANSWERED: Final = " LEFT JOIN otlp_asked AS a ON r.rowid = a.place"
_NOT_ASKED: Final = ", ".join(f"'{name}'" for name in sorted(NOT_ASKED))


def _best(field: str, columns: Sequence[str]) -> str:
    """SQL: the JSON of the first value of a field that is neither null nor empty, its resource's last; '' where no name is its."""
    ranks = [name for name in columns if name.rpartition("_")[0] == field]
    each = [
        f"k.{name}" if name.endswith("_0") else f"nullif(nullif(r.literals[k.{name}], 'null'), '\"\"')"
        for name in sorted(ranks, key=lambda name: (name.endswith("_0"), int(name.rpartition("_")[2])))
    ]
    return f"coalesce({', '.join(each)})" if each else ""


def _said(literal: str) -> str:
    """SQL: what a literal says as text; only in lists quotation marks are escaped."""
    inner = _inner(literal)
    listed = f"WHEN contains({literal}, '\\') THEN replace({inner}, '\\\"', '\"')"
    return f"CASE WHEN NOT starts_with({literal}, '\"') THEN {literal} {listed} ELSE {inner} END"


def _plain_cells() -> tuple[list[str], dict[str, str]]:
    """What makes a span odd (unless it is FALSE), and cells, as far as no attribute says them."""
    odd = [
        "other OR eventful",
        "kept IS NULL",
        "CASE WHEN len(literals) <> list_count(literals) THEN len(used) <> list_count(list_select(literals, used)) ELSE FALSE END",
        f"NOT regexp_full_match(traceId, '\"[0-9a-fA-F]{{32}}\"') OR traceId = '\"{'0' * 32}\"'",
        f"NOT regexp_full_match(spanId, '\"[0-9a-fA-F]{{16}}\"') OR spanId = '\"{'0' * 16}\"'",
        "parentSpanId IS NOT NULL AND NOT regexp_full_match(parentSpanId, '\"([0-9a-fA-F]{16}|0*)\"')",
        "name IS NOT NULL AND (NOT starts_with(name, '\"') OR contains(name, '\\'))",
        f"start_ns NOT BETWEEN 1 AND {LAST_NS - 1} OR NOT regexp_full_match(startTimeUnixNano, {_NUMBER})",
        f"end_ns NOT BETWEEN 0 AND {LAST_NS} OR end_ns - start_ns >= {2**53} OR NOT regexp_full_match(endTimeUnixNano, {_NUMBER})",
        "code IS NOT NULL AND code NOT IN ('0', '1', '2', '\"STATUS_CODE_UNSET\"', '\"STATUS_CODE_OK\"', '\"STATUS_CODE_ERROR\"')",
    ]
    cells = {
        "trace_id": "lower(substr(traceId, 2, 32))",
        "span_id": "lower(substr(spanId, 2, 16))",
        "parent_id": "CASE WHEN regexp_full_match(parentSpanId, '.*[^0\"].*') THEN lower(substr(parentSpanId, 2, 16)) END",
        "name": f"coalesce({_inner('name')}, '')",
        "start": "make_timestamp(start_ns // 1000)",
        "duration_s": "CASE WHEN end_ns >= start_ns THEN CAST(end_ns - start_ns AS DOUBLE) / 1e9 END",
        "reported_cost_usd": "CAST(NULL AS DECIMAL(38, 12))",
    }
    return odd, cells


def _operation(cells: dict[str, str], there: bool) -> list[str]:
    """Adds the cell; returns what makes a span odd."""
    word = f"lower({_said('operation')})"
    names = " ".join(
        f"WHEN '{name}' THEN {'NULL' if ours is None else repr(ours)}" for name, ours in otlp_aliases.OPERATIONS.items()
    )
    # Only of a text; a name beyond ASCII is folded otherwise here.
    known = ", ".join(f"'{name}'" for name in otlp_aliases.OPERATIONS)
    # Most have our name, and a CASE computes what it compares at every WHEN.
    ours = f"CASE WHEN {word} IN ({known}) THEN CASE {word} {names} END ELSE {word} END"
    # Only of a text; a name beyond ASCII is folded otherwise here.
    cells["operation"] = f"CASE WHEN starts_with(operation, '\"') THEN {ours} END" if there else "CAST(NULL AS VARCHAR)"
    folded = " OR ".join(f"contains(operation, '{mark}')" for mark in ("\\", '" ', ' "'))
    return [f"operation IS NOT NULL AND (strlen(operation) <> length(operation) OR {folded})"] * there


def _tokens(cells: dict[str, str], there: Sequence[str]) -> list[str]:
    """Adds the cells, as `otlp_span` counts; returns what makes a span odd."""
    none = "CAST(NULL AS BIGINT)"
    counted = f"CASE WHEN {{0}}_said BETWEEN 0 AND {MOST_TOKENS} THEN {{0}}_said END"
    count = {name: counted.format(name) if name in there else none for name in _TOKENS}
    cached = f"(coalesce({count['cached_tokens']}, 0) + coalesce({count['cache_write_tokens']}, 0))"
    parts = {"input_tokens": cached, "output_tokens": f"coalesce({count['reasoning_tokens']}, 0)"}
    cells |= count
    for name, part in parts.items():
        whole = f"({count[name]} + CASE WHEN {part} > {count[name]} THEN {part} ELSE 0 END)"
        cells[name] = f"CASE WHEN {whole} <= {MOST_TOKENS} THEN {whole} END" if name in there else none
    return _unless_number("-?[0-9]{1,18}", there, _TOKENS)


def _first_token(cells: dict[str, str], there: Sequence[str]) -> list[str]:
    """Adds the cell; returns what makes a span odd."""
    names = {"first_token_s": "1", "first_token_ms": "1e3"}
    each = [f"TRY_CAST(trim({name}, '\"') AS DOUBLE) / {unit}" for name, unit in names.items() if name in there]
    seconds = f"coalesce({', '.join(each)})" if each else "CAST(NULL AS DOUBLE)"
    cells["time_to_first_token_s"] = f"CASE WHEN {seconds} >= 0 THEN {seconds} END"
    return _unless_number(r"-?[0-9]{1,15}(\.[0-9]+)?", there, names)


def _unless_number(form: str, there: Sequence[str], names: Iterable[str]) -> list[str]:
    """What makes a span odd where a field is said otherwise than as a number of this form, be it as text."""
    return [f"{name} IS NOT NULL AND NOT regexp_full_match({name}, '\"?{form}\"?')" for name in names if name in there]


def _status(error: str, leveled: bool) -> str:
    said = "CASE WHEN code IN ('2', '\"STATUS_CODE_ERROR\"') THEN 'error' WHEN code IN ('1', '\"STATUS_CODE_OK\"') THEN 'ok' "
    level = "WHEN level = '\"ERROR\"' THEN 'error' " if leveled else ""
    return f"{said.replace('CASE ', f'CASE {level}', 1)}WHEN {error} IS NOT NULL THEN 'error' ELSE 'unset' END"
