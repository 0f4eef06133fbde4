"""Everything a person can type into any document, and what of it may be in no pack: who did not agree to be named, and addresses."""

from __future__ import annotations

import html
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import unquote

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aether_tui.config import Config
from aether_tui.diagnostics.run import run_all
from aether_tui.report_model import SavedReport, Window, envelope
from aether_tui.reports import markdown
from aether_tui.reports.html import pages
from aether_tui.stats.cells import Cell
from aether_tui.workspace.anonymous import unnamed
from aether_tui.workspace.documents import KINDS
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.yaml_file import write_yaml
from screens.base import export
from tests.command import aether
from tests.diagnostics import world

NAME = "Zorvanna Quellmark"
WAYS = (
    NAME, "ZORVANNA", "quellmark", "Quellmark, Zorvanna", "zorvanna.quellmark", "Zorvanna%20Quellmark", "zquellmark",
    "Anne-Marie Zyxing", "anne-marie", "Wei Qx", "Qx", "Zo\u0308rle", "Zo%CC%88rle", "Z%C3%B6rle", "ZorvannaQuellmark",
)  # fmt: skip
CONTACTS = (
    "q{n}@zyxmail.example", "@zyxhandle{n}", "+49 171 5550{n:04}", "(0171) 5550{n:04}", "555-010-{n:04}", "mailto:q{n}%40zyxmail.example",
    "https://social.example/@zyxhandle{n}", "tel:5550{n:04}",
)  # fmt: skip
TELLS = re.compile(r"zorvanna|quellmark|anne.marie|zyx|\bqx\b|zo\u0308rle|z\u00f6rle|5550\d{4}|555.010", re.I)
"""Any of these in a file tells who spoke, or how to reach somebody."""
PRIVATE = {"interview", "assessment"}
DAY = date(2026, 11, 2)


@dataclass
class Canaries:
    """Values for every field of a model, each text with a mark of its own and somebody's name or address."""

    quoted: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: count(100))
    marks: dict[str, str] = field(default_factory=dict)

    def text(self, path: str, most: int | None) -> str:
        n = next(self.numbers)
        mark, way = f"Mark{n}x", WAYS[n % len(WAYS)]
        self.marks[mark] = path
        contact = CONTACTS[n % len(CONTACTS)].format(n=n)
        said = f"{mark} {way} " + (f"`{contact}`" if self.quoted else contact)
        return said if most is None or len(said) <= most else f"{mark} {way}"

    def model(self, model: type[BaseModel], path: str) -> dict[str, Any]:
        found = {name: self.value(info.annotation, info, f"{path}.{name}") for name, info in model.model_fields.items()}
        return {name: value for name, value in found.items() if value is not ...}

    def value(self, kind: Any, info: FieldInfo | None, path: str) -> Any:
        limits = {name: getattr(one, name) for one in (info.metadata if info else ()) for name in
                  ("max_length", "pattern", "ge", "gt", "le", "lt") if getattr(one, name, None) is not None}  # fmt: skip
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.value(inner[0], FieldInfo.from_annotation(kind), path)
        if origin in (Union, types.UnionType):
            return self.value(next(one for one in inner if one is not type(None)), info, path)
        if origin is Literal:
            return inner[0]
        if origin is list:
            return [self.value(inner[0], None, f"{path}[]")]
        if origin is tuple:
            return [self.value(one, None, path) for one in inner]
        if origin is dict:
            key = self.value(inner[0], None, f"{path} key")
            return {key: self.value(inner[1], None, f"{path} value")}
        if kind is str:
            if "pattern" in limits:
                return "no-quellmark" if "a-z0-9" in limits["pattern"] else ...
            return self.text(path, limits.get("max_length"))
        if kind is Cell:
            return {"value": 0.25, "who": self.text(f"{path} who", 80)}
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.model(kind, path)
        if kind in (int, float):
            return 0.5 if kind is float and min(limits.get("le", 9), limits.get("lt", 9)) == 1 else 1
        return {bool: True, date: DAY, datetime: datetime(2026, 11, 2, 9)}[kind]  # noqa: DTZ001 (files are naive UTC)


