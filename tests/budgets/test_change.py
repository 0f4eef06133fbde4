"""A change against its base branch, played with real git: merge-base, waivers, justifications, stores."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec import structs

from aether_tui.budgets.baseline import read_baselines, updated
from aether_tui.budgets.file import read_budgets
from aether_tui.budgets.justify import justifications
from aether_tui.budgets.model import Sample, Series
from aether_tui.budgets.store import Archive, Folder, Store, open_store
from tests.budgets.test_baseline import git
from tests.budgets.test_commands import by_id, junit, plan
from tests.command import Done, aether

AS_OF = ("--as-of", "2026-11-21")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose main branch has eight measured commits, and a change that left it two commits ago."""
    tmp_path = tmp_path_factory.mktemp("template")
    root = tmp_path / "project"
    assert aether("init", "--budgets-only", root, cwd=tmp_path).code == 0
    git(root, "init", "-q", "-b", "main")
    for name, value in (("user.name", "t"), ("user.email", "t@example.org"), ("commit.gpgsign", "false")):
        git(root, "config", name, value)
    (root / ".gitignore").write_text("*.xml\n*.json\n!benchmarks/**\n")
    commit(root, "start")
    for place in range(8):
        kept(root, Folder(root / "benchmarks"), range(place, place + 1))
        commit(root, f"change {place}")
        if place == 5:
            git(root, "branch", "change")
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "project", symlinks=True))


def commit(root: Path, message: str) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


def measured(root: Path, seconds: float, day: int, *more: str) -> None:
    """What the base branch's pipeline does after a merge."""
    done = aether(
        "--as-of", f"2026-11-{day + 1:02}T12:00:00Z", "budget", "baseline", "--update", junit(root, seconds),
        "--fingerprint", "ci", *more, cwd=root,
    )  # fmt: skip
    assert done.code == 0, done.err


def kept(root: Path, store: Store, days: range) -> None:
    """The same for many days, in one process."""
    file = read_budgets(root / "optimization" / "budgets.yaml", "budgets.yaml", date(2026, 11, 21))
    for day in days:
        one = Series("", (Sample(22 + day / 10, fingerprint="ci"),), labels={"suite": "unit"})
        now = datetime(2026, 11, day + 1, 12, tzinfo=UTC)
        added, _ = updated(file, {"tests.unit": [one]}, read_baselines(store, "USD"), commit=head(root), now=now)
        store.write({found.baseline.name: found.baseline.encoded("USD") for found in added})


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")


def check(root: Path, *more: str | Path, env: dict[str, str] | None = None, stdin: str | None = None) -> Done:
    return aether(*AS_OF, "budget", "check", "--fingerprint", "ci", *more, cwd=root, env=env, stdin=stdin)


def test_a_change_is_compared_with_its_merge_base(project: Path) -> None:
    git(project, "checkout", "-q", "change")
    merge_base = git(project, "rev-parse", "main~2")
    done = check(project, "--base", "main", junit(project, 20.5), "--format", "json")
    unit = by_id(done, "tests.unit")
    assert done.json["base"] == merge_base
    # main committed the measurement of its commit 5 with commit 6, which the change does not have.
    assert unit["n_base"] == 7, "what main measured later is not compared with"
    assert unit["base_source"].endswith(f"at {merge_base[:8]}, the merge-base")
    assert f"note: base {merge_base[:8]}, the merge-base of HEAD and main" in done.err
    on_main = by_id(check(project, junit(project, 20.5), "--format", "json"), "tests.unit")
    assert on_main["n_base"] == 6, "without a base the folder counts as it is"
    git(project, "checkout", "-q", "-B", "fresh", "main")
    unit = by_id(check(project, "--base", "main", junit(project, 20.5), "--format", "json"), "tests.unit")
    parent = git(project, "rev-parse", "main~1")[:8]
    assert unit["base_source"].endswith(f"at {parent}, 1 before the merge-base, which was not measured")


