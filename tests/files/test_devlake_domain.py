"""Tables of DevLake's domain layer by the command line: odd files, what completes what, and the numbers that come of them."""

from __future__ import annotations

import gzip
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from aether_tui.cache import Cache
from connectors import devlake_domain
from tests.command import Done, aether

TABLES = {
    # Extra columns of DevLake's own, a BOM, semicolons; the name of a repository and its address.
    "lake.repos.csv": '\ufeffid;name;url;created_at;_raw_data_remark\nrepo:1;acme/shop;https://git.example/acme/shop.git;NULL;""\n',
    "pull_requests.csv": "id,base_repo_id,pull_request_key,status,created_date,merged_date,closed_date,merge_commit_sha,"
    "author_id,head_ref\n"
    'p1,repo:1,11,MERGED,"2026-11-01 10:00:00+02:00",2026-11-02T08:00:00Z,,m1,ann,ann/shop-7-cart\n'
    "p2,repo:1,12,MERGED,2026-11-01 8:00:00,2026-11-03 08:00:00.123 +0000,NULL,m2,bob,\n"
    "p3,repo:1,13,MERGED,2026-11-04,2026-11-05 00:00:00,,m3,ann,\n"
    "p4,repo:1,14,OPEN,2026-11-06 00:00:00,0000-00-00 00:00:00,\\N,m4,ann,\n"
    "p5,repo:1,15,MERGED,yesterday,2026-11-05 00:00:00,,m5,ann,\n"
    "p6,repo:1,11,MERGED,2026-11-04,2026-11-05 00:00:00,,m6,ann,\n"
    "nobody,repo:1,,MERGED,2026-11-04,2026-11-05 00:00:00,,m7,ann,\n",
    # Authored dates are in another table; p2 has no commit of its own.
    "pull_request_commits.csv": "pull_request_id,commit_sha\np1,c2\np1,c1\n",
    "commits.csv": "sha,authored_date\nc1,2026-10-31 08:00:00\nc2,2026-11-01 07:00:00\n",
    "pull_request_comments.csv": "id,pull_request_id,account_id,created_date\n1,p1,ann,2026-11-01 08:30:00\n2,p1,bob,2026-11-01 20:00:00\n",
    # d0 before; d1 carried m2 though it is not the first after its merge by date of start; d2 in another environment.
    "cicd_deployment_commits.csv": "id,cicd_deployment_id,cicd_scope_id,result,status,environment,started_date,finished_date,duration_sec,"
    "commit_sha,repo_id,repo_url,created_date\n"
    "d0,run0,s,SUCCESS,DONE,PRODUCTION,2026-10-30 00:00:00,,600,s0,repo:1,https://git.example/acme/shop,2026-10-30 00:00:00\n"
    "d1,run1,s,SUCCESS,DONE,PRODUCTION,2026-11-04 00:00:00,2026-11-04 01:00:00,3600,s1,repo:1,https://git.example/acme/shop,\n"
    "d2,run2,s,SUCCESS,DONE,PRODUCTION,2026-11-08 00:00:00,2026-11-08 01:00:00,,s2,,https://git.example/acme/shop,\n"
    "d3,run3,s,FAILURE,DONE,PRODUCTION,2026-11-09 00:00:00,2026-11-09 01:00:00,,s3,repo:1,,\n"
    "d4,run4,s,,IN_PROGRESS,STAGING,2026-11-09 00:00:00,,,s4,repo:1,,\n"
    "d5,run5,s,SUCCESS,DONE,STAGING,,2026-11-10 01:00:00,,s5,repo:1,,\n",
    "commits_diffs.csv": "old_commit_sha,new_commit_sha,commit_sha\ns0,s1,m2\ns1,s2,m1\ns0,s3,m3\n",
    "incidents.csv": "id,incident_key,title,status,original_status,created_date,resolution_date,updated_date,severity,table,scope_id\n"
    "i1,INC-1,Cart empty,DONE,Fixed,2026-11-05 00:00:00,2026-11-05 02:00:00,2026-11-05 02:00:00,high,repos,repo:1\n"
    "i2,INC-2,Slow,TODO,Open,2026-11-10 00:00:00,,2026-11-10 00:00:00,,repos,repo:1\n",
    "project_incident_deployment_relationships.csv": "id,project_name,deployment_id\ni2,shop,run1\n",
    "issues.csv": "id,issue_key,title,type,original_type,status,original_status,created_date,updated_date,resolution_date,assignee_id\n"
    "i1,INC-1,Cart empty,INCIDENT,Bug,DONE,Fixed,2026-11-05 00:00:00,2026-11-05 02:00:00,2026-11-05 02:00:00,ann\n"
    "j1,SHOP-7,Cart,REQUIREMENT,Story,DONE,Done,2026-11-01 00:00:00,2026-11-05 00:00:00,2026-11-05 00:00:00,ann\n",
    "issue_changelogs.csv": "id,issue_id,field_name,original_from_value,original_to_value,from_value,to_value,created_date,author_id\n"
    "h1,j1,status,Todo,Doing,TODO,IN_PROGRESS,2026-11-02 00:00:00,ann\nh2,j1,status,Doing,Done,IN_PROGRESS,DONE,2026-11-05 00:00:00,ann\n"
    "h3,j1,assignee,,ann,,ann,2026-11-02 00:00:00,ann\n",
    "boards.csv": "id,name,type\nb1,Shop,scrum\nb2,All,kanban\n",
    "board_issues.csv": "board_id,issue_id\nb1,j1\nb2,j1\n",
    "cicd_pipelines.csv": "id,name,result,status,type,duration_sec,environment,created_date,finished_date,cicd_scope_id\n"
    "r1,ci,SUCCESS,DONE,,60,,2026-11-04 00:00:00,2026-11-04 00:02:00,s\nr2,ci,,IN_PROGRESS,,0,,2026-11-04 00:00:00,,s\n",
    "cicd_pipeline_commits.csv": "pipeline_id,commit_sha,branch,repo_id\nr1,s1,main,repo:1\n",
    "cicd_tasks.csv": "id,name,pipeline_id,result,status,type,duration_sec,started_date,finished_date,cicd_scope_id\n"
    "t1,build,r1,FAILURE,DONE,,30,2026-11-04 00:00:00,2026-11-04 00:00:30,s\n",
    "sprints.csv": "id,name,status,started_date,ended_date,completed_date,original_board_id\n"
    "sp1,S1,CLOSED,2026-11-01 00:00:00,2026-11-08 00:00:00,2026-11-08 00:00:00,b1\n",
    "sprint_issues.csv": "sprint_id,issue_id\nsp1,j1\n",
    "issue_relationships.csv": "source_issue_id,target_issue_id,original_type\nj1,i1,Blocks\n",
    "cicd_releases.csv": "id,commit_sha,tag_name\n1,s1,v1\n",
    "worklogs.csv": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    root = tmp_path_factory.mktemp("acme")
    (root / "aether.toml").touch()
    export = root / "export"
    export.mkdir()
    for name, text in TABLES.items():
        if name == "commits.csv":
            (export / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (export / name).write_text(text, "utf-8")
    return root, aether("load", "--as", "devlake", "export", "--format", "json", cwd=root)


def utc(*parts: int) -> datetime:
    """An instant as rows carry it."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def rows(root: Path, sql: str) -> list[dict[str, Any]]:
    with Cache(root / ".aether" / "cache.duckdb").read() as lease:
        return lease.rows(sql)


def test_what_mysql_writes_before_quotes_nulls_and_ends_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "boards.csv"
    path.write_bytes(
        b'"id","name","description"\n"b1","Shop \\"EU, 1\\" in C:\\\\new",\\N\n"b2","two\\\nlines","\\x"\n'
    )
    assert [row for _, row in devlake_domain.rows(path, "boards")] == [
        {"id": "b1", "name": 'Shop "EU, 1" in C:\\new'}, {"id": "b2", "name": "two\nlines", "description": "\\x"},
    ]  # fmt: skip


def test_every_table_is_read_or_said_not_to_be_and_the_second_time_changes_nothing(loaded: tuple[Path, Done]) -> None:
    root, done = loaded
    assert done.code == 0, done.err
    first, *others = done.json["files"]
    assert first["rejected"] == 3
    assert {one["error"] for one in others if "error" in one} == set()
    for said in ("yesterday", "number 11 of acme/shop is that of p1 too", "no pull_request_key",
                 "cicd_releases.csv: not a table of DevLake that is known here", "worklogs.csv: is empty"):  # fmt: skip
        assert said in done.err
    counts = {"pull_requests": 4, "deployments": 6, "work_items": 3, "work_transitions": 5, "pipeline_runs": 2, "pipeline_jobs": 1,
              "iterations": 1, "iteration_items": 1, "work_links": 1}  # fmt: skip
    assert {table: rows(root, f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in counts} == counts
    assert first["rows"] == sum(counts.values())
    # The same packed, and under other names: only its changes would be stored, and there are none.
    with zipfile.ZipFile(root / "export.zip", "w") as packed:
        for name, text in TABLES.items():
            packed.writestr(f"lake/{name}", text)
    again = aether("load", "export.zip", "--as", "devlake", "--format", "json", cwd=root).json["files"][0]
    assert again["merged"] == {"inserted": 0, "updated": 0, "unchanged": first["rows"], "removed": 0}


def test_dates_people_and_what_other_tables_say_of_a_request(loaded: tuple[Path, Done]) -> None:
    root, _ = loaded
    found = {one["number"]: one for one in rows(root, "SELECT * FROM pull_requests")}
    first, second, third, fourth = (found[number] for number in (11, 12, 13, 14))
    assert (first["repo"], first["service"], first["item_keys"]) == ("acme/shop", "shop", ["SHOP-7"])
    assert first["created"] == utc(2026, 11, 1, 8)
    assert first["first_commit"] == utc(2026, 10, 31, 8)
    assert first["first_review"] == utc(2026, 11, 1, 20)  # what the author wrote is none
    assert second["merged"] == utc(2026, 11, 3, 8, 0, 0, 123_000)
    assert (fourth["state"], fourth["merged"], fourth["merge_sha"]) == ("open", None, None)
    assert first["labels"] == ["deployment:d2"]
    assert second["labels"] == ["deployment:d1"]
    assert third["labels"] == ["deployment:none"]  # that it was in a failed one is no delivery
    people = {one["author"] for one in found.values()} | {
        one["assignee"] for one in rows(root, "SELECT assignee FROM work_items")
    }
    assert not people & {"ann", "bob"}


def test_runs_deployments_and_items(loaded: tuple[Path, Done]) -> None:
    root, _ = loaded
    deployed = {one["id"]: one for one in rows(root, "SELECT * FROM deployments")}
    assert {one["repo"] for one in deployed.values()} == {"acme/shop"}
    assert deployed["d0"]["finished"] == utc(2026, 10, 30, 0, 10)  # by how long it took
    assert {key: (one["result"], one["environment"]) for key, one in deployed.items()} == {
        "d0": ("success", "production"), "d1": ("success", "production"), "d2": ("success", "production"),
        "d3": ("failure", "production"), "d4": ("running", "staging"), "d5": ("success", "staging"),
    }  # fmt: skip
    assert rows(root, "SELECT day FROM delivery_daily WHERE environment = 'staging'") == [{"day": utc(2026, 11, 10)}]
    run, open_run = rows(root, "SELECT * FROM pipeline_runs ORDER BY id")
    assert (run["repo"], run["branch"], run["result"], run["run_s"]) == ("acme/shop", "main", "success", 120)
    assert (open_run["repo"], open_run["result"], open_run["finished"]) == ("s", "running", None)
    (job,) = rows(root, "SELECT * FROM pipeline_jobs")
    assert (job["run_id"], job["repo"], job["result"], job["run_s"]) == ("r1", "acme/shop", "failure", 30)
    items = {one["id"]: one for one in rows(root, "SELECT * FROM flow_items")}
    assert (items["j1"]["type"], items["j1"]["team"], items["j1"]["category"]) == ("feature", "All", "done")
    assert items["j1"]["started"] == utc(2026, 11, 2)
    assert items["j1"]["completed"] == utc(2026, 11, 5)
    assert items["i1"]["type"] == "incident"


def test_the_scorecard_of_it_by_hand(loaded: tuple[Path, Done]) -> None:
    root, _ = loaded
    card = aether("report", "scorecard", "--window", "2026-11-01..2026-11-15", "--format", "json", cwd=root).json[
        "data"
    ]
    lead = {one["id"]: (one["deployed"], one["total_s"] / 3600) for one in card["changes"]}
    assert lead == {
        # 31 October 8:00 to 8 November 1:00; 1 November 8:00 to 4 November 1:00; merged, and carried by none.
        "devlake/acme/shop#11": ("2026-11-08T01:00:00Z", 185),
        "devlake/acme/shop#12": ("2026-11-04T01:00:00Z", 65),
        "devlake/acme/shop#13": (None, 24),
    }
    (shop,) = card["services"]
    assert (shop["service"], shop["deployments"], shop["failed_attempts"], shop["incidents"]) == ("shop", 2, 1, 2)
    links = {one["key"]: (one["deployment"], one["explicit"]) for one in card["links"]}
    # The first by its repository: d1 was the latest before. The second as DevLake charges it.
    assert links == {"INC-1": ("devlake/d1", False), "INC-2": ("devlake/d1", True)}


def test_half_an_export_is_completed_by_the_whole(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").touch()
    export = tmp_path / "export"
    export.mkdir()
    for name, text in TABLES.items():
        (export / name).write_text(text, "utf-8")
    aether("load", "export/pull_request_commits.csv", cwd=tmp_path).refuses(
        2, "read together with pull requests: load both"
    )
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    aether("load", "other.csv", "--as", "devlake", cwd=tmp_path).refuses(
        2, "not a table of DevLake that is known here", "a, b"
    )
    # By its repository's id a request would be stored beside the one by the name.
    aether("load", "export/pull_requests.csv", cwd=tmp_path).refuses(2, "no row of it could be read (7 rejected)")
    assert rows(tmp_path, "SELECT DISTINCT reason FROM rejects") == [
        {"reason": "nothing names the repository repo:1: load repos.csv with it"}
    ]
    done = aether("load", "export", cwd=tmp_path)
    assert done.code == 0, done.err
    (after,) = rows(tmp_path, "SELECT repo, first_commit FROM pull_requests WHERE number = 11")
    assert after == {"repo": "acme/shop", "first_commit": utc(2026, 10, 31, 8)}
    # Half of it again: what was better known stays.
    assert aether("load", "export/pull_requests.csv", "export/lake.repos.csv", cwd=tmp_path).code == 0
    assert rows(tmp_path, "SELECT repo, first_commit FROM pull_requests WHERE number = 11") == [after]
    # Alone, requests name their repository by their address.
    (tmp_path / "requests.csv").write_text(
        "id,base_repo_id,pull_request_key,status,created_date,merged_date,url\n"
        "p1,repo:1,11,MERGED,2026-11-01 08:00:00,2026-11-02 08:00:00,https://git.example/acme/shop/-/merge_requests/11\n"
        "q1,repo:2,3,MERGED,2026-11-01 08:00:00,2026-11-02 08:00:00,https://git.example/acme/site/pull/3/files\n"
    )
    assert aether("load", "requests.csv", "--as", "devlake", cwd=tmp_path).code == 0
    found = rows(tmp_path, "SELECT repo, number FROM pull_requests WHERE number IN (11, 3) ORDER BY number")
    assert found == [{"repo": "acme/site", "number": 3}, {"repo": "acme/shop", "number": 11}]
