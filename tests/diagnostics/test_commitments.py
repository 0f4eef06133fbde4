"""The ledger: what is overdue is asked first, and a number counts as moved only when its interval says so."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from scipy.stats import mannwhitneyu

from aether_tui.config import Config, Engagement
from aether_tui.report_model import Finding
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

TODAY = world.NOW.replace(tzinfo=None)
COURSE = [100 + (7 * day) % 5 for day in range(40)] + [80 + (7 * day) % 5 for day in range(20)]


def bill(made: Workspace, currency: str = "USD") -> Workspace:
    rows = [
        world.full(
            "costs", row_hash=f"r{place}", charge_start=TODAY - timedelta(days=60 - place), charge_end=TODAY - timedelta(days=59 - place),
            billed_cost=Decimal(value), currency=currency, charge_category="Usage", service="web", environment="staging",
        )
        for place, value in enumerate(COURSE)
    ]  # fmt: skip
    world.store(made, "focus", "costs", "costs", rows)
    return made


@pytest.fixture
def billed(tmp_path: Path) -> Workspace:
    return bill(world.workspace(tmp_path / "w"))


def promise(made: Workspace, number: int, more: str) -> None:
    text = f"id: COM-{number}\ntitle: '[b]Spend\x1b less'\n".replace("\x1b", "") + more
    world.document(made, "commitments", f"COM-{number}", text)


def test_promises_are_held_against_their_number(billed: Workspace) -> None:
    number = "number: cost.billed.environment.staging\n"
    promise(billed, 1, f"promised: 2026-11-01\nby: 2026-11-15\ndone: 2026-11-14\n{number}")
    promise(billed, 2, f"promised: 2026-11-01\nby: 2026-11-10\nwho: Platform\n{number}direction: up\n")
    promise(billed, 3, "promised: 2026-11-01\nby: 2026-12-10\nnumber: cost.billed.environment.stagin\n")
    promise(billed, 4, f"promised: 2026-11-19\nby: 2026-12-10\n{number}")
    promise(billed, 5, f"promised: 2026-12-01\n{number}")
    report = world.report("commitments", billed)
    found = {one.id: one for one in report.data.promises}
    assert [(one.id, one.standing) for one in report.data.promises] == [
        ("COM-2", "overdue"), ("COM-3", "open"), ("COM-4", "open"), ("COM-1", "done"),
    ]  # fmt: skip
    assert found["COM-1"].label == "billed cost per day, environment staging"
    assert (found["COM-1"].moved, found["COM-2"].moved) == ("as promised", "the other way")
    assert found["COM-1"].effect.value == pytest.approx(-20)  # 100 to 104 against 80 to 84
    assert found["COM-1"].effect.high is not None and found["COM-1"].effect.high < 0
    assert mannwhitneyu(COURSE[12:40], COURSE[40:]).pvalue < 0.05
    assert found["COM-3"].effect.reason == "no such daily series, did you mean cost.billed.environment.staging?"
    assert found["COM-4"].effect.reason is not None and "n too small" in found["COM-4"].effect.reason
    bad: list[Finding] = [one for one in report.findings if one.severity == "bad"]
    assert [one.evidence for one in bad] == [("COM-2",)]
    changed = world.report("anomalies", billed)
    assert changed.blocks[0].id == "commitments.rows"


def test_money_is_told_in_the_currency_of_the_engagement(empty: Workspace) -> None:
    promise(
        bill(empty, "EUR"),
        1,
        "promised: 2026-11-01\ndone: 2026-11-14\nnumber: cost.billed.environment.staging\ndirection: up\n",
    )
    report = world.report("commitments", empty, Config(engagement=Engagement(currency="EUR")))
    assert "median of a day 102 EUR → 82.00 EUR, shift −20.00 EUR" in report.findings[0].text


def test_no_promise_is_said(empty: Workspace) -> None:
    report = world.report("commitments", empty)
    assert report.blocks[0].id == "commitments.none"


def test_impossible_dates_are_refused(empty: Workspace) -> None:
    promise(empty, 1, "promised: 2026-11-02\ndone: 2026-11-01\n")
    assert world.report("commitments", empty).data.promises == ()
