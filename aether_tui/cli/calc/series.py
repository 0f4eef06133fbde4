"""Calculators of measurements: two samples compared, and steps in a series."""

from __future__ import annotations

import math
import re
from typing import Literal

import click

from aether_tui.cli.calc.common import (
    NUMBER,
    cell,
    file_argument,
    numbers,
    positive,
    read_table,
    share,
    show,
)
from aether_tui.cli.output import FORMAT
from aether_tui.errors import CheckFailed, ConfigurationError, NoData

LEAST = 5
"""Baseline values from which two samples are compared, as in a budget."""


@click.command()
@click.option("--baseline", required=True, help="Comma-separated measurements before.")
@click.option("--current", required=True, help="Comma-separated measurements now.")
@click.option("--threshold", default="10%", show_default=True, help="How much worse blocks: 10% or 0.1.")
@click.option(
    "--direction", type=click.Choice(["lower", "higher"]), default="lower", show_default=True, help="Which is better."
)
@FORMAT
def compare(baseline: str, current: str, threshold: str, direction: Literal["lower", "higher"], form: str) -> None:
    """Are these measurements worse than those? The gate's rule for one budget: size and evidence."""
    from aether_tui.budgets.file import Budget, Threshold
    from aether_tui.budgets.model import Sample, Series
    from aether_tui.budgets.noisy import judge_noisy, shift_of
    from aether_tui.stats.ranks import mann_whitney_greater

    worse = _threshold(threshold)
    before, now = numbers("--baseline", baseline), numbers("--current", current)
    sign = 1 if direction == "lower" else -1
    p_value = mann_whitney_greater([sign * value for value in now], [sign * value for value in before])
    budget = Budget(
        id="compare", surface="ci", metric="pipeline.run", match={}, stat="p50", limit=None, direction=direction,
        on_missing="warn", min_samples=LEAST, window=len(before), warn=Threshold(), block=Threshold(relative=worse),
        own_block=True, burn=False,
    )  # fmt: skip
    series = Series("", tuple(map(Sample, now)), tuple(map(Sample, before)))
    shift = shift_of(budget, series.now, series.base)
    judged = judge_noisy(budget, series, (shift, shift.p) if shift else None, None, None, "", 1)
    small = judged.verdict == "pass" and shift is not None and shift.share < worse
    why = f"not {worse:.3g} or more worse" if small else judged.why
    show(
        {"verdict": judged.verdict, "shift": judged.shift, "shift_low": judged.shift_low,
         "shift_high": judged.shift_high, "p_value": p_value, "smallest_detectable": judged.smallest_detectable,
         "need_more": judged.need_more, "n_baseline": len(before), "n_current": len(now), "why": why},
        form,
    )  # fmt: skip
    if judged.verdict == "block":
        raise CheckFailed(why, where="calc compare", next_step="find the change, or accept it with a date")
    if judged.verdict == "inconclusive":
        raise NoData(why, where="calc compare", next_step=judged.next)


def _threshold(text: str) -> float:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text)
    if not match:
        raise ConfigurationError(
            f"--threshold must be a share such as 10% or 0.1, not {text[:40]!r}", where="calc compare"
        )
    value = float(match[1])
    return positive("--threshold", value / 100) if match[2] else share("--threshold", value)


@click.command()
@file_argument("FILE.csv")
@click.option("--level", type=NUMBER, default=0.99, show_default=True, help="Confidence a step needs.")
@FORMAT
def changepoints(file: str, level: float, form: str) -> None:
    """Find steps in a series: columns t,value; the values of a repeated t count as their median."""
    from aether_tui.stats.changepoints import LEAST, changes

    points = _points(file)
    found = changes([value for _, value in points], level=share("--level", level))
    steps: list[dict[str, object]] = [
        {"t": points[one.at][0], "before": one.before, "after": one.after, "direction": one.direction,
         "confidence": one.confidence}
        for one in found
    ]  # fmt: skip
    show({"points": len(points), "changes": steps}, form)
    if len(points) < 2 * LEAST:
        raise NoData(f"{len(points)} points are too few ({2 * LEAST} needed)", where="calc changepoints")


def _points(file: str) -> list[tuple[float | str, float]]:
    """(t, median value) in order: of the numbers or dates where every t is one, else of the file."""
    from statistics import median

    groups: dict[str, list[float]] = {}
    for line, row in read_table(file, ("t", "value")):
        groups.setdefault(row["t"], []).append(cell(row, "value", f"{file}: line {line}"))
    points = [(t, median(values)) for t, values in groups.items()]
    try:
        numbered = sorted((float(t), value) for t, value in points)
    except ValueError:
        dated = all(re.match(r"\d{4}-\d\d-\d\d", t) for t in groups)
        return list(sorted(points) if dated else points)
    if not all(math.isfinite(t) for t, _ in numbered):
        raise ConfigurationError("t must be finite numbers, dates or names", where=file)
    return [(int(t) if t.is_integer() else t, value) for t, value in numbered]
