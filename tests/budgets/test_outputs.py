"""What a pull request shows: order, limits, and no command, markup or element made of strangers' text."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aether_tui.budgets.file import Waiver
from aether_tui.budgets.model import Result, Verdict
from aether_tui.budgets.outputs import MARKER, MAX_SUMMARY, Outcome, github_commands, junit, markdown
from aether_tui.human import duration
from tests.budgets.test_commands import junit as report
from tests.command import aether

EVIL = 'a\n::error::b %0A::stop-commands::x ##[command]rm | `<img src=x>` @all https://x.example \x1b[31m\x00]]>&"'


def row(verdict: Verdict, name: str = "tests.unit", why: str = "why", place: int = 0) -> Result:
    return Result(
        id=name, series=f"s{place}", surface="tests", metric="suite.duration", verdict=verdict, now=13.0, unit="s",
        baseline=12.0, limit=120.0, shift=0.25, shift_low=0.1, shift_high=0.4, n_now=5, n_base=20, why=why,
        next="mend it", base_source="benchmarks/tests/a.json",
    )  # fmt: skip


def outcome(*rows: Result, verdict: Verdict = "block") -> Outcome:
    return Outcome(verdict, "USD", rows)


def test_markdown_has_the_marker_the_worst_first_and_folds_what_passes() -> None:
    text = markdown(outcome(row("block"), row("inconclusive"), row("warn"), row("no-data"), row("pass")))
    assert text.startswith(MARKER + "\n")
    places = [
        text.index(f"| {glyph} {name} ") for glyph, name in (("■", "block"), ("?", "inconclusive"), ("▲", "warn"))
    ]
    folded = text.index("<details><summary>1 no-data, 1 pass</summary>")
    assert [*places, folded] == sorted([*places, folded])
    assert text.index("| ✓ pass ") > folded
    first = next(line for line in text.splitlines() if line.startswith("| ■"))
    cells = [cell.strip().replace("\\", "") for cell in re.split(r"(?<!\\)\|", first)[1:-1]]
    assert cells == [
        "■ block", "tests.unit · s0", "12 s (n 20, benchmarks/tests/a.json)", "13 s (n 5)", "+3 s (+25 %)",
        "+10 % to +40 %", duration(120), "why; next: mend it",
    ]  # fmt: skip


def test_a_summary_stays_under_its_limit() -> None:
    rows = [row(verdict, why="ä|" * 300, place=place) for verdict in ("block", "pass") for place in range(1500)]
    text = markdown(outcome(*rows))
    assert 900_000 < len(text.encode()) <= MAX_SUMMARY < 1 << 20
    assert re.search(r"[1-9]\d* more rows are left out", text)
    assert text.count("<details>") == text.count("</details>")


def test_ten_annotations_of_each_kind() -> None:
    rows = [row(verdict, place=place) for verdict in ("block", "warn", "no-data", "pass") for place in range(25)]
    lines = github_commands(outcome(*rows))
    for kind in ("error", "warning", "notice"):
        own = [line for line in lines if line.startswith(f"::{kind} ")]
        assert len(own) == 10
        assert "16 more" in own[-1]
    assert len(lines) == 30
    assert len(github_commands(outcome(*rows[:10]))) == 10


def test_no_command_is_made_of_text() -> None:
    (line,) = github_commands(outcome(row("block", EVIL, EVIL)))
    assert "\n" not in line
    assert "\r" not in line
    assert "##[" not in line
    title, _, message = line.removeprefix("::error title=").partition("::")
    assert ":" not in title
    assert "," not in title
    assert "%250A" in message, "a percent sign stays one"


def test_no_markup_is_made_of_text() -> None:
    text = markdown(outcome(row("block", EVIL, EVIL)))
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 3
    assert len(re.findall(r"(?<!\\)\|", table[2])) == 9
    assert not re.search(r"(?<!\\)[`<@]", table[2])
    assert "\x1b" not in text


def test_junit_counts_and_escapes() -> None:
    rows = [row("block", EVIL, EVIL), row("inconclusive"), row("warn"), row("no-data"), row("pass")]
    waiver = Waiver("W-1", "tests.unit", "because of it all", EVIL, date(2026, 1, 1), Decimal(1))
    suite = ElementTree.fromstring(junit(Outcome("block", "USD", tuple(rows), (waiver,))))
    assert suite.attrib == {"name": "budgets", "tests": "6", "failures": "1", "errors": "1", "skipped": "1"}
    assert [len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "error", "skipped")] == [1, 1, 1]
    assert len(suite.findall("testcase")) == 6
    assert "<img" in suite.findall("testcase")[0].attrib["name"]


@pytest.mark.parametrize(("verdict", "kind"), [("no-data", "error"), ("block", "failure")])
def test_a_run_that_measured_nothing_is_not_green_as_junit(verdict: Verdict, kind: str) -> None:
    suite = ElementTree.fromstring(junit(outcome(row("no-data"), verdict=verdict)))
    assert len(suite.findall(f"testcase/{kind}")) == 1
    assert int(suite.attrib["failures"]) + int(suite.attrib["errors"]) == 1


def test_the_command_writes_the_summary(tmp_path: Path) -> None:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    over = report(tmp_path, 150)
    done = aether(
        "budget", "check", over, "--format", "github", cwd=tmp_path, env={"GITHUB_STEP_SUMMARY": str(summary)}
    )
    done.refuses(1, "tests.unit")
    assert done.out.startswith("::error title=tests.unit::")
    assert summary.read_text().startswith(f"before\n{MARKER}\n")
    assert (
        ElementTree.fromstring(aether("budget", "check", over, "--format", "junit", cwd=tmp_path).out).tag
        == "testsuite"
    )
    summary.write_text("x" * MAX_SUMMARY)
    full = aether("budget", "check", over, "--format", "github", "--summary", summary, cwd=tmp_path)
    assert "full" in full.err
    assert summary.stat().st_size == MAX_SUMMARY


def test_advisory_reports_and_exits_0(tmp_path: Path) -> None:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    done = aether("budget", "check", report(tmp_path, 150), "--advisory", cwd=tmp_path)
    assert done.code == 0
    assert "block: 1 block" in done.out
    assert "advisory, nothing is stopped" in done.out
    assert "would have exited 1" in done.err
    (tmp_path / "broken.xml").write_text("no report")
    assert aether("budget", "check", "broken.xml", "--advisory", cwd=tmp_path).code == 2, "a broken call is no verdict"
