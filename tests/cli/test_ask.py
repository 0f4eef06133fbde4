"""The letter that asks for access: complete, true to the connectors, and without touching anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

import aether_tui
from aether_tui.diagnostics.needs import NEEDS, PARTS, unlocked
from aether_tui.sync.registry import connector, connector_names
from connectors.jira import FIELDS
from connectors.jira_fields import JiraFields
from connectors.jira_rows import JiraSite, jira_issue_rows
from connectors.linear_rows import (
    linear_cycle_rows,
    linear_initiative_rows,
    linear_issue_rows,
    linear_need_rows,
    linear_project_rows,
    linear_relation_rows,
)
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


# -- what is asked for is used


class Watched(Mapping[str, object]):
    """An object of a service that notes which of its fields are looked at, as paths."""

    def __init__(self, fields: dict[str, object], seen: set[str], path: str = "") -> None:
        self._fields, self._seen, self._path = fields, seen, path

    def __getitem__(self, name: str) -> object:
        path = f"{self._path}{name}"
        self._seen.add(path)
        return self._wrapped(self._fields[name], path)

    def _wrapped(self, value: object, path: str) -> object:
        if isinstance(value, list):
            return [self._wrapped(one, path) for one in value]
        return Watched(value, self._seen, f"{path}.") if isinstance(value, dict) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def asked_of_linear(document: str) -> dict[str, object]:
    """The node that a query asks for, with something in every field."""
    parsed = parse(files("connectors").joinpath("queries", f"{document}.graphql").read_text())
    parts = {one.name.value: one for one in parsed.definitions if isinstance(one, FragmentDefinitionNode)}

    def made(selection: SelectionSetNode) -> dict[str, object]:
        found: dict[str, object] = {}
        for field in selection.selections:
            if isinstance(field, FragmentSpreadNode):
                found |= made(parts[field.name.value].selection_set)
            elif isinstance(field, FieldNode):
                name = field.name.value
                value: object = (
                    made(field.selection_set)
                    if field.selection_set
                    else "2026-01-01"
                    if name[-2:] in ("At", "te")
                    else "x"
                )
                found[name] = [value] if name == "nodes" else value
        return found

    (operation, *_) = (one for one in parsed.definitions if isinstance(one, OperationDefinitionNode))
    (whole,) = made(operation.selection_set).values()
    assert isinstance(whole, dict)
    node: dict[str, object] = whole["nodes"][0]
    return node


def leaves(node: object, path: str = "") -> Iterator[str]:
    for name, value in node.items() if isinstance(node, dict) else ():
        value = value[0] if isinstance(value, list) and value else value
        yield from leaves(value, f"{path}{name}.") if isinstance(value, dict) else (f"{path}{name}",)


@pytest.mark.parametrize(
    ("document", "mapper"),
    [
        ("linear_issues", linear_issue_rows), ("linear_cycles", linear_cycle_rows), ("linear_projects", linear_project_rows),
        ("linear_initiatives", linear_initiative_rows), ("linear_relations", linear_relation_rows), ("linear_needs", linear_need_rows),
    ],
)  # fmt: skip
def test_linear_is_asked_for_nothing_that_is_not_used(document: str, mapper: Callable[[Watched], object]) -> None:
    node, seen = asked_of_linear(document), set[str]()
    for less in ({}, {"name": None}, {"trashed": True, "canceledAt": None}, {"issue": None}):
        mapper(Watched({name: less.get(name, value) for name, value in node.items()}, seen))
    assert {path for path in leaves(node) if path not in seen and "pageInfo" not in path} == set()


def test_jira_is_asked_for_nothing_that_is_not_used() -> None:
    seen = set[str]()
    fields: dict[str, object] = dict.fromkeys((*FIELDS, "customfield_1", "customfield_2", "customfield_3"))
    jira_issue_rows(Watched({"id": "1", "fields": fields}, seen), JiraSite(
        fields=JiraFields(("customfield_1",), ("customfield_2",), {"impact": "customfield_3"})))  # fmt: skip
    assert {f"fields.{name}" for name in fields} <= seen


def test_without_a_workspace_every_kind_is_listed(tmp_path: Path) -> None:
    result = aether("ask", "--format", "json", cwd=tmp_path)
    assert result.code == 0, result.err
    asked = json.loads(result.out)
    assert [one["source"] for one in asked] == [*connector_names(), "focus", "infracost", "junit", "otlp"]
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
    export = aether("ask", "focus", cwd=tmp_path)
    assert "a FOCUS export of the last 13 months" in export.out
    assert "Files give: billed cost with a team, the cost budgets" in export.out
    result = aether("ask", "githbu", cwd=tmp_path)
    assert result.code == 2
    assert "did you mean 'github'?" in result.err
