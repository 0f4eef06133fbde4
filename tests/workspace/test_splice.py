"""A changed document as text: it says what it should, and everything else stays byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.interview import Interview
from aether_tui.workspace.splice import spliced
from aether_tui.workspace.store import Store
from aether_tui.workspace.yaml_file import BadYaml, read_yaml, write_yaml

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.sampled_from(
        ["a: b", "# no", "- x", "1", "true", "2026-11-21", "line\nnext", "end\n\n", "\n", "x #y", "'", "key:\n- a"]
    ),
)
SCALARS = st.one_of(TEXTS, st.integers(-5, 5), st.booleans(), st.none())
ITEMS = st.dictionaries(st.sampled_from(["q", "who", "text"]), SCALARS, min_size=1)
VALUES = st.one_of(SCALARS, st.lists(ITEMS, max_size=5), st.lists(SCALARS, max_size=4), ITEMS)
KEYS = ["id", "at", "answers", "notes", "elapsed_s"]
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1)


@st.composite
def changed(draw: st.DrawFn) -> tuple[dict[str, object], dict[str, object]]:
    """A document, and one that shares some of it: keys changed, taken away and added, lists made longer and shorter."""
    before = draw(DOCUMENTS)
    after = dict(before)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        value = after.get(key)
        if isinstance(value, list) and draw(st.booleans()):
            after[key] = [
                *value[: draw(st.integers(0, len(value)))],
                *draw(st.lists(st.one_of(ITEMS, SCALARS), max_size=2)),
            ]
        elif draw(st.booleans()):
            after[key] = draw(VALUES)
        else:
            after.pop(key, None)
    return before, after


@settings(max_examples=150, deadline=None)
@given(changed(), st.data())
def test_whatever_changes_the_text_says_it(pair: tuple[dict[str, object], dict[str, object]], data: st.DataObject):
    before, after = pair
    assert read_yaml(write_yaml(before), "x")[0] == before
    lines = write_yaml(before).decode().split("\n")
    for place in sorted(data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=3)), reverse=True):
        lines[place:place] = [data.draw(st.sampled_from(["# a comment", "", "  # inside", "    # deep"]))]
    old = "\n".join(lines).encode()
    try:
        if read_yaml(old, "x")[0] != before:
            return  # the comment fell into a text
    except BadYaml:
        return
    assert (read_yaml(write_yaml(after, old, before), "x")[0] or {}) == after


OLD = """\
# of the first day
id: INT-1
questionnaire: maturity   # the long one
answers:
  # asked first
  - question: flow.3.limits
    value: 4
  - {question: flow.4.age,
     value: 2}   # she hesitated
# who was there

notes: [1, 2]
"""
BEFORE = {
    "id": "INT-1", "questionnaire": "maturity",
    "answers": [{"question": "flow.3.limits", "value": 4}, {"question": "flow.4.age", "value": 2}], "notes": [1, 2],
}  # fmt: skip


def test_an_added_answer_leaves_every_other_byte():
    after = {**BEFORE, "answers": [*BEFORE["answers"], {"question": "x.y", "value": 0}], "notes": [1, 2, 3]}
    expected = OLD.replace("hesitated\n", "hesitated\n  - question: x.y\n    value: 0\n").replace("[1, 2]", "[1, 2, 3]")
    old = OLD.replace("  # asked first\n", "")
    assert write_yaml(after, old.encode(), BEFORE).decode() == expected.replace("  # asked first\n", "")
    assert read_yaml(OLD.encode(), "x")[0] == BEFORE


@pytest.mark.parametrize("odd", ["\r\n", "...\n", "id: again\n", "x: |+\n  a\n\n", "{id: 1}\n", "id: INT-1"])
def test_what_is_not_simple_is_left_to_the_whole_reader(odd: str):
    assert spliced(odd, {"id": "INT-1", "x": "a\n\n"}, {"id": "INT-2", "x": "a\n\n"}, lambda _: "id: INT-2\n") is None


def test_a_saved_document_is_the_one_that_is_read(tmp_path: Path):
    store, now = Store(Workspace(tmp_path)), datetime(2026, 11, 21, tzinfo=UTC)
    (tmp_path / "engagement").mkdir()
    at = store.save(Interview(id="INT-1", questionnaire="maturity", started=now), None, now)
    for people in ([{"name": "Eva"}], [{"name": "Eva"}, {"name": "Ola", "named": True}], []):
        changed = Interview.model_validate({**at.document.model_dump(), "people": people})
        at = store.save(changed, at.revision, now, read=at.document)
        assert store.get(Interview, "INT-1").document == changed
        assert at.data == write_yaml(changed.model_dump(exclude_defaults=True))


@pytest.mark.parametrize(
    ("laid_out", "restored"),
    [
        (lambda text: b"\xef\xbb\xbf" + text, lambda text: text.removeprefix(b"\xef\xbb\xbf")),
        (lambda text: text.replace(b"\n", b"\r\n"), lambda text: text.replace(b"\r\n", b"\n")),
        (lambda text: text.rstrip(b"\n"), lambda text: text),
        (bytes, bytes),
    ],
    ids=["byte-order-mark", "windows", "no-last-line-end", "as-it-is"],
)
def test_comments_and_line_ends_stay_however_an_editor_left_the_file(laid_out, restored):
    text = b"# mine\nid: X  # why\nlinks:\n  - 'a # b'\n  - \"#c\"\n# of notes\nnotes: ''\n"
    before = {"id": "X", "links": ["a # b", "#c"], "notes": ""}
    old = laid_out(text)
    new = write_yaml({**before, "links": ["d"]}, old, before)
    assert restored(new) == text.replace(b"  - 'a # b'\n  - \"#c\"\n", b"  - d\n")
    assert laid_out(restored(new)) == new or old == text.rstrip(b"\n")


def test_blanks_stay_where_a_long_line_is_broken():
    said = {"links": ["trail   " + "x" * 200], "notes": "two  blanks " * 40}
    assert read_yaml(write_yaml(said), "x")[0] == said
