"""`taxonomy`: kinds of request found in texts, mended by people, and given to every request that comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_tui.cli.context import Context
from aether_tui.cli.output import FORMAT, print_json, print_table
from aether_tui.errors import ConfigurationError, NoData

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from aether_tui.ingest.categories import Assigned
    from aether_tui.ingest.taxonomy import Before, Built
    from aether_tui.workspace.folder import Workspace
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

SHOWN = 5
"""Texts that are shown before a sample is kept."""
MOST_KEPT = 500
"""Texts that a taxonomy is built from when no file is named."""
COLUMN = click.option(
    "--column", default="", metavar="NAME", help="Column or key of the texts (default: the likely one)."
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
@click.option("-k", "wanted", default="auto", metavar="auto|N", show_default=True, help="Number of categories.")
@click.option("--dry-run", is_flag=True, help="Print it, store nothing.")
@click.option("--embeddings", is_flag=True, help="Find them in vectors from the endpoint of [embeddings].")
@click.option("--yes", is_flag=True, help="With --embeddings: send the texts without asking.")
@FORMAT
@click.pass_obj
def build(
    context: Context, file: Path | None, column: str, wanted: str, dry_run: bool, embeddings: bool, yes: bool, form: str
) -> None:
    """Find categories in the texts of FILE (CSV, JSON lines, a text a line), or in kept ones.

    Kept are those of `taxonomy sample` and `load --as requests`, and the inputs of traces with [privacy] keep_payloads.

    With --embeddings every text that would be sent is shown first; without an answer they are found by words.

    In a workspace it is stored as a new version; categories that people edited are kept, ids keep their meaning.
    """
    from aether_tui.ingest.taxonomy import FEW

    k = _number(wanted)
    workspace = _workspace(context)
    texts = _read(file, column) if file else _kept(context)
    clean = _clean(context, workspace, texts)
    source = file.name if file else "kept requests"
    vectors = None
    if embeddings:
        from aether_tui.cli.vectors import vectors_of
        from aether_tui.ingest.taxonomy import distinct

        vectors, named = vectors_of(context, distinct(clean, context.seed)[0], yes=yes)
        source = f"{source}, {named}" if vectors is not None else source
    made, stored = _build(context, workspace, clean, source, k, vectors, dry_run=dry_run)
    taxonomy_ = made.taxonomy
    assigned = made.assigner.assign(clean)
    if taxonomy_.texts < FEW:
        _tell(f"only {taxonomy_.texts} texts: a first guess; {FEW} to 500 make a taxonomy")
    if stored:
        _tell(f"{taxonomy_.id} is in force: load, sync and receive assign requests by it")
    if form == "json":
        print_json(_as_json(taxonomy_, assigned, stored))
    else:
        _print(taxonomy_)


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
    clean = _clean(context, workspace, _read(file, column) if file else _kept(context))
    assigned = by.assign(clean)
    known = [one for one in assigned if one]
    far, unsure = (sum(one.certainty == word for one in known) for word in ("far", "unsure"))
    if form == "json":
        print_json({
            "taxonomy": by.version, "n": len(known), "far": far, "unsure": unsure,
            "drift": bool(known) and far / len(known) > 0.15, "assignments": _assignments(assigned),
        })  # fmt: skip
    else:
        rows = [
            [one.category, by.labels[one.category], one.certainty, f"{one.margin:.3f}", text] if one else ["", "", "no words", "", text]
            for one, text in zip(assigned, clean, strict=True)
        ]  # fmt: skip
        print_table(["category", "label", "", "margin", "text"], [[*row[:4], row[4][:80]] for row in rows])
    if known and far / len(known) > 0.15:
        _tell(f"drift: {far} of {len(known)} are far from every category; build the taxonomy again from new requests")


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
        _print(found)


@taxonomy.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("-n", "size", type=click.IntRange(1, 5000), default=500, show_default=True, help="Texts to keep.")
@COLUMN
@click.option("--yes", is_flag=True, help="Keep it without asking.")
@click.pass_obj
def sample(context: Context, paths: tuple[Path, ...], size: int, column: str, yes: bool) -> None:
    """Keep one seeded, redacted sample of the requests in trace files, or in files of texts, for `taxonomy build`.

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
    texts = drawn(paths, column, size, context.seed, cache, context.now())
    if not texts:
        raise NoData("no request is in them", where=str(paths[0]), next_step="name files whose spans carry their input")
    redactor = Redactor(_key(workspace), config.privacy.patterns)
    _tell(f"{len(texts)} redacted requests would be kept in {workspace.cache_path} for 14 days, such as:")
    for text in texts[:SHOWN]:
        _tell(f"  {redactor.text(text)[:200]}")
    if not yes:
        click.confirm("keep them?", abort=True, err=True)
    n = keep(Writer(cache, ingest, context.now), texts)
    _tell(f"{n} kept; next: aether-tui taxonomy build")


