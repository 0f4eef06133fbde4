"""What `taxonomy` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aether_tui.cli.output import print_table

if TYPE_CHECKING:
    from aether_tui.ingest.categories import Assigned
    from aether_tui.workspace.kinds.taxonomy import Taxonomy


def as_json(one: Taxonomy, assigned: list[Assigned | None], stored: bool) -> dict[str, object]:
    """What `taxonomy build --format json` prints."""
    from collections import Counter

    n = Counter(each.category for each in assigned if each)
    total = max(n.total(), 1)
    return {
        "taxonomy": one.id, "stored": stored, "k": len(one.categories), "chosen": one.chosen, "texts": one.texts,
        "distinct": one.distinct, "seed": one.seed, "unsure_below": one.unsure_below, "far_below": one.far_below,
        "categories": [
            {
                "id": each.id, "label": each.label, "size": n[each.id], "share": n[each.id] / total, "terms": each.terms,
                "examples": each.examples, "parents": each.parents,
            }
            for each in one.categories
        ],
        "assignments": assignments(assigned),
    }  # fmt: skip


def assignments(assigned: list[Assigned | None]) -> list[dict[str, object]]:
    """Category and margin of each text, by its row."""
    return [
        {
            "row": row,
            "category": one.category,
            "margin": one.margin,
            "likeness": one.likeness,
            "certainty": one.certainty,
        }
        if one
        else {"row": row, "category": None, "margin": None, "reason": "no words"}
        for row, one in enumerate(assigned)
    ]


def print_version(one: Taxonomy) -> None:
    """The categories as a table."""
    tell(f"{one.id}, {len(one.categories)} categories of {one.texts:,} texts ({one.distinct:,} distinct); {one.chosen}")
    total = max(sum(each.size for each in one.categories), 1)
    rows = [
        [each.id, each.label[:40], f"{100 * each.size / total:.0f} %", (each.examples or [""])[0][:80]]
        for each in one.categories
    ]
    print_table(["id", "label", "share", "example"], rows)


def tell(sentence: str) -> None:
    """Narration, on stderr."""
    from aether_tui.text import one_line

    click.echo(one_line(sentence, 400), err=True)
