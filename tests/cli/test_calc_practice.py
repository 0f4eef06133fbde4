"""Gains, rituals and release trains through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import aether

HEAD = "cycle,cluster,value_weighted_successes,cost_usd,tasks"


def test_gain_of_a_file(tmp_path: Path) -> None:
    rows = [
        f"{cycle},c{key},{70 * better},{10 + key},100" for cycle, better in (("1", 1), ("2", 1.2)) for key in range(6)
    ]
    done = aether("calc", "gain", "-", "--format", "json", cwd=tmp_path, stdin="\n".join([HEAD, *rows]))
    assert done.code == 0
    keys = ("cumulative", "cumulative_low", "cumulative_high")
    assert [done.json[key] for key in keys] == pytest.approx([1.2] * 3)
    assert [(row["cycle"], row["clusters"]) for row in done.json["cycles"]] == [("1", None), ("2", 6)]
    assert done.json["cycles"][1]["gain"] == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("code", "words", "lines"),
    [
        (2, ["cost_usd"], ["cycle,cluster,tasks", "a,b,1"]),
        (2, ["line 2", "tasks"], [HEAD, "a,b,1,1,0"]),
        (2, ["line 2", "cost_usd", "x"], [HEAD, "a,b,1,x,1"]),
        (2, ["line 3", "twice"], [HEAD, "a,b,1,1,1", "a,b,1,1,1"]),
        (3, ["two cycles"], [HEAD, "a,b,1,1,1"]),
        (3, ["two cycles"], [HEAD]),
    ],
)
def test_broken_gains(tmp_path: Path, code: int, words: list[str], lines: list[str]) -> None:
    (tmp_path / "g.csv").write_text("\n".join(lines))
    aether("calc", "gain", "g.csv", cwd=tmp_path).refuses(code, *words)


SYNC = (
    "{name: Sync, per_year: 48, minutes: 60, prep_minutes: 15, attendees: 8, hourly_rate: 95, decisions_per_year: 60, "
    "stake_per_decision: 4000, probability_gain: 0.05, roti: 2.4}"
)


def test_rituals_of_a_file(tmp_path: Path) -> None:
    done = aether("calc", "ritual", "-", "--format", "json", cwd=tmp_path, stdin=f"rituals:\n- {SYNC}\n")
    (row,) = done.json["rituals"]
    assert row["cost_per_year"] == pytest.approx(45_600)
    assert (row["break_even_probability"], row["verdict"]) == (pytest.approx(0.19), "does not pay")
    ranged = SYNC.replace("0.05", "[0.02, 0.2, 0.4]")
    (row,) = aether("calc", "ritual", "-", "--format", "json", cwd=tmp_path, stdin=f"rituals: [{ranged}]").json[
        "rituals"
    ]
    assert 0 < row["p_pays"] < 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"rituals:\n- {SYNC}\n- {SYNC}\n", ["two rituals", "Sync"]),
        (f"rituals: [{SYNC.replace('0.05', '5')}]", ["ritual Sync", "probability_gain", "5 % is 0.05"]),
        (f"rituals: [{SYNC.replace('2.4', '5')}]", ["roti", "0 to 4"]),
        (f"rituals: [{SYNC.replace('minutes: 60', 'minutes: [60, 30, 90]')}]", ["minutes", "mode"]),
        (f"rituals: [{SYNC.replace('attendees: 8', 'attendees: 0')}]", ["attendees", "above 0"]),
        (f"rituals: [{SYNC.replace('attendees', 'atendees')}]", ["atendees", "attendees"]),
        ("rituals: [{name: a, minutes: 1}]", ["ritual a", "attendees is missing"]),
        ("rituals: [{minutes: 1}]", ["ritual 1", "no name"]),
        (f"rituals: [{SYNC.replace('95', '.inf')}]", ["hourly_rate"]),
        (f"rituals: [{SYNC.replace('95', 'true')}]", ["hourly_rate"]),
        ("rituals: []", ["rituals"]),
        ("[]", ["rituals"]),
    ],
)
def test_broken_rituals(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "r.yaml").write_text(text)
    aether("calc", "ritual", "r.yaml", cwd=tmp_path).refuses(2, *words)


def test_train_against_on_demand(tmp_path: Path) -> None:
    done = aether("calc", "train", "--arrivals", "3,0,5,4", "--interval", "14", "--format", "json", cwd=tmp_path)
    scheduled, single = done.json["policies"]
    assert (done.json["arrivals"], scheduled["wait"], scheduled["batch"], single["batch"]) == (3, 7, 42, 1)
    assert scheduled["risk"] == pytest.approx(0.8775, abs=1e-4)  # 1 - e^(-2.1)
    assert single["wait"] == pytest.approx(0.06 * 0.02 / (2 * 0.94))  # Pollaczek-Khinchine, utilization 0.06


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (2, ["--arrivals"], ["--arrivals", "0", "--interval", "7"]),
        (2, ["negative"], ["--arrivals", "3,-1", "--interval", "7"]),
        (2, ["--interval"], ["--arrivals", "3", "--interval", "0"]),
        (2, ["5 % is 0.05"], ["--arrivals", "3", "--interval", "7", "--failure-rate", "5"]),
        (2, ["--release-time"], ["--arrivals", "3", "--interval", "7", "--release-time", "-1"]),
        (1, ["unstable"], ["--arrivals", "3", "--interval", "0.1", "--release-time", "0.5"]),
    ],
)
def test_impossible_trains(tmp_path: Path, code: int, words: list[str], arguments: list[str]) -> None:
    aether("calc", "train", *arguments, cwd=tmp_path).refuses(code, *words)
