"""What a list in a JSON document holds, one by one: as a whole it takes seven times its size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, TextIO

from connectors.base import Malformed

_PIECE: Final = 1 << 20
_GAP: Final = re.compile(r"[\s,]*")


def items(text: TextIO, decoder: json.JSONDecoder, name: str) -> Iterator[tuple[int, object]]:
    """The items of a list, or of lists that follow one another, with their number from one. Raises Malformed naming the file."""
    held, at, number = text.read(_PIECE).lstrip()[1:], 0, 1
    while True:
        at = _GAP.match(held, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        if held[at : at + 1] == "]":
            held, at = (held[at + 1 :] + text.read(_PIECE)).lstrip(), 1
            if not held:
                return
            if held[0] != "[":  # pages follow one another
                raise Malformed(f"{name}: more follows behind its list", hint="one JSON object a line")
            continue
        try:
            one, at = decoder.raw_decode(held, at)
        except (ValueError, RecursionError) as error:
            if isinstance(error, RecursionError) or not (more := text.read(max(_PIECE, len(held) - at))):
                raise Malformed(
                    f"{name}: item {number} of its list: not JSON: {error}", hint="one JSON object a line"
                ) from error
            held, at = held[at:] + more, 0
        else:
            yield number, one
            number += 1
