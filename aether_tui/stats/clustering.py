"""Texts into categories without a model: character n-grams, LSA, average linkage refined by spherical k-means.

Plain k-means on the same vectors cuts large categories and merges small ones when sizes follow a Zipf law (NMI .77 on
public intents); average linkage does not, and a few k-means steps from its centroids mend its edges (.87).
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

BUCKETS = 16_384
"""Features: n-grams hashed (CRC-32) into so many buckets, so that a stored centroid holds no text."""
FEATURE_CHARS = 400
"""Characters of a text that are looked at: what is asked stands at its beginning."""
CLUSTER_MOST = 1_000
"""Distinct texts that are clustered; more are sampled, and the rest assigned."""
LSA_DIMENSIONS = 70
K_RANGE = (8, 15)
LEAST_SIZE = 5
"""Members a category needs; smaller groups join the nearest category."""

_SPACE = re.compile(r"\s+")
_RESAMPLES = 6
_RESAMPLE_SHARE = 0.8
_REFINEMENTS = 5


def ngrams(text: str) -> Counter[int]:
    """Hashed 3–5-grams within the words of a text (of their UTF-8 bytes), each word framed by blanks, case folded."""
    found: Counter[int] = Counter()
    for word in _SPACE.split(text[:FEATURE_CHARS].casefold().strip()):
        found.update(_word_ngrams(word))
    return found


@lru_cache(16_384)
def _word_ngrams(word: str) -> tuple[int, ...]:
    framed = f" {word} ".encode("utf-8", "surrogatepass")
    return tuple(
        zlib.crc32(framed[start : start + n]) % BUCKETS
        for n in (3, 4, 5)
        for start in range(max(1, len(framed) - n + 1))
    )


def inverse_frequencies(documents: Sequence[Counter[int]]) -> NDArray[np.float64]:
    """Smoothed inverse document frequency of every bucket: ln((1 + n) ÷ (1 + df)) + 1."""
    frequency = np.zeros(BUCKETS)
    for document in documents:
        frequency[list(document)] += 1
    idf: NDArray[np.float64] = np.log((1 + len(documents)) / (1 + frequency)) + 1
    return idf


def weigh(documents: Sequence[Counter[int]], idf: NDArray[np.float64]) -> Matrix:
    """TF-IDF rows of length 1 over all buckets, term frequency as 1 + ln(count)."""
    rows = np.zeros((len(documents), BUCKETS))
    for number, document in enumerate(documents):
        columns, weights = _weights(document, idf)
        rows[number, columns] = weights
    return rows


def alike(documents: Sequence[Counter[int]], idf: NDArray[np.float64], rows: Matrix) -> Matrix:
    """Cosine of each document with each of `rows` (of length 1): `weigh(documents, idf) @ rows.T` without the zeros."""
    found = np.zeros((len(documents), len(rows)))
    buckets = np.ascontiguousarray(rows.T)
    for number, document in enumerate(documents):
        columns, weights = _weights(document, idf)
        found[number] = weights @ buckets[columns]
    return found


def _weights(document: Counter[int], idf: NDArray[np.float64]) -> tuple[Labels, NDArray[np.float64]]:
    """The buckets of a document and their weights, scaled to length 1."""
    columns = np.fromiter(document, np.int64, len(document))
    weights = (1 + np.log(np.fromiter(document.values(), float, len(document)))) * idf[columns]
    length = float(np.sqrt(weights @ weights))
    return columns, weights / (length if length > 0 else 1)


def unit_rows(rows: Matrix) -> Matrix:
    """Rows scaled to length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Matrix = rows / np.where(length > 0, length, 1)
    return scaled


def lsa(rows: Matrix, dimensions: int = LSA_DIMENSIONS) -> Matrix:
    """Latent semantic analysis: rows in the space of the largest singular vectors, each scaled to length 1."""
    values, vectors = np.linalg.eigh(rows @ rows.T)
    kept = min(dimensions, max(1, int((values > 1e-9).sum())))
    return unit_rows(vectors[:, ::-1][:, :kept] * np.sqrt(np.maximum(values[::-1][:kept], 0)))


# --- Average linkage -----------------------------------------------------------------------------------------------


