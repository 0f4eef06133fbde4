"""The cloud bill of the demonstration: FOCUS 1.0 rows as CSV, one file per billing month."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from aether_tui.demo.world import DAYS, RUNAWAY_DAYS, STAGING_STEP_DAYS, World

STORAGE_DRIFT_PER_DAY = 0.004
STAGING_STEP = 0.22

COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "ContractedUnitPrice", "EffectiveCost", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "SkuId", "SkuPriceId", "SubAccountId",
    "SubAccountName", "Tags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is paid for every day."""

    environment: str
    service: str
    category: str
    component: str
    team: str
    feature: str
    usd_per_day: float
    weekend: float = 1.0
    unit: str = "Hours"


LINES = (
    Line("production", "Compute Engine", "Compute", "assist-api", "Conversations", "orders", 64.0, 0.8),
    Line("production", "Compute Engine", "Compute", "retrieval", "Answers", "product-questions", 41.0, 0.8),
    Line("production", "Compute Engine", "Compute", "agent-desk", "Platform", "handover", 22.0, 0.7),
    Line("production", "Managed Database", "Databases", "assist-api", "Conversations", "orders", 31.0),
    Line("production", "Vector Search", "Databases", "retrieval", "Answers", "product-questions", 27.5),
    Line("production", "Object Storage", "Storage", "retrieval", "Answers", "policies", 11.0, 1.0, "GB-Months"),
    Line("production", "Network Egress", "Networking", "assist-api", "Platform", "", 8.4, 0.6, "GB"),
    Line("production", "Log Analytics", "Management and Governance", "assist-api", "Platform", "", 9.8, 0.7, "GB"),
    Line("staging", "Compute Engine", "Compute", "assist-api", "Conversations", "orders", 28.5, 0.55),
    Line("staging", "Compute Engine", "Compute", "retrieval", "Answers", "product-questions", 18.4, 0.55),
    Line("staging", "Managed Database", "Databases", "assist-api", "Conversations", "orders", 13.6),
    Line("staging", "Object Storage", "Storage", "retrieval", "Answers", "policies", 3.6, 1.0, "GB-Months"),
    Line("dev", "Compute Engine", "Compute", "assist-api", "Conversations", "orders", 6.2, 0.2),
    Line("dev", "Managed Database", "Databases", "assist-api", "Conversations", "", 3.4),
)
STAGING_VECTOR = Line("staging", "Vector Search", "Databases", "retrieval", "Answers", "product-questions", 0.0)
DEV_GPU = Line("dev", "GPU Notebooks", "AI and Machine Learning", "retrieval", "Answers", "product-questions", 0.0)


def _charges(world: World) -> Iterator[tuple[datetime, Line, float]]:
    rng = world.rng("costs")
    for index, day in enumerate(world.days()):
        ago = DAYS - index
        weekend = day.weekday() > 4
        staging = 0.0
        for line in LINES:
            usd = line.usd_per_day * (line.weekend if weekend else 1.0) * rng.gauss(1.0, 0.025) * (1 + 0.0006 * index)
            if line.environment == "production" and line.category == "Storage":
                usd = line.usd_per_day * (1 + STORAGE_DRIFT_PER_DAY) ** index * rng.gauss(1.0, 0.008)
            if line.environment == "staging":
                staging += line.usd_per_day * (0.72 if weekend else 1.0)
            yield day, line, usd
        if ago <= STAGING_STEP_DAYS:
            yield day, STAGING_VECTOR, staging * STAGING_STEP * rng.gauss(1.0, 0.02)
        if ago <= RUNAWAY_DAYS:
            yield day, DEV_GPU, 0.55 * 1.085 ** (RUNAWAY_DAYS - ago) * rng.gauss(1.0, 0.06)


def _month(day: datetime) -> tuple[datetime, datetime]:
    start = day.replace(day=1)
    return start, (start + timedelta(days=32)).replace(day=1)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _row(day: datetime, end: datetime, line: Line, usd: float, charge: str, description: str) -> dict[str, str]:
    start, after = _month(day)
    tags = {"environment": line.environment, "team": line.team, "service": line.component}
    if line.feature:
        tags["feature"] = line.feature
    resource = f"{line.environment}/{line.component}/{line.service.lower().replace(' ', '-')}"
    usage = charge == "Usage"
    billed = f"{usd:.6f}"
    return {
        "BilledCost": billed, "EffectiveCost": billed, "ListCost": f"{usd * 1.08:.6f}", "ContractedCost": billed,
        "BillingAccountId": "nw-4417", "BillingAccountName": "Northwind", "BillingCurrency": "USD",
        "BillingPeriodStart": _stamp(start), "BillingPeriodEnd": _stamp(after),
        "ChargePeriodStart": _stamp(day), "ChargePeriodEnd": _stamp(end), "ChargeCategory": charge,
        "ChargeDescription": description, "ChargeFrequency": "Usage-Based" if usage else "Recurring",
        "ConsumedQuantity": f"{usd * 4:.4f}" if usage else "", "ConsumedUnit": line.unit if usage else "",
        "PricingQuantity": f"{usd * 4:.4f}" if usage else "", "PricingUnit": line.unit if usage else "",
        "PricingCategory": "Standard", "ProviderName": "Example Cloud", "PublisherName": "Example Cloud",
        "InvoiceIssuerName": "Example Cloud", "RegionId": "eu-west", "RegionName": "Europe West",
        "ResourceId": resource if usage else "", "ResourceName": line.component if usage else "", "ResourceType": line.service,
        "ServiceCategory": line.category, "ServiceName": line.service, "SkuId": f"sku-{line.service.lower().replace(' ', '-')}",
        "SubAccountId": f"northwind-{line.environment}", "SubAccountName": f"Northwind {line.environment}",
        "Tags": json.dumps(tags, separators=(",", ":")) if usage else "",
    }  # fmt: skip


def rows(world: World) -> Iterator[tuple[datetime, dict[str, str]]]:
    """Day and FOCUS row of every charge: usage by day, support and a credit by month."""
    for day, line, usd in _charges(world):
        yield day, _row(day, day + timedelta(days=1), line, usd, "Usage", f"{line.service} usage")
    support = Line("production", "Support Plan", "Other", "", "", "", 0.0)
    for month in sorted({_month(day)[0] for day in world.days()}):
        yield month, _row(month, _month(month)[1], support, 290.0, "Purchase", "Business support plan")
        yield month, _row(month, _month(month)[1], support, -120.0, "Credit", "Start-up programme credit")


def write(world: World, folder: Path) -> None:
    """One export per billing month."""
    folder.mkdir(parents=True, exist_ok=True)
    months: dict[str, list[dict[str, str]]] = {}
    for day, row in rows(world):
        months.setdefault(f"{day:%Y-%m}", []).append(row)
    for month, found in months.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
        (folder / f"focus-{month}.csv").write_text(text.getvalue(), encoding="utf-8")
