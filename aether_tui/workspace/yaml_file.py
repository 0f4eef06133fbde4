"""YAML from people: read safely with the line of every key, written readably with their comments kept.

Refused: tags, anchors and aliases (a page of them can expand to gigabytes), duplicate keys, more than 1 MiB.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from aether_tui.errors import ConfigurationError
from aether_tui.problems import Lines, Loc, Problem, dotted
from aether_tui.text import one_line, unseen

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.events import Event, ScalarEvent

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
WORD = 5
"""Longer plain words than `false` are text."""

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
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return _read(data.decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        raise BadYaml(Problem(file, f"not UTF-8 text (byte {error.start})", fix="save it as UTF-8")) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part) or "not understood"
        line = mark.line + 1 if mark else None
        column = f" (column {mark.column + 1})" if mark else ""
        fix = next((fix for words, fix in _MENDED.items() if words in what), "mend that line, or the one above")
        if line and (sign := unseen(data.decode("utf-8-sig").splitlines()[max(0, line - 2) : line])):
            fix = f"type the blanks there anew: one of them is a {sign}"
        raise BadYaml(Problem(file, f"broken YAML: {what}{column}", line=line, fix=fix)) from error
    except (YAMLError, ValueError) as error:
        raise BadYaml(Problem(file, f"broken YAML: {error}", fix="mend it")) from error
    except RecursionError as error:
        raise BadYaml(Problem(file, "nested too deeply", fix="a document has a handful of levels")) from error


_MENDED = {
    "'\\t'": "indent with blanks, not with tabs",
    "mapping values are not allowed": "put the text in quotes, since `: ` in it begins a value",
    "could not find expected ':'": "write `key: value`, there or on the line above",
    "found unexpected end of stream": "close the quote that is open above",
}
"""What the parser says, and what most likely mends it."""


def _read(text: str, file: str) -> tuple[object, Lines]:
    """By the parser in C where it is installed; what it does not understand the one in Python explains.

    Only the events of C are used: its composer recurses without a limit and takes the process down on hostile nesting.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    with contextlib.suppress(YAMLError):
        return _Reader(YAML(typ="safe").parse(text), file).read()
    return _Reader(YAML(typ="safe", pure=True).parse(text), file).read()


ONE_FIELD = b"theirs, the same field"
"""How our own merge names the other side, which never merges two new documents."""
_MERGE = re.compile(
    rb"^<{7} (?P<our_name>[^\n]*)\n(?P<ours>.*?)(?:^\|{7}[^\n]*\n.*?)?^={7}\r?\n(?P<theirs>.*?)^>{7} (?P<their_name>[^\n]*)",
    re.M | re.S,
)


def _unmerged(merge: re.Match[bytes], data: bytes, file: str) -> Problem:
    """What git left in a file that two people changed in the same place: both versions."""

    def shown(text: str, name: str) -> str:
        lines = one_line(merge[text].decode("utf-8", "replace"), 200) or "nothing"
        return f"`{lines}` ({one_line(merge[name].decode('utf-8', 'replace'), 60)})"

    outside = data[: merge.start()] + data[merge.end() :]
    field = merge["their_name"].startswith(ONE_FIELD)
    if not field and re.fullmatch(
        rb"\s*(?:id:[^\n]*)?\s*", outside
    ):  # both made one: they are two things, and none of them may go
        return Problem(
            file,
            f"two new documents took the same number: {shown('ours', 'our_name')} and {shown('theirs', 'their_name')}",
            line=data.count(b"\n", 0, merge.start()) + 1,
            fix="keep one here without the lines of < = >, give the other to `aether-tui doc new`, which takes the next number",
        )
    return Problem(
        file,
        f"git could not merge two edits: {shown('ours', 'our_name')} or {shown('theirs', 'their_name')}",
        line=data.count(b"\n", 0, merge.start()) + 1,
        fix=f"keep one, take the lines of < = > out, then `git add {file}`",
    )


