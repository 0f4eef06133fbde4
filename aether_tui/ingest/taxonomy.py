"""Building a taxonomy: redacted texts → distinct ones → categories with label, examples and centroids.

Built again, categories that people edited are kept with the requests nearest to them, the others are found anew and
matched with those of before, so that ids keep their meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aether_tui.ingest.categories import Assigner, Model, hash_of, largest_features, model_of
from aether_tui.ingest.requests import spread
from aether_tui.stats import clustering
from aether_tui.stats.matching import best_pairs
from aether_tui.text import one_line
from aether_tui.workspace.taxonomies import EXAMPLES

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.taxonomy import Category, Part, Retired, Taxonomy

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

FEW = 200
"""Texts under which a taxonomy is a first guess."""
NEAR = 0.95
"""Likeness from which two texts are one."""
SAME = 0.5
"""Likeness of centroids from which a category is the one of before."""
UNSURE_SHARE, FAR_SHARE = 0.10, 0.05
_FOLDS = 5
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_PLACEHOLDER = re.compile(r"\[[a-z_]+:[0-9a-f]+\]")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about after again am an and are at be before but by can could did do does for from get give had has have here how i if "
        "im in is it its just let like me my need no not of on or our please so some tell that the their them then there these "
        "they this to us want was we were what when where which who why will with would you your",
    )
)
"""English words that say nothing of a request; other languages' are left out by being everywhere."""


@dataclass(frozen=True, slots=True)
class Built:
    """A taxonomy with its model file, and the number of each text's category (-1 for one without a word)."""

    taxonomy: Taxonomy
    model: Model
    data: bytes
    assigner: Assigner


@dataclass(frozen=True, slots=True)
class Before:
    """The version in force, with its model."""

    taxonomy: Taxonomy
    model: Model


def build(
    texts: Sequence[str],
    *,
    identity: str,
    source: str,
    now: datetime,
    seed: int,
    k: int | None,
    before: Before | None,
    vectors: Matrix | None = None,
    strata: Sequence[str | None] = (),
) -> Built | None:
    """A taxonomy of redacted texts; None when none of them has a word. The same texts, k and seed give the same one.

    `vectors` are unit rows, one for each text of `distinct`, to find the categories in; without them they are found by their
    words. Requests are assigned by words in either case.
    """
    some, counts, total = distinct(texts, seed, strata)
    if not some:
        return None
    kept = [one for one in before.taxonomy.categories if one.edits] if before else []
    fixed = None
    if before and kept:
        place = {one.id: number for number, one in enumerate(kept)}
        given = Assigner(before.taxonomy, before.model).assign(some)
        fixed = np.array([place.get(one.category, -1) if one and one.certainty != "far" else -1 for one in given])
    found = clustering.cluster(some, k, seed=seed, fixed=fixed, vectors=vectors)
    groups = [np.flatnonzero(found.labels == number) for number in range(found.k)]
    centroids: dict[str, Matrix] = {}
    for number, members in enumerate(groups):
        held = number < len(kept) and not len(members)
        row = _centroid_of(before, kept[number]) if before and held else found.rows[members].mean(axis=0)
        centroids[str(number + 1)] = row
    titles = _labels([[some[i] for i in members] for members in groups])
    categories = []
    for number, members in enumerate(groups):
        key = str(number + 1)
        parts, halves = _halves(key, members, found.rows, some, counts)
        centroids |= halves
        new = _category(key, members, found.rows, some, counts, titles[number], parts)
        categories.append(_carried(new, kept[number]) if number < len(kept) else new)
    model = model_of(found.idf, centroids)
    categories, retired = _numbered(categories, len(kept), before, model)
    unsure, far = thresholds(found.rows, found.labels, found.k)
    return _finished(
        identity, source, now, seed, _chosen(k, found, len(kept)), total, len(some), unsure, far, model, before,
        _distinct_labels(categories), retired,
    )  # fmt: skip


def distinct(texts: Sequence[str], seed: int, strata: Sequence[str | None] = ()) -> tuple[list[str], list[int], int]:
    """Texts with words, near repeats once, how often each stands for one, and how many there were.

    Of more than `clustering.CLUSTER_MOST` distinct ones so many are drawn, from each of the `strata` (one for each text) as many
    as its share of all texts is.
    """
    first: dict[str, int] = {}
    times: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for number, text in enumerate(texts):
        folded = _SPACE.sub(" ", text).strip().casefold()[: clustering.FEATURE_CHARS]
        if folded:
            first.setdefault(folded, number)
            times[folded] += 1
            asked[_stratum(strata, number)] += 1
    names = list(first)
    total = times.total()
    if len(names) > clustering.CLUSTER_MOST:
        groups: dict[str, list[int]] = {}
        for place in np.random.default_rng(seed).permutation(len(names)).tolist():
            groups.setdefault(_stratum(strata, first[names[place]]), []).append(place)
        names = [names[place] for place in sorted(spread(groups, asked, clustering.CLUSTER_MOST))]
    if not names:
        return [], [], 0
    documents = [clustering.ngrams(name) for name in names]
    rows = clustering.weigh(documents, clustering.inverse_frequencies(documents))
    shared = rows[:, (rows > 0).sum(axis=0) >= 2]  # what stands in one text alone is like nothing
    alike = shared @ shared.T >= NEAR
    leaders: list[int] = []
    counts: dict[int, int] = {}
    for number, name in enumerate(names):
        leader = next((one for one in np.flatnonzero(alike[number]).tolist() if one in counts), number)
        if leader == number:
            leaders.append(number)
        counts[leader] = counts.get(leader, 0) + times[name]
    return [texts[first[names[one]]] for one in leaders], [counts[one] for one in leaders], total


