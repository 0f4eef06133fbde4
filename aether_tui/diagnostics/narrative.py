"""A paragraph to be read aloud: sentences made of facts other reports hold, each naming them, the most telling first (diagnostics N).

No model writes it: a sentence is a form of words around numbers, and where its facts are missing it is not said. What stands
first is settled (what was promised, where we stand); the rest is ranked by effect ÷ width of its interval, raised by how much
of a budget is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar, cast

from msgspec import Struct

from aether_tui.diagnostics import changed_words, windows
from aether_tui.diagnostics.budgets_rows import Budgets
from aether_tui.diagnostics.changed_measure import CLEAREST, Change, Changed, Driver
from aether_tui.diagnostics.commitments import Ledger
from aether_tui.diagnostics.compare import apart
from aether_tui.diagnostics.decisions import Decisions
from aether_tui.diagnostics.flow_measure import LEVELS, Flow
from aether_tui.diagnostics.gains_measure import Gains
from aether_tui.diagnostics.lens_measure import Lens, Lenses, Result
from aether_tui.diagnostics.pipeline_measure import Pipeline
from aether_tui.diagnostics.scorecard_measure import METRICS, Scorecard
from aether_tui.human import amount, number, plural, quantity, signed, spoken
from aether_tui.report_model import Quantity, Report, Window

SPOKEN, OF_ONE = 6, 2
"""Ranked sentences in the paragraph, and how many of them one report may give."""
SOURCES = ("commitments", "lens", "anomalies", "budgets", "flow", "scorecard", "pipeline", "gains", "decisions")
"""Reports whose facts it may use."""

D = TypeVar("D", bound=Struct)


class Sentence(Struct, frozen=True, kw_only=True):
    """One sentence and the facts it rests on, as `REPORT/ID`. `weight` ranks it; None keeps its place."""

    text: str
    facts: tuple[str, ...]
    weight: float | None = None


def tell(reports: Mapping[str, Report[Struct]], window: Window, before: Window) -> tuple[Sentence, ...]:
    """The paragraph: promises, the three scores, the most telling changes, what cannot be said."""
    if not any(report.freshness for report in reports.values()):
        return tuple(_promises(reports, window))
    ranked = [
        *_changes(reports),
        *_budgets(reports),
        *_flow(reports),
        *_delivery(reports),
        *_pipeline(reports),
        *_gains(reports),
    ]
    kept = _best(ranked)
    quiet = () if any(one.facts[0].startswith("anomalies/") for one in kept) else _quiet(reports, window)
    return (
        *_promises(reports, window), *_scores(reports), *_moved(reports, windows.called(before)),
        *_worst(reports), *quiet, *kept, *_decided(reports, window),
        *_unknown(reports),
    )  # fmt: skip


def _best(ranked: Sequence[Sentence]) -> list[Sentence]:
    """The first of them by weight, no report with more than its part."""
    given: Counter[str] = Counter()
    kept = []
    for one in sorted(ranked, key=lambda one: (-(one.weight or 0.0), one.text)):
        report = one.facts[0].partition("/")[0]
        given[report] += 1
        if given[report] <= OF_ONE:
            kept.append(one)
    return kept[:SPOKEN]


def _data(reports: Mapping[str, Report[Struct]], name: str, kind: type[D]) -> D | None:
    report = reports.get(name)
    return cast(D, report.data) if report is not None else None


def _between(item: Quantity) -> str:
    """`, between 65 and 69`, or nothing without an interval."""
    if item.low is None or item.high is None:
        return ""
    low, high = (spoken(signed(amount(end, item.unit, item.currency))) for end in (item.low, item.high))
    return f", between {low} and {high}" if low != high else ""


def _said(item: Quantity) -> str:
    return spoken(quantity(item))


def _on(when: date, window: Window) -> str:
    """`7 November`, with the year where it is not that of the window."""
    return f"{when:%-d %B}" + ("" if when.year == window.end.year else f" {when:%Y}")


def _are(found: Sequence[object]) -> str:
    return f"{len(found)} {'is' if len(found) == 1 else 'are'}"


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def clear(effect: float, low: float | None, high: float | None) -> float:
    """Effect ÷ width of its interval, at most `CLEAREST`; a half where there is no interval."""
    if low is None or high is None:
        return 0.5
    return min(CLEAREST, abs(effect) / (high - low)) if high > low else CLEAREST


# --- What keeps its place -----------------------------------------------------------------------------------------


def _promises(reports: Mapping[str, Report[Struct]], window: Window) -> list[Sentence]:
    ledger = _data(reports, "commitments", Ledger)
    if ledger is None or not ledger.promises:
        return []
    late = [one for one in ledger.promises if one.standing == "overdue"]
    done = [one for one in ledger.promises if one.standing == "done"]
    only = len(ledger.promises) == 1
    of = f"Of {plural(len(ledger.promises), 'commitment')}, "
    if late:
        first = late[0]
        due = f", due on {_on(first.by, window)}" if first.by else ""
        moved = f"; its number moved {first.moved}" if first.moved in {"as promised", "the other way"} else ""
        many = "The only commitment is" if only else f"{of}{_are(late)}"
        text = f"{many} overdue: {first.title}{due}{moved}."
        return [Sentence(text=text, facts=tuple(f"commitments/{one.id}" for one in late))]
    text = f"{of}none is overdue and {_are(done) if done else 'none is'} done."
    if only:
        text = f"The only commitment is {ledger.promises[0].standing}."
    return [Sentence(text=text, facts=tuple(f"commitments/{one.id}" for one in ledger.promises))]


def _scores(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    lenses = _data(reports, "lens", Lenses)
    known = [one for one in lenses.lenses if one.score.value is not None] if lenses else []
    if not lenses or not known:
        return []
    said = _list(
        [
            f"{one.title} {'stands at' if place == 0 else 'at'} {number(round(one.score.value or 0))}"
            for place, one in enumerate(known)
        ]
    )
    return [Sentence(text=f"Of 100 points, {said}.", facts=tuple(f"lens/{one.id}" for one in known))]


def _moved(reports: Mapping[str, Report[Struct]], before: str) -> list[Sentence]:
    lenses = _data(reports, "lens", Lenses)
    known = [one for one in lenses.lenses if one.change.value is not None] if lenses else []
    if not lenses or not known:
        return []
    moved = [one for one in known if (one.change.low or 0) > 0 or (one.change.high or 0) < 0]
    facts = tuple(f"lens/{one.id}" for one in moved or known)
    if not moved:
        said = "It did not move" if len(known) == 1 else "None of them moved"
        return [Sentence(text=f"{said} beyond its interval against {before}.", facts=facts)]
    said = _list([_by(one) for one in moved])
    return [Sentence(text=f"{said} against {before}, under the same anchors ({lenses.anchors_version}).", facts=facts)]


def _by(one: Lens) -> str:
    change = one.change.value or 0.0
    return f"{one.title} {'rose' if change > 0 else 'fell'} by {number(round(abs(change), 1))} points"


def _worst(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    """The lowest indicator of the lowest lens."""
    lenses = _data(reports, "lens", Lenses)
    known = [one for one in lenses.lenses if one.score.value is not None] if lenses else []
    if not known:
        return []
    low = min(known, key=lambda one: one.score.value or 0.0)
    worst = next((one for one in low.indicators if one.id == low.worst), None)
    if worst is None or worst.anchor is None or (worst.score or 0) >= 100:
        return []
    good = spoken(amount(worst.anchor.good, worst.value.unit))
    text = f"What {low.title} loses most on is {worst.title}: {_said(worst.value)}{_between(worst.value)}, where {good} is good."
    return [Sentence(text=text, facts=(f"lens/{worst.id}",))]


def _quiet(reports: Mapping[str, Report[Struct]], window: Window) -> list[Sentence]:
    found = _data(reports, "anomalies", Changed)
    if found is None or not found.series:
        return []
    since = f"review {found.review}" if found.review else _on(found.since.date(), window)
    many = plural(found.series, "daily series", "daily series")
    return [Sentence(text=f"Since {since}, none of {many} left its own noise.", facts=("anomalies/anomalies.changes",))]


def _decided(reports: Mapping[str, Report[Struct]], window: Window) -> list[Sentence]:
    found = _data(reports, "decisions", Decisions)
    first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
    taken = [one for one in found.entries if one.decided is not None and first <= one.decided <= last] if found else []
    if not taken:
        return []
    latest = max(one.decided for one in taken if one.decided is not None)
    verb = "was" if len(taken) == 1 else "were"
    text = f"{plural(len(taken), 'decision')} {verb} taken, the last on {_on(latest, window)}."
    return [Sentence(text=text, facts=tuple(f"decisions/{one.id}" for one in taken))]


def _unknown(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    """Scores and anchored indicators that have no number, with the reason of the first."""
    lenses = _data(reports, "lens", Lenses)
    silent: list[Result] = [
        one
        for lens in (lenses.lenses if lenses else ())
        for one in lens.indicators
        if one.anchor is not None and one.value.value is None
    ]
    if not silent:
        return []
    named = _list([*(one.title for one in silent[:3]), *([f"{len(silent) - 3} more"] if len(silent) > 3 else [])])
    why = f": {silent[0].value.reason}" if len({one.value.reason for one in silent}) == 1 else ", for want of data"
    text = f"Nothing can be said of {named}{why}."
    return [Sentence(text=text, facts=tuple(f"lens/{one.id}" for one in silent))]


# --- What is ranked -----------------------------------------------------------------------------------------------


def _changes(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    found = _data(reports, "anomalies", Changed)
    return [_change(one) for one in found.changes] if found else []


def _change(one: Change) -> Sentence:
    size, before, after = "", _said(one.before), _said(one.after)
    if one.effect.value is not None:
        low, high = one.effect.low, one.effect.high
        if one.effect.value < 0 and low is not None and high is not None:
            low, high = -high, -low  # as its size, which is told without a sign
        held = _between(Quantity(value=abs(one.effect.value), unit="ratio", low=low, high=high))
        size = f", {amount(abs(one.effect.value), 'ratio')} {'more' if one.effect.value > 0 else 'less'}{held}"
    part = f"; {_share(one.driver)} lies in {one.driver.by} {one.driver.name}" if one.driver else ""
    near = min(one.used or 0.0, 2.0) if one.direction == "worse" else 0.0
    weight = one.clear * (1.5 if one.direction else 1.0) * (1 + near)
    since = f"{'on' if one.kind == 'step' else 'since'} {one.began:%-d %B}"
    levels = f", from {before} to {after}"
    if one.began < one.day:
        day = f"{one.day:%-d %B}"
        levels = f": {before} before {day}, {after} since"
    return Sentence(
        text=f"{changed_words.title(one)} {changed_words.course(one)} {since}{levels}{size}{part}.",
        facts=(f"anomalies/{one.id}",),
        weight=weight,
    )


def _share(driver: Driver) -> str:
    return "all of it" if driver.share >= changed_words.ALL else f"{amount(driver.share, 'ratio')} of it"


def _budgets(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    """Budgets that block, farthest over first, in one sentence."""
    found = _data(reports, "budgets", Budgets)
    over = (
        [one for one in found.budgets if one.verdict == "block" and one.now is not None and one.limit] if found else []
    )
    if not found or not over:
        return []
    over.sort(key=lambda one: (-((one.now or 0.0) / (one.limit or 1.0)), one.id))
    first = over[0]
    used = (first.now or 0.0) / (first.limit or 1.0)
    name = f"{first.id} of {first.series}" if first.series else first.id
    count = f"{len(over)} of {plural(len(found.budgets), 'budget')} {'blocks' if len(over) == 1 else 'block'}"
    text = f"{count}: {name} is used to {amount(used, 'ratio')}."
    if len(over) > 1:
        text = f"{count}; the farthest, {name}, is used to {amount(used, 'ratio')}."
    facts = tuple(f"budgets/{one.id} · {one.series}" if one.series else f"budgets/{one.id}" for one in over)
    return [Sentence(text=text, facts=facts, weight=CLEAREST * used)]


def _flow(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    flow = _data(reports, "flow", Flow)
    if flow is None or flow.times.cycle_p85.value is None:
        return []
    times, found = flow.times, []
    usual = clear(times.cycle_p85.value or 0.0, times.cycle_p85.low, times.cycle_p85.high)
    found.append(Sentence(
        text=f"Half of what was finished took at most {_said(times.cycle_p50)} from start to done, and 85 % at most "
        f"{_said(times.cycle_p85)}{_between(times.cycle_p85)}.",
        facts=("flow/flow.cycle_p50", "flow/flow.cycle_p85"), weight=usual,
    ))  # fmt: skip
    if flow.past_p85.value and flow.past_p85.n:
        late = round(flow.past_p85.value * flow.past_p85.n)
        are = "is" if late == 1 else "are"
        text = f"{late} of {flow.past_p85.n} items in progress {are} older than 85 % of what their own team finished."
        weight = clear(flow.past_p85.value - 0.15, flow.past_p85.low, flow.past_p85.high)
        found.append(Sentence(text=text, facts=("flow/flow.past_p85",), weight=weight))
    found += _outlook(flow)
    return found


def _outlook(flow: Flow) -> list[Sentence]:
    """When the items in progress will be done, only where the system is steady."""
    first = next(iter(flow.forecast), None)
    place = LEVELS.index(0.85)
    if first is None or flow.validity.holds is not True or first.weeks[place].value is None:
        return []
    kept, within = first.kept[place], plural(round(first.weeks[place].value or 0), "week")
    held = ""
    if kept.value is not None and kept.n:
        held = f"; such forecasts came true in {round(kept.value * kept.n)} of {kept.n} past cases"
    text = f"By the forecast, the {plural(first.items, 'item')} in progress are done within {within}, 85 times in 100{held}."
    return [Sentence(text=text, facts=("flow/flow.forecast",), weight=1.0)]


def _delivery(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    """What of the scorecard changed beyond the intervals."""
    card = _data(reports, "scorecard", Scorecard)
    from aether_tui.diagnostics.scorecard_words import TITLES

    found = []
    for service in card.services if card else ():
        for metric in METRICS:
            new: Quantity = getattr(service.now, metric)
            old: Quantity = getattr(service.before, metric)
            if apart(new, old) and new.value is not None and old.value is not None:
                text = (
                    f"The {TITLES[metric]} of {service.service} went from {_said(old)} to {_said(new)}{_between(new)}."
                )
                weight = clear(new.value - old.value, new.low, new.high)
                found.append(
                    Sentence(text=text, facts=(f"scorecard/scorecard.{service.service}.{metric}",), weight=weight)
                )
    return found


def _pipeline(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    found = _data(reports, "pipeline", Pipeline)
    stages = [one for one in found.stages if one.item_days_share.value is not None] if found else []
    if not stages:
        return []
    stage = max(stages, key=lambda one: one.item_days)
    text = f"Of all days that ideas spent between thought and learning, {stage.name} holds {quantity(stage.item_days_share)}."
    return [Sentence(text=text, facts=(f"pipeline/pipeline.stage.{stage.name}",), weight=0.75)]


def _gains(reports: Mapping[str, Report[Struct]]) -> list[Sentence]:
    found = _data(reports, "gains", Gains)
    last = found.cycles[-1] if found and len(found.cycles) > 1 else None
    if found is None or last is None or last.cumulative.value is None:
        return []
    total = last.cumulative
    text = (
        f"A dollar buys {number(total.value or 0)} times what it bought in {found.cycles[0].cycle}{_between(total)}, "
        "at the same mix of tasks."
    )
    return [
        Sentence(
            text=text, facts=("gains/gains.cumulative",), weight=clear((total.value or 1) - 1, total.low, total.high)
        )
    ]
