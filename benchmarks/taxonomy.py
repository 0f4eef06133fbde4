"""How well categories of public requests are found: `python -m benchmarks.taxonomy FILE` (CLINC150 `data_full.json`, may be .xz).

Each seed takes 12 of the 150 intents, sizes after Zipf's law, 400 texts. NMI with k = 12, with k chosen by itself, CPU s.
"""

from __future__ import annotations

import json
import lzma
import sys
import time
from pathlib import Path

import numpy as np

from aether_tui.stats import clustering

SEEDS = tuple(range(1, 21))
INTENTS, TEXTS = 12, 400


def read(path: Path) -> dict[str, list[str]]:
    """Texts by intent, in the order of the file."""
    data = path.read_bytes()
    found: dict[str, list[str]] = {}
    for split, rows in json.loads(lzma.decompress(data) if path.suffix == ".xz" else data).items():
        for text, intent in rows if not split.startswith("oos") else ():
            found.setdefault(intent, []).append(text)
    return found


def draw(intents: dict[str, list[str]], seed: int) -> tuple[list[str], np.ndarray]:
    """Texts in random order, and the number of the intent of each."""
    rng = np.random.default_rng(seed)
    names = sorted(intents)
    weights = 1 / np.arange(1, INTENTS + 1)
    sizes = np.round(TEXTS * weights / weights.sum()).astype(int)
    sizes[0] += TEXTS - sizes.sum()
    texts: list[str] = []
    labels: list[int] = []
    for number, (place, size) in enumerate(zip(rng.choice(len(names), INTENTS, replace=False), sizes, strict=True)):
        pool = intents[names[place]]
        texts += [pool[i] for i in rng.choice(len(pool), size, replace=False)]
        labels += [number] * int(size)
    order = rng.permutation(len(texts))
    return [texts[i] for i in order], np.array(labels)[order]


def mutual_information(one: clustering.Labels, other: clustering.Labels) -> float:
    """Normalised mutual information: 2·I(one; other) ÷ (H(one) + H(other)); 1 when neither says anything."""
    joint = clustering.contingency(one, other)
    joint /= joint.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    some = joint > 0
    shared = float((joint[some] * np.log(joint[some] / np.outer(rows, columns)[some])).sum())
    entropy = float(-(rows * np.log(rows)).sum() - (columns * np.log(columns)).sum())
    return 1.0 if entropy == 0 else max(0.0, 2 * shared / entropy)


def score(texts: list[str], truth: np.ndarray) -> tuple[float, float, int]:
    """NMI with as many categories as intents, with k chosen by itself, and that k."""
    fixed = clustering.cluster(texts, INTENTS, seed=0)
    free = clustering.cluster(texts, None, seed=0)
    nmi = mutual_information
    return nmi(fixed.labels, truth), nmi(free.labels, truth), free.k


def main() -> None:
    """Print a line per seed and the mean."""
    intents = read(Path(sys.argv[1]))
    rows = []
    for seed in SEEDS:
        started = time.process_time()
        fixed, free, k = score(*draw(intents, seed))
        rows.append((fixed, free, time.process_time() - started))
        print(f"seed {seed:>2}  k=12 {fixed:.3f}  k={k:<2} {free:.3f}  {rows[-1][2]:.2f} s")
    fixed, free, spent = np.mean(rows, axis=0)
    print(f"mean     k=12 {fixed:.3f}  auto {free:.3f}  {spent:.2f} s (both)")


if __name__ == "__main__":
    main()
