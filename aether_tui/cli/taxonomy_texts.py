"""Where `taxonomy` finds texts, redacted, and how it builds and stores a version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aether_tui.cli.context import Context
from aether_tui.errors import ConfigurationError, NoData

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aether_tui.ingest.taxonomy import Before, Built
    from aether_tui.workspace.folder import Workspace
    from connectors.requests import Asked

MOST_KEPT = 500
"""Texts that a taxonomy is built from when no file is named."""


class Texts(NamedTuple):
    """Redacted texts, the stratum of each (none for kept ones, which were drawn by it), and where they are from."""

    words: list[str]
    strata: list[str | None]
    source: str


def texts_of(context: Context, file: Path | None, column: str, stratum: str) -> Texts:
    """The texts of a file, or a draw of the kept ones. Without a workspace redacted under a key of nobody's."""
    from aether_tui.ingest.redact import Redactor
    from aether_tui.ingest.requests import user_words

    workspace = workspace_or_none(context)
    asked: list[Asked] = [] if file is None else _read(file, column, stratum)
    found = [one.text for one in asked] if file else _kept(context)
    patterns = context.config().privacy.patterns if workspace else ()
    redactor = Redactor(key(workspace) if workspace else b"\0" * 32, patterns)
    words = [redactor.text(user_words(text)) for text in found]
    return Texts(words, [one.stratum for one in asked], file.name if file else "kept requests")


def _read(file: Path, column: str, stratum: str) -> list[Asked]:
    from connectors.base import Malformed
    from connectors.requests import read_requests

    try:
        return list(read_requests(file, column, stratum))
    except Malformed as error:
        raise ConfigurationError(error.what, next_step=error.hint) from error


def _kept(context: Context) -> list[str]:
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


def key(workspace: Workspace) -> bytes:
    """The key under which people and secrets of a workspace are hashed."""
    from aether_tui.ingest import workspace_key

    return workspace_key(workspace)


def workspace_or_none(context: Context) -> Workspace | None:
    """The workspace; none when none is named and none is around."""
    try:
        return context.workspace()
    except ConfigurationError:
        if context.workspace_flag is not None:
            raise
        return None


def build_version(
    context: Context,
    texts: Texts,
    k: int | None,
    vectors: NDArray[np.float64] | None = None,
    *,
    dry_run: bool,
) -> tuple[Built, bool]:
    """A taxonomy, and whether it was stored."""
    from aether_tui.ingest.taxonomy import build as make
    from aether_tui.workspace.kinds.taxonomy import Taxonomy
    from aether_tui.workspace.store import Store

    workspace = workspace_or_none(context)
    before = _before(workspace) if workspace else None
    identity = Store(workspace).free(Taxonomy) if workspace else "TAX-1"
    made = make(
        texts.words,
        strata=texts.strata,
        identity=identity,
        source=texts.source,
        now=context.now(),
        seed=context.seed,
        k=k,
        before=before,
        vectors=vectors,
    )
    if made is None:
        raise NoData(
            "no text has a word in it", where=texts.source, next_step="name the column of the texts with --column"
        )
    if workspace is None or dry_run:
        return made, False
    from aether_tui.ingest.categories import model_path
    from aether_tui.workspace.store import write_whole

    path = model_path(workspace, identity)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, made.data)  # first, so that a document never stands without its model

    Store(workspace).save(made.taxonomy, None, context.now())
    return made, True


def _before(workspace: Workspace) -> Before | None:
    from aether_tui.ingest.categories import load_model
    from aether_tui.ingest.taxonomy import Before
    from aether_tui.workspace.taxonomies import active

    found = active(workspace)
    return Before(found, load_model(workspace, found)) if found else None


def number_of(wanted: str) -> int | None:
    """The number of categories; None for one to be found. Raises ConfigurationError."""
    if wanted == "auto":
        return None
    if wanted.isdigit() and 1 <= int(wanted) <= 100:
        return int(wanted)
    raise ConfigurationError(f"-k {wanted!r} is not a number of categories", next_step="give auto, or 1 to 100")
