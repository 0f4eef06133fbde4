"""Limits to begin with: what was measured so far fits, so that the first day of a gate is green."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import NamedTuple

from aether_tui.budgets.file import METRICS, Budget, BudgetFile
from aether_tui.budgets.filed import from_files
from aether_tui.budgets.measurements import Benchmarks, Cost, Measurement, Pipelines, Tests
from aether_tui.budgets.model import Estimate, Measured, Series, Spend
from aether_tui.human import plural
from aether_tui.stats.ranks import quantile

HEADROOM = 0.25
SHARE = 0.95
MAX_NEW = 20
"""New budgets of one kind: more than that is a job for a wildcard."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A limit for a budget as it is written, and from what. `new` is the whole budget where there was none."""

    id: str
    metric: str
    was: str
    limit: str
    source: str
    needed: bool
    """Whether the present limit is missing or exceeded."""
    new: Mapping[str, object] | None = None


def proposals(
    file: BudgetFile, measured: Mapping[str, Sequence[Measured]], measurements: Sequence[Measurement]
) -> list[Proposal]:
    """A limit for every budget that was measured, and a budget for what none is about."""
    found = [one for budget in file.budgets if (one := _of(budget, measured.get(budget.id, ()), file.currency))]
    taken = {budget.id for budget in file.budgets}
    for new in _missing(file, measurements):
        (budget,) = new.budgets
        named = _free(budget.id, taken)
        taken.add(named)
        one = _of(budget, from_files(new, measurements).get(budget.id, ()), file.currency)
        if one:
            about: dict[str, object] = {
                "id": named,
                "surface": budget.surface,
                "metric": budget.metric,
                "match": dict(budget.match),
            }
            body = {key: value for key, value in about.items() if value} | {"limit": one.limit}
            if budget.surface == "tests":
                body["block"] = {"limit": "0%"}
            found.append(Proposal(named, budget.metric, "", one.limit, one.source, True, body))
    return found


