"""JUnit XML reports: test runs and their cases, and the counts `measure tests` prints."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from aether_tui.budgets.package import package_of
from aether_tui.records.tables import TEST_CASES, TEST_RUNS
from aether_tui.text import one_line
from connectors import fields
from connectors.base import Access, Page, Row, Sample
from connectors.files import name_of, open_binary, written_at
from connectors.junit_xml import Case, Found, Reader, Report
from connectors.sniff import text_head

PAGE_ROWS = 5_000
SLOWEST = 10
DEFAULT_SUITE = "tests"
"""The suite of reports whose names do not say which kind of tests they hold."""

__all__ = ["Case", "JUnitFiles", "JUnitResult", "SuiteResult", "read_junit"]


@dataclass(slots=True)
class SuiteResult:
    """Counts of the cases of one kind of tests in one report. `duration_s` is the sum of the cases' times, null where
    no case says one."""

    tests: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    flaky: int = 0
    duration_s: float | None = None
    time_s: float | None = None
    """What the suites themselves claim: another number than the sum."""


@dataclass(slots=True)
class JUnitResult:
    """One report read to its end."""

    name: str
    suites: int = 0
    by_suite: dict[str, SuiteResult] = field(default_factory=dict)
    slowest: list[Case] = field(default_factory=list)
    timestamp: str = ""
    partial: bool = False
    """Cut short, broken, followed by more, or claiming cases that are not there: such a report never passes."""
    repaired: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def total(self) -> SuiteResult:
        """The sums over all kinds of tests."""
        whole = SuiteResult()
        for part in self.by_suite.values():
            for name in ("tests", "passed", "failed", "errors", "skipped", "flaky"):
                setattr(whole, name, getattr(whole, name) + getattr(part, name))
            if part.duration_s is not None:
                whole.duration_s = (whole.duration_s or 0.0) + part.duration_s
        return whole


def read_junit(stream: BinaryIO, name: str, *, packages: bool = False) -> JUnitResult:
    """Counts, slowest cases and problems of one report; memory does not grow with its length. With `packages` the keys of
    `by_suite` are `kind⇥package` where suites are named like packages.

    Raises Malformed for input that is empty, not JUnit, or declares entities or an internal DTD subset.
    """
    return _Tally(name, packages=packages).read(stream)


class _Tally:
    """Counts cases as they pass."""

    def __init__(self, name: str, *, packages: bool = False) -> None:
        self.report = Report(name)
        self._reader = Reader(self.report, packages=packages)
        self._counts: dict[tuple[str, str, bool], int] = {}
        self._sums_s: dict[str, float] = {}
        self._repeats = _Repeats()
        self._slowest: list[tuple[float, int, Case]] = []
        self._bar_s = -1.0
        self._places = 0

    def cases(self, stream: BinaryIO) -> Iterator[tuple[Case, str, int]]:
        """Each case with its package and its ordinal among equal ones; one that completes a failed and a passed one is
        flaky. They are counted by kind, whatever the package.
        """
        for suite, batch in self._reader.batches(stream):
            for found in batch:
                case = self._reader.case_of(suite, found) if isinstance(found, dict) else found
                if case:
                    yield self._numbered(case)
        for case in self._reader.undecided_cases():
            yield self._numbered(case)
        times_s = self.report.suite_times_s
        for label in [label for label in times_s if "\t" in label]:
            kind = label.partition("\t")[0]
            times_s[kind] = times_s.get(kind, 0.0) + times_s.pop(label)

    def read(self, stream: BinaryIO) -> JUnitResult:
        """The counts alone."""
        both = _PassedAndFailed()
        for suite, batch in self._reader.batches(stream):
            self._count_all(suite, batch, both)
        self._count_others(self._reader.undecided_cases(), both)
        result = self.result()
        for suite in both.flaky():
            result.by_suite[suite].flaky += 1
        return result

    def _count_all(self, suite: str, batch: list[Found], both: _PassedAndFailed) -> None:
        """Counts of one suite; what passed and was quick, as most of hundreds of thousands have, costs no call."""
        bar_s, undecided, passed_by = self._bar_s, self._reader.comma is None, both.passed
        passed, sum_s = 0, self._sums_s.get(suite)
        others: list[Found] = []
        for found in batch:
            if undecided or type(found) is not dict:
                others.append(found)
                continue
            get = found.get
            if text := get("time"):
                try:
                    duration_s = float(text)
                except ValueError:
                    duration_s = -1.0
                if not bar_s >= duration_s >= 0.0:  # among the slowest, or no plain number
                    others.append(found)
                    continue
                sum_s = duration_s if sum_s is None else sum_s + duration_s
            key = hash((get("name", ""), get("classname", ""), get("file", "")))
            passed_by[key & _PARTS].append(key)
            passed += 1
        if passed:
            self._counts[suite, "passed", False] = self._counts.get((suite, "passed", False), 0) + passed
        if sum_s is not None:
            self._sums_s[suite] = sum_s
        cases = (self._reader.case_of(suite, one) if isinstance(one, dict) else one for one in others)
        self._count_others((case for case in cases if case), both)

    def _count_others(self, cases: Iterable[Case], both: _PassedAndFailed) -> None:
        for case in cases:
            both.note(case)
            self._count(case)

    def _numbered(self, case: Case) -> tuple[Case, str, int]:
        """A case, counted, its package and its ordinal; flaky where it completes a failed and a passed one."""
        kind, _, package = case.suite.partition("\t")
        if package:
            case = case._replace(suite=kind)
        ordinal, flipped = self._repeats.note(case)
        if flipped and not case.flaky:
            case = case._replace(flaky=True)
        self._count(case)
        return case, package, ordinal

    def _count(self, case: Case) -> None:
        suite, duration_s = case.suite, case.duration_s
        key = (suite, case.result, case.flaky)
        self._counts[key] = self._counts.get(key, 0) + 1
        if duration_s is not None:
            self._sums_s[suite] = self._sums_s.get(suite, 0.0) + duration_s
            if duration_s > self._bar_s:
                self._places += 1
                self._bar_s = self._slow(duration_s, self._places, case)

    def _slow(self, duration_s: float, number: int, case: Case) -> float:
        """Keeps the slowest cases; returns the time a case must exceed to be among them."""
        heapq.heappush(self._slowest, (duration_s, -number, case))
        if len(self._slowest) > SLOWEST:
            heapq.heappop(self._slowest)
        return self._slowest[0][0] if len(self._slowest) == SLOWEST else -1.0

    def _by_suite(self) -> dict[str, SuiteResult]:
        by_suite = {suite: SuiteResult() for suite, _, _ in self._counts}
        for (suite, result, flaky), count in self._counts.items():
            counts = by_suite[suite]
            counts.tests += count
            counts.flaky += count if flaky else 0
            field_name = "errors" if result == "error" else result
            setattr(counts, field_name, getattr(counts, field_name) + count)
        for suite, sum_s in self._sums_s.items():
            by_suite[suite].duration_s = sum_s
        for suite, time_s in self.report.suite_times_s.items():
            by_suite.setdefault(suite, SuiteResult()).time_s = time_s
        if len(by_suite) == 1 and self.report.root_time_s is not None:
            next(iter(by_suite.values())).time_s = self.report.root_time_s
        return by_suite

    def result(self) -> JUnitResult:
        """The counts, once all cases have passed."""
        report, by_suite = self.report, self._by_suite()
        tests = sum(suite.tests for suite in by_suite.values())
        claimed = report.claimed_tests or report.claimed_suite_tests
        problems = [f"{report.name}: {report.cut}; complete cases are kept ({tests})"] if report.cut else []
        if claimed and not tests:
            problems.append(f"{report.name}: claims {claimed} tests but holds no case; inconclusive")
        if report.bad_times:
            times = "1 time" if report.bad_times == 1 else f"{report.bad_times} times"
            problems.append(f"{report.name}: {times} could not be read, counted as not said")
        if report.repaired:
            problems.append(f"{report.name}: repaired, it held characters that XML forbids")
        return JUnitResult(
            report.name,
            report.suites,
            by_suite,
            [case for _, _, case in sorted(self._slowest, reverse=True)],
            report.timestamp,
            bool(report.cut) or bool(claimed and not tests),
            report.repaired,
            problems,
        )


_PARTS = 255
"""Keys are kept in so many parts and one, by their lowest bits."""


class _PassedAndFailed:
    """Finds cases that passed once and failed once, in eight bytes a case: keys are hashes, compared part by part."""

    def __init__(self) -> None:
        self.passed = [array("q") for _ in range(_PARTS + 1)]
        self._failed = [array("q") for _ in range(_PARTS + 1)]
        self._suites: dict[str, int] = {}
        self._suite_of = [array("L") for _ in range(_PARTS + 1)]

    def note(self, case: Case) -> None:
        """Keeps what matters of a case; one that says itself that it is flaky is counted as that already."""
        key = hash((case.name, case.classname, case.file))
        if case.result == "passed" and not case.flaky:
            self.passed[key & _PARTS].append(key)
        elif case.result in ("failed", "error"):
            self._failed[key & _PARTS].append(key)
            self._suite_of[key & _PARTS].append(self._suites.setdefault(case.suite, len(self._suites)))

    def flaky(self) -> Iterator[str]:
        """The suite of each case that did both."""
        suites = list(self._suites)
        for failed, suite_of, passed in zip(self._failed, self._suite_of, self.passed, strict=True):
            found = dict(zip(failed, suite_of, strict=True))
            for key in set(found).intersection(passed):
                yield suites[found[key]]


_KEY = 0xFFFFFFFFFFFFFFFC


class _Repeats:
    """The ordinals of equal keys among hundreds of thousands, in a few megabytes: an open table of 62-bit hashes.

    The lowest bit of an entry says that its first case failed; only keys that come again get an object of their own.
    """

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 << 10))
        self._used = 0
        self._again: dict[int, tuple[int, bool, bool]] = {}

    def note(self, case: Case) -> tuple[int, bool]:
        """The ordinal of this case among equal ones, and whether it is the one that makes them flaky.

        A case that says itself that it is flaky makes no other so.
        """
        if 2 * self._used >= len(self._table):
            self._grow()
        entry = (hash((case.name, case.classname, case.file)) & _KEY) | 2  # never the empty entry 0
        passed = case.result == "passed" and not case.flaky
        failed = case.result in ("failed", "error")
        table = self._table
        mask = len(table) - 1
        slot = (entry >> 2) & mask
        while held := table[slot]:
            if held & ~1 == entry:
                return self._repeat(entry, bool(held & 1), failed, passed)
            slot = (slot + 1) & mask
        table[slot] = entry | failed
        self._used += 1
        if not passed and not failed:
            self._again[entry] = (0, False, False)
        return 0, False

    def _repeat(self, entry: int, first_failed: bool, failed: bool, passed: bool) -> tuple[int, bool]:
        ordinal, had_failed, had_passed = self._again.get(entry, (0, first_failed, not first_failed))
        before = had_failed and had_passed
        now = (ordinal + 1, had_failed or failed, had_passed or passed)
        self._again[entry] = now
        return now[0], now[1] and now[2] and not before

    def _grow(self) -> None:
        old = self._table
        self._table = array("Q", bytes(16 * len(old)))
        mask = len(self._table) - 1
        for entry in old:
            if entry:
                slot = (entry >> 2) & mask
                while self._table[slot]:
                    slot = (slot + 1) & mask
                self._table[slot] = entry


class JUnitFiles:
    """Test reports of every runner that writes JUnit XML."""

    kind = "junit"
    title = "JUnit XML test reports"
    tables = (TEST_RUNS, TEST_CASES)
    access = Access(
        "the JUnit XML reports of some weeks of CI runs, in folders or archives",
        ("none: whoever runs the CI copies its artifacts",),
        ("cases: name, class, file, time, result, message of a failure, redacted", "when a run began"),
        drops=("what tests printed", "properties, names of machines"),
    )

    def recognises(self, sample: Sample) -> bool:
        """Any XML whose first element could be a report, namespaced or not, and XML that is too broken to tell."""
        return _root_of(sample.head) in ("testsuites", "testsuite", "testcase", "testrun")

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Runs and cases of every report. Raises Malformed for a report that is refused."""
        for path in paths:
            yield from _pages(path, now)


