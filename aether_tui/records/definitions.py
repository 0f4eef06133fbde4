"""What rollups are: one SQL text each, in `sql/`, over `{tables}` with primitives in braces.

Another engine needs another set of primitives and nothing else; DuckDB and ClickHouse have theirs here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

CALLS: Final = (
    "chat",
    "text_completion",
    "completion",
    "generate_content",
    "embeddings",
    "embedding",
    "llm",
    "generation",
)
"""Operations (lower case) that are calls of a model, whatever else a span says."""
_TOOLS: Final = ("execute_tool", "tool")
_STEPS: Final = (*_TOOLS, "retrieval", "retriever", "reranker", "guardrail", "evaluator")
NAMED: Final = {
    "named_call": CALLS,
    "never_call": (*_STEPS, "invoke_agent", "create_agent", "agent", "chain", "workflow", "task", "span"),
    "named_step": _STEPS,
    "embedding": ("embeddings", "embedding"),
    "tool_call": _TOOLS,
}
"""What operations (lower case) say by themselves."""

_SHARED: Final[dict[str, str]] = {
    "of_root": "coalesce(min(CASE WHEN parent_id IS NULL THEN {0} END), min({0}))",
    "segment": "coalesce({0}, '') || '/' || coalesce({1}, '')",
    **{name: f"(lower(coalesce(operation, '')) IN {words})" for name, words in NAMED.items()},
    "took": "CASE WHEN {0} IS NOT NULL THEN {log_bucket({0})} END",
    "model_call": (
        "({named_call} OR (model IS NOT NULL AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL) AND NOT {never_call}))"
    ),
    "step": "({named_step} OR {model_call})",
    "failed_free": (
        "(coalesce(status, '') = 'error' AND input_tokens IS NULL AND output_tokens IS NULL AND cost_usd IS NULL)"
    ),
    "counted_run": "(coalesce(result, '') IN ('success', 'failure', 'timed_out'))",
    "entered": "(from_category IS NULL OR from_category <> to_category)",
}
"""Pieces of definitions that every engine understands."""

DUCKDB: Final[dict[str, str]] = {
    **_SHARED,
    "day": "date_trunc('day', {0})",
    "hour": "date_trunc('hour', {0})",
    "days": "unnest(generate_series({0}, {1}, INTERVAL 1 DAY))",
    "us": "epoch_us({0})",
    "seconds": "((epoch_us({1}) - epoch_us({0})) / 1e6)",
    # A clock that runs backwards counts as no time, one that claims more than 31 years as 31 years.
    "duration_us": "CAST(least(greatest(coalesce({0}, 0), 0), 1e9) * 1e6 AS BIGINT)",
    "log_bucket": "CASE WHEN {0} > 0 THEN CAST(floor(ln({0}) / ln(1.02)) AS INTEGER) ELSE -10000 END",
    # Floating sums depend on the order of rows; a rollup must not.
    "exact_sum": "CAST(sum(TRY_CAST({0} AS DECIMAL(24, 6))) AS DOUBLE)",
    "first_of": "arg_min({0}, (start, span_id))",
    # What follows the first label of that name.
    "label": "list_filter({0}, lambda l: starts_with(lower(l), '{1}:'))[1][length('{1}') + 2:]",
    "nullable": "{0}",
    # 64 bits of an id: found in an eighth of the time of the text, which decides where two are equal.
    "id_number": "md5_number_lower({0})",
    # 64 bits of all attributes: tasks are counted by it in a third of the time of the texts.
    "kind": (
        "md5_number_lower(concat("
        + ", ".join(f"coalesce({{{place}}} || chr(31), chr(30))" for place in range(7))
        + "))"
    ),
    # Without the operation it begins with, and with ids and counters made alike, so that steps are few.
    "step_name": (
        "left(regexp_replace(CASE WHEN {0} <> '' AND starts_with(lower({1}), {0} || ' ') THEN substr({1}, length({0}) + 2) "
        "ELSE coalesce({1}, '') END, '[0-9a-fA-F-]{12,}|[0-9]{3,}', '#', 'g'), 80)"
    ),
}
"""What the rollups of all tables need, in DuckDB's words."""

CLICKHOUSE: Final[dict[str, str]] = {
    **_SHARED,
    "day": "toStartOfDay({0})",
    "hour": "toStartOfHour({0})",
    "us": "toUnixTimestamp64Micro({0})",
    # Casts cut here, where DuckDB's round.
    "duration_us": "toInt64(round(least(greatest(coalesce({0}, 0), 0), 1e9) * 1e6))",
    "log_bucket": "CASE WHEN {0} > 0 THEN toInt32(floor(log({0}) / log(1.02))) ELSE -10000 END",
    "first_of": "argMin({0}, (start, span_id))",
    # Outside its frame a window function finds nought where a column cannot be null.
    "nullable": "toNullable({0})",
    "id_number": "reinterpretAsUInt64(substring(MD5({0}), 9, 8))",
    "kind": "toUInt64(0)",  # made where it is stored: what is cleaned may be another text
    # Cut where it is stored: nothing is cut before it is clean.
    "step_name": (
        "substringUTF8(replaceRegexpAll(CASE WHEN {0} <> '' AND startsWith(lowerUTF8({1}), {0} || ' ') "
        "THEN substringUTF8({1}, lengthUTF8({0}) + 2) ELSE coalesce({1}, '') END, '[0-9a-fA-F-]{12,}|[0-9]{3,}', '#'), 1, 600)"
    ),
}
"""What the rollups of spans need, in ClickHouse's words; its setting `prefer_column_name_to_alias` must be on."""

_TOKEN: Final = re.compile(r"\{(\w+)(?:\(([^{}]*)\))?\}")


def render(text: str, sources: Mapping[str, str], primitives: Mapping[str, str] = DUCKDB) -> str:
    """`text` with tables from `sources` and primitives filled in, innermost first. Raises KeyError for an unknown one."""

    def fill(match: re.Match[str]) -> str:
        name, arguments = match[1], match[2]
        if arguments is None and name in sources:
            return sources[name]
        template = primitives[name]
        for place, argument in enumerate(_split(arguments or "")):
            template = template.replace(f"{{{place}}}", argument)
        return template

    while _TOKEN.search(text):
        text = _TOKEN.sub(fill, text)
    return text


def _split(arguments: str) -> list[str]:
    """Arguments at top-level commas, unless parentheses hold them together."""
    parts, depth = [""], 0
    for character in arguments:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


@cache
def definition(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return files("aether_tui.records").joinpath("sql", f"{name}.sql").read_text("utf-8")
