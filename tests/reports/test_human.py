from __future__ import annotations

import pytest

from aether_tui import human


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0000934, "USD", "0.0000934 USD"),
        (-0.0000032, "USD", "-0.0000032 USD"),
        (0.00001, "ratio", "0.001 %"),
        (0.0000000123, "ratio", "0.0000012 %"),
        (0.99996, "count", "1"),
    ],
)
def test_small_amounts_are_plain_figures(value: float, unit: str, shown: str) -> None:
    assert human.amount(value, unit) == shown