def average_linkage(rows: Matrix) -> list[tuple[int, int, float]]:
    """Merges (one, other, distance) of points of length 1 in rising order of distance, by mean cosine distance.

    Nearest-neighbour chains (Murtagh 1983), O(n²). A group is named by the smallest point in it.
    """
    n = len(rows)
    distance = 1 - rows @ rows.T
    np.fill_diagonal(distance, np.inf)
    size = np.ones(n)
    merges: list[tuple[int, int, float]] = []
    chain: list[int] = []
    alive = np.ones(n, bool)
    while len(merges) < n - 1:
        if not chain:
            chain.append(int(np.flatnonzero(alive)[0]))
        while True:
            last = chain[-1]
            near = int(distance[last].argmin())
            if len(chain) > 1 and distance[last, chain[-2]] <= distance[last, near]:
                near = chain[-2]
                break
            chain.append(near)
        one, other = sorted((chain.pop(), chain.pop()))
        merges.append((one, other, float(distance[one, other])))
        joined = (size[one] * distance[one] + size[other] * distance[other]) / (size[one] + size[other])
        joined[one] = np.inf
        distance[one], distance[:, one] = joined, joined
        distance[other], distance[:, other] = np.inf, np.inf
        size[one] += size[other]
        alive[other] = False
    return sorted(merges, key=lambda merge: merge[2])


def cut(merges: Sequence[tuple[int, int, float]], n: int, k: int, least: int = LEAST_SIZE) -> list[Labels]:
    """Members of the k groups of at least `least` points that the fewest splits leave, largest first.

    Fewer than k when the tree has no such cut; points of smaller groups are in none.
    """
    best: list[Labels] = []
    for groups in range(k, min(n, 10 * k) + 1):
        parent = list(range(n))
        for one, other, _ in merges[: n - groups]:
            parent[_root(parent, other)] = _root(parent, one)
        roots = np.array([_root(parent, point) for point in range(n)])
        names, counts = np.unique(roots, return_counts=True)
        large = [np.flatnonzero(roots == name) for name in names[counts >= least]]
        if len(large) > len(best):
            best = sorted(large, key=lambda members: (-len(members), int(members[0])))
        if len(best) >= k:
            return best[:k]
    return best or [np.arange(n)]


def _root(parent: list[int], point: int) -> int:
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = parent[point]
    return point


def nearest(rows: Matrix, centroids: Matrix) -> Labels:
    """Number of the centroid of the largest cosine similarity."""
    found: Labels = (rows @ unit_rows(centroids).T).argmax(axis=1)
    return found


def centroids_of(rows: Matrix, labels: Labels, k: int) -> Matrix:
    """Mean row of each group; zeros for an empty one."""
    return np.array(
        [rows[labels == group].mean(axis=0) if (labels == group).any() else rows[0] * 0 for group in range(k)]
    )


def refined(rows: Matrix, groups: Sequence[Labels], fixed: Labels | None = None) -> Labels:
    """Spherical k-means steps from the centroids of `groups`; points with a `fixed` group (≥0) keep it."""
    centroids = np.array([rows[members].mean(axis=0) for members in groups])
    labels = nearest(rows, centroids)
    for _ in range(_REFINEMENTS):
        if fixed is not None:
            labels = np.where(fixed >= 0, fixed, labels)
        before, labels = labels, nearest(rows, centroids_of(rows, labels, len(groups)))
        if (labels == before).all():
            break
    return labels if fixed is None else np.where(fixed >= 0, fixed, labels)


# --- How many --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A number of categories: agreement of clusterings of resamples with the whole (adjusted Rand), and silhouette."""

    k: int
    stability: float
    stability_se: float
    silhouette: float


def candidates(
    rows: Matrix, merges: Sequence[tuple[int, int, float]], rng: np.random.Generator, low: int, high: int
) -> list[Candidate]:
    """Every k from `low` to `high` that the texts can be cut into, judged over seeded resamples."""
    n = len(rows)
    whole = {len(groups): refined(rows, groups) for k in range(low, high + 1) if (groups := cut(merges, n, k))}
    agreement: dict[int, list[float]] = {k: [] for k in whole}
    for _ in range(_RESAMPLES):
        some = np.sort(rng.choice(n, max(2, int(n * _RESAMPLE_SHARE)), replace=False))
        part = rows[some]
        tree = average_linkage(part)
        for k, labels in whole.items():
            again = refined(part, cut(tree, len(part), k))
            agreement[k].append(adjusted_rand(again, labels[some]))
    return [
        Candidate(
            k,
            float(np.mean(agreement[k])),
            float(np.std(agreement[k], ddof=1) / np.sqrt(_RESAMPLES)),
            silhouette(rows, labels),
        )
        for k, labels in sorted(whole.items())
    ]


def best_k(found: Sequence[Candidate]) -> int:
    """The k of the best silhouette among those as stable as the stablest, within its standard error."""
    top = max(found, key=lambda one: (one.stability, -one.k))
    stable = [one for one in found if one.stability >= top.stability - top.stability_se]
    return max(stable, key=lambda one: (one.silhouette, -one.k)).k


