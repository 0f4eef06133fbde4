"""Clustering of texts: formulas against published or hand values, quality on public intents, hostile texts."""

import time

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from aether_tui.stats import clustering
from benchmarks import taxonomy


def test_public_intents_are_found_again(contracts):
    """Issue 9: mean of 20 seeds NMI ≥.75 with k = 12, ≥.70 with k chosen; here 2 of them, all is a benchmark."""
    intents = taxonomy.read(contracts / "requests" / "clinc_oos_data_full.json.xz")
    started = time.process_time()
    scores = np.array([taxonomy.score(*taxonomy.draw(intents, seed))[:2] for seed in taxonomy.SEEDS[:2]])
    assert scores[:, 0].mean() >= 0.80, scores
    assert scores[:, 1].mean() >= 0.80, scores
    assert (time.process_time() - started) / 4 <= 5  # CPU s per run


def test_one_seed_gives_one_result(contracts):
    intents = taxonomy.read(contracts / "requests" / "clinc_oos_data_full.json.xz")
    texts, _ = taxonomy.draw(intents, 3)
    one, two = (clustering.cluster(texts, None, seed=7) for _ in range(2))
    assert (one.labels == two.labels).all()
    assert one.judged == two.judged
    assert clustering.K_RANGE[0] <= one.k <= clustering.K_RANGE[1]


def test_mutual_information_by_hand():
    """I = 0.5·ln(0.5/(0.5·0.5)) + 0.25·ln(0.25/(0.25·0.5))·2 = ln 2; H = ln 2 and 1.5·ln 2, so NMI = 2/(1+1.5) = .8."""
    assert taxonomy.mutual_information(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])) == pytest.approx(0.8)
    assert taxonomy.mutual_information(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])) == pytest.approx(1)
    assert taxonomy.mutual_information(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])) == pytest.approx(0)


def test_adjusted_rand_of_the_documented_example():
    """scikit-learn's documentation of adjusted_rand_score: 0.57 for these, 0.0 for the other pair."""
    assert clustering.adjusted_rand(np.array([0, 0, 1, 2]), np.array([0, 0, 1, 1])) == pytest.approx(0.5714285714)
    assert clustering.adjusted_rand(np.array([0, 0, 0, 0]), np.array([0, 1, 2, 3])) == pytest.approx(0)


def test_silhouette_by_hand():
    """Two pairs on a circle: within cosine distance a, between b; every point (b − a)/b."""
    near = np.cos(0.1)
    rows = np.array([[1, 0], [near, np.sin(0.1)], [0, 1], [-np.sin(0.1), near]])
    inside = 1 - near
    outside = [
        np.mean([1 - rows[i] @ rows[j] for j in others]) for i, others in enumerate([(2, 3), (2, 3), (0, 1), (0, 1)])
    ]
    expected = np.mean([(b - inside) / b for b in outside])
    assert clustering.silhouette(rows, np.array([0, 0, 1, 1])) == pytest.approx(expected)


def test_average_linkage_as_scipy_does_it():
    rng = np.random.default_rng(5)
    rows = clustering.unit_rows(rng.normal(size=(60, 6)))
    merges = clustering.average_linkage(rows)
    oracle = linkage(rows, "average", metric="cosine")
    assert [merge[2] for merge in merges] == pytest.approx(list(oracle[:, 2]))
    ours = np.zeros(60, dtype=np.int64)
    for number, members in enumerate(clustering.cut(merges, 60, 7, least=1)):
        ours[members] = number
    assert clustering.adjusted_rand(ours, fcluster(oracle, 7, "maxclust")) == pytest.approx(1)


@pytest.mark.parametrize("texts", [
    ["one"], ["same", "same "], ["\x1b[31m", "\u202e", "🙂"], ["a" * 2_000_000, "b" * 2_000_000], ["\ud800 lone"],
])  # fmt: skip
def test_few_and_odd_texts_are_one_group(texts):
    assert clustering.cluster(texts, None, seed=0).k == 1


def test_languages_are_kept_apart():
    english = [f"where is my order of {thing}" for thing in ("shoes", "boots", "hats", "books", "lamps", "mugs")]
    japanese = [f"{thing}の返品をお願いします" for thing in ("靴", "帽子", "本", "時計", "傘", "鞄")]
    found = clustering.cluster(english + japanese, 2, seed=0)
    assert found.k == 2
    assert taxonomy.mutual_information(found.labels, np.repeat([0, 1], 6)) == pytest.approx(1)


def test_fixed_groups_keep_their_texts():
    texts = [f"{verb} my {thing}" for verb in ("cancel", "refund", "track") for thing in
             ("order", "parcel", "ticket", "bill", "booking", "visit", "lesson")]  # fmt: skip
    fixed = np.full(len(texts), -1)
    fixed[[0, 8]] = 0
    found = clustering.cluster(texts, 3, seed=0, fixed=fixed)
    assert found.labels[0] == found.labels[8] == 0
    assert found.k == 3
