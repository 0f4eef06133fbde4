"""Three lenses, Speed, Quality and Visibility: indicators between dated anchors, never merged into one (diagnostics H)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from aether_tui.diagnostics import indicators as table
from aether_tui.diagnostics import indicators_given, voices, windows
from aether_tui.diagnostics.frame import Clock, Data, Question
from aether_tui.diagnostics.indicators import Anchor, Indicator, LensName, score_of
from aether_tui.human import amount
from aether_tui.report_model import Quantity, Window, missing
from aether_tui.workspace import reviews

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents

LENSES: dict[LensName, str] = {"speed": "Speed", "quality": "Quality", "visibility": "Visibility"}
MIN_COVERAGE = 0.5
SLICES = 8


class Result(Struct, frozen=True, kw_only=True):
    """One indicator: its value now and before, its score between the anchors (null without both), its course."""

    id: str
    lens: str
    title: str
    better: str
    value: Quantity
    previous: Quantity
    score: float | None
    score_low: float | None
    score_high: float | None
    previous_score: float | None
    anchor: Anchor | None
    why: str
    series: tuple[float | None, ...]
    bands: tuple[tuple[float, float] | None, ...]
    """Ends of the score of each value of the series, from the ends of its interval."""
    stated: Quantity | None = None
    """What people say it is, beside the measured value."""
    answers: tuple[int, ...] = ()


class Lens(Struct, frozen=True, kw_only=True):
    """One lens. `coverage` is the weight of the scored indicators among those that have an anchor."""

    id: str
    title: str
    score: Quantity
    change: Quantity
    coverage: float
    scored: int
    anchored: int
    worst: str | None
    indicators: tuple[Result, ...]
    series: tuple[float | None, ...]
    bands: tuple[tuple[float, float] | None, ...]
    """The interval of each score of the series, of indicators taken as independent."""
    since: tuple[datetime, ...]
    """When the span of each score of the series ends."""


class Published(Struct, frozen=True, kw_only=True):
    """The scores the newest frozen review published, by lens, and the anchors it did so by."""

    review: str
    anchors_version: str
    scores: dict[str, float]


class Lenses(Struct, frozen=True, kw_only=True):
    """The three. Every score and change is by the one table of anchors `anchors_version`: the shipped one, with a fingerprint
    behind it where `aether.toml` changes an anchor. Scores by another table are no smaller or larger than these.
    """

    lenses: tuple[Lens, ...]
    anchors_version: str
    unknown_anchors: tuple[str, ...] = ()
    published: Published | None = None

    def comparable(self) -> bool:
        """Whether what was published is by the same anchors."""
        return self.published is not None and self.published.anchors_version == self.anchors_version


def of(data: Data, documents: Documents, clock: Clock) -> Lenses:
    """The three lenses of an engagement: what its data measure, its documents add and its people state."""
    data.together(*questions(documents, clock))
    given = indicators_given.rows(data, documents)
    return measure(data, documents.config, clock, voices.stated(documents, clock.now), given)


def questions(documents: Documents, clock: Clock) -> tuple[Question, ...]:
    """What that asks, all of which can be asked at once."""
    return table.questions(table.content().indicators, _spans(clock), documents.config)


def last_published(documents: Documents, clock: Clock) -> Published | None:
    review = reviews.newest(documents.workspace, clock.now)
    if review is None:
        return None
    scores = {
        f"lens.{name}": review.values[f"lens.{name}"].value.value for name in LENSES if f"lens.{name}" in review.values
    }
    return Published(
        review=review.name,
        anchors_version=review.definitions.get("anchors", ""),
        scores={name: score for name, score in scores.items() if score is not None},
    )


def measure(
    data: Data,
    config: Config,
    clock: Clock,
    said: Mapping[str, Sequence[voices.Said]] | None = None,
    given: table.Given | None = None,
) -> Lenses:
    """All indicators, and the lenses made of them; what people stated fills gaps, marked so."""
    shipped = table.content()
    slices = _slices(clock)
    heard = said or {}
    results = [
        _with_stated(_result(item, data, config, clock, slices, given or {}), heard.get(item.id, ()))
        for item in shipped.indicators
    ]
    known = {item.id for item in shipped.indicators}
    return Lenses(
        lenses=tuple(lens(name, [item for item in results if item.lens == name], slices) for name in LENSES),
        anchors_version=_version(shipped, config),
        unknown_anchors=tuple(sorted(set(config.lens.anchors) - known)),
    )


def _version(shipped: table.Content, config: Config) -> str:
    """The shipped version, with a fingerprint of the anchors in force where they differ from the shipped ones."""
    in_force = {item.id: _anchor(item, config) for item in shipped.indicators}
    if all(in_force[item.id] == item.anchor for item in shipped.indicators):
        return shipped.version
    return f"{shipped.version}+{reviews.fingerprint(msgspec.json.encode(in_force))[:6]}"


def _slices(clock: Clock) -> list[Window]:
    """Eight spans of equal length that end with the window, for the trend."""
    length = windows.days(clock.window) + windows.days(clock.previous)
    step = timedelta(days=max(1, int(length // SLICES)))
    ends = [clock.window.end - step * back for back in reversed(range(SLICES))]
    return [Window(start=end - step, end=end) for end in ends]


def _spans(clock: Clock) -> list[Window]:
    """All that indicators are looked at over."""
    return [*_slices(clock), clock.previous, clock.window]


def _result(
    item: Indicator, data: Data, config: Config, clock: Clock, slices: Sequence[Window], given: table.Given
) -> Result:
    anchor = _anchor(item, config)
    if item.shape == "freshness":
        value, before, course = table.freshness(data), missing("only the present state is known", unit=item.unit), []
    else:
        found = table.rows(item, data, _spans(clock), config, given)
        value = table.measure(item, found, clock.window, data)
        before = table.measure(item, found, clock.previous, data)
        course = [table.over(item, found, span) for span in slices] if value.value is not None else []
    low, high = sorted_scores(value, anchor)
    return Result(
        id=item.id,
        lens=item.lens,
        title=item.title,
        better=item.better,
        value=value,
        previous=before,
        score=score_of(value, anchor),
        score_low=low,
        score_high=high,
        previous_score=score_of(before, anchor),
        anchor=anchor,
        why=item.why,
        series=tuple(None if one is None else one.value for one in course),
        bands=tuple(None if one is None else _ends(one, anchor) for one in course),
    )


def _ends(value: Quantity, anchor: Anchor | None) -> tuple[float, float] | None:
    low, high = sorted_scores(value, anchor)
    return None if low is None or high is None else (low, high)


def _with_stated(result: Result, said: Sequence[voices.Said]) -> Result:
    """The result with what people stated: in place of a missing value, else beside the measured one."""
    if not said:
        return result
    stated = voices.middle(said, result.value.unit)
    result = msgspec.structs.replace(result, stated=stated, answers=tuple(one.answer for one in said))
    if result.value.value is not None:
        return result
    low, high = sorted_scores(stated, result.anchor)
    score = score_of(stated, result.anchor)
    return msgspec.structs.replace(result, value=stated, score=score, score_low=low, score_high=high)


def _anchor(item: Indicator, config: Config) -> Anchor | None:
    override = config.lens.anchors.get(item.id)
    shipped = table.anchored(item, config.gate)
    if override is None:
        return shipped
    return Anchor(
        poor=override.poor,
        good=override.good,
        scale=shipped.scale if shipped and min(override.poor, override.good) > 0 else "linear",
        weight=shipped.weight if shipped else 1,
        source=override.source,
    )


def sorted_scores(value: Quantity, anchor: Anchor | None) -> tuple[float | None, float | None]:
    """Scores of the ends of a value's interval, the lower first; the value's own where it has no interval."""
    if anchor is None or value.value is None:
        return None, None
    ends = [table.score(end, anchor) for end in (value.low, value.high) if end is not None]
    middle = table.score(value.value, anchor)
    return min([middle, *ends]), max([middle, *ends])


def lens(name: LensName, results: Sequence[Result], slices: Sequence[Window]) -> Lens:
    """Weighted mean of the scored indicators, none under half coverage; its interval treats them as independent."""
    anchored = [item for item in results if item.anchor is not None]
    scored = [item for item in anchored if item.score is not None]
    coverage = _weight(scored) / _weight(anchored) if anchored else 0.0
    worst = min(scored, key=lambda item: item.score or 0.0, default=None)
    return Lens(
        id=f"lens.{name}",
        title=LENSES[name],
        score=_lens_score(scored, anchored, coverage),
        change=_change(scored, anchored),
        coverage=coverage,
        scored=len(scored),
        anchored=len(anchored),
        worst=worst.id if worst else None,
        indicators=tuple(results),
        series=tuple(_at(anchored, index) for index in range(len(slices))),
        bands=tuple(_band(anchored, index) for index in range(len(slices))),
        since=tuple(one.end for one in slices),
    )


def _weight(items: Sequence[Result]) -> float:
    return sum(item.anchor.weight for item in items if item.anchor)


def _mean(items: Sequence[Result], scores: Sequence[float]) -> float:
    weights = [item.anchor.weight if item.anchor else 0.0 for item in items]
    return sum(weight * one for weight, one in zip(weights, scores, strict=True)) / sum(weights)


def _half_width(items: Sequence[Result]) -> float:
    """Half the width of the mean's interval, from those of independent parts."""
    parts = [
        (item.anchor.weight if item.anchor else 0.0) * ((item.score_high or 0) - (item.score_low or 0)) / 2
        for item in items
    ]
    return math.sqrt(sum(part * part for part in parts)) / _weight(items)


