"""The templates of docs/ci, their shell steps run as a runner runs them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from tests.budgets.test_commands import junit
from tests.command import aether, launcher

TEMPLATES = Path(__file__).parents[2] / "docs" / "ci"


@dataclass(frozen=True)
class Project:
    root: Path
    env: dict[str, str]

    def run(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.root, env=self.env | env, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with budgets and a report, and the command on the path."""
    root, tools = tmp_path / "project", tmp_path / "bin"
    (root / "reports").mkdir(parents=True)
    tools.mkdir()
    assert aether("init", "--budgets-only", cwd=root).code == 0
    command = tools / "aether-tui"
    command.write_text(f'#!/bin/sh\nexec "{launcher()}" -m aether_tui "$@"\n')
    command.chmod(0o755)
    ours = Path(__file__).parents[2]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AETHER_", "GITHUB_", "CI_"))}
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return Project(root, clean | {"PATH": path, "PYTHONPATH": str(ours), "AETHER_FINGERPRINT": "ci"})


def template(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((TEMPLATES / name).read_text())


def step(name: str) -> str:
    (found,) = [one for one in template("action.yml")["runs"]["steps"] if one["name"] == name]
    return str(found["run"])


def action_env(project: Project, **given: str) -> dict[str, str]:
    """The inputs as the action hands them to its steps, defaults where nothing is given."""
    inputs = {name: str(one.get("default", "")) for name, one in template("action.yml")["inputs"].items()}
    inputs |= {"reports": "reports/*.xml"} | given
    return {name.upper().replace("-", "_"): value for name, value in inputs.items()} | {
        "GITHUB_STEP_SUMMARY": str(project.root / "summary.md")
    }


def test_every_input_reaches_a_step_through_its_environment() -> None:
    document = template("action.yml")
    handed = {}
    for one in (one for one in document["runs"]["steps"] if one["name"] != "Comment"):
        assert "${{" not in one["run"], "an expression in a script is an injection"
        assert one["shell"] == "bash"
        handed |= {name.lower().replace("_", "-"): value for name, value in one["env"].items()}
    for name in set(document["inputs"]) - {"update"}:
        assert handed[name] == "${{ inputs." + name + " }}"


def test_the_action_passes_blocks_and_summarises(project: Project) -> None:
    env = action_env(project)
    junit(project.root / "reports", 10)
    passed = project.run(step("Check"), **env)
    assert passed.returncode == 0, passed.stderr
    junit(project.root / "reports", 150)
    blocked = project.run(step("Check"), **env)
    assert blocked.returncode == 1
    assert blocked.stdout.startswith("::error title=tests.unit::")
    summary = (project.root / "summary.md").read_text()
    assert "### Budgets: ✓ pass" in summary
    assert "### Budgets: ■ block" in summary
    assert project.run(step("Check"), **action_env(project, advisory="true")).returncode == 0
    assert project.run(step("Check"), **action_env(project, reports="none/*.xml")).returncode == 2


def test_the_action_updates_what_it_compares_with(project: Project) -> None:
    env = action_env(project)
    for place in range(6):
        junit(project.root / "reports", 10 + place / 10)
        done = project.run(step("Update"), **env, GITHUB_SHA=f"{place:012x}".ljust(40, "0"))
        assert done.returncode == 0, done.stderr
    (stored,) = (project.root / "benchmarks" / "tests").glob("*.json")
    assert stored.read_text().count('"value"') == 6
    junit(project.root / "reports", 60)
    slow = project.run(step("Check"), **env)
    assert slow.returncode == 3, "a breach of the baseline asks for another run"
    assert slow.stdout.startswith("::warning title=tests.unit::")


GH = """#!/bin/sh
echo "$@" >> "$GH_LOG"
case "$*" in *--jq*) cat "$GH_LOG.id" 2>/dev/null || true ;; *) [ -z "$GH_DENIED" ] && cp budgets.md "$GH_LOG.body" ;; esac
"""


def test_one_comment_that_is_replaced(project: Project, tmp_path: Path) -> None:
    gh = tmp_path / "bin" / "gh"
    gh.write_text(GH)
    gh.chmod(0o755)
    log = tmp_path / "gh.log"
    env = action_env(project, comment="failing") | {"GH_LOG": str(log), "PLACE": "repos/a/b/issues", "NUMBER": "7"}
    junit(project.root / "reports", 10)
    assert project.run(step("Check"), **env).returncode == 0
    assert project.run(step("Comment"), **env).returncode == 0
    assert not (tmp_path / "gh.log.body").exists(), "green says nothing"
    junit(project.root / "reports", 150)
    assert project.run(step("Check"), **env).returncode == 1
    assert project.run(step("Comment"), **env).returncode == 0
    assert log.read_text().splitlines()[-1] == "api repos/a/b/issues/7/comments -F body=@budgets.md --silent"
    body = (tmp_path / "gh.log.body").read_text()
    assert body.startswith("<!-- aether-tui budget check -->\n### Budgets: ■ block")
    (tmp_path / "gh.log.id").write_text("42\n")
    junit(project.root / "reports", 10)
    assert project.run(step("Check"), **env).returncode == 0
    assert project.run(step("Comment"), **env).returncode == 0
    assert log.read_text().splitlines()[-1].startswith("api --method PATCH repos/a/b/issues/comments/42")
    assert "nothing to say any more" in (tmp_path / "gh.log.body").read_text()
    denied = project.run(step("Comment"), **env | {"GH_DENIED": "1"})
    assert (denied.returncode, denied.stdout[:8]) == (0, "::notice"), "a fork may not comment"


def test_a_branch_of_baselines_is_fetched_and_pushed(project: Project, tmp_path: Path) -> None:
    origin = tmp_path / "origin.git"
    for command in (f"git init -q --bare {origin}", "git init -q -b main", f"git remote add origin {origin}",
                    "git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m start"):  # fmt: skip
        assert project.run(command).returncode == 0
    env = action_env(project, store="branch:budgets")
    junit(project.root / "reports", 10)
    assert project.run(step("Check"), **env).returncode == 0
    done = project.run(step("Update"), **env, GITHUB_SHA="a" * 40)
    assert done.returncode == 0, done.stderr
    counted = project.run(f"git --git-dir {origin} rev-list --count budgets")
    assert counted.stdout.strip() == "1"
    assert not (project.root / "benchmarks").exists()


def test_the_gitlab_job(project: Project) -> None:
    document = template("gitlab.yml")
    job = document["budgets"]
    variables = {name: str(value) for name, value in (document["variables"] | job["variables"]).items()}
    script = "\n".join([*job["before_script"], *job["script"]])
    variables |= {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHA": "a" * 40}
    junit(project.root / "reports", 10)
    passed = project.run(script, **variables)
    assert passed.returncode == 0, passed.stderr
    assert len(list((project.root / "benchmarks").rglob("*.json"))) == 1
    for produced in ("budgets.md", job["artifacts"]["reports"]["junit"]):
        assert (project.root / produced).is_file()
    junit(project.root / "reports", 150)
    blocked = project.run(script, **variables | {"CI_COMMIT_BRANCH": "change"})
    assert blocked.returncode == 1
    suite = ElementTree.parse(project.root / "budgets.xml").getroot()
    assert suite.attrib["failures"] == "1"
    assert "■ block" in (project.root / "budgets.md").read_text()
    (stored,) = (project.root / "benchmarks").rglob("*.json")
    assert stored.read_text().count('"value"') == 1, "a change does not move the baseline"
