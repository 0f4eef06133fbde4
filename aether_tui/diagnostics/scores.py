"""Scores of tasks: which names say how a task ended, and those of one trace."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from aether_tui.diagnostics.frame import Data, real, text, whole
from aether_tui.human import plural
from aether_tui.report_model import Col, Finding, Row, Table
from aether_tui.text import one_line


class Scored(Struct, frozen=True, kw_only=True):
    """A name of scores in the window: how many there are, how many count as an outcome, how many of them as failures, and
    what their values are: numbers from `least` to `most`, some of the words."""

    name: str
    n: int
    counted: int
    failed: int
    least: float | None
    most: float | None
    words: str


class Score(Struct, frozen=True, kw_only=True):
    """One score of a trace, or of a span of it; `outcome` is success, failure or nothing."""

    name: str
    value: str
    kind: str
    outcome: str | None
    span_id: str | None


def measure(data: Data) -> tuple[Scored, ...]:
    """Names of scores, the most frequent first; at most 20."""
    return tuple(
        Scored(
            name=one_line(text(row["name"]), 80),
            n=whole(row["n"]),
            counted=whole(row["counted"]),
            failed=whole(row["failed"]),
            least=real(row["least"]) if row["numbers"] else None,
            most=real(row["most"]) if row["numbers"] else None,
            words=one_line(text(row["words"]), 120),
        )
        for row in data.rows("instrument_scores")
    )


def of_trace(data: Data, trace: str) -> tuple[Score, ...]:
    """The first 50 scores of a trace."""
    return tuple(
        Score(
            name=one_line(text(row["name"]), 80),
            value=one_line(text(row["value"]), 80),
            kind=text(row["kind"]).lower(),
            outcome=text(row["outcome"]) or None,
            span_id=text(row["span_id"]) or None,
        )
        for row in data.rows("trace_scores", trace=trace)
    )


# --- Words --------------------------------------------------------------------------------------------------------


def findings(found: Sequence[Scored]) -> tuple[Finding, ...]:
    """Names that nobody mapped: what they say is never guessed."""
    left = [one for one in found if not one.counted]
    if not left:
        return ()
    named = ", ".join(f"{one.name} ({one.n:,}: {_values(one)})" for one in left[:4])
    return (
        Finding(
            id="instrumentation.scores",
            severity="warn",
            text=f"{plural(len(left), 'kind')} of scores that nobody mapped, so they say nothing of how a task ended: {named}.",
            evidence=(f"instrumentation.scores/{left[0].name}",),
            action=f"say in aether.toml which values mean success: [mapping.scores] {_example(left[0])}",
        ),
    )


def blocks(found: Sequence[Scored]) -> tuple[Table, ...]:
    """Names of scores as a table; none without scores."""
    if not found:
        return ()
    return (
        Table(
            id="instrumentation.scores",
            title="Scores",
            columns=(
                Col(key="state", title="", kind="state", priority=9),
                Col(key="name", title="score", priority=10),
                Col(key="n", title="given", kind="number", priority=8),
                Col(key="failed", title="failures", kind="number", priority=9),
                Col(key="values", title="values", priority=7),
            ),
            rows=tuple(
                Row(
                    id=f"instrumentation.scores/{one.name}",
                    state="pass" if one.counted else "warn",
                    cells=("counted" if one.counted else "not mapped", one.name, one.n, one.failed if one.counted else "", _values(one)),
                )
                for one in found
            ),
            note="A task failed if one of its mapped scores says so; what its own spans say of the outcome comes first.",
        ),
    )  # fmt: skip


def table_of(found: Sequence[Score]) -> tuple[Table, ...]:
    """The scores of a trace; none where it has none."""
    if not found:
        return ()
    return (
        Table(
            id="trace.scores",
            title="Scores",
            columns=(
                Col(key="name", title="score", priority=10),
                Col(key="value", title="value", priority=10),
                Col(key="outcome", title="says", priority=9),
                Col(key="kind", title="from", priority=6),
                Col(key="of", title="of", priority=5),
            ),
            rows=tuple(
                Row(
                    id=f"trace.scores/{place}",
                    state="block" if one.outcome == "failure" else "info",
                    cells=(one.name, one.value, one.outcome or "not mapped", one.kind, f"span {one.span_id}" if one.span_id else "trace"),
                )
                for place, one in enumerate(found)
            ),
        ),
    )  # fmt: skip


def _values(one: Scored) -> str:
    numbers = "" if one.least is None else f"{one.least:g} to {one.most:g}"
    return " · ".join(part for part in (numbers, one.words) if part) or "no values"


def _example(one: Scored) -> str:
    """A line of TOML for this name, with a bound or a word to choose instead."""
    word = f">= {one.most:g}" if one.most is not None else one.words.partition(",")[0] or "true"
    return f"{json.dumps(one.name, ensure_ascii=False)} = [{json.dumps(word, ensure_ascii=False)}]"
