"""Calculators give the digits that books, papers and other programs print."""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_tui.cli.calc import calc
from tests.command import Done, aether


def ask(words: str, folder: Path, code: int = 0) -> Done:
    done = aether("calc", *words.split(), "--format", "json", cwd=folder)
    assert done.code == code, done.err
    return done


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [("81 263", 0.2553, 0.3662), ("15 148", 0.0624, 0.1605), ("0 20", 0.0000, 0.1611), ("1 29", 0.0061, 0.1718)],
)
def test_wilson_intervals_of_newcombe(counts: str, low: float, high: float, tmp_path: Path) -> None:
    """Newcombe 1998, Statistics in Medicine 17:857, table I, method 3."""
    successes, n = counts.split()
    found = ask(f"interval --successes {successes} --n {n}", tmp_path).json
    assert (round(found["low"], 4), round(found["high"], 4)) == (low, high)


@pytest.mark.parametrize(("more", "n"), [("", 23), ("--sides 1", 18)])
def test_sizes_of_power_t_test(more: str, n: int, tmp_path: Path) -> None:
    """R's power.t.test(power = .90, delta = 1) prints n = 22.02110, one-sided 17.84713; whole subjects are needed."""
    assert ask(f"power --kind means --sd 1 --mde 1 --power 0.9 {more}", tmp_path).json["n_per_arm"] == n


def test_sleep_of_student(tmp_path: Path) -> None:
    """R's t.test(extra ~ group, data = sleep): p-value = 0.07939, 95 percent interval -3.3654832 0.2054832 (first minus second)."""
    one, two = "0.7,-1.6,-0.2,-1.2,-0.1,3.4,3.7,0.8,0.0,2.0", "1.9,0.8,1.1,0.1,-0.1,4.4,5.5,1.6,4.6,3.4"
    found = ask(f"ab --control-values={one} --treatment-values={two}", tmp_path).json
    assert found["ci_low"] == pytest.approx(-0.2054832, abs=5e-8)
    assert found["ci_high"] == pytest.approx(3.3654832, abs=5e-8)
    assert found["p_value"] == pytest.approx(0.07939, abs=5e-6)


def test_sample_ratio_of_kohavi(tmp_path: Path) -> None:
    """Kohavi, Tang and Xu 2020, Trustworthy Online Controlled Experiments, ch. 3: 821,588 against 815,482 users, p = 1.8E-6."""
    found = ask("ab --control 50000/821588 --treatment 52000/815482", tmp_path).json
    assert f"{found['srm_p']:.1e}" == "1.8e-06"
    assert found["verdict"] == "invalid"


def test_queue_of_a_call_centre(tmp_path: Path) -> None:
    """The worked Erlang C example of call centres: 100 calls of 180 s in half an hour, 14 agents: 17.4 % wait, 7.8 s on average."""
    found = ask(f"queue --arrival-rate {100 / 1800} --service-rate {1 / 180} --servers 14", tmp_path).json
    assert (round(found["p_wait"], 3), round(found["wq"], 1)) == (0.174, 7.8)


def test_queue_with_constant_service(tmp_path: Path) -> None:
    """Pollaczek and Khinchine: at half load with constant service one waits half a service, half of M/M/1's."""
    assert ask("queue --arrival-rate 0.5 --service-rate 1 --ca2 1 --cs2 0", tmp_path).json[
        "wq_kingman"
    ] == pytest.approx(0.5)
    policies = ask("train --arrivals 0.5 --interval 7 --release-time 1", tmp_path).json["policies"]
    assert policies[1]["wait"] == pytest.approx(0.5)


def test_drunkards_walk(tmp_path: Path) -> None:
    """Grinstead and Snell, Introduction to Probability, ex. 11.13–11.15: from corner 1 visits 3/2, 1, 1/2; 3 steps; home 1/4."""
    (tmp_path / "walk.yaml").write_text(
        "demand_per_month: 100\nvalue_per_success: 1\nsteps:\n"
        "- {name: one, touch_s: 1, abandon_rate: 0.5}\n"
        "- {name: two, touch_s: 1, error_rate: 0.5, rework_to: one}\n"
        "- {name: three, touch_s: 1, error_rate: 0.5, rework_to: two}\n"
    )
    found = ask("constraint walk.yaml", tmp_path).json
    assert [step["visits"] for step in found["steps"]] == pytest.approx([1.5, 1, 0.5])
    assert (found["lead_time"], found["success_rate"]) == (pytest.approx(3), pytest.approx(0.25))


def test_fisher_index_of_a_textbook(tmp_path: Path) -> None:
    """AtoZmath, index numbers, example 1: rice, milk, bread and bananas give Fisher's index 110.39.

    With a cost of one a task, value per task is a price and tasks are quantities.
    """
    before, after = [(39, 1), (40, 12), (45, 2), (30, 2)], [(40, 1.5), (44, 10), (50, 1.5), (36, 1.5)]
    rows = [
        f"{cycle},item {n},{price * quantity},{quantity},{quantity}"
        for cycle, items in (("old", before), ("new", after))
        for n, (price, quantity) in enumerate(items)
    ]
    (tmp_path / "gain.csv").write_text(
        "cycle,cluster,value_weighted_successes,cost_usd,tasks\n" + "\n".join(rows) + "\n"
    )
    found = ask("gain gain.csv", tmp_path).json
    assert round(100 * found["cycles"][1]["gain"], 2) == 110.39


def test_every_calculator_has_an_example_on_the_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "calculators.md").read_text()
    assert [name for name in calc.commands if f"$ aether-tui calc {name} " not in page] == []
