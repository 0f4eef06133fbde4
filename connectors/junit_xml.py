"""JUnit XML as a stream of cases: own expat reader, because a report of 100 MB must not cost a tree of it.

Suites repeat or contradict the numbers of their cases, so only cases are counted. Namespaces are stripped, encodings are
read by byte order mark and declaration, entity declarations and internal DTD subsets are refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

from aether_tui.records.tables import MOST_MESSAGE
from aether_tui.text import begun
from connectors.base import Malformed
from connectors.junit_time import Comma, comma_in, seconds

CHUNK = 1 << 20
"""Bytes read at a time: expat before 2.6 looks at an attribute from its beginning with each of them until it ends."""
_ROOTS = frozenset({"testsuites", "testsuite", "testcase", "testrun"})
_RESULTS = {
    "error": "error", "failure": "failed", "skipped": "skipped", "rerunError": "error", "rerunFailure": "failed",
    "flakyFailure": "flaky", "flakyError": "flaky",
}  # fmt: skip
_MATTERS = frozenset({"testcase", "testsuite", *_RESULTS})
_WORST = {"passed": 0, "flaky": 1, "skipped": 2, "failed": 3, "error": 4}
_NOT_RUN = frozenset({"disabled", "notrun", "skipped"})


class Case(NamedTuple):
    """One test case; `duration_s` is None where the report does not say, `suite` is the kind of tests it belongs to."""

    suite: str
    name: str
    classname: str
    file: str
    duration_s: float | None
    result: str
    flaky: bool
    message: str | None


Found = Case | dict[str, str]
"""A case, or the attributes of one that just passed."""


@dataclass(slots=True)
class Report:
    """What a report says beside its cases, filled while `cases` reads it."""

    name: str
    """How problems call it: a path."""
    suites: int = 0
    root_time_s: float | None = None
    suite_times_s: dict[str, float] = field(default_factory=dict)
    """Claimed time of the outermost suites, by kind of tests."""
    claimed_tests: int = 0
    """Cases the root claims."""
    claimed_suite_tests: int = 0
    """Cases the outermost suites claim."""
    timestamp: str = ""
    bad_times: int = 0
    cut: str = ""
    """Why the report is not whole; empty when it is."""
    repaired: bool = False


_JUNK = expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]
_NO_ELEMENT = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]


@dataclass(slots=True)
class _Said:
    """What result elements inside a case have said so far."""

    worst: str = "passed"
    flaky: bool = False
    message: str | None = None
    text: list[str] | None = None


class _Roles(dict[str, str]):
    """What an element is here, by its tag as written: its local name where that matters, else nothing."""

    def __missing__(self, tag: str) -> str:
        local = tag.rpartition(":")[2]
        role = self[tag] = local if local in _MATTERS else ""
        return role


class Reader:
    """The expat handlers and what they remember between calls.

    Most of hundreds of thousands of cases just passed: such a case is handed on as its bare attributes, and whoever counts
    reads them without an object per case (`case_of` makes one).
    """

    def __init__(self, report: Report, *, packages: bool = False) -> None:
        """With `packages` the suite of a case is `kind⇥package` where suites are named like packages."""
        self.report = report
        self.packages = packages
        self.root = ""
        self.ready: list[Found] = []
        self.sealed: list[tuple[str, list[Found]]] = []
        self.undecided: list[tuple[Case, str]] = []
        self.comma: Comma | None = None
        self.kinds = [kind_of_file(report.name)]
        self.case: dict[str, str] | None = None
        self.said: _Said | None = None
        self.roles = _Roles()
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.first
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.EntityDeclHandler = self.entity

    def batches(self, stream: BinaryIO) -> Iterator[tuple[str, list[Found]]]:
        """The complete cases of a report with their suite, as many at a time as a piece of it holds.

        Raises Malformed for what is empty, not JUnit, or declares entities.
        """
        try:
            for chunk in _utf8(stream, self.report):
                self.parser.Parse(chunk, False)
                yield from self.take()
            self.parser.Parse(b"", True)
        except expat.ExpatError as error:
            self.broken(error)
        yield from self.take()

    def broken(self, error: expat.ExpatError) -> None:
        """Notes where the report ends too early. Raises Malformed where it never began."""
        report = self.report
        if not self.root:
            what = "empty" if error.code == _NO_ELEMENT and error.offset == 0 and error.lineno == 1 else "not XML"
            raise Malformed(f"{report.name}: {what}, no JUnit report ({expat.ErrorString(error.code)})") from error
        place = f"line {error.lineno}, column {error.offset}"
        junk = error.code == _JUNK
        report.cut = f"more follows after the first document ({place})" if junk else f"cut short or broken at {place}"

    def take(self) -> list[tuple[str, list[Found]]]:
        self.seal()
        sealed, self.sealed = self.sealed, []
        return sealed

    def seal(self) -> None:
        """What follows belongs to another suite."""
        if self.ready:
            self.sealed.append((self.kinds[-1], self.ready))
            self.ready = []

    def first(self, tag: str, attributes: dict[str, str]) -> None:
        """The root."""
        name = tag.rpartition(":")[2]
        if name not in _ROOTS:
            raise Malformed(f"{self.report.name}: not JUnit, the root element is <{name[:40]}>")
        self.parser.StartElementHandler = self.start
        if name == "testcase":
            self.start(tag, attributes)
        else:
            self.start_suite(name, attributes)
        self.root = name

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "testcase":
            role = tag
        else:
            role = self.roles[tag]
            if not role:
                return
        if role == "testcase":
            if self.case is not None:
                self.close_case(self.case)
            self.case = attributes
        elif self.case is not None:
            if role != "testsuite":
                self.start_result(_RESULTS[role], attributes)
        elif role == "testsuite":
            self.start_suite(role, attributes)

    def end(self, tag: str) -> None:
        if tag == "testcase":
            role = tag
        else:
            role = self.roles[tag]
            if not role:
                return
        case = self.case
        if case is not None:
            if role == "testcase":
                if self.said is None and "status" not in case:
                    self.ready.append(case)
                    self.case = None
                else:
                    self.close_case(case)
            elif self.said and self.said.text is not None and role in _RESULTS:
                self.said.message, self.said.text = begun("".join(self.said.text), MOST_MESSAGE).strip() or None, None
                self.parser.CharacterDataHandler = None
        elif role == "testsuite":
            self.seal()
            self.kinds.pop()

    def start_suite(self, name: str, attributes: dict[str, str]) -> None:
        self.seal()
        report = self.report
        outermost = not self.root or (len(self.kinds) == 1 and self.root != "testsuite")
        report.timestamp = report.timestamp or attributes.get("timestamp", "")
        claimed, time_s = attributes.get("tests", ""), self.suite_time(attributes.get("time"))
        stated = attributes.get("name", "")
        kind = self.kinds[0] or suite_kind(stated) or self.kinds[-1].partition("\t")[0]
        if name != "testsuite":
            report.root_time_s = time_s
            report.claimed_tests = int(claimed[:18]) if claimed.isdecimal() else 0
            self.kinds[0] = kind
            return
        if self.packages:
            package = package_named(stated) or self.kinds[-1].partition("\t")[2]
            kind = f"{kind}\t{package}" if package else kind
        report.suites += 1
        if outermost and time_s is not None:
            report.suite_times_s[kind] = report.suite_times_s.get(kind, 0.0) + time_s
        if outermost and claimed.isdecimal():
            report.claimed_suite_tests += int(claimed[:18])
        self.kinds.append(kind)

    def suite_time(self, text: str | None) -> float | None:
        if not text:
            return None
        self.learn(text)
        return seconds(text, self.comma)

    def start_result(self, result: str, attributes: dict[str, str]) -> None:
        said = self.said = self.said or _Said()
        said.flaky |= result == "flaky"
        if _WORST[result] > _WORST[said.worst]:
            said.worst, said.message, said.text = result, None, None
            self.parser.CharacterDataHandler = None
            if result in ("failed", "error"):
                said.message = begun(attributes.get("message", ""), MOST_MESSAGE) or None
                if said.message is None:
                    said.text = []
                    self.parser.CharacterDataHandler = self.characters

    def characters(self, text: str) -> None:
        # Enough for the message with its leading space; a log of megabytes is not kept.
        if self.said and self.said.text is not None and len(self.said.text) < 64:
            self.said.text.append(text[: 2 * MOST_MESSAGE])

    def close_case(self, attributes: dict[str, str]) -> None:
        """A case of which something was said, or with a status of its own."""
        said = self.said
        self.case = self.said = None
        result, flaky, message = "passed", False, None
        if said:
            result = "passed" if said.worst == "flaky" else said.worst
            flaky, message = said.flaky and result == "passed", said.message
        if result == "passed" and attributes.get("status") in _NOT_RUN:
            result = "skipped"
        case = self.case_of(self.kinds[-1], attributes, result, flaky, message)
        if case:
            self.ready.append(case)

    def case_of(
        self,
        suite: str,
        attributes: dict[str, str],
        result: str = "passed",
        flaky: bool = False,
        message: str | None = None,
    ) -> Case | None:
        """A case from its attributes; None when its time waits for another that decides what its comma means."""
        get = attributes.get
        case = Case(suite, get("name", ""), get("classname", ""), get("file", ""), None, result, flaky, message)
        text = get("time")
        if not text:
            return case
        if self.comma is None:
            self.learn(text)
            if self.comma is None and "," in text:
                self.undecided.append((case, text))
                return None
        return self.timed(case, text)

    def timed(self, case: Case, text: str) -> Case:
        value = seconds(text, self.comma)
        self.report.bad_times += value is None
        return case._replace(duration_s=value)

    def learn(self, text: str) -> None:
        self.comma = self.comma or comma_in(text.strip())

    def undecided_cases(self) -> list[Case]:
        """The cases that waited, at the end of the input."""
        waiting, self.undecided = self.undecided, []
        return [self.timed(case, text) for case, text in waiting]

    def doctype(self, _name: str, _system: str | None, _public: str | None, has_internal_subset: int) -> None:
        if has_internal_subset:
            raise Malformed(
                f"{self.report.name}: declares an internal DTD subset, refused (entities can be bombs or read files)",
                hint="write the report again without a DOCTYPE",
            )

    def entity(self, *_declaration: object) -> None:
        raise Malformed(f"{self.report.name}: declares entities, refused (they can be bombs or read files)")


_KINDS = {
    "unit": ("unit", "units", "unittest", "unittests"),
    "integration": ("integration", "integrations", "integrationtest", "integrationtests", "failsafe"),
    "e2e": ("e2e", "endtoend", "acceptance", "cypress", "playwright", "selenium"),
    "contract": ("contract", "contracts", "pact"),
    "smoke": ("smoke",),
    "performance": ("performance", "perf", "benchmark", "benchmarks"),
    "functional": ("functional",),
}
_KIND = {word: kind for kind, words in _KINDS.items() for word in words}


def kind_of_file(name: str) -> str:
    """The kind of tests from a file's name, else from its folder's; farther folders say nothing."""
    *folders, file = re.split(r"[/\\]", name)
    return suite_kind(file) or suite_kind(folders[-1] if folders else "")


@lru_cache(maxsize=4096)
def suite_kind(name: str) -> str:
    """unit, integration, e2e, … from a file's or a suite's name; empty when the name does not tell."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name.replace("end-to-end", "e2e").replace("end_to_end", "e2e"))
    return next((kind for word in words if (kind := _KIND.get(word.lower()))), "")


