"""Means whose observations come in clusters: several tasks of one customer say less than as many of different ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aether_tui.stats.sound import sound_all


def of_clusters(clusters: Sequence[tuple[float, int]]) -> tuple[int, float, float]:
    """Clusters as (sum, count) → how many, the mean over all observations, and the deviation between clusters.

    The deviation divided by √clusters is the mean's standard error: the delta method for a ratio of sums (Cochran 1977,
    *Sampling Techniques*, §6.4; Deng et al. 2018, KDD, eq. 2), which is the cluster-robust one of a regression on a constant
    with its m ÷ (m − 1). Raises ValueError under two clusters, or for an empty one.
    """
    sound_all(value for total, n in clusters for value in (total, n))
    m, size = len(clusters), sum(n for _, n in clusters)
    if m < 2 or any(n < 1 for _, n in clusters):
        raise ValueError("at least two clusters are needed, each with an observation")
    mean = math.fsum(total for total, _ in clusters) / size
    spread = math.fsum((total - mean * n) ** 2 for total, n in clusters) / (m - 1)
    return m, mean, math.sqrt(spread) / (size / m)