def _stratum(strata: Sequence[str | None], number: int) -> str:
    return (strata[number] or "") if strata else ""


# --- What people edited ----------------------------------------------------------------------------------------------


def _centroid_of(before: Before | None, category: Category) -> Matrix:
    """The centroid of a category of before: the mean of those it holds."""
    assert before is not None
    place = {name: number for number, name in enumerate(before.model.names)}
    rows = [before.model.rows[place[name]] for name in category.holds if name in place]
    return np.mean(rows, axis=0) if rows else np.zeros(clustering.BUCKETS)


def _carried(new: Category, old: Category) -> Category:
    """An edited category as it is now: its own id, label, moved texts and marks; size, words and centroid are new."""
    return new.model_copy(
        update={
            "id": old.id, "label": old.label, "moved": old.moved, "parents": old.parents, "edits": old.edits,
            "examples": list(dict.fromkeys([*old.moved, *(new.examples or old.examples)]))[:EXAMPLES],
        }
    )  # fmt: skip


def _numbered(
    categories: list[Category], kept: int, before: Before | None, model: Model
) -> tuple[list[Category], list[Retired]]:
    """Ids: those of before where a category is the same one (its centroid is the best match, and alike), else new ones."""
    from aether_tui.workspace.kinds.taxonomy import Retired

    if before is None:
        ordered = sorted(categories, key=lambda one: -one.size)
        return [one.model_copy(update={"id": f"c{number:02d}"}) for number, one in enumerate(ordered, 1)], []
    old = before.taxonomy
    free_old = [one for one in old.categories if not one.edits]
    free_new = categories[kept:]
    place = {name: number for number, name in enumerate(model.names)}
    alike = np.array(
        [[model.rows[place[new.holds[0]]] @ clustering.unit_rows(_centroid_of(before, one)[None])[0] for one in free_old]
         for new in free_new]
    ).reshape(len(free_new), len(free_old))  # fmt: skip
    pairs = {new: one for new, one in best_pairs(alike) if alike[new, one] >= SAME}
    number = int(old.next_id()[1:])
    made = list(categories[:kept])
    for place_, one in enumerate(free_new):
        if place_ in pairs:
            made.append(one.model_copy(update={"id": free_old[pairs[place_]].id}))
            continue
        near = int(alike[place_].argmax()) if free_old else -1
        parents = [free_old[near].id] if near >= 0 and alike[place_, near] >= SAME / 2 else []
        made.append(one.model_copy(update={"id": f"c{number:02d}", "parents": parents}))
        number += 1
    ids = {one.id for one in made}
    gone = [Retired(id=one.id, label=one.label) for one in old.categories if one.id not in ids]
    return sorted(made, key=lambda one: -one.size), [*old.retired, *gone]


# --- A category ---------------------------------------------------------------------------------------------------------


def _category(
    key: str,
    members: Labels,
    rows: Matrix,
    some: Sequence[str],
    counts: Sequence[int],
    terms: list[str],
    parts: list[Part],
) -> Category:
    from aether_tui.workspace.kinds.taxonomy import Category

    return Category(
        id="c00", label=" ".join(terms[:3]) or "other", size=sum(counts[i] for i in members), terms=terms,
        examples=_examples(members, rows, some), holds=[key], parts=parts,
    )  # fmt: skip


def _halves(
    key: str, members: Labels, rows: Matrix, some: Sequence[str], counts: Sequence[int]
) -> tuple[list[Part], dict[str, Matrix]]:
    """The two halves of a group with their centroids; none of a group too small to be halved."""
    from aether_tui.workspace.kinds.taxonomy import Part

    if len(members) < 2 * clustering.LEAST_SIZE:
        return [], {}
    cut = clustering.cluster([some[i] for i in members], 2, seed=0)
    if cut.k != 2:
        return [], {}
    halves = [members[cut.labels == number] for number in (0, 1)]
    titles = _labels([[some[i] for i in half] for half in halves])
    parts, centroids = [], {}
    for name, half, terms in zip((f"{key}a", f"{key}b"), halves, titles, strict=True):
        centroids[name] = rows[half].mean(axis=0)
        parts.append(
            Part(
                holds=[name], label=" ".join(terms[:3]) or "other", size=sum(counts[i] for i in half),
                examples=_examples(half, rows, some),
            )
        )  # fmt: skip
    if parts[0].label == parts[1].label:
        parts[1] = parts[1].model_copy(update={"label": f"{parts[1].label} (other)"})
    return parts, centroids


