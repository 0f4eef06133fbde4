"""What is kept of people's data: a sample of stored texts held against the detectors, their recall, and retention (diagnostics C)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics.frame import Clock, Data, Question, Record, instant, text, whole
from aether_tui.human import plural
from aether_tui.report_model import Block, Col, Finding, Prose, Row, State, Table

if TYPE_CHECKING:
    from aether_tui.ingest.redact import Redactor
    from aether_tui.workspace.documents import Documents

SAMPLE = 500
_DAY_S = 86_400


class Recall(Struct, frozen=True, kw_only=True):
    """Values of one kind that the detectors replaced, of those in texts made for this check."""

    kind: str
    found: int
    made: int


class Kept(Struct, frozen=True, kw_only=True):
    """Rows of one table, its oldest, and the policy; `overdue` when older rows than allowed are there."""

    table: str
    rows: int
    oldest: datetime | None
    keep_days: int | None
    overdue: bool


class Privacy(Struct, frozen=True, kw_only=True):
    """`upper_bound` is the 95 % bound on the share of texts with a hit: 3/N when there was none (rule of three)."""

    texts: int
    hits: int
    hit_places: dict[str, int]
    upper_bound: float | None
    recall: tuple[Recall, ...]
    retention: tuple[Kept, ...]


def asks(clock: Clock) -> tuple[Question, ...]:
    """What takes a sample of the texts."""
    return (("instrument_texts", {"sample_seed": clock.seed, "texts": SAMPLE}),)


def measure(data: Data, documents: Documents, clock: Clock) -> Privacy:
    """Sampled texts that the detectors would still change, the detectors' recall, and the age of what is kept."""
    from aether_tui.ingest.recall import recall
    from aether_tui.ingest.redact import Redactor

    policy = documents.config.privacy
    redactor = Redactor(b"looking only", policy.patterns)
    places: dict[str, int] = {}
    ((name, params),) = asks(clock)
    texts = data.rows(name, **params)
    for row in texts:
        if _would_change(redactor, text(row["place"]), text(row["value"])):
            places[text(row["place"])] = places.get(text(row["place"]), 0) + 1
    hits = sum(places.values())
    return Privacy(
        texts=len(texts),
        hits=hits,
        hit_places=places,
        upper_bound=_bound(hits, len(texts)),
        recall=tuple(
            Recall(kind=kind, found=found, made=made) for kind, (found, made) in recall(redactor, clock.seed).items()
        ),
        retention=tuple(_kept(row, policy.retention_days, clock) for row in data.rows("instrument_oldest")),
    )


def _would_change(redactor: Redactor, place: str, value: str) -> bool:
    clean = redactor.json(value) if place.endswith("attributes") else redactor.text(value)
    return clean != value


def _bound(hits: int, texts: int) -> float | None:
    """Upper 95 % bound of the share: the rule of three (Hanley & Lippman-Hand 1983) without a hit, else Wilson's."""
    from aether_tui.stats.intervals import wilson

    if texts == 0:
        return None
    return min(1.0, 3 / texts) if hits == 0 else wilson(hits, texts)[1]


def _kept(row: Record, policy: dict[str, int], clock: Clock) -> Kept:
    name, oldest = text(row["name"]), instant(row["oldest"])
    keep_days = policy.get(name)
    age_s = (clock.now - oldest).total_seconds() if oldest else 0.0
    return Kept(
        table=name,
        rows=whole(row["n"]),
        oldest=oldest,
        keep_days=keep_days,
        overdue=keep_days is not None and age_s > (keep_days + 1) * _DAY_S,
    )


# --- Words --------------------------------------------------------------------------------------------------------


def verdict(found: Privacy) -> str:
    """What was looked at and seen; never more than that."""
    if not found.texts:
        return "No stored text to sample."
    if found.hits:
        where = ", ".join(f"{place} ({count})" for place, count in sorted(found.hit_places.items()))
        return f"The detectors would still change {found.hits} of {found.texts} sampled texts: {where}."
    return f"No pattern hit in {found.texts} sampled texts (95 % upper bound {100 * (found.upper_bound or 0):.1f} %)."


def findings(found: Privacy) -> tuple[Finding, ...]:
    """Texts that should have been clean, and rows that should be gone."""
    made = []
    if found.hits:
        made.append(
            Finding(
                id="instrumentation.privacy",
                severity="bad",
                text=verdict(found),
                evidence=("instrumentation.privacy",),
                action="they were stored before a pattern was added: aether-tui cache reset, then aether-tui sync --full",
            )
        )
    overdue = [item.table for item in found.retention if item.overdue]
    if overdue:
        made.append(
            Finding(
                id="instrumentation.retention",
                severity="bad",
                text=f"Rows older than the policy allows in {', '.join(overdue)}.",
                evidence=("instrumentation.retention",),
                action="aether-tui cache prune",
            )
        )
    return tuple(made)


def blocks(found: Privacy) -> tuple[Block, ...]:
    """The sample, the recall behind it, retention by table."""
    seen = sum(item.found for item in found.recall)
    made = sum(item.made for item in found.recall)
    kinds = ", ".join(f"{item.kind} {item.found} of {item.made}" for item in found.recall)
    said = Prose(
        id="instrumentation.privacy",
        title="Redaction",
        text=f"{verdict(found)} Known patterns only: on texts made for this check the detectors replaced {seen} of {made} "
        f"values ({kinds}). A person signs for it: item privacy-signed of phase 1.",
    )
    kept = [item for item in found.retention if item.rows]
    table = Table(
        id="instrumentation.retention",
        title="Retention",
        columns=(
            Col(key="state", title="", kind="state", priority=9),
            Col(key="what", title="what is kept", priority=10),
            Col(key="rows", title="rows", kind="number", priority=7),
            Col(key="oldest", title="oldest", kind="time", priority=8),
            Col(key="policy", title="policy", priority=9),
        ),
        rows=tuple(_kept_row(item) for item in kept),
        empty="No raw rows are kept.",
        note="Set [privacy.retention_days] in aether.toml; aether-tui cache prune enforces it and shows first what would go."
        if any(item.keep_days is None for item in kept)
        else "",
    )
    return (said, table)


def _what(table: str) -> str:
    """What a table holds, in a few words."""
    from aether_tui.records import TABLES

    return re.split(r"[;:,(]", TABLES[table].meaning)[0].strip() if table in TABLES else table


def _kept_row(item: Kept) -> Row:
    policy = "none: kept for ever" if item.keep_days is None else plural(item.keep_days, "day")
    state: State = "block" if item.overdue else "warn" if item.keep_days is None else "pass"
    word = "overdue" if item.overdue else "no policy" if item.keep_days is None else "kept"
    oldest = item.oldest.date().isoformat() if item.oldest else ""
    return Row(
        id=f"instrumentation.retention.{item.table}",
        state=state,
        cells=(word, _what(item.table), item.rows, oldest, policy),
        detail=f"table {item.table}",
    )