_FILE = re.compile(r"\.(py|[cm]?[jt]sx?|java|kts?|scala|rb|php|cs|rs|swift|feature|xml|html)$", re.I)


@lru_cache(maxsize=4096)
def package_named(name: str) -> str:
    """The name where it is that of a package (`github.com/acme/api`, `@acme/web`, `:app:core`), else nothing."""
    path = "/" in name or name.startswith(("@", ":"))
    return name if path and len(name) <= 200 and not _FILE.search(name) and not any(map(str.isspace, name)) else ""


_CONTROLS = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32))
_EACH_CONTROL = [bytes([control]) for control in _CONTROLS]
_REFERENCE = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01]|5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3]|6553[45])|"
    rb"[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[eEfF]));"
)
"""Characters by number that no document may hold: controls, halves of surrogate pairs, and the last two."""
_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def _utf8(stream: BinaryIO, report: Report) -> Iterator[bytes]:
    """The input as UTF-8 without control characters, raw or by reference: expat would stop at the first of them."""
    head = stream.read(CHUNK)
    encoding = _encoding(head, report)
    head = head.removeprefix(next((mark for mark, _ in _MARKS if head.startswith(mark)), b""))
    if not encoding.startswith("utf-16"):
        head = head.lstrip()
    plain = encoding in ("utf-8", "ascii")
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    held = b""
    while head:
        if plain and not held and head.isascii():
            chunk = decoder.decode(b"").encode() + head
        else:
            text = decoder.decode(head)
            report.repaired |= any(map(text.__contains__, "\ufffd\ufffe\uffff"))
            text = text.replace("\ufffe", "").replace("\uffff", "")
            chunk = held + text.encode("utf-8", "replace")
            held = b""
        # Looking for single bytes is several times quicker than deleting them or looking for two.
        clean = chunk.translate(None, _CONTROLS) if any(map(chunk.__contains__, _EACH_CONTROL)) else chunk
        if b"&" in clean and b"&#" in clean:
            # A reference may be cut by the end of the chunk.
            cut = clean.rfind(b"&", max(0, len(clean) - 12))
            if cut >= 0 and b";" not in clean[cut:]:
                clean, held = clean[:cut], clean[cut:]
            clean = _REFERENCE.sub(b"", clean)
        report.repaired |= len(clean) + len(held) != len(chunk)
        yield clean
        head = stream.read(CHUNK)
    if rest := held + decoder.decode(b"", True).encode():
        yield rest


def _encoding(head: bytes, report: Report) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if head.startswith((b"<\x00", b"\x00<")):
        return "utf-16-le" if head[0] else "utf-16-be"
    declared = _DECLARED.match(head.lstrip()[:256])
    name = declared.group(1).decode("ascii") if declared else "utf-8"
    try:
        # Writers of .NET declare UTF-16 in files of UTF-8.
        return codecs.lookup(name).name if b"<".decode(name, "replace") == "<" else "utf-8"
    except (LookupError, UnicodeError) as error:
        raise Malformed(f"{report.name}: declares the encoding {name}, which is not known") from error
