"""Text and Markdown of reports, with titles from hostile strangers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct, structs

from aether_tui import human
from aether_tui.config import Config
from aether_tui.diagnostics.registry import REPORTS
from aether_tui.diagnostics.run import run_all
from aether_tui.report_model import (
    Check,
    Checklist,
    Col,
    Fact,
    Facts,
    Finding,
    Freshness,
    Gap,
    Prose,
    Quantity,
    Report,
    Row,
    Table,
    Trend,
    Window,
    missing,
)  # fmt: skip
from aether_tui.reports import draw, html, markdown, pack, text
from aether_tui.text import cells
from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world

HOSTILE = [
    "a | b | c",
    "`code` ``more`` ```",
    "<script>alert(1)</script> <b>x</b> <!-- c -->",
    "[click](http://evil.example) ![img](http://evil.example/x.png)",
    "<http://evil.example> http://evil.example https://evil.example/?q=1 www.evil.example mailto:a@b.example a@b.example",
    "[ref]: http://evil.example",
    "# heading",
    "1. list",
    "- list",
    "+ list",
    "> quote",
    "---",
    "===",
    "*a* _b_ **c** __d__ ~~e~~",
    "&lt;b&gt; &amp; &#124;",
    "back\\slash \\| \\[",
    "line one\nline two\r\n\n# three",
    "\x1b]52;c;ZXZpbA==\x07\x1b[31mred\x1b[0m",
    "\u202eevil\u202c",
    "[@click=app.quit]x[/]",
    "$math$ ^up^ @someone #12",
    "日本語のタイトル 🚀",
    "    indented",
    "\\",
    "|",
]
EVERY = " ".join(HOSTILE)


class Nothing(Struct, frozen=True):
    """No data."""


def report(title: str) -> Report[Nothing]:
    """One report with every kind of block, the title everywhere a stranger's text can stand."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    share = Quantity(value=0.24, unit="ratio", n=62, low=0.15, high=0.36)
    return Report(
        report="test",
        title=title,
        as_of=start + timedelta(days=20),
        window=Window(start=start, end=start + timedelta(days=20), label=title),
        data=Nothing(),
        headline=title,
        findings=(Finding(id="f", severity="bad", text=title, action=title),),
        freshness=(Freshness(source=title, stream=title, last_success=None, age_s=None, stale=True),),
        blocks=(
            Facts(id="facts", title=title, facts=(Fact(id="a", label=title, value=share, note=title, series=(1, None, 3)),)),
            Table(
                id="table",
                title=title,
                columns=(Col(key="t", title=title), Col(key="n", title="n", kind="number"), Col(key="s", title="", kind="state")),
                rows=(Row(id=title, cells=(title, 3, title), state="warn", detail=title),),
                note=title,
            ),
            Table(id="none", columns=(Col(key="t", title="t"),), rows=(), empty=title),
            Checklist(
                id="list", title=title, state="warn", locked=title, note=title,
                items=(Check(id="c", text=title, state="pass", kind="auto", evidence=title, next_step=title),),
            ),
            Trend(id="trend", title=title, start=start, values=(1.0, None, 2.0), unit="USD", limit=3, note=title),
            Prose(id="prose", text=title),
            Gap(id="gap", title=title, reason=title, next_step=title),
        ),
    )  # fmt: skip


def tokens(source: str) -> list[Token]:
    """All tokens, inline ones too, as a GitHub-like renderer with autolinks sees them."""
    found = []
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(source):
        found.append(token)
        found += token.children or []
    return found


def shown(source: str) -> str:
    """What a reader sees."""
    return "".join(token.content if token.type in {"text", "code_inline"} else " " for token in tokens(source))


def squeezed(value: str) -> str:
    return re.sub(r"\s+", "", value)


@pytest.mark.parametrize("title", [*HOSTILE, EVERY])
def test_hostile_titles_make_no_markup(title: str) -> None:
    source = markdown.render(report(title))
    found = tokens(source)
    kinds = {token.type for token in found}
    assert not kinds & {
        "html_block",
        "html_inline",
        "link_open",
        "image",
        "fence",
        "code_block",
        "blockquote_open",
        "hr",
        "s_open",
    }
    assert "ordered_list_open" not in kinds
    headings = [token for token in found if token.type == "heading_open"]
    assert len(headings) == 6  # title, facts, table, list, trend, gap
    rows = source.count("\n| ")
    assert rows == 6
    assert sum(token.type == "td_open" for token in found) == 4 + 3
    assert sum(token.type == "th_open" for token in found) == 4 + 3


