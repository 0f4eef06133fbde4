from __future__ import annotations

import pytest
from msgspec import structs

from aether_tui import human
from aether_tui.report_model import Col, Quantity, Row, Table


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0000934, "USD", "0.0000934 USD"),
        (-0.0000032, "USD", "-0.0000032 USD"),
        (0.00001, "ratio", "0.001 %"),
        (0.0000000123, "ratio", "0.0000012 %"),
        (0.99996, "count", "1"),
        (-0.0, "ratio", "0 %"),
        (425.3, "ratio", "42,530 %"),
        (-0.0, "USD", "0.00 USD"),
    ],
)
def test_small_amounts_are_plain_figures(value: float, unit: str, shown: str) -> None:
    assert human.amount(value, unit) == shown


@pytest.mark.parametrize(
    ("value", "bound", "shown"),
    [(0.946, 0.95, "94.6 %"), (0.94996, 0.95, "94.996 %"), (0.95, 0.95, "95 %"), (0.9504, 0.95, "95.04 %"), (0.7, 0.8, "70 %"),
     (0.9999, 1.0, "99.99 %"), (0.0499, 0.05, "4.99 %")],
)  # fmt: skip
def test_a_share_is_told_from_its_bound(value: float, bound: float, shown: str) -> None:
    assert human.against(Quantity(value=value, unit="ratio"), bound) == shown


@pytest.mark.parametrize(
    ("value", "bound", "unit", "shown"),
    [
        (500.42, 500, "money/month", "500.42 USD/month"),
        (500.0004, 500, "money", "500.0004 USD"),
        (500.9, 500, "money", "501 USD"),
        (500, 500, "money", "500 USD"),
        (0.10004, 0.1, "money/task", "0.10004 USD/task"),
        (120.4, 120, "s", "2.01 min"),
        (3603, 3600, "s", "60.05 min"),
        (8.04, 8, "s/turn", "8.04 s/turn"),
        (40_000_400, 40_000_000, "tokens/month", "40.0004 M tokens/month"),
        (3, 3, "tests", "3 tests"),
        (0.30000000000000004, 0.3, "money", "0.3 USD"),
    ],
)
def test_an_amount_is_told_from_its_bound(value: float, bound: float, unit: str, shown: str) -> None:
    assert human.apart(value, bound, unit, "USD") == shown
    assert human.quantity(Quantity(value=value, unit=unit, currency="USD", bound=bound)) == shown


@pytest.mark.parametrize(
    ("shown", "aloud"),
    [
        ("12.9 d", "12.9 days"),
        ("1 h", "1 hour"),
        ("0.135 USD/task", "0.135 USD a task"),
        ("6.2 s/turn", "6.2 seconds a turn"),
        ("2.01/day", "2.01 a day"),
        ("41 %", "41 %"),
    ],
)
def test_amounts_are_read_aloud_in_words(shown: str, aloud: str) -> None:
    assert human.spoken(shown) == aloud


@pytest.mark.parametrize(
    ("values", "unit", "shown"),
    [
        ([58.79, -0.184, 0.00715, 0], "USD", ["58.79 USD", "−0.18 USD", "0.01 USD", "0.00 USD"]),
        ([58.79, 0.004], "USD", ["58.79 USD", "0.004 USD"]),  # nothing would be left of it
        ([0.0209, 0.00303, 0.083], "USD/task", ["0.0209 USD/task", "0.0030 USD/task", "0.0830 USD/task"]),
        ([120, 1640], "USD", ["120 USD", "1,640 USD"]),
        ([12_000, 58.79], "USD", ["12,000 USD", "59 USD"]),
        ([0.14, 0.097, 0.0065, 0.0], "ratio", ["14.0 %", "9.7 %", "0.7 %", "0.0 %"]),
        ([0.14, 0.5, 1.0], "ratio", ["14 %", "50 %", "100 %"]),
        ([0.14, 0.00048], "ratio", ["14.0 %", "0.048 %"]),
        ([172_800, 160_560, 3600, 40], "s", ["2.0 d", "1.9 d", "60.0 min", "40.0 s"]),
        ([26, 5.3, 0.35], "s", ["26.0 s", "5.3 s", "0.3 s"]),
        ([648_000, 0], "s", ["7.5 d", "0.0 d"]),
        ([4.2, 0.58], "s", ["4.20 s", "0.58 s"]),
        ([1.1, 0.708], "per_day", ["1.10/day", "0.71/day"]),
        ([1_200_000, 3], "per_day", ["1.2 M/day", "3/day"]),
        ([14], "USD", ["14.00 USD"]),
    ],
)
def test_a_column_is_shown_with_the_same_decimals(values: list[float], unit: str, shown: list[str]) -> None:
    cells = [Quantity(value=value, unit=unit) for value in values]
    beside = human.column(cells)
    assert [human.quantity(cell, beside) for cell in cells] == shown


def test_a_column_of_several_units_keeps_its_own_figures() -> None:
    cells = [
        Quantity(value=0.1257, unit="USD/task"),
        Quantity(value=0.0036, unit="USD/task"),
        Quantity(value=900.0, unit="s"),
    ]
    assert human.column(cells) == {}


def test_times_of_one_row_are_in_one_unit() -> None:
    table = Table(
        id="t",
        columns=(Col(key="a", title="a", kind="number"), Col(key="b", title="b", kind="number")),
        rows=(Row(id="r", cells=(Quantity(value=160_560.0, unit="s"), Quantity(value=172_800.0, unit="s"))),),
    )
    shares = Row(id="s", cells=(Quantity(value=0.5, unit="ratio"), Quantity(value=0.9, unit="ratio")))
    for one in (table, structs.replace(table, rows=(shares, *table.rows))):  # also where the columns mix units
        row = one.rows[-1]
        beside = human.rows(one)(row)
        assert [human.quantity(cell, by) for cell, by in zip(row.cells, beside, strict=True)] == ["1.9 d", "2.0 d"]
