"""Benchmark reports of pytest-benchmark and hyperfine, and promptfoo's results, as measurements.

A report is one measurement of each benchmark, its median: rounds within one process share that run's luck, so that
taking them for independent measurements would make every run a regression.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec

from aether_tui.budgets.measurements import Bench, Benchmarks, Scenario, Tokens
from aether_tui.stats.ranks import quantile
from aether_tui.text import one_line

MAX_BYTES = 256 << 20
_NAME = 200


class _Cpu(msgspec.Struct):
    brand_raw: str = ""
    brand: str = ""


class _Machine(msgspec.Struct):
    system: str = ""
    machine: str = ""
    cpu: _Cpu = msgspec.field(default_factory=_Cpu)


class _Stats(msgspec.Struct):
    median: float


class _Timed(msgspec.Struct):
    fullname: str
    stats: _Stats


class _PytestBenchmark(msgspec.Struct):
    machine_info: _Machine
    benchmarks: list[_Timed]


class _Command(msgspec.Struct):
    command: str
    median: float | None = None
    times: list[float] = []
    exit_codes: list[int | None] = []
    parameters: dict[str, str | int | float] = {}


class _Hyperfine(msgspec.Struct):
    results: list[_Command]


class _Usage(msgspec.Struct):
    prompt: int | None = None
    completion: int | None = None
    total: int | None = None


class _Response(msgspec.Struct, rename="camel"):
    token_usage: _Usage | None = None
    cached: bool = False


class _Provider(msgspec.Struct):
    id: str = ""


class _TestCase(msgspec.Struct):
    description: str | None = None


class _Answer(msgspec.Struct, rename="camel"):
    prompt_idx: int = 0
    latency_ms: float | None = None
    cost: float | None = None
    provider: _Provider = msgspec.field(default_factory=_Provider)
    response: _Response | None = None
    test_case: _TestCase | None = None


class _Prompt(msgspec.Struct):
    label: str = ""


class _Run(msgspec.Struct):
    successes: int = 0
    failures: int = 0
    errors: int = 0


class _Results(msgspec.Struct):
    results: list[_Answer]
    prompts: list[_Prompt] = []
    stats: _Run = msgspec.field(default_factory=_Run)


class _Promptfoo(msgspec.Struct, rename="camel"):
    eval_id: str | None
    results: _Results


Report = _PytestBenchmark | _Hyperfine | _Promptfoo
_MARKS: tuple[tuple[bytes, type[Report]], ...] = (
    (b'"machine_info"', _PytestBenchmark),
    (b'"evalId"', _Promptfoo),
    (b'"results"', _Hyperfine),
)
"""Keys at the start of each, the most telling one first."""


def read_report(path: Path) -> Report | None:
    """A report of one of the three tools; None for any other file."""
    from connectors.files import read_all, sample

    head = sample(path).head.lstrip()
    model = next((model for key, model in _MARKS if key in head), None) if head[:1] == b"{" else None
    if model is None:
        return None
    try:
        return msgspec.json.decode(read_all(path, MAX_BYTES), type=model)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def measure_reports(reports: Sequence[Report]) -> list[Benchmarks | Tokens]:
    """Benchmarks of all reports together, and model use of all evaluations together."""
    benches = [one for one in reports if not isinstance(one, _Promptfoo)]
    evaluations = [one for one in reports if isinstance(one, _Promptfoo)]
    found: list[Benchmarks | Tokens] = []
    if benches:
        found.append(_benchmarks(benches))
    if evaluations:
        found.append(_evaluations(evaluations))
    return found


def _benchmarks(reports: Sequence[_PytestBenchmark | _Hyperfine]) -> Benchmarks:
    groups: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    problems: list[str] = []
    for report in reports:
        rows = _rounds(report) if isinstance(report, _PytestBenchmark) else _commands(report)
        for name, machine, seconds, failed in rows:
            if seconds is None or not math.isfinite(seconds) or seconds < 0:
                problems.append(f"{name}: it has no time")
            else:
                groups.setdefault((name, machine), []).append((seconds, failed))
    return Benchmarks(
        reports=len(reports),
        by_benchmark=tuple(
            Bench(
                name=name,
                runner=machine,
                p50_s=quantile([seconds for seconds, _ in runs], 0.5),
                failed=any(failed for _, failed in runs),
                samples_s=tuple(seconds for seconds, _ in runs),
            )
            for (name, machine), runs in sorted(groups.items())
        ),
        problems=tuple(problems),
    )


def _rounds(report: _PytestBenchmark) -> list[tuple[str, str, float | None, bool]]:
    info = report.machine_info
    parts = (info.system, info.machine, info.cpu.brand_raw or info.cpu.brand)
    machine = one_line(" ".join(part for part in parts if part), 120)
    return [(one_line(one.fullname, _NAME), machine, one.stats.median, False) for one in report.benchmarks]


def _commands(report: _Hyperfine) -> list[tuple[str, str, float | None, bool]]:
    rows: list[tuple[str, str, float | None, bool]] = []
    for one in report.results:
        given = "".join(f" {key}={value}" for key, value in sorted(one.parameters.items()))
        seconds = median(one.times) if one.times else one.median
        rows.append((one_line(one.command + given, _NAME), "", seconds, any(code != 0 for code in one.exit_codes)))
    return rows


def _evaluations(reports: Sequence[_Promptfoo]) -> Tokens:
    groups: dict[tuple[str, str], list[_Answer]] = {}
    problems: list[str] = []
    total = 0
    for report in reports:
        found = report.results
        usable = [one for one in found.results if one.response and one.response.token_usage and not one.response.cached]
        total += len(usable)
        stated = found.stats.successes + found.stats.failures + found.stats.errors
        if stated > len(found.results):
            problems.append(f"the report holds {len(found.results)} of {stated} results")
        if len(usable) < len(found.results):
            problems.append(f"{len(found.results) - len(usable)} results came from promptfoo's cache or have no tokens")
        several = len({one.provider.id for one in found.results}) > 1
        for one in usable:
            name = _scenario_of(one, found.prompts)
            shown = f"{name} · {one.provider.id}" if several else name
            groups.setdefault((one_line(shown, _NAME), one_line(one.provider.id, _NAME)), []).append(one)
    return Tokens(
        tasks=total,
        spans=total,
        by_scenario=tuple(_scenario(*key, answers) for key, answers in sorted(groups.items())),
        unpriced=sum(one.cost is None for answers in groups.values() for one in answers),
        problems=tuple(problems),
    )


def _scenario_of(one: _Answer, prompts: Sequence[_Prompt]) -> str:
    """The test's description; without one the prompt's label."""
    if one.test_case and one.test_case.description:
        return one.test_case.description
    return prompts[one.prompt_idx].label if 0 <= one.prompt_idx < len(prompts) else ""


def _scenario(name: str, model: str, answers: Sequence[_Answer]) -> Scenario:
    usage = [one.response.token_usage for one in answers if one.response and one.response.token_usage]
    tokens = [float(count) for one in usage if (count := _count(one)) is not None]
    cost = [one.cost for one in answers if one.cost is not None]
    took = [one.latency_ms / 1000 for one in answers if one.latency_ms is not None]

    def middle(values: Sequence[float]) -> float | None:
        return quantile(values, 0.5) if values else None

    return Scenario(
        scenario=name,
        environment="",
        model=model,
        tasks=len(answers),
        tokens_p50=middle(tokens),
        cost_p50=middle(cost),
        latency_p50_s=middle(took),
        turn_latency_p50_s=middle(took),
        tokens=tuple(tokens),
        cost=tuple(cost),
        turn_latency_s=tuple(took),
    )


def _count(usage: _Usage) -> int | None:
    if usage.prompt is not None and usage.completion is not None:
        return usage.prompt + usage.completion
    return usage.total
