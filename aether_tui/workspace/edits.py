"""Changes to authored documents, each on disk before the next key is answered, each of which can be taken back.

The store refuses to overwrite what somebody else changed meanwhile; so does taking back. Light to import: the console
makes edits in a thread, and pydantic is imported there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.written import Edit, Wrote, revision_of

if TYPE_CHECKING:
    from aether_tui.workspace.document import Document
    from aether_tui.workspace.fields import Path as FieldPath
    from aether_tui.workspace.store import Conflict, Stored

    D = TypeVar("D", bound=Document)


def saved(stored: Stored[D], before: bytes | None, what: str, now: datetime, beside: Sequence[Stored[D]] = ()) -> Edit:
    """The edit of a document that the store has just written over these bytes; it says when the clock must have been set back,
    by this document and those `beside` it.
    """
    doubt = set_back((stored, *beside), now)
    return Edit((Wrote(stored.path, before, stored.revision),), f"{what} {doubt}".rstrip(), stored.document.id)


def set_back(found: Sequence[Stored[D]], now: datetime) -> str:
    """What to say when one of these documents is dated after now; nothing when none is."""
    from aether_tui.workspace.document import ahead

    later = (one.document for one in reversed(found) if ahead(one.document, now))
    late = next(
        (one for one in later if one.dated and one.dated > now.date()), None
    )  # clocks of two people differ by minutes
    return f"▲ {late.id} is dated {late.dated}, after this clock's {now:%Y-%m-%d}: was it set back?" if late else ""


def change(
    workspace: Workspace, kind: type[D], identity: str, update: Callable[[D], D], now: datetime, what: str = ""
) -> Edit:
    """Store what `update` makes of a document; the result is checked against its model, however it was made.

    Raises NoData when there is none, ConfigurationError when the result is not valid, Conflict when the file changed.
    """
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    stored = store.get(kind, identity)
    fresh = store.save(updated(stored.document, update), stored.revision, now, read=stored.document)
    return saved(fresh, stored.data, what or f"{identity} saved", now)


def create(workspace: Workspace, kind: type[D], make: Callable[[str], D], now: datetime, what: str = "") -> Edit:
    """Store a new document under the next free id, which `make` receives; `{id}` in `what` becomes that id.

    Raises ConfigurationError when it is not valid, or when there is one already of which there is only one.
    """
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    beside = store.all(kind)[0]

    def made(identity: str) -> D:
        with in_words(kind, identity):
            return checked(make(identity))

    stored = store.add(kind, made)
    return saved(stored, None, (what or "{id} made").replace("{id}", stored.document.id), now, beside)


def write(
    workspace: Workspace, kind: type[D], identity: str, text: bytes, revision: str | None, now: datetime, what: str = ""
) -> Edit:
    """Store a document as a person wrote it, over the file read at `revision`.

    Raises BadYaml or ConfigurationError when it is not valid, Conflict when the file changed.
    """
    from pydantic import ValidationError

    from aether_tui.errors import ConfigurationError
    from aether_tui.problems import explain, raise_first
    from aether_tui.workspace.store import Store
    from aether_tui.workspace.yaml_file import read_yaml

    store = Store(workspace)
    value, lines = read_yaml(text, f"{identity}.yaml")
    try:
        document = kind.model_validate(value)
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), kind, f"{identity}.yaml", lines))
        raise
    if document.id != identity:
        raise ConfigurationError("the id cannot change", where=f"{identity}.yaml", next_step=f"write `id: {identity}`")
    before = store.path(kind, identity).read_bytes() if revision is not None else None
    return saved(store.save(document, revision, now, text), before, what or f"{identity} saved", now)


def change_file(place: Path, before: bytes, text: bytes, what: str) -> Edit:
    """Write a file that is no document as a whole, over the bytes it was read with."""
    from aether_tui.workspace.store import write_whole

    write_whole(place, text)
    return Edit((Wrote(place, before, revision_of(text)),), what)


def set_fields(
    workspace: Workspace, shown: Stored[D], sets: Sequence[tuple[FieldPath, object]], now: datetime, what: str = ""
) -> Edit:
    """Set values of a document as somebody saw it. What others changed elsewhere in it meanwhile stays.

    Raises Conflict when they changed one of these values: their file is untouched, ours is kept beside it.
    """
    from aether_tui.workspace.fields import value_at, with_value
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    kind = type(shown.document)
    now_there = store.get(kind, shown.document.id)
    before, found = shown.document.model_dump(), now_there.document.model_dump()
    touched = any(value_at(before, path) != value_at(found, path) for path, _ in sets)
    data = before if touched else found
    for path, value in sets:
        data = with_value(data, path, value)
    base = shown if touched else now_there
    fresh = store.save(from_data(kind, data), base.revision, now, read=base.document)
    return saved(fresh, base.data, what or f"{fresh.document.id} saved", now)


def settle(workspace: Workspace, conflict: Conflict, kind: type[Document], *, mine: bool, now: datetime) -> Edit:
    """Decide a conflict: my version replaces theirs, or is set aside. The other one is kept in `.aether/removed/`.

    Taking it back leaves both versions to be decided again. Raises Conflict when the file changed once more.
    """
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    identity = conflict.theirs.stem
    ours = conflict.ours.read_bytes()
    decided = Wrote(conflict.ours, ours, None)
    if not mine:
        kept = store.set_aside(kind, conflict.ours, f"{identity}-mine", now)
        return Edit((decided,), f"theirs stands; yours is kept in {kept.relative_to(workspace.root)}", identity)
    theirs = store.get(kind, identity)
    store.keep_copy(theirs.data, f"{identity}-theirs", now)
    edit = write(workspace, kind, identity, ours, theirs.revision, now, f"{identity}: your version stands")
    store.set_aside(kind, conflict.ours, f"{identity}-mine", now)
    return Edit((*edit.files, decided), edit.what, identity)


def from_data(kind: type[D], data: Mapping[str, object]) -> D:
    """A document from plain data; raises ConfigurationError naming the field that is not valid."""
    with in_words(kind, str(data.get("id", kind.PREFIX))):
        return kind.model_validate(dict(data))


@contextmanager
def in_words(kind: type[Document], name: str) -> Iterator[None]:
    """What a model refuses in here is told as a ConfigurationError that names the field."""
    from pydantic import ValidationError

    from aether_tui.problems import explain, raise_first

    try:
        yield
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), kind, name, {}))
        raise


def take_back(workspace: Workspace, edit: Edit, now: datetime) -> str:
    """Restore every file as it was before, or none; one that was made is moved to `.aether/removed/`. Returns what was done.

    Raises Conflict or CheckFailed when somebody changed one since: both versions are kept.
    """
    from aether_tui.workspace.store import Store

    made = Store(workspace).put_back(edit.files, now)
    more = len(edit.files) - 1
    name = edit.identity or edit.files[0].path.relative_to(workspace.root).as_posix()
    told = f"{name} and {more} more" if more else name
    if made:
        return f"{told} taken back; kept in {made[0].relative_to(workspace.root).parent}"
    return f"{told} taken back: {edit.done.removeprefix(name).lstrip(': ')}"


def checked(document: D) -> D:
    """The document as its model reads it; raises ConfigurationError naming the field that is not valid.

    `model_copy(update=…)` checks nothing; here it is made good.
    """
    return from_data(type(document), document.model_dump(warnings=False))


def updated(document: D, update: Callable[[D], D]) -> D:
    """What `update` makes of a document, `checked`; raises ConfigurationError also for a part of it that is not valid."""
    with in_words(type(document), document.id):
        return checked(update(document))