@pytest.mark.parametrize("title", [*HOSTILE, EVERY])
def test_the_text_itself_is_shown_unchanged(title: str) -> None:
    from aether_tui.text import one_line

    assert squeezed(shown(markdown.escape(title))) == squeezed(one_line(title, 2000))


@pytest.mark.parametrize("title", [*HOSTILE, EVERY])
def test_no_address_is_left_for_an_autolinker(title: str) -> None:
    source = markdown.escape(title)
    assert not re.search(r"(https?|mailto):", source)
    assert "www." not in source


@pytest.mark.parametrize("command", ["aether-tui sync", "a `b` c", "``", "`", "x``y`z"])
def test_code_shows_its_text(command: str) -> None:
    inline = [token for token in tokens(f"do {markdown.code(command)} now") if token.type == "code_inline"]
    assert [token.content for token in inline] == [command]


def test_numbers_are_aligned_to_the_right() -> None:
    found = tokens(markdown.render(report("x")))
    styles = [token.attrs.get("style") for token in found if token.type == "th_open"]
    assert styles == [None, "text-align:right", "text-align:right", None, None, "text-align:right", None]


@pytest.mark.parametrize("title", [*HOSTILE, EVERY])
def test_text_is_plain_and_fits_80_columns(title: str) -> None:
    rendered = text.render(report(title))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", rendered)
    assert all(line == line.rstrip() for line in rendered.splitlines())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_of_ordinary_words_never_exceed_the_width(width: int) -> None:
    words = "A rather long title of an opportunity that somebody wrote on a Friday, 日本語のタイトル included 🚀"
    for line in text.render(report(words), width).splitlines()[1:]:
        assert cells(line) <= width, line


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    words = "it grew by 26 %, took 30.4 min and cost 0.126 USD/task and went on and on until 12 h were over"
    lines = [text.render(report(words), width) for width in range(40, 100)]
    assert not [found for one in lines if (found := re.search(r"\d\n\s*(?:%|min|USD|h\b)", one))]


def test_columns_of_low_priority_go_first() -> None:
    columns = tuple(
        Col(key=f"c{index}", title=f"column{index}", kind="number", priority=index) for index in range(1, 9)
    )
    table = Table(id="t", columns=columns, rows=(Row(id="r", cells=tuple(10**9 + index for index in range(8))),))
    made = Report(
        report="t",
        title="t",
        as_of=world.NOW,
        window=Window(start=world.NOW, end=world.NOW),
        data=Nothing(),
        blocks=(table,),
    )
    lines = text.render(made, 60).splitlines()
    head = next(line for line in lines if "column" in line)
    assert "column8" in head and "column1" not in head and "column3" not in head
    assert all(cells(line) <= 60 for line in lines)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ""),
        ((None, None), ""),
        ((1, 2, 3, 4, 5, 6, 7, 8), "▁▂▃▄▅▆▇█"),
        ((0, None, 7), "▁·█"),
        ((5, 5), "▅▅"),  # neither low nor high
        ((float("nan"), 1, 2), "·▁█"),
    ],
)
def test_spark(values: tuple[float | None, ...], expected: str) -> None:
    assert draw.spark(values) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(0, "·" * 10), (0.5, "█████·····"), (1, "█" * 10), (1.7, "█" * 10), (-1, "·" * 10)]
)
def test_bar(share: float, expected: str) -> None:
    assert draw.bar(share) == expected


@pytest.mark.parametrize(
    ("now", "before", "unit", "expected"),
    [
        (62, 56, "score", "+6"), (48, 57, "score", "−9"), (0.24, 0.21, "ratio", "+3.0 pt"), (5, 5, "score", "±0"),
        (86400 * 3, 86400 * 6, "s", "−3 d"),
    ],
)  # fmt: skip
def test_change(now: float, before: float, unit: str, expected: str) -> None:
    fact = Fact(id="f", label="f", value=Quantity(value=now, unit=unit), previous=Quantity(value=before, unit=unit))
    assert draw.change(fact) == expected


def test_no_change_without_both() -> None:
    assert draw.change(Fact(id="f", label="f", value=Quantity(value=1), previous=missing("none"))) == ""


# --- The pack -----------------------------------------------------------------------------------------------------


