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