@taxonomy.command()
@click.argument("category")
@click.argument("into")
@click.pass_obj
def merge(context: Context, category: str, into: str) -> None:
    """CATEGORY becomes part of INTO (ids or labels); its earlier requests count there."""
    from aether_tui.workspace import taxonomies

    _edit(context, lambda old, day: taxonomies.merge(old, category, into, day))


@taxonomy.command()
@click.argument("category")
@click.pass_obj
def split(context: Context, category: str) -> None:
    """CATEGORY becomes its two halves (or what it was merged of); earlier requests keep it."""
    from aether_tui.workspace import taxonomies

    _edit(context, lambda old, day: taxonomies.split(old, category, day))


@taxonomy.command()
@click.argument("category")
@click.argument("label")
@click.pass_obj
def rename(context: Context, category: str, label: str) -> None:
    """Another LABEL for CATEGORY; its id stays."""
    from aether_tui.workspace import taxonomies

    _edit(context, lambda old, day: taxonomies.rename(old, category, label, day))


@taxonomy.command()
@click.argument("text")
@click.argument("category")
@click.pass_obj
def move(context: Context, text: str, category: str) -> None:
    """A request's TEXT (redacted) belongs to CATEGORY; requests like it follow."""
    from aether_tui.ingest.redact import Redactor
    from aether_tui.workspace import taxonomies

    clean = Redactor(_key(context.workspace()), context.config().privacy.patterns).text(text)
    _edit(context, lambda old, day: taxonomies.move(old, clean, category, day))


def _edit(context: Context, update: Callable[[Taxonomy, date], Taxonomy]) -> None:
    from aether_tui.workspace.edits import change
    from aether_tui.workspace.kinds.taxonomy import Taxonomy

    workspace, now = context.workspace(), context.now()
    edit = change(workspace, Taxonomy, _active(workspace).id, lambda old: update(old, now.date()), now)
    _tell(edit.what)


# --- Texts -------------------------------------------------------------------------------------------------------------


def _read(file: Path, column: str) -> list[str]:
    from connectors.base import Malformed
    from connectors.requests import read_texts

    try:
        return list(read_texts(file, column))
    except Malformed as error:
        raise ConfigurationError(error.what, next_step=error.hint) from error


def _kept(context: Context) -> list[str]:
    """The kept requests, in one order."""
    from aether_tui.cache import Cache
    from aether_tui.sync.requests import kept

    workspace = context.workspace()
    texts = kept(Cache(workspace.cache_path), context.now(), MOST_KEPT, context.seed)
    if not texts:
        raise NoData(
            "no requests are kept",
            where=str(workspace.root),
            next_step="name a file of texts, or keep a sample of traces: aether-tui taxonomy sample PATH",
        )
    return texts


def _clean(context: Context, workspace: Workspace | None, texts: list[str]) -> list[str]:
    """Redacted; without a workspace under a key of nobody's."""
    from aether_tui.ingest.redact import Redactor
    from aether_tui.ingest.requests import user_words

    patterns = context.config().privacy.patterns if workspace else ()
    redactor = Redactor(_key(workspace) if workspace else b"\0" * 32, patterns)
    return [redactor.text(user_words(text)) for text in texts]


