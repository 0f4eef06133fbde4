"""Baselines in files: appended, never overwritten, merged by git, compared with only on the same machine."""

from __future__ import annotations

import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.budgets.baseline import SAMPLES, Baseline, against_stored, read_baselines, updated
from aether_tui.budgets.file import read_budgets
from aether_tui.budgets.model import Sample, Series
from aether_tui.budgets.store import Folder
from aether_tui.budgets.verdict import judge
from tests.budgets.test_commands import by_id, junit, plan
from tests.command import Done, aether

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    return tmp_path


def keep(folder: Path, day: int, seconds: float, *more: str) -> Done:
    instant = (START + timedelta(days=day)).isoformat()
    report = junit(folder, seconds)
    done = aether(
        "--as-of", instant, "budget", "baseline", "--update", report, "--fingerprint", "ci", *more, cwd=folder
    )
    assert done.code == 0, done.err
    return done


def stored(folder: Path) -> Baseline:
    (one,) = read_baselines(Folder(folder / "benchmarks"), "USD")
    return one


def history(folder: Path, days: int) -> None:
    """Baselines as so many days of `keep` leave them, in one process."""
    file = read_budgets(folder / "optimization" / "budgets.yaml", "budgets.yaml", START.date())
    draw = random.Random(5)
    known: tuple[Baseline, ...] = ()
    for day in range(days):
        one = Series("", (Sample(12 + draw.random(), fingerprint="ci"),), labels={"suite": "unit"})
        (added,), _ = updated(file, {"tests.unit": [one]}, known, commit=f"{day:012x}", now=START + timedelta(days=day))
        known = (added.baseline,)
    place = folder / "benchmarks" / known[0].name
    place.parent.mkdir(parents=True)
    place.write_bytes(known[0].encoded("USD"))


def test_samples_are_appended_and_the_window_ends(folder: Path) -> None:
    first = keep(folder, 0, 10, "--commit", "abcdef0123456789", "--format", "json").json
    assert first[0] | {"path": ""} == {
        "path": "", "metric": "suite.duration", "match": {"suite": "unit"}, "added": 1, "n": 1, "median": 12.0,
        "mad": 0.0, "unit": "s",
    }  # fmt: skip
    place = folder / first[0]["path"]
    before = place.read_text().splitlines()
    keep(folder, 1, 11, "--commit", "fedcba9876543210")
    after = place.read_text().splitlines()
    assert [line for line in after if line not in before] == [
        '"2026-10-02T12:00:00Z fedcba987654": {"commit": "fedcba987654", "fingerprint": "ci", "mad": 0.5, "median": 12.5,'
        ' "n": 2, "value": 13.0},'
    ]
    assert [line for line in after if line in before] == before, "nothing that was there changed"
    keys = list(json.loads(place.read_text()))
    assert keys == sorted(keys)
    again = keep(folder, 1, 99, "--commit", "fedcba9876543210", "--format", "json").json
    assert (again[0]["added"], again[0]["n"]) == (0, 2), "the same run is kept once"


def test_the_window_is_bounded(folder: Path) -> None:
    history(folder, SAMPLES + 7)
    one = stored(folder)
    assert len(one.lines) == SAMPLES + 3, "of what is older, one in four days stays for the comparison with 90 days ago"
    assert sorted(one.lines)[-SAMPLES].startswith("2026-10-08")
    assert one.lines[max(one.lines)].n == SAMPLES


def test_without_update_nothing_is_written(folder: Path) -> None:
    done = aether("budget", "baseline", junit(folder), cwd=folder)
    assert done.code == 0
    assert "would add 1 sample to 1 baseline in benchmarks" in done.err
    assert not (folder / "benchmarks").exists()


def test_what_is_incomplete_is_not_kept(folder: Path) -> None:
    path = junit(folder)
    path.write_text(path.read_text()[:-30])
    done = aether("budget", "baseline", "--update", path, cwd=folder)
    assert done.code == 3
    assert "not kept: tests.unit: a report was cut short" in done.err
    assert not (folder / "benchmarks").exists()


def test_check_compares_with_the_files_and_says_which(folder: Path) -> None:
    history(folder, 20)
    check = ("budget", "check", "--fingerprint", "ci", "--format", "json")
    usual = aether(*check, junit(folder, 10.5), cwd=folder)
    unit = by_id(usual, "tests.unit")
    assert (usual.code, unit["n_base"], unit["base_source"]) == (0, 20, f"benchmarks/{stored(folder).name}")
    assert f"note: compared with benchmarks/{stored(folder).name}" in usual.err
    slow = aether(*check, junit(folder, 60), cwd=folder)
    assert (slow.code, by_id(slow, "tests.unit")["need_more"]) == (3, 1)
    explained = aether("budget", "explain", "tests.unit", junit(folder), "--fingerprint", "ci", cwd=folder)
    assert f"median of 20 in benchmarks/{stored(folder).name}" in explained.out


