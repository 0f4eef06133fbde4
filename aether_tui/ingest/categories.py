"""Which category a request belongs to, by the taxonomy in force. The model file holds hashed n-grams and no text.

A request is assigned when it comes: redacted, held against the centroids, and its text dropped.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from aether_tui.errors import ConfigurationError
from aether_tui.stats import clustering

if TYPE_CHECKING:
    from pathlib import Path

    from aether_tui.workspace.folder import Workspace
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

Matrix = NDArray[np.float64]
Certainty = Literal["sure", "unsure", "far"]

KEPT_FEATURES = 600
"""Features of a centroid that are stored: those of most weight. With 600, assignments were those of whole centroids."""
_IDF_STEP = 32
_STORED = re.compile(r"c\d{2,6} -?\d\.\d{3} (sure|unsure|far) TAX-\d+(-[a-z]{4})?")


@dataclass(frozen=True, slots=True)
class Assigned:
    """A request's category. `margin`: likeness to it less that to the next one; `likeness`: cosine, 0–1."""

    category: str
    margin: float
    likeness: float
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Model:
    """Centroids by name, as rows of length 1 over the buckets, and the inverse document frequencies they were made with."""

    idf: NDArray[np.float64]
    names: tuple[str, ...]
    rows: Matrix

    def data(self) -> bytes:
        """As it is stored: JSON, weights in 255ths of the largest."""
        parts = {}
        for name, row in zip(self.names, self.rows, strict=True):
            places = np.flatnonzero(row)
            weights = np.round(255 * row[places] / max(float(row.max()), 1e-12)).astype(np.uint8)
            parts[name] = [_packed(places.astype("<u2").tobytes()), _packed(weights.tobytes())]
        steps = np.round(self.idf * _IDF_STEP).clip(0, 255).astype(np.uint8)
        return (json.dumps({"form": 1, "idf": _packed(steps.tobytes()), "centroids": parts}, indent=1) + "\n").encode()


def model_of(idf: NDArray[np.float64], centroids: Mapping[str, Matrix]) -> Model:
    """A model of whole centroids, as it will be read back from its file."""
    rows = np.array([largest_features(row) for row in centroids.values()])
    return read_model(Model(idf, tuple(centroids), rows).data(), "model")


def largest_features(row: Matrix) -> Matrix:
    """A centroid without the features of least weight."""
    if (row > 0).sum() <= KEPT_FEATURES:
        return row
    kept = np.zeros_like(row)
    places = np.argsort(-row, kind="stable")[:KEPT_FEATURES]
    kept[places] = row[places]
    return kept


def read_model(data: bytes, where: str) -> Model:
    """The model of a file; raises ConfigurationError when it is not one."""
    try:
        found = json.loads(data)
        idf = np.frombuffer(_unpacked(found["idf"]), np.uint8).astype(float) / _IDF_STEP
        rows = np.zeros((len(found["centroids"]), clustering.BUCKETS))
        for number, (places, weights) in enumerate(found["centroids"].values()):
            rows[number, np.frombuffer(_unpacked(places), "<u2")] = np.frombuffer(_unpacked(weights), np.uint8)
        if len(idf) != clustering.BUCKETS or found["form"] != 1:
            raise ValueError("another form")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, zlib.error) as error:
        raise ConfigurationError(
            "not a model of categories", where=where, next_step="build the taxonomy again, or take the file from git"
        ) from error
    return Model(idf, tuple(found["centroids"]), clustering.unit_rows(rows))


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompressobj().decompress(base64.b64decode(text), 1 << 20)


def hash_of(data: bytes) -> str:
    """What a taxonomy names its model by."""
    return hashlib.sha256(data).hexdigest()[:16]


def model_path(workspace: Workspace, identity: str) -> Path:
    """The model file of a version; it lies beside its document and belongs in git with it."""
    return workspace.engagement / "taxonomy" / f"{identity}.model.json"


def load_model(workspace: Workspace, taxonomy: Taxonomy) -> Model:
    """The model of a version; raises ConfigurationError when its file is gone or another one."""
    path = model_path(workspace, taxonomy.id)
    where = path.relative_to(workspace.root).as_posix()
    again = "take the file from git, or build the taxonomy again"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the model of {taxonomy.id} is gone", where=where, next_step=again) from error
    if hash_of(data) != taxonomy.model:
        raise ConfigurationError(f"not the model that {taxonomy.id} was built with", where=where, next_step=again)
    return read_model(data, where)


class Assigner:
    """Assigns texts by one version of a taxonomy, edits of people included."""

    def __init__(self, taxonomy: Taxonomy, model: Model) -> None:
        self.version = taxonomy.id
        self.labels = taxonomy.labels()
        self._taxonomy = taxonomy
        self._idf = model.idf
        place = {name: number for number, name in enumerate(model.names)}
        rows, owners = [], []
        for number, category in enumerate(taxonomy.categories):
            held = [model.rows[place[name]] for name in category.holds if name in place]
            moved = list(self._weighed(category.moved)) if category.moved else []
            rows += [*held, *moved]
            owners += [number] * (len(held) + len(moved))
        if not rows:
            raise ConfigurationError(
                "its categories hold no centroid of its model", where=taxonomy.id, next_step="build the taxonomy again"
            )
        self._rows = np.array(rows)
        self._owners = np.array(owners)

    def assign(self, texts: Sequence[str]) -> list[Assigned | None]:
        """Category of each text (clean already); None for one without a word."""
        found: list[Assigned | None] = []
        for start in range(0, len(texts), 500):
            found += self._some(texts[start : start + 500])
        return found

    def stored(self, texts: Sequence[str]) -> list[str | None]:
        """`c03 0.312 sure TAX-2` per text: what is kept of a request."""
        return [
            f"{one.category} {one.margin:.3f} {one.certainty} {self.version}" if one else None
            for one in self.assign(texts)
        ]

    def _weighed(self, texts: Sequence[str]) -> Matrix:
        return clustering.weigh([clustering.ngrams(text) for text in texts], self._idf)

    def _some(self, texts: Sequence[str]) -> list[Assigned | None]:
        taxonomy = self._taxonomy
        alike = clustering.alike([clustering.ngrams(text) for text in texts], self._idf, self._rows)
        best = np.full((len(texts), len(taxonomy.categories)), -1.0)
        for column, owner in enumerate(self._owners):
            best[:, owner] = np.maximum(best[:, owner], alike[:, column])
        order = np.argsort(-best, axis=1, kind="stable")[:, :2]
        found: list[Assigned | None] = []
        for number, text in enumerate(texts):
            first = float(best[number, order[number, 0]])
            second = max(float(best[number, order[number, 1]]), 0.0) if order.shape[1] > 1 else 0.0
            margin = first - second
            certainty: Certainty = (
                "far" if first < taxonomy.far_below else "unsure" if margin < taxonomy.unsure_below else "sure"
            )
            one = Assigned(taxonomy.categories[order[number, 0]].id, margin, first, certainty)
            found.append(one if text.strip() else None)
        return found


def assigner(workspace: Workspace) -> Assigner | None:
    """That of the taxonomy in force; None where there is none. Raises ConfigurationError when its model is not there."""
    from aether_tui.workspace.taxonomies import active

    taxonomy = active(workspace)
    return None if taxonomy is None else Assigner(taxonomy, load_model(workspace, taxonomy))


def is_stored(value: str) -> bool:
    """Whether this is what `Assigner.stored` made already."""
    return _STORED.fullmatch(value) is not None