class _Reader:
    """Builds plain values from parsing events, noting lines and refusing what people do not need."""

    def __init__(self, events: Iterator[Event], file: str) -> None:
        from ruamel.yaml import YAML
        from ruamel.yaml import events as kinds

        self._kinds = kinds
        self._events = events
        self._file = file
        self._lines: dict[Loc, int] = {}
        self._yaml = YAML(typ="safe", pure=True)
        self._plain: dict[str, object] = {}

    def read(self) -> tuple[object, Lines]:
        """The one document of the stream, and the line of every key."""
        from ruamel.yaml.events import StreamEndEvent

        next(self._events)  # the stream begins
        if isinstance(next(self._events), StreamEndEvent):
            return None, {}
        value = self._value(next(self._events), ())
        next(self._events)  # the document ends
        more = next(self._events)
        if not isinstance(more, StreamEndEvent):
            raise self._bad("a second document begins", (), more.start_mark.line + 1, "keep one document in a file")
        return value, self._lines

    def _value(self, event: Event, loc: Loc) -> object:
        kinds = self._kinds
        line = event.start_mark.line + 1
        if not isinstance(event, (kinds.ScalarEvent, kinds.CollectionStartEvent)) or event.anchor:
            raise self._bad("anchors and aliases are not read here", loc, line, "write the value out")
        tag = event.tag or "!"
        if tag != "!" and (not tag.startswith("tag:yaml.org,2002:") or ":python" in tag):
            raise self._bad(f"the tag {tag!r} is not read here", loc, line, "write a plain value")
        if len(loc) > MAX_DEPTH:
            raise self._bad("nested too deeply", loc[:3], line, "a document has a handful of levels")
        self._lines.setdefault(loc, line)
        if isinstance(event, kinds.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, kinds.MappingStartEvent):
            return self._mapping(loc)
        values: list[object] = []
        while not isinstance(child := next(self._events), kinds.SequenceEndEvent):
            values.append(self._value(child, (*loc, len(values))))
        return values

    def _scalar(self, event: ScalarEvent) -> object:
        """The same few plain words stand in a file again and again: each is understood once."""
        value = str(event.value)
        plain = event.tag in {None, "!"}
        if plain and not event.implicit[0]:
            return value
        if plain and value in self._plain:
            return self._plain[value]
        if plain and len(value) > WORD and value[0].isalpha():
            return value
        from ruamel.yaml.nodes import ScalarNode

        tag = self._yaml.resolver.resolve(ScalarNode, value, event.implicit) if plain else event.ctag
        node = ScalarNode(tag, value, event.start_mark, event.end_mark, style=event.style)
        found: object = self._yaml.constructor.construct_object(node)
        if plain:
            self._plain[value] = found
        return found

    def _mapping(self, loc: Loc) -> dict[str, object]:
        kinds = self._kinds
        values: dict[str, object] = {}
        while not isinstance(key_event := next(self._events), kinds.MappingEndEvent):
            line = key_event.start_mark.line + 1
            if not isinstance(key_event, kinds.ScalarEvent) or key_event.value == "<<":
                raise self._bad("a key is plain text", loc, line, "write a plain key")
            key = str(key_event.value)
            here = (*loc, key)
            if key in values:
                raise self._bad("the key stands twice", here, line, "keep one of the two")
            self._lines[here] = line
            values[key] = self._value(next(self._events), here)
        return values

    def _bad(self, what: str, loc: Loc, line: int, fix: str) -> BadYaml:
        return BadYaml(Problem(self._file, what, dotted(loc), line, fix))


def write_yaml(new: dict[str, object], old: bytes | None = None, before: Mapping[str, object] | None = None) -> bytes:
    """`new` as YAML in its own key order; where `old` is the file's present text, its comments, layout and line ends are kept.

    `before` is what `old` says, where that is known: then only what differs is written anew.
    """
    mark, ends, text = _taken_apart(old or b"")
    return mark + _written(new, text, before).replace(b"\n", ends)


