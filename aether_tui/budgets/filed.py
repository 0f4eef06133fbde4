"""From what files say to what budgets judge; what the cache knows of the same thing is the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from aether_tui.budgets.costs import days_in
from aether_tui.budgets.file import Budget, BudgetFile
from aether_tui.budgets.measurements import Benchmarks, Cost, Measurement, Pipelines, Project, Suite, Tests, Tokens
from aether_tui.budgets.model import Estimate, Measured, Sample, Series, Spend
from aether_tui.budgets.terraform import counted
from aether_tui.human import duration
from aether_tui.stats.ranks import quantile
from aether_tui.text import one_line

T = TypeVar("T")
_SUITES = frozenset({"suite.duration", "suite.flaky"})


def from_files(
    file: BudgetFile, measurements: Sequence[Measurement], known: Mapping[str, Sequence[Measured]] | None = None
) -> dict[str, list[Measured]]:
    """What the measurements say about each budget, by its id. `known`: what the cache holds, as the baseline."""
    measured: dict[str, list[Measured]] = {}
    for budget in file.budgets:
        before = (known or {}).get(budget.id, ())
        found = [_against(budget, one, before) for part in measurements for one in _measured(budget, part)]
        if found:
            measured[budget.id] = found
    return measured


def unmatched(measurements: Sequence[Measurement], budget: Budget) -> str:
    """What was measured on a budget's surface although none of it is meant by its `match`; empty when nothing was."""
    plans = [part for part in measurements if isinstance(part, Cost) and part.changes and not part.projects]
    if plans and budget.surface == "cost":
        changes = [change for part in plans for change in part.changes]
        return f"a plan says what changes ({counted(changes)}), not what it costs: give Infracost's JSON of it, too"
    fitting = [part for part in measurements if isinstance(part, Benchmarks) == (budget.metric == "benchmark.duration")]
    found = {name: meant for part in fitting for name, meant in _names(part, budget)}
    found = found or {name: False for part in measurements for name, _ in _names(part, budget)}
    if not found:
        return ""
    mute = sorted(name for name, meant in found.items() if meant)
    if mute:
        return f"measured {', '.join(mute[:5])}, but it does not say {budget.metric}"
    wanted = ", ".join(f"{key} {value!r}" for key, value in budget.match.items()) or f"of {budget.metric}"
    return f"measured {', '.join(sorted(found)[:5])}; none is {wanted}"


def _names(part: Measurement, budget: Budget) -> Iterable[tuple[str, bool]]:
    """What was measured on the budget's surface, and whether its `match` means it."""
    if isinstance(part, Benchmarks) and budget.surface == "tests":
        for bench in part.by_benchmark:
            yield f"benchmark {bench.name!r}", False
    if isinstance(part, Tests) and budget.surface == "tests":
        keys = ("suite", "package") if "package" in budget.match else ("suite",)
        for suite in part.by_suite:
            labels = {key: getattr(suite, key) for key in keys}
            yield f"{keys[-1]} {labels[keys[-1]]!r}" if labels[keys[-1]] else "tests without a package", False
    if isinstance(part, Cost) and budget.surface == "cost":
        for project in part.projects:
            yield f"project {project.name!r} in {project.environment or 'no environment'}", False
    if isinstance(part, Pipelines) and budget.surface == "ci":
        by_job = "job" in budget.match
        for flow in part.by_job if by_job else part.by_workflow:
            where = f"{flow.workflow or 'a workflow without a name'!r} on {flow.branch or 'no branch'}"
            yield f"job {flow.job!r}" if by_job else where, False
        if by_job and not part.by_job:
            yield "no jobs", False
    if isinstance(part, Tokens) and budget.surface == "llm":
        for one in part.by_scenario:
            labels = {"scenario": one.scenario, "env": one.environment, "model": one.model}
            meant = budget.allows({key: value for key, value in labels.items() if value or key == "scenario"})
            yield f"scenario {one.scenario!r}" if one.scenario else "tasks without a scenario", meant


def _measured(budget: Budget, part: Measurement) -> Iterator[Measured]:
    if isinstance(part, Benchmarks) and budget.metric == "benchmark.duration":
        yield from _benches(budget, part)
    elif isinstance(part, Tests) and budget.metric in _SUITES:
        yield from _suites(budget, part)
    elif isinstance(part, Cost) and budget.surface == "cost":
        yield from _plan(budget, part)
    elif isinstance(part, Pipelines) and budget.surface == "ci":
        yield from _workflows(budget, part)
    elif isinstance(part, Tokens) and budget.surface == "llm":
        yield from _scenarios(budget, part)


