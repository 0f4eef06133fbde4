"""The Markdown face of an authored document: everything in it, readable without us, its links to other pages alive."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel

from aether_tui.diagnostics.registry import REPORTS
from aether_tui.human import NONE, key_words, number
from aether_tui.reports.markdown import escape
from aether_tui.stats.cells import Cell
from aether_tui.workspace.document import NUMBER, Document

if TYPE_CHECKING:
    from aether_tui.workspace.documents import Documents

_ID = re.compile(rf"(?<![\w-])[A-Za-z]+-{NUMBER}(?![\w-])")


_REPORT = re.compile(r"`?aether-tui report ([a-z-]+)`?")
HANDBOOK = (
    "north-star", "canvas", "lifecycle", "team", "ritual", "decision-right", "agreement", "decision", "playbook", "postmortem",
    "onboarding", "event", "tool",
)  # fmt: skip
"""Kinds a handbook is made of."""


UNITS = {"_s": "s", "_h": "h", "_usd": "USD", "_minutes": "min", "_weeks": "weeks"}
"""Endings of keys that are units."""


ABBREVIATED = {
    "sd": "standard deviation", "mde": "smallest effect to detect", "icc": "likeness within a unit",
    "cuped_r2": "share explained by earlier behaviour", "alpha": "false alarm rate", "min_effect": "smallest effect that counts",
}  # fmt: skip
"""Keys that only we read, as words."""


def papers(documents: Documents, only: Collection[str] | None = None) -> dict[str, str]:
    """File name → page, of every document (of some kinds) that may leave the workspace."""
    from aether_tui.workspace import links
    from aether_tui.workspace.documents import KINDS

    shown = {
        one.id: (name, one.public())
        for name in KINDS
        if (only is None or name in only) and KINDS.place(name, documents.workspace).exists() and exported(KINDS[name])
        for one in documents.of(KINDS[name])
    }
    back: dict[str, list[str]] = {}
    for link in links.every(documents):
        if link.source in shown and link.source not in back.setdefault(link.target, []):
            back[link.target].append(link.source)
    return {f"{key}.md": render(one, name, shown, back.get(key, ())) for key, (name, one) in shown.items()}


def exported(kind: type[Document]) -> bool:
    """Whether documents of a kind go into a pack: of a private one only what it says itself may be seen."""
    return not kind.PRIVATE or kind.public is not Document.public


def title(document: Document) -> str:
    """What an index shows of a document."""
    return str(getattr(document, "title", "") or getattr(document, "goal", "") or "")


def render(document: Document, kind: str, known: Collection[str] = (), back: Sequence[str] = ()) -> str:
    """The page, ending in a new line. Ids in `known` become links; `back` are documents that name this one."""
    name = title(document)
    lines = [
        f"# {escape(document.id)}{': ' + escape(name) if name else ''}",
        "",
        f"*{escape(kind.replace('-', ' '))}*",
        "",
    ]
    brief, long = [], []
    for key, field in type(document).model_fields.items():
        value = getattr(document, key)
        if (
            key in {"id", "title"}
            or value in ("", None, [], {})
            or (not field.is_required() and value == field.default and key != "currency")
        ):
            continue
        numbers = isinstance(value, list) and all(isinstance(item, int | float) for item in value)
        if (isinstance(value, BaseModel | Mapping | list) and not numbers) or (
            isinstance(value, str) and len(value) > 120
        ):
            long += [f"## {_label(key)}", "", *_section(value, known), ""]
        else:
            brief.append(f"- **{_label(key)}:** {_text(value, known)}{_meaning(value, field.description or '')}")
    lines += [*brief, "", *long] if brief else long
    if lacks := document.lacks():
        lines += [f"Not written yet: {escape(', '.join(map(key_words, lacks)))}.", ""]
    if back:
        lines += [f"Named by {', '.join(_text(one, known) for one in back)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _meaning(value: object, said: str) -> str:
    """What a number stands for, where the description of its field lists it: `4 agent flow, 5 product`."""
    found = re.search(rf"\b{value} ([a-z][a-z ]+)", said) if type(value) is int else None
    return f" ({found[1]})" if found else ""


def _label(key: str) -> str:
    key = ABBREVIATED.get(key, key)
    for ending, unit in UNITS.items():
        if key.endswith(ending):
            return f"{escape(key.removesuffix(ending).replace('_', ' ').capitalize())}, {unit}"
    return escape(key.replace("_", " ").capitalize())


def _section(value: object, known: Collection[str]) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for key in type(value).model_fields:
            inner = getattr(value, key)
            if inner not in ("", None, [], {}):
                items = inner if isinstance(inner, list) else [inner]
                yield f"- {_label(key)}: {'; '.join(_text(item, known) for item in items)}"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield f"- **{escape(str(key))}:** {_text(item, known)}"
    elif isinstance(value, list) and all(isinstance(item, BaseModel) for item in value):
        yield from _rows(value, known)
    elif isinstance(value, list):
        yield from (f"- {_text(item, known)}" for item in value)
    else:
        yield from (_text(line, known) for line in str(value).split("\n"))


def _rows(items: Sequence[BaseModel], known: Collection[str]) -> Iterator[str]:
    keys = [
        key
        for key in type(items[0]).model_fields
        if any(getattr(item, key) not in ("", None, [], {}) for item in items)
    ]
    yield "| " + " | ".join(_label(key) for key in keys) + " |"
    yield "|" + " --- |" * len(keys)
    for item in items:
        yield "| " + " | ".join(_text(getattr(item, key), known) for key in keys) + " |"


def _text(value: object, known: Collection[str]) -> str:
    """A value on one line."""
    if isinstance(value, Cell):
        return f"{number(value.value)} ({escape(value.words())})"
    if isinstance(value, BaseModel):
        pairs = ((key, getattr(value, key)) for key in type(value).model_fields)
        return ", ".join(f"{_label(key)} {_text(item, known)}" for key, item in pairs if item not in ("", None, [], {}))
    if isinstance(value, tuple) and len(value) == 3 and all(isinstance(item, float) for item in value):
        return f"{number(value[1])} ({number(value[0])} to {number(value[2])})"
    if isinstance(value, list | tuple):
        return "; ".join(_text(item, known) for item in value) or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    said = _REPORT.sub(
        lambda found: f"the page {REPORTS[found[1]].title}" if found[1] in REPORTS else found[0], str(value or "")
    )
    text = escape(said, 20_000)
    return _ID.sub(lambda found: f"[{found[0]}]({found[0]}.md)" if found[0] in known else found[0], text) or NONE
