"""What passes between a source and the cache: streams, pages, and the ways in which a source says no."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal, Protocol, runtime_checkable

from aether_tui.records.model import Row, Table, Value
from aether_tui.text import begun

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing a source can be asked for. `tables` are those its pages may fill; the first names the stream's rows.

    `overlap_s` is re-read before the stored cursor on every sync, because sources report late. With `sweep_s` the source's
    `ids` of everything that is alive are asked for at most that often, and rows of the first table that are gone go, with what
    belongs to them; without it `kept` says why rows stay that the source has no longer.
    With `sweep_of`, a column and a setting with names, only rows of these names are looked for (of all, where there is none): what
    is not pulled any more is not gone. `setting` names the setting without which there is nothing to ask for.
    """

    name: str
    tables: tuple[Table, ...]
    overlap_s: float = 600.0
    sweep_s: float = 0.0
    sweep_of: tuple[str, str] | None = None
    kept: str = ""
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """What a connector needs to be let in, for the letter that asks a client: the credential, the permissions it needs and
    no more, what is read, what stays where it is, and what a service sends along unasked and nobody stores."""

    credential: str
    permissions: tuple[str, ...]
    reads: tuple[str, ...]
    leaves: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()


BY_AGE: Final = "hosts drop them by age, or somebody does by hand: what was measured stays true"
"""Why most measurements stay that their source has no longer."""

MOST_RAW: Final = 4_000
"""Characters kept of a row that could not be read."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: which table, why, where in the input, and its text, not much more than what is stored of it."""

    table: str
    reason: str
    raw: str
    where: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "raw", begun(self.raw, MOST_RAW))


@dataclass(frozen=True, slots=True)
class Bulk:
    """Files DuckDB reads by itself, for sources with millions of rows.

    `columns` maps a raw column of `table` to the file's columns to try in turn (the first that exists and is not null
    wins). Everything is read as text and cast to the table's type; `nulls` are texts that mean null. With `hash_key`
    the column of that name is filled with the hash of the whole row. `beside` names a JSON column and says which other columns of the
    file are kept in it, as texts by their names; of JSON lines those that the first thousands of the file have.
    With `made`, `table` is only how rows are read: it says what becomes of each, by table name, or raises ValueError for a reject.
    """

    paths: tuple[Path, ...]
    format: Literal["csv", "parquet", "ndjson"]
    table: Table
    columns: Mapping[str, tuple[str, ...]]
    nulls: tuple[str, ...] = ("", "NULL", "null")
    hash_key: str | None = None
    beside: tuple[str, Callable[[str], bool]] | None = None
    made: Callable[[Row], Mapping[str, Sequence[Row]]] | None = None


Run = Callable[[str, Sequence[object]], list[tuple[object, ...]]]
"""Runs a statement with its parameters in a database of its own, and returns the rows of its answer."""


class Scan(Protocol):
    """Bytes of which DuckDB makes raw rows by the source's own statements, as they would come row by row.

    Written and read once, before the next page is asked for; its `head` is in memory until then. Texts among `nulls` mean null. `rest`
    is what `read` left to be read row by row, and all that is no row of `table`.
    """

    table: Table
    nulls: tuple[str, ...]
    head: bytes
    rest: Page

    def write(self, file: IO[bytes]) -> None:
        """Put the bytes into an empty file."""
        ...

    def read(self, lines: IO[bytes], file: str, run: Run) -> str:
        """SELECT of the raw columns of `table` over temporary tables that it makes; '' for no rows. `lines` are what was written, with the
        path `file` in SQL, and go afterwards. While it runs, a join hashes the table it names last."""
        ...


PLACE: Final = "_place"
"""The column that says where rows of several files came, in ascending order."""


class Together(Scan, Protocol):
    """A scan of several files: its SELECT has a column `PLACE`, too. After `read` there is for each file the first place of its rows, and
    what `rest` is of one, or why it is refused."""

    firsts: Sequence[int]
    rests: Sequence[Page | Malformed]


@dataclass(frozen=True, slots=True)
class Small:
    """A file whose `pages` are better read by one scan with others: `join` makes one of the names and bytes of such files, which pays from
    so many bytes on as are `enough`."""

    path: Path
    data: bytes
    enough: int
    pages: Callable[[], Iterator[Page]]
    join: Callable[[Sequence[tuple[Path, bytes]]], Together]


