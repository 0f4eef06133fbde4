"""Test reports of the demonstration: JUnit XML of the unit and integration suites of a nightly run."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from xml.sax.saxutils import quoteattr

from aether_tui.demo.world import DAYS, World, iso, lognormal

UNIT_S = 96.0
INTEGRATION_S = (506.0, 612.0)
"""Integration suite: how long it took at first, and takes now (its budget is 600 s)."""
KEPT_DAYS = 28
"""Of older nights only every second Monday's report is kept."""

_AREAS = ("router", "prompts", "orders", "refunds", "policies", "handover")
_CHECKS = ("empty_cart", "two_orders", "expired_token", "guest", "unicode_address", "partial_refund", "long_history")
_FLOWS = (
    "refund_end_to_end",
    "order_tracking",
    "index_rebuild",
    "agent_desk_handover",
    "tool_timeout",
    "vector_search",
    "invoice_mail",
)
_FLAKY = {"flows.vector_search.cold_index": 0.16, "flows.tool_timeout.retry": 0.09, "flows.index_rebuild.swap": 0.05}
_ODD = "parametrised[\u202e<[@click=app.quit]x[/]>]"


def _cases(suite: str) -> list[tuple[str, str, float]]:
    """Class, name and share of the suite's time."""
    if suite == "unit":
        cases = [(f"unit.test_{area}", f"test_{check}") for area in _AREAS for check in _CHECKS]
        cases.append(("unit.test_text", _ODD))
        weights = [1.0 / (1 + index % 11) for index in range(len(cases))]
    else:
        cases = [(f"flows.{flow}", name) for flow in _FLOWS for name in ("happy_path", "retry", "cold_index", "swap")]
        weights = [math.exp(-index / 9) for index in range(len(cases))]
    total = sum(weights)
    return [(area, name, weight / total) for (area, name), weight in zip(cases, weights, strict=True)]


def _suite(rng: Random, suite: str, at: datetime, seconds: float) -> str:
    lines, failures, skipped, total = [], 0, 0, 0.0
    for classname, name, share in _cases(suite):
        took = round(lognormal(rng, seconds * share, 0.07), 3)
        total += took
        inside = ""
        if rng.random() < _FLAKY.get(f"{classname}.{name}", 0.0):
            inside = '<flakyFailure message="timed out waiting for the index" type="TimeoutError"/>'
        elif rng.random() < (0.0011 if suite == "unit" else 0.0026):
            failures += 1
            inside = '<failure message="expected one refund, got two" type="AssertionError">assert 2 == 1</failure>'
        elif name == "test_unicode_address" and classname.endswith("handover"):
            skipped += 1
            inside = '<skipped message="waits for PLT-31"/>'
        lines.append(
            f'<testcase classname={quoteattr(classname)} name={quoteattr(name)} time="{took:.3f}">{inside}</testcase>'
        )
    return (
        f'<testsuite name="{suite}" tests="{len(lines)}" failures="{failures}" errors="0" skipped="{skipped}" '
        f'time="{total:.3f}" timestamp="{iso(at)}" hostname="runner-4">\n' + "\n".join(lines) + "\n</testsuite>\n"
    )


def write(world: World, folder: Path) -> None:
    """A report of the nightly run on main for every working day of four weeks; of older ones few are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = world.rng("suites")
    first, last = INTEGRATION_S
    for day in world.workdays():
        # Slowly slower for months, then two weeks just over the budget.
        progress = min(1.0, max(0.0, (DAYS - world.ago(day)) / (DAYS - 14)))
        integration = first + (last - first) * progress**1.6
        at = day + timedelta(hours=2, minutes=rng.randrange(20))
        suites = [
            _suite(rng, name, at, seconds * rng.gauss(1.0, 0.012))
            for name, seconds in (("unit", UNIT_S), ("integration", integration))
        ]
        if world.ago(day) <= KEPT_DAYS or (day.weekday() == 0 and int(world.ago(day)) % 14 < 7):
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{"".join(suites)}</testsuites>\n'
            (folder / f"nightly-{day:%Y-%m-%d}.xml").write_text(text, encoding="utf-8")
