"""Files into the cache: found, recognised by their content, read by their kind, stored; one bad file stops no other."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aether_tui.errors import ConfigurationError
from aether_tui.ingest import Ingest
from aether_tui.records.source import FileKind, Malformed, Page, Reject, Sample, Scans
from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from aether_tui.sync.intake import Counts, Intake, Writer
from aether_tui.sync.joining import Joining
from aether_tui.sync.known import Known, Seen, Was, seen
from connectors import files, sniff

STREAM = "files"
"""The stream of `sync_state` that loaded files are counted under."""
_TOLD_REJECTS = 5


@dataclass(slots=True)
class Loaded:
    """One file: its kind and what became of its rows, or why it was not read.

    `skipped`: a file nobody named (it lay in a folder or archive) that holds no data of a known kind. `among`: the file of the
    same export whose counts hold these rows too. `looked`: how it looked before it was read. `known`: it was not read again. `lasting`: it
    holds spans only, which no other file takes away.
    """

    path: Path
    kind: str = ""
    counts: Counts = field(default_factory=Counts)
    error: str = ""
    next_step: str = ""
    skipped: bool = False
    notes: list[str] = field(default_factory=list)
    among: Path | None = None
    looked: Seen | None = None
    known: bool = False
    lasting: bool = True


def load(
    paths: Sequence[Path],
    *,
    kinds: Sequence[FileKind],
    writer: Writer,
    now: datetime,
    forced: FileKind | None = None,
    source: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Loaded]:
    """Load files, folders and patterns. Rows get the source `source`, else the kind's name.

    `forced` reads every file as that kind. Files that cannot be read are answered with their `error`; raises only
    ConfigurationError for a pattern without a match, and CacheTrouble.
    """
    results: list[Loaded] = []
    groups: dict[str, tuple[FileKind, list[Loaded]]] = {}
    known = None
    if writer.cache.exists():
        known = _open(writer, tell)
    for path, named in _found(paths, results):
        loaded = Loaded(path, looked=seen(path))
        results.append(loaded)
        kind = known and _known(loaded, known, [forced] if forced else kinds, source)
        kind = kind or forced or _recognise(loaded, kinds, named=named)
        if kind is not None:
            loaded.kind = kind.kind
            groups.setdefault(kind.kind, (kind, []))[1].append(loaded)
    if not groups:
        return results
    known = known or _open(writer, tell)
    lasting: dict[Path, Was] = {}
    for kind, members in groups.values():
        _read_all(kind, members, writer, now, source or kind.kind, tell)
        lasting |= {one.path: was for one in members if (was := _was(one, source or kind.kind))}
    known.keep(lasting)
    return results


def _open(writer: Writer, tell: Callable[[str], None]) -> Known:
    for sentence in writer.open():
        tell(sentence)
    return Known(writer)


def _known(loaded: Loaded, known: Known, kinds: Sequence[FileKind], source: str | None) -> FileKind | None:
    """The kind of a file that was loaded as it is, among `kinds`."""
    was = known.was(loaded.path, loaded.looked)
    kind = next((kind for kind in kinds if was and was.kind == kind.kind and was.source == (source or kind.kind)), None)
    if was and kind:
        loaded.known, loaded.counts = True, Counts(rows=was.rows, unchanged=was.rows)
    return kind


def _was(loaded: Loaded, source: str) -> Was | None:
    """What is remembered of a file that was read now and had nothing to be told of."""
    counts = loaded.counts
    plain = loaded.lasting and not (loaded.error or loaded.notes or loaded.among or counts.rejected or counts.late)
    return (
        Was(loaded.looked, loaded.kind, source, counts.rows) if plain and loaded.looked and not loaded.known else None
    )


def _found(paths: Sequence[Path], results: list[Loaded]) -> Iterator[tuple[Path, bool]]:
    """Every file, and whether the user named it; a folder or archive that cannot be opened is answered at once."""

    def unread(error: OSError) -> None:
        results.append(Loaded(Path(error.filename), error=f"cannot be read ({error.strerror})"))

    for path in paths:
        for place in _globbed(path):
            for inside in files.inside(place, unread):
                try:
                    for found in files.expand([inside]):
                        yield found, found == place
                except Malformed as error:
                    results.append(Loaded(inside, error=_without(error.what, inside), next_step=error.hint))


def _globbed(path: Path) -> list[Path]:
    text = str(path)
    if path.exists() or not glob.has_magic(text):
        return [path]
    found = sorted(map(Path, glob.glob(text, recursive=True)))  # noqa: PTH207  # Path.glob refuses absolute patterns
    if not found:
        raise ConfigurationError("no file matches", where=text, next_step="check the pattern")
    return found


def _recognise(loaded: Loaded, kinds: Sequence[FileKind], *, named: bool) -> FileKind | None:
    try:
        sample: Sample = files.sample(loaded.path)
    except Malformed as error:
        loaded.error, loaded.next_step = _without(error.what, loaded.path), error.hint
        return None
    for kind in kinds:
        if kind.recognises(sample):
            return kind
    loaded.error = sniff.why_not_data(sample)
    table = "a spreadsheet is read `--as items` (issues), `--as invoice` or `--as opportunities`; "
    forced = f"`--as KIND` forces one of {', '.join(kind.kind for kind in kinds)}"
    loaded.next_step = (table if sniff.csv_columns(sample.head) else "") + forced
    loaded.skipped = not named
    return None


def _read_all(
    kind: FileKind, members: Sequence[Loaded], writer: Writer, now: datetime, source: str, tell: Callable[[str], None]
) -> None:
    """Read files of one kind: each by itself, or all at once where they belong together."""
    intake = Intake(writer, source, STREAM)
    together: bool = getattr(kind, "together", False)
    joining = Joining(intake)
    for batch in [members] if together else [[member] for member in members if not member.known]:
        _read(kind, batch, intake, joining, writer.ingest, now, tell)
    joining.flush()
    if any(not loaded.error for loaded in members):
        intake.finish()
    bad = next((loaded for loaded in members if loaded.error), None)
    if bad is not None and (source, STREAM) in writer.cache.cursors():  # what never came is not missing
        writer.fail(source, STREAM, f"{files.name_of(bad.path)}: {bad.error}")


def _read(
    kind: FileKind,
    batch: Sequence[Loaded],
    intake: Intake,
    joining: Joining,
    ingest: Ingest,
    now: datetime,
    tell: Callable[[str], None],
) -> None:
    """Read files that belong together; when one of them is refused, none of them counts as read."""
    by_path, clean = {loaded.path: loaded for loaded in batch}, ingest.clean_text

    def late(rejects: Sequence[Reject], problems: Sequence[str], error: Malformed | None) -> None:
        _tell(rejects, problems, clean, tell)
        batch[0].notes += map(clean, problems)
        if error is not None:
            _refuse(batch, clean(error.what), clean(error.hint))

    try:
        for page in pages_of(kind, [loaded.path for loaded in batch], now, ingest):
            loaded = by_path.get(page.path, batch[0]) if page.path else batch[0]
            loaded.lasting &= _is_of_spans(page)
            _tell(joining.put(page, loaded.counts, late), page.problems, clean, tell)
            loaded.notes += map(clean, page.problems)
        first, *others = batch
        if others:
            joining.flush()
        first.counts.add(intake.complete())
        for loaded in others:
            first.counts.add(loaded.counts)
            loaded.counts, loaded.among = Counts(), first.path
    except Malformed as error:
        _refuse(batch, clean(error.what), clean(error.hint))
        intake.discard()
    except ConfigurationError as error:
        _refuse(batch, clean(error.sentence()), "")
        intake.discard()


def _is_of_spans(page: Page) -> bool:
    tables = {*page.rows, *(one.table.name for one in (page.bulk, page.scan) if one)}
    return tables <= {SPANS.name, SPAN_PAYLOADS.name} and not (page.replace or page.whole or page.tally or page.pushed)


def pages_of(kind: FileKind, paths: Sequence[Path], now: datetime, ingest: Ingest) -> Iterator[Page]:
    """What a kind of file gives to who stores it: scans where it has them, else rows."""
    if isinstance(kind, Scans):
        return kind.scans(paths, now, said=ingest.keeps(SPAN_PAYLOADS.name), texts=ingest.assigns)
    return kind.pages(paths, now)


def _refuse(batch: Sequence[Loaded], what: str, hint: str) -> None:
    culprit = next((loaded for loaded in batch if what.startswith(files.name_of(loaded.path))), batch[0])
    culprit.error, culprit.next_step = _without(what, culprit.path), hint
    for loaded in batch:
        loaded.error = loaded.error or f"{culprit.path.name}, which belongs with it, was refused"


def _tell(
    refused: Sequence[Reject], problems: Sequence[str], clean: Callable[[str], str], tell: Callable[[str], None]
) -> None:
    for reject in refused[:_TOLD_REJECTS]:
        tell(clean(f"rejected {reject.where}: {reject.reason}"))
    if len(refused) > _TOLD_REJECTS:
        tell(f"… and {len(refused) - _TOLD_REJECTS} more rejected; `aether-tui report sources` counts them")
    for problem in problems:
        tell(clean(problem))


def _without(what: str, path: Path) -> str:
    """The message without the path it begins with: the path is shown by itself."""
    return what.removeprefix(files.name_of(path)).lstrip(": ")
