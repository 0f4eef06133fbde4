"""The gate of this project over its own reports: it passes what is quick, and stops what is not."""

import json
import shutil
from pathlib import Path

import pytest

from tests.command import Done, aether

ROOT = Path(__file__).resolve().parents[2]


def gate(folder: Path, seconds: float, **speed_s: float) -> Done:
    quick = {
        "help": 0.08,
        "budget check": 0.4,
        "budget explain": 0.4,
        "load spans": 6,
        "load spans again": 6,
        "load spans over the least": 2,
    }
    quick |= {"receive spans": 0.25, "store received spans": 0.45}
    times = quick | {name.replace("_", " "): value for name, value in speed_s.items()}
    results = [
        {"command": name, "median": value, "times": [value] * 3, "exit_codes": [0] * 3} for name, value in times.items()
    ]
    shutil.copytree(ROOT / "optimization", folder / "optimization", dirs_exist_ok=True)
    (folder / "report-ratios.json").write_text(json.dumps({"results": results}))
    (folder / "report-junit.xml").write_text(
        f'<testsuite name="pytest"><testcase name="a" time="{seconds}"/></testsuite>'
    )
    return aether("budget", "check", "report-junit.xml", "report-ratios.json", cwd=folder)


def test_what_is_quick_passes(tmp_path: Path) -> None:
    assert gate(tmp_path, 400).code == 0


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        ({"seconds": 1801}, "tests.duration"),
        ({"seconds": 400, "help": 0.16}, "speed.help"),
        ({"seconds": 400, "budget_check": 0.8}, "speed.check"),
        ({"seconds": 400, "budget_explain": 0.8}, "speed.explain"),
        ({"seconds": 400, "load_spans": 14}, "speed.load"),
        ({"seconds": 400, "load_spans_again": 14}, "speed.reload"),
        ({"seconds": 400, "load_spans_over_the_least": 4}, "speed.least"),
        ({"seconds": 400, "receive_spans": 0.5}, "speed.receive"),
        ({"seconds": 400, "store_received_spans": 0.9}, "speed.store"),
    ],
)
def test_a_planted_regression_blocks(planted: dict[str, float], named: str, tmp_path: Path) -> None:
    gate(tmp_path, **planted).refuses(1, named)


def test_what_was_not_measured_does_not_pass(tmp_path: Path) -> None:
    gate(tmp_path, 400)
    assert aether("budget", "check", "report-junit.xml", cwd=tmp_path).code == 1


def test_the_pipeline_ends_with_it() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    recipe = lines[lines.index(next(line for line in lines if line.startswith("gate:"))) + 1 :][:2]
    assert recipe[0].endswith("-m benchmarks.ratios report-ratios.json")
    assert recipe[1].endswith("aether-tui budget check report-junit.xml report-ratios.json")
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
