"""A monorepo of fifty packages: pull requests that measure a few of them, and pipelines whose jobs come in matrices."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.budgets.package import package_of, without_matrix
from tests.budgets.test_commands import by_id
from tests.command import Done, aether

pytestmark = pytest.mark.xdist_group("monorepo")  # its world is made once

PACKAGES = [f"pkg-{place:02}" for place in range(50)]
BUDGETS = """\
version: 1
currency: USD
defaults: {warn: {relative: 5%}, block: {relative: 10%}}
budgets:
  - {id: tests.package, surface: tests, metric: suite.duration, match: {package: "*"}, limit: 60s, block: {limit: 0%}, on_missing: carry}
  - {id: tests.slow, surface: tests, metric: suite.duration, match: {package: pkg-07}, limit: 90s, block: {limit: 0%}, on_missing: carry}
  - {id: ci.job, surface: ci, metric: pipeline.duration, match: {job: "*"}, limit: 20min, on_missing: carry}
  - {id: ci.test, surface: ci, metric: pipeline.queue, match: {job: test}, limit: 5min}
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Main has measured every package on six days; package 7 takes longer than it may."""
    root = tmp_path_factory.mktemp("monorepo")
    (root / "optimization").mkdir()
    (root / "optimization" / "budgets.yaml").write_text(BUDGETS)
    for day in range(6):
        reports = [report(root, name, (80 if name == "pkg-07" else 20) + day / 10) for name in PACKAGES]
        done = aether(
            "--as-of", f"2026-11-{day + 10}T12:00:00Z", "budget", "baseline", "--update", "--fingerprint", "ci",
            "--commit", f"{day:040x}", *reports, jobs(root, day), cwd=root,
        )  # fmt: skip
        assert done.code == 0, done.err
    return root


def report(root: Path, package: str, seconds: float) -> Path:
    path = root / "packages" / package / "test-results" / "junit.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<testsuite name="pytest" tests="1"><testcase name="{package} works" time="{seconds}"/></testsuite>'
    )
    return path


def jobs(root: Path, day: int = 0, slower: float = 0) -> Path:
    """One run: `test` in a matrix of three that starts together and ends after 5, 7 and 9 minutes, and `lint`."""
    start = datetime(2026, 11, 10 + day, 12, tzinfo=UTC)

    def job(place: int, name: str, minutes: float, conclusion: str = "success") -> dict[str, object]:
        times = {
            "created_at": start,
            "started_at": start + timedelta(minutes=1),
            "completed_at": start + timedelta(minutes=minutes),
        }
        return {
            "id": 100 * day + place, "run_id": day, "run_attempt": 1, "name": name, "status": "completed",
            "conclusion": conclusion, "workflow_name": "CI", "head_branch": "main", "head_sha": "a" * 40,
            **{key: value.strftime("%Y-%m-%dT%H:%M:%SZ") for key, value in times.items()},
        }  # fmt: skip

    matrix = [job(place, f"test (3.1{place}, linux)", 5 + 2 * place + slower) for place in range(3)]
    skipped = job(8, "test (3.9, linux)", 1, "skipped")
    path = root / f"jobs-{day}.json"
    path.write_text(json.dumps({"total_count": 5, "jobs": [*matrix, skipped, job(9, "lint", 2)]}))
    return path


def check(root: Path, *more: str | Path) -> Done:
    return aether("--as-of", "2026-11-18T12:00:00Z", "budget", "check", "--fingerprint", "ci", *more, cwd=root)


def test_a_path_filtered_change_is_judged_by_what_it_measured(repo: Path) -> None:
    touched = [report(repo, name, 20) for name in PACKAGES[1:4]]
    done = check(repo, *touched, "--format", "json")
    assert done.code == 0, done.err
    rows = [one for one in done.json["budgets"] if one["id"] == "tests.package"]
    assert len(rows) == 50, "every package has a row"
    judged = {one["series"]: one["verdict"] for one in rows if one["verdict"] != "no-data"}
    assert judged == dict.fromkeys(PACKAGES[1:4], "pass")
    old = {one["series"]: one for one in rows if one["verdict"] == "no-data"}
    assert old["pkg-07"]["carried"] == "block", "shown, and not held against the change"
    assert old["pkg-08"]["carried"] == "pass"
    assert old["pkg-08"]["age_s"] == 3 * 86_400
    assert old["pkg-08"]["now"] is None
    assert "not measured by this run; last pass, 3" in old["pkg-08"]["why"]
    assert by_id(done, "tests.slow")["carried"] == "pass"
    assert by_id(done, "ci.job")["carried"] == "pass"
    assert done.json["verdict"] == "pass"
    markdown = check(repo, *touched, "--format", "md").out
    assert "<details>" in markdown
    assert "pkg\\-07" not in markdown.partition("<details>")[0]
    annotations = check(repo, *touched, "--format", "github").out.splitlines()
    assert not [line for line in annotations if not line.startswith("::notice")]


def test_a_regression_in_one_package_blocks_by_its_name(repo: Path) -> None:
    done = check(repo, report(repo, "pkg-02", 61), report(repo, "pkg-03", 20))
    done.refuses(1, "tests.package · pkg-02", "61 s of 60 s", "slowest pkg-02 works")
    assert check(repo, report(repo, "pkg-02", 20)).code == 0


def test_shards_and_matrix_legs_of_a_package_are_one_run(repo: Path) -> None:
    folder = repo / "artifacts"
    paths = []
    for leg in ("junit-pkg-05 (3.11)", "junit-pkg-05 (3.12)"):
        path = folder / leg / "report.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('<testsuite name="pytest"><testcase name="a" time="35"/></testsuite>')
        paths.append(path)
    measured = aether("measure", "tests", *paths, cwd=repo).json
    assert {one["package"] for one in measured["by_suite"]} == {"junit-pkg-05"}
    check(repo, *paths).refuses(1, "tests.package", "70 s of 60 s")


def test_jobs_of_a_matrix_are_one_job(repo: Path) -> None:
    measured = aether("measure", "ci", jobs(repo, 6), cwd=repo).json
    found = {one["job"]: (one["runs"], one["samples_s"], one["queue_s"]) for one in measured["by_job"]}
    assert found == {"lint": (1, [120.0], [60.0]), "test": (1, [540.0], [60.0])}, "the last of the matrix ends it"
    done = check(repo, jobs(repo, 6), "--format", "json")
    assert done.code == 0, done.err
    rows = {one["series"]: one for one in done.json["budgets"] if one["id"] == "ci.job"}
    assert (rows["test"]["now"], rows["test"]["n_base"]) == (540.0, 6)
    assert by_id(done, "ci.test")["now"] == 60.0
    slow = check(repo, jobs(repo, 6, slower=20), "--format", "json")
    assert {one["series"]: one["verdict"] for one in slow.json["budgets"] if one["id"] == "ci.job"}["test"] != "pass"


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("packages/api/reports/junit.xml", "api"),
        ("services/billing/target/surefire-reports/TEST-com.acme.A.xml", "billing"),
        ("artifacts/web (20.x, linux)/junit.xml", "web"),
        ("reports/pkg-07.xml", "pkg-07"),
        ("reports/unit-3.xml", ""),
        ("junit.xml", ""),
        ("test-results/results-1.xml", ""),
    ],
)
def test_the_package_of_a_report(path: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert package_of(Path(path)) == package
    assert package_of(tmp_path / path) == package
    assert package_of(tmp_path.parent / "elsewhere" / path) == "", "what lies outside is not of this repository"


def test_the_package_does_not_depend_on_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "repo" / "packages" / "api" / "junit.xml"
    report.parent.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    for place in (tmp_path, tmp_path / "repo", report.parent):
        monkeypatch.chdir(place)
        assert package_of(report) == "api"


@pytest.mark.parametrize("name", ["test (3.11, linux)", "test: [3.11, linux]", "test 1/3", "test"])
def test_the_job_of_a_matrix(name: str) -> None:
    assert without_matrix(name) == "test"


def test_packages_by_the_names_of_suites(repo: Path) -> None:
    path = repo / "reports" / "all.xml"
    path.parent.mkdir(exist_ok=True)
    suites = "".join(
        f'<testsuite name="github.com/acme/{name}" time="9"><testcase name="a" time="{place}"/></testsuite>'
        for place, name in enumerate(PACKAGES)
    )
    path.write_text(f"<testsuites>{suites}</testsuites>")
    measured = aether("measure", "tests", path, cwd=repo).json
    found = {one["package"]: one["duration_s"] for one in measured["by_suite"]}
    assert found == {f"github.com/acme/{name}": float(place) for place, name in enumerate(PACKAGES)}
    assert {one["suite"] for one in measured["by_suite"]} == {"tests"}
