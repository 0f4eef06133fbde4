"""Raw DevLake tables: every sample row against the oracle, alone and together."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from aether_tui.records import Value
from connectors.base import Malformed
from connectors.devlake import DevLakeFiles
from connectors.files import sample
from connectors.jira_fields import find_fields
from connectors.jira_rows import JiraSite, jira_history, jira_issue_rows
from tests.files.reading import read

KIND = DevLakeFiles()


@pytest.fixture(scope="session")
def facts(contracts: Path) -> dict[str, Any]:
    return dict(json.loads((contracts / "facts.json").read_text()))


def table(contracts: Path, *names: str) -> dict[str, list[dict[str, Value]]]:
    rows, rejects, _ = read(KIND, *(contracts / f"{name}.csv.gz" for name in names))
    assert not rejects
    return rows


def numbers(rows: list[dict[str, Value]], column: str) -> list[float]:
    return [value for row in rows if isinstance(value := row[column], float)]


def answers(path: Path) -> list[dict[str, Any]]:
    csv.field_size_limit(1 << 24)
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        return [json.loads(row["data"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("jira/issues", "work_items"), ("jira/data_center_issues", "work_items"), ("jira/external_epics", "work_items"),
        ("github/runs", "pipeline_runs"), ("github/jobs", "pipeline_jobs"), ("github/pull_requests", "pull_requests"),
        ("github/graphql_deployments", "deployments"), ("gitlab/pipelines", "pipeline_runs"),
        ("gitlab/pipeline_details", "pipeline_runs"), ("gitlab/jobs", "pipeline_jobs"),
        ("gitlab/merge_requests", "pull_requests"), ("gitlab/deployments", "deployments"),
    ],
)  # fmt: skip
def test_every_row_of_a_table_becomes_a_record(name: str, record: str, contracts: Path, facts: dict[str, Any]) -> None:
    assert KIND.recognises(sample(contracts / f"{name}.csv.gz"))
    assert len(table(contracts, name)[record]) == facts[name]["rows"]


def test_jira_issues_with_their_history_and_the_table_of_statuses(contracts: Path, facts: dict[str, Any]) -> None:
    fact = facts["jira/issues"]
    rows = table(contracts, "jira/issues", "jira/status", "jira/issue_fields", "jira/issue_changelogs")
    items, transitions = rows["work_items"], rows["work_transitions"]
    assert [item["key"] for item in items] == fact["keys"]
    assert Counter(item["source_type"] for item in items) == fact["type"]
    assert sum(item["completed"] is not None for item in items) == fact["resolved"]
    # Each issue is created into a state, and every inline change of state is one more; one comes from the own table.
    assert len(transitions) == len(items) + fact["inline_status_items"] + 1
    # The issues say 6 new and 10 done; the table of statuses, which wins, knows better about 10068.
    alone = table(contracts, "jira/issues")["work_items"]
    assert Counter(item["state_type"] for item in alone) == fact["status_category"]
    assert Counter(item["state_type"] for item in items) == {"done": 14, "new": 2}
    assert {row["to_type"] for row in transitions} >= {"new", "indeterminate", "done"}


@pytest.mark.parametrize(
    "dialect", [{"delimiter": ";"}, {"doublequote": False, "escapechar": "\\", "quoting": csv.QUOTE_ALL}]
)
def test_whoever_wrote_them_the_rows_are_the_same(dialect: dict[str, Any], contracts: Path, tmp_path: Path) -> None:
    """MySQL, in which DevLake keeps them, writes backslashes before quotes."""
    names = ("jira/issues", "jira/status", "jira/issue_fields", "jira/issue_changelogs")
    for name in names:
        with (
            gzip.open(contracts / f"{name}.csv.gz", "rt", encoding="utf-8-sig", newline="") as stream,
            gzip.open(tmp_path / f"{Path(name).name}.csv.gz", "wt", newline="") as out,
        ):
            csv.writer(out, **dialect).writerows(csv.reader(stream))
    assert table(tmp_path, *(Path(name).name for name in names)) == table(contracts, *names)


def test_of_what_completes_others_only_what_is_read_stays(contracts: Path) -> None:
    """A million histories as they came took 6 GB."""
    site = JiraSite({}, find_fields([], "", {}))
    came = answers(contracts / "jira" / "issue_changelogs.csv.gz")
    kept = [history for one in came if (history := jira_history(one, site))]
    assert 0 < len(json.dumps(kept)) < len(json.dumps(came)) / 20
    issue = {"id": "1", "fields": {"created": "2020-01-01T00:00:00Z"}}
    assert jira_issue_rows(issue, site, kept) == jira_issue_rows(issue, site, came)


def test_changes_of_other_fields_are_no_transitions(contracts: Path, facts: dict[str, Any]) -> None:
    rows = table(contracts, "jira/issue_changelogs")
    assert len(rows["work_transitions"]) == facts["jira/issue_changelogs"]["by_field"]["status"]
    assert {row["item_id"] for row in rows["work_transitions"]} == set(facts["jira/issue_changelogs"]["by_issue"])


def test_github_runs_and_jobs(contracts: Path, facts: dict[str, Any]) -> None:
    fact = facts["github/runs"]
    runs = table(contracts, "github/runs")["pipeline_runs"]
    assert Counter(run["event"] for run in runs) == fact["event"]
    assert sum(run["attempt"] != 1 for run in runs) == fact["reruns_attempt_gt1"]
    results = Counter(run["result"] for run in runs)
    assert (results["success"], results["failure"], results["timed_out"]) == (8, 3, 1)
    seconds = numbers([run for run in runs if run["result"] in ("success", "failure")], "run_s")
    # The oracle leaves out two of 68 s whose status upstream wrote as COMPLETED and FAILURE.
    assert sum(seconds) == fact["duration_s_success_failure_updated_minus_run_started"]["sum"] + 2 * 68
    assert {run["repo"] for run in runs} == {"panjf2000/ants"}

    fact = facts["github/jobs"]
    jobs = table(contracts, "github/jobs")["pipeline_jobs"]
    assert sum(numbers(jobs, "run_s")) == fact["duration_s_sum"]
    assert max(numbers(jobs, "run_s")) == fact["duration_s_max"]
    assert sum(job["created"] is None for job in jobs) == fact["without_created_at"]
    assert len({job["run_id"] for job in jobs}) == fact["runs"]
    assert Counter(job["result"] for job in jobs)["success"] == 3  # one lower-case, two upper-case


def test_github_pull_requests_with_commits_and_reviews(contracts: Path, facts: dict[str, Any]) -> None:
    fact = facts["github/pull_requests"]
    alone = table(contracts, "github/pull_requests")["pull_requests"]
    merged = [row for row in alone if row["merged"]]
    assert len(merged) == fact["merged"]
    hours = [(row["merged"] - row["created"]).total_seconds() / 3600 for row in merged]  # type: ignore[operator, union-attr]
    assert sum(hours) == pytest.approx(fact["hours_to_merge"]["sum"], abs=1e-3)
    assert median(hours) == pytest.approx(fact["hours_to_merge"]["median"], abs=1e-3)
    assert {row["first_commit"] for row in alone} == {None}

    joined = table(contracts, "github/pull_requests", "github/pull_request_commits", "github/pull_request_reviews")[
        "pull_requests"
    ]
    assert len(joined) == len(alone)
    # 45 commits belong to 21 pull requests, all of which are among the 23.
    assert (
        sum(row["first_commit"] is not None for row in joined) == facts["github/pull_request_commits"]["pull_requests"]
    )
    earliest = min(
        commit["commit"]["author"]["date"] for commit in answers(contracts / "github/pull_request_commits.csv.gz")
    )
    assert min(str(row["first_commit"]) for row in joined if row["first_commit"]) == earliest.replace("T", " ").rstrip(
        "Z"
    )


def test_github_deployments_of_the_graphql_api(contracts: Path) -> None:
    rows = table(contracts, "github/graphql_deployments")["deployments"]
    assert {row["source_environment"] for row in rows} == {"github-pages"}
    assert {row["repo"] for row in rows} == {"facebook/OpenBIC"}
    assert {row["result"] for row in rows} <= {"success", "unknown", "failure"}
    assert rows[0]["result"] == "success"


def test_gitlab_pipelines_and_their_details(contracts: Path, facts: dict[str, Any]) -> None:
    fact = facts["gitlab/pipeline_details"]
    details = table(contracts, "gitlab/pipeline_details")["pipeline_runs"]
    assert sum(numbers(details, "run_s")) == fact["duration_s_sum"]
    assert sum(numbers(details, "queue_s")) == fact["queued_s_sum"]
    assert Counter(run["result"] for run in details) == {"failure": 2, "success": 5}

    listed = table(contracts, "gitlab/pipelines")["pipeline_runs"]
    assert {run["run_s"] for run in listed} == {None}
    # Waiting of any kind is running, never a failure.
    assert Counter(run["result"] for run in listed) == {
        "failure": 9, "running": 3, "cancelled": 1, "skipped": 1, "other": 1,
    }  # fmt: skip
    both = table(contracts, "gitlab/pipelines", "gitlab/pipeline_details")["pipeline_runs"]
    assert len({run["id"] for run in both}) == len(both) == 22


def test_gitlab_jobs_merge_requests_and_deployments(contracts: Path, facts: dict[str, Any]) -> None:
    fact = facts["gitlab/jobs"]
    jobs = table(contracts, "gitlab/jobs")["pipeline_jobs"]
    assert sum(numbers(jobs, "run_s")) == pytest.approx(fact["duration_s_sum"])
    assert sum(job["run_s"] is None for job in jobs) == fact["duration_null"]
    assert sum(numbers(jobs, "queue_s")) == fact["queued_s_sum"]
    assert Counter(job["result"] for job in jobs)["failure"] == fact["status"]["failed"]

    requests = table(contracts, "gitlab/merge_requests", "gitlab/merge_request_commits")["pull_requests"]
    assert Counter(row["state"] for row in requests) == {"merged": 3, "open": 3, "closed": 2}
    assert sum(row["merged"] is not None for row in requests) == facts["gitlab/merge_requests"]["merged_at_set"]
    assert any(row["first_commit"] for row in requests)

    deployments = table(contracts, "gitlab/deployments")["deployments"]
    assert Counter(row["result"] for row in deployments) == {"success": 1, "failure": 1, "running": 1, "unknown": 1}
    assert Counter(row["source_environment"] for row in deployments) == facts["gitlab/deployments"]["environment"]


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("github/accounts", "holds GitHub accounts, nothing that is stored"),
        ("jira/worklogs", "holds Jira worklogs, nothing that is stored"),
        ("gitlab/users", "holds GitLab users, nothing that is stored"),
        ("ci/jenkins_stages", "holds Jenkins stages, nothing that is stored"),
        ("jira/status", "which are read together with Jira issues: load both"),
        ("github/pull_request_commits", "which are read together with GitHub pull requests: load both"),
    ],
)
def test_tables_without_anything_to_store_say_so(name: str, holds: str, contracts: Path) -> None:
    path = contracts / f"{name}.csv.gz"
    assert KIND.recognises(sample(path))
    with pytest.raises(Malformed, match=holds):
        read(KIND, path)


def test_such_tables_do_not_stop_the_others(contracts: Path) -> None:
    for service in ("jira", "github", "gitlab"):
        rows, rejects, problems = read(KIND, *sorted((contracts / service).glob("*.csv.gz")))
        assert rows
        assert not rejects
        assert all("nothing that is stored" in problem or "read into" in problem for problem in problems)


def test_a_broken_answer_is_a_reject_with_its_place(contracts: Path, tmp_path: Path) -> None:
    with gzip.open(contracts / "github" / "jobs.csv.gz", "rt", encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[1]["data"] = "{"
    rows[2]["data"] = json.dumps({**json.loads(rows[2]["data"]), "started_at": "soon"})
    path = tmp_path / "jobs.csv"
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    read_now, rejects, _ = read(KIND, path)
    assert len(read_now["pipeline_jobs"]) == len(rows) - 2
    assert [(reject.table, reject.where) for reject in rejects] == [
        ("pipeline_jobs", f"{path} row 2"), ("pipeline_jobs", f"{path} row 3"),
    ]  # fmt: skip


def test_an_unknown_table_is_refused_with_its_request(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,params,data,url,input,created_at\n1,{},{},https://example.com/api/things,null,2026\n")
    with pytest.raises(Malformed, match=r"of a kind that is not known .*example\.com/api/things"):
        read(KIND, path)
    path.write_text("id,params,data,url,input,created_at\n")
    with pytest.raises(Malformed, match="without a readable row"):
        read(KIND, path)
