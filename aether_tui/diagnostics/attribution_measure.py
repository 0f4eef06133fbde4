"""What model calls cost and for whom, and why that changed since the window before (diagnostics A)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from aether_tui.diagnostics.bill import Bill, reconcile
from aether_tui.diagnostics.frame import Clock, Data, Question, Record, real, text, whole
from aether_tui.human import plural
from aether_tui.report_model import Window
from aether_tui.stats.lmdi import FACTORS, Factor, Use, decompose
from aether_tui.text import one_line

DIMENSIONS = ("feature", "team", "category", "user tenth", "model", "prompt version")
SHOWN = 12
"""Values of a dimension that are listed; the rest is one line."""


class Share(Struct, frozen=True, kw_only=True):
    """One value of a dimension; a `name` of None is what no attribute says, a cost of None what nobody knows a price of."""

    name: str | None
    calls: int
    cost_usd: float | None
    share: float | None


class Dimension(Struct, frozen=True, kw_only=True):
    """Cost by one dimension, dearest first; `covered` is the share of cost that has a value."""

    name: str
    values: tuple[Share, ...]
    covered: float | None


class Mover(Struct, frozen=True, kw_only=True):
    """One kind of call (feature, team, model) and what each factor added to its cost, in USD."""

    name: str
    before_usd: float
    after_usd: float
    parts: dict[Factor, float]


class Waterfall(Struct, frozen=True, kw_only=True):
    """Cost before and after, and what lies between, by factor: the parts sum to the change."""

    before: Window
    before_usd: float
    after_usd: float
    parts: dict[Factor, float]
    unpriced_before: float
    unpriced_after: float
    """Share of calls without a price in each window: where it changes, that change is among `price`."""
    movers: tuple[Mover, ...]


class Spent(Struct, frozen=True, kw_only=True):
    """Cost of the window, its change, and how much is attributed."""

    cost_usd: float | None
    calls: int
    unpriced_calls: int
    attributed: float | None
    """Share of cost with feature and team."""
    waterfall: Waterfall | None
    no_waterfall: str


class Attribution(Spent, frozen=True, kw_only=True):
    """The same with its split, and how it compares with the bill."""

    dimensions: tuple[Dimension, ...]
    bill: Bill


def measure(data: Data, clock: Clock) -> Attribution:
    """Everything the report says."""
    return Attribution(
        **structs.asdict(spent(data, clock)),
        dimensions=_dimensions(data, data.rows("attribution_calls")),
        bill=reconcile(data),
    )


def spent(data: Data, clock: Clock) -> Spent:
    """What calls cost, and what changed that."""
    asked = questions(clock)
    data.together(*asked)
    rows, earlier = (data.rows(name, **params) for name, params in asked)
    cost, calls = _cost(rows), sum(whole(row["calls"]) for row in rows)
    attributed = _cost([row for row in rows if row["feature"] is not None and row["team"] is not None])
    return Spent(
        cost_usd=cost if calls else None,
        calls=calls,
        unpriced_calls=sum(whole(row["unpriced"]) for row in rows),
        attributed=attributed / cost if cost > 0 else None,
        waterfall=_waterfall(earlier, rows, compared(clock)) if rows and earlier else None,
        no_waterfall=""
        if rows and earlier
        else "no model call in the window before"
        if rows
        else "no model call in this window",
    )


def questions(clock: Clock) -> tuple[Question, ...]:
    """What that asks: calls of the window, and of the one before."""
    return tuple(
        ("attribution_calls", {"since": span.start, "until": span.end}) for span in (clock.window, compared(clock))
    )


def compared(clock: Clock) -> Window:
    """What the window is compared with: sums are, so that one that ends now, with today so far, is held against one as long."""
    now, before = clock.window, clock.previous
    if now.end != clock.now:
        return before
    return structs.replace(before, start=before.end - (now.end - now.start))


def _cost(rows: Sequence[Record]) -> float:
    return sum(real(row["cost_usd"]) for row in rows)


def _dimensions(data: Data, rows: Sequence[Record]) -> tuple[Dimension, ...]:
    """By each dimension; the window of calls for those of calls, tasks that began in it for categories."""
    users = [
        (None if row["tenth"] is None else f"{whole(row['tenth'])}. tenth ({plural(whole(row['users']), 'user')})", row)
        for row in data.rows("attribution_users")
    ]
    by: dict[str, list[tuple[str | None, Record]]] = {
        "feature": [(_name(row["feature"]), row) for row in rows],
        "team": [(_name(row["team"]), row) for row in rows],
        "category": [(_name(row["name"]), row) for row in data.rows("attribution_clusters")],
        "user tenth": users,
        "model": [(_name(row["model"]), row) for row in rows],
        "prompt version": [(_name(row["name"]), row) for row in data.rows("attribution_prompts")],
    }
    return tuple(_dimension(name, by[name]) for name in DIMENSIONS)


def _name(value: object) -> str | None:
    return None if value is None else one_line(str(value), 80)


def _dimension(name: str, named: Sequence[tuple[str | None, Record]]) -> Dimension:
    costs: dict[str | None, float | None] = {}
    calls: dict[str | None, int] = {}
    for value, row in named:
        known = costs.get(value)
        costs[value] = known if row["cost_usd"] is None else (known or 0.0) + real(row["cost_usd"])
        calls[value] = calls.get(value, 0) + whole(row["calls"])
    total = sum(cost or 0.0 for cost in costs.values())

    def share(value: str | None) -> Share:
        cost = costs[value]
        part = cost / total if cost is not None and total > 0 else None
        return Share(name=value, calls=calls[value], cost_usd=cost, share=part)

    return Dimension(
        name=name,
        values=tuple(map(share, sorted(costs, key=lambda value: (-(costs[value] or 0.0), value or "")))),
        covered=1 - (costs.get(None) or 0.0) / total if total > 0 else None,
    )


def _waterfall(earlier: Sequence[Record], rows: Sequence[Record], window: Window) -> Waterfall:
    before, after = _uses(earlier), _uses(rows)
    parts = decompose(before, after)
    movers = [
        Mover(
            name=kind,
            before_usd=before[kind].cost if kind in before else 0.0,
            after_usd=after[kind].cost if kind in after else 0.0,
            parts=found,
        )
        for kind, found in parts.items()
    ]
    return Waterfall(
        before=window,
        before_usd=_cost(earlier),
        after_usd=_cost(rows),
        parts={factor: sum(found[factor] for found in parts.values()) for factor in FACTORS},
        unpriced_before=_unpriced(earlier),
        unpriced_after=_unpriced(rows),
        movers=tuple(sorted(movers, key=lambda one: (-abs(one.after_usd - one.before_usd), one.name))),
    )


def _unpriced(rows: Sequence[Record]) -> float:
    return sum(whole(row["unpriced"]) for row in rows) / max(sum(whole(row["calls"]) for row in rows), 1)


def _uses(rows: Sequence[Record]) -> dict[str, Use]:
    """What each kind of call used; kinds whose names read the same (long ones are cut) are one."""
    sums: dict[str, list[float]] = {}
    for row in rows:
        kind = " · ".join(one_line(text(row[name]) or f"no {name}", 60) for name in ("feature", "team", "model"))
        used = sums.setdefault(kind, [0.0] * 4)
        for place, name in enumerate(("calls", "errors", "tokens", "cost_usd")):
            used[place] += real(row[name])
    return {kind: Use(*used) for kind, used in sums.items()}
