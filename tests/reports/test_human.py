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
        (-0.0, "ratio", "0 %"),
        (-0.0, "USD", "0.00 USD"),
    ],
)
def test_small_amounts_are_plain_figures(value: float, unit: str, shown: str) -> None:
    assert human.amount(value, unit) == shown


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
