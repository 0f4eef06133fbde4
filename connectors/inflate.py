"""A body as it was before it was packed for the way, while its size is watched: a bomb costs no memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from connectors.answers import LATER
from connectors.base import Malformed
from connectors.files import MAX_RATIO


class Damaged(Malformed):
    """Packed bytes that are cut short or wrong: worth asking for once more."""


class TooLarge(Malformed):
    """More than is read of one answer; not a bomb."""


async def inflated(coding: str, chunks: AsyncIterator[bytes], cap: int, asked: str) -> AsyncIterator[bytes]:
    """The pieces of a body. Raises TooLarge past `cap` bytes, Malformed for a bomb and a coding nobody asked for, Damaged for a cut one."""
    coding = coding.strip().lower()
    if coding not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise Malformed(
            f"{asked} answered in the encoding {coding[:40]}, which nobody asked for",
            hint="check whether a proxy is in between",
        )
    inflate = zlib.decompressobj(47) if coding not in {"identity", ""} else None
    size = packed = 0
    damaged = f"{asked} answered compressed bytes that are damaged or cut short"
    async for chunk in chunks:
        try:
            piece = inflate.decompress(chunk, cap - size + 1) if inflate else chunk
        except zlib.error:
            raise Damaged(damaged, hint=LATER) from None
        size += len(piece)
        packed += len(chunk)
        if size > cap:
            error = TooLarge if size <= MAX_RATIO * packed else Malformed
            raise error(
                f"{asked} answered more than {cap / 1e6:,.0f} MB: refused",
                hint="ask for less: a shorter period, or fewer projects",
            )
        yield piece
    # What follows the end would be left out of what is read.
    if inflate and (inflate.unused_data or (not inflate.eof and (size or inflate.unconsumed_tail))):
        raise Damaged(damaged, hint=LATER)
