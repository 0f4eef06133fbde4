"""What traces say about each category of constraint (diagnostics E); a missing indicator says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import nlargest

from msgspec import Struct

from aether_tui.diagnostics import metrics
from aether_tui.diagnostics.frame import Data, Parameter, Record, real, text, whole
from aether_tui.diagnostics.sampling import DRAWN, ahead, draw, drawn, looked_for
from aether_tui.report_model import Quantity, missing
from aether_tui.stats.intervals import weighted_quantile, wilson

LEAST = 20


class Indicator(Struct, frozen=True, kw_only=True):
    """One indicator of a category. `means` says how to read it."""

    id: str
    category: str
    name: str
    value: Quantity
    means: str
    traces: tuple[str, ...] = ()
    """Ids of the tasks that weigh most in it, the heaviest first."""

    def why(self, report: str) -> str:
        """What `x` shows of it in that report."""
        said = f"{self.means[:1].upper()}{self.means[1:].rstrip('.')}."
        queries = metrics.asks("sample_tasks", "constraint_shape", "constraint_tasks", "constraint_clusters")
        return f"{said}\n{queries}\naether-tui report {report} --format json"


def indicators(data: Data, **beside: Mapping[str, Parameter]) -> tuple[Indicator, ...]:
    """All of them, by category; queries `beside` are asked with the one that takes longest."""
    live = data.live()
    data.together("constraint_edges", "constraint_clusters", sample_size={"live": live})
    edges = next(iter(data.rows("constraint_edges")), {"slowest": None, "failing": None})
    data.together(**ahead(data, looked_for(DRAWN), live))
    data.together(draw(data, DRAWN, live), constraint_slowest=edges)
    data.together(constraint_shape=drawn(data, DRAWN, live), constraint_tasks={}, **beside)
    tasks = (data.rows("constraint_tasks") or [{}])[0]
    named = data.rows("constraint_slowest", **edges)
    shape = shapes(data, DRAWN)
    clusters = data.rows("constraint_clusters")
    return (
        _one("ceiling", "model intelligence ceiling", "success of the hardest category", _hardest(clusters),
             "far below the others: the model, or what it is given, cannot do these"),
        _one("retrieval", "retrieval recall or precision", "relevant passages found",
             missing("traces carry no judgement of relevance; a failure review counts what retrieval costs", unit="ratio"),
             "what was needed and not found"),
        _one("context", "prompt or context pollution", "context growth in a task",
             _median(shape, "growth", "", "no task of the window has two model calls with token counts"),
             "input tokens of the last model call over the first; 1 is no growth", _most(shape, "growth")),
        _one("context", "prompt or context pollution", "context growth a turn",
             _median(shape, "a_turn", "tokens", "no task of the window has two model calls with token counts"),
             "input tokens that each further model call adds", _most(shape, "a_turn")),
        _one("loop", "agent loop inefficiency", "steps in a task",
             _median(shape, "steps", "", "no task with a model call in the window"),
             f"model and tool calls, median; p95 {_p95(shape, 'steps')}", _most(shape, "steps")),
        _one("loop", "agent loop inefficiency", "serial share",
             _median(shape, "serial", "ratio", "no task of the window has two spans with a duration"),
             "100 %: one step after the other; lower: some run side by side", _most(shape, "serial")),
        _one("loop", "agent loop inefficiency", "tool error rate",
             _pooled(shape, "tool_errors", "tools", "no task of the window calls a tool"),
             "tool calls that end in an error", _most(shape, "tool_errors")),
        _one("loop", "agent loop inefficiency", "repeated identical calls",
             _pooled(shape, "repeats", "asked", "no span of the window carries its input, or the hash of it"),
             "calls whose very input had been sent before in the same task", _most(shape, "repeats")),
        _one("latency", "tail latency", "p99 over p50", _tail(tasks), "of task duration; a long tail is given up on",
             _named(named, "slowest")),
        _one("latency", "tail latency", "failures of the slowest tenth",
             _share(tasks, "slow_failed", "slow", "no task of the window says how it ended"),
             f"against {_rest(tasks)} of the others; traces do not tell giving up from failing",
             _named(named, "failure", beyond_s=real(tasks.get("told_p90")), in_buckets=bool(tasks.get("many")))),
        _one("evaluation", "evaluation blind spots", "tasks without an outcome", _blind(tasks), "nobody knows whether these worked"),
        _one("economics", "unit economics", "cost per success", _cost(tasks), "of ended tasks with every call priced, failures paid for"),
    )  # fmt: skip


def shapes(data: Data, wanted: int) -> list[Record]:
    """A repeatable sample of so many tasks, if there are as many: id, steps, and what their spans say, if they are still here."""
    unknown: Record = {
        "serial": None,
        "growth": None,
        "a_turn": None,
        "tools": 0,
        "tool_errors": 0,
        "asked": 0,
        "repeats": 0,
    }
    live = data.live()
    name, asked = draw(data, wanted, live)
    found = [{**row, **unknown} for row in data.rows(name, **asked)]
    for row in data.rows("constraint_shape", **drawn(data, wanted, live)):
        found[whole(row["task"])] |= row
    return found


def _one(category: str, title: str, name: str, value: Quantity, means: str, traces: tuple[str, ...] = ()) -> Indicator:
    identity = f"{category}.{name.replace(' ', '-')}"
    return Indicator(id=identity, category=title, name=name, value=value, means=means, traces=traces)


def _most(shape: Sequence[Record], name: str) -> tuple[str, ...]:
    """The five tasks of the sample with the most of something."""
    most = nlargest(5, ((real(row[name]), text(row["trace_id"])) for row in shape))
    return tuple(trace for value, trace in most if value > 0)


def _named(
    rows: Sequence[Record], what: str, *, beyond_s: float | None = None, in_buckets: bool = False
) -> tuple[str, ...]:
    """The five slowest tasks, of those that took longer than so many seconds."""
    took = "took_s" if in_buckets else "duration_s"
    found = (row for row in rows if row["what"] == what and (beyond_s is None or real(row[took]) > beyond_s))
    return tuple(text(row["trace_id"]) for row in found)[:5]


def _p95(shape: Sequence[Record], name: str) -> str:
    """The 95th percentile of something in the sample, with its interval where there are enough for one."""
    values = _values(shape, name)
    if not values:
        return "unknown"
    middle, low, high = weighted_quantile(values, 0.95)
    return f"{middle:.0f}" + ("" if low is None or high is None else f" [{low:.0f}–{high:.0f}]")


def _values(shape: Sequence[Record], name: str) -> list[tuple[float, int]]:
    return [(real(row[name]), 1) for row in shape if row[name] is not None]


def _pooled(shape: Sequence[Record], part: str, of: str, why: str) -> Quantity:
    """A share over all that is counted in the sample."""
    n = sum(whole(row[of]) for row in shape)
    return _proportion(sum(whole(row[part]) for row in shape), n) if n else missing(why, unit="ratio", connect="traces")


def _none(unit: str = "") -> Quantity:
    return missing("no task with a model call in the window", unit=unit, connect="traces")


def _hardest(clusters: Sequence[Record]) -> Quantity:
    if len(clusters) < 2:
        return missing(f"needs two request categories with {LEAST} outcomes each", unit="ratio", connect="traces")
    first = clusters[0]
    return _proportion(whole(first["k"]), whole(first["n"]))


def hardest_name(data: Data) -> str:
    """The category with the lowest success share, or nothing."""
    clusters = data.rows("constraint_clusters")
    return text(clusters[0]["cluster"]) if len(clusters) > 1 else ""


def _median(shape: Sequence[Record], name: str, unit: str, why: str) -> Quantity:
    values = _values(shape, name)
    if not values:
        return missing(why, unit=unit, connect="traces")
    middle, low, high = weighted_quantile(values, 0.5)
    return Quantity(value=middle, unit=unit, n=len(values), low=low, high=high)


def _tail(tasks: Record) -> Quantity:
    n, p50 = whole(tasks.get("n")), real(tasks.get("latency_p50"))
    if n < 100 or p50 <= 0:
        return missing(f"a p99 needs 100 timed tasks, there are {n}", n=n, connect="traces")
    return Quantity(value=real(tasks["latency_p99"]) / p50, unit="", n=n)


def _share(tasks: Record, part: str, of: str, why: str) -> Quantity:
    n = whole(tasks.get(of))
    return missing(why, unit="ratio", connect="traces") if not n else _proportion(whole(tasks[part]), n)


def _rest(tasks: Record) -> str:
    n = whole(tasks.get("rest"))
    return f"{100 * whole(tasks['rest_failed']) / n:.0f} %" if n else "those"


def _blind(tasks: Record) -> Quantity:
    n = whole(tasks.get("n"))
    return _none("ratio") if not n else _proportion(n - whole(tasks["with_outcome"]), n)


def _cost(tasks: Record) -> Quantity:
    if not whole(tasks.get("successes")):
        return missing("no task of the window ended in success", unit="USD", connect="traces")
    priced = whole(tasks.get("priced"))
    if not priced or tasks.get("cost_known") is None:
        return missing("no task that ended has a price for all of its calls", unit="USD", connect="prices")
    return Quantity(value=real(tasks["cost_known"]) / priced, unit="USD", n=priced)


def _proportion(k: int, n: int) -> Quantity:
    low, high = wilson(k, n)
    return Quantity(value=k / n, unit="ratio", n=n, low=low, high=high)
