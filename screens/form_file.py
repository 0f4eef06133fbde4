"""The file behind a form: read, saved value by value, both versions of a conflict, and the whole of it in an editor."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from aether_tui.errors import AetherError, ConfigurationError, NoData
from aether_tui.workspace.written import Edit
from screens.base import PageScreen

if TYPE_CHECKING:
    from pathlib import Path

    from aether_tui.workspace.document import Document
    from aether_tui.workspace.fields import Path as FieldPath
    from aether_tui.workspace.store import Conflict, Stored
    from screens.unstored import Unstored


class FormFile(PageScreen):
    """One document on disk, as far as a form works on it. Nothing in here knows what is drawn or which keys there are."""

    @dataclass
    class Read(Message):
        """A document was read, or could not be."""

        model: type[Document]
        stored: Stored[Document] | None
        error: AetherError | None = None
        conflict: Conflict | None = None
        offered: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def __init__(self, kind: str, identity: str | None) -> None:
        super().__init__(name="form")
        self._kind = kind
        self._identity = identity
        self._model: type[Document] | None = None
        self._stored: Stored[Document] | None = None
        self._error: AetherError | None = None
        self._data: dict[str, object] = {}
        self._sets: list[tuple[FieldPath, object]] = []
        """What was said and is not on disk, in its order."""
        self._typing: tuple[FieldPath, str] | None = None
        """What is being typed, and where it belongs."""
        self._saving = False
        self._faults: dict[str, str] = {}
        self._conflict: Conflict | None = None
        self._draft: tuple[Path, bytes] | None = None
        """The text of the editor while it is not stored, and the bytes it was made of."""

    def draw(self) -> None:
        """Draw the document as it stands."""
        raise NotImplementedError

    def action_next(self) -> None:
        """Go to what is still to be said."""
        raise NotImplementedError

    def begin(self) -> None:
        """Go to the first of what is still to be said."""
        raise NotImplementedError

    def resume(self, left: Unstored) -> None:
        """Go on with what was being typed."""
        raise NotImplementedError

    # --- reading -------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Read the document again, unless something said has still to be completed."""
        if not self._sets:
            self.run_worker(self._read, thread=True, exclusive=True, group="read", exit_on_error=False)
        self.show_around()

    def _read(self) -> None:
        """In a thread: the first form imports pydantic."""
        from aether_tui.workspace.documents import KINDS, offered
        from aether_tui.workspace.store import Store

        model = KINDS[self._kind]
        store = Store(self.shell.workspace)
        identity = self._identity
        if identity is None and model.SINGLE and store.path(model, model.PREFIX).exists():
            identity = self._identity = model.PREFIX
        try:
            stored = store.get(model, identity) if identity is not None else None
            offers = offered(self.shell.workspace, model) if identity is None else {}
            waiting = store.undecided(model, identity) if identity is not None else None
            self.post_message(self.Read(model, stored, conflict=waiting, offered=offers))
        except AetherError as error:
            self.post_message(self.Read(model, None, error))

    def on_form_file_read(self, event: Read) -> None:
        event.stop()
        if self._sets:
            return
        from aether_tui.workspace.fields import begun

        first, self._model, self._stored, self._error = self._model is None, event.model, event.stored, event.error
        there = event.conflict is not None and event.conflict.ours.exists()  # else decided while this was read
        self._conflict = event.conflict if there else None
        if event.stored is not None:
            self._data = event.stored.document.model_dump()
        elif first:
            self._data = {**begun(event.model, self.shell.now().date()), **event.offered}
        gone = isinstance(event.error, NoData)
        left = self._left(gone=gone) if first and (gone or event.error is None) else None
        self.draw()
        if left is not None:
            self.resume(left)
        elif first and event.stored is None and event.error is None:
            self.begin()
        self.settle()

    def _left(self, *, gone: bool) -> Unstored | None:
        """What was said before and is not stored, said again as far as the document still has a place for it; what was said to a
        document that is gone is forgotten.
        """
        from aether_tui.workspace.fields import with_value
        from screens.unstored import taken

        left = taken(self.shell.workspace, self._kind, self._identity)
        if left is None or gone:
            return None
        for path, value in left.sets:
            with contextlib.suppress(LookupError, TypeError):
                self._data = with_value(self._data, path, value)
                self._sets.append((path, value))
        return left

    # --- saving --------------------------------------------------------------------------------------------------

    def _set(self, path: FieldPath, value: object) -> None:
        """Take a value over: on disk when the document is valid, kept here while something is still to be said."""
        from aether_tui.workspace.fields import with_value

        if self._model is None or self.shell.refused():
            return
        wrong, lacking = self._judged(self._model, path, value)
        if wrong:
            self._refuse(path, wrong)
            return
        self._faults = {}
        self._data = with_value(self._data, path, value)
        self._sets.append((path, value))
        if lacking:
            self.draw()
            self.action_next()
        else:
            self._save(self._model, f"{_in_words(path)} saved")

    def wrong(self, path: FieldPath, value: object) -> str:
        """Why a value cannot stand at a path, or nothing."""
        return self._judged(self._model, path, value)[0] if self._model is not None else ""

    def _judged(self, model: type[Document], path: FieldPath, value: object) -> tuple[str, bool]:
        """What is wrong with the document once a value stands at a path, or nothing; and whether it lacks something then."""
        from aether_tui.workspace.fields import MISSING, faults, with_value

        found = faults(model, {**with_value(self._data, path, value), "id": self._stand_in(model)})
        return next((words for _, words in found if words != MISSING), ""), bool(found)

    def lacks(self) -> tuple[str, ...]:
        """What the document lacks, also a new one that could be stored as it is; nothing where it could not."""
        from aether_tui.workspace.edits import from_data

        if self._stored is not None:
            return self._stored.document.lacks()
        with contextlib.suppress(ConfigurationError):
            if self._model is not None:
                return from_data(self._model, {**self._data, "id": self._stand_in(self._model)}).lacks()
        return ()

    def _stand_in(self, model: type[Document]) -> str:
        """Its id, or one that it could have."""
        return self._identity or f"{model.PREFIX}{'' if model.SINGLE else 1}"

    def _refuse(self, path: FieldPath, words: str) -> None:
        self._faults = {name_of(path): words}
        self.draw()
        self.shell.say(f"■ {words}")

    def _save(self, model: type[Document], what: str) -> None:
        from aether_tui.workspace.edits import create, from_data, set_fields
        from aether_tui.workspace.store import Store

        workspace, now, data, sets, stored = (
            self.shell.workspace,
            self.shell.now(),
            self._data,
            self._sets,
            self._stored,
        )
        fresh: list[Stored[Document]] = []
        self._saving = True

        def work() -> Edit:
            try:
                if stored is None:
                    edit = create(workspace, model, lambda identity: from_data(model, {**data, "id": identity}), now)
                else:
                    edit = set_fields(workspace, stored, sets, now, f"{stored.document.id} {what}")
            except BaseException:
                self._saving = False
                raise
            fresh.append(Store(workspace).get(model, edit.identity))
            return edit

        def done(edit: Edit) -> None:
            self._identity, self._stored, self._sets, self._saving = edit.identity, fresh[0], [], False
            self._data = fresh[0].document.model_dump()
            if self.is_mounted:
                self.draw()

        self.shell.edit(work, done=done, refused=self._refused)

    def on_unmount(self) -> None:
        """Leaving or quitting keeps what was said and cannot be stored yet, and a line that is being typed."""
        from screens.unstored import Unstored, keep

        at, typed = self._typing or ((), "")
        sets = () if self._saving else tuple(self._sets)  # what is being saved is waited for
        if sets or typed:
            name = self._identity or f"the new {self._kind}"
            try:
                keep(self.shell.workspace, Unstored(self._kind, self._identity, sets, at, typed))
                told = f"▲ what was said to {name} is not stored yet; opening it again goes on"
            except OSError as error:
                told = f"■ what was said to {name} could not be kept: {error.strerror}; check space and permissions"
            if self.app.is_running:  # else nobody is there any more to be told
                self.shell.say(told)

    def written(self, path: FieldPath, value: str) -> None:
        """A page that is being written while the console ends: into the document where that can take it."""
        from aether_tui.workspace.edits import set_fields

        self._typing = path, value
        if self._stored is None or self._model is None or any(self._judged(self._model, path, value)):
            return
        if not self.shell.refused():
            with contextlib.suppress(AetherError, OSError):
                set_fields(self.shell.workspace, self._stored, [*self._sets, (path, value)], self.shell.now())
                self._sets, self._typing = [], None

    def _refused(self, error: AetherError) -> bool:
        from aether_tui.workspace.store import Conflict

        last = self._sets[-1][0] if self._sets else ()
        self._sets = []
        if self._stored is not None:
            self._data = self._stored.document.model_dump()
        if isinstance(error, Conflict):
            self._conflict = error
            self.show()
            self.shell.say("▲ somebody changed this meanwhile: 1 keeps yours, 2 theirs, 3 opens both")
        elif last:
            self._refuse(last, error.sentence())
        else:
            return False
        return True

    # --- both versions -------------------------------------------------------------------------------------------

    def _settle(self, choice: int) -> None:
        from aether_tui.workspace.edits import settle

        conflict, model = self._conflict, self._model
        if conflict is None or model is None or choice not in {1, 2, 3}:
            return
        workspace, now = self.shell.workspace, self.shell.now()
        if choice == 3:
            self._open_files(conflict)
            return

        self._conflict = None
        work = lambda: settle(workspace, conflict, model, mine=choice == 1, now=now)  # noqa: E731
        self.shell.edit(work, done=lambda _: self.show(), refused=self._refused)

    def _open_files(self, conflict: Conflict) -> None:
        from screens.editor import open_files

        try:
            open_files(self.app, [conflict.theirs, conflict.ours])
        except ConfigurationError as error:
            self.shell.say(f"■ {error.sentence()}")
        else:
            self.shell.say("now 1 keeps yours, 2 keeps theirs")

    # --- the whole file ------------------------------------------------------------------------------------------

    def action_editor(self) -> None:
        """The file as it is, or the text that could not be stored last time, which is kept until it is."""
        from aether_tui.workspace.edits import write
        from aether_tui.workspace.store import Conflict, Store
        from aether_tui.workspace.written import revision_of
        from screens.editor import open_files

        if self._model is None or self._identity is None:
            self.shell.say("answer what is required first (tab); then there is a file to open")
            return
        model, identity, now = self._model, self._identity, self.shell.now()
        store = Store(self.shell.workspace)
        path = store.path(model, identity)
        try:
            if self._draft is None or not self._draft[0].is_file():
                before = path.read_bytes()
                self._draft = store.draft(identity, before), before
            draft, before = self._draft
            open_files(self.app, [draft])
            text = draft.read_bytes()
        except ConfigurationError as error:
            if self._draft is not None and self._draft[0].read_bytes() == self._draft[1]:
                self._drop()
            self.shell.say(f"■ {error.sentence()}")
            return
        except OSError as error:
            self.shell.say(f"■ {path.name}: {error.strerror}")
            return
        if text == before:
            self._drop()
            self.shell.say("not changed")
            return

        def work() -> Edit:
            return write(self.shell.workspace, model, identity, text, revision_of(before), now)

        def done(_edit: Edit) -> None:
            self._drop()
            self._error = None
            self.show()

        def refused(error: AetherError) -> bool:
            if self._refused(error):
                if isinstance(error, Conflict):  # which keeps the text beside the file
                    self._drop()
                return True
            step = "ctrl+o opens your text again; nothing of it is lost"
            self._error = ConfigurationError(error.what, where=error.where, next_step=step)
            self.draw()
            self.shell.say(f"■ {error.sentence()}")
            return True

        self.shell.edit(work, done=done, refused=refused)

    def _drop(self) -> None:
        """The text of the editor is stored, or is no other than the file's."""
        if self._draft is not None:
            self._draft[0].unlink(missing_ok=True)
            self._draft = None


def name_of(path: FieldPath) -> str:
    """What a field is called on the page: where it stands in the document."""
    return ".".join(map(str, path))


def _in_words(path: FieldPath) -> str:
    """A place as people say it: `primary 1 name`."""
    return " ".join(str(part + 1) if isinstance(part, int) else part.replace("_", " ") for part in path)
