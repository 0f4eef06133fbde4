"""The letter that asks for access: complete, true to the connectors, and without touching anything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import aether_tui
from aether_tui.diagnostics.needs import NEEDS, PARTS, unlocked
from aether_tui.sync.registry import connector, connector_names
from tests.command import aether

ROOT = Path(aether_tui.__file__).parent


def test_every_stream_unlocks_a_number_and_a_query_of_a_report_reads_every_table_it_fills() -> None:
    asked = "\n".join(
        path.read_text() for folder in ("diagnostics", "records") for path in (ROOT / folder / "sql").glob("*.sql")
        if path.name not in {"row_counts.sql", "freshness.sql"}
    )  # fmt: skip
    tables = {table.name for name in connector_names() for stream in connector(name).streams for table in stream.tables}
    assert {table for table in tables if not unlocked(table)} == set()
    assert {table for table in tables if not re.search(rf"(FROM|JOIN|,|\{{) ?{table}\b", asked)} == set()
    assert {need.table for need in NEEDS} | set(PARTS) == tables | {"cost_estimates"}  # Infracost: files only


@pytest.mark.parametrize("name", connector_names())
def test_every_connector_says_what_it_needs(name: str) -> None:
    access = connector(name).access
    assert access.credential
    assert access.permissions
    assert access.reads
    assert access.leaves


def test_without_a_workspace_every_kind_is_listed(tmp_path: Path) -> None:
    result = aether("ask", "--format", "json", cwd=tmp_path)
    assert result.code == 0, result.err
    asked = json.loads(result.out)
    assert [one["source"] for one in asked] == connector_names()
    assert all(one["unlocks"] for one in asked)


def test_the_letter_names_the_client_and_only_the_sources_in_use(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text(
        '[engagement]\nclient = "Acme"\n[sources.tracker]\nkind = "jira"\nurl = "https://acme.example"\nprojects = ["A"]\n'
    )
    result = aether("-w", str(tmp_path), "ask", cwd=tmp_path)
    assert result.code == 0, result.err
    assert result.out.startswith("ACCESS WE ASK FOR TO ACME\n")
    assert "TRACKER (JIRA)" in result.out
    assert "read:jira-work" in result.out
    assert "cycle time" in result.out
    assert "LINEAR" not in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_markdown_goes_to_a_file_and_a_wrong_name_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "letter.md"
    assert aether("ask", "github", "--format", "md", "-o", str(target), cwd=tmp_path).code == 0
    assert "## github" in target.read_text()
    assert "**Permissions, and no more**: Actions: read" in target.read_text()
    result = aether("ask", "githbu", cwd=tmp_path)
    assert result.code == 2
    assert "did you mean 'github'?" in result.err
