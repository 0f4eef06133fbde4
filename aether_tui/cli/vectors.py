"""Vectors of texts from the endpoint of [embeddings]: what would be sent is shown in full, and sent only when agreed to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aether_tui.cli.context import Context
    from aether_tui.config import Embeddings

BATCH = 64
"""Texts of one request."""


def vectors_of(context: Context, texts: Sequence[str], *, yes: bool) -> tuple[NDArray[np.float64] | None, str]:
    """A unit vector for each text, None where the endpoint does not answer; and how they are called.

    Raises ConfigurationError with --offline, without an endpoint, and when nobody agrees.
    """
    settings = context.config().embeddings
    if context.offline:
        raise ConfigurationError("--embeddings sends texts", where="--offline", next_step="leave one of them out")
    if not (settings.url and settings.model):
        raise ConfigurationError(
            "no endpoint is configured",
            where="aether.toml: embeddings",
            next_step='add [embeddings] with url = "https://…/v1" and model = "…"',
        )
    host = settings.url.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return _vectors(context, settings, host, texts, yes=yes), f"vectors of {settings.model} at {host}"


def sent(texts: Sequence[str]) -> list[str]:
    """The texts as they are sent: what the categories look at of each, on one line."""
    from aether_tui.stats.clustering import FEATURE_CHARS
    from aether_tui.text import one_line

    return [one_line(text, FEATURE_CHARS) or "-" for text in texts]


def _vectors(
    context: Context, settings: Embeddings, host: str, texts: Sequence[str], *, yes: bool
) -> NDArray[np.float64] | None:
    import numpy as np

    from aether_tui.records.source import SourceError
    from aether_tui.stats.clustering import unit_rows

    words = sent(texts)
    for text in words:
        click.echo(f"  {text}", err=True)
    click.echo(
        f"{len(words)} redacted texts, {sum(map(len, words)):,} characters (all of them above), would be sent to {host} "
        f"for {settings.model}, {-(-len(words) // BATCH)} requests",
        err=True,
    )
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigurationError("nothing was sent: nobody agreed", where="--embeddings", next_step="add --yes")
        click.confirm("send them?", abort=True, err=True)
    try:
        found = asyncio.run(_ask(context, settings, words))
    except SourceError as error:
        click.echo(f"no vectors ({error.what}): the categories are found by words, as without --embeddings", err=True)
        return None
    return unit_rows(np.array(found, dtype=float))


async def _ask(context: Context, settings: Embeddings, words: Sequence[str]) -> list[list[float]]:
    """All vectors. Raises SourceError."""
    from aether_tui.records.source import Malformed, Network
    from aether_tui.secrets import find_secret
    from connectors.openai import Endpoint

    workspace = context.workspace()
    key = find_secret("embeddings", "api_key", workspace)
    network = Network(root=workspace.root, source="embeddings", now=context.now)
    endpoint = Endpoint(
        settings.url, network, key.value if key else "", ca_bundle=settings.ca_bundle, timeout_s=settings.timeout_s
    )
    try:
        found: list[list[float]] = []
        for start in range(0, len(words), BATCH):
            found += await endpoint.embed(settings.model, words[start : start + BATCH])
    finally:
        await endpoint.close()
    if len({len(vector) for vector in found}) != 1:
        raise Malformed("vectors of different sizes came back")
    return found
