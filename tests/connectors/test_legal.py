"""What `serving` asks of every request would be noticed if it were not so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError
from openapi_core.exceptions import OpenAPIError

from tests.connectors.legal import assert_legal
from tests.connectors.server import Request

_BASIC = {"authorization": "Basic YTpi", "content-type": "application/json"}
_JQL = {"jql": "updated >= 1", "fields": ["id"], "maxResults": 100}


def _issues(**variables: object) -> dict[str, object]:
    from connectors.linear import _document

    return {"query": _document("linear_issues"), "operationName": "Issues", "variables": {"first": 50, **variables}}


@pytest.mark.parametrize(
    ("request_", "broken", "error"),
    [
        (Request("POST", "/rest/api/3/search/jql", {}, _BASIC, _JQL), {"json": {**_JQL, "startAt": 0}}, OpenAPIError),
        (Request("GET", "/rest/api/3/field", {}, _BASIC, None), {"path": "/rest/api/3/search"}, OpenAPIError),
        (Request("GET", "/ex/jira/1/rest/api/3/field", {}, _BASIC, None), {"method": "PUT"}, OpenAPIError),
        (Request("GET", "/jira/rest/api/2/search", {"startAt": "5"}, {}, None), {"query": {"startAt": "x"}}, OpenAPIError),
        (Request("GET", "/rest/agile/1.0/board", {"startAt": "5"}, {}, None), {"query": {"startAt": "x"}}, OpenAPIError),
        (Request("GET", "/repos/a/b/pulls", {"state": "all"}, {}, None), {"query": {"state": "merged"}}, OpenAPIError),
        (Request("GET", "/v1/projects/p/spans", {"limit": "9"}, {}, None), {"query": {"limit": "5000"}}, OpenAPIError),
        (Request("POST", "/graphql", {}, {}, _issues(since="2026")), {"json": _issues()}, GraphQLError),
        (Request("POST", "/graphql", {}, {}, _issues(since="2026")), {"json": _issues(since="2026", first="x")}, GraphQLError),
        (Request("POST", "/graphql", {}, {}, _issues(since="2026")), {"json": _issues(since="2026", more=1)}, AssertionError),
    ],
)  # fmt: skip
def test_a_request_that_its_service_would_refuse_is_found(
    contracts: Path, request_: Request, broken: dict[str, Any], error: type[Exception]
) -> None:
    assert_legal(contracts, [request_])
    with pytest.raises(error):
        assert_legal(contracts, [replace(request_, **broken)])
