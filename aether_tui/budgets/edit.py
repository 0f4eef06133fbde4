"""Edits of budgets.yaml by the program: people's comments, order and layout stay as they are."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from aether_tui.budgets.file import BudgetFile, parse_budgets
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from ruamel.yaml import YAML

Item = Mapping[str, object]


def next_id(file: BudgetFile, today: date) -> str:
    """`W-2026-012`: the next free one of this year."""
    taken = [int(match[1]) for one in file.waivers if (match := re.fullmatch(rf"W-{today.year}-(\d+)", one.id))]
    return f"W-{today.year}-{max(taken, default=0) + 1:03}"


def with_waiver(data: bytes, shown: str, waiver: Mapping[str, str | date], today: date) -> bytes:
    """The text of a budgets file with a waiver more, checked as the gate will read it. Raises ConfigurationError."""
    parse_budgets(data, shown, today)
    changed = _inserted(data, "waivers", waiver)
    read = parse_budgets(changed, shown, today)
    if waiver["id"] not in {one.id for one in read.waivers}:
        raise ConfigurationError("the waiver could not be added", where=shown, next_step="add it by hand")
    return changed


def with_budget(data: bytes, shown: str, budget: Item, today: date) -> bytes:
    """The text of a budgets file with a budget more, checked as the gate will read it. Raises ConfigurationError."""
    changed = _inserted(data, "budgets", budget)
    if budget["id"] not in {one.id for one in parse_budgets(changed, shown, today).budgets}:
        raise ConfigurationError("the budget could not be added", where=shown, next_step="add it by hand")
    return changed


def with_limit(data: bytes, shown: str, identity: str, limit: str, today: date) -> bytes:
    """The text of a budgets file with another limit for one budget; nothing else of it changes.

    Raises ConfigurationError where it could not be done.
    """
    text = data.decode("utf-8-sig")
    changed = _limited(text, identity, limit).encode()
    before, after = (parse_budgets(one, shown, today).budgets for one in (data, changed))
    if [one.limit for one in before if one.id != identity] != [one.limit for one in after if one.id != identity]:
        raise ConfigurationError("the limit could not be written", where=shown, next_step="write it by hand")
    return changed


def _limited(text: str, identity: str, limit: str) -> str:
    root = _yaml().compose(text)
    items = next(value for key, value in root.value if key.value == "budgets").value
    pairs, flow = next(
        (item.value, item.flow_style)
        for item in items
        if any(key.value == "id" and value.value == identity for key, value in item.value)
    )
    values = {key.value: (key, value) for key, value in pairs}
    if "limit" in values:
        value = values["limit"][1]
        return text[: value.start_mark.index] + limit + text[value.end_mark.index :]
    key, value = values["metric"]
    if flow:
        return f"{text[: value.end_mark.index]}, limit: {limit}{text[value.end_mark.index :]}"
    end = text.find("\n", value.end_mark.index)
    end = len(text) if end < 0 else end - (text[end - 1] == "\r")
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text[:end]}{newline}{' ' * key.start_mark.column}limit: {limit}{text[end:]}"


def _inserted(data: bytes, name: str, item: Item) -> bytes:
    """The text with the item at the end of its list; no other character changes, so nothing is dumped anew."""
    text = data.decode("utf-8-sig")
    yaml = _yaml()
    document = yaml.load(text)
    present = document.get(name)
    if present and present.fa.flow_style():
        return _inline(yaml, text, name, item).encode()
    heading = re.compile(rf"^{name}:[ \t]*(?:\[[ \t]*\])?[ \t]*(?:#.*)?$")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    start = next((place for place, line in enumerate(lines) if heading.match(line)), None)
    if start is None:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", f"{name}:"]
        start, dash = len(lines) - 1, 2
    else:
        lines[start] = re.sub(r"\[[ \t]*\]", "", lines[start]).rstrip() if not present else lines[start]
        dash = present.lc.item(0)[1] - 2 if present else 2
    end = _end(lines, start, dash) if present else start + 1
    lines[end:end] = _block(yaml, item, dash)
    return (newline.join(lines) + newline).encode()


def _inline(yaml: YAML, text: str, name: str, item: Item) -> str:
    """The item before the bracket that closes the list."""
    from ruamel.yaml.comments import CommentedMap

    one = CommentedMap(item)
    one.fa.set_flow_style()
    node = next(value for key, value in yaml.compose(text).value if key.value == name)
    closing = node.end_mark.index - 1
    body = text[:closing].rstrip().removesuffix(",")
    return f"{body}, {_dumped(yaml, one).decode().strip()}{text[closing:]}"


def _end(lines: list[str], start: int, dash: int) -> int:
    """The line behind the last item of a block list; comments and empty lines behind it belong to what follows."""
    end = start + 1
    for place in range(start + 1, len(lines)):
        line = lines[place]
        depth = len(line) - len(line.lstrip())
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if depth < dash or (depth == dash and not line.lstrip().startswith("-")):
            break
        end = place + 1
    return end


def _block(yaml: YAML, item: Item, dash: int) -> list[str]:
    lines = _dumped(yaml, dict(item)).decode().splitlines()
    return [" " * dash + ("- " if place == 0 else "  ") + line for place, line in enumerate(lines)]


def _yaml() -> YAML:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4000
    yaml.allow_unicode = True
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(yaml: YAML, value: object) -> bytes:
    out = io.BytesIO()
    yaml.dump(value, out)
    return out.getvalue()
