"""Changes to authored documents, each on disk before the next key is answered, each of which can be taken back.

The store refuses to overwrite what somebody else changed meanwhile; so does taking back. Light to import: the console
makes edits in a thread, and pydantic is imported there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from aether_tui.workspace.folder import Workspace

if TYPE_CHECKING:
    from aether_tui.workspace.document import Document
    from aether_tui.workspace.fields import Path as FieldPath
    from aether_tui.workspace.store import Conflict, Stored

    D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to one file: its bytes before (None: it was not there), its revision after, and what was done.

    `also` was made in the same stroke and is taken back with it. `place` is a file that is no document, such as budgets.yaml.
    """

    kind: type[Document] | None
    identity: str
    before: bytes | None
    after: str
    what: str
    also: tuple[Edit, ...] = ()
    place: Path | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a command, or anything else than a document's edit, wrote: files with their bytes before and after.

    None stands for a file that was not there.
    """

    files: tuple[tuple[Path, bytes | None, bytes | None], ...]
    what: str


def bytes_of(places: Sequence[Path]) -> dict[Path, bytes]:
    """Every file of these files and folders, hidden ones left out, as it is now."""
    found: dict[Path, bytes] = {}
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not path.name.startswith("."):
                found[path] = path.read_bytes()
    return found


def written_since(before: Mapping[Path, bytes], places: Sequence[Path], what: str) -> Written | None:
    """What was written in these places since `bytes_of` them was `before`; None when nothing was."""
    after = bytes_of(places)
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return Written(tuple((path, before.get(path), after.get(path)) for path in paths), what) if paths else None


def change(
    workspace: Workspace, kind: type[D], identity: str, update: Callable[[D], D], now: datetime, what: str = ""
) -> Edit:
    """Store what `update` makes of a document; the result is checked against its model, however it was made.

    Raises NoData when there is none, ConfigurationError when the result is not valid, Conflict when the file changed.
    """
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    stored = store.get(kind, identity)
    saved = store.save(checked(update(stored.document)), stored.revision, now, read=stored.document)
    return Edit(kind, identity, stored.data, saved.revision, what or f"{identity} saved")


def create(workspace: Workspace, kind: type[D], make: Callable[[str], D], now: datetime, what: str = "") -> Edit:
    """Store a new document under the next free id, which `make` receives; `{id}` in `what` becomes that id.

    Raises ConfigurationError when it is not valid, or when there is one already of which there is only one.
    """
    from aether_tui.workspace.store import Store

    stored = Store(workspace).add(kind, lambda identity: checked(make(identity)))
    told = (what or "{id} made").replace("{id}", stored.document.id)
    return Edit(kind, stored.document.id, None, stored.revision, told)


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
    saved = store.save(document, revision, now, text)
    return Edit(kind, identity, before, saved.revision, what or f"{identity} saved")


def change_file(place: Path, before: bytes, text: bytes, what: str) -> Edit:
    """Write a file that is no document as a whole, over the bytes it was read with."""
    from aether_tui.workspace.store import revision_of, write_whole

    write_whole(place, text)
    return Edit(None, place.name, before, revision_of(text), what, place=place)


def _file_back(edit: Edit, place: Path) -> str:
    from aether_tui.errors import CheckFailed
    from aether_tui.workspace.store import revision_of, write_whole

    if edit.before is None or not place.is_file() or revision_of(place.read_bytes()) != edit.after:
        raise CheckFailed("changed since; it stays as it is", where=place.name, next_step="mend it by hand")
    write_whole(place, edit.before)
    return f"{edit.identity} is as it was before: {edit.what}"


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
    saved = store.save(from_data(kind, data), base.revision, now, read=base.document)
    return Edit(kind, saved.document.id, base.data, saved.revision, what or f"{saved.document.id} saved")


def settle(workspace: Workspace, conflict: Conflict, kind: type[Document], *, mine: bool, now: datetime) -> Edit | Path:
    """Decide a conflict: my version replaces theirs, or is set aside. The other one is kept in `.aether/removed/`.

    Returns the edit, or where my version is kept. Raises Conflict when the file changed once more.
    """
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    identity = conflict.theirs.stem
    ours = conflict.ours.read_bytes()
    if not mine:
        return store.set_aside(kind, conflict.ours, f"{identity}-mine", now)
    theirs = store.get(kind, identity)
    store.keep_copy(theirs.data, f"{identity}-theirs", now)
    edit = write(workspace, kind, identity, ours, theirs.revision, now, f"{identity}: your version stands")
    store.set_aside(kind, conflict.ours, f"{identity}-mine", now)
    return edit


def from_data(kind: type[D], data: Mapping[str, object]) -> D:
    """A document from plain data; raises ConfigurationError naming the field that is not valid."""
    from pydantic import ValidationError

    from aether_tui.problems import explain, raise_first

    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        raise_first(explain(error.errors(include_url=False), kind, str(data.get("id", kind.PREFIX)), {}))
        raise


def take_back(workspace: Workspace, edit: Edit | Written, now: datetime) -> str:
    """Restore the file as it was before; one that was made is moved to `.aether/removed/`. Returns what was done.

    Raises Conflict or CheckFailed when somebody changed it since: both versions are kept.
    """
    from aether_tui.workspace.store import Store

    if isinstance(edit, Written):
        return _unwritten(workspace, edit, now)
    for other in reversed(edit.also):
        take_back(workspace, other, now)
    if edit.kind is None:
        assert edit.place is not None
        return _file_back(edit, edit.place)
    store = Store(workspace)
    if edit.before is None:
        kept = store.remove(edit.kind, edit.identity, edit.after, now)
        more = f" and {len(edit.also)} more" if edit.also else ""
        return f"{edit.identity}{more} taken back; kept in {kept.relative_to(workspace.root).parent}"
    store.restore(edit.kind, edit.identity, edit.before, edit.after, now)
    return f"{edit.identity} is as it was before: {edit.what}"


def _unwritten(workspace: Workspace, edit: Written, now: datetime) -> str:
    """Put files back as they were; all of them, or none when one has changed since."""
    from aether_tui.errors import CheckFailed
    from aether_tui.workspace.store import Store, write_whole

    for path, _, after in edit.files:
        if (path.read_bytes() if path.exists() else None) != after:
            place = path.relative_to(workspace.root).as_posix()
            raise CheckFailed("changed since; it stays as it is", where=place, next_step="mend it yourself")
    store = Store(workspace)
    for path, before, after in edit.files:
        if after is not None and before is None:
            store.keep_copy(after, path.stem, now)
            path.unlink()
        elif before is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, before)
    names = ", ".join(path.relative_to(workspace.root).as_posix() for path, _, _ in edit.files[:3])
    more = f" and {len(edit.files) - 3} more" if len(edit.files) > 3 else ""
    return f"{names}{more} taken back: {edit.what}"


def checked(document: D) -> D:
    """The document as its model reads it; raises ConfigurationError naming the field that is not valid.

    `model_copy(update=…)` checks nothing; here it is made good.
    """
    return from_data(type(document), document.model_dump(warnings=False))
