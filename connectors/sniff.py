"""Looking at the beginning of a file: what text it is, which keys or columns it has, and why it may not be data."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import cast

from connectors.base import Sample

SEPARATORS = ",;\t|"
_ROWS = 50
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.S)
_BRACKET = re.compile(r'(?:[^{}\[\]"]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.S)
"""The next bracket, whatever is before it: most of a document is inside of something."""


def text_head(head: bytes) -> str:
    """The beginning as text, by byte order mark, else UTF-8; what does not decode is replaced."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8-sig", "replace")


@lru_cache(maxsize=1)  # each kind of file asks, and a long head takes milliseconds
def json_keys(head: bytes) -> tuple[str, ...]:
    """Keys of the outermost JSON object, as far as the head goes; none when it does not begin with an object."""
    text = text_head(head).lstrip()
    if not text.startswith("{"):
        return ()
    return tuple(_outer_keys(text))


def _outer_keys(text: str) -> Iterator[str]:
    depth, candidate, at = 0, "", 0
    while match := _TOKEN.search(text, at) if depth < 2 else _BRACKET.match(text, at):
        mark, at = match.group(match.lastindex or 0), match.end()
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth == 0:
                return
        elif depth == 1 and mark == ":" and candidate:
            yield candidate
        elif depth == 1:
            candidate = _text(mark)


def _text(mark: str) -> str:
    try:
        return cast("str", json.loads(mark)) if mark[0] == '"' else ""
    except ValueError:
        return ""


@lru_cache(maxsize=1)
def csv_columns(head: bytes) -> tuple[str, ...]:
    """Columns of a CSV header line (comma, semicolon, tab or bar); none when the first line is not one."""
    text = text_head(head).lstrip("\r\n")
    line = text.splitlines()[0] if text else ""
    if line.startswith("{") or "\x00" in line or not set(SEPARATORS) & set(line):
        return ()
    columns = next(csv.reader([line], delimiter=separator(line)), [])
    return tuple(column.strip() for column in columns)


def columns_of(head: bytes) -> tuple[str, ...]:
    """Keys of the first JSON object, be it the first of a list, else columns of a CSV header."""
    return json_keys(head.lstrip().removeprefix(b"[")) or csv_columns(head)


def separator(beginning: str) -> str:
    """What separates the cells of a table: the sign by which its first rows have as many cells as its header, and most of them."""

    def fits(sign: str) -> tuple[float, int]:
        rows = csv.reader(islice(io.StringIO(beginning, newline=""), _ROWS), delimiter=sign)
        widths = [len(row) for row in rows if row][: _ROWS - 1]  # the last may go on
        columns, *others = widths or [0]
        return (others.count(columns) / len(others) if others else 1.0) * (columns > 1), columns

    return max(SEPARATORS, key=fits)


def is_parquet(head: bytes) -> bool:
    """Whether this is a Parquet file."""
    return head.startswith(b"PAR1")


def why_not_data(sample: Sample) -> str:
    """One clause on what an unrecognised file is, and where there is one, what to do with it instead."""
    head = sample.head
    text = text_head(head).lstrip()
    if not head.strip():
        return "is empty"
    if head[257:262] == b"ustar":
        return "is a tar archive; unpack it first"
    if is_parquet(head):
        return "is Parquet without the columns of a known kind, or packed once more; unpack it then"
    if _is_specification(text, set(json_keys(head))):
        return "is a specification, not data"
    if set(columns_of(head)) >= _LANGFUSE_TRACES:
        return "is traces of Langfuse without their calls: load its observations (of its pages, or `observations_v2/`)"
    for what, pattern in _SHAPES:
        if pattern.search(text[:4096]):
            return what
    if "\x00" in text[:4096] or text[:4096].count("\ufffd") > 8:
        return "is binary data of a kind that is not known here"
    return "is of no kind that is known here"


_LANGFUSE_TRACES = {"id", "timestamp", "name", "bookmarked", "public", "tags"}
_SHAPES = (
    ("is a web page, not data", re.compile(r"\A<(!doctype html|html)", re.I)),
    (
        "is a Terraform plan: it says what changes, not what it costs; run infracost on it",
        re.compile(r'\A\{\s*"format_version".*"terraform_version"', re.S),
    ),
    (
        "is a report of tests in another form than JUnit XML: have that written instead (`dotnet test --logger junit`, gotestsum), or "
        "convert it",
        re.compile(
            r"\A(<\?xml[^>]*>\s*)?<(TestRun|test-run|test-results|assembl(y|ies))\b|\ATAP version"
            r"""|\A\{[^\n]{0,200}"Action":\s*"(start|run)\""""
        ),
    ),
    ("is a report of coverage, which is not read", re.compile(r"\A(<[?!][^>]*>\s*)*<(coverage|report name=)")),
    ("is a single webhook event, not an export", re.compile(r'\A\{\s*"(action|object_kind)"\s*:')),
    (
        "is runs of a pipeline: `aether-tui budget check` judges them, `aether-tui sync` keeps them",
        re.compile(r'\A[{\[].*"(workflow_runs|run_attempt)"\s*:', re.S),
    ),
    (
        "is a text for people, not data",
        re.compile(r"\A# |\A[^{\[<,]{0,300}\b(license|copyright)\b|\A(?:[^{\[<,;\s]+ ){3}", re.I),
    ),
)
_SPECIFICATIONS = re.compile(
    r"""^syntax\s*=\s*"proto|^(type|enum|input|scalar|interface)\ \w+.*\{?$|^type:\ google\.api|^(openapi|swagger|asyncapi):
    |^groups:\s*$""",
    re.M | re.X,
)


def _is_specification(text: str, keys: set[str]) -> bool:
    """OpenAPI, JSON Schema, GraphQL SDL, protocol buffers, registries of conventions."""
    if keys & {"openapi", "swagger", "$schema", "$defs"} or text.startswith('{"components":{"schemas":'):
        return True
    return not text.startswith(("{", "[", "<")) and bool(_SPECIFICATIONS.search(text))
