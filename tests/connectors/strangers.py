"""Servers written from what vendors publish, with content that is odd and documented; they know nothing of our connectors.

Each refuses what its service refuses: unknown parameters, too large pages, a key that is not the one it gave out.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

from tests.connectors.pull import NOW
from tests.connectors.server import Reply, Request, tagged

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0)
SECRET = "words that somebody wrote"


def ago(hours: float, zone: int = 0) -> str:
    """An instant as a server in another zone writes it."""
    at = (NOW - timedelta(hours=hours)).astimezone(timezone(timedelta(hours=zone)))
    return at.isoformat(timespec="milliseconds")


def basic(request: Request, user: str, password: str) -> bool:
    told = request.headers.get("authorization", "").removeprefix("Basic ")
    return base64.b64decode(told or "Og==").decode() == f"{user}:{password}"


def same(text: str) -> datetime:
    return datetime.fromisoformat(text)


# -- GitLab: https://docs.gitlab.com/api/rest/, pipelines, jobs, merge_requests, commits, notes, deployments


def _person(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "username": name, "name": name.title(), "email": f"{name}@example.com"}


class GitLab:
    """One project of a group in a group: 205 deployments, five pipelines (one retried, one by hand, one of a child), four
    merge requests merged in four ways."""

    path = "acme/platform/shop"
    known = {
        "pipelines": {"order_by", "sort", "updated_after", "source", "per_page", "page"},
        "merge_requests": {"order_by", "sort", "updated_after", "scope", "view", "per_page", "page"},
        "deployments": {"order_by", "sort", "updated_after", "per_page", "page"},
        "jobs": {"include_retried", "per_page", "page"},
        "commits": {"per_page", "page"},
        "notes": {"order_by", "sort", "per_page", "page"},
    }  # fmt: skip

    def __init__(self) -> None:
        def pipeline(number: int, status: str, hours: float, source: str = "push", **more: Any) -> dict[str, Any]:
            return {
                "id": 9_007_199_254_740_993 + number, "iid": number, "project_id": 5, "sha": f"{number}" * 40, "ref": "main",
                "status": status, "source": source, "created_at": ago(hours, 2), "updated_at": ago(hours - 1, 2), "name": None,
                "web_url": f"https://gitlab.example/{self.path}/-/pipelines/{number}", **more,
            }  # fmt: skip

        self.pipelines = [
            pipeline(1, "success", 50), pipeline(2, "failed", 40), pipeline(3, "manual", 30), pipeline(4, "running", 2),
            pipeline(5, "success", 20, "parent_pipeline"),
        ]  # fmt: skip
        self.requests = [
            {
                "id": 70 + n, "iid": n, "state": "merged" if n < 4 else "closed", "title": f"PAY-{n} pay", "source_branch": f"pay-{n}",
                "target_branch": "main", "created_at": ago(60, -7), "updated_at": ago(60 - n, -7), "closed_at": None,
                "merged_at": ago(60 - n, -7) if n < 4 else None, "author": _person(n, "ada") if n != 2 else None, "labels": ["bug"],
                "description": SECRET, "sha": f"head{n}", "merge_commit_sha": "merge1" if n == 1 else None,
                "squash_commit_sha": "squash2" if n == 2 else None,
            }
            for n in (1, 2, 3, 4)
        ]  # fmt: skip
        statuses = ("success", "failed", "canceled", "running", "blocked")
        self.deployments = [
            {
                "id": n, "iid": n, "sha": "a" * 40, "ref": "main", "status": statuses[n % 5], "created_at": ago(300 - n, 8),
                "updated_at": ago(299.9 - n, 8), "user": _person(9, "bob"), "deployable": None,
                "environment": {"id": 1, "name": "production/eu"},
            }
            for n in range(1, 206)
        ]  # fmt: skip

    def jobs(self, number: int) -> list[dict[str, Any]]:
        """A failed job that was retried two hours later, and one that waits for a hand; a runner only where one took it."""

        def job(place: int, name: str, status: str, hours: float | None, **more: Any) -> dict[str, Any]:
            times = {"started_at": None, "finished_at": None, "duration": None, "queued_duration": None, "runner": None}
            if hours is not None:
                times = {
                    "started_at": ago(hours, 2), "finished_at": ago(hours - 0.25, 2), "duration": 900.123456, "queued_duration": 4.5,
                    "runner": {"id": 1, "description": "linux-small"},
                }  # fmt: skip
            return {
                "id": number * 100 + place, "name": name, "stage": "test", "status": status, "created_at": ago(50, 2),
                "pipeline": {"id": 9_007_199_254_740_993 + number}, "user": _person(9, "bob"), "allow_failure": False, "tag_list": [],
                "artifacts": [{"file_type": "archive", "size": 1000}, {"file_type": "trace", "size": 5}], **times, **more,
            }  # fmt: skip

        if number == 1:
            return [job(1, "unit", "failed", 49.9), job(2, "unit", "success", 47.5), job(3, "ship", "manual", None)]
        return [job(1, "unit", "success" if number != 2 else "failed", 39)] if number in (2, 5) else []

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("private-token", request.headers.get("authorization", "")) not in (
            "glpat",
            "Bearer glpat",
        ):
            return Reply({"message": "401 Unauthorized"}, 401)
        root, _, rest = request.path.removeprefix("/api/v4/projects/").partition("/")
        if unquote(root) != self.path:
            return Reply({"message": "404 Project Not Found"}, 404)
        parts = rest.split("/")
        unknown = set(request.query) - self.known.get(parts[-1], set())
        if unknown or int(request.query.get("per_page", "20")) > 100:
            return Reply({"error": f"{unknown} is invalid"}, 400)
        match parts:
            case ["pipelines"]:
                wanted = request.query.get("source")
                # Without a source the list leaves out child pipelines.
                listed = [
                    p
                    for p in self.pipelines
                    if p["source"] == wanted or (not wanted and p["source"] != "parent_pipeline")
                ]
                return self._changed(request, listed)
            case ["merge_requests"]:
                simple = (
                    "id",
                    "iid",
                    "project_id",
                    "title",
                    "description",
                    "state",
                    "created_at",
                    "updated_at",
                    "web_url",
                )
                if request.query.get("view") != "simple":
                    return self._changed(request, self.requests)
                return self._changed(
                    request, [{key: one[key] for key in simple if key in one} for one in self.requests]
                )
            case ["deployments"]:
                return self._changed(request, self.deployments)
            case ["pipelines", key]:
                found = next(one for one in self.pipelines if str(one["id"]) == key)
                times = {"started_at": found["created_at"], "finished_at": found["updated_at"]}
                return Reply(
                    {
                        **found,
                        **times,
                        "duration": 1800,
                        "queued_duration": 3,
                        "coverage": "85.5",
                        "user": _person(1, "ada"),
                    }
                )
            case ["pipelines", key, "jobs"]:
                assert request.query.get("include_retried") == "true", "the list leaves out jobs that were retried"
                return self._page(request, self.jobs(int(key) - 9_007_199_254_740_993))
            case ["pipelines", key, "test_report"]:
                return Reply(self.report(int(key) - 9_007_199_254_740_993))
            case ["merge_requests", _, "commits"]:
                dates = ("2026-10-02T10:00:00.000+08:00", "2026-10-01T23:30:00.000-05:00")
                return self._page(request, [{"id": "c", "authored_date": at, "title": SECRET} for at in dates])
            case ["merge_requests", _, "notes"]:
                notes = [
                    {"author": _person(1, "ada"), "created_at": ago(59), "system": False, "body": SECRET},
                    {
                        "author": _person(8, "service_account_group_1_ab"),
                        "created_at": ago(58),
                        "system": False,
                        "body": "ok",
                    },
                    {
                        "author": _person(7, "bob"),
                        "created_at": ago(57.5),
                        "system": True,
                        "body": "approved this merge request",
                    },
                ]
                return self._page(request, notes)
        return Reply({"message": "404 Not Found"}, 404)

    @staticmethod
    def report(number: int) -> dict[str, Any]:
        if number != 2:
            return {"total_time": 0, "total_count": 0, "test_suites": []}
        cases = [
            {"status": "success", "name": "one", "classname": "a", "execution_time": 0.16, "system_output": None},
            {
                "status": "failed",
                "name": "two",
                "classname": "a",
                "execution_time": "1.5",
                "system_output": {"message": "no"},
            },
            {"status": "success", "name": "two", "classname": "a", "execution_time": 1.25, "system_output": None},
        ]
        return {
            "total_time": 2.9,
            "total_count": 3,
            "test_suites": [{"name": "unit", "total_time": 2.9, "test_cases": cases}],
        }

    def _changed(self, request: Request, listed: Sequence[dict[str, Any]]) -> Reply:
        assert (request.query["order_by"], request.query["sort"]) == ("updated_at", "asc")
        after = same(request.query["updated_after"])
        found = [one for one in listed if same(one["updated_at"]) >= after]
        return self._page(request, sorted(found, key=lambda one: same(one["updated_at"])))

    @staticmethod
    def _page(request: Request, listed: Sequence[Any]) -> Reply:
        size, number = int(request.query.get("per_page", "20")), int(request.query.get("page", "1"))
        more = number + 1 if len(listed) > size * number else ""
        return Reply(
            list(listed[size * (number - 1) : size * number]),
            headers={"X-Next-Page": str(more), "X-Total": str(len(listed))},
        )


# -- Amplitude: https://amplitude.com/docs/apis/analytics/dashboard-rest and /export


def users(day: date, base: int = 1_000) -> int | None:
    """Those of a day; none is told of the second day before yesterday."""
    return None if day == YESTERDAY - timedelta(days=2) else base + day.day


class Amplitude:
    """A project whose days are days in New York: labels as pairs, a day without a value, an export of two hours."""

    zone = ZoneInfo("America/New_York")
    base = 1_000

    def __call__(self, request: Request) -> Reply:
        if not basic(request, "key", "secret"):
            return Reply({"error": "Unauthorized"}, 401)
        query = request.query
        if request.path == "/api/2/export":
            return self._export(query)
        first, last = (datetime.strptime(query[name], "%Y%m%d").date() for name in ("start", "end"))  # noqa: DTZ007
        axis = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        days = [day.isoformat() for day in axis]
        if request.path == "/api/2/users":
            values = [users(day, self.base) for day in axis]
            return Reply({"data": {"series": [values], "seriesMeta": [{"segmentIndex": 0}], "xValues": days}})
        if request.path == "/api/2/events/segmentation":
            name = json.loads(query["e"])["event_type"]
            values = [len(name) * day.day for day in axis]
            told = {
                "series": [values],
                "seriesLabels": [[0, name]],
                "xValues": days,
                "seriesCollapsed": [[{"setId": "", "value": 7}]],
            }
            return Reply({"data": told})
        if request.path == "/api/2/funnels":
            return Reply({"data": [{"dayFunnels": {"xValues": days, "series": [[10, 4]] * len(days)}}]})
        if request.path == "/api/2/retention":
            shares = [{"count": 5, "outof": 10, "incomplete": n > 1} for n in range(31)]
            return Reply({"data": {"series": [{"values": dict.fromkeys(days, shares)}]}})
        return Reply({"error": "not found"}, 404)

    @staticmethod
    def _export(query: dict[str, str]) -> Reply:
        begin, end = (datetime.strptime(query[name], "%Y%m%dT%H").replace(tzinfo=UTC) for name in ("start", "end"))
        uploaded = {MIDNIGHT - timedelta(hours=20): 3, MIDNIGHT - timedelta(hours=5): 4}
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for hour, count in uploaded.items():
                if begin <= hour <= end:
                    lines = [
                        json.dumps({
                            "uuid": f"{hour:%H}-{n // 2}", "event_type": "Ordered", "user_id": "ada@example.com", "city": SECRET,
                            "event_time": f"{hour - timedelta(minutes=n):%Y-%m-%d %H:%M:%S}.123000",
                        })
                        for n in range(count)
                    ]  # fmt: skip
                    # Hours are written without a leading nought, and a large hour in several files.
                    archive.writestr(
                        f"42/42_{hour:%Y-%m-%d}_{hour.hour}#0.json.gz", gzip.compress("\n".join(lines).encode())
                    )
        return (
            Reply(packed.getvalue(), headers={"Content-Type": "application/zip"})
            if archive.namelist()
            else Reply(b"", 404)
        )


# -- Phoenix: the OpenAPI of /v1/projects/{project}/spans


class Phoenix:
    """A project of 1,100 spans, newest first behind a cursor, times in India; attributes nested, some under both names."""

    def __init__(self) -> None:
        self.spans = [self._span(n) for n in range(1100)]
        self.said = [self._said("span", n, self.spans[n]["context"]["span_id"]) for n in (1, 3, 3, 900)]
        self.said.append(self._said("trace", 4, self.spans[7]["context"]["trace_id"]))

    @staticmethod
    def _said(of: str, n: int, name: str) -> dict[str, Any]:
        result = {"label": "helpful" if n % 2 else None, "score": 0.25, "explanation": SECRET}
        return {
            "id": f"{of}-{n}-{name}", "name": "helpfulness", "annotator_kind": "HUMAN", "result": result if n != 900 else None,
            "metadata": {"said": SECRET}, "identifier": "", f"{of}_id": name, "source": "APP", "user_id": "VXNlcjox",
            "created_at": ago(1, 5), "updated_at": ago(0.5, 5),
        }  # fmt: skip

    def _annotations(self, request: Request, of: str) -> Reply:
        query = parse_qs(urlsplit(request.target).query)
        assert query["exclude_annotation_names"] == ["note"]
        wanted = query[f"{of}_ids"]
        assert 0 < len(wanted) <= 1000
        return Reply({"data": [one for one in self.said if one.get(f"{of}_id") in wanted], "next_cursor": None})

    def _traces(self, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        traces: dict[str, dict[str, Any]] = {}
        for one in found:  # the newest first: the last one is the root, which began the trace
            trace = traces.setdefault(one["context"]["trace_id"], {"spans": []})
            trace["spans"].append({"id": one["id"], "span_id": one["context"]["span_id"], "name": one["name"]})
            trace |= {
                "trace_id": one["context"]["trace_id"],
                "start_time": one["start_time"],
                "end_time": one["end_time"],
            }
        return list(traces.values())

    @staticmethod
    def _span(n: int) -> dict[str, Any]:
        start = NOW - timedelta(minutes=n, hours=3)
        india = timezone(timedelta(hours=5, minutes=30))
        root = n % 2 == 0
        counts = {"prompt": 100, "completion": 20, "total": 120, "prompt_details": {"cache_read": 40}}
        return {
            "id": f"span{n}", "name": "agent" if root else "llm", "span_kind": "AGENT" if root else "LLM",
            "context": {"trace_id": f"{n // 2 + 1:032x}", "span_id": f"{n + 1:016x}"}, "parent_id": None if root else f"{n:016x}",
            "start_time": start.astimezone(india).isoformat(), "end_time": (start + timedelta(seconds=2.5)).astimezone(india).isoformat(),
            "status_code": "ERROR" if n == 1 else "UNSET", "status_message": SECRET, "events": [],
            "attributes": {
                "session": {"id": "s-1"}, "user": {"id": "ada@example.com"}, "input": {"value": SECRET}, "output": {"value": SECRET},
                **({} if root else {
                    "llm": {"model_name": "gpt-4o-mini", "provider": "openai", "token_count": counts, "cost": {"total": "0.000123"}},
                    "gen_ai": {"usage": {"input_tokens": 100, "output_tokens": 20}},
                }),
            },
        }  # fmt: skip

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer px":
            return Reply(b"Invalid token", 401, {"Content-Type": "text/plain"})
        kind = request.path.removeprefix("/v1/projects/shop/")
        if kind in ("span_annotations", "trace_annotations"):
            return self._annotations(request, kind.partition("_")[0])
        if kind not in ("spans", "traces"):
            return Reply(b"Not found", 404, {"Content-Type": "text/plain"})
        query, limit = request.query, int(request.query.get("limit", "100"))
        if limit > 1000 or set(query) - {
            "cursor",
            "limit",
            "start_time",
            "end_time",
            *["include_spans"] * (kind == "traces"),
        }:
            return Reply({"detail": [{"loc": ["query"], "msg": "not so"}]}, 422)
        low, high = same(query["start_time"]), same(query.get("end_time", "9999-12-31T00:00:00+00:00"))
        found = [one for one in self.spans if low <= same(one["start_time"]) < high]
        found = self._traces(found) if kind == "traces" else found
        begin = int(query.get("cursor", "0"))
        more = str(begin + limit) if begin + limit < len(found) else None
        return Reply({"data": found[begin : begin + limit], "next_cursor": more})


# -- Cost Explorer: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html


class CostExplorer:
    """Two services in two accounts over the days asked for, in pages that end in the middle of a day; a credit, a tax, numbers as
    text, the newest day estimated. Every request is billed."""

    def __init__(self, size: int = 25) -> None:
        self.size = size
        self.charges = dict(CHARGES)

    def __call__(self, request: Request) -> Reply:
        signed = request.headers.get("authorization", "")
        if (
            not signed.startswith("AWS4-HMAC-SHA256 Credential=AKIASTRANGER/")
            or "/us-east-1/ce/aws4_request" not in signed
        ):
            return Reply({"__type": "UnrecognizedClientException", "message": "The security token is invalid."}, 400)
        asked = request.json
        if not asked.get("Metrics") or len(asked.get("GroupBy", [])) > 2:
            return Reply({"__type": "ValidationException", "message": "no"}, 400)
        first, end = (date.fromisoformat(asked["TimePeriod"][name]) for name in ("Start", "End"))
        days = [first + timedelta(days=n) for n in range((end - first).days)]
        groups = [(day, keys, amount) for day in days for keys, amount in self.charges.items()]
        begin, size = int(asked.get("NextPageToken", "0")), self.size
        results: dict[date, dict[str, Any]] = {}
        for day, keys, amount in groups[begin : begin + size]:
            period = {"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()}
            of_day = {"TimePeriod": period, "Total": {}, "Groups": [], "Estimated": day == days[-1]}
            metrics = {name: {"Amount": amount, "Unit": "USD"} for name in asked["Metrics"]}
            results.setdefault(day, of_day)["Groups"].append({"Keys": list(keys), "Metrics": metrics})
        more = {"NextPageToken": str(begin + size)} if begin + size < len(groups) else {}
        told = {"ResultsByTime": list(results.values()), "DimensionValueAttributes": [], **more}
        return Reply(told, headers={"Content-Type": "application/x-amz-json-1.1"})


CHARGES = {
    ("Amazon Bedrock", "111122223333"): "0.1234567891", ("Amazon Bedrock", "444455556666"): "1E-7",
    ("Tax", "111122223333"): "0.07", ("AWS Credits", "111122223333"): "-0.0500000000",
}  # fmt: skip


def strangers() -> dict[str, Callable[[Request], Reply]]:
    """A server for each source."""
    return {"gitlab": tagged(GitLab()), "amplitude": Amplitude(), "phoenix": Phoenix(), "aws": CostExplorer()}


TOML = """
[sources.gitlab]
url = "{gitlab}"
projects = ["acme/platform/shop"]
[sources.amplitude]
url = "{amplitude}"
timezone = "America/New_York"
days_back = 5
events = ["Ordered"]
export = true
export_days_back = 2
[sources.phoenix]
url = "{phoenix}"
projects = ["shop"]
[sources.aws]
url = "{aws}"
days_back = 30
"""
KEYS = {
    "AETHER_GITLAB_TOKEN": "glpat", "AETHER_AMPLITUDE_API_KEY": "key", "AETHER_AMPLITUDE_SECRET_KEY": "secret",
    "AETHER_PHOENIX_API_KEY": "px", "AETHER_AWS_ACCESS_KEY_ID": "AKIASTRANGER", "AETHER_AWS_SECRET_ACCESS_KEY": "secret",
}  # fmt: skip
YESTERDAY: date = (NOW.astimezone(Amplitude.zone) - timedelta(days=1)).date()
