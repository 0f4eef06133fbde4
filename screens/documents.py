"""Every authored document, or those that contain some words; each opens as a form."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message

from aether_tui import human
from aether_tui.actions import Where
from aether_tui.errors import ConfigurationError
from aether_tui.report_model import Col, Row, SavedReport, Table, Window
from screens.base import PageScreen

TABLE = "documents"


class Documents(PageScreen):
    """What was found, by kind and number."""

    SCOPES: ClassVar[frozenset[Where]] = PageScreen.SCOPES | {"documents"}
    READS: ClassVar[bool] = True

    @dataclass
    class Found(Message):
        """Rows: kind, id, title, the line that was looked for."""

        rows: list[tuple[str, str, str, str]]

    def __init__(self, text: str, tab: str = "") -> None:
        super().__init__(name="documents")
        self.TAB = tab
        self._text = text

    def about(self) -> tuple[str, str]:
        return "Documents", "Every authored document; enter opens one, n begins a new one"

    def show(self) -> None:
        self.run_worker(self._find, thread=True, exclusive=True, group="find", exit_on_error=False)
        self.show_around()

    def _find(self) -> None:
        """In a thread."""
        from aether_tui.workspace.search import find

        found = find(self.shell.workspace, self._text)
        if self.shell.room():
            from aether_tui.workspace.documents import KINDS

            found = [item for item in found if not KINDS[item.kind].PRIVATE]
        self.post_message(self.Found([(item.kind, item.identity, item.title, item.text) for item in found]))

    def on_documents_found(self, event: Found) -> None:
        event.stop()
        says = [Col(key="says", title="says", priority=7, width=70)] if self._text else []
        columns = (
            Col(key="id", title="id", priority=10),
            Col(key="kind", title="kind", priority=6),
            Col(key="title", title="title", priority=9, width=50),
            *says,
        )
        rows = tuple(
            Row(id=f"{kind} {identity}", cells=(identity, kind, title, *([text] if says else [])))
            for kind, identity, title, text in event.rows
        )
        now = self.shell.now()
        what = human.plural(len(rows), "document") + (f" with “{self._text}”" if self._text else "")
        empty = "none yet; n begins one" if not self._text else "no document contains that; F looks for other words"
        block = Table(id=TABLE, columns=columns, rows=rows, empty=empty)
        self.page.view = dataclasses.replace(self.page.view, lead=100, first=TABLE)
        self.page.show(
            SavedReport(
                report="documents", title="Documents", as_of=now, window=Window(start=now, end=now),
                headline=what, blocks=(block,),
            )
        )  # fmt: skip
        self.show_around()
        self.settle()

    def action_open(self) -> None:
        item = self.page.selected
        if item is not None and item.block == TABLE:
            kind, _, identity = item.row.partition(" ")
            self.shell.open_form(kind, identity)

    def action_new(self) -> None:
        """A new document of a kind; the nearest name counts."""
        from aether_tui.workspace.documents import KINDS

        names = list(KINDS)

        def read(said: str) -> str:
            begun = [name for name in names if said and name.startswith(said.casefold())]
            near = begun or difflib.get_close_matches(said.casefold(), names, 1)
            if not near:
                raise ConfigurationError(f"{said!r} is no kind", next_step=f"there are {', '.join(names)}")
            return near[0]

        self.ask_right("kind, such as opportunity or decision", "", read, self.shell.open_form, passing=True)
