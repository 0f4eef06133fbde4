"""Which of several value streams is diagnosed: the one asked for, else the one with the most to gain (diagnostics E)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aether_tui.diagnostics.constraint_solve import answer, stream_of
from aether_tui.stats.chain import Singular
from aether_tui.text import one_line
from aether_tui.workspace.kinds.value_stream import ValueStream

ROUGH = 100
"""Draws for a stream that is only compared: its points decide."""


class StreamChoice(Struct, frozen=True, kw_only=True):
    """A stream and what its best lever is worth in money a month; null with a reason where it cannot be solved."""

    id: str
    title: str
    cluster: str
    currency: str
    lever: str
    delta_money_per_month: float | None
    chosen: bool
    reason: str = ""


def choose(
    streams: Sequence[ValueStream], feature: str | None, seed: int
) -> tuple[ValueStream, tuple[StreamChoice, ...]]:
    """The stream about `feature`, else the one whose best lever is worth most, the newest of equals; and all, best first.

    A single stream is not compared with anything.
    """
    if len(streams) == 1:
        return streams[0], ()
    about = [one for one in streams if feature and one.cluster.casefold() == feature.casefold()]
    worth = [_worth(one, seed) for one in streams]
    order = sorted(range(len(streams)), key=lambda at: (-(worth[at].delta_money_per_month or 0.0), -at))
    first = next((at for at in order if streams[at] in about), order[0])
    listed = tuple(
        StreamChoice(
            id=one.id, title=one.title, cluster=one.cluster, currency=one.currency, lever=one.lever,
            delta_money_per_month=one.delta_money_per_month, chosen=at == first, reason=one.reason,
        )
        for at in order
        for one in (worth[at],)
    )  # fmt: skip
    return streams[first], listed


def _worth(stream: ValueStream, seed: int) -> StreamChoice:
    lever, worth, reason = "", None, ""
    try:
        found = answer(stream_of(stream), seed=seed, draws=ROUGH).improvements
        if found:
            lever, worth = f"{one_line(found[0].step, 60)} {found[0].lever}", found[0].delta_money_per_month
        else:
            reason = "no step has a number"
    except Singular as error:
        reason = f"items never leave step {one_line(stream.steps[error.step].name, 60)}"
    return StreamChoice(
        id=stream.id, title=one_line(stream.title), cluster=one_line(stream.cluster), currency=stream.currency, lever=lever,
        delta_money_per_month=worth, chosen=False, reason=reason,
    )  # fmt: skip