def _lens_score(scored: Sequence[Result], anchored: Sequence[Result], coverage: float) -> Quantity:
    if not scored or coverage < MIN_COVERAGE:
        share = amount(coverage, "ratio")
        reason = f"coverage {share} ({len(scored)} of {len(anchored)} indicators); half needed"
        return missing(reason, unit="score", n=len(scored))
    value, half = _mean(scored, [item.score or 0.0 for item in scored]), _half_width(scored)
    return Quantity(value=value, unit="score", n=len(scored), low=max(0.0, value - half), high=min(100.0, value + half))


def _change(scored: Sequence[Result], anchored: Sequence[Result]) -> Quantity:
    """Difference to the previous window over the indicators present in both; both windows are taken as equally noisy."""
    both = [item for item in scored if item.previous_score is not None]
    if not both or _weight(both) < MIN_COVERAGE * _weight(anchored):
        return missing("under half of the indicators are scored in both windows", unit="score", n=len(both))
    now = _mean(both, [item.score or 0.0 for item in both])
    value = now - _mean(both, [item.previous_score or 0.0 for item in both])
    half = math.sqrt(2) * _half_width(both)
    return Quantity(value=value, unit="score", n=len(both), low=value - half, high=value + half)


def _present(anchored: Sequence[Result], index: int) -> list[Result]:
    """Those with a value in a span, none where they are under half of the weight."""
    present = [item for item in anchored if len(item.series) > index and item.series[index] is not None]
    return present if present and _weight(present) >= MIN_COVERAGE * _weight(anchored) else []


def _at(anchored: Sequence[Result], index: int) -> float | None:
    present = _present(anchored, index)
    if not present:
        return None
    return _mean(present, [table.score(item.series[index] or 0.0, item.anchor) for item in present if item.anchor])


def _band(anchored: Sequence[Result], index: int) -> tuple[float, float] | None:
    middle, present = _at(anchored, index), _present(anchored, index)
    if middle is None:
        return None
    ends = [(item, item.bands[index] or (0.0, 0.0)) for item in present]
    parts = [(item.anchor.weight if item.anchor else 0.0) * (high - low) / 2 for item, (low, high) in ends]
    half = math.sqrt(sum(part * part for part in parts)) / _weight(present)
    return max(0.0, middle - half), min(100.0, middle + half)
