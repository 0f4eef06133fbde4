"""Phoenix against the specification a running 20.26.1 gave, and a server that lists spans as it does."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import Gone, Refused
from connectors.phoenix import Phoenix, PhoenixSettings
from tests.connectors.pull import Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving
from tests.files.reading import stored

START = datetime.fromisoformat("2026-11-20T10:00")


def phoenix(url: str, *, root: Path = Path(), secrets: dict[str, str] | None = None, **settings: Any) -> Phoenix:
    keys = {"api_key": "canary-token"} if secrets is None else secrets
    return Phoenix(PhoenixSettings(**{"url": url, **settings}), keys, network(root=root))


def at(minutes: float) -> str:
    return f"{(START + timedelta(minutes=minutes)).isoformat(timespec='microseconds')}+00:00"


def span(n: int, minutes: float = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": f"U3Bhbjo{n}",
        "name": "ChatCompletion",
        "context": {"trace_id": f"{n + 1:032x}", "span_id": f"{n + 1:016x}"},
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": at(minutes),
        "end_time": at(minutes + 0.05),
        "status_code": "OK",
        "status_message": "",
        "attributes": {
            "llm.model_name": "gpt-4o",
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 50,
            "input.value": "my secret question",
            "app.feature": "refund",
        },
        "events": [],
        **more,
    }


class Server:
    """Projects with spans, newest first, behind a cursor."""

    def __init__(self, spans: list[dict[str, Any]], *, page: int = 1000) -> None:
        self.projects = {"default": spans}
        self.page = page

    def __call__(self, request: Request) -> Reply:
        match request.path.strip("/").split("/"):
            case ["v1", "projects"]:
                return Reply({"data": [{"name": name, "id": name} for name in self.projects], "next_cursor": None})
            case ["v1", "projects", project, "spans"] if project in self.projects:
                low, high = request.query["start_time"], request.query.get("end_time", "9999")
                found = [one for one in self.projects[project] if low <= one["start_time"] < high]
                found.sort(key=lambda one: str(one["start_time"]), reverse=True)
                begin = int(request.query.get("cursor", "0"))
                end = begin + min(self.page, int(request.query["limit"]))
                return Reply({"data": found[begin:end], "next_cursor": str(end) if end < len(found) else None})
        return Reply(b"Project not found", 404, {"Content-Type": "text/plain"})


def test_pages_and_windows_carry_the_key() -> None:
    with serving(Server([span(n, n) for n in range(5)], page=2)) as server:
        done = pull(phoenix(server.url))
        source = phoenix(server.url)
        assert call(source, source.check) == server.url.removeprefix("http://")
        requests = server.requests
    assert (done.error, len(done.table("spans"))) == (None, 5)
    assert any("cursor" in request.query for request in requests)
    assert any("end_time" in request.query for request in requests)
    assert {request.headers["authorization"] for request in requests} == {"Bearer canary-token"}


def one_row(raw: dict[str, Any]) -> dict[str, Any]:
    with serving(Server([raw])) as server:
        (row,) = pull(phoenix(server.url)).table("spans")
    return row


def test_a_span_by_the_alias_table() -> None:
    row = one_row(span(7))
    assert (row["operation"], row["model"], row["status"]) == ("chat", "gpt-4o", "ok")
    assert (row["input_tokens"], row["output_tokens"], row["duration_s"]) == (100, 50, 3.0)
    assert (row["start"], row["source_service"], row["parent_id"]) == (START, "default", None)
    assert row["request_hash"]
    assert json.loads(row["attributes"]) == {"app.feature": "refund"}
    assert "secret" not in stored([row])


def test_both_conventions_on_one_span_count_tokens_once_and_nested_attributes_are_the_same() -> None:
    both = {
        "gen_ai": {"usage": {"input_tokens": 100, "output_tokens": 50}, "request": {"model": "gpt-4o"}},
        "llm": {"token_count": {"prompt": 100, "completion": 50}, "model_name": "gpt-4o"},
        "openinference": {"span": {"kind": "LLM"}},
        "service.name": "assist-api",
    }
    row = one_row(span(7, attributes=both, status_code="ERROR"))
    assert (row["input_tokens"], row["output_tokens"], row["model"]) == (100, 50, "gpt-4o")
    assert (row["source_service"], row["status"]) == ("assist-api", "error")


def test_an_exception_names_the_error() -> None:
    raised = {"name": "exception", "timestamp": at(0), "attributes": {"exception.type": "TimeoutError"}}
    row = one_row(span(7, status_code="ERROR", events=[raised], span_kind="TOOL", parent_id=f"{3:016x}"))
    assert (row["error_type"], row["operation"], row["parent_id"]) == ("TimeoutError", "execute_tool", f"{3:016x}")


def test_unreadable_spans_are_rejects_without_what_was_said() -> None:
    broken = [span(1, context={"trace_id": "xyz", "span_id": "1"}), span(2, end_time="soon"), span(3)]
    with serving(Server(broken)) as server:
        done = pull(phoenix(server.url))
    assert (len(done.table("spans")), len(done.rejects)) == (1, 2)
    assert "secret" not in str(done.rejects)


def test_all_windows_and_pages_are_read_and_whole_windows_move_the_cursor() -> None:
    spans = [span(d * 100 + n, -d * 1440 - n) for d in range(20) for n in range(5)]
    with serving(Server(spans, page=3)) as server:
        done = pull(phoenix(server.url))
    assert (done.error, len(done.table("spans"))) == (None, 100)
    cursors = [json.loads(page.cursor)["default"]["created"] for page in done.pages if page.cursor]
    assert cursors == sorted(cursors)
    assert cursors[-1] == START.isoformat()
    assert any(page.cursor is None for page in done.pages)


def test_a_broken_walk_goes_on_with_the_window_that_broke() -> None:
    spans = [span(d * 100 + n, -d * 1440 - n) for d in range(20) for n in range(5)]
    host, left = Server(spans, page=3), 9

    def failing(request: Request) -> Reply:
        nonlocal left
        left -= 1
        return host(request) if left >= 0 else Reply({"detail": [{"msg": "no"}]}, 422)

    with serving(failing) as server:
        first = pull(phoenix(server.url))
        assert isinstance(first.error, Refused)
        left = 10_000
        second = pull(phoenix(server.url), since=first.cursor)
    assert 0 < len(first.table("spans")) < 100
    assert len(Pulled(first.pages + second.pages).table("spans")) == 100


def test_one_absent_project_does_not_stop_the_others() -> None:
    with serving(Server([span(1)])) as server:
        done = pull(phoenix(server.url, projects=["gone", "default"]))
        without = pull(phoenix(server.url, projects=["gone"]), "annotations")
    assert (without.error, "annotations are left out: gone: " in without.problems[0]) == (None, True)
    assert isinstance(done.error, Gone)
    assert "gone: " in done.error.what
    assert "Project not found" in done.error.what
    assert len(done.table("spans")) == 1


def test_a_server_without_authentication_is_sent_no_key() -> None:
    with serving(Server([span(1)])) as server:
        done = pull(phoenix(server.url, secrets={}, anonymous=True))
        assert "authorization" not in server.requests[0].headers
    assert (done.error, len(done.table("spans"))) == (None, 1)


@pytest.mark.parametrize("projects", [[], [""], ["a/b"], ["a?b"], [".."]])
def test_projects_are_names(projects: list[str]) -> None:
    with pytest.raises(ValidationError):
        PhoenixSettings(projects=projects)


def test_replay(tmp_path: Path) -> None:
    path = "/v1/projects/my app/spans"
    answers: list[dict[str, Any]] = [
        {"match": {"query": {"end_time": None, "cursor": None}}, "body": {"data": [span(1)], "next_cursor": "c"}},
        {"match": {"query": {"cursor": "c"}}, "body": {"data": [span(2)], "next_cursor": None}},
        {"body": {"data": [], "next_cursor": None}},
    ]
    url = recordings(tmp_path, [json.dumps({"method": "GET", "path": path, **answer}) for answer in answers])
    done = pull(phoenix(url, root=tmp_path, projects=["my app"]))
    assert (done.error, len(done.table("spans"))) == (None, 2)
