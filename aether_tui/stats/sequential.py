"""Asymptotic confidence sequences: an interval that may be looked at as often as one likes.

Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences"
(2021/2024), Theorem 2.2 for the boundary, Appendix B.2 for the ρ that is tightest at the planned sample size.
"""

from __future__ import annotations

import math

from aether_tui.stats.sound import sound


def rho(planned_n: float, alpha: float) -> float:
    """The mixture parameter that makes the boundary tightest at `planned_n` (Lambert-W approximation)."""
    sound(planned_n, alpha)
    a = -2 * math.log(alpha)
    return math.sqrt((a + math.log(a + 1)) / planned_n)


def half_width(n: float, sd: float, planned_n: float, alpha: float) -> float:
    """Half width of the (1 − α) confidence sequence of a mean after n observations of standard deviation `sd`."""
    sound(n, sd)
    r2 = rho(planned_n, alpha) ** 2
    return sd * math.sqrt(2 * (n * r2 + 1) / (n * n * r2) * math.log(math.sqrt(n * r2 + 1) / alpha))


def simulate_power(
    effect: float, sd: float, planned_n: int, looks: int, alpha: float, seed: int, paths: int = 10_000
) -> float:
    """Share of simulated experiments in which some look at n·k/looks excludes zero. Normal increments."""
    sound(effect, sd)
    import numpy as np

    steps = np.diff(np.round(np.linspace(0, planned_n, looks + 1))).astype(float)
    steps = steps[steps > 0]
    at = np.cumsum(steps)
    draws = np.random.default_rng(seed).standard_normal((paths, len(steps))) * np.sqrt(steps) * sd
    means = (np.cumsum(draws, axis=1) + effect * at) / at
    bounds = np.array([half_width(float(n), sd, planned_n, alpha) for n in at])
    return float((np.abs(means) > bounds).any(axis=1).mean())
