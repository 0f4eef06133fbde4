"""JUnit reports: real ones against the oracle, and every odd thing a writer may do."""

from __future__ import annotations

import io
import json
import os
import random
from decimal import Decimal
from pathlib import Path

import pytest

from aether_tui.records.tables import MOST_MESSAGE
from aether_tui.text import BEYOND
from connectors.base import Malformed
from connectors.files import sample
from connectors.junit import JUnitFiles, JUnitResult, read_junit
from connectors.junit_time import comma_in, seconds
from connectors.junit_xml import Case, suite_kind
from tests.files.reading import NOW, read

KIND = JUnitFiles()


def result(xml: str | bytes, name: str = "report.xml") -> JUnitResult:
    return read_junit(io.BytesIO(xml.encode() if isinstance(xml, str) else xml), name)


def suite(*cases: str, attributes: str = "") -> str:
    return f'<?xml version="1.0"?><testsuite name="s" {attributes}>{"".join(cases)}</testsuite>'


def case_of(inside: str, attributes: str = 'time="1"') -> Case:
    (case,) = result(suite(f'<testcase name="a" classname="c" {attributes}>{inside}</testcase>')).slowest
    return case


def test_every_report_equals_the_oracle(contracts: Path) -> None:
    facts = json.loads((contracts / "facts.json").read_text())
    wanted = {name: fact for name, fact in facts.items() if name.startswith("junit/") and "root" in fact}
    assert len(wanted) == 23
    for name, fact in wanted.items():
        with (contracts / name).open("rb") as stream:
            read_now = read_junit(stream, name)
        counts = read_now.total
        assert (read_now.suites, counts.tests, counts.passed, counts.failed, counts.errors, counts.skipped) == tuple(
            fact[key] for key in ("suites", "cases", "passed", "failure", "error", "skipped")
        ), name
        if not {"unparsed_times", "no_time"} & set(fact) and fact["case_time_sum_s"] not in ("NaN", "-345245"):
            assert (counts.duration_s or 0) == pytest.approx(float(Decimal(fact["case_time_sum_s"])), abs=1e-9), name
        assert not read_now.partial, name


@pytest.mark.parametrize(
    ("name", "duration_s", "flaky", "partial", "problem"),
    [
        ("odd/comma_thousand.xml", 1024.12, 0, False, ""),
        ("odd/concat.xml", 1.0, 0, True, "more follows after the first document (line 3"),
        ("odd/dtd_benign.xml", 1.0, 0, False, ""),
        ("odd/dup_retries.xml", 2.2, 1, False, ""),
        ("odd/empty_time.xml", None, 0, False, ""),
        ("odd/hms_time.xml", 0.693097, 0, False, ""),
        ("odd/nan_inf.xml", 1000.0, 0, False, "2 times could not be read"),
        ("odd/negative.xml", 100.0, 0, False, "1 time could not be read"),
        ("pytest/corrupt-xml.xml", 6.435, 0, True, "cut short or broken at line 11"),
    ],
)
def test_odd_reports_have_one_outcome(
    name: str, duration_s: float | None, flaky: int, partial: bool, problem: str, contracts: Path
) -> None:
    with (contracts / "junit" / name).open("rb") as stream:
        odd = read_junit(stream, name)
    assert odd.total.duration_s == (None if duration_s is None else pytest.approx(duration_s))
    assert (odd.total.flaky, odd.partial) == (flaky, partial)
    assert [problem in sentence for sentence in odd.problems] == [True] * bool(problem)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "empty, no JUnit report"),
        ("   \n", "no JUnit report"),
        ("hello", "not XML"),
        ("<suites><suite/></suites>", "the root element is <suites>"),
        ('<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]><testsuite/>', "internal DTD subset, refused"),
        ('<?xml version="1.0" encoding="klingon"?><testsuite/>', "encoding klingon, which is not known"),
        ('<?xml version="1.0" encoding="base64"?><testsuite/>', "encoding base64, which is not known"),
    ],
)
def test_what_is_no_report_is_refused_by_name(text: str, wanted: str) -> None:
    with pytest.raises(Malformed, match=wanted):
        result(text)