def _key(workspace: Workspace) -> bytes:
    from aether_tui.ingest import workspace_key

    return workspace_key(workspace)


def _workspace(context: Context) -> Workspace | None:
    """The workspace; none when none is named and none is around."""
    try:
        return context.workspace()
    except ConfigurationError:
        if context.workspace_flag is not None:
            raise
        return None


# --- Building ------------------------------------------------------------------------------------------------------------


def _build(
    context: Context,
    workspace: Workspace | None,
    texts: list[str],
    source: str,
    k: int | None,
    vectors: NDArray[np.float64] | None = None,
    *,
    dry_run: bool,
) -> tuple[Built, bool]:
    """A taxonomy, and whether it was stored."""
    from aether_tui.ingest.taxonomy import build as make

    before = _before(workspace) if workspace else None
    identity = f"TAX-{int(before.taxonomy.id[4:]) + 1}" if before else "TAX-1"
    made = make(
        texts,
        identity=identity,
        source=source,
        now=context.now(),
        seed=context.seed,
        k=k,
        before=before,
        vectors=vectors,
    )
    if made is None:
        raise NoData("no text has a word in it", where=source, next_step="name the column of the texts with --column")
    if workspace is None or dry_run:
        return made, False
    from aether_tui.ingest.categories import model_path
    from aether_tui.workspace.edits import create
    from aether_tui.workspace.kinds.taxonomy import Taxonomy
    from aether_tui.workspace.store import write_whole

    path = model_path(workspace, identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, made.data)  # first, so that a document never stands without its model

    def document(free: str) -> Taxonomy:
        if free != identity:
            raise ConfigurationError(
                f"{free} would be the next version, not {identity}",
                next_step="mend or remove what is broken in taxonomy/",
            )
        return made.taxonomy

    create(workspace, Taxonomy, document, context.now())
    return made, True


def _before(workspace: Workspace) -> Before | None:
    from aether_tui.ingest.categories import load_model
    from aether_tui.ingest.taxonomy import Before
    from aether_tui.workspace.taxonomies import active

    found = active(workspace)
    return Before(found, load_model(workspace, found)) if found else None


def _number(wanted: str) -> int | None:
    if wanted == "auto":
        return None
    if wanted.isdigit() and 1 <= int(wanted) <= 100:
        return int(wanted)
    raise ConfigurationError(f"-k {wanted!r} is not a number of categories", next_step="give auto, or 1 to 100")


# --- Words ---------------------------------------------------------------------------------------------------------------


def _as_json(one: Taxonomy, assigned: list[Assigned | None], stored: bool) -> dict[str, object]:
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
        "assignments": _assignments(assigned),
    }  # fmt: skip


def _assignments(assigned: list[Assigned | None]) -> list[dict[str, object]]:
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


def _print(one: Taxonomy) -> None:
    _tell(
        f"{one.id}, {len(one.categories)} categories of {one.texts:,} texts ({one.distinct:,} distinct); {one.chosen}"
    )
    total = max(sum(each.size for each in one.categories), 1)
    rows = [
        [each.id, each.label[:40], f"{100 * each.size / total:.0f} %", (each.examples or [""])[0][:80]]
        for each in one.categories
    ]
    print_table(["id", "label", "share", "example"], rows)


def _active(workspace: Workspace) -> Taxonomy:
    from aether_tui.workspace.taxonomies import active

    found = active(workspace)
    if found is None:
        raise _none(workspace)
    return found


def _none(workspace: Workspace) -> NoData:
    return NoData("there is no taxonomy yet", where=str(workspace.root), next_step="aether-tui taxonomy build FILE")


def _tell(sentence: str) -> None:
    from aether_tui.text import one_line

    click.echo(one_line(sentence, 400), err=True)