def too_young(file: BudgetFile, measured: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Budgets of a month that is too young for a pace, where the month before is not known whole either."""
    return [
        budget.id
        for budget in file.budgets
        if any(
            isinstance(one, Spend) and _own(one, file.currency) and _usual(budget, one) is None
            for one in measured.get(budget.id, ())
        )
    ]


def _of(budget: Budget, measured: Sequence[Measured], currency: str) -> Proposal | None:
    """The limit that the worst of its series keeps; amounts in another currency are none of its own."""
    kept = [usual for one in measured if _own(one, currency) and (usual := _usual(budget, one))]
    if not kept:
        return None
    sign = 1 if budget.direction == "lower" else -1
    worst = max(kept, key=lambda one: sign * one.proposed)
    limit = None if budget.limit is None else float(budget.limit)
    needed = limit is None or any(sign * one.reached > sign * limit for one in kept)
    was = "" if budget.limit is None else written(float(budget.limit), budget.kind, currency, up=None)
    text = written(worst.proposed, budget.kind, currency, up=sign > 0)
    return Proposal(budget.id, budget.metric, was, text, worst.source, needed)


def _own(one: Measured, currency: str) -> bool:
    return isinstance(one, Series) or one.currency in {currency, "tokens"}


class _Usual(NamedTuple):
    """What was reached, the limit that leaves room above it, and what both come from."""

    reached: float
    proposed: float
    source: str


def _usual(budget: Budget, one: Measured) -> _Usual | None:
    """p95 of the history where there is one, else what is measured now and a quarter more; of a month that is too young for a
    pace, the month before."""
    sign = 1 if budget.direction == "lower" else -1
    if isinstance(one, Series):
        if not one.now:
            return None
        known = [sample.value for sample in (*one.comparable(), *one.now)]
        worst = sign * max(sign * sample.value for sample in one.now)
        if len(known) >= max(budget.min_samples, 5):
            high = sign * max(quantile([sign * value for value in known], SHARE), sign * worst)
            return _Usual(high, high, f"p95 of {plural(len(known), 'measurement')}")
        return _Usual(worst, worst * (1 + sign * HEADROOM), "now + 25 %" if sign > 0 else "now − 25 %")
    if isinstance(one, Estimate):
        month, source = one.monthly, "plan"
    elif one.paced:
        month, source = one.run_rate, "pace of this month"
    elif one.last_month is not None:
        month, source = max(one.last_month, one.spent), "the month before"
    else:
        return None
    return _Usual(float(month), float(month) * (1 + HEADROOM), f"{source} + 25 %")


def written(value: float, kind: str, currency: str, *, up: bool | None) -> str:
    """A quantity as budgets.yaml has it; rounded to two figures, away from what was measured, unless `up` is None."""
    base, _, per = kind.partition("/")
    tail = f"/{per}" if per else ""
    if value <= 0 and base != "tests":
        value = 1.0  # a limit of nothing is refused
    if base == "s":
        return f"{_seconds(value, up)}{tail}"
    if base == "tests":
        return f"{ceil(value)} tests"
    text = _plain(value if up is None else _two(value, up))
    return f"{text} {currency if base == 'money' else base}{tail}"


def _seconds(value: float, up: bool | None) -> str:
    if value < 1:
        return f"{_plain(1000 * (value if up is None else _two(value, up)))}ms"
    unit, size = ("s", 1) if value < 120 else ("min", 60) if value < 7200 else ("h", 3600)
    return f"{_plain(value / size if up is None else _two(value / size, up))}{unit}"


def _two(value: float, up: bool) -> float:
    if not value:
        return 0.0
    step = 10.0 ** (floor(log10(abs(value))) - 1)
    return float(f"{(ceil if up else floor)(round(value / step, 6)) * step:.12g}")


def _plain(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


# --- What no budget is about ------------------------------------------------------------------------------------------


def _missing(file: BudgetFile, measurements: Sequence[Measurement]) -> Iterator[BudgetFile]:
    """A file of one budget for each thing that was measured and that no budget means."""
    for part in measurements:
        for metric, name, match in list(_things(part))[:MAX_NEW]:
            budget = _budget(metric, name, match)
            alone = BudgetFile(file.path, file.currency, (budget,), ())
            own = [one for one in file.budgets if one.metric == metric]
            rest = BudgetFile(file.path, file.currency, tuple(own), ())
            if not any(_same(budget, one, rest, part) for one in own):
                yield alone


def _same(budget: Budget, other: Budget, rest: BudgetFile, part: Measurement) -> bool:
    """Whether another budget is about this thing, too."""
    return all(_meets(other.match.get(key, "*"), value) for key, value in budget.match.items()) and bool(
        from_files(rest, [part]).get(other.id)
    )


def _meets(pattern: str, value: str) -> bool:
    from fnmatch import fnmatchcase

    return value == "*" or fnmatchcase(value.lower(), pattern.lower())


def _things(part: Measurement) -> Iterable[tuple[str, str, dict[str, str]]]:
    if isinstance(part, Tests):
        suites = sorted({one.suite for one in part.by_suite if one.tests})
        return [("suite.duration", f"tests.{suite}", {"suite": suite}) for suite in suites]
    if isinstance(part, Benchmarks):
        return [("benchmark.duration", "tests.benchmarks", {"benchmark": "*"})]
    if isinstance(part, Cost):
        named = sorted({one.environment for one in part.projects if one.environment})
        found = [("infra.monthly", f"cost.{name}", {"env": name}) for name in named]
        return found or [("infra.monthly", "cost.all", {})]
    if isinstance(part, Pipelines):
        flows = sorted({(one.workflow, one.branch) for one in part.by_workflow if one.samples_s})
        return [
            ("pipeline.duration", f"ci.{flow}.{branch}",
             {key: value for key, value in (("workflow", flow), ("branch", branch)) if value})
            for flow, branch in flows
        ]  # fmt: skip
    return [("task.tokens", "llm.task.tokens", {"scenario": "*"}), ("task.cost", "llm.task.cost", {"scenario": "*"})]


def _budget(metric: str, name: str, match: Mapping[str, str]) -> Budget:
    from aether_tui.budgets.file import Threshold

    surface = METRICS[metric].surface
    slug = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.")[:60] or surface
    return Budget(
        slug, surface, metric, match, "p50", None, "lower", "warn", 5, 30, Threshold(), Threshold(), False, False
    )


def _free(name: str, taken: set[str]) -> str:
    return next(one for one in (name, *(f"{name}-{place}" for place in range(2, 1000))) if one not in taken)
