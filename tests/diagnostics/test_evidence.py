"""From a number to its rows: as many as the number counts, the most telling first, each with all it has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.diagnostics import evidence, indicators, phases
from aether_tui.diagnostics.evidence import Rows
from aether_tui.diagnostics.frame import Filters
from aether_tui.diagnostics.run import open_data
from aether_tui.errors import NoData
from aether_tui.records import TABLES, Value
from aether_tui.report_model import Report, Table
from aether_tui.workspace.folder import Workspace
from screens.lens import ELSEWHERE
from tests.cache.samples import full
from tests.diagnostics import world


def rows_of(made: Workspace, identity: str, filters: Filters | None = None) -> Report[Rows]:
    with open_data(Config(), world.clock(), Cache(made.cache_path), filters or Filters()) as data:
        return evidence.report(data, identity)


def table_of(report: Report[Rows]) -> Table:
    found = report.blocks[0]
    assert isinstance(found, Table)
    return found


@pytest.mark.parametrize(
    ("identity", "of", "first", "value"),
    [
        ("speed.lead_time", 5, "acme/api#5", 5 * 86400),  # 1 to 5 days, the longest first
        ("speed.cycle_time", 6, "ENG-6", 6 * 86400),
        ("flow.lead_p85", 6, "ENG-1", 14 * 86400),  # all created on the 1st, done on the 15th
        ("quality.reopen", 1, "ENG-6", 14 * 86400),
        ("visibility.mapped", 1, "ENG-7", 5 * 86400),
        ("speed.agent_latency", 8, "0" * 8, 8),
        ("quality.task_success", 1, "0" * 8, 6),
        ("quality.call_errors", 1, "0" * 8, 3),
        ("visibility.outcome", 2, "0" * 8, 8),
        ("visibility.trace", 1, "0" * 8, 8),
        ("flywheel.tokens", 1, "0" * 8, 8),
        ("visibility.llm_cost", 2, "0" * 8, 0.08),
        ("scorecard.api.lead_time", 5, "acme/api#5", 5 * 86400),
    ],
)
def test_rows_are_those_the_number_counts(filled: Workspace, identity: str, of: int, first: str, value: float) -> None:
    found = rows_of(filled, identity)
    row = table_of(found).rows[0]
    shown = row.cells[2]
    assert found.data.of == len(found.data.shown) == of
    assert row.cells[0] == first
    assert getattr(shown, "value", None) == pytest.approx(value)
    assert all(f"{table_of(found).id}/{name}" in found.details for name in found.data.shown)


def test_an_item_shows_its_fields_and_its_history(filled: Workspace) -> None:
    found = rows_of(filled, "quality.reopen")
    fields, history = found.details["rows_items/linear/i6"]
    assert isinstance(fields, Table) and isinstance(history, Table)
    assert ("state", "Done") in [row.cells for row in fields.rows]
    assert [row.cells[2] for row in history.rows] == ["active", "done", "active", "done"]
    assert history.rows[0].cells[0] == "2026-11-09 00:00"


def test_an_item_shows_what_it_waits_for_who_asks_for_it_and_its_projects_health(tmp_path: Path) -> None:
    made = world.workspace(tmp_path)
    day = datetime.fromisoformat("2026-11-01")

    def item(number: int, completed: datetime | None) -> tuple[Value, ...]:
        category = "done" if completed else "active"
        return full(
            TABLES["work_items"], id=f"i{number}", key=f"ENG-{number}", title="x", type="feature", created=day, started=day,
            completed=completed, category=category, project="Checkout",
        )  # fmt: skip

    def link(number: int, kind: str, start: str | None, customer: str | None = None) -> tuple[Value, ...]:
        return full(TABLES["work_links"], id=f"l{number}", kind=kind, from_id=start, to_id="i1", customer=customer)

    rows = {
        "work_items": [item(1, None), item(2, None), item(3, day + timedelta(days=3))],
        "work_links": [
            link(1, "blocks", "i2"), link(2, "blocks", "i3"), link(3, "relates", "i2"),
            *(link(4 + n, "need", None, customer) for n, customer in enumerate("aab")),
        ],
        "projects": [full(TABLES["projects"], id="p", kind="project", name="Checkout", health="at risk")],
    }  # fmt: skip
    Cache(made.cache_path).merge("linear", "issues", rows, mapping_hash="m", now=datetime(2026, 11, 20, tzinfo=UTC))
    found = rows_of(made, "flow.wip")
    (fields,) = [one for one in found.details["rows_items/linear/i1"][:1] if isinstance(one, Table)]
    assert {("waits for open items", "1"), ("customers asking", "2"), ("project health", "at risk")} <= {
        (str(row.cells[0]).replace("_", " "), str(row.cells[1])) for row in fields.rows
    }


def test_every_indicator_of_stored_rows_opens_on_them_and_nothing_else_pretends_to(filled: Workspace) -> None:
    without = [one for one in indicators.content().indicators if evidence.subject(one.id) is None]
    assert [one.id for one in without if one.query] == ["visibility.freshness"]
    assert {one.shape for one in without if not one.query} == {"stated", "values"}  # said by people, or in the ledger
    with pytest.raises(NoData, match="no rows stand behind"):
        rows_of(filled, "lens.speed")
    assert set(ELSEWHERE) == {one.id for one in without}  # they have a screen of their own
    assert {phases.behind(item, "open") for item in phases.LISTED} <= evidence.SUBJECTS.keys()
    for identity in evidence.SUBJECTS:
        assert rows_of(filled, identity).headline


def test_filters_are_kept_and_those_that_rows_cannot_honour_are_said(filled: Workspace) -> None:
    assert rows_of(filled, "speed.cycle_time", Filters(team="nobody")).data.of == 0
    narrowed = rows_of(filled, "quality.flaky", Filters(team="core"))
    assert "do not carry team" in table_of(narrowed).note
    empty = rows_of(filled, "pipeline.stage.release")
    assert table_of(empty).rows == ()
    assert "no work item" in empty.headline
