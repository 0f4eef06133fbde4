"""Scores of Langfuse: a project with several pages of them, by its published definition, up to the numbers they give."""

from __future__ import annotations

import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from aether_tui.cache import Cache
from aether_tui.workspace.folder import Workspace
from tests.command import aether
from tests.connectors.pull import NOW, pull
from tests.connectors.server import Reply, Request, serving
from tests.connectors.test_langfuse import Cloud, generation, langfuse

BEGAN = NOW - timedelta(days=2)
CANARY = "the customer wrote that she is ill"


def iso(minutes: float) -> str:
    return (BEGAN + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def score(n: int, name: str, kind: str, value: Any, subject: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "id": f"score-{n}", "projectId": "p1", "name": name, "dataType": kind, "value": value, "source": "API",
        "timestamp": iso(n / 60), "environment": "default", "createdAt": iso(n / 60), "updatedAt": iso(n / 60),
        "subject": subject, **more,
    }  # fmt: skip


def trace(n: int) -> dict[str, str]:
    return {"kind": "trace", "id": f"{n:032X}"}  # ids are hex, in whatever case a sender wrote them


class Project(Cloud):
    """As documented: core fields always, `subject` where asked for, at most 100 a page, unknown groups and types refused."""

    def __init__(self, scores: list[dict[str, Any]], observations: list[dict[str, Any]], *, old: bool = False) -> None:
        super().__init__(observations, old=old)
        self.scores, self.before = scores, old

    def __call__(self, request: Request) -> Reply:
        query = request.query
        if not request.path.endswith("/scores"):
            return super().__call__(request)
        found = [
            one for one in self.scores if query["fromTimestamp"] <= one["timestamp"] < query.get("toTimestamp", "9")
        ]
        size = int(query.get("limit", "50"))
        if size > 100:
            return Reply({"message": "limit"}, 400)
        if request.path == "/api/public/v3/scores" and not self.before:
            groups, types = query.get("fields", ""), query.get("dataType", "")
            if set(groups.split(",")) - {"details", "subject", "annotation", ""}:
                return Reply({"message": "unknown group"}, 400)
            found = [one for one in found if not types or one["dataType"] in types.split(",")]
            found = [{**one, **({"comment": CANARY} if "details" in groups else {})} for one in found]
            if "subject" not in groups:
                found = [{name: value for name, value in one.items() if name != "subject"} for one in found]
            begin = int(query.get("cursor", "0"))
            more = {"cursor": str(begin + size)} if begin + size < len(found) else {}
            return Reply({"data": found[begin : begin + size], "meta": {"limit": size, **more}})
        if request.path == "/api/public/v2/scores" and self.before:
            begin = (int(query["page"]) - 1) * size
            meta = {
                "page": int(query["page"]),
                "limit": size,
                "totalItems": len(found),
                "totalPages": -(-len(found) // size),
            }
            return Reply({"data": list(map(as_before, found[begin : begin + size])), "meta": meta})
        return Reply({"message": "Not Found"}, 404)


def as_before(one: dict[str, Any]) -> dict[str, Any]:
    """The same score in the words of the list before: ids beside it, yes and no as 1 and 0, words apart, always a comment."""
    subject, value = one["subject"], one["value"]
    of = {"trace": "traceId", "observation": "observationId", "session": "sessionId"}[subject["kind"]]
    told = {"value": value}
    if one["dataType"] == "BOOLEAN":
        told = {"value": float(value), "stringValue": "True" if value else "False"}
    elif one["dataType"] != "NUMERIC":
        told = {"value": 0, "stringValue": value}
    kept = {name: cell for name, cell in one.items() if name not in ("subject", "value")}
    return {
        **kept,
        **told,
        "traceId": subject.get("traceId"),
        of: subject["id"],
        "comment": CANARY,
        "metadata": {"a": CANARY},
    }


def world() -> list[dict[str, Any]]:
    """Many numbers, and one of everything else."""
    many = [score(n, "helpfulness", "NUMERIC", n / 250, trace(n % 5), source="EVAL") for n in range(250)]
    seen = {"kind": "observation", "id": "ABCD", "traceId": f"{7:032x}"}
    return [
        *many,
        score(300, "verdict", "CATEGORICAL", "Partly right", seen, source="ANNOTATION"),
        score(301, "refused", "BOOLEAN", False, trace(8)),
        score(302, "mood", "CATEGORICAL", "angry", {"kind": "session", "id": "s1"}),
        score(303, "note", "TEXT", CANARY, trace(8)),
        score(304, "better", "CORRECTION", CANARY, trace(8)),
        score(306, "verdict", "CATEGORICAL", "Right", trace(11)),
        score(305, "late", "NUMERIC", 1e-7, trace(9), timestamp=iso(305 / 60).replace("Z", "+00:00")),
    ]  # fmt: skip


@pytest.mark.parametrize("old", [False, True])
def test_every_score_that_is_a_value_comes_once_and_nothing_that_was_written(old: bool, contracts: Path) -> None:
    with tarfile.open(contracts / "langfuse" / "fern-server-definition.tar.xz") as archive:
        member = archive.extractfile(f"fern/apis/server/definition/{'scores' if old else 'scores-v3'}.yml")
        assert member is not None
        service = yaml.safe_load(member.read())["service"]
    endpoint = service["endpoints"]["get-many" if old else "getManyV3"]
    with serving(Project(world(), [], old=old)) as server:
        done = pull(langfuse(server.url), "scores")
        sent = [request for request in server.requests if request.path == service["base-path"] + endpoint["path"]]
    assert sent
    assert {name for request in sent for name in request.query} <= set(endpoint["request"]["query-parameters"])
    assert {request.query["fields"] for request in sent} == {"score" if old else "subject"}
    rows = {row["id"]: row for row in done.table("outcomes")}
    assert (done.error, done.rejects, len(rows)) == (None, [], 255)
    shown = ("name", "value", "kind", "trace_id", "span_id", "conversation")
    assert [tuple(rows[f"score-{n}"][name] for name in shown) for n in (7, 300, 301, 302, 305)] == [
        ("helpfulness", "0.028", "EVAL", f"{2:032x}", None, None),
        ("verdict", "Partly right", "ANNOTATION", f"{7:032x}", "abcd", None),
        ("refused", "false", "API", f"{8:032x}", None, None),
        ("mood", "angry", "API", None, None, "s1"),
        ("late", "1e-07", "API", f"{9:032x}", None, None),
    ]
    assert rows["score-305"]["at"] == BEGAN.replace(tzinfo=None) + timedelta(minutes=305 / 60)
    assert CANARY not in str(done.pages)


def test_a_broken_score_is_a_reject_without_what_was_written() -> None:
    with serving(Project([{**world()[0], "updatedAt": "soon"}, world()[1]], [], old=True)) as server:
        done = pull(langfuse(server.url), "scores")
    assert (len(done.table("outcomes")), [reject.where for reject in done.rejects]) == (1, ["score-0"])
    assert CANARY not in str(done.rejects)


TOML = """
[sources.langfuse]
url = "{url}"
[mapping.scores]
helpfulness = [">= 0.99"]
verdict = ["right", "partly right"]
refused = ["false"]
late = ["1"]
"""


def outcomes(root: Path) -> dict[str, Any]:
    with Cache(Workspace(root).cache_path).read() as lease:
        return {str(row["trace_id"])[-1]: row["outcome"] for row in lease.rows("SELECT trace_id, outcome FROM tasks")}


def test_scores_say_how_tasks_ended_by_the_mapping_in_whatever_order_both_come(tmp_path: Path) -> None:
    """One failing score outweighs others; what a span itself says comes first; a name that nobody mapped is a finding."""
    seen = [
        {**generation(n), "id": f"{n:016x}", "traceId": f"{n:032x}", "startTime": iso(n), "endTime": iso(n + 1)}
        | ({"metadata": {"outcome": "yes"}} if n == 3 else {})
        for n in (0, 3, 4, 7, 8, 9, 10)
    ]
    project = Project(world(), seen[:-2])
    now = ("--as-of", NOW.isoformat())
    secrets = {"AETHER_LANGFUSE_PUBLIC_KEY": "pk", "AETHER_LANGFUSE_SECRET_KEY": "sk"}
    with serving(project) as server:
        (tmp_path / "aether.toml").write_text(TOML.format(url=server.url))
        assert (first := aether(*now, "sync", cwd=tmp_path, env=secrets)).code == 0, first.err
        assert outcomes(tmp_path) == {"0": "failure", "3": "success", "4": "failure", "7": "success", "8": "success"}
        # The trace of a score that was there before it, and one that nobody scored.
        project.observations = seen
        assert aether(*now, "sync", cwd=tmp_path, env=secrets).code == 0
        told = {
            "0": "failure",
            "3": "success",
            "4": "failure",
            "7": "success",
            "8": "success",
            "9": "failure",
            "a": None,
        }
        assert outcomes(tmp_path) == told
        server.requests.clear()
        (tmp_path / "aether.toml").write_text(
            TOML.format(url=server.url).replace("0.99", "-1").replace('refused = ["false"]\n', "")
        )
        # Whatever writes derives again, without asking anybody; here spans of a trace that was scored elsewhere.
        (tmp_path / "spans.csv").write_text(f"trace_id,span_id,start\n{11:032x},b,{iso(11)}\n")
        assert aether(*now, "load", "spans.csv", cwd=tmp_path).code == 0
        assert server.requests == []
    assert outcomes(tmp_path) == {**told, "0": "success", "4": "success", "8": None, "b": "success"}
    assert aether("cache", "verify", cwd=tmp_path).code == 0
    report = aether(*now, "report", "instrumentation", "--format", "json", cwd=tmp_path).json
    (finding,) = [one for one in report["findings"] if one["id"] == "instrumentation.scores"]
    assert finding["action"].endswith('[mapping.scores] "mood" = ["angry"]')
    assert "refused (1: false)" in finding["text"]
    shown = aether("trace", f"{7:032x}", cwd=tmp_path)
    assert "Partly right" in shown.out, shown.err