def test_an_xml_bomb_is_refused_before_it_grows() -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY l0 "ha">{levels}]><testsuite name="&l11;"/>'
    with pytest.raises(Malformed, match="refused"):
        result(bomb)


def test_a_cut_report_keeps_its_complete_cases() -> None:
    whole = suite('<testcase name="a" time="1"/>', '<testcase name="b" time="2"><failure>x</failure></testcase>')
    for length in range(whole.index("<testcase"), len(whole)):
        cut = whole[:length]
        read_now = result(cut)
        assert read_now.partial
        assert read_now.total.tests == ("/>" in cut) + ("</testcase>" in cut)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "shift_jis", "gb18030"]
)
def test_encodings_by_mark_and_declaration(encoding: str) -> None:
    word = {"shift_jis": "テスト", "gb18030": "测试", "windows-1252": "prüfen €"}.get(encoding, "prüfen")
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?><testsuite><testcase name="{word}" time="1"/></testsuite>'
    read_now = result(text.encode(encoding))
    assert read_now.slowest[0].name == word
    assert not read_now.repaired


@pytest.mark.parametrize(
    ("before", "declared"), [("", "utf-16"), ("\n \n", "utf-8"), ("\ufeff\n", "UTF-8"), ("", "cp500")]
)
def test_what_other_tools_add_to_a_report_does_no_harm(before: str, declared: str) -> None:
    """Blank lines of a shell, and UTF-16 as writers of .NET declare it in files of UTF-8."""
    read_now = result(
        f'{before}<?xml version="1.0" encoding="{declared}"?><testsuite><testcase name="prüfen"/></testsuite>'
    )
    assert (read_now.total.tests, read_now.repaired) == (1, False)


def test_namespaces_are_stripped_prefixed_ones_too() -> None:
    default = '<testsuites xmlns="urn:x"><testsuite><testcase name="a"><failure/></testcase></testsuite></testsuites>'
    prefixed = default.replace("xmlns=", "xmlns:j=").replace("</test", "</j:test").replace("<test", "<j:test")
    prefixed = prefixed.replace("<failure/>", "<j:failure/>")
    for xml in (default, prefixed):
        total = result(xml).total
        assert (total.tests, total.failed) == (1, 1)


def test_control_characters_are_filtered_and_the_report_is_marked() -> None:
    surrogates, last = ("&#xD83D;&#xde00;", "&#55357;&#56832;", "&#57343;"), ("\ufffe", "\uffff", "&#65535;")
    for bad in ("\x1b[31m", "\x00", "&#27;", "&#x1B;", "&#0;", *surrogates, *last):
        read_now = result(suite(f'<testcase name="a" time="1"><failure>red {bad} text</failure></testcase>'))
        assert (read_now.total.failed, read_now.repaired, read_now.partial) == (1, True, False)
    broken = result(suite('<testcase name="a"/>').encode().replace(b'"a"', b'"\xff\xfe"'))
    assert (broken.total.tests, broken.repaired) == (1, True)
    kept = case_of("<failure>&#10;&#65;</failure>")
    assert (kept.message, kept.result) == ("A", "failed")
    whole = result(suite('<testcase name="&#55295;&#57344;&#xD7FF;&#xE000;&#128512;"/>'))
    assert (whole.total.tests, whole.repaired) == (1, False)


@pytest.mark.parametrize(
    ("inside", "wanted", "flaky"),
    [
        ("", "passed", False),
        ("<skipped/>", "skipped", False),
        ("<skipped/><failure/>", "failed", False),
        ("<failure/><error/>", "error", False),
        ("<error/><failure/>", "error", False),
        ("<flakyFailure/>", "passed", True),
        ("<flakyError><stackTrace>x</stackTrace></flakyError>", "passed", True),
        ("<failure/><rerunFailure/>", "failed", False),
        ("<rerunFailure/>", "failed", False),
        ("<failure/><flakyFailure/>", "failed", False),
        ("<system-out><![CDATA[<failure/>]]></system-out>", "passed", False),
    ],
)
def test_results_of_a_case(inside: str, wanted: str, flaky: bool) -> None:
    case = case_of(inside)
    assert (case.result, case.flaky) == (wanted, flaky)


