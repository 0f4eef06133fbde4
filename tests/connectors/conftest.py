"""Fixtures of connector tests: no waiting, and the big schemas read once."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from graphql import GraphQLSchema, build_schema


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries happen at once; how long they would have waited is in `Network.waited_s`."""
    with stamina.set_testing(True, attempts=6):
        yield


@pytest.fixture(scope="session")
def linear_schema(contracts: Path) -> GraphQLSchema:
    """Linear's schema, built once per session (5 s)."""
    return build_schema(lzma.open(contracts / "linear" / "schema.graphql.xz", "rt").read(), assume_valid=True)