def test_the_pack_is_complete_linked_and_repeatable(filled: Workspace, tmp_path: Path) -> None:
    def export(folder: Path) -> dict[str, bytes]:
        reports, notices = run_all(filled, Config(), world.clock(), world.Cache(filled.cache_path))
        pack.write(folder, pack.pages(reports, "Acme | <b>", notices))
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}

    one, two = export(tmp_path / "one"), export(tmp_path / "two")
    assert one == two
    index = one["index.md"].decode()
    linked = re.findall(r"\]\(([\w-]+\.md)\)", index)
    pages = {name: content.decode() for name, content in one.items() if name.endswith(".md")}
    assert set(linked) | {"index.md"} == set(pages)
    silent = [REPORTS[name].title for name in REPORTS if f"{name}.md" not in one]
    assert all(index.count(title) == 1 for title in silent)
    assert "Nothing to say yet: " in index
    shown = set()
    for name, content in pages.items():
        found = tokens(content)
        assert not {token.type for token in found} & {"html_block", "html_inline"}, name
        shown |= {str(token.attrGet("src")) for token in found if token.type == "image"}
    assert shown == set(one) - set(pages) != set()


def test_the_pack_of_an_empty_workspace_lists_what_has_nothing_to_say(empty: Workspace) -> None:
    reports, notices = run_all(empty, Config(), world.clock())
    made = pack.pages(reports, "Acme", notices)
    assert set(made) == {"index.md", "summary.md", "flywheel.md", "sources.md"}
    quiet = [spec.title for name, spec in REPORTS.items() if f"{name}.md" not in made]
    assert f"Nothing to say yet: {', '.join(quiet)}." in made["index.md"]


def test_an_older_export_leaves_no_page_behind_and_other_files_alone(filled: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    pack.write(folder, {"index.md": "[x](lens.md) [y](../secret.md) [z](notes.md)", "lens.md": "old"})
    (folder / "notes.md").write_text("mine")
    (tmp_path / "secret.md").write_text("mine")
    pack.write(folder, {"index.md": "new"})
    assert {path.name for path in folder.iterdir()} == {"index.md", "notes.md"}
    assert (tmp_path / "secret.md").read_text() == "mine"


def test_a_page_in_html_shows_what_strangers_wrote_and_leads_to_html() -> None:
    other = structs.replace(report("Other"), findings=(Finding(id="f", severity="bad", text=" ".join(HOSTILE)),))
    made = html.pages(
        pack.pages({"lens": report("Lens"), "flow": other}, "Acme <b>", [], {"OPP-1.md": "# OPP-1\n\n**x**\n"})
    )
    assert {"index.html", "lens.html", "flow.html", "documents/OPP-1.html"} == set(made)
    seen = {name: Seen.of(page) for name, page in made.items()}
    assert {"lens.html", "flow.html", "documents/OPP-1.html"} <= set(seen["index.html"].links)
    assert not any(page.tags & {"script", "img", "b", "iframe", "form"} for page in seen.values())
    assert seen["index.html"].title == "Acme <b>"
    assert "<script>alert(1)</script>" in seen["flow.html"].text


class Seen(HTMLParser):
    """What a browser takes from a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = self.title = ""

    @classmethod
    def of(cls, page: str) -> Seen:
        seen = cls()
        seen.feed(page)
        return seen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.get_starttag_text() == "<title>" and not self.title:
            self.title = data


def test_notices_stand_on_every_page() -> None:
    made = pack.pages({"lens": report("Lens")}, "Acme", ["Overridden by <Ada>"])
    assert all(page.startswith("> ▲ Overridden by \\<Ada\\>\n\n") for page in made.values())


PIECES = [*"\\`*_[]<>|~$&@#!()-+=.:;{}'\"/?^%1a \t\n", "http://x", "www.x", "&amp;", "é", "日", "\x1b["]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_text_whatever_becomes_markup(title: str) -> None:
    from aether_tui.text import one_line

    source = markdown.escape(title)
    found = [
        token for token in tokens(f"{source}\n") if token.type not in {"paragraph_open", "paragraph_close", "inline"}
    ]
    assert {token.type for token in found} <= {"text"}
    assert "".join(token.content for token in found).strip() == one_line(title, 2000).strip()
    cell = tokens(f"| a | b |\n| --- | --- |\n| {source} | x |\n")
    assert sum(token.type == "td_open" for token in cell) == 2


def test_a_time_of_half_the_unit_of_its_column_is_read_in_it() -> None:
    times_s = {"7.2 d": 622_080.0, "0.8 d": 64_800.0, "10.0 h": 36_000.0}
    beside = human.column(times_s.values(), "s")
    assert [human.amount(value, "s", None, beside["s"]) for value in times_s.values()] == list(times_s)