def silhouette(rows: Matrix, labels: Labels) -> float:
    """Mean silhouette (Rousseeuw 1987) by cosine distance; points alone in their group count 0."""
    distance = 1 - rows @ rows.T
    groups = np.unique(labels)
    if len(groups) < 2:
        return 0.0
    member = labels[:, None] == groups[None, :]
    sizes = member.sum(axis=0)
    total = distance @ member
    own = member.argmax(axis=1)
    points = np.arange(len(rows))
    inside = total[points, own] / np.maximum(sizes[own] - 1, 1)
    mean = total / sizes
    mean[points, own] = np.inf
    outside = mean.min(axis=1)
    width = np.maximum(np.maximum(inside, outside), 1e-12)
    return float(np.where(sizes[own] > 1, (outside - inside) / width, 0.0).mean())


# --- Agreement of two partitions ------------------------------------------------------------------------------------


def contingency(one: Labels, other: Labels) -> Matrix:
    """How many points each pair of groups shares."""
    rows, row = np.unique(one, return_inverse=True)
    columns, column = np.unique(other, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    np.add.at(table, (row, column), 1)
    return table


def adjusted_rand(one: Labels, other: Labels) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985): 1 for equal partitions, 0 expected by chance."""
    table = contingency(one, other)

    def pairs(counts: Matrix) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    n = table.sum()
    expected = rows * columns / (n * (n - 1) / 2) if n > 1 else 0.0
    highest = (rows + columns) / 2
    return 1.0 if highest == expected else float((both - expected) / (highest - expected))


# --- Texts → groups --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clustering:
    """Group of each text (0 … k−1, larger groups first), and what the groups were found in.

    `rows` are the TF-IDF rows of the texts over all buckets. `judged`: the numbers of groups that were compared, none
    where k was given or there were too few texts to choose.
    """

    labels: Labels
    k: int
    rows: Matrix
    idf: NDArray[np.float64]
    judged: tuple[Candidate, ...] = ()


def cluster(
    texts: Sequence[str], k: int | None, *, seed: int, fixed: Labels | None = None, vectors: Matrix | None = None
) -> Clustering:
    """Texts (at least one; distinct, at most `CLUSTER_MOST`) into k groups, or into as many as are stable (None).

    Texts with a `fixed` group (≥0) stay in it; the free groups are found among the others and numbered after them.
    Groups are found in `vectors` (unit rows, one a text) where there are any, else in the LSA of the texts' n-grams.
    The same texts, k and seed give the same groups. Fewer groups come where the texts do not hold k.
    """
    documents = [ngrams(text) for text in texts]
    idf = inverse_frequencies(documents)
    rows = weigh(documents, idf)
    space = _space(rows) if vectors is None else vectors
    held = int(fixed.max()) + 1 if fixed is not None and len(fixed) else 0
    free = np.flatnonzero(fixed < 0) if fixed is not None else np.arange(len(texts))
    groups = [free] if len(free) else []
    judged: tuple[Candidate, ...] = ()
    if len(free) >= 2 * LEAST_SIZE and (k is None or k - held > 1):
        groups, judged = _free_groups(space[free], None if k is None else k - held, held, seed)
        groups = [free[members] for members in groups]
    if held and fixed is not None:
        groups = [np.flatnonzero(fixed == group) for group in range(held)] + groups
    filled = [number for number, members in enumerate(groups) if len(members)]
    labels = refined(
        space, [groups[number] for number in filled], None if fixed is None else _renumbered(fixed, filled)
    )
    labels = np.array(filled, dtype=np.int64)[labels] if held else _by_size(labels)
    return Clustering(labels, len(groups) if held else int(labels.max()) + 1, rows, idf, tuple(judged))


def _space(rows: Matrix) -> Matrix:
    shared = rows[:, (rows > 0).sum(axis=0) >= 2]  # what stands in one text alone says nothing of groups
    return lsa(unit_rows(shared) if shared.shape[1] else rows)


def _free_groups(space: Matrix, k: int | None, held: int, seed: int) -> tuple[list[Labels], tuple[Candidate, ...]]:
    merges = average_linkage(space)
    if k is not None:
        tried = (cut(merges, len(space), k, least) for least in range(LEAST_SIZE, 0, -1))
        return next((groups for groups in tried if len(groups) == k), cut(merges, len(space), k, 1)), ()
    low, high = K_RANGE
    judged = tuple(candidates(space, merges, np.random.default_rng(seed), max(1, low - held), max(1, high - held)))
    return cut(merges, len(space), best_k(judged)), judged


def _renumbered(fixed: Labels, filled: Sequence[int]) -> Labels:
    """Fixed groups by their place among the groups that have members."""
    place = {group: number for number, group in enumerate(filled)}
    return np.array([place.get(int(group), -1) for group in fixed], dtype=np.int64)


def _by_size(labels: Labels) -> Labels:
    """Groups renumbered, largest first; of equal ones the one whose first text comes first."""
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    place = np.empty(int(names.max()) + 1, dtype=np.int64)
    place[names[order]] = np.arange(len(names))
    renumbered: Labels = place[labels]
    return renumbered