def test_without_a_measured_ancestor_only_limits_count(project: Path) -> None:
    store = Folder(project / "benchmarks")
    (known,) = read_baselines(store, "USD")
    lines = {f"{key[:20]} {'e' * 12}": structs.replace(line, commit="e" * 12) for key, line in known.lines.items()}
    store.write({known.name: replace(known, lines=lines).encoded("USD")})
    commit(project, "as after a rewritten history")
    git(project, "checkout", "-q", "-B", "other")
    store.write({known.name: known.encoded("USD")})
    commit(project, "a change that moves what it is compared with")
    unit = by_id(check(project, "--base", "main", junit(project, 60), "--format", "json"), "tests.unit")
    assert (unit["n_base"], unit["verdict"]) == (0, "pass"), unit
    assert "new: 0 of 5 measurements before, only the limit counts" in unit["why"]
    assert "none at the merge-base" in unit["base_source"]
    assert by_id(check(project, junit(project, 60), "--format", "json"), "tests.unit")["n_base"] == 8


def test_a_job_of_a_pull_request_knows_its_base(project: Path) -> None:
    git(project, "checkout", "-q", "change")
    git(project, "update-ref", "refs/remotes/origin/main", "main")
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        done = check(project, junit(project, 20.5), env={name: "main"})
        assert done.code == 0, done.err
        assert "the merge-base of HEAD and origin/main" in done.err
    shallow = check(project, junit(project, 20.5), env={"GITHUB_BASE_REF": "gone"})
    assert shallow.code == 0
    assert "no commit origin/gone here; fetch the whole history" in shallow.err
    check(project, "--base", "gone", junit(project)).refuses(2, "--base gone", "fetch-depth: 0")


WAIVER = ("--reason", "a new suite, split next week", "--owner", "@mia", "--expires", "2026-12-01")


def test_a_change_cannot_waive_itself(project: Path) -> None:
    git(project, "checkout", "-q", "-B", "change", "main")
    slow = junit(project, 150)
    assert aether(*AS_OF, "budget", "waive", "tests.unit", *WAIVER, cwd=project).code == 0
    commit(project, "waive")
    assert check(project, slow, "--fingerprint", "new").code == 0, "on the base branch it holds"
    refused = check(project, "--base", "main", slow)
    refused.refuses(1, "tests.unit", "over the limit")
    assert "waiver W-2026-001 is not on main yet" in refused.err
    unreadable = check(project, slow, env={"GITHUB_BASE_REF": "gone"})
    unreadable.refuses(1, "tests.unit")
    assert "no waiver holds" in unreadable.err
    git(project, "branch", "-f", "main", "change")
    assert check(project, "--base", "main", slow, "--fingerprint", "new").code == 0


def test_a_warning_asks_for_a_written_reason(project: Path) -> None:
    git(project, "checkout", "-q", "-B", "change", "main")
    dear = plan(project, "400", "440")
    files = {form: project / f"out.{form}" for form in ("md", "junit", "json")}
    also = [word for form, path in files.items() for word in ("--also", f"{form}={path}")]
    asked = check(project, "--base", "main", dear, "--format", "github", *also)
    assert asked.code == 0, asked.err
    for words in (asked.out, check(project, dear).out, *(path.read_text() for path in files.values())):
        assert "Budget-Justification: cost.dev REASON" in words.replace("\\", "")
    written = ("--base", "main", "--require-justification")
    check(project, *written, dear).refuses(1, "not justified: cost.dev", "Budget-Justification: cost.dev REASON")
    commit(project, "Larger database\n\nBudget-Justification: cost.dev short")
    short = check(project, *written, dear)
    assert short.code == 1
    assert "less than 10 characters" in short.err
    commit(project, "Larger database\n\nBudget-Justification: cost.dev the index no longer fits\n into memory\n")
    commit(project, "Something else\n\nBudget-Justification: cost.dve a reason for nobody")
    done = check(project, *written, dear, "--format", "json")
    assert done.code == 0, done.err
    assert by_id(done, "cost.dev")["justification"] == "the index no longer fits into memory"
    assert done.json["unjustified"] == []
    assert "no budget 'cost.dve'; did you mean 'cost.dev'?" in done.err
    git(project, "checkout", "-q", "main")
    check(project, "--require-justification", dear).refuses(1, "not justified")


