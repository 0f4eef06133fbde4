"""Rituals, operating model and decisions: read at a glance, enter opens the document behind a row, n begins a new one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from aether_tui.actions import Where
from screens.base import ReportScreen

if TYPE_CHECKING:
    from aether_tui.workspace.document import Document
    from aether_tui.workspace.written import Edit

SINGLE = frozenset({"canvas", "lifecycle"})
"""Kinds of which there is one file."""
UNKNOWN = "unknown:"
"""Rows of events that are counted and not in the register: this and the name."""


class Papers(ReportScreen):
    """A report whose rows are documents."""

    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"papers"}
    KINDS: ClassVar[Mapping[str, str]] = {}
    """Block → kind of the documents that are its rows."""
    NEW: ClassVar[str] = ""
    """What `n` makes elsewhere."""

    def action_open(self) -> None:
        """The document behind the row as a form; details where there is none."""
        kind, identity = self._document()
        if kind and identity:
            self.shell.open_form(kind, identity)
        elif kind and kind in SINGLE:
            self.shell.open_form(kind)
        else:
            super().action_open()

    def action_new(self) -> None:
        """A new document of the kind of the table under the cursor."""
        item = self.page.selected
        kind = self.KINDS.get(item.block, self.NEW) if item is not None else self.NEW
        if kind in SINGLE:
            kind = self.NEW if self._written(kind) else kind
        if kind == "ritual":
            self.ask("name, or a template such as planning or weekly-product-sync", "", self._ritual)
        elif kind == "event" and item is not None and item.row.startswith(UNKNOWN):
            self._make("event", {"title": item.row.removeprefix(UNKNOWN)})
        else:
            self.shell.open_form(kind)

    def _document(self) -> tuple[str, str]:
        """Kind and id behind the selected row; an empty id where there is no such document yet."""
        item = self.page.selected
        kind = self.KINDS.get(item.block, "") if item is not None else ""
        if item is None or not kind or item.row.startswith(UNKNOWN):
            return "", ""
        if kind in SINGLE:
            return kind, kind if self._written(kind) else ""
        identity = item.row.partition(".")[0]
        return kind, identity if re.search(r"-\d", identity) else ""

    def _written(self, kind: str) -> bool:
        return (self.shell.workspace.engagement / f"{kind}.yaml").exists()

    def _ritual(self, said: str | None) -> None:
        if not said or not said.strip():
            return
        from aether_tui.workspace import templates
        from aether_tui.workspace.kinds.ritual import Ritual

        name = "-".join(said.casefold().split())
        known = templates.names(Ritual)
        match = next((one for one in known if one == name), next((one for one in known if one.startswith(name)), ""))
        self._make("ritual", templates.fields(Ritual, match) if match else {"title": said.strip()})

    def _make(self, kind: str, fields: Mapping[str, object]) -> None:
        """Make it, then show it as a form."""

        def opened(edit: Edit) -> None:
            self.shell.open_form(kind, edit.identity)

        self.shell.edit(self._creation(kind, fields), rebuild=self.report, done=opened)

    def _creation(self, kind: str, fields: Mapping[str, object]) -> Callable[[], Edit]:
        from aether_tui.workspace.documents import KINDS
        from aether_tui.workspace.edits import create

        def make(identity: str) -> Document:
            return KINDS[kind].model_validate({"id": identity, **fields})

        return lambda: create(self.shell.workspace, KINDS[kind], make, self.shell.now())


class Rituals(Papers):
    """What each costs, when it pays, and what it is like without money."""

    LEAD: ClassVar[int] = 2
    FIRST: ClassVar[str] = "rituals.money"
    KINDS: ClassVar[Mapping[str, str]] = {
        "rituals.money": "ritual", "rituals.index": "ritual", "rituals.sheets": "ritual", "rituals.none": "ritual",
    }  # fmt: skip
    NEW: ClassVar[str] = "ritual"
    SCOPES: ClassVar[frozenset[Where]] = Papers.SCOPES | {"rituals"}

    def action_inventory(self) -> None:
        """A draft for each meeting that interviews name and that has no sheet yet, in one stroke."""
        from screens.interview_edits import draft_rituals

        workspace, now = self.shell.workspace, self.shell.now()
        self.shell.edit(lambda: draft_rituals(workspace, now), rebuild=self.report)


class Canvas(Papers):
    """Nine boxes, and the documents behind them."""

    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = "canvas.boxes"
    KINDS: ClassVar[Mapping[str, str]] = {
        "canvas.boxes": "canvas", "canvas.rights": "decision-right", "canvas.lifecycle": "lifecycle", "canvas.matrix": "agreement",
        "canvas.agreements": "agreement", "canvas.teams": "team", "canvas.events": "event", "canvas.tools": "tool",
    }  # fmt: skip
    NEW: ClassVar[str] = "decision-right"


class Decisions(Papers):
    """What was decided and what waits, and what failures taught."""

    LEAD: ClassVar[int] = 2
    FIRST: ClassVar[str] = "decisions.ledger"
    KINDS: ClassVar[Mapping[str, str]] = {
        "decisions.ledger": "decision", "decisions.none": "decision", "decisions.postmortems": "postmortem",
        "decisions.no-postmortem": "postmortem",
    }  # fmt: skip
    NEW: ClassVar[str] = "decision"
