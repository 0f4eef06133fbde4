"""Cost estimates of infrastructure changes: Infracost JSON, one per reviewed change."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from aether_tui.demo.world import STAGING_STEP_DAYS, World, iso

# Days ago, then monthly cost before and after by environment: the last change is the vector database in staging.
_CHANGES = (
    (96, {"dev": ("288.40", "288.40"), "staging": ("1762.00", "1784.20"), "production": ("6412.00", "6412.00")}),
    (58, {"dev": ("288.40", "301.10"), "staging": ("1784.20", "1797.90"), "production": ("6412.00", "6560.50")}),
    (
        STAGING_STEP_DAYS + 1,
        {"dev": ("301.10", "301.10"), "staging": ("1797.90", "1964.70"), "production": ("6560.50", "6560.50")},
    ),
)
_VECTOR = Decimal("166.80")


def _resource(name: str, kind: str, monthly: Decimal) -> dict[str, object]:
    return {
        "name": name, "resourceType": kind, "metadata": {}, "hourlyCost": str((monthly / 730).quantize(Decimal("0.000001"))),
        "monthlyCost": str(monthly), "costComponents": [],
    }  # fmt: skip


def _breakdown(environment: str, monthly: Decimal, vector: bool) -> dict[str, object]:
    rest = monthly - (_VECTOR if vector else 0)
    resources = [
        _resource(
            f"compute.{environment}", "example_instance_pool", (rest * Decimal("0.62")).quantize(Decimal("0.01"))
        ),
        _resource(
            f"database.{environment}", "example_database", rest - (rest * Decimal("0.62")).quantize(Decimal("0.01"))
        ),
    ]
    if vector:
        resources.append(_resource("vector_search.assist", "example_vector_index", _VECTOR))
    hourly = (monthly / 730).quantize(Decimal("0.000001"))
    return {"resources": resources, "totalHourlyCost": str(hourly), "totalMonthlyCost": str(monthly)}


def _project(environment: str, before: Decimal, after: Decimal, vector: bool) -> dict[str, object]:
    summary: dict[str, object] = {
        "totalDetectedResources": 3 if vector else 2, "totalSupportedResources": 3 if vector else 2,
        "totalUnsupportedResources": 0, "totalUsageBasedResources": 2, "totalNoPriceResources": 0,
        "unsupportedResourceCounts": {}, "noPriceResourceCounts": {},
    }  # fmt: skip
    delta = after - before
    return {
        "name": f"northwind/infra/{environment}",
        "metadata": {"path": f"infra/{environment}", "type": "terraform_dir", "vcsRepositoryUrl": "https://git.example.invalid/northwind/infra"},
        "pastBreakdown": _breakdown(environment, before, False),
        "breakdown": _breakdown(environment, after, vector),
        "diff": {"resources": [], "totalHourlyCost": str((delta / 730).quantize(Decimal("0.000001"))), "totalMonthlyCost": str(delta)},
        "summary": summary,
    }  # fmt: skip


def write(world: World, folder: Path) -> None:
    """One document per change."""
    folder.mkdir(parents=True, exist_ok=True)
    for ago, changes in _CHANGES:
        at = world.day(ago) + timedelta(hours=14, minutes=12)
        projects = [
            _project(
                environment, Decimal(before), Decimal(after), environment == "staging" and ago <= STAGING_STEP_DAYS + 1
            )
            for environment, (before, after) in changes.items()
        ]
        past = sum((Decimal(before) for before, _ in changes.values()), Decimal())
        now = sum((Decimal(after) for _, after in changes.values()), Decimal())
        document = {
            "version": "0.2", "metadata": {"infracostCommand": "diff", "vcsBranch": "main"}, "currency": "USD", "projects": projects,
            "totalHourlyCost": str((now / 730).quantize(Decimal("0.000001"))), "totalMonthlyCost": str(now),
            "pastTotalHourlyCost": str((past / 730).quantize(Decimal("0.000001"))), "pastTotalMonthlyCost": str(past),
            "diffTotalHourlyCost": str(((now - past) / 730).quantize(Decimal("0.000001"))),
            "diffTotalMonthlyCost": str(now - past), "timeGenerated": iso(at), "summary": {},
        }  # fmt: skip
        (folder / f"infracost-{at:%Y-%m-%d}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
