"""Freezing what was published, and telling a later change of it apart: real, late data, redefinition, coverage (diagnostics N)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, cast

import msgspec
from msgspec import Struct

from aether_tui.diagnostics import indicators as table
from aether_tui.diagnostics.frame import Clock, Readable, query
from aether_tui.diagnostics.lens_measure import Lens, Lenses, Result
from aether_tui.diagnostics.run import run_all
from aether_tui.ingest.prices import table_version
from aether_tui.report_model import Facts, Report
from aether_tui.workspace.reviews import Review, Value, fingerprint

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace.folder import Workspace

FACTS = ("flow", "scorecard", "pipeline", "gains")
"""Reports whose key figures are frozen; the lenses are, with every indicator and anchor."""
PRICED = frozenset({"gains"})
"""Those of them whose figures rest on what model calls cost."""


class Line(Struct, frozen=True, kw_only=True):
    """One number in two reviews. The four parts add up to `total`; all are null where a review has no number (`note` says why)."""

    id: str
    title: str
    unit: str
    before: float | None
    after: float | None
    total: float | None = None
    real: float | None = None
    late: float | None = None
    redefinition: float | None = None
    coverage: float | None = None
    note: str = ""


class Revision(Struct, frozen=True):
    """What recomputing a frozen number today does to it, by cause."""

    late: float = 0.0
    redefinition: float = 0.0
    coverage: float = 0.0


def take(
    name: str, workspace: Workspace, config: Config, clock: Clock, cache: Readable, frozen: datetime, note: str = ""
) -> Review:
    """Every report of the clock's window as a review, not written yet."""
    reports, _ = run_all(workspace, config, clock, cache)
    mapping = config.mapping.model_dump_json()
    prices = fingerprint(table_version(), *(price.model_dump_json() for price in config.prices))
    lenses = cast("Report[Lenses]", reports["lens"]).data
    values = _lens_values(lenses, mapping, prices)
    for report in FACTS:
        values |= _fact_values(reports[report], mapping, *([prices] if report in PRICED else []))
    return Review(
        name=name,
        frozen=frozen,
        as_of=clock.now,
        window=clock.window,
        previous=clock.previous,
        definitions={"mapping": fingerprint(mapping), "anchors": lenses.anchors_version, "prices": prices},
        reports={name: fingerprint(msgspec.json.encode(one.data)) for name, one in reports.items()},
        values=values,
        note=note,
        seed=clock.seed,
    )


def again(review: Review, workspace: Workspace, config: Config, cache: Readable) -> Review:
    """The review as it would come out now: its clock and window, today's data and definitions."""
    clock = Clock(review.as_of, review.window, review.previous, review.seed)
    return take(review.name, workspace, config, clock, cache, review.frozen)


def _lens_values(lenses: Lenses, mapping: str, prices: str) -> dict[str, Value]:
    known = table.known()
    made: dict[str, Value] = {}
    for lens in lenses.lenses:
        made[lens.id] = _score(lens)
        made |= {one.id: _indicator(one, known[one.id], mapping, prices) for one in lens.indicators}
    return made


def _score(lens: Lens) -> Value:
    parts = {one.id: one.anchor.weight for one in lens.indicators if one.score is not None and one.anchor}
    why = "weighted mean of the scores of its indicators"
    return Value(title=lens.title, value=lens.score, definition=fingerprint(why), formula=why, parts=parts)


def _indicator(one: Result, item: table.Indicator, mapping: str, prices: str) -> Value:
    anchor = one.anchor
    asked = query(item.query) if item.query and item.shape != "freshness" else item.query
    return Value(
        title=one.title,
        value=one.value,
        definition=fingerprint(
            item.why, item.shape, asked, str(item.p), item.unit, mapping, *([prices] if "cost_usd" in asked else [])
        ),
        formula=item.why,
        score=one.score,
        anchor=(anchor.poor, anchor.good, anchor.scale == "log") if anchor else None,
    )


REPEATED = (".glance", ".worst")
"""Ends of ids of figures that are shown once more at the head of their page."""


