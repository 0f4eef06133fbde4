"""GitLab against real payloads of real projects, and against a server that pages, changes and refuses as it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aether_tui.records import TABLES
from connectors.base import Denied, Gone, Malformed, RateLimited, Transient
from connectors.gitlab import GitLab, GitLabSettings
from connectors.gitlab_rows import (
    gitlab_deployment_row,
    gitlab_merge_request_row,
    gitlab_pipeline_rows,
    gitlab_test_rows,
)
from tests.connectors.catalogue import shows
from tests.connectors.pull import Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving

Real = Callable[[str], list[dict[str, Any]]]
PROJECT = "acme/platform/app"
API = "/api/v4/projects/acme%2Fplatform%2Fapp"
START = datetime.fromisoformat("2026-11-20T10:00")


def gitlab(url: str, *, deadline_s: float = 900, root: Path = Path(), **settings: Any) -> GitLab:
    keys = {"url": url, "projects": [PROJECT], **settings}
    return GitLab(GitLabSettings(**keys), {"token": "canary-token"}, network(deadline_s=deadline_s, root=root))


def named(table: str, *rows: Any) -> list[dict[str, Any]]:
    return [dict(zip((column.name for column in TABLES[table].raw), row, strict=True)) for row in rows]


def at(minutes: float) -> str:
    return f"{(START + timedelta(minutes=minutes)).isoformat(timespec='milliseconds')}Z"


class Host:
    """A GitLab with pipelines, merge requests and deployments; every list is filtered, sorted and paged as asked."""

    def __init__(self, pipelines: int = 0, requests: int = 0, deployments: int = 0) -> None:
        self.pipelines = [
            {"id": n, "ref": "main", "sha": "a1", "status": "success", "created_at": at(n), "updated_at": at(n + 0.5)}
            for n in range(1, pipelines + 1)
        ]
        self.requests = [
            {"id": 900 + n, "iid": n, "state": "opened", "created_at": at(0), "updated_at": at(n), "author": {"id": 1}}
            for n in range(1, requests + 1)
        ]
        self.deployments = [
            {"id": n, "status": "success", "created_at": at(n), "updated_at": at(n), "environment": {"name": "prod"}}
            for n in range(1, deployments + 1)
        ]
        self.report: Reply = Reply({"total_count": 0, "test_suites": []})

    def __call__(self, request: Request) -> Reply:
        if request.path == "/api/v4/user":
            return Reply({"username": "ada"})
        match request.path.removeprefix(API).strip("/").split("/"):
            case ["pipelines"]:
                child = request.query.get("source") == "parent_pipeline"
                wanted = [one for one in self.pipelines if (one.get("source") == "parent_pipeline") == child]
                return self._list(request, wanted, ">")
            case ["merge_requests"]:
                return self._list(request, self.requests, ">=")
            case ["deployments"]:
                return self._list(request, self.deployments, ">=")
            case ["pipelines", one]:
                listed = next(item for item in self.pipelines if item["id"] == int(one))
                times = {"started_at": listed["created_at"], "finished_at": listed["updated_at"]}
                return Reply({**listed, **times, "duration": 20, "queued_duration": 4, "name": None})
            case ["pipelines", one, "jobs"]:
                assert request.query["include_retried"] == "true"
                tries = [("failed", 1), ("success", 2)]
                jobs = [
                    {"id": int(one) * 10 + n, "name": "test", "status": status, "pipeline": {"id": int(one)},
                     "created_at": at(int(one)), "started_at": at(int(one) + 0.1), "finished_at": at(int(one) + 0.5), "duration": 60.5,
                     "queued_duration": 2.5, "runner": {"description": "small"}}
                    for status, n in tries
                ]  # fmt: skip
                return self._page(request, jobs)
            case ["pipelines", _, "test_report"]:
                return self.report
            case ["merge_requests", _, "commits"]:
                return self._page(
                    request, [{"authored_date": f"2025-12-{day}T00:00:00.000+08:00"} for day in (30, 29, 31)]
                )
            case ["merge_requests", _, "notes"]:
                return self._page(request, NOTES)
        return Reply({"message": "404 Project Not Found"}, 404)

    def _list(self, request: Request, items: list[dict[str, Any]], bound: str) -> Reply:
        assert (request.query["order_by"], request.query["sort"]) == ("updated_at", "asc")
        after = request.query["updated_after"]
        found = [one for one in items if one["updated_at"] > after or (bound == ">=" and one["updated_at"] == after)]
        return self._page(request, sorted(found, key=lambda one: one["updated_at"]))

    @staticmethod
    def _page(request: Request, items: list[dict[str, Any]]) -> Reply:
        number, size = int(request.query["page"]), int(request.query["per_page"])
        more = len(items) > number * size
        page = items[(number - 1) * size : number * size]
        return Reply(page, headers={"X-Next-Page": str(number + 1) if more else ""})


def note(author: int, minute: int, body: str = "Why?", *, system: bool = False, username: str = "x") -> dict[str, Any]:
    return {
        "author": {"id": author, "username": username},
        "created_at": at(minute),
        "body": body,
        "system": system,
    }


NOTES = [
    note(1, 1),
    note(2, 2, "assigned to @ada", system=True),
    note(9, 3, username="project_7_bot_a1b2"),
    note(10, 3, username="service_account_group_345_6018816a"),
    note(11, 3, username="GitLabDuo"),
    note(3, 4, "approved this merge request", system=True),
    note(2, 5),
]


# -- real payloads


def serve_real(real: Real) -> Callable[[Request], Reply]:
    """The recorded tables as one project: details, jobs, commits and notes under their parents."""
    details = {str(one["id"]): one for one in real("gitlab/pipeline_details")}
    listed = [{**one, "updated_at": one["updated_at"] or one["created_at"]} for one in real("gitlab/pipelines")]
    listed += [one for one in details.values() if one["id"] not in {other["id"] for other in listed}]
    children: dict[str, list[dict[str, Any]]] = {}
    for name in ("commits", "notes"):
        for one in real(f"gitlab/merge_request_{name}"):
            children.setdefault(f"{json.loads(one['_input'])['Iid']}/{name}", []).append(one)
    lists = {
        "pipelines": listed,
        "merge_requests": real("gitlab/merge_requests"),
        "deployments": real("gitlab/deployments"),
    }

    def answer(request: Request) -> Reply:
        match request.path.removeprefix(API).strip("/").split("/"):
            case [name]:
                return Host._page(request, sorted(lists[name], key=lambda one: one.get("updated_at") or ""))
            case ["pipelines", one]:
                return Reply(details[one]) if one in details else Reply({"message": "404 Not found"}, 404)
            case ["pipelines", one, "jobs"]:
                return Host._page(request, [job for job in real("gitlab/jobs") if str(job["pipeline"]["id"]) == one])
            case ["pipelines", _, "test_report"]:
                return Reply({"test_suites": []})
            case ["merge_requests", iid, name]:
                return Host._page(request, children.get(f"{iid}/{name}", []))
        raise AssertionError(request.path)

    return answer


def test_real_projects_end_to_end(real: Real, facts: dict[str, Any]) -> None:
    with serving(serve_real(real)) as server:
        runs, requests, deployments = (
            pull(gitlab(server.url, days_back=9999), stream)
            for stream in ("pipelines", "merge_requests", "deployments")
        )
    assert [done.error for done in (runs, requests, deployments)] == [None, None, None]
    fact = facts["gitlab/pipeline_details"]
    ended = [row for row in runs.table("pipeline_runs") if row["run_s"] is not None]
    assert (len(ended), sum(row["run_s"] for row in ended)) == (fact["rows"], fact["duration_s_sum"])
    assert sum(row["queue_s"] for row in ended) == fact["queued_s_sum"]
    assert {row["repo"] for row in runs.table("pipeline_runs")} == {PROJECT}
    rows = requests.table("pull_requests")
    assert len(rows) == facts["gitlab/merge_requests"]["rows"]
    assert sum(row["merged"] is not None for row in rows) == facts["gitlab/merge_requests"]["merged_at_set"]
    assert any(row["first_commit"] for row in rows)
    results = [row["result"] for row in deployments.table("deployments")]
    assert sorted(results) == ["failure", "running", "success", "unknown"]


def test_real_notes_of_merging_are_no_review_but_approvals_are(real: Real) -> None:
    notes: dict[int, list[dict[str, Any]]] = {}
    for one in real("gitlab/merge_request_notes"):
        notes.setdefault(json.loads(one["_input"])["Iid"], []).append(one)
    first = next(one for one in real("gitlab/merge_requests") if one["iid"] == 1)
    other = {"iid": 37, "author": {"id": 1}, "created_at": "2019-01-01T00:00:00Z"}
    rows = named(
        "pull_requests",
        gitlab_merge_request_row(first, PROJECT, (), notes[1]),
        gitlab_merge_request_row(other, PROJECT, (), notes[37]),
    )
    # The first was commented on by its author and merged by another, who said nothing.
    assert [row["first_review"] for row in rows] == [None, datetime.fromisoformat("2019-01-29T00:40:37.158")]


def test_a_real_test_report(contracts: Path) -> None:
    report = json.loads((contracts / "gitlab" / "pipeline_test_report.json").read_text())
    rows = gitlab_test_rows(report, {"id": 7, "ref": "main", "sha": "a1", "created_at": at(0)}, PROJECT)
    runs, cases = named("test_runs", *rows["test_runs"]), named("test_cases", *rows["test_cases"])
    # The report claims 8 cases in its first suite and holds 4: cases are counted.
    assert [(run["id"], run["tests"], run["passed"], run["errors"]) for run in runs] == [
        ("7:Failing", 4, 1, 3), ("7:Succes suite", 1, 1, 0),
    ]  # fmt: skip
    assert (runs[0]["suite_time_s"], round(runs[0]["duration_s"], 3)) == (60.494, 59.751)
    assert cases[0]["message"] == "Failed test"
    assert (cases[0]["case_key"], cases[0]["started"]) == ("MyClassOne::Error testcase 1::/path/file.ext", START)
    assert len({(case["run_id"], case["case_key"], case["ordinal"]) for case in cases}) == 5


def test_a_case_that_failed_and_passed_is_flaky_once() -> None:
    def case(status: str) -> dict[str, Any]:
        return {"status": status, "name": "a", "classname": "A", "execution_time": 1}

    report = {"test_suites": [{"name": "unit", "test_cases": [case("failed"), case("success"), case("success")]}]}
    rows = gitlab_test_rows(report, {"id": 7, "created_at": at(0)}, PROJECT)
    assert [case["flaky"] for case in named("test_cases", *rows["test_cases"])] == [False, True, False]
    assert named("test_runs", *rows["test_runs"])[0]["flaky"] == 1


# -- streams


def test_ended_pipelines_are_read_with_jobs_of_all_tries_and_their_report() -> None:
    host = Host(pipelines=3)
    host.pipelines[0]["status"], host.pipelines[1]["status"] = "waiting_for_resource", "skipped"
    host.report = Reply({"test_suites": [{"name": "unit", "test_cases": [{"status": "success", "name": "a"}]}]})
    with serving(host) as server:
        done = pull(gitlab(server.url))
        paths = [request.path.removeprefix(API) for request in server.requests]
        assert {request.headers["authorization"] for request in server.requests} == {"Bearer canary-token"}
    assert sorted(paths) == ["/pipelines", "/pipelines/3", "/pipelines/3/jobs", "/pipelines/3/test_report"]
    runs = {row["id"]: row for row in done.table("pipeline_runs")}
    assert [runs[key]["result"] for key in "123"] == ["running", "skipped", "success"]
    assert (runs["3"]["queue_s"], runs["3"]["run_s"], runs["3"]["wall_s"]) == (4.0, 20.0, 30.0)
    assert (runs["1"]["queue_s"], runs["1"]["run_s"], runs["1"]["wall_s"]) == (None, None, None)
    assert [(job["id"], job["result"], job["run_s"], job["run_id"]) for job in done.table("pipeline_jobs")] == [
        ("31", "failure", 60.5, "3"), ("32", "success", 60.5, "3"),
    ]  # fmt: skip
    assert [(row["id"], row["branch"]) for row in done.table("test_runs")] == [("3:unit", "main")]


def test_wall_time_ends_when_the_pipeline_first_rests_not_when_somebody_plays_a_job_days_later() -> None:
    def job(queued: float, start: float, end: float) -> dict[str, Any]:
        times = {"started_at": at(start), "finished_at": at(end), "queued_duration": (start - queued) * 60}
        return {"id": int(start * 10), "pipeline": {"id": 1}, **times}

    pipeline = {"id": 1, "status": "success", "created_at": at(0), "finished_at": at(3000), "duration": 500}
    build, test, flaky, deploy = job(0, 1, 5), job(5.5, 9, 12), job(12.1, 12.2, 14), job(2990, 2991, 3000)
    never = {"id": 0, "pipeline": {"id": 1}, "started_at": None, "finished_at": at(2), "queued_duration": None}
    for jobs, wall_minutes in (
        ([deploy, flaky, build, never, test], 14), ([build], 5), ([], 3000), ([never], 3000),
    ):  # fmt: skip
        (row,) = named("pipeline_runs", *gitlab_pipeline_rows(pipeline, PROJECT, jobs)["pipeline_runs"])
        assert (row["wall_s"], row["finished"]) == (wall_minutes * 60, START + timedelta(minutes=3000))
    (running,) = named(
        "pipeline_runs", *gitlab_pipeline_rows({**pipeline, "finished_at": None}, PROJECT, [build])["pipeline_runs"]
    )
    assert running["wall_s"] is None


def test_a_retry_after_a_rest_is_an_attempt_and_what_retries_itself_is_none() -> None:
    def job(number: int, name: str, status: str, start: float, end: float, **more: Any) -> dict[str, Any]:
        times = {"created_at": at(0), "started_at": at(start), "finished_at": at(end), "queued_duration": 30}
        return {"id": number, "name": name, "status": status, "pipeline": {"id": 1}, **times, **more}

    pipeline = {
        "id": 1, "status": "success", "created_at": at(0), "started_at": at(1), "finished_at": at(700), "duration": 1000, "sha": "a1",
    }  # fmt: skip
    jobs = [
        job(1, "build", "success", 1, 5),
        job(2, "test", "failed", 5.5, 7),  # retries itself half a minute later
        job(3, "test", "failed", 7.5, 9),
        job(4, "lint", "failed", 5.5, 8, allow_failure=True),
        job(7, "test", "success", 60, 63),  # somebody retried it an hour later
        job(5, "deploy", "success", 63.5, 65),
        job(6, "report", "success", 690, 700),  # played by hand: no attempt
        {"id": 8, "name": "rollback", "status": "manual", "pipeline": {"id": 1}},
    ]
    rows = gitlab_pipeline_rows(pipeline, PROJECT, jobs)
    first, second = named("pipeline_runs", *rows["pipeline_runs"])
    assert [(row["attempt"], row["result"]) for row in (first, second)] == [(1, "failure"), (2, "success")]
    # build 4, test and lint together 5.5 to 8, then to 9; the second: queued at 59.5, 3 and 1.5 minutes of work.
    assert (first["wall_s"], first["run_s"], first["queue_s"]) == (9 * 60, (4 + 1.5 + 0.5 + 1.5) * 60, 60)
    assert (second["wall_s"], second["run_s"], second["queue_s"]) == (5.5 * 60, 4.5 * 60, 30)
    by_attempt = {(row["id"], row["attempt"]) for row in named("pipeline_jobs", *rows["pipeline_jobs"])}
    assert by_attempt == {("1", 1), ("2", 1), ("3", 1), ("4", 1), ("7", 2), ("5", 2), ("6", 2), ("8", 2)}
    (alone,) = gitlab_pipeline_rows(pipeline, PROJECT, [job for job in jobs if job["id"] != 7])["pipeline_runs"]
    assert named("pipeline_runs", alone)[0]["run_s"] == 1000


def test_what_took_less_than_no_time_took_nobody_knows_how_long() -> None:
    negative = {"duration": -1, "queued_duration": -0.5}
    job = {"id": 1, "name": "unit", "status": "success", "pipeline": {"id": 7}, **negative}
    rows = gitlab_pipeline_rows({"id": 7, "status": "success", **negative}, "acme/app", [job])
    suite = {"name": "s", "total_time": -1, "test_cases": [{"name": "a", "status": "success", "execution_time": "-2"}]}
    rows |= gitlab_test_rows({"test_suites": [suite]}, {"id": 7}, "acme/app")
    told = {
        (name, column): row[column]
        for name, some in rows.items()
        for row in named(name, *some)
        for column in ("queue_s", "run_s", "duration_s", "suite_time_s")
        if column in row
    }
    assert len(told) == 7
    assert set(told.values()) == {None}


def test_jobs_and_reports_can_be_left_out() -> None:
    with serving(Host(pipelines=2)) as server:
        done = pull(gitlab(server.url, jobs=False, tests=False))
        assert len(server.requests) == 3
    assert (len(done.table("pipeline_runs")), done.table("pipeline_jobs")) == (2, [])


def test_a_pipeline_deleted_meanwhile_and_a_report_that_is_gone_cost_nobody_else() -> None:
    host = Host(pipelines=3)
    host.report = Reply({"message": "404 Not found"}, 404)

    def answer(request: Request) -> Reply:
        return Reply({"message": "404 Not found"}, 404) if request.path.endswith("/pipelines/2") else host(request)

    with serving(answer) as server:
        done = pull(gitlab(server.url))
    assert done.error is None
    assert {row["id"] for row in done.table("pipeline_runs")} == {"1", "3"}
    assert len(done.problems) == 3
    assert "test report of pipeline" in done.problems[0]
    assert done.problems[2].endswith("deleted since or not visible to this token: pipelines 2")


def test_details_that_are_something_else_are_refused_and_a_report_that_is_one_is_missing() -> None:
    for path, error in ((f"{API}/pipelines/7", Malformed), (f"{API}/pipelines/7/test_report", type(None))):
        host = Host(0)
        host.pipelines = [{"id": 7, "status": "success", "created_at": at(0), "updated_at": at(1)}]
        with serving(lambda asked, path=path, host=host: Reply([]) if asked.path == path else host(asked)) as server:  # type: ignore[misc]
            done = pull(gitlab(server.url), "pipelines")
        assert isinstance(done.error, error)
        assert (len(done.table("pipeline_runs")), len(done.problems)) == (
            error is not Malformed,
            error is not Malformed,
        )


def test_a_report_the_server_cannot_finish_does_not_hold_up_the_pipeline() -> None:
    host = Host(pipelines=1)
    host.report = Reply(b"timeout", 504)
    with serving(host) as server:
        done = pull(gitlab(server.url))
    assert (done.error, len(done.table("pipeline_runs")), done.table("test_runs")) == (None, 1, [])
    assert "answered 504" in done.problems[0]


def test_merge_requests_have_first_commit_and_first_review() -> None:
    with serving(Host(requests=1)) as server:
        (row,) = pull(gitlab(server.url), "merge_requests").table("pull_requests")
    assert row["first_commit"] == datetime.fromisoformat("2025-12-28T16:00")
    assert row["first_review"] == START + timedelta(minutes=4)
    assert (row["state"], row["author"]) == ("open", "1")


@pytest.mark.parametrize(
    ("told", "merged_as"),
    [
        ({"merge_commit_sha": "m", "squash_commit_sha": "s", "sha": "h"}, "m"),
        ({"merge_commit_sha": None, "squash_commit_sha": "s", "sha": "h"}, "s"),
        ({"merge_commit_sha": None, "squash_commit_sha": None, "sha": "h"}, "h"),  # moved forward: no commit of its own
        ({"merged_at": None, "state": "opened", "merge_commit_sha": None, "sha": "h"}, None),
    ],
)
def test_the_commit_that_reached_the_branch_whatever_the_way_of_merging(told: dict[str, Any], merged_as: str) -> None:
    request = {"iid": 1, "state": "merged", "created_at": at(0), "updated_at": at(9), "merged_at": at(9), **told}
    (row,) = named("pull_requests", gitlab_merge_request_row(request, PROJECT))
    assert row["merge_sha"] == merged_as


def test_a_deployment_ended_when_its_job_did() -> None:
    deployment = {"id": 1, "status": "success", "created_at": at(0), "updated_at": at(90)}
    job = {"deployable": {"finished_at": at(5)}}
    (with_job,) = named("deployments", gitlab_deployment_row({**deployment, **job}, PROJECT))
    (without,) = named("deployments", gitlab_deployment_row(deployment, PROJECT))
    assert with_job["finished"] == START + timedelta(minutes=5)
    assert without["finished"] == START + timedelta(minutes=90)


# -- paging and cursors


def test_all_pages_are_read_and_every_portion_moves_the_cursor() -> None:
    with serving(Host(pipelines=120)) as server:
        done = pull(gitlab(server.url, jobs=False, tests=False))
    assert (done.error, len(done.table("pipeline_runs"))) == (None, 120)
    marks = [json.loads(page.cursor or "")[PROJECT]["updated"] for page in done.pages]
    assert marks == sorted(marks)
    assert len(set(marks)) >= 6
    assert marks[-1] == (START + timedelta(minutes=120.5)).isoformat()


@shows(19, of="gitlab")
def test_nothing_is_lost_when_items_change_while_the_list_is_read() -> None:
    """Under page numbers the change of the first item pushes another over the edge of the page."""
    host = Host(deployments=250)

    def restless(request: Request) -> Reply:
        reply = Reply(json.loads(host(request).content()), headers=host(request).headers)
        oldest = min(host.deployments, key=lambda one: str(one["updated_at"]))
        oldest["updated_at"] = at(1000 + len(server.requests))
        return reply

    with serving(restless) as server:
        done = pull(gitlab(server.url), "deployments")
    assert done.error is None
    assert {row["id"] for row in done.table("deployments")} == {str(n) for n in range(1, 251)}


def test_many_changes_in_one_instant_are_paged_by_number() -> None:
    host = Host(deployments=250)
    for one in host.deployments:
        one["updated_at"] = at(0)
    with serving(host) as server:
        done = pull(gitlab(server.url), "deployments")
    assert (done.error, len(done.table("deployments"))) == (None, 250)


def test_a_pipeline_that_changed_is_read_again() -> None:
    host = Host(pipelines=30)
    with serving(host) as server:
        first = pull(gitlab(server.url))
        host.pipelines[3] |= {"status": "failed", "updated_at": at(45)}
        second = pull(gitlab(server.url), since=first.cursor)
    assert [(row["id"], row["result"]) for row in second.table("pipeline_runs")] == [("4", "failure")]
    assert json.loads(second.cursor or "")[PROJECT]["updated"] == (START + timedelta(minutes=45)).isoformat()


def test_a_sync_that_broke_off_goes_on_where_it_was_durable() -> None:
    host, left = Host(pipelines=50), 70

    def failing(request: Request) -> Reply:
        nonlocal left
        left -= 1
        return host(request) if left >= 0 else Reply(b"", 503)

    with serving(failing) as server:
        first = pull(gitlab(server.url, tests=False))
        assert isinstance(first.error, Transient)
        assert len(first.table("pipeline_runs")) == 20
        left = 100_000
        second = pull(gitlab(server.url, tests=False), since=first.cursor)
    assert len(second.table("pipeline_runs")) == 30
    assert len(Pulled(first.pages + second.pages).table("pipeline_runs")) == 50


def test_one_absent_project_does_not_stop_the_others_nor_move_its_own_mark() -> None:
    host = Host(pipelines=2)
    with serving(host) as server:
        done = pull(gitlab(server.url, projects=["acme/gone", PROJECT]))
        assert isinstance(done.error, Gone)
        assert "acme/gone" in done.error.what
        assert "not visible" in done.error.what
    assert len(done.table("pipeline_runs")) == 2

    def jobless(request: Request) -> Reply:
        return Reply({"message": "403 Forbidden"}, 403) if request.path.endswith("/jobs") else host(request)

    with serving(jobless) as server:
        refused = pull(gitlab(server.url, projects=[PROJECT, "acme/gone"]))
    assert isinstance(refused.error, Denied)
    assert refused.cursor is None


def test_pages_are_told_by_links_where_a_proxy_drops_the_header() -> None:
    def linked(request: Request) -> Reply:
        number = int(request.query["page"])
        link = f'<https://inside.example{request.path}?page={number + 1}&per_page=100>; rel="next"'
        items = [{"id": number, "status": "success", "created_at": at(0), "updated_at": at(0)}]
        return Reply(items, headers={"Link": link} if number < 3 else {})

    with serving(linked) as server:
        done = pull(gitlab(server.url), "deployments")
    assert [row["id"] for row in done.table("deployments")] == ["1", "2", "3"]


def test_a_server_that_repeats_a_page_is_stopped() -> None:
    same = [{"id": n, "status": "success", "created_at": at(n), "updated_at": at(n)} for n in range(100)]
    with serving(lambda _: Reply(same, headers={"X-Next-Page": "2"})) as server:
        done = pull(gitlab(server.url), "deployments")
        assert len(server.requests) == 2
    assert isinstance(done.error, Malformed)
    assert len(done.table("deployments")) == 100


# -- limits and refusals


def test_a_limit_that_names_only_its_reset_is_waited_for() -> None:
    reset = {"RateLimit-Reset": "1795179630", "RateLimit-Remaining": "0", "Date": "Fri, 20 Nov 2026 13:00:00 GMT"}
    replies = [Reply(b"Retry later", 429, reset)]
    with serving(lambda _: replies.pop(0) if replies else Reply([])) as server:
        source = gitlab(server.url)
        assert pull(source).error is None
    assert source._network.waited_s == 30.0
    for reset_text in ("soon", "9" * 30):
        with serving(lambda _, text=reset_text: Reply(b"", 429, {"RateLimit-Reset": text})) as server:
            done = pull(gitlab(server.url, deadline_s=5))
        assert isinstance(done.error, RateLimited)


def test_a_missing_scope_and_an_expired_token_are_named() -> None:
    scope = {"error": "insufficient_scope", "error_description": "higher privileges", "scope": "api read_api"}
    with serving(lambda _: Reply(scope, 403)) as server:
        denied = pull(gitlab(server.url)).error
    assert isinstance(denied, Denied)
    assert "api read_api" in denied.hint
    expired = {"error": "invalid_token", "error_description": "Token is expired."}
    with serving(lambda _: Reply(expired, 401)) as server:
        denied = pull(gitlab(server.url)).error
    assert isinstance(denied, Denied)
    assert "Token is expired" in denied.what
    assert "auth set mine" in denied.hint


def test_check_names_the_owner_of_the_token() -> None:
    with serving(Host()) as server:
        source = gitlab(server.url)
        assert call(source, source.check) == "ada"


def test_an_unreadable_row_is_a_reject_and_unknown_words_are_kept() -> None:
    host = Host(deployments=3)
    host.deployments[0]["created_at"] = "yesterday"
    host.deployments[1]["status"] = "teleported"
    with serving(host) as server:
        done = pull(gitlab(server.url), "deployments")
    assert [reject.where for reject in done.rejects] == ["1"]
    assert [row["result"] for row in done.table("deployments")] == ["unknown", "success"]


@pytest.mark.parametrize("projects", [[], ["acme"], ["acme/../../user"], ["a/b?x"], ["https://gitlab.com/a/b"]])
def test_projects_are_paths(projects: list[str]) -> None:
    with pytest.raises(ValidationError):
        GitLabSettings(projects=projects)


def test_replay(tmp_path: Path) -> None:
    host = Host(pipelines=1, requests=1, deployments=1)
    plain = f"/api/v4/projects/{PROJECT}"
    lines = [
        {"method": "GET", "path": f"{API}/pipelines", "body": host.pipelines},
        {"method": "GET", "path": f"{plain}/pipelines/1", "body": {**host.pipelines[0], "duration": 20}},
        {"method": "GET", "path": f"{plain}/pipelines/1/jobs", "body": []},
        {"method": "GET", "path": f"{plain}/pipelines/1/test_report", "body": {"test_suites": []}},
        {"method": "GET", "path": f"{plain}/merge_requests", "match": {"query": {"page": 1}}, "body": host.requests},
        {"method": "GET", "path": f"{plain}/merge_requests/1/commits", "body": []},
        {"method": "GET", "path": f"{plain}/merge_requests/1/notes", "body": NOTES},
        {"method": "GET", "path": f"{plain}/deployments", "body": host.deployments},
    ]
    url = recordings(tmp_path, [json.dumps(line) for line in lines])
    runs, requests, deployments = (
        pull(gitlab(url, root=tmp_path), stream) for stream in ("pipelines", "merge_requests", "deployments")
    )
    assert [done.error for done in (runs, requests, deployments)] == [None, None, None]
    assert [row["run_s"] for row in runs.table("pipeline_runs")] == [20.0]
    assert (len(requests.table("pull_requests")), len(deployments.table("deployments"))) == (1, 1)


def test_child_pipelines_come_with_jobs_and_tests_of_their_own() -> None:
    host = Host(pipelines=3)
    host.pipelines[2]["source"] = "parent_pipeline"
    suite = {"name": "child", "total_count": 1, "test_cases": [{"name": "one", "classname": "a", "status": "success"}]}
    host.report = Reply({"total_count": 1, "test_suites": [suite]})
    with serving(host) as server:
        parents = pull(gitlab(server.url), "pipelines")
        children = pull(gitlab(server.url), "child_pipelines")
    assert [row["id"] for row in parents.table("pipeline_runs")] == ["1", "2"]
    (child,) = children.table("pipeline_runs")
    assert (child["id"], child["workflow"], child["event"]) == ("3", "child pipeline", "parent_pipeline")
    assert [job["id"] for job in children.table("pipeline_jobs")] == ["31", "32"]
    assert len(children.table("test_runs")) == 1
