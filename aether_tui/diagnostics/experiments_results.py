"""What came out of an experiment, metric by metric, and what the rule makes of it (diagnostics G)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

from aether_tui.diagnostics import experiments as rule
from aether_tui.diagnostics.experiments_process import Processed, TeamWeek, judge_process
from aether_tui.diagnostics.frame import Data, Parameter, Record, real, text, whole
from aether_tui.stats.ranks import holm
from aether_tui.text import one_line
from aether_tui.workspace.kinds.experiment import Arm, Experiment, Guardrail, Measure, Measured, Primary, Verdict

if TYPE_CHECKING:
    from aether_tui.config import Config

UNITS: dict[Measure, str] = {
    "success": "ratio", "errors": "ratio", "cost": "USD", "latency": "s", "tokens": "tokens", "typed": "",
}  # fmt: skip
SHARES = {"success": ("successes", "n_outcome"), "errors": ("errors", "n")}
"""Cached shares: their column and what it is a share of."""


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric: treatment minus control in its own unit, and what it says. `p_adjusted` is Holm's over the primaries."""

    name: str
    role: Literal["primary", "guardrail"]
    better: Literal["higher", "lower"]
    unit: str
    bound: float
    source: str
    when: date | None
    effect: rule.Effect | None
    p_adjusted: float | None = None
    says: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The computed verdict of an experiment, or `none` with the reason why there is none."""

    verdict: Verdict
    why: str
    metrics: tuple[MetricResult, ...] = ()
    srm_p: float | None = None
    n_needed: int | None = None
    processed: Processed | None = None
    events: int = 0
    """Observed of the primary metric that has most."""


def judged(one: Experiment, results: Sequence[Measured], silent: str = "") -> Outcome:
    """The verdict on these results; the newest of each metric counts. Raises nothing: what cannot be judged says why, where
    there is no result in the words of `silent`."""
    if one.process:
        return _judged_process(one)
    newest = {item.metric: item for item in sorted(results, key=lambda item: item.when)}
    if not any(item.name in newest for item in one.primary):
        return Outcome("none", silent or "no result of a primary metric yet")
    done = _progress(one, newest)
    rough = [_effect(item, newest.get(item.name), one.alpha, done) for item in one.primary]
    known = [(item, found) for item, found in zip(one.primary, rough, strict=True) if isinstance(found, rule.Effect)]
    unknown = {item.name: found for item, found in zip(one.primary, rough, strict=True) if isinstance(found, str)}
    if not known:
        return Outcome("none", "; ".join(f"{name}: {why}" for name, why in unknown.items()))
    p_values = [found.p_value for _, found in known]
    levels, adjusted = rule.holm_levels(p_values, one.alpha), holm(p_values)
    rails, rail_rows = _guardrails(one, newest, done)
    ratio = one.treatment_share / (1 - one.treatment_share)
    rows: list[MetricResult] = []
    votes: list[rule.Judgement] = []
    for (item, _), level, p in zip(known, levels, adjusted, strict=True):
        measured = newest[item.name]
        effect, planned = _effect(item, measured, level, done), _effect(item, measured, level)
        assert isinstance(effect, rule.Effect)
        assert isinstance(planned, rule.Effect)
        vote = rule.judge(
            _good(effect, item.good), min_effect=item.min_effect, guardrails=rails, planned=_good(planned, item.good),
            ratio=1.0 if measured.difference else ratio, assigned=measured.assigned,
        )  # fmt: skip
        votes.append(vote)
        rows.append(_row(item, measured, effect, item.min_effect, says=vote.verdict, p=p))
    rows += [
        _row(item, None, None, item.min_effect, reason=unknown[item.name])
        for item in one.primary
        if item.name in unknown
    ]
    verdict: Verdict
    verdict, why = _together(votes, [item.name for item, _ in known])
    unmeasured = [row.name for row in rail_rows if row.effect is None]
    if verdict == "scale" and (unmeasured or unknown):
        verdict, why = "none", f"not measured yet: {', '.join([*unmeasured, *unknown])}; without them nothing is scaled"
    return Outcome(verdict, why, (*rows, *rail_rows), min(v.srm_p for v in votes),
                   max((v.n_needed for v in votes if v.n_needed), default=None), events=_most(one, newest))  # fmt: skip


def _progress(one: Experiment, newest: Mapping[str, Measured]) -> float:
    """The share of its planned length, or of its planned events, after which its primary metrics were read last; 1 from its end
    on, or when none was planned."""
    read = [newest[item.name] for item in one.primary if item.name in newest]
    begun = one.exposed or one.started
    shares = []
    if one.duration_weeks is not None and begun is not None and read:
        shares.append(max((max(item.when for item in read) - begun).days, 1) / (7 * one.duration_weeks))
    if one.event_count is not None:
        shares.append(_most(one, newest) / one.event_count)
    return min(1.0, max(shares, default=1.0))


def _most(one: Experiment, newest: Mapping[str, Measured]) -> int:
    """Observed of the primary metric that has most: in both arms, or pairs."""
    read = [newest[item.name] for item in one.primary if item.name in newest]
    return max(
        (sum(arm.n for arm in (item.control, item.treatment, item.difference) if arm is not None) for item in read),
        default=0,
    )


def _together(votes: Sequence[rule.Judgement], names: Sequence[str]) -> tuple[rule.Verdict, str]:
    """Several primaries: the worst of invalid and guardrails first; one that wins carries unless another is harmed."""
    by = {vote.verdict: (vote, name) for vote, name in zip(reversed(votes), reversed(names), strict=True)}
    several = len(votes) > 1
    broken = next((vote for vote in votes if vote.breached), None)
    if "invalid" in by or broken:
        found = by["invalid"][0] if "invalid" in by else broken
        assert found is not None
        return found.verdict, found.why
    if "scale" in by and "kill" not in by:
        vote, name = by["scale"]
        return "scale", f"{name}: {vote.why}" if several else vote.why
    if {vote.verdict for vote in votes} == {"kill"}:
        return "kill", "every primary: " + votes[0].why if several else votes[0].why
    vote, name = by.get("iterate", (votes[0], names[0]))
    return "iterate", "one primary is worth having and another is not: decide which of them counts" if (
        "scale" in by and "kill" in by) else f"{name}: {vote.why}" if several else vote.why  # fmt: skip


def _guardrails(
    one: Experiment, newest: Mapping[str, Measured], done: float = 1.0
) -> tuple[list[rule.Guardrail], list[MetricResult]]:
    """One-sided non-inferiority at α: the interval is that of level 1 − 2α."""
    rails: list[rule.Guardrail] = []
    rows: list[MetricResult] = []
    for item in one.guardrails:
        measured = newest.get(item.name)
        effect = _effect(item, measured, min(2 * one.alpha, 0.999), done)
        if isinstance(effect, str):
            rows.append(_row(item, None, None, item.margin, reason=effect))
            continue
        good = _good(effect, item.good)
        rail = rule.Guardrail(item.name, good.ci_low, good.ci_high, item.margin, done < 1)
        rails.append(rail)
        says = "holds" if rail.holds else "reached its margin" if rail.breached else "not known yet"
        rows.append(_row(item, measured, effect, item.margin, says=says))
    return rails, rows


def _row(item: Primary | Guardrail, measured: Measured | None, effect: rule.Effect | None, bound: float, *,
         says: str = "", reason: str = "", p: float | None = None) -> MetricResult:  # fmt: skip
    return MetricResult(
        name=item.name, role="primary" if isinstance(item, Primary) else "guardrail", better=item.good,
        unit=UNITS[item.measure], bound=bound, source=measured.source if measured else "",
        when=measured.when if measured else None, effect=effect, p_adjusted=p, says=says, reason=reason,
    )  # fmt: skip


def _good(effect: rule.Effect, better: str) -> rule.Effect:
    """The effect with up as good."""
    if better == "higher":
        return effect
    return replace(effect, effect=-effect.effect, ci_low=-effect.ci_high, ci_high=-effect.ci_low)


def _effect(item: Primary | Guardrail, measured: Measured | None, alpha: float, done: float = 1.0) -> rule.Effect | str:
    """Treatment minus control of one metric, or why there is none; `done` is how much of the plan was seen."""
    if measured is None:
        return "not measured"
    try:
        effect = _at_the_end(item, measured, alpha)
    except ValueError as error:
        return str(error)
    if done < 1:
        effect = rule.at_any_time(effect, alpha, done)
    if item.measure in SHARES:  # which differ by all at most
        effect = replace(effect, ci_low=max(effect.ci_low, -1.0), ci_high=min(effect.ci_high, 1.0))
    return effect


def _at_the_end(item: Primary | Guardrail, measured: Measured, alpha: float) -> rule.Effect:
    """The effect by an interval that is looked at once. Raises ValueError for too few."""
    if measured.difference is not None:
        pair = measured.difference
        if item.measure in SHARES and not pair.sd:
            return rule.paired_alike(pair.n, pair.mean or 0.0, alpha)
        return rule.paired(pair.n, pair.mean or 0.0, pair.sd or 0.0, alpha)
    control, treatment = measured.control, measured.treatment
    assert control is not None
    assert treatment is not None
    if control.successes is not None and treatment.successes is not None:
        return rule.proportions((control.successes, control.n), (treatment.successes, treatment.n), alpha)
    if item.measure in SHARES and not control.sd and not treatment.sd and {control.mean, treatment.mean} <= {0.0, 1.0}:
        # All units alike, such as without an error: as many observations as units, not certainty.
        return rule.proportions(_all_or_none(control), _all_or_none(treatment), alpha)
    return rule.welch(_moments(control), _moments(treatment), alpha)


def _moments(arm: Arm) -> rule.Moments:
    return arm.n, arm.mean or 0.0, (arm.sd or 0.0) ** 2


def _all_or_none(arm: Arm) -> tuple[int, int]:
    return (arm.n if arm.mean else 0), arm.n


def _judged_process(one: Experiment) -> Outcome:
    rows = [TeamWeek(row.team, row.week, row.treated, row.value) for row in one.periods]
    if not rows or not one.primary:
        return Outcome("none", "no team weeks yet; add them to `periods`, or with `experiment result ID --csv FILE`")
    metric = one.primary[0]
    found = judge_process(rows, one.alpha)
    shown = MetricResult(name=metric.name, role="primary", better=metric.good, unit=UNITS[metric.measure],
                         bound=metric.min_effect, source="typed", when=max(row.week for row in rows), effect=found.effect,
                         reason=found.reason)  # fmt: skip
    if found.reason or found.effect is None:
        return Outcome("none", found.reason or "nothing to compare", (shown,), processed=found)
    good = _good(found.effect, metric.good)
    # Teams and weeks are chosen, not drawn: their numbers are no sample-ratio check.
    newest = {item.metric: item for item in sorted(one.results, key=lambda item: item.when)}
    rails, rail_rows = _guardrails(one, newest)
    vote = rule.judge(good, min_effect=metric.min_effect, guardrails=rails, assigned=(1, 1))
    missing = [row.name for row in rail_rows if row.effect is None]
    metrics = (replace(shown, says=vote.verdict), *rail_rows)
    if vote.verdict == "scale" and missing:
        return Outcome(
            "none", f"not measured yet: {', '.join(missing)}; without them nothing is scaled", metrics, processed=found
        )
    return Outcome(vote.verdict, vote.why, metrics, processed=found)


# --- From the cache ------------------------------------------------------------------------------------------------


def where(one: Experiment, data: Data) -> dict[str, str]:
    """The part of the traffic an experiment is about, as query parameters."""
    environment = one.environment or ("" if data.live() is None else str(data.live()))
    return {"of_feature": one.feature, "of_cluster": one.cluster, "of_environment": environment}


def from_cache(one: Experiment, data: Data, config: Config, now: datetime, who: str = "") -> tuple[list[Measured], str]:
    """What cached tasks say of its metrics since it started, by the arm their spans carry; and why, where they say nothing.

    In shadow mode the same request answered by both arms is a pair; otherwise arms are apart.
    """
    both: list[Primary | Guardrail] = [*one.primary, *one.guardrails]
    metrics = [item for item in both if item.measure != "typed"]
    if one.started is None or one.process or not metrics:
        return [], ""
    shadow = one.exposed is None
    begin = one.started if shadow else one.exposed
    assert begin is not None
    until = now.date() if one.ended is None else one.ended
    span: dict[str, Parameter] = {
        "from_at": datetime.combine(begin, time()), "to_at": datetime.combine(until + timedelta(days=1), time()),
        "attributes": [one.variant_attribute] if one.variant_attribute else list(config.mapping.span_attributes.variant),
        "control": one.control_value, "treatment": one.treatment_value, **where(one, data),
    }  # fmt: skip
    if shadow:
        rows = data.rows("experiment_pairs", **span)
        pairs = [_pairs(item, rows[0], until, who) for item in metrics] if rows else []
        return [item for item in pairs if item is not None], f"not two requests answered by both arms since {begin}"
    if one.unit_attribute:
        units = {
            (text(row["arm"]), text(row["measure"])): row
            for row in data.rows("experiment_units", unit=one.unit_attribute, **span)
        }
        of_units = [_units(item, one, units, until, who) for item in metrics]
        return [item for item in of_units if item is not None], _silent(one, {arm for arm, _ in units}, begin)
    arms = {text(row["arm"]): row for row in data.rows("experiment_arms", **span)}
    control, treatment = arms.get(one.control_value), arms.get(one.treatment_value)
    silent = _silent(one, arms.keys(), begin)
    if control is None or treatment is None:
        return [], silent
    found = [_arms(item, control, treatment, until, who) for item in metrics]
    return [item for item in found if item is not None], silent


def _silent(one: Experiment, seen: Collection[str], begin: date) -> str:
    """Why cached tasks of these arms say nothing."""
    absent = [arm for arm in (one.control_value, one.treatment_value) if arm not in seen]
    if len(absent) == 1:
        return f"no cached task of arm {one_line(absent[0], 40)} since {begin}, of the other there are"
    return f"{'no cached task carries an arm' if absent else 'cached tasks of both arms say nothing of its metrics'} since {begin}"


def _pairs(item: Primary | Guardrail, row: Record, when: date, who: str) -> Measured | None:
    name = item.measure
    n = whole(row[f"n_{name}"])
    if n < 2:
        return None
    arm = Arm(n=n, mean=real(row[f"mean_{name}"]), sd=real(row[f"sd_{name}"]))
    return Measured(metric=item.name, when=when, source="cache", who=who, difference=arm)


def _units(
    item: Primary | Guardrail, one: Experiment, rows: Mapping[tuple[str, str], Record], when: date, who: str
) -> Measured | None:
    """Arms given to units: as many observations as units, which is also what their numbers are checked by."""
    found = [rows.get((arm, item.measure)) for arm in (one.control_value, one.treatment_value)]
    given = [rows.get((arm, "errors")) for arm in (one.control_value, one.treatment_value)]
    arms = [
        Arm(n=whole(row["n"]), mean=real(row["mean"]), sd=real(row["sd"]))
        for row in found
        if row and whole(row["n"]) > 1
    ]
    assigned = [whole(row["n"]) for row in given if row]
    if len(arms) < 2 or len(assigned) < 2:
        return None
    return Measured(
        metric=item.name, when=when, source="cache", who=who, control=arms[0], treatment=arms[1],
        assigned=(assigned[0], assigned[1]),
    )  # fmt: skip


def _arms(item: Primary | Guardrail, control: Record, treatment: Record, when: date, who: str) -> Measured | None:
    one, other = _arm(item.measure, control), _arm(item.measure, treatment)
    if one is None or other is None:
        return None
    assigned = (whole(control["n"]), whole(treatment["n"]))
    return Measured(
        metric=item.name, when=when, source="cache", who=who, control=one, treatment=other, assigned=assigned
    )


def _arm(measure: Measure, row: Record) -> Arm | None:
    if measure in SHARES:
        top, bottom = SHARES[measure]
        n = whole(row[bottom])
        return Arm(n=n, successes=whole(row[top])) if n else None
    n = whole(row[f"n_{measure}"])
    return Arm(n=n, mean=real(row[f"mean_{measure}"]), sd=real(row[f"sd_{measure}"])) if n > 1 else None