def _examples(members: Labels, rows: Matrix, some: Sequence[str]) -> list[str]:
    """Texts nearest to the middle of a group, on one line each; the first is its medoid."""
    if not len(members):
        return []
    alike = rows[members] @ rows[members].mean(axis=0)
    order = members[np.argsort(-alike, kind="stable")][:EXAMPLES]
    return [one_line(some[i], 300) or "(no printable text)" for i in order]


def _labels(groups: Sequence[Sequence[str]]) -> list[list[str]]:
    """Up to six words per group by class-based TF-IDF: share in the group × ln(1 + mean words ÷ the word's count)."""
    said = [Counter(word for text in group for word in _words(text)) for group in groups]
    whole: Counter[str] = Counter()
    for counted in said:
        whole.update(counted)
    mean = whole.total() / max(len(groups), 1)
    titles = []
    for counted in said:
        least = 2 if counted.total() > 20 else 1
        scored = {
            word: n / counted.total() * float(np.log(1 + mean / whole[word]))
            for word, n in counted.items()
            if n >= least and word not in _COMMON
        }
        titles.append(sorted(scored, key=lambda word: (-scored[word], word))[:6])
    return titles


def _words(text: str) -> list[str]:
    clean = _PLACEHOLDER.sub(" ", text[: clustering.FEATURE_CHARS].casefold()).replace("'", "").replace("’", "")
    return [word[:40] for word in _WORD.findall(clean)]


def _distinct_labels(categories: Sequence[Category]) -> list[Category]:
    """Two categories of the same words are told apart by a third, else by a number; edited ones keep theirs."""
    taken = {one.label.casefold() for one in categories if one.edits}
    made = []
    for one in categories:
        label = one.label
        if not one.edits:
            tries = [label, " ".join(one.terms[:4]), *(f"{label} {number}" for number in range(2, 500))]
            label = next(name for name in tries if name and name.casefold() not in taken)
            taken.add(label.casefold())
        made.append(one.model_copy(update={"label": label}))
    return made


# --- Numbers ------------------------------------------------------------------------------------------------------------


def thresholds(rows: Matrix, labels: Labels, k: int) -> tuple[float, float]:
    """The margin that 10 % of requests fall below, and the likeness that 5 % do.

    Each fifth of the sample is held against the centroids of the rest, as new requests will be.
    """
    margins, likeness = [], []
    fold = np.arange(len(rows)) % _FOLDS
    for part in range(_FOLDS):
        known, new = fold != part, fold == part
        if not new.any() or not known.any():
            continue
        centroids = np.array([_middle(rows, known & (labels == group)) for group in range(k)])
        alike = np.sort(rows[new] @ clustering.unit_rows(centroids).T, axis=1)
        likeness.append(alike[:, -1])
        margins.append(alike[:, -1] - (alike[:, -2] if k > 1 else 0))
    if not margins:
        return 0.0, 0.0
    return (
        round(float(np.quantile(np.concatenate(margins), UNSURE_SHARE)), 4),
        round(float(np.quantile(np.concatenate(likeness), FAR_SHARE)), 4),
    )


def _middle(rows: Matrix, members: NDArray[np.bool_]) -> Matrix:
    return largest_features(rows[members].mean(axis=0)) if members.any() else np.zeros(clustering.BUCKETS)


def _chosen(k: int | None, found: clustering.Clustering, kept: int) -> str:
    held = f"; {kept} kept as people edited them" if kept else ""
    if k is not None:
        less = "" if found.k == k else f", {found.k} were found"
        return f"{k} asked for{less}{held}"
    if not found.judged:
        return f"too few distinct texts to compare numbers of categories{held}"
    best = next((one for one in found.judged if one.k == found.k - kept), None)
    tried = f"{found.judged[0].k}–{found.judged[-1].k}" if len(found.judged) > 1 else str(found.judged[0].k)
    told = f": stability {best.stability:.2f}, silhouette {best.silhouette:.2f}" if best else ""
    return f"the stablest of {tried}{told}{held}"


def _finished(
    identity: str, source: str, now: datetime, seed: int, chosen: str, total: int, some: int, unsure: float, far: float,
    model: Model, before: Before | None, categories: list[Category], retired: list[Retired],
) -> Built:  # fmt: skip
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

    data = model.data()
    taxonomy = Taxonomy(
        id=identity, built=now.replace(tzinfo=None, microsecond=0), source=one_line(source, 300), texts=total, distinct=some,
        seed=seed, chosen=chosen, unsure_below=unsure, far_below=far, model=hash_of(data),
        previous=before.taxonomy.id if before else "", categories=categories, retired=retired,
    )  # fmt: skip
    return Built(taxonomy, model, data, Assigner(taxonomy, model))