def _taken_apart(data: bytes) -> tuple[bytes, bytes, bytes]:
    """The byte order mark of a file, how its lines end, and the rest with plain line ends, the last one, too."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    mark = data[: len(data) - len(text)]
    ends = b"\r\n" if b"\r\n" in text and b"\n" not in text.replace(b"\r\n", b"") else b"\n"
    text = text.replace(ends, b"\n")
    if text and not text.endswith(b"\n") and not _IN_BLOCK.search(text):
        text += b"\n"
    return mark, ends, text


_IN_BLOCK = re.compile(rb"[|>][+-]?[1-9]?[ \t]*(?:#[^\n]*)?\n")
"""Where a text begins whose end may be the file's: a line end more is a part of it."""


def _written(new: dict[str, object], old: bytes, before: Mapping[str, object] | None) -> bytes:
    if old and before is not None:
        from aether_tui.workspace.splice import spliced

        text = spliced(old.decode(), before, new, lambda part: _dumped(_styled(part)).decode())
        if text is not None:
            return text.encode()
    plain = _dumped(_styled(new))
    if b"#" not in old:
        return _dumped(_over(old, new)) if old else plain
    # A comment below a text can become a part of it, whatever its indent; then the text is quoted.
    texts = (_dumped(_over(old, new, blocks=blocks)) for blocks in (True, False))
    return next((text for text in texts if _said(text) == _said(plain)), plain)


def _said(text: bytes) -> object:
    with contextlib.suppress(BadYaml):
        return read_yaml(text, "")[0]
    return None


def _over(old: bytes, new: dict[str, object], *, blocks: bool = True) -> object:
    """`new` with the comments and layout of `old`."""
    from ruamel.yaml.comments import CommentedMap

    target: object = _writer().load(old.decode())
    if not isinstance(target, CommentedMap):
        return _styled(new)
    _update(target, new, blocks=blocks)
    return target


def _writer() -> YAML:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.width = 120
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.ignore_aliases = lambda _value: True  # one date in two places is written twice
    return yaml


def _dumped(target: object) -> bytes:
    out = io.BytesIO()
    _writer().dump(target, out)
    return out.getvalue()


def _update(target: CommentedMap, new: dict[str, object], *, blocks: bool) -> None:
    """Make `target` say what `new` says; a new key goes behind the one it follows in `new`."""
    from ruamel.yaml.comments import CommentedMap

    for key in [key for key in target if key not in new]:
        del target[key]
    before: str | None = None
    for key, value in new.items():
        present = target.get(key)
        if isinstance(present, CommentedMap) and isinstance(value, dict):
            _update(present, value, blocks=blocks)
        elif key not in target:
            target.insert(0 if before is None else list(target).index(before) + 1, key, _styled(value, blocks=blocks))
        elif present != value or _fragile(value):
            target[key] = _styled(value, blocks=blocks)
        before = key


def _fragile(value: object) -> bool:
    """Whether a text in it must be quoted by us, however it stood before."""
    if isinstance(value, str):
        return bool(_QUOTED.search(value))
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(_fragile(one) for one in inner)


_QUOTED = re.compile(r"[\x85\u2028\u2029]|\n\n\Z|\A(?=[^\n]{80})[^\n]*  [^\n]*\Z")
"""Other line breaks, which read back as a space, empty lines at the end, which a comment below would add to, and long lines with
several blanks, which would be one where the line is broken."""
_BLOCK = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff][^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*"
)
"""What reads back from a block as it was; other text is quoted."""


def _styled(value: object, *, blocks: bool = True) -> object:
    """Long text as a block (or quoted), numbers of a range on one line, 5 instead of 5.0: as a person would write it."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _fragile(value):
        return DoubleQuotedScalarString(value)
    if isinstance(value, str) and "\n" in value and not blocks:
        return DoubleQuotedScalarString(value)
    if isinstance(value, str) and "\n" in value and _BLOCK.fullmatch(value):
        return LiteralScalarString(value)
    if isinstance(value, Mapping):
        return CommentedMap({key: _styled(item, blocks=blocks) for key, item in value.items()})
    if isinstance(value, list | tuple):
        sequence = CommentedSeq([_styled(item, blocks=blocks) for item in value])
        if all(isinstance(item, int | float) for item in value):
            sequence.fa.set_flow_style()
        return sequence
    return value