def test_a_reason_may_come_in_a_file_or_by_waiver(project: Path) -> None:
    dear = plan(project, "400", "440")
    message = project / "message.txt"
    message.write_text("Budget-Justification: cost.dev the index no longer fits into memory\r\n")
    assert check(project, "--require-justification", "--message", message, dear).code == 0
    assert check(project, "--require-justification", "--message", "-", dear, stdin=message.read_text()).code == 0
    message.write_text("nothing of the kind")
    assert check(project, "--require-justification", "--message", message, dear).code == 1
    assert aether(*AS_OF, "budget", "waive", "cost.dev", *WAIVER, cwd=project).code == 0
    assert check(project, "--require-justification", "--message", message, dear).code == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Budget-Justification: a b c", {"a": "b c"}),
        ("x\n\nbudget-justification: ci.main because\n  of this\nSigned-off-by: a", {"ci.main": "because of this"}),
        ("Budget-Justification: a one\nBudget-Justification: a two", {"a": "two"}),
        ("Budget-Justification: a", {}),
        ("see Budget-Justification: a b", {}),
    ],
)
def test_trailers(text: str, found: dict[str, str]) -> None:
    assert justifications(text) == found


def test_baselines_on_a_branch_of_their_own(project: Path) -> None:
    store = ("--store", "branch:budgets/baselines")
    before = git(project, "status", "--porcelain"), git(project, "rev-parse", "HEAD")
    kept(project, open_store(store[1], project), range(5))
    measured(project, 20, 5, *store)
    assert (git(project, "status", "--porcelain"), git(project, "rev-parse", "HEAD")) == before, "nothing checked out"
    assert git(project, "rev-list", "--count", "budgets/baselines") == "6"
    assert git(project, "show", "budgets/baselines:.gitattributes") == "*.json merge=union"
    unit = by_id(check(project, *store, junit(project, 20), "--format", "json"), "tests.unit")
    assert (unit["n_base"], unit["base_source"].partition("/tests/")[0]) == (6, "branch:budgets/baselines")


def test_a_branch_in_a_fresh_clone_is_fetched_and_pushed(project: Path, tmp_path: Path) -> None:
    store = ("--store", "branch:baselines")
    measured(project, 20, 0, *store)
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", str(project), str(clone)], check=True, env=os.environ | {"HOME": str(tmp_path)}
    )
    measured(clone, 21, 1, *store)
    git(clone, "push", "-q", "origin", "baselines")
    assert git(project, "rev-list", "--count", "baselines") == "2"
    measured(project, 22, 2, *store)
    git(clone, "fetch", "-q", "origin")
    assert by_id(check(clone, *store, junit(clone, 20), "--format", "json"), "tests.unit")["n_base"] == 3
    measured(clone, 23, 3, *store)
    measured(project, 24, 4, *store)
    git(clone, "fetch", "-q", "origin")
    check(clone, *store, junit(clone)).refuses(2, "branch:baselines", "went different ways", "git branch -f baselines")
    check(clone, "--store", "branch:a..b", junit(clone)).refuses(2, "not a branch name")
    check(tmp_path, "--budgets", project / "optimization" / "budgets.yaml", "--store", "branch:none", junit(tmp_path))


def test_baselines_in_one_file(project: Path) -> None:
    store = ("--store", "artifact:kept/baselines.zip")
    place = project / "kept" / "baselines.zip"
    kept(project, Archive(place), range(5))
    measured(project, 20, 5, *store)
    with zipfile.ZipFile(place) as archive:
        assert [name.partition(".")[0] for name in archive.namelist()] == ["tests/suite"]
    before = place.read_bytes()
    measured(project, 99, 5, *store)
    assert place.read_bytes() == before, "the same run is kept once, and equal files are equal bytes"
    unit = by_id(check(project, *store, junit(project, 20), "--format", "json"), "tests.unit")
    assert (unit["n_base"], unit["base_source"].partition("/tests/")[0]) == (6, "artifact:baselines.zip")
    place.write_bytes(b"not a zip")
    check(project, *store, junit(project)).refuses(2, "artifact:baselines.zip", "not an archive of baselines")