@pytest.mark.parametrize("status", ["disabled", "notrun"])
def test_a_case_that_did_not_run_is_skipped(status: str) -> None:
    assert case_of("", f'time="0" status="{status}"').result == "skipped"


def test_messages_come_from_the_attribute_or_the_text_and_are_cut() -> None:
    assert case_of('<failure message="short">long text</failure>').message == "short"
    assert case_of("<failure>\n  at <b>line</b> 3 &lt;x&gt;</failure>").message == "at line 3 <x>"
    assert len(case_of(f"<failure>{'x' * 5000}</failure>").message or "") == MOST_MESSAGE + BEYOND


@pytest.mark.parametrize(
    ("text", "comma", "wanted"),
    [
        ("0,160", None, 0.16), ("1,024.12", None, 1024.12), ("1,024,000", None, 1024000.0), ("12,5", None, 12.5),
        ("1.024,12", None, 1024.12), ("2,120", None, None), ("2,120", "decimal", 2.12), ("2,120", "thousands", 2120.0),
        ("0:00:00.69", None, 0.69), ("1:02:03,5", None, 3723.5), ("02:03", None, 123.0), ("1e3", None, 1000.0),
        ("NaN", None, None), ("inf", None, None), ("-1", None, None), ("soon", None, None), ("1,2,3", None, None),
    ],
)  # fmt: skip
def test_times(text: str, comma: str | None, wanted: float | None) -> None:
    assert seconds(text, comma) == (None if wanted is None else pytest.approx(wanted))  # type: ignore[arg-type]


def test_other_times_of_the_file_decide_a_comma_even_later_ones() -> None:
    assert (comma_in("2,120"), comma_in("0.5"), comma_in("0,5"), comma_in("7")) == (None, "thousands", "decimal", None)
    later = '<testcase name="b" time="{}"/>'
    first = '<testcase name="a" time="2,120"/>'
    assert result(suite(first, later.format("0,5"))).total.duration_s == pytest.approx(2.62)
    assert result(suite(first, later.format("0.5"))).total.duration_s == pytest.approx(2120.5)
    undecided = result(suite(first, later.format("7")))
    assert undecided.total.duration_s == 7.0
    assert undecided.problems == ["report.xml: 1 time could not be read, counted as not said"]


def test_claimed_cases_that_are_not_there_never_pass() -> None:
    read_now = result('<testsuites tests="173"><testsuite name="s"/></testsuites>')
    assert (read_now.total.tests, read_now.partial) == (0, True)
    assert "claims 173 tests but holds no case" in read_now.problems[0]
    assert not result('<testsuites tests="0"/>').partial


def test_equal_keys_get_ordinals_and_failed_then_passed_is_flaky(tmp_path: Path) -> None:
    path = tmp_path / "r.xml"
    failed, passed = '<testcase name="a"><failure/></testcase>', '<testcase name="a"/>'
    path.write_text(suite(passed, failed, passed, '<testcase name="b"/>'))
    rows, _, _ = read(KIND, path)
    assert [(case["name"], case["ordinal"], case["flaky"]) for case in rows["test_cases"]] == [
        ("a", 0, False), ("a", 1, True), ("a", 2, False), ("b", 0, False),
    ]  # fmt: skip
    (run,) = rows["test_runs"]
    assert (run["tests"], run["failed"], run["passed"], run["flaky"]) == (4, 1, 3, 1)


def test_many_keys_are_told_apart() -> None:
    cases = "".join(f'<testcase name="n{n}"/>' for n in range(20_000))
    assert result(suite(cases)).total.flaky == 0
    again = "".join(f'<testcase name="n{n}"><error/></testcase>' for n in range(0, 20_000, 2))
    assert result(suite(cases, again)).total.flaky == 10_000


