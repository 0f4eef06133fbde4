"""Predicted Impact against what experiments measured (diagnostics F): do higher scores move the metric more?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from aether_tui.diagnostics import metrics
from aether_tui.report_model import Col, Row, Table
from aether_tui.stats.intervals import quantile
from aether_tui.workspace.document import low_mode_high

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.experiment import Experiment
    from aether_tui.workspace.kinds.opportunity import Opportunity

ANCHORS = (1.0, 4.0, 7.0, 10.0)
LEAST = 6
"""Experiments from which the median has a 95 % interval (order statistics)."""
KINDS = (
    ("experiment", ("experiment", "exp-")),
    ("trace query", ("trace", "query")),
    ("interview", ("interview", "int-")),
)


class Calibration(Struct, frozen=True, kw_only=True):
    """Decided experiments of one anchor or one kind of evidence: the median relative movement of their primary metric, better
    being positive. Null bounds: `n` is too small."""

    group: str
    n: int
    improved: int
    median: float
    low: float | None
    high: float | None
    experiments: tuple[str, ...]


def calibrate(opportunities: Sequence[Opportunity], experiments: Sequence[Experiment]) -> tuple[Calibration, ...]:
    """By Impact as predicted when the experiment began (to the nearest of 1, 4, 7, 10), then by kind of evidence."""
    by_id = {one.id: one for one in opportunities}
    groups: dict[str, list[tuple[str, float]]] = {}
    for experiment in experiments:
        about = by_id.get(experiment.opportunity)
        change = moved(experiment) if about is not None and experiment.decision is not None else None
        if about is None or change is None:
            continue
        impact = _predicted(about, experiment)
        anchor = min(ANCHORS, key=lambda one: abs(one - impact))
        for group in (f"predicted {anchor:g}", *(f"evidence: {kind}" for kind in _evidence(about))):
            groups.setdefault(group, []).append((experiment.id, change))
    order = [
        *(f"predicted {anchor:g}" for anchor in ANCHORS),
        *(f"evidence: {kind}" for kind, _ in KINDS),
        "evidence: none",
    ]
    return tuple(_measured(group, groups[group]) for group in order if group in groups)


def gained(experiment: Experiment) -> tuple[float, float] | None:
    """Movement of the first primary metric, better being positive, and what it began at; None where it was not measured.

    Differences of pairs do not say what they began at: then it is the baseline of the plan, else 0.
    """
    from aether_tui.diagnostics.experiments_results import judged

    found = next((row for row in judged(experiment, experiment.results).metrics if row.role == "primary"), None)
    if found is None or found.effect is None:
        return None
    effect = found.effect.effect if found.better == "higher" else -found.effect.effect
    began = found.effect.baseline
    return effect, (experiment.baseline or 0.0) if began is None else began


def moved(experiment: Experiment) -> float | None:
    """The same relative to what it began at; None where that is 0, too."""
    effect, began = gained(experiment) or (0.0, 0.0)
    return effect / abs(began) if began else None


def _predicted(about: Opportunity, experiment: Experiment) -> float:
    """Impact as it stood when the experiment was first started: a score corrected afterwards predicted nothing."""
    began = next((entry.when for entry in experiment.history if entry.to == "running"), None)
    changes = (one for one in about.history if one.field == "impact" and (began is None or one.when > began))
    later = min(changes, key=lambda one: one.when, default=None)
    return low_mode_high(later.before if later is not None else about.impact)[1]


def _evidence(about: Opportunity) -> tuple[str, ...]:
    text = " ".join(about.evidence).lower()
    return tuple(kind for kind, words in KINDS if any(word in text for word in words)) or ("none",)


def _measured(group: str, found: Sequence[tuple[str, float]]) -> Calibration:
    values = [value for _, value in found]
    middle, low, high = quantile(values, 0.5)
    return Calibration(
        group=group, n=len(values), improved=sum(value > 0 for value in values), median=middle, low=low, high=high,
        experiments=tuple(identity for identity, _ in found),
    )  # fmt: skip


def table(rows: Sequence[Calibration]) -> Table:
    """As a table; under LEAST experiments it says that n is too small."""
    return Table(
        id="portfolio.calibration",
        title="What was predicted, and what experiments measured",
        columns=(
            Col(key="group", title="group", priority=9),
            Col(key="n", title="n", kind="number", priority=8),
            Col(key="improved", title="improved", kind="number", priority=7),
            Col(key="median", title="median move", kind="number", priority=8),
            Col(key="interval", title="95 % interval", priority=6),
        ),
        rows=tuple(
            Row(
                id=one.group,
                cells=(
                    one.group,
                    str(one.n),
                    str(one.improved),
                    f"{100 * one.median:+.1f} %",
                    "n too small"
                    if one.low is None or one.high is None
                    else f"{100 * one.low:+.1f} to {100 * one.high:+.1f} %",
                ),
                detail=f"{', '.join(one.experiments)}; relative movement of the first primary metric, better is +",
                why=metrics.why("portfolio.moved"),
            )
            for one in rows
        ),
        note="Impact as it stood when the experiment began; the metric's relative movement, better is +. "
        f"An interval needs {LEAST} experiments.",
        empty="No decided experiment names an opportunity yet: nothing predicted has been measured.",
    )
