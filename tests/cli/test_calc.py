"""Calculators through the command line: published values, and impossible questions answered in one line."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aether_tui.cli.calc import calc
from aether_tui.errors import AetherError
from aether_tui.text import cells
from tests.command import aether


def test_power_to_the_printed_digits(tmp_path: Path) -> None:
    # R: power.t.test(n = 20, delta = 1, sd = 1) prints power = 0.8689528
    done = aether(
        "calc", "power", "--kind", "means", "--sd", "1", "--mde", "1", "--n", "20", "--format", "json", cwd=tmp_path
    )
    assert done.json["power"] == pytest.approx(0.8689528, abs=1e-6)
    paired = ["calc", "power", "--kind", "means", "--sd", "1", "--mde", "1", "--power", "0.9", "--design", "paired"]
    # R: power.t.test(power = .90, delta = 1, type = "paired") prints n = 12.58546
    assert aether(*paired, "--format", "json", cwd=tmp_path).json["n_per_arm"] == 13


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (2, ["0.02"], ["power", "--kind", "proportions", "--baseline", "0.1", "--mde", "2"]),
        (2, ["--alpha"], ["power", "--kind", "means", "--sd", "1", "--mde", "1", "--alpha", "5"]),
        (2, ["--sd"], ["power", "--kind", "means", "--mde", "1"]),
        (2, ["zero"], ["power", "--kind", "means", "--sd", "1", "--mde", "0"]),
        (2, ["two of"], ["power", "--kind", "means", "--sd", "1", "--mde", "1", "--n", "9", "--power", "0.8"]),
        (3, ["10¹²"], ["power", "--kind", "proportions", "--baseline", "0.1", "--mde", "1e-9"]),
        (2, ["8 of 5"], ["interval", "--successes", "8", "--n", "5"]),
        (2, ["--control"], ["ab", "--control", "9/3", "--treatment", "1/3"]),
        (2, ["MARGIN"], ["ab", "--control", "1/3", "--treatment", "1/3", "--guardrail", "csat=..:"]),
        (3, ["two values"], ["ab", "--control-values", "1", "--treatment-values", "2,3"]),
        (1, ["unstable"], ["queue", "--arrival-rate", "3", "--service-rate", "1"]),
        (3, ["few"], ["forecast", "--throughput", "1,2", "--items", "3"]),
        (2, ["commas"], ["forecast", "--throughput", "1,,2", "--items", "3"]),
        (2, ["finite"], ["forecast", "--throughput", "1,nan", "--items", "3"]),
        (2, ["absent.yaml"], ["constraint", "absent.yaml"]),
        (2, ["'nan'"], ["power", "--kind", "means", "--sd", "1", "--mde", "1", "--n", "nan"]),
        (2, ["'inf'"], ["ab", "--control", "1/3", "--treatment", "1/3", "--min-effect", "inf"]),
        (2, ["'1e400'"], ["duration", "--n-total", "1e400", "--traffic", "1", "--allocation", "1"]),
        (2, ["--max-weeks"], ["duration", "--n-total", "9", "--traffic", "1", "--allocation", "1", "--max-weeks", "0"]),
        (2, ["paired"], ["power", "--kind", "proportions", "--baseline", "0.1", "--mde", "0.1", "--design", "paired"]),
        (2, ["--sd-x"], ["power", "--kind", "ratio", "--mean-x", "1", "--mean-y", "1", "--sd-x", "-1", "--sd-y", "1"]),
        (3, ["20 years"], ["forecast", "--throughput", "0,0,0,0,0,0,0,1", "--items", "9000", "--draws", "100"]),
        (2, ["--cached"], ["price", "--model", "gpt-4o", "--input", "1", "--output", "1", "--cached", "2"]),
        (3, ["no-such"], ["price", "--model", "no-such", "--input", "1", "--output", "1"]),
    ],
)
def test_impossible_questions(tmp_path: Path, code: int, words: list[str], arguments: list[str]) -> None:
    aether("calc", *arguments, cwd=tmp_path).refuses(code, *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("value_per_success: null\nsteps: [{name: a}]", ["vs.yaml", "value_per_success"]),
        ("steps: [{name: a, error_rate: 0.6, abandon_rate: 0.5}]", ["step a", "1.1"]),
        ("steps: [{name: a, error_rate: 0.5, rework_to: b}]", ["step a", "b"]),
        ("steps: [{name: a, eror_rate: 0.5}]", ["eror_rate", "error_rate"]),
        ("steps: [{name: a}, {name: a}]", ["same name"]),
        ("steps: [{name: a, cost: .nan}]", ["cost"]),
        ("steps: {", ["vs.yaml"]),
        ("[]", ["steps"]),
    ],
)
def test_broken_value_streams_name_the_step(tmp_path: Path, text: str, words: list[str]) -> None:
    value = "" if "value_per_success" in text else "value_per_success: 1\n"
    (tmp_path / "vs.yaml").write_text(f"demand_per_month: 10\n{value}{text}\n" if "steps" in text else text)
    aether("calc", "constraint", "vs.yaml", cwd=tmp_path).refuses(2, *words)


def test_method_of_proportions_is_the_option_itself(tmp_path: Path) -> None:
    question = ["calc", "power", "--kind", "proportions", "--baseline", "0.5", "--mde", "0.1", "--format", "json"]
    assert aether(*question, cwd=tmp_path).json["method"] == "z"
    assert aether(*question, "--method", "cohen", cwd=tmp_path).json["method"] == "cohen"


SIZES = st.sampled_from([0.0, 1e-15, 1e-9, 0.05, 0.5, 0.999999, 1.0, 3.0, 1e6, 1e15, -1e-15, -0.5, -1e15])
QUESTIONS = {
    "power --kind proportions": "baseline mde n power alpha ratio",
    "power --kind proportions --method cohen --relative": "baseline mde alpha ratio",
    "power --kind means": "sd mde n power alpha ratio",
    "power --kind means --design paired": "sd mde n alpha",
    "power --kind ratio": "mean-x mean-y sd-x sd-y cov mde n power",
    "duration": "n-total traffic allocation max-weeks",
    "sequential --planned-n 1000": "mean-diff se n alpha",
    "queue": "arrival-rate service-rate ca2 cs2",
    "queue --servers 7": "arrival-rate service-rate",
    "ab --control 3/10 --treatment 0/7": "min-effect ratio alpha",
    "ab --control-values 1,1,1e15 --treatment-values 1,1e-15": "min-effect ratio alpha",
    "interval --successes 3 --n 7": "level",
    "forecast --throughput 0,0,0,0,0,0,0,1e-9 --draws 100": "items",
    "compare --baseline 1e15,1,1,2,0 --current -1e15,1e-15,3": "threshold",
    "train": "arrivals interval release-time failure-rate",
}


@pytest.mark.parametrize("question", QUESTIONS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_number_breaks_a_calculator(question: str, data: st.DataObject) -> None:
    """A result is JSON without NaN or Infinity, anything else one typed error."""
    words = question.split()
    for name in QUESTIONS[question].split():
        value = data.draw(st.none() | SIZES, label=name)
        words += [] if value is None else [f"--{name}={value!r}"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(AetherError, click.ClickException):
        calc.main([*words, "--format", "json"], standalone_mode=False)
    if out.getvalue():
        json.loads(out.getvalue(), parse_constant=pytest.fail)


LIGHT = """
import sys
from aether_tui.cli import main
try:
    main(["calc", "power", "--kind", "means", "--sd", "1", "--mde", "1"])