@dataclass(frozen=True, slots=True)
class Tally:
    """JSON lines (plain or gzip; the smaller the files, the less memory) of which only counts are kept: how many different `id`
    there are by `name` and day of `at`.

    Each set of `files` is counted by itself and read by DuckDB; `row` makes the row of a set, a name, a day and its count.
    `stored` is called when the counts are durable, or cannot be: the files are not needed any more.
    """

    table: Table
    files: Mapping[str, tuple[Path, ...]]
    name: str
    at: str
    id: str
    row: Callable[[str, str, datetime, int], Row]
    stored: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Replace:
    """The pages of this stream are a whole export: rows of `table` with the same values of the `scope` columns that the
    export does not hold are removed. An export with an older `as_of` than the stored one of that scope is refused.

    With `repeats` rows with the same key are rows of their own: `-` and the ordinal among them is added to each key.
    """

    table: str
    scope: tuple[str, ...]
    as_of: datetime
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """A page holds every row of `table` that names one of `ids` in one of `columns`: others that are stored are gone."""

    table: Table
    columns: tuple[str, ...]
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pushed:
    """Rollups that a source computed of its spans that started from `begin` until `end` (naive UTC, whole days): rows by name
    of the rollup, under `columns`. They take the place of what it said of these days before."""

    begin: datetime
    end: datetime
    columns: Mapping[str, Sequence[str]]
    rows: Mapping[str, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Derived:
    """What a workspace makes of a span: dimensions by name, and its model's prices that day, a row for each range of prompt
    lengths. `by_call`: they are not the same all day, and so not told."""

    dimensions: Mapping[str, Value]
    rates: Sequence[Mapping[str, Value]]
    by_call: bool = False


class Deriving(Protocol):
    """A workspace's mapping and prices, for a source that computes where its spans are."""

    attributes: tuple[str, ...]
    """Names of span attributes that dimensions are read from."""
    version: str
    """Another one: the same spans would give other rows."""
    cost_usd: str
    """The cost of a span `c` (raw columns of `spans`) by its rates `p`, in SQL."""

    async def derive(self, spans: Sequence[Row]) -> Sequence[Derived]:
        """For each of some raw rows of `spans`, whose ids do not matter."""
        ...


@dataclass(slots=True)
class Page:
    """Rows by table name, durable together with `cursor` (None leaves the stored one)."""

    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    cursor: str | None = None
    rejects: Sequence[Reject] = ()
    bulk: Bulk | None = None
    scan: Scan | None = None
    small: Small | None = None
    tally: Tally | None = None
    replace: Replace | None = None
    pushed: Pushed | None = None
    whole: Sequence[Whole] = ()
    total: int | None = None
    """Rows the source promises for this reading of the stream, where it says."""
    about: bool = False
    """Whether that number is an estimate of the source's: good for progress, not for counting what is missing."""
    problems: Sequence[str] = ()
    """Sentences for the reader: unknown values counted, a partial file, a disagreement between tables."""
    path: Path | None = None
    """The file these rows came from, where several are read together; None: the first of them."""


@dataclass(slots=True)
class Limit:
    """A limit of a service as its headers last told: what is left of it, and when (aware) it is whole again."""

    remaining: float
    opens_at: datetime


@dataclass(slots=True)
class Memory:
    """What is known of a service from earlier runs and kept for the next: its limits by name, the ETag of addresses (those
    of `etags` that were answered before, in `fresh` those of this run), what the stream wrote down for itself by names of its
    own (`notes` when it was last read to its end, `noted` now), the day its credential expires where it says so,
    when the same credential last worked, and when, by the service's own clock, the last reading of this stream to its end began
    (`read`; `began` is that of this run; naive UTC all)."""

    limits: dict[str, Limit] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    fresh: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)
    expires: str = ""
    worked: datetime | None = None
    read: datetime | None = None
    began: datetime | None = None


def _now() -> datetime:
    return datetime.now(UTC)


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


@contextmanager
def _aside() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@dataclass(slots=True)
class Network:
    """What a connector may use of the outside: permission, the folder of `replay:` addresses, the clock (`now`, `clock` in
    monotonic seconds, `sleep`), what is remembered, and counters it fills. `source` is the name of its table in
    `aether.toml`, `needs` are the permissions its credential must have, both for messages; `deriving` is there in a sync.
    `aside` gives a private folder for downloads, which is gone at the end, in a sync even when the process is killed."""

    offline: bool = False
    root: Path = Path()
    deadline_s: float = 900.0
    requests: int = 0
    bytes: int = 0
    waited_s: float = 0.0
    source: str = ""
    needs: tuple[str, ...] = ()
    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = _sleep
    memory: Memory = field(default_factory=Memory)
    deriving: Deriving | None = None
    aside: Callable[[], AbstractContextManager[Path]] = _aside