def test_counting_says_what_storing_says(tmp_path: Path) -> None:
    """`measure` counts without an object per case, `load` makes a row of each: both must see the same report."""
    draw = random.Random(5)
    inside = ["", "", "", "<failure/>", "<error/>", "<skipped/>", "<flakyFailure/>", "<system-out>x</system-out>"]
    statuses = ["", "", 'status="run"', 'status="notrun"']
    cases = [
        f'<testcase name="n{draw.randrange(900)}" classname="c{draw.randrange(2)}" time="{draw.randrange(10**6) / 1000}" '
        f"{draw.choice(statuses)}>{draw.choice(inside)}</testcase>"
        for _ in range(3_000)
    ]
    path = tmp_path / "junit.xml"
    path.write_text(
        f'<testsuites>{suite(*cases)[21:]}<testsuite name="e2e">{"".join(cases[::3])}</testsuite></testsuites>'
    )
    rows, _, _ = read(KIND, path)
    counted = read_junit(io.BytesIO(path.read_bytes()), "junit.xml").by_suite
    assert len(counted) == 2
    for run in rows["test_runs"]:
        one = counted["" if run["suite"] == "tests" else str(run["suite"])]
        names = ("tests", "passed", "failed", "errors", "skipped")
        assert [run[name] for name in names] == [getattr(one, name) for name in names]
        assert run["duration_s"] == pytest.approx(one.duration_s)
    assert sum(int(str(run["flaky"])) for run in rows["test_runs"]) == sum(one.flaky for one in counted.values()) > 300


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("junit.mpi.integration.xml", "integration"), ("TEST-UnitTests.xml", "unit"), ("e2e-chrome.xml", "e2e"),
        ("end-to-end.xml", "e2e"), ("junit.xml", ""), ("community.xml", ""),
    ],
)  # fmt: skip
def test_the_kind_of_tests_from_a_name(name: str, kind: str) -> None:
    assert suite_kind(name) == kind


def test_rows_of_a_report(tmp_path: Path) -> None:
    folder = tmp_path / "ci"
    folder.mkdir()
    path = folder / "junit.xml"
    path.write_text(
        '<testsuites time="9"><testsuite name="unit" time="4" timestamp="2026-09-01T10:00:00+02:00">'
        '<testcase name="a" classname="c" file="t.py" time="1.5"/></testsuite>'
        '<testsuite name="integration" time="5"><testcase name="b"><error message="boom"/></testcase></testsuite>'
        "</testsuites>"
    )
    rows, rejects, problems = read(KIND, path)
    assert [(run["suite"], run["tests"], run["errors"], run["duration_s"], run["suite_time_s"]) for run in rows["test_runs"]] == [
        ("unit", 1, 0, 1.5, 4.0), ("integration", 1, 1, None, 5.0),
    ]  # fmt: skip
    assert {str(run["started"]) for run in rows["test_runs"]} == {"2026-09-01 08:00:00"}
    first, second = rows["test_cases"]
    assert (first["case_key"], first["duration_s"], first["run_id"]) == ("c::a::t.py", 1.5, rows["test_runs"][0]["id"])
    assert (second["case_key"], second["duration_s"], second["message"]) == ("b", None, "boom")
    assert not rejects
    assert not problems
    assert read(KIND, path)[0] == rows


def test_a_report_without_a_time_stamp_ran_when_its_file_was_written(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(suite('<testcase name="a"/>'))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    rows, _, _ = read(KIND, path)
    assert str(rows["test_runs"][0]["started"]) == "2023-11-14 22:13:20"
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert read(KIND, path)[0]["test_runs"][0]["started"] == NOW


@pytest.mark.parametrize(
    ("head", "ours"),
    [
        (b"<testsuite/>", True),
        (b'<?xml version="1.0"?>\n<!-- <x> -->\n<testsuites>', True),
        (b'<!DOCTYPE t [<!ENTITY x "y">]><j:testsuite xmlns:j="u">', True),
        ("<testsuites/>".encode("utf-16"), True),
        (b"<suites><testsuite/></suites>", False),
        (b"<html><testsuite>", False),
        (b"", False),
        (b"{}", False),
    ],
)
def test_reports_are_recognised_by_their_root(head: bytes, ours: bool, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(head)
    assert KIND.recognises(sample(path)) is ours
