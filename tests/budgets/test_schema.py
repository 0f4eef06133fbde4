"""The schema accepts what the reader accepts and refuses what it refuses."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from aether_tui.budgets.file import METRICS, parse_budgets
from aether_tui.budgets.schema import MODELINE, budgets_schema
from aether_tui.errors import ConfigurationError
from tests.command import aether

TODAY = date(2026, 11, 21)


def refused_by_reader(text: str, kind: str) -> bool:
    metric = next(name for name, one in METRICS.items() if one.kind == kind)
    body = f"- {{id: a, surface: {METRICS[metric].surface}, metric: {metric}, limit: '{text}'}}"
    try:
        parse_budgets(f"version: 1\ncurrency: USD\nbudgets:\n{body}\n".encode(), "budgets.yaml", TODAY)
    except ConfigurationError:
        return True
    return False


@pytest.mark.parametrize(
    "text",
    ["15min", "90s", "1h", "0.5 s", "500 USD/month", "0.10 USD/task", "4,000 tokens/task", "8 s/turn", "3 tests",
     "15", "15 minutes", "10%", "500 USD", "8 s", "tokens", "1 USD/ month", "1e3 s", "0,10 USD/task", "1,5min"],
)  # fmt: skip
def test_quantities_agree_with_the_reader(text: str) -> None:
    rules = budgets_schema()["$defs"]["_Budget"]["allOf"]
    for rule in rules:
        name = rule["if"]["properties"]["metric"]["const"]
        if name != next(one for one, metric in METRICS.items() if metric.kind == METRICS[name].kind):
            continue
        pattern = rule["then"]["properties"]["limit"]["pattern"]
        assert (re.search(pattern, text) is None) == refused_by_reader(text, METRICS[name].kind), name


def test_every_key_of_the_shipped_file_is_known() -> None:
    schema = budgets_schema()
    shipped = Path(__file__).parents[2] / "aether_tui" / "budgets" / "default.yaml"
    document: Any = YAML(typ="safe", pure=True).load(shipped.read_text())
    assert set(document) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
    budget = schema["$defs"]["_Budget"]
    assert budget["additionalProperties"] is False
    rules = {rule["if"]["properties"]["metric"]["const"]: rule["then"]["properties"] for rule in budget["allOf"]}
    for one in document["budgets"]:
        assert set(one) <= set(budget["properties"])
        rule = rules[one["metric"]]
        assert rule["surface"]["const"] == one["surface"]
        assert set(one["match"]) <= set(rule["match"]["propertyNames"]["enum"])


def test_the_command_prints_and_writes_it(tmp_path: Path) -> None:
    assert aether("init", "--budgets-only", cwd=tmp_path).code == 0
    place = tmp_path / "optimization" / "budgets.yaml"
    before = place.read_text()
    assert "budgets.schema.json" in before.splitlines()[0]
    assert aether("budget", "schema", cwd=tmp_path).json == budgets_schema()
    for _ in range(2):
        assert aether("budget", "schema", "--write", cwd=tmp_path).code == 0
        assert place.read_text() == f"{MODELINE}\n{before}"
    assert (tmp_path / "optimization" / "budgets.schema.json").is_file()
    assert aether("budget", "check", "--self-test", cwd=tmp_path).code == 0
