"""Test reports as measurements."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from aether_tui.budgets.measurements import Slow, Suite, Tests
from aether_tui.budgets.package import package_of
from aether_tui.text import one_line

SLOWEST = 10


def measure_tests(paths: Sequence[Path]) -> Tests:
    """Counts, durations and the slowest cases of JUnit reports. A report that is not one raises Malformed."""
    from connectors.files import name_of, open_binary
    from connectors.junit import DEFAULT_SUITE, read_junit

    results = []
    for path in paths:
        with open_binary(path) as stream:
            results.append((read_junit(stream, name_of(path), packages=True), package_of(path)))
    totals = [result.total for result, _ in results]
    cases = [(case, package) for one, package in results for case in one.slowest]
    slowest = sorted(cases, key=lambda found: -(found[0].duration_s or 0))[:SLOWEST]
    return Tests(
        files=len(results),
        suites=sum(one.suites for one, _ in results),
        tests=sum(one.tests for one in totals),
        passed=sum(one.passed for one in totals),
        failed=sum(one.failed for one in totals),
        errors=sum(one.errors for one in totals),
        skipped=sum(one.skipped for one in totals),
        flaky=sum(one.flaky for one in totals),
        duration_s=_seconds([one.duration_s for one in totals]),
        partial=any(one.partial for one, _ in results),
        by_suite=tuple(
            Suite(
                suite=label.partition("\t")[0] or DEFAULT_SUITE,
                tests=part.tests,
                failed=part.failed,
                errors=part.errors,
                skipped=part.skipped,
                flaky=part.flaky,
                duration_s=_seconds([part.duration_s]),
                partial=one.partial,
                package=one_line(label.partition("\t")[2] or package),
            )
            for one, package in results
            for label, part in one.by_suite.items()
        ),
        slowest=tuple(
            Slow(
                name=one_line(case.name),
                classname=one_line(case.classname or ""),
                duration_s=case.duration_s or 0.0,
                package=one_line(case.suite.partition("\t")[2] or package),
            )
            for case, package in slowest
        ),
        problems=tuple(problem for one, _ in results for problem in one.problems),
    )


def _seconds(parts: Iterable[float | None]) -> float | None:
    """A sum of the known durations, to the microsecond: no tail of binary fractions in JSON."""
    known = [part for part in parts if part is not None]
    return round(math.fsum(known), 6) if known else None
