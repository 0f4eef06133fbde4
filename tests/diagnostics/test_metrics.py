"""The table of metrics: what `x` shows and what `docs/metrics.md` derives are one text."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from pathlib import Path

import pytest

from aether_tui.diagnostics import indicators, metrics
from aether_tui.diagnostics.frame import Clock, Data, Filters
from aether_tui.diagnostics.registry import REPORTS
from aether_tui.report_model import Facts, Row, Table
from aether_tui.workspace.folder import Workspace
from tests.conftest import ROOT
from tests.diagnostics import world

EVERY = [*metrics.content().values(), *map(metrics.of, indicators.content().indicators)]
PAGE = ROOT / "docs" / "metrics.md"


def test_every_metric_says_what_it_is_and_names_queries_that_exist() -> None:
    assert len({one.id for one in EVERY}) == len(EVERY)
    queries = resources.files("aether_tui.diagnostics") / "sql"
    for one in EVERY:
        assert one.formula.endswith("."), one.id
        assert metrics.SHOWN_IN.get(one.id.partition(".")[0], one.id.partition(".")[0]) in REPORTS, one.id
        assert all((queries / f"{name}.sql").is_file() for name in one.queries), one.id


def test_every_metric_is_on_the_page_and_every_link_of_it_leads_somewhere() -> None:
    page = PAGE.read_text("utf-8")
    assert re.findall(r'<a id="([^"]+)">', page) == sorted(
        (one.id for one in EVERY), key=lambda name: page.index(f'<a id="{name}"')
    )
    for one in EVERY:
        assert one.formula in page
    assert all((PAGE.parent / Path(link)).is_file() for link in re.findall(r"\]\((\.\./[^)]+)\)", page))


def shown(made: Workspace, name: str) -> list[tuple[str, str]]:
    report = world.report(name, made, filters=Filters(team="core"))
    facts = [(fact.id, fact.why) for block in report.blocks if isinstance(block, Facts) for fact in block.facts]
    rows = [row for block in report.blocks if isinstance(block, Table) for row in block.rows]
    return facts + [(row.id, row.why) for row in rows if isinstance(row, Row) and row.id in metrics.content()]


@pytest.mark.parametrize("name", ["lens", "flow", "scorecard"])
def test_why_gives_formula_what_is_left_out_filters_query_and_command(filled: Workspace, name: str) -> None:
    found = shown(filled, name)
    assert found
    for identity, why in found:
        plain = identity.replace(".api.", ".").removesuffix(".glance").removesuffix(".worst")
        metric = "lens.score" if name == "lens" else "flow.past_p85" if plain == "flow.oldest" else plain
        lines = why.split("\n")
        assert lines[0].startswith(metrics.content()[metric].formula), identity
        assert "filters: 2026-10-24 to 2026-11-21, team core" in lines
        assert lines[-1] == f"aether-tui report {name} --team core --format json"
        assert (f"query: {metrics.QUERIES}/" in why) is bool(metrics.content()[metric].queries)
        assert ("left out: " in why) is bool(metrics.content()[metric].left_out)


def test_the_command_prints_the_number_that_is_looked_at() -> None:
    clock = Clock.of(world.NOW, "90d", "2026-06-30")
    data = Data(None, clock, Filters(team="Kasse Süd", feature="it's"))
    told = metrics.command("flow", data)
    assert shlex.split(told)[3:-2] == [
        "--window",
        "90d",
        "--compare",
        "2026-06-30",
        "--team",
        "Kasse Süd",
        "--feature",
        "it's",
    ]
    assert metrics.command("flow", Data(None, Clock.of(world.NOW))) == "aether-tui report flow --format json"


def test_every_metric_of_the_table_is_shown_somewhere() -> None:
    source = "\n".join(
        path.read_text("utf-8")
        for path in (ROOT / "aether_tui" / "diagnostics").glob("*.py")
        if path.name != "metrics.py"
    )
    named = set(re.findall(r'metrics\.(?:why\(|formulas\(|content\(\)\[)\s*f?["\']([^"\']+)["\']', source))
    patterns = [re.compile(re.sub(r"\\\{[^}]*\\\}", r"[a-z_0-9]+", re.escape(name)) + "$") for name in named]
    assert [one.id for one in metrics.content().values() if not any(p.match(one.id) for p in patterns)] == []
