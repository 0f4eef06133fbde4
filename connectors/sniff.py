"""Looking at the beginning of a file: what text it is, which keys or columns it has, and why it may not be data."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from typing import cast

from connectors.base import Sample

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.S)


def text_head(head: bytes) -> str:
    """The beginning as text, by byte order mark, else UTF-8; what does not decode is replaced."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8-sig", "replace")


def json_keys(head: bytes) -> tuple[str, ...]:
    """Keys of the outermost JSON object, as far as the head goes; none when it does not begin with an object."""
    text = text_head(head).lstrip()
    if not text.startswith("{"):
        return ()
    return tuple(_outer_keys(text))


def _outer_keys(text: str) -> Iterator[str]:
    depth, candidate = 0, ""
    for match in _TOKEN.finditer(text):
        mark = match.group()
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


def csv_columns(head: bytes) -> tuple[str, ...]:
    """Columns of a CSV header line (comma, semicolon or tab); none when the first line is not one."""
    text = text_head(head).lstrip("\r\n")
    line = text.splitlines()[0] if text else ""
    if "\x00" in line or not {",", ";", "\t"} & set(line):
        return ()
    delimiter = max(",;\t", key=line.count)
    columns = next(csv.reader([line], delimiter=delimiter), [])
    return tuple(column.strip() for column in columns)


def is_parquet(head: bytes) -> bool:
    """Whether this is a Parquet file."""
    return head.startswith(b"PAR1")


def why_not_data(sample: Sample) -> str:
    """One clause on what an unrecognised file is: empty, a specification, a web page, binary, or simply unknown."""
    head = sample.head
    text = text_head(head).lstrip()
    keys = set(json_keys(head))
    if not head.strip():
        return "is empty"
    if keys & {"openapi", "swagger", "$schema"}:
        return "is a specification, not data"
    if re.match(r'\s*syntax\s*=\s*"proto', _without_comments(text)) or re.search(
        r"^(type|enum|input|scalar) \w+.*\{?$", text, re.M
    ):
        return "is a specification, not data"
    if re.search(r"^(groups|type|file_format|attributes):", text, re.M) and re.search(r"^\s+- id: ", text, re.M):
        return "is a specification, not data"
    if re.match(r"<(!doctype html|html)", text, re.I):
        return "is a web page, not data"
    if "\x00" in text[:4096] or text[:4096].count("\ufffd") > 8:
        return "is binary data of a kind that is not known here"
    return "is of no kind that is known here"


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*//.*$", "", text)
