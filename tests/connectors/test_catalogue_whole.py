"""The failure catalogue has a cell for every connector and every row: a test that runs, or why it cannot happen."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import distribution
from inspect import isfunction, signature
from pathlib import Path
from typing import Any

from tests.connectors.catalogue import CANNOT, ROWS
from tests.connectors.kinds import KINDS

HERE = Path(__file__).parent
Cell = tuple[int, str]


def shown(test: Any) -> set[Cell]:
    """The cells that a test function says it shows."""
    marks = getattr(test, "pytestmark", [])
    found = {(number, mark.kwargs["of"]) for mark in marks if mark.name == "catalogue" for number in mark.args}
    kinds = set(KINDS) if "kind" in signature(test).parameters else set()
    for mark in marks:
        if mark.name == "parametrize" and mark.args[0] == "kind":
            kinds = {kind.cls.kind for kind in mark.args[1]}
    return {(number, name) for number, of in found for name in of or kinds}


def test_every_row_has_a_test_or_a_reason_for_every_connector() -> None:
    modules = [import_module(f"tests.connectors.{path.stem}") for path in HERE.glob("test_*.py")]
    tests = [
        test
        for module in modules
        for name, test in vars(module).items()
        if name.startswith("test_") and isfunction(test)
    ]
    tested = set().union(*map(shown, tests))
    excused = {(number, name) for number, reasons in CANNOT.items() for name in reasons}
    every = {(number, name) for number in ROWS for name in KINDS}
    assert sorted(every - tested - excused) == []
    assert sorted(tested & excused) == []
    assert sorted((tested | excused) - every) == []


def test_every_connector_of_this_distribution_is_in_the_catalogue() -> None:
    points = distribution("aether-tui").entry_points
    assert {point.name for point in points if point.group == "aether_tui.connectors"} == set(KINDS)
