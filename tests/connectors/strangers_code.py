"""A GitHub Enterprise server written from what its vendor publishes, as `strangers`; what is to arrive is computed beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.connectors.server import Reply, Request
from tests.connectors.strangers import NOW, SECRET, same

Row = dict[str, Any]
REPO = "acme/pay.service"


def zulu(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(hours: float) -> datetime:
    return (NOW - timedelta(hours=hours)).replace(tzinfo=None)


class GitHub:
    """110 runs (some again, some unfinished, some that ended in unusual ways), 30 pull requests, 12 deployments; lists link on
    under the repository's number; the secondary limit is met once."""

    ends = (
        "success",
        "FAILURE",
        "cancelled",
        "skipped",
        "neutral",
        "timed_out",
        "action_required",
        "startup_failure",
        "",
        None,
    )
    folded = ("success", "failure", "cancelled", "skipped", "other", "timed_out", "other", "other", "other", "other")

    def __init__(self) -> None:
        self.limited = False
        self.runs = [self._run(n) for n in range(110)]
        self.pulls = [self._pull(n) for n in range(1, 31)]
        self.deployments = [
            {"id": 9_007_199_254_740_993 + n, "sha": f"{n:040x}", "ref": "hotfix/x" if n == 3 else "main", "task": "deploy",
             "environment": ("Production", "staging-eu")[n % 2], "description": None, "created_at": zulu(300 - n),
             "updated_at": zulu(299 - n),
             "creator": None, "payload": "", "transient_environment": False}
            for n in range(12)
        ]  # fmt: skip

    def _run(self, n: int) -> Row:
        running = n >= 105
        return {
            "id": 30_000_000_000 + n, "run_number": n, "run_attempt": 3 if n % 40 == 1 else 1, "name": None if n == 8 else "CI",
            "path": ".github/ci.yml",
            "head_branch": None if n == 8 else "main", "head_sha": f"{n:040x}", "event": "push",
            "status": "in_progress" if running else "completed",
            "conclusion": None if running else self.ends[n % 10], "created_at": zulu(400 - n),
            "run_started_at": zulu(390 - n if n % 40 == 1 else 400 - n),
            "updated_at": zulu(389 - n), "actor": None, "triggering_actor": {"login": "dependabot[bot]", "type": "Bot"},
            "pull_requests": [],
            "head_commit": {"message": SECRET},
        }  # fmt: skip

    def jobs(self, run: Row) -> list[Row]:
        """One job an attempt, an hour long, after waiting for 30 s; of old runs it is not told when they were queued."""
        n, told = run["run_number"], []
        for attempt in range(1, run["run_attempt"] + 1):
            start = 400 - n - (attempt - 1) * 4
            last = attempt == run["run_attempt"]
            job = {
                "id": run["id"] * 10 + attempt, "run_id": run["id"], "run_attempt": attempt, "name": "build \u202e",
                "status": "completed",
                "conclusion": run["conclusion"] if last else "failure", "created_at": zulu(start + 30 / 3600), "started_at": zulu(start),
                "completed_at": zulu(start - 1), "labels": ["ubuntu-24.04", "x64"], "runner_name": None, "steps": [],
            }  # fmt: skip
            if n < 20:
                del job["created_at"]
            told.append(job)
        return told[::-1]

    @staticmethod
    def _pull(n: int) -> Row:
        merged = n % 3 == 0
        closed = merged or n % 3 == 1
        user = None if n == 7 else {"login": f"ada{n % 5}", "id": n % 5, "type": "User"}
        return {
            "id": 5_000 + n, "number": n, "state": "closed" if closed else "open", "title": f"PAY-{n}: {SECRET[:5]}",
            "body": SECRET, "user": user,
            "labels": [{"name": "bug"}] if n % 2 else [], "created_at": zulu(200 - n), "updated_at": zulu(150 - n), "draft": n == 4,
            "closed_at": zulu(150 - n) if closed else None, "merged_at": zulu(150 - n) if merged else None,
            "merge_commit_sha": f"{n:040x}",
            "head": {"ref": f"ada/pay-{n}-x", "sha": "h", "repo": None, "user": None}, "base": {"ref": "main"},
        }  # fmt: skip

    def reviews(self, n: int) -> list[Row]:
        """Its author's own, a bot's, one that is not sent yet, one of somebody who left, and another person's."""
        own = {"id": n % 5, "login": f"ada{n % 5}", "type": "User"}
        return [
            {"user": own, "state": "COMMENTED", "submitted_at": zulu(199 - n), "body": SECRET},
            {"user": {"id": 99, "login": "ci[bot]", "type": "Bot"}, "state": "APPROVED", "submitted_at": zulu(198 - n)},
            {"user": {"id": 50, "login": "bob", "type": "User"}, "state": "PENDING"},
            {"user": {"id": 50, "login": "bob", "type": "User"}, "state": "APPROVED", "submitted_at": zulu(180 - n)},
            {"user": {"id": 51, "login": "eve", "type": "User"}, "state": "DISMISSED", "submitted_at": zulu(185 - n)},
        ]

    def statuses(self, n: int) -> list[Row]:
        """Newest first. What became inactive had succeeded; an error after it was tried again."""
        states = (["inactive", "success", "in_progress"], ["error", "queued"], ["in_progress"], [])[n % 4]
        return [
            {"state": state, "created_at": zulu(299 - n + place / 60), "description": SECRET}
            for place, state in enumerate(states)
        ]

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer ghp":
            return Reply(
                {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"},
                401,
            )
        path = request.path.removeprefix("/api/v3").replace("/repositories/42", f"/repos/{REPO}")
        match path.removeprefix(f"/repos/{REPO}/").split("/"):
            case ["actions", "runs"]:
                low, high = (same(one) for one in request.query["created"].split(".."))
                found = [one for one in reversed(self.runs) if low <= same(one["created_at"]) <= high]
                if request.query.get("page") == "2" and not self.limited:
                    self.limited = True
                    return Reply({"message": "You have exceeded a secondary rate limit."}, 403, {"Retry-After": "1"})
                return self._page(request, found, "workflow_runs")
            case ["actions", "runs", key]:
                return Reply(next(one for one in self.runs if str(one["id"]) == key))
            case ["actions", "runs", key, "jobs"]:
                return self._page(request, self.jobs(next(one for one in self.runs if str(one["id"]) == key)), "jobs")
            case ["pulls"]:
                return self._page(request, sorted(self.pulls, key=lambda one: same(one["updated_at"]), reverse=True))
            case ["pulls", number, "commits"]:
                commits = [
                    {"commit": {"author": None}},
                    {"commit": {"author": {"date": "2026-10-02T10:00:00+08:00", "email": "x"}, "message": SECRET}},
                ]
                return self._page(request, commits * (60 if number == "9" else 1))
            case ["pulls", number, "reviews"]:
                return self._page(request, self.reviews(int(number)))
            case ["deployments"]:
                return self._page(request, self.deployments[::-1])
            case ["deployments", key, "statuses"]:
                return self._page(request, self.statuses(int(key) - 9_007_199_254_740_993))
        return Reply({"message": "Not Found", "status": "404"}, 404)

    @staticmethod
    def _page(request: Request, listed: Sequence[Any], name: str = "") -> Reply:
        size, number = min(int(request.query.get("per_page", "30")), 100), int(request.query.get("page", "1"))
        shown = list(listed[size * (number - 1) : size * number])
        headers = {}
        if len(listed) > size * number:
            path = request.path.replace(f"/repos/{REPO}", "/repositories/42")
            query = "&".join(f"{key}={value}" for key, value in {**request.query, "page": str(number + 1)}.items())
            url = f"http://{request.headers['host']}{path}?{query}"
            headers["Link"] = f'<{url}>; rel="next", <{url}>; rel="last"'
        return Reply({"total_count": len(listed), name: shown} if name else shown, headers=headers)


TOML = """
[sources.github]
url = "{github}/api/v3"
repos = ["acme/pay.service"]
"""
KEYS = {"AETHER_GITHUB_TOKEN": "ghp"}
