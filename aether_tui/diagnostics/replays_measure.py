"""What recorded requests answered when they were sent again: tokens, cost, latency and words, in pairs (diagnostics G)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import fmean, stdev

from msgspec import Struct

from aether_tui.diagnostics.experiments import paired
from aether_tui.diagnostics.frame import Data, Record, instant, real_or_null, text, whole_or_null, words_or_null
from aether_tui.report_model import Quantity, missing
from aether_tui.stats.intervals import wilson
from aether_tui.stats.ranks import holm
from aether_tui.text import one_line

SAME = 0.999


class Answer(Struct, frozen=True, kw_only=True):
    """One request sent again: what came back beside what was recorded; null is what nobody counted."""

    id: str
    trace: str
    span: str
    repeat: int
    model: str
    at: datetime
    status: str
    error: str | None
    finish: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    latency_s: float | None
    likeness: float | None
    output: str | None
    recorded: Recorded


class Recorded(Struct, frozen=True, kw_only=True):
    """The call as it was recorded."""

    model: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    latency_s: float | None


class Compared(Struct, frozen=True, kw_only=True):
    """One measure of the same requests, before and now: means, their mean difference with 95 % interval, and p after Holm."""

    measure: str
    unit: str
    n: int
    before: float | None
    now: float | None
    difference: Quantity
    p_value: float | None


class Run(Struct, frozen=True, kw_only=True):
    """One replay. `against`: what the pairs are held against, the recording or the recorded model asked again."""

    run: str
    at: datetime
    model: str
    against: str
    prompt_version: str | None
    same_input: bool
    requests: int
    sent: int
    failed: int
    cost_usd: float | None
    uncounted: int
    compared: tuple[Compared, ...]
    same: Quantity
    likeness: Quantity
    answers: tuple[Answer, ...]


class Replays(Struct, frozen=True, kw_only=True):
    """Runs of the window, newest first; only the newest holds its answers."""

    runs: tuple[Run, ...]


_MEASURES: tuple[tuple[str, str, Callable[[Answer], float | None], Callable[[Recorded], float | None]], ...] = (
    ("cost", "USD", lambda one: one.cost_usd, lambda one: one.cost_usd),
    ("latency", "s", lambda one: one.latency_s, lambda one: one.latency_s),
    ("output tokens", "tokens", lambda one: one.output_tokens, lambda one: one.output_tokens),
)


def measure(data: Data, run: str | None = None) -> Replays:
    """Runs, newest first."""
    groups: dict[str, list[Record]] = {}
    for row in data.rows("replays_rows", run=run):
        groups.setdefault(text(row["run"]), []).append(row)
    return Replays(runs=tuple(_run(name, rows, whole=place == 0) for place, (name, rows) in enumerate(groups.items())))


def _run(name: str, rows: Sequence[Record], *, whole: bool) -> Run:
    answers = sorted(map(_answer, rows), key=lambda one: (one.trace, one.span, one.model, one.repeat))
    models = {one.model for one in answers}
    others = {one.model for one in answers if one.model != one.recorded.model}
    model = next(iter(others)) if len(others) == 1 else "several models" if others else "the recorded model"
    both = bool(others) and len(models) > len(others)
    now = [one for one in answers if one.status == "ok" and (not both or one.model in others)]
    again = [one for one in answers if one.status == "ok" and both and one.model not in others]
    costs = [one.cost_usd for one in answers if one.cost_usd is not None]
    alike = [one.likeness for one in now if one.likeness is not None]
    exact = sum(one >= SAME for one in alike)
    return Run(
        run=name,
        at=min(one.at for one in answers),
        model=model if model != "the recorded model" else ", ".join(sorted(models)),
        against="the recorded model, asked again" if both else "the recording",
        prompt_version=next((text(row["prompt_version"]) for row in rows if row["prompt_version"]), None),
        same_input=all(bool(row["same_input"]) for row in rows),
        requests=len({(one.trace, one.span) for one in answers}),
        sent=len(answers),
        failed=sum(one.status != "ok" for one in answers),
        cost_usd=sum(costs) if costs else None,
        uncounted=sum(one.status == "ok" and one.cost_usd is None for one in answers),
        compared=_compared(now, again if both else None),
        same=_share(exact, len(alike)),
        likeness=missing("no recorded answer was kept", unit="ratio") if not alike
        else Quantity(value=fmean(alike), unit="ratio", n=len(alike)),
        answers=tuple(answers) if whole else (),
    )  # fmt: skip


def _share(n: int, of: int) -> Quantity:
    if not of:
        return missing("no recorded answer was kept", unit="ratio", n=0)
    low, high = wilson(n, of)
    return Quantity(value=n / of, unit="ratio", n=of, low=low, high=high)


def _compared(now: Sequence[Answer], again: Sequence[Answer] | None) -> tuple[Compared, ...]:
    """Every measure in pairs: requests are the sample, repeats of one are its mean (paired t, Holm over the measures)."""
    found: list[Compared] = []
    for name, unit, of_now, of_recorded in _MEASURES:
        new = _means(now, of_now)
        old = _means(now, lambda one: of_recorded(one.recorded)) if again is None else _means(again, of_now)  # noqa: B023
        pairs = [(old[key], new[key]) for key in new if key in old]
        found.append(_pair(name, unit, pairs))
    tested = [one for one in found if one.p_value is not None]
    adjusted = dict(zip((one.measure for one in tested), holm([one.p_value or 0.0 for one in tested]), strict=True))
    return tuple(
        Compared(
            measure=one.measure, unit=one.unit, n=one.n, before=one.before, now=one.now, difference=one.difference,
            p_value=adjusted.get(one.measure),
        )
        for one in found
    )  # fmt: skip


def _pair(name: str, unit: str, pairs: Sequence[tuple[float, float]]) -> Compared:
    n = len(pairs)
    before, now = (fmean(side) if n else None for side in zip(*pairs, strict=True)) if n else (None, None)
    effect, why = None, "one pair says nothing about others" if n else "nobody counted it"
    if n > 1:
        differences = [new - old for old, new in pairs]
        try:
            effect = paired(n, fmean(differences), stdev(differences))
        except ValueError as error:
            why = str(error)
    if effect is None:
        alone = missing(why, unit=unit, n=n)
        return Compared(measure=name, unit=unit, n=n, before=before, now=now, difference=alone, p_value=None)
    return Compared(
        measure=name, unit=unit, n=n, before=before, now=now, p_value=effect.p_value,
        difference=Quantity(value=effect.effect, unit=unit, n=n, low=effect.ci_low, high=effect.ci_high),
    )  # fmt: skip


def _means(answers: Sequence[Answer], of: Callable[[Answer], float | None]) -> dict[tuple[str, str], float]:
    values: dict[tuple[str, str], list[float]] = {}
    for one in answers:
        value = of(one)
        if value is not None:
            values.setdefault((one.trace, one.span), []).append(value)
    return {key: fmean(some) for key, some in values.items()}


def _answer(row: Record) -> Answer:
    at = instant(row["at"])
    assert at is not None
    return Answer(
        id=text(row["id"]), trace=text(row["trace_id"]), span=text(row["span_id"]), repeat=whole_or_null(row["repeat"]) or 1,
        model=one_line(text(row["model"]), 80), at=at, status=text(row["status"]), error=words_or_null(row["error"], 300),
        finish=words_or_null(row["finish"], 300),
        input_tokens=whole_or_null(row["input_tokens"]), output_tokens=whole_or_null(row["output_tokens"]),
        cost_usd=real_or_null(row["cost_usd"]), latency_s=real_or_null(row["latency_s"]), likeness=real_or_null(row["likeness"]),
        output=None if row["output"] is None else text(row["output"]),
        recorded=Recorded(
            model=one_line(text(row["recorded_model"]), 80), input_tokens=whole_or_null(row["recorded_input_tokens"]),
            output_tokens=whole_or_null(row["recorded_output_tokens"]), cost_usd=real_or_null(row["recorded_cost_usd"]),
            latency_s=real_or_null(row["recorded_latency_s"]),
        ),
    )  # fmt: skip
