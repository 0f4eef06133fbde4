"""Release trains against a simulation and the textbook relations between queues."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from aether_tui.stats.queueing import mmc
from aether_tui.stats.trains import on_demand, train


def test_a_train_as_simulated() -> None:
    rng = np.random.default_rng(3)
    arrivals, interval, trains, failure_rate = 3.0, 2.0, 40_000, 0.1
    ready = np.sort(rng.uniform(0, trains * interval, rng.poisson(arrivals * trains * interval)))
    bad = rng.random(len(ready)) < failure_rate
    of = (ready // interval).astype(int)
    batch = np.bincount(of, minlength=trains)
    failed = np.bincount(of, weights=bad, minlength=trains) > 0
    found = train(arrivals, interval, 0.1, failure_rate)
    assert found.wait == pytest.approx(((of + 1) * interval - ready).mean(), rel=0.01)
    assert found.batch == pytest.approx(batch.mean(), rel=0.01)
    assert found.risk == pytest.approx(failed.mean(), rel=0.02)
    assert found.suspects == pytest.approx(batch[failed].mean(), rel=0.01)
    assert found.failures == pytest.approx(failed.sum() / (trains * interval), rel=0.02)


def test_risk_is_the_chance_of_a_bad_change_in_a_poisson_batch() -> None:
    assert train(5, 14, 0.1, 0.05).risk == pytest.approx(stats.poisson.sf(0, 5 * 14 * 0.05))


@pytest.mark.parametrize("arrivals", [0.1, 5.0, 49.0])
def test_fixed_service_waits_half_as_long_as_exponential(arrivals: float) -> None:
    """Pollaczek-Khinchine: M/D/1 waits half of M/M/1."""
    exponential = mmc(arrivals, 50, 1).wq
    assert exponential is not None
    assert on_demand(arrivals, 1 / 50, 0.1).wait == pytest.approx(exponential / 2)


def test_what_never_settles_or_never_fails_is_none() -> None:
    assert on_demand(50, 1 / 50, 0.1).wait is None
    assert train(5, 0.1, 0.2, 0.1).lead is None
    assert (train(5, 1, 0.2, 0).suspects, on_demand(5, 0, 0).suspects, on_demand(5, 0, 0).wait) == (None, None, 0)