def _root_of(head: bytes) -> str:
    """The local name of the first element; comments, declarations and a DOCTYPE are skipped."""
    text = (
        text_head(head)
        if head[:2] not in (b"<\x00", b"\x00<")
        else head.decode("utf-16-le" if head[0] else "utf-16-be", "replace")
    )
    at = 0
    while (at := text.find("<", at)) >= 0:
        if text.startswith("<!--", at):
            at = text.find("-->", at)
        elif text.startswith("<?", at):
            at = text.find("?>", at)
        elif text.startswith("<!", at):
            ends = [end for end in (text.find(">", at), text.find("]>", at)) if end >= 0]
            at = (max if "[" in text[at : min(ends, default=at)] else min)(ends, default=-1)
        else:
            name = text[at + 1 : at + 200].split(None, 1)[0] if text[at + 1 : at + 2].strip() else ""
            return name.split(">")[0].rstrip("/").rpartition(":")[2]
        if at < 0:
            return ""
    return ""


def _pages(path: Path, now: datetime) -> Iterator[Page]:
    digest = blake2b(digest_size=16)
    with open_binary(path) as stream:
        while chunk := stream.read(1 << 18):
            digest.update(chunk)
    content = digest.hexdigest()
    file_time = written_at(path, now)
    tally = _Tally(name_of(path), packages=True)
    folder = package_of(path)
    rows: list[Row] = []
    with open_binary(path) as stream:
        for case, package, ordinal in tally.cases(stream):
            started = _instant(tally.report.timestamp) or file_time
            rows.append(_case_row(_run_id(content, case.suite), started, case, package or folder, ordinal))
            if len(rows) >= PAGE_ROWS:
                yield Page({TEST_CASES.name: rows})
                rows = []
    result = tally.result()
    started = _instant(result.timestamp) or file_time
    runs = [_run_row(content, suite, counts, result, started, path.name) for suite, counts in _suites(result)]
    yield Page({TEST_RUNS.name: runs, TEST_CASES.name: rows}, problems=result.problems)


