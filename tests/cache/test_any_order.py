"""Whatever the order, overlap and repetition of what arrives: the rows and rollups of one clean load."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aether_tui.cache import Cache
from aether_tui.cache.schema import ROLLUPS
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records import TABLES, Row
from tests.cache.samples import DAY_ONE, NOW, dump, fresh, rows, store

NAMES = ("spans", "work_items", "work_transitions")
MANY = settings(
    max_examples=int(os.environ.get("AETHER_EXAMPLES", "1")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CONFIG = Config.model_validate({"mapping": {"services": {"a*": "api"}, "features": {"source_service*": "found"}}})
OTHER = Config.model_validate(
    {
        "mapping": {"services": {"a*": "other"}, "environments": {"source_environment*": "staging"}},
        "prices": [
            {"model": "m*", "input_usd_per_million": "3", "output_usd_per_million": "9", "valid_from": "2020-01-01"}
        ],
    }
)


def versions(name: str, seed: int) -> list[Row]:
    """Rows, changed ones among them: other content, another day, another trace's parent; some of them twice."""
    rng, table = random.Random(seed), TABLES[name]
    found = rows(name, 30, seed)
    kept = [place for place, column in enumerate(table.columns) if column.name in table.key or column.derived]
    for row in rng.sample(found, 10):
        (other,) = rows(name, 1, rng.randrange(10**6))
        changed = [
            own if place in kept or rng.random() < 0.5 else new
            for place, (own, new) in enumerate(zip(row, other, strict=True))
        ]
        found.append(tuple(changed))
    return found + rng.sample(found, 10)


def pieces(found: dict[str, list[Row]], rng: random.Random) -> Iterator[dict[str, list[Row]]]:
    """All of them, shuffled and cut into pieces of any size; one piece comes twice."""
    for name, arriving in found.items():
        rng.shuffle(arriving)
        places = sorted(rng.sample(range(1, len(arriving)), 3))
        cut = [arriving[low:high] for low, high in zip([0, *places], [*places, None], strict=True)]
        for piece in [*cut, rng.choice(cut)]:
            yield {name: piece}


@pytest.fixture(params=["in the lease", "before the lease"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Small slices; what rows add is computed inside the lease or before it."""
    monkeypatch.setattr("aether_tui.cache.merge.SLICE_ROWS", 25)
    monkeypatch.setattr("aether_tui.cache.merge.PREPARED_ROWS", 1 if request.param == "before the lease" else 10**9)
    return str(request.param)


def made(tmp_path: Path) -> Callable[[], Cache]:
    numbers = iter(range(1000))
    root = tmp_path / str(len(list(tmp_path.iterdir())))
    return lambda: fresh(root, str(next(numbers)))


@MANY
@given(seed=st.integers(0, 10**6))
def test_any_order_of_any_pieces_ends_as_one_clean_load(tmp_path: Path, way: str, seed: int) -> None:
    new, rng = made(tmp_path), random.Random(seed)
    found = {name: versions(name, seed) for name in NAMES}
    clean, piecemeal = new(), new()
    store(clean, {name: list(arriving) for name, arriving in found.items()})
    for piece in pieces(found, rng):
        store(piecemeal, piece)
    assert dump(piecemeal) == dump(clean)
    assert [line for line in piecemeal.verify() if "belong to no row" not in line] == []


@MANY
@given(seed=st.integers(0, 10**6))
def test_what_is_pruned_stays_frozen_and_the_rest_exact(tmp_path: Path, way: str, seed: int) -> None:
    rng = random.Random(seed)
    cache, since = made(tmp_path)(), DAY_ONE + timedelta(days=5)
    found = {"spans": versions("spans", seed)}
    later = list(pieces(found, rng))
    for piece in later[:3]:
        store(cache, piece)
    cache.prune({"spans": (NOW.replace(tzinfo=None) - since).days}, now=NOW)
    frozen = _before(cache, since)
    for piece in later[1:]:
        store(cache, piece)
    assert _before(cache, since) == frozen
    assert cache.verify() == []


def _before(cache: Cache, since: object) -> dict[str, list[dict[str, object]]]:
    """Rows of rollups by spans that begin before an instant."""
    with cache.read() as lease:
        return {
            name: [dict(row) for row in lease.rows(f"FROM {name} WHERE {bucket} < TIMESTAMP '{since}' ORDER BY ALL")]
            for name, columns in ROLLUPS.items()
            for bucket in ("hour", "day", "start")
            if bucket in columns and not name.startswith("flow")
        }


@MANY
@given(seed=st.integers(0, 10**6))
def test_another_mapping_and_other_prices_end_as_a_fresh_load(tmp_path: Path, seed: int) -> None:
    new, rng = made(tmp_path), random.Random(seed)
    raw = {name: [row[: len(TABLES[name].raw)] for row in versions(name, seed)] for name in NAMES}
    before, after = Ingest(CONFIG, bytes(32)), Ingest(OTHER, bytes(32))
    changed, clean = new(), new()
    for piece in pieces(raw, rng):
        for name, arriving in piece.items():
            prepared = {name: before.prepare(TABLES[name], arriving)}
            changed.merge("s", "x", prepared, mapping_hash=before.mapping_hash, now=NOW)
    changed.rederive(after, after.mapping_hash, now=NOW)
    whole = {name: after.prepare(TABLES[name], arriving) for name, arriving in raw.items()}
    clean.merge("s", "x", whole, mapping_hash=after.mapping_hash, now=NOW)
    assert dump(changed) == dump(clean)