def written(name: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A document of a kind with a canary in every text, made valid, and field of each mark."""
    made = Canaries(quoted=name == "postmortem", numbers=count(100 + 60 * list(KINDS).index(name)))
    one = made.model(KINDS[name], name)
    one["id"] = KINDS[name].PREFIX if KINDS[name].SINGLE else f"{KINDS[name].PREFIX}1"
    match name:
        case "experiment":
            steps = [{**made.model(type_of(KINDS[name], "history"), "experiment.history[]"), "to": to} for to in
                     ("reviewed", "running", "decided")]  # fmt: skip
            for step in steps:
                step["shadow"] = False
            for step in steps[:2]:
                step["computed"] = step["choice"] = None
            result = one["results"][0]
            result["metric"] = one["primary"][0]["name"]
            result["difference"] = None
            result["control"] = result["treatment"] = {"n": 100, "successes": 40}
            result["assigned"] = [120, 120]
            one |= {"history": steps, "baseline": 0.4, "sd": None, "level": 2, "opportunity": "OPP-1"}
        case "failure-review":
            one["end"] = date(2026, 11, 9)
            cause = next(iter(one["causes"]))
            one["traces"][0] |= {"cause": cause, "second": cause}
        case "interview":
            people = (
                {"name": "Anne-Marie Zyxing"},
                {"name": "Wei Qx"},
                {"name": "Zo\u0308rle"},
                {"name": "Ida Lund", "named": True},
            )
            one["people"] = [one["people"][0] | {"name": NAME, "named": False}, *people]
            answer = one["answers"][0] | {"who": NAME, "value": 2}
            asked = [
                answer | {"question": name} for name in ("stakeholder.success", "stakeholder.priority-speed", "lens.ci")
            ]
            one |= {"questionnaire": "stakeholder", "who": NAME, "answers": [answer, *asked, *(
                {"question": "stakeholder.priority-speed", "who": person["name"], "value": 5, "when": answer["when"]} for person in people
            )]}  # fmt: skip
            one["notes"] = [one["notes"][0], one["notes"][0] | {"kind": "quote", "who": NAME}]
        case "value-stream":
            one["steps"][0]["rework_to"] = one["steps"][0]["name"]
        case "agreement":
            one["consumer"] = "support"
        case "commitment":
            one["dropped"] = None
        case "cycle":
            one["ended"] = None
        case "taxonomy":
            category = one["categories"][0] | {"id": "c01", "parents": []}
            one |= {"categories": [category], "model": "0123456789abcdef", "built": datetime(2026, 11, 2, 9)}  # noqa: DTZ001
            one["retired"][0] |= {"id": "c02", "into": "c01"}
    return one, made.marks


def type_of(model: type[BaseModel], name: str) -> type[BaseModel]:
    found: type[BaseModel] = get_args(model.model_fields[name].annotation)[0]
    return found


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[str, str]]:
    """A workspace with one document of every kind, and the field of each mark in it."""
    made = world.workspace(tmp_path_factory.mktemp("canaries"))
    world.fill(made)
    marks = dict[str, str]()
    for name, kind in KINDS.items():
        fields, told = written(name)
        document = kind.model_validate(fields)
        place = KINDS.place(name, made)
        path = place if kind.SINGLE else place / f"{document.id}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = write_yaml(document.model_dump(mode="json"), None)
        path.write_bytes(data)
        marks |= {mark: where for mark, where in told.items() if mark in data.decode()}
    world.document(made, "decisions", "DEC-2", (
        f"id: DEC-2\ntitle: Buy\nraised: 2026-11-02\nowner: Dana Vexley\nreason: Ida Lund and Dana asked {NAME}\n"
    ))  # fmt: skip
    return made, marks


def told_in(path: str, text: str) -> list[str]:
    """What tells who it was, in a file however it is written."""
    ways = {text, html.unescape(text), unquote(text), re.sub(r"\\(.)", r"\1", text), re.sub(r"<[^>]*>", "", text), path}
    return [
        f"{path}: {way[max(0, one.start() - 90) : one.end() + 40]!r}" for way in ways for one in TELLS.finditer(way)
    ]


def test_no_pack_tells_who_was_interviewed_or_how_to_reach_anybody(
    typed: tuple[Workspace, dict[str, str]], tmp_path: Path
) -> None:
    made, marks = typed
    clock = ("--as-of", "2026-11-21")
    for folder, *options in (("md",), ("book", "--handbook")):
        done = aether(*clock, "export", *options, "-o", tmp_path / folder, cwd=made.root)
        assert done.code == 0, done.err
    assert aether(*clock, "playbook", "pack", "-o", tmp_path / "pack.yaml", cwd=made.root).code == 0
    assert aether(*clock, "review", "pack", "monthly", "-o", tmp_path / "review.txt", cwd=made.root).code == 0
    said = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    said |= pages({path: text for path, text in said.items() if path.startswith("md/")})
    reports, _ = run_all(made, Config(), world.clock(), world.Cache(made.cache_path), leaves=True)
    for name, report in reports.items():
        said |= {f"{name}.json": envelope(report).decode(), f"{name}.report.md": markdown.render(report)}
    leaks = [leak for path, text in said.items() for leak in told_in(path, text)]
    assert not leaks, f"{len(leaks)} leaks:\n" + "\n".join(leaks[:30])
    papers = "".join(text for path, text in said.items() if path.startswith("md/documents/"))
    hidden = [where for mark, where in marks.items() if mark not in papers and where.split(".")[0] not in PRIVATE]
    assert not hidden, hidden  # every text of every public kind was on a page to be searched
    assert "**Owner:** Dana Vexley" in papers and "Ida Lund and Dana asked product" in papers


def test_a_report_written_from_the_console_tells_nobody_either(typed: tuple[Workspace, dict[str, str]]) -> None:
    made, _ = typed
    window = Window(start=world.NOW, end=world.NOW)
    said = f"{NAME} and Dana Vexley (q7@zyxmail.example) saw +12.3 (10.1 to 14.2), 1,600 of 2026-11-02"
    report = SavedReport(report="x", title="X", as_of=world.NOW, window=window, headline=said, blocks=())
    assert export(report, made) == "wrote exports/x.md"
    page = (made.exports / "x.md").read_text()
    assert not told_in("x.md", page)
    assert "Dana Vexley" in page and "+12.3 (10.1 to 14.2), 1,600 of 2026-11-02" in page


def test_numbers_that_are_no_numbers_to_call_stay() -> None:
    for said in ("+12.3 (10.1–14.2)", "+12 (10 - 15)", "0.0123 of 12 000 000", "127.0.0.1:4318", "v2.10.3", "2026-11-02T09:00:00",
                 "00000000000000000000000000000001", "tests/e2e@main"):  # fmt: skip
        assert unnamed(said, {}) == said


def test_a_name_that_is_also_a_word_leaves_sentences_alone() -> None:
    told = {"Will Stone": "product 1", "person-02": "product 2", "Ida Lund": "Ida Lund", "Al Ng": "design"}
    said = "a person will mark two stone walls; Ida Lund will ask; also in NGO"
    assert unnamed(said, told) == said
    assert (
        unnamed("will stone, Stone's, WILL, person-02, Ng", told)
        == "product 1, product 1's, product 1, product 2, design"
    )
