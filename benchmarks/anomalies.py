"""How often quiet series are said to have changed, and how often planted steps are found: `python -m benchmarks.anomalies`."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from statistics import mean

from aether_tui.stats import anomalies

DAYS = 120
SERIES = 100
SHAPE = (1.0, 1.05, 1.04, 1.02, 0.95, 0.6, 0.5)
NOISE = 0.1


def quiet(rng: random.Random, step: float = 0.0, at: int = DAYS) -> list[float | None]:
    """A series with weekday shape, 10 % lognormal noise and 5 % outliers of half to four times; a step of `step` from `at`."""
    level = rng.lognormvariate(4, 1)
    return [
        level * SHAPE[day % 7] * (1 + (step if day >= at else 0)) * rng.lognormvariate(0, NOISE)
        * (rng.choice((rng.uniform(1.5, 4), rng.uniform(0.25, 0.65))) if rng.random() < 0.05 else 1)
        for day in range(DAYS)
    ]  # fmt: skip


def world(seed: int, series: int = SERIES) -> dict[str, list[float | None]]:
    """Quiet series of one seed."""
    rng = random.Random(f"quiet {seed}")
    return {f"s{number}": quiet(rng) for number in range(series)}


def findings(series: Mapping[str, list[float | None]]) -> int:
    """Changes found in all series together."""
    out = anomalies.outliers(series)
    return sum(len(anomalies.shifts(values, out[name])) for name, values in series.items())


def found(seed: int, step: float) -> bool:
    """Whether a step planted 7 to 90 days before the end is found within three days of its place."""
    rng = random.Random(f"step {seed} {step}")
    at = DAYS - rng.randint(7, 90)
    values = quiet(rng, step, at)
    changes = anomalies.shifts(values, anomalies.outliers({"one": values})["one"])
    return any(abs(one.at - at) <= 3 and (one.effect > 0) == (step > 0) for one in changes)


def main() -> int:
    """Both targets; exit 1 when one is missed."""
    false = mean(findings(world(seed)) for seed in range(50))
    power = {step: mean(found(seed, step) for seed in range(200)) for step in (0.3, 0.5, -0.3)}
    print(f"{false:.2f} findings over {SERIES} quiet series of {DAYS} days, mean of 50 worlds (target: at most 2)")
    for step, share in power.items():
        print(f"{share:.1%} of 200 planted steps of {step:+.0%} found within three days (target: at least 90 %)")
    return 0 if false <= 2 and min(power.values()) >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