def test_slow_drift_shows_in_files_alone(folder: Path) -> None:
    """Every day a little worse: no day blocks, and the samples of three months ago tell."""
    draw = random.Random(5)
    file = read_budgets(folder / "optimization" / "budgets.yaml", "budgets.yaml", START.date())
    known: tuple[Baseline, ...] = ()
    for day in range(120):
        value = 40 * (1 + day / 400) * draw.gauss(1, 0.02)
        one = Series("", (Sample(value, fingerprint="ci"),), labels={"suite": "unit"})
        (added,), _ = updated(file, {"tests.unit": [one]}, known, commit=f"{day:012x}", now=START + timedelta(days=day))
        known = (added.baseline,)
    assert len(known[0].lines) <= SAMPLES + 27
    now = Series("", tuple(Sample(51 + place / 10, fingerprint="ci") for place in range(5)), labels={"suite": "unit"})
    (against,) = against_stored(file, {"tests.unit": [now]}, known, "benchmarks")["tests.unit"]
    (result,) = [one for one in judge(file, {"tests.unit": [against]}, START.date()) if one.id == "tests.unit"]
    assert "worse than 90 days ago: a slow drift" in result.why
    assert result.drift == pytest.approx(51.2 / (40 * (1 + 30 / 400)) - 1, abs=0.05)


def test_another_machine_is_inconclusive(folder: Path) -> None:
    history(folder, 20)
    done = aether("budget", "check", junit(folder), "--fingerprint", "laptop", cwd=folder)
    done.refuses(3, "the baseline ran on ci, this on laptop: not compared")


def test_an_estimate_without_a_past_is_compared_with_the_last_one(folder: Path) -> None:
    assert aether("budget", "baseline", "--update", plan(folder, "390", "400"), cwd=folder).code == 0
    path = plan(folder, "0", "460")
    document = json.loads(path.read_text())
    document["projects"][0]["pastBreakdown"] = None
    path.write_text(json.dumps(document))
    done = aether("budget", "check", path, "--format", "json", cwd=folder)
    dev = by_id(done, "cost.dev")
    assert (dev["verdict"], dev["baseline"], dev["shift"]) == ("warn", 400.0, pytest.approx(0.15))
    assert dev["base_source"].startswith("benchmarks/cost/infra.monthly.")


def test_runs_are_kept_once_however_often_they_are_listed(folder: Path) -> None:
    run = {"databaseId": 1, "attempt": 1, "conclusion": "success", "status": "completed", "event": "push",
           "headBranch": "main", "headSha": "abc", "workflowName": "CI"}  # fmt: skip

    def runs(*days: int) -> Path:
        listed = [
            {**run, "databaseId": day, "createdAt": f"2026-11-{day:02}T10:00:00Z",
             "startedAt": f"2026-11-{day:02}T10:00:00Z", "updatedAt": f"2026-11-{day:02}T10:0{day % 5}:30Z"}
            for day in days
        ]  # fmt: skip
        path = folder / "runs.json"
        path.write_text(json.dumps(listed))
        return path

    for listed in (range(1, 9), range(4, 13)):
        assert aether("budget", "baseline", "--update", runs(*listed), cwd=folder).code == 0
    assert [key[:10] for key in stored(folder).lines] == [f"2026-11-{day:02}" for day in range(1, 13)]
    assert stored(folder).match == {"branch": "main", "event": "push", "workflow": "CI"}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout.strip()


@pytest.mark.parametrize("days", [1, 29, 40])
def test_two_branches_merge_in_git(folder: Path, days: int) -> None:
    history(folder, days)
    (folder / "benchmarks" / ".gitattributes").write_text("*.json merge=union\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "start")
    for branch, day in (("left", 50), ("right", 51)):
        git(folder, "checkout", "-q", "-b", branch, "main")
        keep(folder, day, 10 + day / 100)
        keep(folder, day + 2, 11 + day / 100)
        git(folder, "add", "benchmarks")
        git(folder, "commit", "-qm", branch)
    git(folder, "merge", "-q", "left", "-m", "merge")
    text = (folder / "benchmarks" / stored(folder).name).read_text()
    assert "<<<<" not in text
    merged = stored(folder)
    assert [key[:10] for key in merged.lines][-4:] == ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert [line.value for line in merged.lines.values()][-4:] == [12.5, 12.51, 13.5, 13.51]
    keep(folder, 60, 10)
    assert len(stored(folder).lines) == {1: 6, 29: SAMPLES + 2, 40: SAMPLES + 5}[days], (
        "the next update puts the window right"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<<<<<<< HEAD\n", "not a baseline"),
        ('{"metric": "suite.duration", "match": {}}', "it has no 'unit'"),
        ('{"metric": "a", "match": {}, "unit": "s"}', "no metric 'a'"),
        ('{"metric": "task.cost", "match": {}, "unit": "EUR/task"}', "the budgets are in USD/task"),
        (
            '{"metric": "task.cost", "match": {}, "unit": "USD/task", "today": {"median": 1, "n": 1, "value": 1}}',
            "today",
        ),
        (
            '{"metric": "task.cost", "match": {}, "unit": "USD/task", "2026-11-01T00:00:00Z": {"value": NaN}}',
            "baseline",
        ),
    ],
)
def test_a_spoiled_file_is_refused_by_name(folder: Path, text: str, words: str) -> None:
    place = folder / "benchmarks" / "tests" / "a.json"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    aether("budget", "check", junit(folder), cwd=folder).refuses(2, "benchmarks/tests/a.json", words)
