"""GitHub's releases, and test reports out of the artifacts of runs, on loopback."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.base import Network
from connectors.github import GitHub
from connectors.github_settings import GitHubSettings
from tests.connectors.catalogue import shows
from tests.connectors.pull import network, pull
from tests.connectors.server import Reply, Request, serving

REPO = "acme/app"
REPORT = (
    '<testsuites><testsuite name="unit" timestamp="2026-11-20T09:00:00Z"><testcase classname="a" name="one" time="0.5"/>'
    '<testcase classname="a" name="two" time="1.5"><failure message="no"/></testcase></testsuite></testsuites>'
)


def github(url: str, wiring: Network | None = None, **settings: Any) -> GitHub:
    return GitHub(GitHubSettings(url=url, repos=[REPO], **settings), {"token": "canary-token"}, wiring or network())


def packed(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return body.getvalue()


def artifact(number: int, name: str, **more: Any) -> dict[str, Any]:
    run = {"id": 7, "head_branch": "main", "head_sha": "a" * 40}
    return {
        "id": number, "name": name, "size_in_bytes": 1000, "expired": False, "created_at": f"2026-11-20T09:{number:02d}:00Z",
        "workflow_run": run, **more,
    }  # fmt: skip


def host(artifacts: list[dict[str, Any]], elsewhere: str) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.path.endswith("/zip"):
            return Reply(b"", 302, {"Location": f"{elsewhere}/blob/{request.path.split('/')[-2]}?sig=x"})
        return Reply({"total_count": len(artifacts), "artifacts": artifacts})

    return answer


@shows(30, of="github")
def test_reports_of_the_artifacts_that_are_named(tmp_path: Path) -> None:
    downloads: list[list[str]] = []

    @contextmanager
    def aside() -> Iterator[Path]:
        try:
            yield tmp_path
        finally:
            downloads.append([path.name for path in tmp_path.iterdir()])

    files = {"reports/unit.xml": REPORT, "reports/coverage.xml": "<coverage/>", "log.txt": "secret words"}
    listed = [
        artifact(5, "junit-linux"), artifact(4, "build"), artifact(3, "junit-old", expired=True),
        artifact(2, "junit-large", size_in_bytes=60_000_000), artifact(1, "junit-broken"),
    ]  # fmt: skip

    def blob(request: Request) -> Reply:
        return Reply(
            packed(files) if request.path.endswith("/5") else b"no zip", headers={"Content-Type": "application/zip"}
        )

    with serving(blob) as blobs, serving(host(listed, blobs.url)) as server:
        first = pull(github(server.url, network(aside=aside), artifacts=["junit-*"]), "artifacts")
        asked = list(server.requests)
        second = pull(github(server.url, artifacts=["junit-*"]), "artifacts", first.cursor)
        again = server.requests[len(asked) :]
        assert all("authorization" not in request.headers for request in blobs.requests)
    (run,) = first.table("test_runs")
    assert (run["tests"], run["failed"], run["repo"], run["branch"], run["sha"]) == (2, 1, REPO, "main", "a" * 40)
    assert [case["name"] for case in first.table("test_cases")] == ["one", "two"]
    assert first.error is None
    assert any("junit-large is larger than 50 MB" in problem for problem in first.problems)
    assert any("junit-broken" in problem for problem in first.problems)
    assert [request.path.rpartition("/")[2] for request in again] == ["artifacts"]
    assert second.table("test_runs") == []
    assert downloads == [["artifact.zip"]] * 2


@shows(15, of="github")
def test_a_bomb_in_an_artifact_is_a_problem_and_the_others_are_read() -> None:
    bomb = packed({"bomb.xml": "<testsuites>" + " " * 90_000_000})
    bodies = {"2": bomb, "3": os.urandom(1_100_000), "1": packed({"unit.xml": REPORT})}
    with serving(lambda r: Reply(bodies[r.path[-1]])) as blobs:
        listed = [artifact(3, "junit", size_in_bytes=None), artifact(2, "junit"), artifact(1, "junit")]
        with serving(host(listed, blobs.url)) as server:
            done = pull(github(server.url, artifacts=["junit"], artifact_mb=1), "artifacts")
    assert len(done.table("test_runs")) == 1
    assert any("bomb" in problem for problem in done.problems)
    assert any("more than 1 MB" in problem for problem in done.problems)  # and than the list told


def test_the_same_report_of_two_runs_is_two_runs() -> None:
    """A cache of tests answers a run with the report of the run before, to the byte."""
    body = packed({"unit.xml": REPORT})
    both = [artifact(2, "junit"), artifact(1, "junit")]
    with serving(lambda _: Reply(body)) as blobs, serving(host(both, blobs.url)) as server:
        done = pull(github(server.url, artifacts=["junit"]), "artifacts")
    assert sorted(run["id"].partition(":")[0] for run in done.table("test_runs")) == ["1", "2"]
    ids = {run["id"] for run in done.table("test_runs")}
    assert [case["run_id"] in ids for case in done.table("test_cases")] == [True] * 4


def test_published_releases_count_as_deployments_where_asked() -> None:
    def release(number: int, at: str, **more: Any) -> dict[str, Any]:
        return {"id": number, "tag_name": f"v{number}", "published_at": at, "target_commitish": "main", **more}

    listed = [
        release(4, "2026-11-20T09:00:00Z", target_commitish="b" * 40, name="Hotfix for login"),
        release(3, "2026-11-19T09:00:00Z", prerelease=True), release(2, "2026-11-18T09:00:00Z"),
        release(1, "2020-01-01T00:00:00Z"), {**release(5, ""), "draft": True, "published_at": None},
    ]  # fmt: skip
    with serving(lambda _: Reply(listed)) as server:
        first = pull(github(server.url, releases="production"), "releases")
        second = pull(github(server.url, releases="production"), "releases", first.cursor)
        assert len(server.requests) == 2
    rows = {row["id"]: row for row in first.table("deployments")}
    assert {key: (row["result"], row["reason"], row["sha"]) for key, row in rows.items()} == {
        "release:4": ("success", "hotfix", "b" * 40), "release:2": ("success", "unknown", None),
    }  # fmt: skip
    assert {row["source_environment"] for row in rows.values()} == {"production"}
    assert [row["id"] for row in second.table("deployments")] == ["release:4"]
