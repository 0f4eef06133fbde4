# ruff: noqa: E501 (pools of arguments read better on one line)
"""Calculators given what nobody should give them: an answer or one sentence, never Infinity, NaN or a traceback."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.cli.test_experiment import aether

NUMBERS = ("0", "-1", "1", "2", "0.05", "0.5", "95", "1e-12", "1e-320", "1e14", "1e308", "1e999", "nan", "inf", "-inf", "", "x", "0x10", "1_0", "１", "٣", "0.1%", "5,5", "--", "99999999999999999999")  # fmt: skip
SOUND = ("0.05", "0.5", "0.2", "2", "20", "1000", "1e-6", "1e9")
"""Drawn more often than the rest: two wrong numbers in one line only show the first."""
LISTS = ("1,2,3", "5,5,5,5,5,5,5,5,5", "0,0,0,0,0,0,0,0", "1", "", ",", "nan,1,2", "1e308,1e308,-1e308", "3,0,5,2,4,1,0,6,2,3,4", "1e15,1,1,1,1,1,1,1", "-1,-2,-3,-4,-5,-6")  # fmt: skip
COUNTS = ("0/0", "0/1", "1/1", "2/1", "120/1000", "-1/5", "1e3/1e4", "999999999999999999999/999999999999999999999", "a/b", "5/10", "0/100000", "")  # fmt: skip
RAILS = ("a=0..1:0.1", "a=nan..1:1", "a=1..0:1", "=0..1:1", "a=-1e999..0:1", "csat=-0.02..0.01:0.01", "x")
OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "power": {"--kind": ("proportions", "means", "ratio", "other"), "--baseline": NUMBERS, "--mde": NUMBERS, "--sd": NUMBERS,
              "--design": ("two-sample", "one-sample", "paired"), "--mean-x": NUMBERS, "--mean-y": NUMBERS, "--sd-x": NUMBERS,
              "--sd-y": NUMBERS, "--cov": NUMBERS, "--n": NUMBERS, "--power": NUMBERS, "--alpha": NUMBERS, "--sides": ("1", "2", "3"),
              "--ratio": NUMBERS, "--method": ("z", "cohen"), "--traffic": NUMBERS, "--allocation": NUMBERS},
    "duration": {"--n-total": NUMBERS, "--traffic": NUMBERS, "--allocation": NUMBERS, "--max-weeks": NUMBERS},
    "sequential": {"--mean-diff": NUMBERS, "--se": NUMBERS, "--n": NUMBERS, "--planned-n": NUMBERS, "--alpha": NUMBERS},
    "ab": {"--control": COUNTS, "--treatment": COUNTS, "--control-values": LISTS, "--treatment-values": LISTS,
           "--min-effect": NUMBERS, "--guardrail": RAILS, "--ratio": NUMBERS, "--alpha": NUMBERS},
    "interval": {"--successes": NUMBERS, "--n": NUMBERS, "--level": NUMBERS},
    "queue": {"--arrival-rate": NUMBERS, "--service-rate": NUMBERS, "--servers": ("1", "3", "100000", "0", "x"), "--ca2": NUMBERS, "--cs2": NUMBERS},
    "forecast": {"--throughput": LISTS, "--items": NUMBERS, "--draws": ("100", "99", "x"), "--seed": NUMBERS},
    "compare": {"--baseline": LISTS, "--current": LISTS, "--threshold": ("10%", "0.1", "10", "-1%", "nan", "", "1e9%", "0"), "--direction": ("lower", "higher")},
    "train": {"--arrivals": (*LISTS, *NUMBERS), "--interval": NUMBERS, "--release-time": NUMBERS, "--failure-rate": NUMBERS},
    "price": {"--model": ("gpt-4o", "", "nobody/knows", "x" * 500), "--input": NUMBERS, "--output": NUMBERS, "--cached": NUMBERS},
    "changepoints": {"--level": NUMBERS}, "constraint": {}, "icep": {"--high": NUMBERS}, "ritual": {}, "maturity": {}, "gain": {"--level": NUMBERS},
}  # fmt: skip
FLAGS = {"power": ("--relative",)}
TEXTS: dict[str, tuple[str, ...]] = {
    "changepoints": ("t,value\n" + "".join(f"{n},{n % 3}\n" for n in range(20)), "t,value\n1,nan\n", "t,value\n1,\n", "t\n1\n", "", "t,value\n" + "inf,1\n" * 12,
                     "t,value\n" + "".join(f"{n},1e308\n" for n in range(20)), '"', "t,value,t\n1,2,3\n"),
    "constraint": ("demand_per_month: 100\nvalue_per_success: 1\nsteps:\n  - {name: a, touch_s: 1, wait_s: 1, cost: 1, %s}\n",
                   "steps: []\n", "steps: 3\n", "demand_per_month: .inf\nvalue_per_success: 1\nsteps: [{name: a, touch_s: 1, wait_s: 0, cost: 0}]\n", "- 1\n", "a: ["),
    "icep": ("opportunities:\n  - {id: A, title: t, impact: %s, confidence: 5, effort_weeks: 2, reversibility: 5}\n", "opportunities: []\n", "id,impact\nA,5\n",
             "id,title,impact,confidence,effort_weeks,reversibility\nA,t,5,5,2,5\nA,t,5,5,2,5\n", "opportunities: {a: 1}\n", "{", "id,impact,confidence,effort_weeks,reversibility\nA,%s,5,1e-300,5,9\n"),
    "ritual": ("rituals:\n  - {name: a, per_year: 48, minutes: 60, attendees: 8, hourly_rate: 95, decisions_per_year: 60, stake_per_decision: 4000, probability_gain: %s}\n",
               "rituals: [1]\n", "rituals: []\n", "x: 1\n"),
    "maturity": ("answers: {nothing: 3}\n", "answers: {}\n", "answers: []\n", "done: 3\n", "answers: {rituals.2.purpose-written: %s}\n"),
    "gain": ("cycle,cluster,value_weighted_successes,cost_usd,tasks\n1,a,10,%s,10\n2,a,12,1,10\n2,b,1,0,10\n", "cycle,cluster,value_weighted_successes,cost_usd,tasks\n",
             "cycle,cluster,value_weighted_successes,cost_usd,tasks\n1,a,0,0,1\n2,b,0,0,1\n3,a,1e14,1e-14,1\n", "x\n"),
}  # fmt: skip
ODD = (
    "0",
    "-1",
    "1",
    "50",
    "5",
    "95",
    ".nan",
    ".inf",
    "1e308",
    "1e-320",
    "[9, 5, 1]",
    "[1, 2]",
    "yes",
    "''",
    "null",
    "{value: .1, n: 0}",
)
CELLS = ("error_rate", "abandon_rate", "capacity_per_month", "rework_to")


def no_constant(name: str) -> float:
    raise AssertionError(f"{name} in JSON")


@pytest.mark.parametrize("command", sorted(OPTIONS))
def test_any_arguments_get_an_answer_or_one_sentence(command: str, tmp_path: Path) -> None:
    rng = random.Random(f"2026 {command}")
    for _ in range(100 if command not in TEXTS else 30):
        arguments: list[str] = []
        for option, pool in OPTIONS[command].items():
            if rng.random() < 0.85:
                value = rng.choice(SOUND if pool is NUMBERS and rng.random() < 0.75 else pool)
                arguments += [option, value] if rng.random() < 0.5 else [f"{option}={value}"]
        arguments += [flag for flag in FLAGS.get(command, ()) if rng.random() < 0.4]
        if command in TEXTS:
            text = rng.choice(TEXTS[command])
            odd = rng.choice(ODD)
            (tmp_path / "in").write_text(
                text.replace("%s", f"{rng.choice(CELLS)}: {odd}" if command == "constraint" else odd)
            )
            arguments.append("in")
        check(aether("calc", command, *arguments, "--format", "json", cwd=tmp_path), (command, arguments))


def check(done, what: object) -> None:
    assert done.code in {0, 1, 2, 3}, (what, done)
    said = [line for line in done.err.splitlines() if line.strip()]
    assert len(said) == (done.code != 0), (what, done)
    assert "internal error" not in done.err, (what, done)
    if done.out or done.code == 0:
        json.loads(done.out, parse_constant=no_constant)
    assert done.code != 2 or not done.out, (what, done)