def _suites(budget: Budget, part: Tests) -> Iterator[Measured]:
    """Reports of one suite (of one package, where the budget names packages) are its shards: together they are one run."""
    groups: dict[tuple[str, ...], list[Suite]] = {}
    by_package = "package" in budget.match
    for suite in part.by_suite:
        if suite.tests or suite.partial:
            groups.setdefault((suite.suite, suite.package) if by_package else (suite.suite,), []).append(suite)
    keys = ("suite", "package")
    matching = [key for key in groups if budget.allows(dict(zip(keys, key, strict=False)))]
    for key in matching:
        shards = groups[key]
        flaky = budget.metric == "suite.flaky"
        values = [
            float(one.flaky) if flaky else one.duration_s for one in shards if flaky or one.duration_s is not None
        ]
        problem = "a report was cut short: what it lacks is not known" if any(one.partial for one in shards) else ""
        slow = [case for case in part.slowest if not by_package or case.package == key[1]]
        told = [name for place, name in enumerate(key) if len({other[place] for other in matching}) > 1]
        yield Series(
            " · ".join(told),
            (Sample(sum(value for value in values if value is not None)),) if values else (),
            problem=problem if values else "its cases do not say how long they took",
            drivers=tuple(f"{one_line(case.name, 60)} {duration(case.duration_s)}" for case in slow[:3]),
            labels=dict(zip(keys, key, strict=False)),
        )


def _benches(budget: Budget, part: Benchmarks) -> Iterator[Measured]:
    for bench in part.by_benchmark:
        if budget.allows({"benchmark": bench.name}):
            samples = tuple(Sample(value, fingerprint=bench.runner) for value in bench.samples_s)
            problem = "a run of it ended with an error" if bench.failed else ""
            yield Series(bench.name, samples, problem=problem, labels={"benchmark": bench.name})


def _plan(budget: Budget, part: Cost) -> Iterator[Measured]:
    projects = [one for one in part.projects if budget.allows({"env": one.environment})]
    groups: dict[tuple[str, date | None], list[Project]] = {}
    for one in projects:
        groups.setdefault((one.currency or part.currency or "", one.through), []).append(one)
    for (currency, through), group in groups.items():
        errors = [f"{one.name}: {error}" for one in group for error in one.errors]
        errors += [f"{one.name}: it has no price" for one in group if one.monthly_cost is None and not one.errors]
        monthly = sum((one.monthly_cost or Decimal(0) for one in group), Decimal(0))
        past = [one.past_monthly_cost for one in group if one.past_monthly_cost is not None]
        before = sum(past, Decimal(0)) if len(past) == len(group) else None
        if through is None:
            yield Estimate(monthly, before, currency, len(group), tuple(errors))
        else:
            yield Spend(monthly, currency, float(through.day), days_in(through), before)


def _workflows(budget: Budget, part: Pipelines) -> Iterator[Measured]:
    flows = part.by_job if "job" in budget.match else part.by_workflow
    for flow in flows:
        labels = {
            "repo": flow.repo,
            "workflow": flow.workflow,
            "branch": flow.branch,
            "event": flow.event,
            "job": flow.job,
        }
        known = {key: value for key, value in labels.items() if value}
        if not flow.samples_s or not budget.allows(known):
            continue
        column = {"pipeline.duration": flow.samples_s, "pipeline.run": flow.run_s, "pipeline.queue": flow.queue_s}
        values = column[budget.metric]
        created, shas = _filled(flow.created, len(values), None), _filled(flow.shas, len(values), "")
        samples = tuple(
            Sample(value, at, flow.runner, commit=sha)
            for value, at, sha in zip(values, created, shas, strict=True)
            if value is not None
        )
        earlier = samples[: -budget.min_samples][-budget.window :]
        problem = "" if samples else "these runs do not say"
        yield Series(flow.job or flow.workflow, samples[-budget.min_samples :], earlier, problem=problem, labels=known)


def _filled(values: Sequence[T], size: int, nothing: T) -> Sequence[T]:
    """The values when there is one for each sample, else as many of nothing."""
    return values if len(values) == size else [nothing] * size


def _scenarios(budget: Budget, part: Tokens) -> Iterator[Measured]:
    for one in part.by_scenario:
        values = {"task.cost": one.cost, "task.tokens": one.tokens, "turn.latency": one.turn_latency_s}.get(
            budget.metric
        )
        labels = {"scenario": one.scenario, "env": one.environment, "model": one.model}
        if values and budget.allows({key: value for key, value in labels.items() if value or key == "scenario"}):
            mark = one.model if budget.metric == "turn.latency" else ""
            sample = Sample(quantile(values, 0.5), fingerprint=mark, n=len(values), usage=one.usage, usd=one.usd)
            about = {"scenario": one.scenario, "env": one.environment}
            yield Series(one.scenario or "no scenario", (sample,), labels=about)


def _against(budget: Budget, one: Measured, known: Sequence[Measured]) -> Measured:
    """A series of files with the cache's series of the same thing before it."""
    if not isinstance(one, Series) or one.base:
        return one
    twins = [
        series
        for series in known
        if isinstance(series, Series)
        and all(series.labels.get(key, value) == value for key, value in one.labels.items() if value)
    ]
    if len(twins) != 1:
        return one
    before = (*twins[0].base, *twins[0].now)[-budget.window :]
    return replace(one, base=before, drift=twins[0].drift)
