"""Whether requests are legal by the vendors' own specifications: `serving` asks this of every request of every test."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from openapi_core import OpenAPI

    from tests.connectors.server import Request


_LEGAL: set[tuple[object, ...]] = set()
"""What was asked before in this process, whatever the number in its path."""


def assert_legal(contracts: Path, requests: Iterable[Request]) -> None:
    """Raises openapi-core's (or graphql-core's) own error, which names the field. Services without a specification pass."""
    for request in requests:
        headers = (request.headers.get("authorization", ""), request.headers.get("content-type", ""))
        path = re.sub(r"/\d+", "/0", request.path)
        asked = (contracts, request.method, path, repr(request.query), repr(request.json), headers)
        if asked not in _LEGAL:
            for sign, judge in _JUDGES:
                if found := re.match(sign, request.path):
                    judge(contracts, request, found)
            _LEGAL.add(asked)


def _openapi(
    name: str, host: str, prefix: str = "", *, login: bool = True
) -> Callable[[Path, Request, re.Match[str]], None]:
    """A judge by one specification, of the path behind what matched, with `prefix` before it; its ways to log in are not
    ours everywhere."""

    def judge(contracts: Path, request: Request, found: re.Match[str]) -> None:
        from openapi_core.testing import MockRequest

        said = parse_qs(urlsplit(request.target).query)
        specification(contracts / name, login).validate_request(
            MockRequest(
                host,
                request.method.lower(),
                prefix + request.path[found.end() :],
                args={key: said[key] if len(said.get(key, ())) > 1 else one for key, one in request.query.items()},
                headers={"Authorization": request.headers.get("authorization", "")},
                data=json.dumps(request.json).encode() if request.json is not None else None,
                content_type=request.headers.get("content-type", ""),
            )
        )

    return judge


@cache
def specification(path: Path, login: bool) -> OpenAPI:
    """A vendored OpenAPI."""
    from openapi_core import Config, OpenAPI

    loaded: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
    if login:
        loaded["paths"].pop("/rest/api/3/search", None)  # removed from the Cloud, not from what it publishes
    else:
        for item in loaded["paths"].values():
            for action in (one for one in item.values() if isinstance(one, dict)):
                action["security"] = []
                for parameter in action.get("parameters", ()):  # the judge knows no list that may also be null
                    lists = [one for one in parameter["schema"].get("anyOf", ()) if one.get("type") == "array"]
                    parameter["schema"] = lists[0] if lists else parameter["schema"]
    if "github" in path.name:  # ranges of `created` are legal, although it calls them a date-time
        del loaded["components"]["parameters"]["created"]["schema"]["format"]
    return OpenAPI.from_dict(loaded, config=Config(spec_validator_cls=None))


def _linear(_: Path, request: Request, __: re.Match[str]) -> None:
    """One of the documents that `test_linear` validates against the schema, an operation of it, and its variables."""
    from graphql import GraphQLError, OperationDefinitionNode, build_schema, parse
    from graphql.execution.values import get_variable_values

    assert request.json["query"] in _documents(), "a document that is not among those validated"
    operations = [one for one in parse(request.json["query"]).definitions if isinstance(one, OperationDefinitionNode)]
    (asked,) = [one for one in operations if one.name and one.name.value == request.json["operationName"]]
    declared = {one.variable.name.value for one in asked.variable_definitions}
    assert set(request.json["variables"]) <= declared
    scalars = build_schema("scalar DateTimeOrDuration type Query { texts: String numbers: Int }")
    values = get_variable_values(scalars, asked.variable_definitions, request.json["variables"])
    if isinstance(values, list):
        raise GraphQLError(f"{asked.name.value if asked.name else ''}: {values}")


@cache
def _documents() -> frozenset[str]:
    return frozenset(one.read_text(encoding="utf-8") for one in files("connectors").joinpath("queries").iterdir())


_JIRA = "jira/platform-v3.full.2025-12-25.openapi.json.xz", "https://your-domain.atlassian.net", "/rest/api/3/"
_AGILE = "jira/software-agile.2022-07-16.openapi.json.xz", "https://your-domain.atlassian.com", "/rest/agile/1.0/"
_JUDGES: tuple[tuple[str, Callable[[Path, Request, re.Match[str]], None]], ...] = (
    (r"/graphql$", _linear),
    (r"(/ex/jira/[^/]+)?/rest/api/3/", _openapi(*_JIRA)),
    # Data Center has no specification: its lists are those that the Cloud's still has, the removed search among them.
    (r"(/\w+)?/rest/api/2/", _openapi(*_JIRA, login=False)),
    (r"(/\w+)?/rest/agile/1.0/", _openapi(*_AGILE, login=False)),
    (
        r"(/api/v3)?(?=/(repos/|user$))",
        _openapi("github/api.github.com.subset.openapi.json.xz", "https://api.github.com"),
    ),
    (r"(?=/v1/projects)", _openapi("phoenix/openapi-20.26.1.json.xz", "http://localhost:6006", login=False)),
)
