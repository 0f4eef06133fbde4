"""GitHub against its published specification and real payloads of real repositories."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from pydantic import ValidationError

from aether_tui.records import TABLES
from connectors.base import Denied, Gone, RateLimited
from connectors.github import GitHub
from connectors.github_answers import keep_read
from connectors.github_rows import (
    fold,
    github_deployment_row,
    github_job_row,
    github_pull_request_row,
    github_run_row,
    github_run_rows,
    item_keys,
)
from connectors.github_settings import GitHubSettings
from tests.connectors.catalogue import shows
from tests.connectors.pull import Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving

Real = Callable[[str], list[dict[str, Any]]]
REPO = "acme/app"


def github(url: str, *, deadline_s: float = 900, root: Path = Path(), **settings: Any) -> GitHub:
    keys = {"url": url, "repos": [REPO], **settings}
    return GitHub(GitHubSettings(**keys), {"token": "canary-token"}, network(deadline_s=deadline_s, root=root))


def named(table: str, *rows: Any) -> list[dict[str, Any]]:
    return [dict(zip((column.name for column in TABLES[table].raw), row, strict=True)) for row in rows]


# -- real payloads


def test_real_runs(real: Real, facts: dict[str, Any]) -> None:
    runs = real("github/runs")
    rows = named("pipeline_runs", *(github_run_row(run, REPO) for run in runs))
    fact = facts["github/runs"]
    assert len({(row["id"], row["attempt"]) for row in rows}) == fact["rows"]
    assert sum(row["attempt"] > 1 for row in rows) == fact["reruns_attempt_gt1"]
    by_result = {result: sum(row["result"] == result for row in rows) for result in {row["result"] for row in rows}}
    assert by_result == {"success": 8, "failure": 3, "timed_out": 1, "running": 4, "other": 2}
    plain = [
        row["run_s"]
        for run, row in zip(runs, rows, strict=True)
        if run["status"] == "completed" and row["result"] in {"success", "failure"}
    ]
    duration = fact["duration_s_success_failure_updated_minus_run_started"]
    assert (len(plain), sum(plain), median(plain), max(plain)) == tuple(
        duration[k] for k in ("n", "sum", "median", "max")
    )
    assert {row["queue_s"] for row in rows} == {None}
    assert {row["finished"] for row in rows if row["result"] == "running"} == {None}


def test_real_jobs_lack_the_time_they_were_queued(real: Real, facts: dict[str, Any]) -> None:
    rows = named("pipeline_jobs", *(github_job_row(job, REPO) for job in real("github/jobs")))
    fact = facts["github/jobs"]
    assert (len(rows), sum(row["run_s"] for row in rows)) == (fact["rows"], fact["duration_s_sum"])
    assert sum(row["queue_s"] is None for row in rows) == fact["without_created_at"]
    assert {row["result"] for row in rows} == {
        "success",
        "failure",
        "cancelled",
        "timed_out",
        "skipped",
        "running",
        "other",
    }


def test_real_pull_requests_with_commits_and_reviews(real: Real, facts: dict[str, Any]) -> None:
    def of(table: str) -> dict[int, list[dict[str, Any]]]:
        found: dict[int, list[dict[str, Any]]] = {}
        for one in real(table):
            found.setdefault(json.loads(one["_input"])["Number"], []).append(one)
        return found

    commits, reviews = of("github/pull_request_commits"), of("github/pull_request_reviews")
    pulls = real("github/pull_requests")
    rows = named(
        "pull_requests",
        *(
            github_pull_request_row(one, REPO, commits.get(one["number"], ()), reviews.get(one["number"], ()))
            for one in pulls
        ),
    )
    fact = facts["github/pull_requests"]
    hours = [(row["merged"] - row["created"]).total_seconds() / 3600 for row in rows if row["merged"]]
    assert (len(rows), len(hours)) == (fact["rows"], fact["merged"])
    assert (round(sum(hours), 3), round(median(hours), 3)) == tuple(
        fact["hours_to_merge"][k] for k in ("sum", "median")
    )
    assert sum(row["state"] == "open" for row in rows) == fact["state"]["open"]
    assert sum(row["merge_sha"] is not None for row in rows) == fact["merged"]
    assert sum(row["first_commit"] is not None for row in rows) == len({one["number"] for one in pulls} & set(commits))
    assert all(row["first_review"] > row["created"] for row in rows if row["first_review"])


def test_webhook_bodies_have_the_same_shapes(contracts: Path) -> None:
    run = json.loads((contracts / "github" / "webhook_workflow_run_completed.json").read_text())["workflow_run"]
    job = json.loads((contracts / "github" / "webhook_workflow_job_completed.json").read_text())["workflow_job"]
    (row,) = named("pipeline_runs", github_run_row(run, REPO))
    assert (row["id"], row["created"]) == (
        str(run["id"]),
        datetime.fromisoformat(run["created_at"]).replace(tzinfo=None),
    )
    (job_row,) = named("pipeline_jobs", github_job_row(job, REPO))
    assert (job_row["id"], job_row["run_id"]) == (str(job["id"]), str(job["run_id"]))


# -- mappers


@pytest.mark.parametrize(
    ("conclusion", "status", "result"),
    [
        ("SUCCESS", "completed", "success"),
        ("startup_failure", "completed", "other"),
        ("action_required", "completed", "other"),
        ("made_up_in_2027", "completed", "other"),
        (None, "in_progress", "running"),
        ("", "WAITING", "running"),
        (None, "completed", "other"),
    ],
)
def test_conclusions_fold(conclusion: str | None, status: str, result: str) -> None:
    assert fold(conclusion, status) == result


def job(number: int, attempt: int, conclusion: str, minute: int, minutes: int) -> dict[str, Any]:
    def at(minute: int) -> str:
        return (datetime.fromisoformat("2026-11-01T10:00Z") + timedelta(minutes=minute)).isoformat()

    return {
        "id": number,
        "run_id": 7,
        "run_attempt": attempt,
        "name": f"job {number}",
        "status": "completed",
        "conclusion": conclusion,
        "created_at": at(minute),
        "started_at": at(minute + 1),
        "completed_at": at(minute + 1 + minutes),
        "labels": ["ubuntu-latest"],
    }


def test_a_rerun_is_an_attempt_and_the_earlier_one_is_rebuilt_from_its_jobs() -> None:
    run = {
        "id": 7,
        "run_attempt": 2,
        "name": "ci",
        "status": "completed",
        "conclusion": "success",
        "created_at": "2026-11-01T10:00:00Z",
        "run_started_at": "2026-11-01T11:00:00Z",
        "updated_at": "2026-11-01T20:00:00Z",
    }
    jobs = [job(1, 1, "success", 0, 5), job(2, 1, "failure", 2, 9), job(3, 2, "success", 60, 4)]
    rows = github_run_rows(run, REPO, jobs)
    first, second = named("pipeline_runs", *rows["pipeline_runs"])
    assert [row["attempt"] for row in (first, second)] == [1, 2]
    assert (first["result"], first["queue_s"], first["run_s"], first["wall_s"]) == ("failure", 60.0, 660.0, 720.0)
    assert (second["result"], second["queue_s"], second["run_s"], second["wall_s"]) == ("success", 60.0, 240.0, 300.0)
    assert second["runner"] == "ubuntu-latest"
    assert len(rows["pipeline_jobs"]) == 3


def test_first_review_is_by_another_person_and_no_bot() -> None:
    def review(user: int, kind: str, hour: int) -> dict[str, Any]:
        return {"user": {"id": user, "type": kind}, "submitted_at": f"2026-11-01T{hour:02}:00:00Z"}

    pull_request = {"number": 1, "user": {"id": 1}, "created_at": "2026-11-01T00:00:00Z"}
    reviews = [review(1, "User", 1), review(9, "Bot", 2), review(2, "User", 4), review(3, "User", 3)]
    (row,) = named("pull_requests", github_pull_request_row(pull_request, REPO, (), reviews))
    assert row["first_review"] == datetime.fromisoformat("2026-11-01T03:00")
    assert row["additions"] is None


@pytest.mark.parametrize(
    ("states", "result", "finished_hour"),
    [
        ([], "unknown", None),
        (["queued", "in_progress"], "running", None),
        (["in_progress", "success"], "success", 1),
        (["success", "inactive"], "success", 0),
        (["in_progress", "error"], "failure", 1),
        (["inactive"], "unknown", None),
    ],
)
def test_a_deployment_succeeds_only_when_a_status_says_so(
    states: list[str], result: str, finished_hour: int | None
) -> None:
    statuses = [{"state": state, "created_at": f"2026-11-01T{n:02}:00:00Z"} for n, state in enumerate(states)]
    deployment = {"id": 1, "created_at": "2026-11-01T00:00:00Z", "task": "deploy:hotfix"}
    (row,) = named("deployments", github_deployment_row(deployment, REPO, statuses))
    assert (row["result"], row["reason"]) == (result, "hotfix")
    assert (row["finished"].hour if row["finished"] else None) == finished_hour


def test_item_keys() -> None:
    assert item_keys("ada/eng-42-fix", "Fix ENG-42 and OPS-7, not utf-8") == ("ENG-42", "OPS-7")
    assert item_keys("ENG-9", "") == ("ENG-9",)


# -- a server


class Host:
    """GitHub with runs, pull requests and deployments; lists link to their next page and end at 1,000 results."""

    def __init__(self, runs: int = 0, pulls: int = 0, deployments: int = 0, per_day: int = 40) -> None:
        start = datetime.fromisoformat("2026-11-20T10:00")
        self.runs = [self._run(n, start - timedelta(days=n / per_day)) for n in range(runs)]
        self.pulls = [self._pull(n, start - timedelta(hours=n)) for n in range(pulls)]
        self.deployments = [
            {
                "id": n,
                "created_at": f"{(start - timedelta(hours=n)).isoformat()}Z",
                "updated_at": f"{(start - timedelta(hours=n)).isoformat()}Z",
                "environment": "production",
            }
            for n in range(deployments)
        ]
        self.running_deployments: set[int] = set()

    @staticmethod
    def _run(n: int, created: datetime) -> dict[str, Any]:
        at = f"{created.replace(microsecond=0).isoformat()}Z"
        return {
            "id": n + 1,
            "run_attempt": 1,
            "name": "ci",
            "status": "completed",
            "conclusion": "success",
            "created_at": at,
            "run_started_at": at,
            "updated_at": at,
        }

    @staticmethod
    def _pull(n: int, updated: datetime) -> dict[str, Any]:
        return {
            "id": n + 7000,
            "number": n + 1,
            "state": "open",
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": f"{updated.isoformat()}Z",
        }

    def __call__(self, request: Request) -> Reply:
        path = request.path.removeprefix(f"/repos/{REPO}")
        number = int(request.query.get("page", "1"))
        match path.strip("/").split("/"):
            case ["user"]:
                return Reply({"login": "ada"})
            case ["actions", "runs"]:
                low, high = request.query["created"].split("..")
                found = [run for run in self.runs if low <= run["created_at"] <= high]
                return self._page(
                    request, found[:1000], number, lambda rows: {"total_count": len(found), "workflow_runs": rows}
                )
            case ["actions", "runs", run]:
                return Reply(next(one for one in self.runs if one["id"] == int(run)))
            case ["actions", "runs", run, "jobs"]:
                return Reply({"jobs": [{**job(int(run), 1, "success", 0, 5), "run_id": int(run)}]})
            case ["pulls"]:
                return self._page(request, self.pulls, number)
            case ["pulls", _, "commits"]:
                return Reply([{"commit": {"author": {"date": "2025-12-31T00:00:00Z"}}}])
            case ["pulls", _, "reviews"]:
                return Reply([])
            case ["deployments"]:
                return self._page(request, self.deployments, number)
            case ["releases"]:
                return Reply([])
            case ["actions", "artifacts"]:
                return Reply({"artifacts": []})
            case ["deployments", one, "statuses"]:
                state = "in_progress" if int(one) in self.running_deployments else "success"
                return Reply([{"state": state, "created_at": "2026-11-20T11:00:00Z"}])
        return Reply({"message": "Not Found"}, status=404)

    @staticmethod
    def _page(request: Request, rows: list[Any], number: int, shape: Callable[[list[Any]], Any] = list) -> Reply:
        size = int(request.query["per_page"])
        end = number * size
        base = f"http://{request.headers['host']}{request.target.partition('&page=')[0]}"
        link = (
            {"Link": f'<{base}&page=1>; rel="first", <{base}&page={number + 1}>; rel="next"'} if end < len(rows) else {}
        )
        return Reply(shape(rows[end - size : end]), headers=link)


def test_a_second_pull_of_every_stream_goes_well() -> None:
    host = Host(runs=120, pulls=3, deployments=3)
    host.runs[0] |= {"status": "in_progress", "conclusion": None}
    with serving(host) as server:
        for stream in ("runs", "pull_requests", "deployments"):
            done = pull(github(server.url), stream)
            assert done.error is None
            assert pull(github(server.url), stream, done.cursor).error is None
        source = github(server.url)
        assert call(source, source.check) == "ada"
        requests = server.requests
    assert {request.headers["x-github-api-version"] for request in requests} == {"2022-11-28"}


def test_windows_with_more_than_a_thousand_runs_are_halved_and_none_is_lost() -> None:
    with serving(Host(runs=2500)) as server:
        done = pull(github(server.url, jobs=False), "runs")
    assert done.error is None
    assert len(done.table("pipeline_runs")) == 2500
    assert done.problems == []
    mark = json.loads(done.cursor or "")[REPO]
    assert (mark["created"], mark["swept"]) == ("2026-11-20T10:00:00", "2026-11-20")


@shows(8, of="github")
def test_a_minute_with_too_many_runs_is_partial_and_says_how_many_are_missing() -> None:
    with serving(Host(runs=1200, per_day=10_000_000)) as server:
        done = pull(github(server.url, jobs=False), "runs")
    assert done.error is None
    assert len(done.problems) == 1
    assert f"{REPO}: 200 runs" in done.problems[0]


@shows(8, of="github")
def test_a_422_ceiling_splits_the_window() -> None:
    host = Host(runs=50)

    def narrow(request: Request) -> Reply:
        low, high = request.query["created"].rstrip("Z").replace("Z..", "..").split("..")
        if datetime.fromisoformat(high) - datetime.fromisoformat(low) > timedelta(days=20):
            return Reply({"message": "In order to have better performance pagination is limited"}, status=422)
        return host(request)

    with serving(narrow) as server:
        done = pull(github(server.url, jobs=False), "runs")
    assert (done.error, len(done.table("pipeline_runs"))) == (None, 50)


def test_the_mark_moves_only_at_the_end_of_a_window() -> None:
    with serving(Host(runs=250)) as server:
        done = pull(github(server.url, jobs=False), "runs")
    marks = [json.loads(page.cursor or "")[REPO].get("created") for page in done.pages]
    assert marks == [None, None, "2026-11-20T10:00:00", "2026-11-20T10:00:00"]


def test_a_walk_remembers_no_more_than_the_overlap_shows_again() -> None:
    at = {str(n): datetime(2026, 9, 1) + timedelta(minutes=n) for n in range(100)}  # noqa: DTZ001  # naive UTC, as all
    mark: dict[str, object] = {"read": dict.fromkeys((*at, "unlisted"), "changed")}
    keep_read(mark, at, at["98"], {"3"})
    assert mark["read"] == {"3": "changed", "98": "changed", "99": "changed"}
    assert list(at) == ["98", "99"]


def test_unfinished_runs_are_read_again_and_old_reruns_found_once_a_day() -> None:
    host = Host(runs=100, per_day=10)
    host.runs[0] |= {"status": "in_progress", "conclusion": None}
    with serving(host) as server:
        first = pull(github(server.url, jobs=False), "runs")
        assert json.loads(first.cursor or "")[REPO]["open"] == {"1": "2026-11-20T10:00:00"}
        host.runs[0] |= {"status": "completed", "conclusion": "failure", "updated_at": "2026-11-20T10:30:00Z"}
        second = pull(github(server.url, jobs=False), "runs", first.cursor)
        assert [row["result"] for row in second.table("pipeline_runs")] == ["failure"]
        assert json.loads(second.cursor or "")[REPO]["open"] == {}

        host.runs[60] |= {"run_attempt": 2, "updated_at": "2026-11-20T11:30:00Z"}
        same_day = pull(github(server.url, jobs=False), "runs", second.cursor)
        assert "61" not in {row["id"] for row in same_day.table("pipeline_runs")}
        # What comes on the same day, long after it, must not hide it from the look of the next day, nor be read again then.
        host.runs.insert(0, Host._run(500, datetime.fromisoformat("2026-11-20T13:00")))
        later = pull(github(server.url, jobs=False), "runs", same_day.cursor)
        assert [row["id"] for row in later.table("pipeline_runs")] == ["501"]
        marks = json.loads(later.cursor or "")
        marks[REPO]["swept"] = "2026-11-19"
        next_day = pull(github(server.url, jobs=False), "runs", json.dumps(marks))
        assert {(row["id"], row["attempt"]) for row in next_day.table("pipeline_runs")} == {("61", 2)}


def test_many_unfinished_runs_are_looked_for_in_the_list(tmp_path: Path) -> None:
    host = Host(runs=100, per_day=40)
    for run in host.runs[:40:2]:  # the last day's, every other one
        run |= {"status": "queued", "conclusion": None}
    with serving(host) as server:
        first = pull(github(server.url), "runs")
        server.requests.clear()
        host.runs[38] |= {"status": "completed", "conclusion": "failure", "updated_at": "2026-11-20T10:30:00Z"}
        second = pull(github(server.url), "runs", first.cursor)
        assert len(server.requests) == 2  # the list, and the jobs of the one that ended
    assert [(row["id"], row["result"]) for row in second.table("pipeline_runs")] == [("39", "failure")]
    assert len(json.loads(second.cursor or "")[REPO]["open"]) == 19


def test_pull_requests_stop_below_the_mark_and_a_quiet_sync_is_cheap() -> None:
    with serving(Host(pulls=120)) as server:
        first = pull(github(server.url), "pull_requests")
        assert len(first.table("pull_requests")) == 120
        assert ["updated" in json.loads(page.cursor or "")[REPO] for page in first.pages] == [False, False, True]
        server.requests.clear()
        second = pull(github(server.url), "pull_requests", first.cursor)
        assert len(server.requests) == 1
    assert second.table("pull_requests") == []
    assert second.cursor == first.cursor


def test_a_walk_that_a_limit_broke_off_goes_on_where_it_stopped() -> None:
    host = Host(pulls=120)
    left = 210

    def limited(request: Request) -> Reply:
        nonlocal left
        left -= 1
        return host(request) if left >= 0 else Reply({"message": "rate limit"}, 403, {"Retry-After": "3600"})

    with serving(limited) as server:
        first = pull(github(server.url, deadline_s=60), "pull_requests")
        assert isinstance(first.error, RateLimited)
        assert len(first.table("pull_requests")) == 100
        host.pulls[50] |= {"updated_at": "2026-11-20T11:00:00Z"}
        host.pulls.insert(0, host.pulls.pop(50))
        left = 100_000
        server.requests.clear()
        second = pull(github(server.url), "pull_requests", first.cursor)
        asked = {request.path for request in server.requests if request.path.endswith("/commits")}
    assert second.error is None
    # The twenty that are left, the one that changed, and the far end of the stretch.
    assert len(asked) == 22
    assert len(Pulled(first.pages + second.pages).table("pull_requests")) == 120
    assert set(json.loads(second.cursor or "")[REPO]) == {"updated", "read"}


def test_unfinished_deployments_are_read_again_when_they_have_changed_and_once_a_day() -> None:
    host = Host(deployments=30)
    host.running_deployments = {20, 21}
    with serving(host) as server:
        first = pull(github(server.url), "deployments")
        assert {row["result"] for row in first.table("deployments")} == {"success", "running"}
        host.running_deployments = set()
        host.deployments[20]["updated_at"] = "2026-11-20T11:00:00Z"
        server.requests.clear()
        second = pull(github(server.url), "deployments", first.cursor)
        assert len(server.requests) == 2
        marks = json.loads(second.cursor or "")
        assert set(marks[REPO]["open"]) == {"21"}
        marks[REPO]["swept"] = "2026-11-19"
        third = pull(github(server.url), "deployments", json.dumps(marks))
    assert [(row["id"], row["result"]) for row in second.table("deployments")] == [("20", "success")]
    assert [(row["id"], row["result"]) for row in third.table("deployments")] == [("21", "success")]
    assert json.loads(third.cursor or "")[REPO]["open"] == {}


def test_one_absent_repository_does_not_stop_the_others() -> None:
    with serving(Host(pulls=2)) as server:
        done = pull(github(server.url, repos=["acme/gone", REPO]), "pull_requests")
    assert isinstance(done.error, Gone)
    assert "not visible" in done.error.what
    assert len(done.table("pull_requests")) == 2


# -- limits


@shows(3, of="github")
def test_a_403_is_a_limit_or_a_permission() -> None:
    limit = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795179630", "Date": "Fri, 20 Nov 2026 13:00:00 GMT"}
    replies = [Reply({"message": "API rate limit exceeded"}, status=403, headers=limit), Reply([])]
    with serving(lambda _: replies.pop(0)) as server:
        source = github(server.url)
        assert pull(source, "pull_requests").error is None
    assert source._network.waited_s == 30.0

    needs = {"x-ratelimit-remaining": "4999", "x-accepted-github-permissions": "deployments=read"}
    message = {"message": "Resource not accessible by personal access token"}
    with serving(lambda _: Reply(message, status=403, headers=needs)) as server:
        done = pull(github(server.url), "deployments")
        assert len(server.requests) == 1
    assert isinstance(done.error, Denied)
    assert "deployments=read" in done.error.hint


def test_the_secondary_limit_waits_a_minute_then_doubles_within_the_deadline() -> None:
    message = {"message": "You have exceeded a secondary rate limit."}
    with serving(lambda _: Reply(message, status=403)) as server:
        source = github(server.url, deadline_s=100_000)
        source._http._patience._jitter = lambda: 0.0
        done = pull(source, "pull_requests")
        assert len(server.requests) == 6
    assert isinstance(done.error, RateLimited)
    assert source._network.waited_s == 60 + 120 + 240 + 480 + 960


@pytest.mark.parametrize("repos", [[], ["acme"], ["acme/app/../../user"], ["a/b?x"]])
def test_repositories_are_owner_and_name(repos: list[str]) -> None:
    with pytest.raises(ValidationError):
        GitHubSettings(repos=repos)


def test_replay_with_links_of_the_real_host(tmp_path: Path) -> None:
    host = Host(runs=2, deployments=1)
    runs = f"/repos/{REPO}/actions/runs"
    lines = [
        {
            "method": "GET",
            "path": runs,
            "match": {"query": {"page": None}},
            "headers": {"Link": f'<https://api.github.com{runs}?page=2>; rel="next"'},
            "body": {"total_count": 2, "workflow_runs": host.runs[:1]},
        },
        {
            "method": "GET",
            "path": runs,
            "match": {"query": {"page": 2}},
            "body": {"total_count": 2, "workflow_runs": host.runs[1:]},
        },
        *(
            {"method": "GET", "path": f"{runs}/{n}/jobs", "body": {"jobs": [job(n, 1, "success", 0, 3)]}}
            for n in (1, 2)
        ),
        {"method": "GET", "path": f"/repos/{REPO}/deployments", "body": host.deployments},
        {
            "method": "GET",
            "path": f"/repos/{REPO}/deployments/0/statuses",
            "body": [{"state": "success", "created_at": "2026-11-20T11:00:00Z"}],
        },
    ]
    url = recordings(tmp_path, [json.dumps(line) for line in lines])
    done = pull(github(url, root=tmp_path), "runs")
    assert done.error is None
    assert [row["run_s"] for row in done.table("pipeline_runs")] == [180.0, 180.0]
    assert [row["result"] for row in pull(github(url, root=tmp_path), "deployments").table("deployments")] == [
        "success"
    ]
