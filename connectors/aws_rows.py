"""Answers of AWS Cost Explorer as rows of costs, in FOCUS terms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from aether_tui.records.tables import COSTS
from connectors.base import Reject, Row
from connectors.fields import Node, dig, instant, text
from connectors.money import money

_TAXES = "Tax"


def cost_rows(results: Sequence[Node], split: str) -> tuple[list[Row], list[Reject]]:
    """One row per period and group of `ResultsByTime`; `split` says what the second key of a group is.

    Billed is the unblended cost, effective the amortised one; list and contracted prices are not told here.
    """
    rows: list[Row] = []
    rejects: list[Reject] = []
    for result, group in _groups(results):
        try:
            rows.append(_row(result, group, split))
        except ValueError as error:
            rejects.append(Reject(COSTS.name, str(error), json.dumps(group), text(result, "TimePeriod", "Start") or ""))
    return rows, rejects


def _groups(results: Sequence[Node]) -> Iterator[tuple[Node, object]]:
    """Results with each of their groups, also with those that are no objects; one of a result that has no list of them."""
    for result in results:
        groups = dig(result, "Groups")
        yield from ((result, group) for group in (groups if isinstance(groups, list) else [None]))


def _row(result: Node, group: object, split: str) -> Row:
    start, end = instant(result, "TimePeriod", "Start"), instant(result, "TimePeriod", "End")
    if start is None:
        raise ValueError("a result without the start of its period")
    if not isinstance(group, Mapping):
        raise ValueError("a period without what was spent in it")
    found = dig(group, "Keys")
    keys = [str(key) for key in found] if isinstance(found, list) else []
    service, other = (keys + [""] * 2)[:2]
    billed, unit = _amount(group, "UnblendedCost")
    effective, effective_unit = _amount(group, "AmortizedCost")
    if effective_unit != unit:
        raise ValueError(f"costs in {unit} and {effective_unit} beside each other")
    month = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return COSTS.row(
        row_hash=hashlib.blake2b(json.dumps([str(start), split, keys]).encode(), digest_size=16).hexdigest(),
        charge_start=start,
        charge_end=end,
        billing_start=month,
        billing_end=_next_month(month),
        billed_cost=billed,
        effective_cost=effective,
        currency=unit,
        charge_category="Tax" if service == _TAXES else "Usage",
        provider="AWS",
        source_service=service or None,
        region=(other or None) if split == "region" else None,
        account=(other or None) if split == "account" else None,
        tags=json.dumps(_tag(other)) if split.startswith("tag:") else None,
        estimated=dig(result, "Estimated") is True,
    )


def _amount(group: Node, metric: str) -> tuple[Decimal | None, str | None]:
    """Amount and currency of a metric. Raises ValueError for one that is said and no number."""
    said = dig(group, "Metrics", metric, "Amount")
    amount = money(said)
    if amount is None and said not in (None, ""):
        raise ValueError(f"{metric} is not a number: {str(said)[:80]}")
    return amount, text(group, "Metrics", metric, "Unit")


def _tag(key: str) -> Mapping[str, str]:
    """A group by tag is called `NAME$value`; nothing behind the sign means that the tag is absent."""
    name, _, value = key.partition("$")
    return {name: value} if value else {}


def _next_month(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
