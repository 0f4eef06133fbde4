"""Infracost's JSON (breakdown, diff and combined output, version 0.2): monthly cost estimates per project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from aether_tui.records.tables import COST_ESTIMATES
from connectors import fields
from connectors.base import Access, Malformed, Page, Row, Sample
from connectors.files import name_of, read_all, written_at
from connectors.money import money, total
from connectors.sniff import json_keys, text_head

MAX_DOCUMENT = 256 << 20


@dataclass(frozen=True, slots=True)
class ProjectCost:
    """One project of an estimate; costs per month. `past` is null for a new project, `now` when nothing was priced."""

    name: str
    past: Decimal | None
    now: Decimal | None
    diff: Decimal | None
    resources: int
    unsupported: int | None
    unpriced: int | None
    errors: tuple[str, ...]


@dataclass(slots=True)
class CostResult:
    """One document. The totals are sums of the projects, because combined documents leave their own totals out."""

    name: str
    currency: str
    made: datetime | None
    projects: list[ProjectCost] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def past_monthly_cost(self) -> Decimal | None:
        """Before the change; null when every project is new."""
        return total(project.past for project in self.projects)

    @property
    def monthly_cost(self) -> Decimal | None:
        """After the change; null when nothing was priced."""
        return total(project.now for project in self.projects)

    @property
    def diff_monthly_cost(self) -> Decimal | None:
        """The difference."""
        return total(project.diff for project in self.projects)


def read_infracost(text: str, name: str) -> CostResult:
    """The estimate in `text`; what follows the first JSON document is reported. Raises Malformed when there is none."""
    start = text.lstrip("\ufeff \t\r\n")
    try:
        document, end = json.JSONDecoder(parse_float=Decimal).raw_decode(start)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{name}: not JSON ({error})") from error
    if not isinstance(document, Mapping) or not isinstance(document.get("projects"), list):
        raise Malformed(f"{name}: not an Infracost document, it has no projects")
    result = CostResult(name, fields.text(document, "currency") or "USD", _instant(document))
    result.projects = list(_named(_project(raw) for raw in fields.objects(document, "projects")))
    result.problems = list(_problems(result, document, start[end:].strip()))
    return result


def _project(raw: Mapping[str, object]) -> ProjectCost:
    errors = tuple(
        fields.text(error, "message") or f"error {fields.text(error, 'code') or 'without a message'}"
        for error in fields.objects(raw, "metadata", "errors")
    )
    resources = len(fields.objects(raw, "breakdown", "resources"))
    had_resources = bool(fields.objects(raw, "pastBreakdown", "resources"))
    past, now = _monthly(raw, "pastBreakdown"), _monthly(raw, "breakdown")
    return ProjectCost(
        name=fields.text(raw, "name") or fields.text(raw, "metadata", "path") or "?",
        past=past if past or had_resources else None,
        # A project that failed to load is stated as 0: it is not known.
        now=None if errors and not resources and not now else now,
        diff=_monthly(raw, "diff"),
        resources=resources,
        unsupported=_count(raw, "totalUnsupportedResources", "unsupportedResourceCounts"),
        unpriced=_count(raw, "totalNoPriceResources", "noPriceResourceCounts"),
        errors=errors,
    )


def _monthly(raw: Mapping[str, object], part: str) -> Decimal | None:
    return money(fields.dig(raw, part, "totalMonthlyCost"))


def _count(raw: Mapping[str, object], stated: str, by_kind: str) -> int | None:
    count = fields.integer(raw, "summary", stated)
    kinds = fields.dig(raw, "summary", by_kind)
    if count is None and isinstance(kinds, Mapping):
        return sum(fields.integer(kinds, kind) or 0 for kind in kinds)
    return count


def _named(projects: Iterator[ProjectCost]) -> Iterator[ProjectCost]:
    """Projects of one name are told apart by their place: the name is the key."""
    seen: dict[str, int] = {}
    for project in projects:
        seen[project.name] = seen.get(project.name, 0) + 1
        if seen[project.name] == 1:
            yield project
        else:
            yield replace(project, name=f"{project.name} ({seen[project.name]})")


def _problems(result: CostResult, document: Mapping[str, object], rest: str) -> Iterator[str]:
    if rest:
        yield f"{result.name}: text follows the JSON document and was left out ({len(rest)} characters)"
    for project in result.projects:
        if project.errors:
            failed = f"{len(project.errors)} error{'s' * (len(project.errors) > 1)}"
            yield f"{result.name}: {project.name} has {failed}, its estimate is incomplete"
        if project.unsupported or project.unpriced:
            left = f"{project.unsupported or 0} unsupported and {project.unpriced or 0} unpriced resources"
            yield f"{result.name}: {project.name} leaves out {left}"
    stated = money(document.get("totalMonthlyCost"))
    if stated is not None and stated != (result.monthly_cost or 0):
        yield f"{result.name}: states a total of {stated}, its projects add up to {result.monthly_cost or 0}"


def _instant(document: Mapping[str, object]) -> datetime | None:
    try:
        return fields.instant(document, "timeGenerated")
    except ValueError:
        return None


class InfracostFiles:
    """Estimates written by Infracost."""

    kind = "infracost"
    title = "Infracost cost estimates (JSON)"
    tables = (COST_ESTIMATES,)
    access = Access(
        "the output of `infracost breakdown` or `infracost diff` with `--format json`",
        ("none: whoever plans the infrastructure runs it",),
        ("projects: name, monthly cost before and after, currency, how many resources have no price, errors",),
        drops=("resources and their settings", "addresses of repositories"),
    )

    def recognises(self, sample: Sample) -> bool:
        """An object with projects beside a currency or a total."""
        keys = set(json_keys(sample.head))
        return "projects" in keys and bool(keys & {"currency", "totalMonthlyCost", "timeGenerated"})

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Estimates of every document. Raises Malformed for a file that holds none."""
        for path in paths:
            result = read_infracost(text_head(read_all(path, MAX_DOCUMENT)), name_of(path))
            at = result.made or written_at(path, now)
            rows = [_row(project, result.currency, at) for project in result.projects]
            yield Page({COST_ESTIMATES.name: rows}, problems=result.problems)


def _row(project: ProjectCost, currency: str, at: datetime) -> Row:
    return COST_ESTIMATES.row(
        project=project.name, at=at, past_monthly_cost=project.past, monthly_cost=project.now,
        diff_monthly_cost=project.diff, currency=currency, resources=project.resources,
        unsupported=project.unsupported, unpriced=project.unpriced, errors=project.errors,
    )  # fmt: skip
