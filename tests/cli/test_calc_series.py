"""Samples compared and steps found through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import aether

# Hollander & Wolfe, Nonparametric Statistical Methods (1973), table 4.1, as in R's `wilcox.test`:
# W = 35, one-sided p = 0.1272, difference 0.305 in [-0.15, 0.76].
AT_TERM = "0.80,0.83,1.89,1.04,1.45,1.38,1.91,1.64,0.73,1.46"
EARLY = "1.15,0.88,0.90,0.74,1.21"


def compare(cwd: Path, baseline: str, current: str, *more: str):  # type: ignore[no-untyped-def]
    return aether(
        "calc", "compare", f"--baseline={baseline}", f"--current={current}", *more, "--format", "json", cwd=cwd
    )


def test_published_comparison(tmp_path: Path) -> None:
    found = compare(tmp_path, EARLY, AT_TERM).json
    assert found["p_value"] == pytest.approx(0.1272, abs=5e-5)
    assert [found[key] * 0.90 for key in ("shift", "shift_low", "shift_high")] == pytest.approx([0.305, -0.15, 0.76])
    assert found["verdict"] == "pass"
    assert found["smallest_detectable"] > 0.3, "why the rise of a third passes"
    mirrored = compare(tmp_path, ",".join(f"-{x}" for x in EARLY.split(",")),
                       ",".join(f"-{x}" for x in AT_TERM.split(",")), "--direction", "higher").json  # fmt: skip
    assert mirrored["p_value"] == found["p_value"]
    assert mirrored["shift"] == pytest.approx(-found["shift"])


@pytest.mark.parametrize(
    ("code", "verdict", "current", "more"),
    [
        (1, "block", "120,121,119,122,118", []),
        (0, "pass", "120,121,119,122,118", ["--threshold", "25%"]),
        (0, "pass", "80,81,79,82,78", []),
        (1, "block", "80,81,79,82,78", ["--direction", "higher"]),
        (0, "warn", "111,112,100.5,117,118", ["--threshold", "0.1"]),  # U = 23 of 25, exact p = 4/252
        (3, "inconclusive", "150", []),
        (3, "inconclusive", "130,99.5", []),
    ],
)
def test_verdicts_and_exit_statuses(tmp_path: Path, code: int, verdict: str, current: str, more: list[str]) -> None:
    done = compare(tmp_path, "100,101,99,102,98", current, *more)
    assert (done.code, done.json["verdict"]) == (code, verdict), done.err
    if code:
        done.refuses(code)
    if verdict == "warn":
        assert done.json["p_value"] == pytest.approx(4 / 252)
    if verdict == "inconclusive":
        assert done.json["need_more"] > 0


def test_too_little_to_compare_is_never_green(tmp_path: Path) -> None:
    few = compare(tmp_path, "1,2,3", "9,9,9")
    assert (few.code, few.json["verdict"], few.json["need_more"]) == (3, "inconclusive", 2)
    zero = compare(tmp_path, "0,0,0,0,0", "1,2,3,4,5")
    assert (zero.code, zero.json["shift"]) == (1, None), "as the gate: a rise from nothing is larger than every share"
    assert compare(tmp_path, "0,0,0,0,0", "0,0,0").code == 0


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["--baseline"], ["--baseline", "1,x", "--current", "1"]),
        (["--current"], ["--baseline", "1", "--current", ","]),
        (["10 % is 0.1"], ["--baseline", "1", "--current", "1", "--threshold", "10"]),
        (["--threshold"], ["--baseline", "1", "--current", "1", "--threshold", "0%"]),
        (["--threshold"], ["--baseline", "1", "--current", "1", "--threshold", "ten"]),
    ],
)
def test_refused(tmp_path: Path, words: list[str], arguments: list[str]) -> None:
    aether("calc", "compare", *arguments, cwd=tmp_path).refuses(2, *words)


def series(cwd: Path, lines: list[str]) -> Path:
    (cwd / "s.csv").write_text("\n".join(["t,value", *lines]) + "\n")
    return cwd / "s.csv"


def test_a_step_has_the_t_of_its_first_point(tmp_path: Path) -> None:
    levels = [(day, 10.0 + day % 3 + (5 if day >= 21 else 0)) for day in range(1, 41)]
    series(tmp_path, [f"{day},{value}" for day, value in reversed(levels)])
    done = aether("calc", "changepoints", "s.csv", "--format", "json", cwd=tmp_path)
    (step,) = done.json["changes"]
    assert (step["t"], step["before"], step["after"], step["direction"]) == (21, 11, 16, "up")
    assert 0.99 <= step["confidence"] <= 1
    dated = [f"2026-{1 + day // 28:02}-{1 + day % 28:02},{value}" for day, value in levels]
    spread = "\n".join(["t,value", *dated, *(line[:11] + "99" for line in dated), *(line[:11] + "0" for line in dated)])
    done = aether("calc", "changepoints", "-", "--format", "json", cwd=tmp_path, stdin=spread)
    assert done.json["points"] == 40
    assert [(one["t"], one["after"]) for one in done.json["changes"]] == [("2026-01-22", 16)], "the median of each day"


@pytest.mark.parametrize(
    ("code", "words", "text"),
    [
        (2, ["columns t,value", "time"], "time,value\n1,2\n"),
        (2, ["line 3", "value"], "t,value\n1,2\n2,x\n"),
        (2, ["line 2", "nan"], "t,value\n1,nan\n"),
        (2, ["line 2", "3 cells"], "t,value\n1,2,3\n"),
        (2, ["columns"], ""),
        (3, ["too few"], "t,value\n1,2\n"),
    ],
)
def test_broken_series_name_the_line(tmp_path: Path, code: int, words: list[str], text: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    aether("calc", "changepoints", "s.csv", cwd=tmp_path).refuses(code, *words)
