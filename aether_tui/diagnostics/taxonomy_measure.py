"""The task taxonomy in production: what each kind of request takes of volume and cost, how often it fails, what drifts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.frame import Data, Record, real, text, whole
from aether_tui.report_model import Quantity, missing
from aether_tui.stats.intervals import wilson
from aether_tui.text import one_line
from aether_tui.workspace.kinds.taxonomy import Taxonomy

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents


class Kind(Struct, frozen=True, kw_only=True):
    """One category. Shares are of assigned requests; without any, `sample_share` of the texts it was built from is known."""

    id: str
    label: str
    requests: int
    sample_share: float
    volume: Quantity
    volume_before: Quantity
    cost: Quantity
    errors: Quantity
    failures: Quantity
    unsure: Quantity
    terms: tuple[str, ...]
    examples: tuple[str, ...]
    parents: tuple[str, ...]
    edits: tuple[str, ...]


class Version(Struct, frozen=True, kw_only=True):
    """One version; `kept`: categories that have the id of one in the version before."""

    id: str
    built: datetime
    source: str
    texts: int
    categories: int
    kept: int
    chosen: str


class Doubtful(Struct, frozen=True, kw_only=True):
    """A request whose category is uncertain; its text is not kept, its trace is."""

    trace: str
    category: str
    certainty: str
    margin: float
    feature: str
    start: datetime


class Map(Struct, frozen=True, kw_only=True):
    """The version in force over the window; `assigned` of all requests, `unsure` and `far` of assigned ones."""

    version: str | None
    texts: int
    distinct: int
    chosen: str
    model_there: bool
    requests: int
    assigned: Quantity
    unsure: Quantity
    far: Quantity
    kinds: tuple[Kind, ...]
    doubtful: tuple[Doubtful, ...]
    versions: tuple[Version, ...]


def measure(data: Data, documents: Documents) -> Map:
    """Categories by volume, the uncertain ones, the versions."""
    written = documents.of(Taxonomy)
    if not written:
        none = missing("there is no taxonomy yet", unit="ratio")
        return Map(
            version=None, texts=0, distinct=0, chosen="", model_there=False, requests=0, assigned=none, unsure=none, far=none,
            kinds=(), doubtful=(), versions=(),
        )  # fmt: skip
    active = written[-1]
    rows = data.rows("taxonomy_requests")
    now = [row for row in rows if row["now"]]
    given = [row for row in now if row["category"]]
    before = [row for row in rows if not row["now"] and row["category"]]
    n, assigned = _sum(now, "n"), _sum(given, "n")
    model = documents.workspace.engagement / "taxonomy" / f"{active.id}.model.json"
    return Map(
        version=active.id, texts=active.texts, distinct=active.distinct, chosen=active.chosen, model_there=model.is_file(),
        requests=n, assigned=_share(assigned, n, "no requests in this window"),
        unsure=_share(_sum(_with(given, "certainty", "unsure"), "n"), assigned, "no request was assigned yet"),
        far=_share(_sum(_with(given, "certainty", "far"), "n"), assigned, "no request was assigned yet"),
        kinds=_kinds(active, given, before), doubtful=_doubtful(active, data.rows("taxonomy_unsure")), versions=_versions(written),
    )  # fmt: skip


def _kinds(active: Taxonomy, given: Sequence[Record], before: Sequence[Record]) -> tuple[Kind, ...]:
    under = active.now()

    def of(rows: Sequence[Record], identity: str) -> list[Record]:
        return [row for row in rows if under.get(text(row["category"]), text(row["category"])) == identity]

    n, n_before, spent = _sum(given, "n"), _sum(before, "n"), _sum_of(given, "cost_usd")
    total = max(sum(one.size for one in active.categories), 1)
    known = [(one.id, one.label) for one in active.categories]
    seen = {under.get(text(row["category"]), text(row["category"])) for row in given}
    # Split since, or of a version that is gone: they keep the requests they were given.
    known += [(one.id, one.label) for one in active.retired if one.id in seen]
    by_id = {one.id: one for one in active.categories}
    found = []
    for identity, label in known:
        mine, one = of(given, identity), by_id.get(identity)
        requests, outcomes = _sum(mine, "n"), _sum(mine, "n_outcome")
        cost = _sum_of(mine, "cost_usd")
        found.append(Kind(
            id=identity, label=one_line(label), requests=requests, sample_share=one.size / total if one else 0.0,
            volume=_share(requests, n, "no request was assigned yet"),
            volume_before=_share(_sum(of(before, identity), "n"), n_before, "none was assigned in the window before"),
            cost=Quantity(value=cost / spent, unit="ratio", n=_sum(mine, "n_cost")) if spent > 0
            else missing("no cost is known", unit="ratio"),
            errors=_share(_sum(mine, "errors"), requests, "no requests"),
            failures=_share(_sum(mine, "failures"), outcomes, "no outcome signal"),
            unsure=_share(_sum(_with(mine, "certainty", "unsure"), "n"), requests, "no requests"),
            terms=tuple(map(one_line, one.terms)) if one else (),
            examples=tuple(one_line(each, 400) for each in one.examples) if one else (),
            parents=tuple(one.parents) if one else (), edits=tuple(map(one_line, one.edits)) if one else (),
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.requests, -one.sample_share, one.id)))


def _doubtful(active: Taxonomy, rows: Iterable[Record]) -> tuple[Doubtful, ...]:
    labels = active.labels()
    return tuple(
        Doubtful(
            trace=text(row["trace_id"]), category=one_line(labels.get(text(row["category"]), text(row["category"]))),
            certainty=text(row["certainty"]), margin=real(row["margin"]), feature=one_line(text(row["feature"])),
            start=row["start"].replace(tzinfo=UTC),
        )
        for row in rows
        if isinstance(row["start"], datetime)
    )  # fmt: skip


def _versions(written: Sequence[Taxonomy]) -> tuple[Version, ...]:
    made = []
    ids: set[str] = set()
    for one in written:
        own = {each.id for each in one.categories}
        made.append(Version(
            id=one.id, built=one.built.replace(tzinfo=UTC), source=one_line(one.source), texts=one.texts,
            categories=len(own), kept=len(own & ids), chosen=one_line(one.chosen),
        ))  # fmt: skip
        ids = own | {each.id for each in one.retired}
    return tuple(reversed(made))


def _with(rows: Sequence[Record], column: str, value: str) -> list[Record]:
    return [row for row in rows if row[column] == value]


def _sum(rows: Sequence[Record], column: str) -> int:
    return sum(whole(row[column]) for row in rows)


def _sum_of(rows: Sequence[Record], column: str) -> float:
    return sum(real(row[column]) for row in rows)


def _share(k: int, n: int, reason: str) -> Quantity:
    if n <= 0:
        return missing(reason, unit="ratio", n=0)
    low, high = wilson(k, n)
    return Quantity(value=k / n, unit="ratio", n=n, low=low, high=high)
