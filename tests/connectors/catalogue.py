"""What can go wrong with a source, and what has to happen then: numbered, with the reason where a connector cannot meet it.

`@shows(9, 10)` on a test says which numbers it shows, for every connector that its parameter `kind` goes through, or for those it
names. `test_catalogue_whole.py` fails when a number and a connector have neither a test nor a reason; `docs/failures.md` is the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest


class Row(NamedTuple):
    """What happens, and what then is true."""

    given: str
    then: str


ROWS: Mapping[int, Row] = {
    1: Row("401, as JSON or as a web page", "not tried again; says which credential and how to replace it; other sources go on"),
    2: Row("403, a missing permission", "not tried again; names the permission where the service does; the other streams go on"),
    3: Row("403 that is a limit", "waited for like a 429"),
    4: Row("404", "“absent, or not visible to this credential”; where nothing found is an answer, nothing"),
    5: Row("410, the address was removed", "final; says to upgrade"),
    6: Row("400 that is a limit", "waits until the limit opens, then asks for the same page"),
    7: Row("any other 400, a 501, errors inside a 200", "final for the stream; the server's own words; the cursor stays"),
    8: Row("more results than a list can show", "asked for in smaller parts; what stays out of reach is named"),
    9: Row("429 with `Retry-After`, in seconds or as a date", "waits exactly that; longer than the sync may take: says when to come back"),
    10: Row("429 without it", "waits 1, 2, 4 … s (GitHub: minutes), six tries"),
    11: Row("a quota is used up", "asks nothing more; says when it opens"),
    12: Row("500, 502, 503, 504", "as 10, also for questions that are POSTs; after that what was stored stays"),
    13: Row("timeout, connection reset, an answer that trickles", "tried again; no row of a broken page is stored"),
    14: Row("packed bytes that are cut or damaged", "asked for once more, then refused whole"),
    15: Row("a bomb, an answer over the cap", "refused with the cap named, memory flat"),
    16: Row("pages that go in a circle", "stopped at once; what came before is kept"),
    17: Row("empty pages that offer a next one", "followed three times, then stopped"),
    18: Row("a last page that is full, an empty first one", "no row too many, no error"),
    19: Row("records that move while pages are read", "none lost, none twice, the newest state"),
    20: Row("a server clock that is off, records from the future", "waits go by the server's clock, cursors by records that can be"),
    21: Row("another time zone here, there or of the account; the hour that comes twice", "the same rows and the same requests as at UTC"),
    22: Row("instants in any form", "the same instant; an unknown form costs its row, not the page"),
    23: Row("amounts: null, empty, negative, exponents, currencies", "null stays null, sums are exact, currencies stay apart"),
    24: Row("ids above 2^53, ids as numbers or texts", "unchanged, and one thing"),
    25: Row("unknown words and fields, missing ones, null for an object", "the row is kept, or is one reject; no list: refused"),
    26: Row("a web page with status 200", "refused as not the API, with its title"),
    27: Row("JSON that is cut or followed by text", "asked for once more, then refused"),
    28: Row("a certificate that is unknown, expired or of another host", "final, nothing sent; says how to name a CA bundle"),
    29: Row("no such name, nobody listens, the proxy is gone or wants a login", "two tries, then offline: cached data stay usable"),
    30: Row("a redirect to another host", "refused; a download that has to go there takes no credential along"),
    31: Row("cancelled, ctrl+c, kill -9 at any request, a full disk", "the next run continues and ends with the same rows; no lock stays"),
    32: Row("a credential in an address, a header or an echoed body", "masked wherever it is shown"),
    33: Row("two syncs at once", "the second says so and ends; nothing is doubled"),
}  # fmt: skip

_PERMISSION = "a 403 of it is a permission; limits are told by 429"
_PLAIN = "its limits are told by 429"
_NO_CEILING = "its pages follow a token without a ceiling"
_NO_QUOTA = "it has no quota beside the limits of rows 6, 9 and 10"
_NO_MONEY = "no amount of money is read from it"

CANNOT: Mapping[int, Mapping[str, str]] = {
    3: {
        **dict.fromkeys(("jira", "jira_dc", "gitlab", "langfuse", "phoenix", "amplitude", "clickhouse"), _PERMISSION),
        "linear": "its limits are a 400 or a 429",
        "aws": "its limits are a 400 or a 429",
    },
    6: dict.fromkeys(("jira", "jira_dc", "github", "gitlab", "langfuse", "phoenix", "amplitude", "clickhouse"), _PLAIN),
    8: {
        **dict.fromkeys(("linear", "jira", "phoenix", "aws"), _NO_CEILING),
        "jira_dc": "each page begins at the last change of the one before, so offsets stay small",
        "gitlab": "each page begins at the last change of the one before, so page numbers stay small",
        "clickhouse": "each page begins behind the last row of the one before",
    },
    11: {
        **dict.fromkeys(("linear", "jira_dc", "github", "gitlab", "phoenix", "clickhouse"), _NO_QUOTA),
        "langfuse": "its daily quota is for metrics, which are not asked for",
    },
    16: {"amplitude": "an answer is whole: there are no pages"},
    17: {
        "amplitude": "an answer is whole: there are no pages",
        "clickhouse": "a page that is not full is the last",
    },
    19: {
        "amplitude": "an answer is whole: there are no pages",
        "clickhouse": "pages follow time and ids of spans, which never change; late ones are in the overlap",
    },
    22: {"clickhouse": "instants are asked for as nanoseconds"},
    23: dict.fromkeys(("linear", "jira", "jira_dc", "github", "gitlab", "amplitude"), _NO_MONEY),
}  # fmt: skip


def shows(*numbers: int, of: str | tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """This test shows these rows: of the connectors named, else of each that its parameter `kind` goes through."""
    return pytest.mark.catalogue(*numbers, of=(of,) if isinstance(of, str) else of)


def markdown(connectors: list[str]) -> Iterator[str]:
    """The table of what can happen, and under it why a connector cannot meet something."""
    short = {name: name.replace("_", " ") for name in connectors}
    yield "| | what happens | what then | " + " | ".join(short.values()) + " |"
    yield "|---" * (3 + len(short)) + "|"
    for number, (given, then) in ROWS.items():
        cells = ["–" if name in CANNOT.get(number, {}) else "✓" for name in connectors]
        yield f"| {number} | {given} | {then} | " + " | ".join(cells) + " |"
    yield ""
    yield "Why something cannot happen:"
    yield ""
    for number, reasons in CANNOT.items():
        told: dict[str, list[str]] = {}
        for name, reason in reasons.items():
            told.setdefault(reason, []).append(short[name])
        yield f"- {number}: " + "; ".join(f"{', '.join(names)}: {reason}" for reason, names in told.items())