except SystemExit:
    pass
print(sorted({"numpy", "pydantic", "msgspec", "duckdb", "textual", "httpx"} & set(sys.modules)), file=sys.stderr)
"""


def test_power_starts_light() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("n_per_arm")
    assert done.stderr.strip() == "[]"


def test_standard_input_is_a_file(tmp_path: Path) -> None:
    text = "demand_per_month: 10\nvalue_per_success: 2\nsteps: [{name: a, cost: 1, abandon_rate: 0.5}]\n"
    solved = aether("calc", "constraint", "-", "--format", "json", cwd=tmp_path, stdin=text).json
    assert solved["cost_per_success"] == 2
    aether("calc", "constraint", "-", cwd=tmp_path, stdin="[]").refuses(2, "standard input")
    table = "id,impact,confidence,effort_weeks,reversibility\nA,8,6,2,8\n"
    ranked = aether("calc", "icep", "-", "--format", "json", cwd=tmp_path, stdin=table).json
    assert ranked["opportunities"][0]["score"] == 192


def test_the_seed_of_the_command_line_fixes_the_draws(tmp_path: Path) -> None:
    asked = ["--throughput", "3,0,5,40,2,6,1,30", "--items", "300", "--draws", "100", "--format", "json"]
    forecasts = [aether("--seed", str(seed), "calc", "forecast", *asked, cwd=tmp_path).json for seed in range(6)]
    assert len({json.dumps(one) for one in forecasts}) > 1
    assert aether("calc", "forecast", *asked, "--seed", "5", cwd=tmp_path).json == forecasts[5]


def test_names_of_strangers_cannot_move_the_cursor(tmp_path: Path) -> None:
    table = "id,title,impact,confidence,effort_weeks,reversibility\nA,\x1b[2Jred,8,6,2,8\nB,情報,8,6,2,7\n"
    done = aether("calc", "icep", "-", cwd=tmp_path, stdin=table)
    assert "\x1b" not in done.out
    *_, first, second = done.out.splitlines()
    assert cells(first[: first.index("quick win")]) == cells(second[: second.index("low score")])


def test_a_price_is_a_number(tmp_path: Path) -> None:
    asked = ["calc", "price", "--model", "gpt-4o", "--input", "1000", "--output", "100", "--format", "json"]
    done = aether("--as-of", "2026-11-01", *asked, cwd=tmp_path)
    assert done.json["cost"] > 0
    assert done.json["currency"] == "USD"


def test_portfolio_from_csv_is_that_from_yaml(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,impact,confidence,effort_weeks,reversibility\nA,8,6,2,8\nB,9,4,30,3\n")
    (tmp_path / "p.yaml").write_text(
        "opportunities:\n- {id: A, impact: 8, confidence: 6, effort_weeks: 2, reversibility: 8}\n"
        "- {id: B, impact: 9, confidence: 4, effort_weeks: 30, reversibility: 3}\n"
    )
    one, other = (aether("calc", "icep", name, "--format", "json", cwd=tmp_path).json for name in ("p.csv", "p.yaml"))
    assert one == other
    assert [row["score"] for row in one["opportunities"]] == pytest.approx([192, 10.8])
    (tmp_path / "p.csv").write_text("id,impact,confidence,effort_weeks,reversibility\nA,80,6,2,8\n")
    aether("calc", "icep", "p.csv", cwd=tmp_path).refuses(2, "impact", "between 1 and 10")
