"""FOCUS cost exports (CSV or Parquet, 1.0 to 1.4): all files given together are one export, which replaces older ones.

The version is not in the rows: columns tell it, and both generations of names are accepted side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from aether_tui.records.tables import COSTS
from connectors.base import Access, Bulk, Malformed, Page, Replace, Sample
from connectors.files import name_of, sample, written_at
from connectors.focus_rows import packed_pages
from connectors.focus_runs import newest_runs
from connectors.parquet import parquet_columns, why_not_plain
from connectors.sniff import csv_columns, is_parquet

COLUMNS: dict[str, tuple[str, ...]] = {
    "charge_start": ("ChargePeriodStart",),
    "charge_end": ("ChargePeriodEnd",),
    "billing_start": ("BillingPeriodStart",),
    "billing_end": ("BillingPeriodEnd",),
    "billed_cost": ("BilledCost",),
    "effective_cost": ("EffectiveCost",),
    "list_cost": ("ListCost",),
    "contracted_cost": ("ContractedCost",),
    "currency": ("BillingCurrency",),
    "charge_category": ("ChargeCategory",),
    "charge_class": ("ChargeClass",),
    "provider": ("ServiceProviderName", "ProviderName", "HostProviderName", "PublisherName"),
    "source_service": ("ServiceName",),
    "service_category": ("ServiceCategory",),
    "region": ("RegionId", "RegionName", "Region"),
    "account": ("SubAccountId", "BillingAccountId"),
    "resource": ("ResourceId", "ResourceName"),
    "tags": ("Tags",),
}
"""Our column → FOCUS columns to try in turn."""

REQUIRED = ("BilledCost", "ChargeCategory", "ChargePeriodStart", "BillingCurrency")
_SINCE = (
    ("1.2", ("BillingAccountType", "InvoiceId", "PricingCurrency", "SubAccountType")),
    (
        "1.1",
        ("CapacityReservationId", "CommitmentDiscountQuantity", "ServiceSubcategory", "SkuMeter", "SkuPriceDetails"),
    ),
)
"""Columns a version brought, newest first."""

_NULLS = ("", "NULL", "null", "\\N")
"""Texts that mean nothing: Azure writes NULL, Hive and Snowflake \\N."""
_KNOWN = {*REQUIRED, *(name for names in (*COLUMNS.values(), *(names for _, names in _SINCE)) for name in names)}


class FocusFiles:
    """Exports of AWS, Azure, Google Cloud, Oracle and others in the FOCUS format."""

    kind = "focus"
    title = "FOCUS cost exports (CSV or Parquet)"
    together = True
    tables = (COSTS,)
    access = Access(
        "a FOCUS export of the last 13 months, 1.0 or newer: CSV or Parquet, packed or not, with its folders",
        (
            "none: the account's owner makes the export (AWS Data Exports, Azure Cost Management, Google's FOCUS view, Oracle)",
        ),
        (
            "charges: period, billed, effective, list and contracted cost, currency, category, provider, service, region, "
            "account, resource, tags and columns that begin with x_",
        ),
        drops=("invoice numbers", "prices and quantities of single units", "commitments and contracts"),
    )

    def recognises(self, sample: Sample) -> bool:
        """A CSV header or a Parquet schema with the columns every version has."""
        return _is_focus(columns_of(sample))

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """One page per format, read by the cache itself where it can. Raises Malformed for a file that is not FOCUS."""
        files: dict[Literal["csv", "parquet"], list[Path]] = {}
        paths, told = newest_runs(paths, now)
        for path in paths:
            head = sample(path)
            columns = columns_of(head)
            if not _is_focus(columns):
                missing = ", ".join(name for name in REQUIRED if name.casefold() not in _folded(columns))
                raise Malformed(f"{name_of(path)}: not a FOCUS export, it has no column {missing}")
            told.append(f"{name_of(path)}: read as FOCUS {version_of(columns)}")
            files.setdefault("parquet" if is_parquet(head.head) else "csv", []).append(path)
        # Accounts of two providers may have one number.
        scope = ("provider", "account", "billing_start")
        replace = Replace(COSTS.name, scope, max(written_at(path, now) for path in paths), repeats=True)
        for form, members in files.items():
            beside = ("tags", _is_vendors)
            bulk = Bulk(tuple(members), form, COSTS, COLUMNS, _NULLS, hash_key="row_hash", beside=beside)
            if not any(why_not_plain(path, form) for path in members):
                yield Page(bulk=bulk, replace=replace, problems=told, path=members[0])
            else:
                yield Page(replace=replace, problems=told, path=members[0])
                yield from packed_pages(bulk, replace)
            told = []


def _is_vendors(name: str) -> bool:
    return name.casefold().startswith("x_")


def version_of(columns: Sequence[str]) -> str:
    """The version of FOCUS whose columns these are, as far as they tell."""
    present = _folded(columns)
    if "serviceprovidername" in present:
        return "1.3" if "providername" in present else "1.4"
    return next((version for version, names in _SINCE if present & _folded(names)), "1.0")


def columns_of(head: Sample) -> tuple[str, ...]:
    """Columns of a CSV header, or those FOCUS columns that a Parquet file's schema names."""
    return parquet_columns(head.path, _KNOWN) if is_parquet(head.head) else csv_columns(head.head)


def _is_focus(columns: Sequence[str]) -> bool:
    return _folded(REQUIRED) <= _folded(columns)


def _folded(names: Sequence[str]) -> set[str]:
    return {name.casefold() for name in names}