class Source(Protocol):
    """A connector. Entry point group `aether_tui.connectors`; built with validated settings and its secrets by name."""

    kind: str
    Settings: type[BaseModel]
    SECRETS: tuple[str, ...]
    streams: tuple[Stream, ...]
    access: Access

    def __init__(self, settings: BaseModel, secrets: Mapping[str, str], network: Network) -> None: ...

    def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of `stream` changed after the cursor `since`, oldest first where the source can.

        Applies the overlap itself. Raises SourceError; never stores.
        """
        ...

    async def check(self) -> str:
        """One cheap call that proves the credential; returns who we are to the source."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """What asking a source costs whoever owns the account, at least and at most, and why."""

    least_usd: Decimal
    most_usd: Decimal
    why: str


@runtime_checkable
class Priced(Protocol):
    """What a source that bills every request has, too: it is pulled only when somebody agreed to its price."""

    def price(self, stream: Stream, since: str | None) -> Price | None:
        """What pulling `stream` after the cursor costs; None: nothing. Asks nobody."""
        ...


Name = str | tuple[str, ...]
"""What a source calls a thing: its id, or as many texts as `Table.name_columns` are (project and number)."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Rows with this value in a column (without a column: all) are not listed to this credential: nobody says whether they are
    gone."""

    column: str = ""
    value: str = ""


class Sweepable(Protocol):
    """What a source with a stream of `sweep_s` has, too."""

    def ids(self, stream: Stream) -> AsyncIterator[Sequence[Name] | Unlisted]:
        """The ids of everything of the stream that is alive now, whatever its age. Raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a file, for recognising its kind: its name, and up to 64 KiB, decompressed."""

    path: Path
    head: bytes


class FileKind(Protocol):
    """A kind of file `load` can read. Entry point group `aether_tui.files`.

    `together`: all files of one `load` are one export and are read by one call; without it each file is read by itself. A kind that
    a client is asked for has `access` (an `Access`) and the `tables` it fills, too: `ask` makes a paragraph of them.
    """

    kind: str
    title: str
    together: bool

    def recognises(self, sample: Sample) -> bool:
        """Whether the content (not the name alone) is of this kind."""
        ...

    def pages(self, paths: Sequence[Path], now: datetime) -> Iterator[Page]:
        """Pages of all given files, which belong together (one export may be many files).

        Raises Malformed naming file and place; a single bad row is a reject, not an error.
        """
        ...


@runtime_checkable
class Scans(Protocol):
    """What a kind of file has, too, of which DuckDB makes rows by its statements."""

    def scans(self, paths: Sequence[Path], now: datetime, *, said: bool, texts: bool) -> Iterator[Page]:
        """As `pages`, with the same rows, some by a `scan`, or all of a file as a `small` one. Without `said` those of `span_payloads` may
        be missing, without `texts` those of requests."""
        ...


class SourceError(Exception):
    """The source said no. `hint` says what to do."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class Offline(SourceError):
    """Not reachable: no network, refused, DNS, or --offline."""


class Denied(SourceError):
    """Credential missing, wrong or expired (401): nothing of this source can be read."""


class Forbidden(Denied):
    """The credential is known, and lacks a permission (403); `scope` is the one the service names. Other streams go on."""

    def __init__(self, what: str, *, scope: str = "", hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.scope = scope


class Gone(SourceError):
    """Absent, or not visible to this credential (404), or removed for good (410)."""


class Refused(SourceError):
    """The request itself was refused (other 4xx, GraphQL errors): permanent for this stream."""


class RateLimited(SourceError):
    """A limit that opens only at `opens_at` (UTC), later than this sync may wait."""

    def __init__(self, what: str, *, opens_at: datetime | None = None, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.opens_at = opens_at


class Transient(SourceError):
    """Still failing after the retries (5xx, timeouts, cut answers)."""


class Malformed(SourceError):
    """The answer or file is not what it should be (HTML, broken JSON, over the size cap, paging that never ends)."""