def _fact_values(report: Report[Struct], *by: str) -> dict[str, Value]:
    made = {}
    for block in report.blocks:
        title = ", ".join(part for part in (report.title, getattr(block, "title", "")) if part)
        for fact in block.facts if isinstance(block, Facts) else ():
            if fact.id.endswith(REPEATED):
                continue
            made[f"{report.report}:{fact.id}"] = Value(
                title=f"{title}: {fact.label}",
                value=fact.value,
                formula=fact.why,
                # what follows the first line counts rows
                definition=fingerprint(fact.why.partition("\n")[0], fact.value.unit, *by),
            )
    return made


# --- Telling changes apart ------------------------------------------------------------------------------------------


def compare(old: Review, old_now: Review, new: Review, new_now: Review) -> tuple[Line, ...]:
    """Every number of two reviews. `old_now` and `new_now` are both recomputed today.

    new − old = (old recomputed − old) + (new recomputed − old recomputed) − (new recomputed − new). The middle is real (for a
    score: over the indicators both have, the rest is coverage); the outer two are revisions, each split by `revision`.
    """
    names = sorted(name for name in {*old.values, *new.values} if not name.endswith(REPEATED))
    return tuple(_line(name, old, old_now, new, new_now) for name in names)


def _line(name: str, old: Review, old_now: Review, new: Review, new_now: Review) -> Line:
    first, last = old.values.get(name), new.values.get(name)
    shown = last or first
    assert shown is not None
    a, b = _number(first), _number(last)
    line = Line(id=name, title=shown.title, unit=shown.value.unit, before=a, after=b)
    if a is None or b is None:
        gone = [f"no number in {one.name}" for one, value in ((old, a), (new, b)) if value is None]
        return msgspec.structs.replace(line, note=" and ".join(gone))
    again_a, again_b = _number(old_now.values.get(name)), _number(new_now.values.get(name))
    if again_a is None or again_b is None:
        return msgspec.structs.replace(line, total=b - a, coverage=b - a, note="cannot be computed from today's data")
    before, after = revision(name, old, old_now), revision(name, new, new_now)
    real = again_b - again_a
    coverage = 0.0
    if shown.parts:
        both = old_now.values[name].parts.keys() & new_now.values[name].parts.keys()
        kept = _mean(new_now, both, new_now.values[name].parts) - _mean(old_now, both, old_now.values[name].parts)
        coverage, real = real - kept, kept
    return msgspec.structs.replace(
        line,
        total=b - a,
        real=real,
        late=before.late - after.late,
        redefinition=before.redefinition - after.redefinition,
        coverage=coverage + before.coverage - after.coverage,
    )


def revision(name: str, frozen: Review, now: Review) -> Revision:
    """Why a frozen number comes out differently today. Of a plain number: redefinition when its definition changed, else late
    data. Of a score: indicators that came or went are coverage; the old values under today's anchors and weights, and values
    whose definition changed, are redefinition; the rest is late data.
    """
    then, today = frozen.values[name], now.values[name]
    a, r = _number(then), _number(today)
    if a is None or r is None:
        return Revision()
    if not then.parts:
        changed = then.definition != today.definition
        return Revision(redefinition=r - a) if changed else Revision(late=r - a)
    both = then.parts.keys() & today.parts.keys()
    if not both:
        return Revision(coverage=r - a)
    left = _mean(frozen, both, then.parts)
    rescored = {one: _rescored(frozen.values[one], now.values[one]) for one in both}
    redefined = {
        one: _score_of(now, one) if frozen.values[one].definition != now.values[one].definition else rescored[one]
        for one in both
    }
    defined = _weighted(redefined, today.parts)
    fresh = _mean(now, both, today.parts)
    return Revision(late=fresh - defined, redefinition=defined - left, coverage=(left - a) + (r - fresh))


def _rescored(then: Value, today: Value) -> float:
    """The old value between today's anchors."""
    if then.anchor == today.anchor or today.anchor is None or then.value.value is None:
        return then.score or 0.0
    poor, good, log = today.anchor
    anchor = table.Anchor(poor=poor, good=good, scale="log" if log else "linear", weight=1, source="")
    return table.score(then.value.value, anchor)


def _number(value: Value | None) -> float | None:
    return None if value is None else value.value.value


def _score_of(review: Review, name: str) -> float:
    return review.values[name].score or 0.0


def _mean(review: Review, names: set[str], weights: Mapping[str, float]) -> float:
    return _weighted({name: _score_of(review, name) for name in names}, weights)


def _weighted(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    total = sum(weights[name] for name in scores)
    return sum(weights[name] * score for name, score in scores.items()) / total if total else 0.0
