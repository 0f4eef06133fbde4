"""YAML from people: read safely with the line of every key, written readably with their comments kept.

Refused: tags, anchors and aliases (a page of them can expand to gigabytes), duplicate keys, more than 1 MiB.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from aether_tui.errors import ConfigurationError
from aether_tui.problems import Lines, Loc, Problem, dotted
from aether_tui.text import one_line

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.nodes import Node

MAX_BYTES = 1 << 20
MAX_DEPTH = 50

Plain = None | bool | int | float | str | object
"""A scalar as YAML says it (dates are `datetime.date`), or lists and dictionaries of them."""


class BadYaml(ConfigurationError):
    """The file is not YAML we accept; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what, where=problem.where, next_step=problem.fix)
        self.problem = problem


def read_yaml(data: bytes, file: str) -> tuple[object, Lines]:
    """The content of a YAML file and the line of each key. Raises BadYaml."""
    if len(data) > MAX_BYTES:
        raise BadYaml(
            Problem(file, f"larger than {MAX_BYTES >> 20} MiB", fix="a document of this kind is a page or two")
        )
    if re.search(rb"(?:[\[{]\s*){%d}" % MAX_DEPTH, data):  # the parser takes seconds to fail on these
        raise BadYaml(Problem(file, "nested too deeply", fix="a document has a handful of levels"))
    if merge := _MERGE.search(data):
        raise BadYaml(_unmerged(merge, data, file))
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(data.decode("utf-8-sig"))
        reader = _Reader(yaml, file)
        return (reader.build(node, ()) if node is not None else None), reader.lines
    except UnicodeDecodeError as error:
        raise BadYaml(Problem(file, f"not UTF-8 text (byte {error.start})", fix="save it as UTF-8")) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part) or "not understood"
        line = mark.line + 1 if mark else None
        column = f" (column {mark.column + 1})" if mark else ""
        raise BadYaml(Problem(file, f"broken YAML: {what}{column}", line=line, fix="mend that line")) from error
    except (YAMLError, ValueError) as error:
        raise BadYaml(Problem(file, f"broken YAML: {error}", fix="mend it")) from error
    except RecursionError as error:
        raise BadYaml(Problem(file, "nested too deeply", fix="a document has a handful of levels")) from error


_MERGE = re.compile(
    rb"^<{7} (?P<our_name>[^\n]*)\n(?P<ours>.*?)(?:^\|{7}[^\n]*\n.*?)?^={7}\r?\n(?P<theirs>.*?)^>{7} (?P<their_name>[^\n]*)",
    re.M | re.S,
)


def _unmerged(merge: re.Match[bytes], data: bytes, file: str) -> Problem:
    """What git left in a file that two people changed in the same place: both versions."""

    def shown(text: str, name: str) -> str:
        lines = one_line(merge[text].decode("utf-8", "replace"), 200) or "nothing"
        return f"`{lines}` ({one_line(merge[name].decode('utf-8', 'replace'), 60)})"

    return Problem(
        file,
        f"git could not merge two edits: {shown('ours', 'our_name')} or {shown('theirs', 'their_name')}",
        line=data.count(b"\n", 0, merge.start()) + 1,
        fix=f"keep one, take the lines of < = > out, then `git add {file}`",
    )


class _Reader:
    """Builds plain values from YAML nodes, noting lines and refusing what people do not need."""

    def __init__(self, yaml: YAML, file: str) -> None:
        self.lines: dict[Loc, int] = {}
        self._yaml = yaml
        self._file = file
        self._seen: set[int] = set()

    def build(self, node: Node, loc: Loc) -> object:
        from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

        line = node.start_mark.line + 1
        if id(node) in self._seen or node.anchor:
            raise self._bad("anchors and aliases are not read here", loc, line, "write the value out")
        self._seen.add(id(node))
        if not str(node.tag).startswith("tag:yaml.org,2002:") or ":python" in str(node.tag):
            raise self._bad(f"the tag {str(node.tag)!r} is not read here", loc, line, "write a plain value")
        if len(loc) > MAX_DEPTH:
            raise self._bad("nested too deeply", loc[:3], line, "a document has a handful of levels")
        self.lines.setdefault(loc, line)
        if isinstance(node, ScalarNode):
            value: object = self._yaml.constructor.construct_object(node)
            return value
        if isinstance(node, SequenceNode):
            return [self.build(child, (*loc, place)) for place, child in enumerate(node.value)]
        if isinstance(node, MappingNode):
            return self._mapping(node, loc)
        raise self._bad("not a value", loc, line, "write a plain value")

    def _mapping(self, node: Node, loc: Loc) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, child in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            here = (*loc, key)
            if key in values:
                raise self._bad("the key stands twice", here, line, "keep one of the two")
            if key_node.id != "scalar" or key == "<<":
                raise self._bad("a key is plain text", loc, line, "write a plain key")
            self.lines[here] = line
            values[key] = self.build(child, here)
        return values

    def _bad(self, what: str, loc: Loc, line: int, fix: str) -> BadYaml:
        return BadYaml(Problem(self._file, what, dotted(loc), line, fix))


def write_yaml(new: dict[str, object], old: bytes | None = None) -> bytes:
    """`new` as YAML in its own key order; where `old` is the file's present text, its comments and layout are kept."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML(typ="rt", pure=True)
    yaml.width = 120
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.ignore_aliases = lambda _value: True  # one date in two places is written twice
    target: object = yaml.load(old.decode("utf-8-sig")) if old else None
    if isinstance(target, CommentedMap):
        _update(target, new)
    else:
        target = _styled(new)
    out = io.BytesIO()
    yaml.dump(target, out)
    return out.getvalue()


def _update(target: CommentedMap, new: dict[str, object]) -> None:
    """Make `target` say what `new` says; a new key goes behind the one it follows in `new`."""
    from ruamel.yaml.comments import CommentedMap

    for key in [key for key in target if key not in new]:
        del target[key]
    before: str | None = None
    for key, value in new.items():
        present = target.get(key)
        if isinstance(present, CommentedMap) and isinstance(value, dict):
            _update(present, value)
        elif key not in target:
            target.insert(0 if before is None else list(target).index(before) + 1, key, _styled(value))
        elif present != value:
            target[key] = _styled(value)
        before = key


def _styled(value: object) -> object:
    """Long text as a block, numbers of a range on one line, 5 instead of 5.0: as a person would write it."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and "\n" in value:
        return LiteralScalarString(value)
    if isinstance(value, dict):
        return CommentedMap({key: _styled(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        sequence = CommentedSeq([_styled(item) for item in value])
        if all(isinstance(item, int | float) for item in value):
            sequence.fa.set_flow_style()
        return sequence
    return value
