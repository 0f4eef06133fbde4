"""The failure catalogue, its row about money: nothing stays nothing, sums are exact, and currencies are never added."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from aether_tui.records import Value
from connectors.infracost import read_infracost
from connectors.sheets import InvoiceFiles
from tests.connectors import test_aws, test_langfuse, test_phoenix
from tests.connectors.catalogue import shows
from tests.connectors.kinds import KINDS
from tests.connectors.pull import pull
from tests.connectors.server import Reply, serving
from tests.files import test_focus, test_infracost, test_langfuse_files, test_otlp, test_sheets
from tests.files.reading import read

REJECTED = "rejected"
Cell = str | None
Reads = Callable[[Path, Cell], Value]


def aws(_: Path, cell: Cell) -> Value:
    groups = [test_aws.group("A", "1", cost=cell)]  # type: ignore[arg-type]  # what the service may not send
    with serving(lambda _: Reply({"ResultsByTime": [test_aws.day("2026-11-01", *groups)]})) as server:
        done = pull(test_aws.aws(server.url))
    return REJECTED if done.rejects else done.table("costs")[0]["billed_cost"]  # type: ignore[no-any-return]


def langfuse(_: Path, cell: Cell) -> Value:
    generation = test_langfuse.generation(1, totalCost=cell, costDetails={"total": cell})
    return test_langfuse.one_row(generation)["reported_cost_usd"]  # type: ignore[no-any-return]


def langfuse_files(folder: Path, cell: Cell) -> Value:
    path = folder / "t.json"
    path.write_text(test_langfuse_files.trace(totalCost=cell, costDetails={"total": cell}))
    return read(test_langfuse_files.KIND, path)[0]["spans"][0]["reported_cost_usd"]


def phoenix(_: Path, cell: Cell) -> Value:
    one = test_phoenix.span(1, attributes={"llm.cost.total": cell})
    with serving(test_phoenix.Server([one])) as server:
        return pull(test_phoenix.phoenix(server.url)).table("spans")[0]["reported_cost_usd"]  # type: ignore[no-any-return]


def clickhouse(_: Path, cell: Cell) -> Value:
    kind = KINDS["clickhouse"]
    assert kind.record is not None
    attributes = [] if cell is None else [{"key": "llm.cost.total", "value": {"stringValue": cell}}]
    one = kind.record.make(1, "2026-11-10") | {"attributes": attributes}
    with serving(lambda asked: kind.page(asked, [one], None)) as server:
        return pull(kind.source(server.url)).table("spans")[0]["reported_cost_usd"]  # type: ignore[no-any-return]


def otlp(_: Path, cell: Cell) -> Value:
    return test_otlp.row({} if cell is None else {"llm.cost.total": cell})["reported_cost_usd"]


def focus(folder: Path, cell: Cell) -> Value:
    export = test_focus.export(folder / "x.csv", {**test_focus.BASE, "BilledCost": cell or ""})
    rows, rejects = test_focus.load(folder, export)
    return REJECTED if rejects else rows[0]["billed_cost"]


def infracost(_: Path, cell: Cell) -> Value:
    return read_infracost(test_infracost.document(test_infracost.project(now=cell)), "x").monthly_cost


def invoice(folder: Path, cell: Cell) -> Value:
    path = test_sheets.file(folder, f"date,amount\n2026-10-01,7\n2026-10-01,{cell or ''}\n")
    rows, pages = test_sheets.read(InvoiceFiles, path, accept=True, constants={"currency": "USD", "provider": "X"})
    return REJECTED if any(page.rejects for page in pages) else rows[1]["billed_cost"]  # type: ignore[no-any-return]


READS: dict[str, Reads] = {
    "aws": aws, "langfuse": langfuse, "langfuse files": langfuse_files, "phoenix": phoenix, "clickhouse": clickhouse,
    "otlp": otlp, "focus": focus,
    "infracost": infracost, "invoice": invoice,
}  # fmt: skip


BILLS = {"aws", "focus", "invoice"}
"""Sources whose lines are money: a word for an amount is a rejected line, not a line without one."""


@pytest.mark.parametrize("cell", [None, "", "0", "0.1", "1E-7", "-3.5", "123456789.123456789", "a lot"])
@pytest.mark.parametrize("source", READS)
@shows(23, of=("aws", "clickhouse", "langfuse", "phoenix"))
def test_money_is_what_was_written(source: str, cell: Cell, tmp_path: Path) -> None:
    wanted: Value = Decimal(cell) if cell and cell != "a lot" else None
    if (cell == "a lot" and source in BILLS) or (not cell and source == "invoice"):
        wanted = REJECTED
    assert READS[source](tmp_path, cell) == wanted


def test_currencies_stay_apart(tmp_path: Path) -> None:
    groups = [test_aws.group("A", "1", cost="1", unit="USD"), test_aws.group("B", "1", cost="2", unit="EUR")]
    with serving(lambda _: Reply({"ResultsByTime": [test_aws.day("2026-11-01", *groups)]})) as server:
        found = {"aws": pull(test_aws.aws(server.url)).table("costs")}
    told = [{**test_focus.BASE, "BilledCost": n, "BillingCurrency": name} for n, name in (("1", "USD"), ("2", "EUR"))]
    found["focus"], _ = test_focus.load(tmp_path, test_focus.export(tmp_path / "x.csv", *told))
    sheet = test_sheets.file(tmp_path, "date,amount,currency\n2026-10-01,1,USD\n2026-10-01,2,EUR\n")
    found["invoice"], _ = test_sheets.read(InvoiceFiles, sheet, accept=True, constants={"provider": "X"})
    for source, rows in found.items():
        assert {row["currency"]: row["billed_cost"] for row in rows} == {"USD": 1, "EUR": 2}, source
