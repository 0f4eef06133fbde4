"""What a budget's number is made of: slowest tests, jobs, services, prompts and models, each with its share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import cached_property

from aether_tui.budgets.cached import MODEL_SPEND
from aether_tui.budgets.file import Budget, BudgetFile
from aether_tui.diagnostics.frame import Clock, Data, Record, real, text
from aether_tui.report_model import Col, Quantity, Row, Table, missing
from aether_tui.text import one_line

MOST = 6
RECENT = timedelta(days=7)
BEFORE = timedelta(days=28)
_COLUMN = {"task.cost": "cost", "task.tokens": "tokens", "turn.latency": "latency"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part: what it adds now, its share of the whole, what it added before (null where nobody knows)."""

    name: str
    now: float
    share: float
    before: float | None = None


class Drivers:
    """The parts of every budget of a file; each kind is asked for once, when somebody needs it."""

    def __init__(self, data: Data, file: BudgetFile, clock: Clock) -> None:
        self._data, self._file, self._clock = data, file, clock

    def table(self, budget: Budget, labels: Mapping[str, str]) -> Table | None:
        """The parts of one series of a budget, largest first; None where the records do not tell."""
        unit = budget.kind.replace("/month", "").replace("/turn", "/task")
        match budget.surface:
            case "tests" if budget.metric == "suite.duration":
                title, parts = "Slowest tests of its last run", self._tests.get(_key(labels, "repo", "suite"), [])
            case "ci":
                title, parts = "Jobs, median of the window", self._jobs.get(_key(labels, "repo", "workflow"), [])
            case "cost":
                title, parts = "Services this month, and the same days of the month before", self._services(budget)
            case "llm" if budget.metric in _COLUMN:
                parts = self._prompts.get((_COLUMN[budget.metric], labels.get("scenario", "")), [])
                title = "Prompts and models of the last 7 days, per task, and the 4 weeks before"
            case "llm" if budget.metric in MODEL_SPEND:
                title, parts = "Features and models this month", self._month(budget)
            case _:
                return None
        return _table(title, parts[:MOST], unit.replace("s/task", "s"), self._file.currency) if parts else None

    @cached_property
    def _tests(self) -> dict[tuple[str, ...], list[Part]]:
        return _grouped(
            self._data.rows("budget_run_cases"),
            ("repo", "suite"),
            lambda row: Part(
                text(row["name"]), real(row["duration_s"]), real(row["duration_s"]) / (real(row["total"]) or 1)
            ),
        )

    @cached_property
    def _jobs(self) -> dict[tuple[str, ...], list[Part]]:
        return _grouped(
            self._data.rows("budget_job_times"),
            ("repo", "workflow"),
            lambda row: Part(text(row["name"]), real(row["median_s"]), real(row["share"])),
        )

    def _services(self, budget: Budget) -> list[Part]:
        first = self._clock.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        rows = [
            row
            for row in self._data.rows("budget_services", month_start=first)
            if budget.matches({"env": text(row["environment"])}) and row["currency"] == self._file.currency
        ]
        return _shared([(text(row["name"]), real(row["now"]), real(row["before"])) for row in rows])

    @cached_property
    def _prompts(self) -> dict[tuple[str, ...], list[Part]]:
        midnight = self._clock.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        rows = self._data.rows("budget_prompts", recent=midnight - RECENT, since_day=midnight - RECENT - BEFORE)
        found: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
        for row in rows:
            name = " · ".join(part for part in (text(row["name"]).strip(), text(row["model"])) if part)
            for column in _COLUMN.values():
                found[(column, text(row["scenario"]))][name][not row["now"]] += real(row[column])
        return {
            key: _shared([(name, now, before) for name, (now, before) in parts.items()]) for key, parts in found.items()
        }

    def _month(self, budget: Budget) -> list[Part]:
        from aether_tui.budgets.cached import calls_matching

        first = self._clock.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        rows = self._data.rows("budget_model_parts", since_hour=first, **calls_matching(budget))
        column = MODEL_SPEND[budget.metric]
        return _shared([(text(row["name"]), real(row[column]), None) for row in rows])


def _shared(parts: Iterable[tuple[str, float, float | None]]) -> list[Part]:
    """Parts with their share of what all of them add now, largest first; what is nothing now and was nothing is left out."""
    found = [part for part in parts if part[1] or part[2]]
    whole = sum(now for _, now, _ in found) or 1.0
    return sorted(
        (Part(name, now, now / whole, before) for name, now, before in found), key=lambda one: (-one.now, one.name)
    )


def _grouped(
    rows: Sequence[Record], keys: Sequence[str], part: Callable[[Record], Part]
) -> dict[tuple[str, ...], list[Part]]:
    groups: dict[tuple[str, ...], list[Part]] = defaultdict(list)
    for row in rows:
        groups[tuple(text(row[key]) for key in keys)].append(part(row))
    return groups


def _key(labels: Mapping[str, str], *names: str) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in names)


def _table(title: str, parts: Sequence[Part], unit: str, currency: str) -> Table:
    def shown(value: float | None) -> Quantity:
        return missing("not known", unit=unit) if value is None else Quantity(value=value, unit=unit, currency=currency)

    before = any(part.before is not None for part in parts)
    columns = (
        Col(key="name", title="driver", priority=10),
        Col(key="now", title="now", kind="number", priority=9),
        *([Col(key="before", title="before", kind="number", priority=7)] if before else []),
        Col(key="share", title="share", kind="number", priority=8),
        Col(key="bar", title="", kind="bar", priority=4, width=10),
    )
    rows = tuple(
        Row(
            id=f"{number}",
            cells=(
                one_line(part.name, 60) or "unnamed",
                shown(part.now),
                *([shown(part.before)] if before else []),
                Quantity(value=part.share, unit="ratio"),
                part.share,
            ),
        )
        for number, part in enumerate(parts)
    )
    return Table(id="drivers", title=title, columns=columns, rows=rows)
