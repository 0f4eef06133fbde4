"""YAML is read alike by both parsers, quickly where C is installed, and hostile nesting takes nothing down."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from aether_tui.workspace.yaml_file import BadYaml, _Reader, read_yaml

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("aether_tui/workspace/content/*/*.yaml"), *ROOT.glob("optimization/*.yaml")])


def both(text: str) -> tuple[object, object]:
    return tuple(_Reader(YAML(typ="safe", pure=pure).parse(text), "f").read() for pure in (False, True))


def test_the_parser_in_c_is_installed() -> None:
    assert YAML(typ="safe").Parser.__module__ != "ruamel.yaml.parser"


def test_our_own_files_are_read_alike() -> None:
    assert FILES
    for path in FILES:
        fast, slow = both(path.read_text("utf-8"))
        assert fast == slow, path


PLAIN = st.sampled_from(
    ["x", "yes", "010", "0o10", "1e3", ".nan", "~", "null", "2026-11-21", "1:30", "'5'", '"a\\n b"', "é", "-1.5", "[1, 2]", "{a: b}"]
)  # fmt: skip


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), PLAIN, min_size=1, max_size=8), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_any_plain_page_is_read_alike(page: dict[str, str], depth: int) -> None:
    indent = "  " * depth
    text = "".join("  " * level + f"k{level}:\n" for level in range(depth))
    text += "".join(f"{indent}{key}: {value}  # why\n" for key, value in page.items())
    fast, slow = both(text)
    assert repr(fast) == repr(slow), "repr, because a not-a-number is not itself"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- " * 100_000, "nested too deeply"),
        ("[ 1, " * 150_000, "nested too deeply"),
        ("a: 1\n---\nb: 2\n", "f:2: a second document begins"),
        ("? [a]\n: b\n", "f:1: a key is plain text"),
        ("a: *x\n", "f:1: a: anchors and aliases are not read here"),
        ("a: \x07\n", "control characters are not allowed"),
        ("a: {b: 1\n", "f:2: broken YAML"),
        ("a: 1\nb:\u00a01\nc: 2\n", "type the blanks there anew: one of them is a no-break space"),
    ],
)
def test_what_is_refused_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadYaml) as caught:
        read_yaml(text.encode(), "f")
    said = str(caught.value.problem.sentence())
    assert sentence in said or (sentence.startswith("control") and "characters are not allowed" in said)


def test_two_new_documents_of_one_number_are_told_from_two_edits_of_one():
    ours, theirs = b"<<<<<<< HEAD\ntitle: Board\n", b"=======\ntitle: Wiki\n>>>>>>> theirs\n"
    for data, words in (
        (
            b"id: TOOL-1\n" + ours + theirs,
            "two new documents took the same number: `title: Board` (HEAD) and `title: Wiki`",
        ),
        (b"id: TOOL-1\n" + ours + theirs + b"team: web\n", "git could not merge two edits: `title: Board` (HEAD) or"),
    ):
        with pytest.raises(BadYaml) as caught:
            read_yaml(data, "engagement/tools/TOOL-1.yaml")
        assert words in caught.value.problem.what and caught.value.problem.line == 2
