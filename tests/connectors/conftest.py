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


@pytest.fixture(scope="session")
def linear_schema(contracts: Path) -> GraphQLSchema:
    """Linear's schema, built once per session (5 s)."""
    return build_schema(
        lzma.decompress((contracts / "linear" / "schema.graphql.xz").read_bytes()).decode(), assume_valid=True
    )


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
