"""Any document as a form: one field per line, what it means under the cursor, each value on disk before the next key."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, ClassVar

from aether_tui.actions import Where
from aether_tui.errors import ConfigurationError
from aether_tui.report_model import Block, Col, Gap, Row, SavedReport, State, Table, Window
from aether_tui.room import HIDDEN
from screens.form_file import FormFile, name_of
from screens.widgets.page import Page
from screens.widgets.spans import clean

if TYPE_CHECKING:
    from aether_tui.workspace.document import Document
    from aether_tui.workspace.fields import Field
    from aether_tui.workspace.fields import Path as FieldPath
    from aether_tui.workspace.store import Conflict
    from screens.unstored import Unstored

MONEY = re.compile(r"usd|cost|price|money|salary|budget|amount|per_hour|day_rate", re.I)
"""Fields that hold money, by their names."""
ENTRY = re.compile(r"\[(\d+)\]")
TABLE = "form"
TYPED = frozenset({"line", "number", "score", "date", "choice", "flag"})
"""Values that are typed on one line."""


class Form(FormFile):
    """A document of any kind. A new one is made as soon as everything required has been said."""

    SCOPES: ClassVar[frozenset[Where]] = FormFile.SCOPES | {"form"}
    READS: ClassVar[bool] = True

    def __init__(self, kind: str, identity: str | None, tab: str = "") -> None:
        super().__init__(kind, identity)
        self.TAB = tab
        self._opened: set[FieldPath] = set()
        self._fields: dict[str, Field] = {}
        self._open: list[str] = []
        self._warned = False

    # --- drawing -------------------------------------------------------------------------------------

    def about(self) -> tuple[str, str]:
        return self._title(), "Every field of this document, saved as soon as it is set"

    def note(self) -> str:
        keep = f"/{self.page.view.keep} · " if self.page.view.keep else ""
        return keep + ("saved" if self._stored is not None and not self._sets else "not stored yet")

    def draw(self) -> None:
        """Draw the form as it stands."""
        self._warned = False
        blocks: list[Block] = []
        if self._conflict is not None:
            blocks.append(self._choice(self._conflict))
        if self._error is not None:
            step = self._error.next_step or "ctrl+o opens the file in the editor"
            blocks.append(Gap(id="error", title=clean(self._error.where), reason=self._error.what, next_step=step))
        hidden = self.shell.room() and self._model is not None and self._model.PRIVATE
        if hidden:
            blocks = [Gap(id="room", title="Hidden", reason="this document is not shown in room mode", next_step="R")]
        elif self._model is not None and (self._error is None or self._stored is not None):
            blocks.append(self._table(self._model))
        now = self.shell.now()
        report = SavedReport(
            report="form", title=self._title(), as_of=now, window=Window(start=now, end=now),
            headline=self._title(), blocks=tuple(blocks),
        )  # fmt: skip
        self.page.view = dataclasses.replace(self.page.view, lead=100, first=TABLE, open_as="detail")
        self.page.show(report)
        self._describe()
        self.show_around()

    def _table(self, model: type[Document]) -> Table:
        from aether_tui.workspace.fields import fields

        rows = list(fields(model, self._data, self._opened))
        self._fields = {name_of(field.path): field for field in rows}
        lacks = [ENTRY.sub(r".\1", one) for one in self.lacks()]
        self._open = [name for name, field in self._fields.items() if field.missing or name in lacks]
        columns = (Col(key="field", title="field", priority=9), Col(key="value", title="value", priority=10, width=90))
        return Table(id=TABLE, columns=columns, rows=tuple(self._row(field) for field in rows))

    def _row(self, field: Field) -> Row:
        name = name_of(field.path)
        fault = self._faults.get(name, "")
        state: State | None = "block" if fault else "warn" if name in self._open else None
        hidden = self.shell.room() and MONEY.search(name) and field.value is not None
        value = HIDDEN if hidden else field.shown() or ("still to be said" if name in self._open else "·")
        lines = [f"■ {fault}"] if fault else []
        lines += [clean(line) for line in field.help.split("\n") if line]
        if field.choices:
            lines.append("   ".join(f"{n} {choice}" for n, choice in enumerate(field.choices, 1)))
        lines.append(_hint(field))
        return Row(id=name, cells=(_indent(field) + field.label, clean(value)), state=state, detail="\n".join(lines))

    def _choice(self, conflict: Conflict) -> Gap:
        names = f"theirs is {conflict.theirs.name}, yours is {conflict.ours.name}"
        return Gap(
            id="conflict",
            title="Somebody changed this document meanwhile",
            reason=f"Nothing was overwritten: {names}.",
            next_step="1 yours, 2 theirs, 3 both in the editor; the version not chosen is kept in .aether/removed/",
        )

    def _describe(self) -> None:
        item = self.page.selected
        if item is not None and self.page.view.open_id != item.id:
            self.page.look(open_id=item.id)

    def on_page_selected(self, event: Page.Selected) -> None:
        event.stop()
        self._warned = False
        self._describe()

    def close(self) -> bool:
        """Close the filter; then the form itself is left, and by a second escape what was said and is not stored."""
        if self.page.view.keep:
            self.page.look(keep="")
            self.show_around()
        elif self._sets and not self._warned:
            self._warned = True
            lacking = ", ".join(field.label for field in self._fields.values() if field.missing)
            self.shell.say(f"▲ not stored: {lacking} still to be said (tab); esc again forgets what was said")
        else:
            self._sets = []
            return False
        return True

    def _title(self) -> str:
        if self._stored is None:
            return f"New {self._kind.replace('-', ' ')}" if self._identity is None else self._identity
        if self.shell.room() and self._stored.document.PRIVATE:
            return self._stored.document.id
        named = getattr(self._stored.document, "title", "") or getattr(self._stored.document, "goal", "")
        return f"{self._stored.document.id}  {clean(str(named))}".rstrip()

    # --- what keys do --------------------------------------------------------------------------------------------

    @property
    def field(self) -> Field | None:
        """The field under the cursor."""
        item = self.page.selected
        if self.shell.room() and self._model is not None and self._model.PRIVATE:
            return None
        return self._fields.get(item.row) if item is not None and item.block == TABLE else None

    def resume(self, left: Unstored) -> None:
        self._opened.update(path[:depth] for path, _ in left.sets for depth in range(2, len(path) + 1))
        self.draw()
        field = self._fields.get(name_of(left.at)) or self._entry(left.at)
        if field is not None and left.typed:
            self.page.select(f"{TABLE}/{name_of(left.at)}")
            self._ask(field, left.typed)
        else:  # hidden in room mode
            self._typing = (left.at, left.typed) if left.typed else None
            self.action_next()

    def _entry(self, path: FieldPath) -> Field | None:
        """An entry that is still to be added to a list or table on the page."""
        from aether_tui.workspace.fields import item_field

        holder = self._fields.get(name_of(path[:-1]))
        return item_field(holder, path[-1]) if holder is not None and holder.kind in {"list", "table"} else None

    def action_edit(self) -> None:
        field = self.field
        if field is None:
            return
        if field.kind == "entry":
            self._opened ^= {field.path}
            self.draw()
        elif field.kind in {"list", "table"}:
            self.action_add()
        elif field.kind == "group" and field.value is None:
            self._set(field.path, {})
        elif field.kind == "other":
            self.action_editor()
        else:
            self._ask(field)

    def action_choose(self, digit: int) -> None:
        if self._conflict is not None:
            self._settle(digit)
            return
        field = self.field
        if field is None:
            return
        if field.choices:
            if 0 < digit <= len(field.choices):
                self._set(field.path, _choice_value(field, field.choices[digit - 1]))
            else:
                self.shell.say(f"1 to {len(field.choices)} choose")
        elif field.kind == "score":
            self._set(field.path, 10 if digit == 0 and field.high == 10 and field.low > 0 else digit)
        elif field.kind in TYPED:
            self._ask(field, str(digit))
        else:
            self.shell.say(_hint(field))

    def action_cycle(self) -> None:
        field = self.field
        if field is not None and field.choices:
            at = field.choices.index(field.shown()) if field.shown() in field.choices else -1
            self._set(field.path, _choice_value(field, field.choices[(at + 1) % len(field.choices)]))

    def action_add(self) -> None:
        from aether_tui.workspace.fields import item_field

        field = self.field
        while field is not None and field.kind not in {"list", "table"} and len(field.path) > 1:
            field = self._fields.get(name_of(field.path[:-1]))
        if field is None or field.kind not in {"list", "table"}:
            self.shell.say("only lists have entries to add; stand on one first")
        elif field.kind == "list":
            size = len(field.value) if isinstance(field.value, list | tuple) else 0
            self._add(item_field(field, size))
        else:
            self.ask(
                f"name of the new entry of {field.label}",
                "",
                lambda key: self._add(item_field(field, key.strip())) if key else None,
            )

    def _add(self, entry: Field) -> None:
        if entry.kind in {"group", "entry"}:
            self._opened.add(entry.path)
            self._set(entry.path, {})
        else:
            self._ask(entry)

    def action_clear(self) -> None:
        field = self.field
        if field is None:
            return
        if field.required:
            self.shell.say(f"{field.label} is required; type another value")
        elif field.value is not None:
            self._set(field.path, None)

    def action_next(self) -> None:
        """The first field that is required, else the next one that is lacking; asked at once where it is typed."""
        if not self._open:
            self.shell.say("everything that is needed has been said")
            return
        here = self.field
        self._go_on(list(self._fields).index(name_of(here.path)) if here is not None else -1)

    def begin(self) -> None:
        if self._open:
            self._go_on(-1)
        else:
            self.shell.say("nothing is required: what you set first makes the document")

    def _go_on(self, at: int) -> None:
        """To the first field that is required, else the first one behind `at` that is lacking."""
        names = list(self._fields)
        required = (name for name in self._open if self._fields[name].missing)
        later = (name for name in self._open if names.index(name) > at)
        name = next(required, None) or next(later, self._open[0])
        self.page.select(f"{TABLE}/{name}")
        self._describe()
        field = self._fields[name]
        if field.kind in {"line", "number", "date", "prose"}:
            self._ask(field)
        elif field.missing and field.kind in {"list", "table"}:
            self.action_add()

    def _ask(self, field: Field, begun: str | None = None) -> None:
        from aether_tui.workspace.fields import parse, plain

        def read(text: str) -> tuple[str, object]:
            value = parse(field, text, self.shell.now().date()) if text.strip() else None
            if value is not None and (wrong := self.wrong(field.path, value)):
                raise ConfigurationError(wrong)
            return text, value

        def changes(text: str, value: object) -> bool:
            unchanged = text == before and begun is None and field.value is not None
            return not unchanged and not (value is None and (field.required or isinstance(field.path[-1], int)))

        def typed(text: str) -> None:
            self._typing = (field.path, text) if text.strip() and (text != before or begun) else None

        def given_up() -> None:
            self._typing = None

        def done(said: tuple[str, object]) -> None:
            self._typing = None
            if changes(*said):
                self._set(field.path, said[1])

        def left(text: str) -> None:
            value = text.strip("\n")
            if value and changes(text, value):
                self.written(field.path, value)

        before = plain(field.value)
        label = field.prompt or field.label
        if field.kind == "prose":
            from screens.prose import Prose

            self.shell.hold_keys()
            kept = lambda text: None if text is None else done((text, text.strip("\n") or None))  # noqa: E731
            text, name = before if begun is None else begun, self._identity or f"New {self._kind.replace('-', ' ')}"
            title = f"{name} · {clean(label)}"
            self.app.push_screen(Prose(title, clean(field.help), text, self.shell.release_keys, kept, left))
            return
        if field.kind == "date" and not before:
            before = self.shell.now().date().isoformat()
        if begun is not None:
            typed(begun)
        self.ask_right(
            clean(label), before if begun is None else begun, read, done,
            changed=typed, given_up=given_up, goes_on=begun is not None, passing=True,
        )  # fmt: skip


def _indent(field: Field) -> str:
    """`└ ` for what is inside something, longer for deeper; blanks would be wrapped away."""
    return f"└{'─' * (field.depth - 1)} " if field.depth else ""


def _choice_value(field: Field, choice: str) -> object:
    return choice == "yes" if field.kind == "flag" else choice


_HINTS: dict[str, str] = {
    "line": "↵ type it",
    "prose": "↵ write it",
    "choice": "a digit or space chooses",
    "flag": "space switches it",
    "number": "↵ type it",
    "date": "↵ type it, as 2026-11-21 or today",
    "list": "n adds one",
    "table": "n adds one",
    "entry": "↵ opens it; del removes it",
    "other": "ctrl+o opens the file in your editor",
}


def _hint(field: Field) -> str:
    """What keys do to this field."""
    if field.kind == "score":
        return f"a digit sets it, {field.low} to {field.high}; ↵ types it{', also as low, likely, high' * field.ranged}"
    if field.kind == "group":
        return "↵ adds it" if field.value is None else "del removes it"
    hint = _HINTS[field.kind] + "; three numbers are low, likely, high" * (field.kind == "number" and field.ranged)
    optional = field.value is not None and not field.required and field.kind in TYPED | {"prose"}
    return f"{hint}; del clears it" if optional else hint
