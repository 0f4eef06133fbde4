"""`taxonomy`: kinds of request found in texts, mended by people, and given to every request that comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.cli.taxonomy_texts import build_version, key, number_of, texts_of
from aether_tui.cli.taxonomy_words import as_json, assignments, print_version, tell
from aether_tui.errors import NoData

if TYPE_CHECKING:
    from datetime import date

    from aether_tui.workspace.folder import Workspace
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

SHOWN = 5
"""Texts that are shown before a sample is kept."""
COLUMN = click.option(
    "--column", default="", metavar="NAME", help="Column or key of the texts (default: the likely one)."
)
BY = click.option(
    "--by",
    "stratum",
    default="",
    metavar="NAME",
    help="Column by whose values a sample is drawn (default: feature or the like).",
)
FILE = click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group(short_help="Kinds of request: build, assign, show, mend")
def taxonomy() -> None:
    """Kinds of request, found in redacted texts and mended by people.

    The newest version is in force: requests are assigned to its categories as they come (load, sync, receive), and their text is
    dropped.
    """


@taxonomy.command()
@FILE
@COLUMN
@BY
@click.option("-k", "wanted", default="auto", metavar="auto|N", show_default=True, help="Number of categories.")
@click.option("--dry-run", is_flag=True, help="Print it, store nothing.")
@click.option("--embeddings", is_flag=True, help="Find them in vectors from the endpoint of [embeddings].")
@click.option("--yes", is_flag=True, help="With --embeddings: send the texts without asking.")
@FORMAT
@click.pass_obj
def build(
    context: Context, file: Path | None, column: str, stratum: str, wanted: str, dry_run: bool, embeddings: bool, yes: bool,
    form: str,
) -> None:  # fmt: skip
    """Find categories in the texts of FILE (CSV, JSON lines, a text a line), or in kept ones.

    Kept are those of `taxonomy sample` and `load --as requests`, and the inputs of traces with [privacy] keep_payloads.

    With --embeddings every text that would be sent is shown first; without an answer they are found by words.

    Of many, 500 kept ones or 1,000 different ones of FILE are drawn by --seed, from every value of --by as many as its share is.

    In a workspace it is stored as a new version; categories that people edited are kept, ids keep their meaning.
    """
    from aether_tui.ingest.taxonomy import FEW

    k = number_of(wanted)
    texts = texts_of(context, file, column, stratum)
    vectors = None
    if embeddings:
        from aether_tui.cli.vectors import vectors_of
        from aether_tui.ingest.taxonomy import distinct

        vectors, named = vectors_of(context, distinct(texts.words, context.seed, texts.strata)[0], yes=yes)
        texts = texts._replace(source=f"{texts.source}, {named}" if vectors is not None else texts.source)
    made, stored = build_version(context, texts, k, vectors, dry_run=dry_run)
    taxonomy_ = made.taxonomy
    assigned = made.assigner.assign(texts.words)
    if taxonomy_.texts < FEW:
        tell(f"only {taxonomy_.texts} texts: a first guess; {FEW} to 500 make a taxonomy")
    if stored:
        tell(f"{taxonomy_.id} is in force: load, sync and receive assign requests by it")
    if form == "json":
        print_json(as_json(taxonomy_, assigned, stored))
    else:
        print_version(taxonomy_)


@taxonomy.command()
@FILE
@COLUMN
@FORMAT
@click.pass_obj
def assign(context: Context, file: Path | None, column: str, form: str) -> None:
    """Assign the texts of FILE to the categories in force. Nothing is stored. Without FILE: the kept requests."""
    from aether_tui.ingest.categories import assigner

    workspace = context.workspace()
    by = assigner(workspace)
    if by is None:
        raise _none(workspace)
    clean = texts_of(context, file, column, "").words
    assigned = by.assign(clean)
    known = [one for one in assigned if one]
    far, unsure = (sum(one.certainty == word for one in known) for word in ("far", "unsure"))
    if form == "json":
        print_json({
            "taxonomy": by.version, "n": len(known), "far": far, "unsure": unsure,
            "drift": bool(known) and far / len(known) > 0.15, "assignments": assignments(assigned),
        })  # fmt: skip
    else:
        rows = [
            [one.category, by.labels[one.category], one.certainty, f"{one.margin:.3f}", text] if one else ["", "", "no words", "", text]
            for one, text in zip(assigned, clean, strict=True)
        ]  # fmt: skip
        print_table(["category", "label", "", "margin", "text"], [[*row[:4], row[4][:80]] for row in rows])
    if known and far / len(known) > 0.15:
        tell(f"drift: {far} of {len(known)} are far from every category; build the taxonomy again from new requests")


@taxonomy.command()
@click.argument("version", required=False)
@FORMAT
@click.pass_obj
def show(context: Context, version: str | None, form: str) -> None:
    """The categories in force, or those of VERSION (such as TAX-1)."""
    from aether_tui.workspace.kinds.taxonomy import Taxonomy
    from aether_tui.workspace.store import Store

    workspace = context.workspace()
    found = Store(workspace).get(Taxonomy, version).document if version else _active(workspace)
    if form == "json":
        print_json(found.model_dump(mode="json"))
    else:
        print_version(found)


@taxonomy.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("-n", "size", type=click.IntRange(1, 5000), default=500, show_default=True, help="Texts to keep.")
@COLUMN
@BY
@click.option("--yes", is_flag=True, help="Keep it without asking.")
@click.pass_obj
def sample(context: Context, paths: tuple[Path, ...], size: int, column: str, stratum: str, yes: bool) -> None:
    """Keep one seeded, redacted sample of the requests in trace files, or in files of texts, for `taxonomy build`.

    From every feature of traces, or value of --by, come as many as its share of the requests is; a request counts once.

    It is shown first, and deleted 14 days later by the next command that opens the cache for writing. Nothing else of the files
    is loaded.
    """
    from aether_tui.cache import Cache
    from aether_tui.ingest import Ingest
    from aether_tui.ingest.redact import Redactor
    from aether_tui.sync.intake import Writer
    from aether_tui.sync.requests import drawn, keep

    workspace, config = context.workspace(), context.config()
    ingest = Ingest.of(workspace, config)
    cache = Cache(workspace.cache_path)
    texts, strata = drawn(paths, column, stratum, size, context.seed, cache, ingest, context.now())
    if not texts:
        raise NoData("no request is in them", where=str(paths[0]), next_step="name files whose spans carry their input")
    redactor = Redactor(key(workspace), config.privacy.patterns)
    tell(f"{len(texts)} redacted requests would be kept in {workspace.cache_path} for 14 days, such as:")
    if strata.keys() - {""}:
        taken = Counter(of or "" for of in texts.values())
        tell("drawn: " + ", ".join(f"{taken[name]} of {n:,} {name or 'without'}" for name, n in sorted(strata.items())))
    for text in list(texts)[:SHOWN]:
        tell(f"  {redactor.text(text)[:200]}")
    if not yes:
        click.confirm("keep them?", abort=True, err=True)
    n = keep(Writer(cache, ingest, context.now), texts)
    tell(f"{n} kept; next: aether-tui taxonomy build")


@taxonomy.command()
@click.argument("category")
@click.argument("into")
@click.pass_obj
def merge(context: Context, category: str, into: str) -> None:
    """CATEGORY becomes part of INTO (ids or labels); its earlier requests count there."""
    from aether_tui.workspace import taxonomies

    _edit(context, lambda old, day: taxonomies.merge(old, category, into, day), f"{category} merged into {into}")


@taxonomy.command()
@click.argument("category")
@click.pass_obj
def split(context: Context, category: str) -> None:
    """CATEGORY becomes its two halves (or what it was merged of); earlier requests keep it."""
    from aether_tui.workspace import taxonomies

    _edit(context, lambda old, day: taxonomies.split(old, category, day), f"{category} split")


@taxonomy.command()
@click.argument("category")
@click.argument("label")
@click.pass_obj
def rename(context: Context, category: str, label: str) -> None:
    """Another LABEL for CATEGORY; its id stays."""
    from aether_tui.workspace import taxonomies

    _edit(context, lambda old, day: taxonomies.rename(old, category, label, day), f"{category} is called {label}")


@taxonomy.command()
@click.argument("text")
@click.argument("category")
@click.pass_obj
def move(context: Context, text: str, category: str) -> None:
    """A request's TEXT (redacted) belongs to CATEGORY; requests like it follow."""
    from aether_tui.ingest.redact import Redactor
    from aether_tui.workspace import taxonomies

    clean = Redactor(key(context.workspace()), context.config().privacy.patterns).text(text)
    _edit(context, lambda old, day: taxonomies.move(old, clean, category, day), f"a request moved to {category}")


def _edit(context: Context, update: Callable[[Taxonomy, date], Taxonomy], what: str) -> None:
    from aether_tui.workspace.edits import change
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

    workspace, now = context.workspace(), context.now()
    found = _active(workspace)
    edit = change(workspace, Taxonomy, found.id, lambda old: update(old, now.date()), now, f"{found.id}: {what}")
    tell(edit.what)


def _active(workspace: Workspace) -> Taxonomy:
    from aether_tui.workspace.taxonomies import active

    found = active(workspace)
    if found is None:
        raise _none(workspace)
    return found


def _none(workspace: Workspace) -> NoData:
    return NoData("there is no taxonomy yet", where=str(workspace.root), next_step="aether-tui taxonomy build FILE")