def _suites(result: JUnitResult) -> list[tuple[str, SuiteResult]]:
    """Kinds of tests with at least one case; a report without any is one run of none."""
    held = [(kind, counts) for kind, counts in result.by_suite.items() if counts.tests]
    return held or [(next(iter(result.by_suite), ""), SuiteResult())]


def _run_id(content: str, suite: str) -> str:
    return f"{content}:{suite or DEFAULT_SUITE}"


def _run_row(content: str, suite: str, counts: SuiteResult, result: JUnitResult, started: datetime, file: str) -> Row:
    return TEST_RUNS.row(
        id=_run_id(content, suite), suite=suite or DEFAULT_SUITE, started=started, duration_s=counts.duration_s,
        suite_time_s=counts.time_s, tests=counts.tests, passed=counts.passed, failed=counts.failed, errors=counts.errors,
        skipped=counts.skipped, flaky=counts.flaky, partial=result.partial or result.repaired, file=file,
    )  # fmt: skip


def _case_row(run_id: str, started: datetime, case: Case, package: str, ordinal: int) -> Row:
    key = "::".join(part for part in (case.classname, case.name, case.file) if part) or "?"
    return TEST_CASES.row(
        run_id=run_id, case_key=key, ordinal=ordinal, started=started, name=case.name or None,
        classname=case.classname or None, duration_s=case.duration_s, result=case.result, flaky=case.flaky,
        file=case.file or None, package=one_line(package) or None, message=case.message,
    )  # fmt: skip


def _instant(text: str) -> datetime | None:
    try:
        return fields.instant(text)
    except ValueError:
        return None
