"""The taxonomy in production: shares by hand, history under the right id, drift, and what the gate counts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from aether_tui.config import Config, Gate
from aether_tui.report_model import Gap
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.taxonomy import Category, Retired, Taxonomy
from aether_tui.workspace.store import Store
from tests.diagnostics import world

BUILT = world.at(11)


def taxonomy(made: Workspace, **changes: object) -> None:
    fields: dict[str, object] = {
        "built": BUILT, "source": "asked.csv", "texts": 300, "distinct": 280, "chosen": "4 asked for", "unsure_below": 0.05,
        "far_below": 0.2, "model": "0" * 16,
        "categories": [
            Category(id="c01", label="refund", size=200, holds=["1", "3"], examples=["where is my refund"]),
            Category(id="c02", label="parcel", size=100, holds=["2"]),
        ],
        "retired": [Retired(id="c03", label="money back", into="c01"), Retired(id="c04", label="old")],
        **changes,
    }  # fmt: skip
    Store(made).add(Taxonomy, lambda identity: Taxonomy.model_validate({"id": identity, **fields}))
    (made.engagement / "taxonomy" / "TAX-1.model.json").write_text("{}")


def requests(made: Workspace, given: list[tuple[str | None, str, str, str]], day: float = 15, start: int = 1) -> None:
    """Production requests of one span: what was assigned, cost, status, outcome."""
    rows = [
        world.full(
            "spans", trace_id=f"{n:032x}", span_id=f"{n:016x}", name="answer", operation="chat", start=world.at(day + n / 1000),
            duration_s=1.0, provider="acme", model="m1", input_tokens=10, output_tokens=5, status=status, environment="production",
            cost_usd=Decimal(cost), cost_status="reported", request=said, outcome=outcome or None,
            task_cluster="refund" if said else None,
        )
        for n, (said, cost, status, outcome) in enumerate(given, start)
    ]  # fmt: skip
    world.store(made, "traces", "files", "spans", rows)


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return world.workspace(tmp_path / "w")


def test_shares_by_hand_and_history_under_the_id_it_went_to(made):
    taxonomy(made)
    requests(made, [
        ("c01 0.300 sure TAX-1", "3", "ok", "success"), ("c03 0.300 sure TAX-1", "1", "error", "failure"),
        ("c02 0.010 unsure TAX-1", "4", "ok", "failure"), ("c04 0.300 far TAX-1", "2", "ok", ""), (None, "9", "ok", ""),
    ])  # fmt: skip
    found = world.report("taxonomy", made).data
    assert found.requests == 5
    assert (found.assigned.value, found.unsure.value, found.far.value) == (4 / 5, 1 / 4, 1 / 4)
    kinds = {one.id: one for one in found.kinds}
    assert list(kinds) == ["c01", "c02", "c04"]
    assert kinds["c01"].volume.value == pytest.approx(2 / 4)
    assert kinds["c01"].cost.value == pytest.approx(4 / 10)
    assert kinds["c01"].errors.value == pytest.approx(1 / 2)
    assert kinds["c01"].failures.value == pytest.approx(1 / 2)
    assert kinds["c04"].failures.value is None
    assert (kinds["c02"].unsure.value, kinds["c04"].unsure.value) == (1, 0), "far is no kind of unsure"
    assert [one.trace[-1] for one in found.doubtful] == ["3", "4"]


def test_drift_is_a_finding_from_fifty_requests(made):
    taxonomy(made)
    given = [("c01 0.300 sure TAX-1", "1", "ok", "")] * 50 + [("c02 0.300 far TAX-1", "1", "ok", "")] * 10
    requests(made, given)
    ids = {item.id: item.text for item in world.report("taxonomy", made).findings}
    assert "17 % of assigned requests are far from every kind" in ids["taxonomy.drift"]
    assert "taxonomy.few" not in ids


def test_without_requests_the_sample_is_shown_and_without_a_taxonomy_what_to_do(made):
    gap = world.report("taxonomy", made).blocks[0]
    assert isinstance(gap, Gap)
    assert "aether-tui taxonomy build" in gap.next_step
    taxonomy(made, texts=120)
    (made.engagement / "taxonomy" / "TAX-1.model.json").unlink()
    report = world.report("taxonomy", made)
    assert {item.id for item in report.findings} == {"taxonomy.model", "taxonomy.few"}
    assert [one.sample_share for one in report.data.kinds] == [pytest.approx(2 / 3), pytest.approx(1 / 3)]


def test_the_gate_counts_requests_since_the_version_once_there_are_enough(made):
    requests(made, [(None, "1", "ok", "success")] * 10, day=9)
    requests(made, [("c01 0.300 sure TAX-1", "1", "ok", "success")] * 5, day=15, start=20)
    few = Config(gate=Gate(min_requests=6))
    enough = Config(gate=Gate(min_requests=5))

    def clusters(config: Config) -> float | None:
        gate = world.report("gate", made, config).data
        return next(item.value.value for item in gate.criteria if item.id == "gate.clusters")

    assert clusters(enough) == pytest.approx(5 / 15)
    taxonomy(made)
    assert clusters(few) == pytest.approx(5 / 15)
    assert clusters(enough) == 1


def test_a_taxonomy_is_the_document_of_phase_zero(made):
    world.document(made, "cycles", "cycle-1", "id: cycle-1\nstarted: 2026-11-02\n")
    taxonomy(made)
    phases = world.report("flywheel", made).data.phases
    item = next(item for item in phases[0].items if item.id == "task-taxonomy")
    assert (item.state, item.evidence) == ("pass", "TAX-1, 2 kinds of 300 texts")
