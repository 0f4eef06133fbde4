"""Fixtures of connector tests: the big schemas read once."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema
from openapi_core import OpenAPI


@pytest.fixture(scope="session")
def linear_schema(contracts: Path) -> GraphQLSchema:
    """Linear's schema, built once per session (5 s)."""
    return build_schema(
        lzma.decompress((contracts / "linear" / "schema.graphql.xz").read_bytes()).decode(), assume_valid=True
    )


def _spec(path: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(lzma.decompress((path / name).read_bytes()))
    return loaded


@pytest.fixture(scope="session")
def jira_api(contracts: Path) -> OpenAPI:
    """Jira Cloud's specification, the 18 paths a reader needs."""
    return OpenAPI.from_dict(_spec(contracts, "jira/platform-v3.subset.openapi.json.xz"))


@pytest.fixture(scope="session")
def jira_agile_api(contracts: Path) -> OpenAPI:
    """Jira Software's specification: the two lists a reader needs; its ways to log in are not known to the validator."""
    spec = _spec(contracts, "jira/software-agile.2022-07-16.openapi.json.xz")
    wanted = ("/rest/agile/1.0/board", "/rest/agile/1.0/board/{boardId}/sprint")
    paths = {path: {"get": {**spec["paths"][path]["get"], "security": []}} for path in wanted}
    return OpenAPI.from_dict({**spec, "paths": paths})


@pytest.fixture(scope="session")
def github_api(contracts: Path) -> OpenAPI:
    """GitHub's specification; ranges of `created` are legal, although it calls them a date-time."""
    spec = _spec(contracts, "github/api.github.com.subset.openapi.json.xz")
    del spec["components"]["parameters"]["created"]["schema"]["format"]
    return OpenAPI.from_dict(spec)


@pytest.fixture(scope="session")
def real(contracts: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Real answers of a service by table, such as `jira/issues`: the `data` column, with the parent's id as `input`."""

    def rows(table: str) -> list[dict[str, Any]]:
        csv.field_size_limit(10**9)
        with gzip.open(contracts / f"{table}.csv.gz", "rt") as file:
            return [{**json.loads(row["data"]), "_input": row["input"]} for row in csv.DictReader(file)]

    return rows


@pytest.fixture(scope="session")
def facts(contracts: Path) -> dict[str, Any]:
    """Counts and sums of the contract data, computed by code that is not ours."""
    loaded: dict[str, Any] = json.loads((contracts / "facts.json").read_text())
    return loaded
