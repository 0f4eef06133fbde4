"""A trace as a tree, whatever its spans say."""

from __future__ import annotations

import time

import pytest

from aether_tui.diagnostics.trace_pair import moved
from aether_tui.diagnostics.trace_tree import Node, Span, Tree, build_tree


def span(
    identity: str, parent: str | None = None, start: float = 0.0, duration: float | None = 1.0, **more: object
) -> Span:
    return Span(span_id=identity, parent_id=parent, start_s=start, duration_s=duration, **more)  # type: ignore[arg-type]


def marks(tree: Tree) -> dict[str, tuple[str, ...]]:
    return {node.span.span_id: node.marks for node in tree.nodes}


def shape(tree: Tree) -> str:
    return " ".join(f"{node.depth}{node.span.span_id}" for node in tree.nodes)


def test_parents_stand_before_children_and_siblings_by_start() -> None:
    tree = build_tree([span("c", "a", 3), span("b", "a", 1), span("a", None, 0, 5), span("d", "b", 1.5)])
    assert shape(tree) == "0a 1b 2d 1c"
    assert (tree.start_s, tree.duration_s, tree.duplicates) == (0, 5, 0)
    assert [node.children for node in tree.nodes] == [2, 1, 0, 0]
    assert all(not node.marks for node in tree.nodes)


def test_orphans_are_roots_and_say_so() -> None:
    tree = build_tree([span("a"), span("b", "gone", 1), span("c", "b", 1)])
    assert shape(tree) == "0a 0b 1c"
    assert marks(tree)["b"] == ("orphan",)


@pytest.mark.parametrize("circle", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_circle_of_parents_is_cut_where_it_begins(circle: list[str]) -> None:
    spans = [span("before", "a", -1)]
    spans += [span(one, circle[number - 1], number) for number, one in enumerate(circle)]
    tree = build_tree([*spans, span("tail", circle[-1], 9), span("root", None, 5)])
    assert sorted(node.span.span_id for node in tree.nodes) == sorted([*circle, "before", "root", "tail"])
    assert [one for one, found in marks(tree).items() if "cycle" in found] == ["a"]


def test_a_child_before_its_parent_is_skew() -> None:
    tree = build_tree([span("a", None, 10, 5), span("b", "a", 9, 1)])
    assert shape(tree) == "0a 1b"
    assert marks(tree)["b"] == ("skew",)
    assert [node.offset_s for node in tree.nodes] == [1, 0]


def test_an_id_that_occurs_twice_is_drawn_once_and_counted() -> None:
    tree = build_tree([span("a"), span("b", "a", 1, name="first"), span("b", "a", 2, name="second")])
    assert tree.duplicates == 1
    assert [node.span.name for node in tree.nodes] == ["", "first"]


def test_parallel_and_serial_parts() -> None:
    tree = build_tree([span("a", None, 0, 10), span("b", "a", 0, 4), span("c", "a", 2, 4), span("d", "a", 6, 2)])
    assert [one for one, found in marks(tree).items() if "parallel" in found] == ["c"]
    # b 0–4, c 2–6, d 6–8: eight seconds covered by ten seconds of work
    assert tree.serial_share == pytest.approx(0.8)
    assert build_tree([span("a")]).serial_share is None


def test_identical_requests_are_repeats() -> None:
    calls = [span(f"c{n}", "a", n, 0.5, name="chat", request_hash="h" if n != 1 else "other") for n in range(4)]
    tree = build_tree([span("a", None, 0, 9), *calls])
    assert [one for one, found in marks(tree).items() if "repeat" in found] == ["c2", "c3"]


@pytest.mark.parametrize(
    ("names", "looped"),
    [
        ("ababab", "ababab"),
        ("aaa", "aaa"),
        ("aab", ""),
        ("abab", ""),
        ("xabcabcabcy", "abcabcabc"),
        ("", ""),
        ("aaaabbb", "aaaabbb"),
    ],
)
def test_sequences_that_recur_three_times_are_loops(names: str, looped: str) -> None:
    children = [span(f"{n:03d}", "root", n, 0.5, name=name) for n, name in enumerate(names)]
    tree = build_tree([span("root", None, 0, 99), *children])
    assert "".join(node.span.name for node in tree.nodes if "loop" in node.marks) == looped


def test_no_spans_and_no_durations() -> None:
    assert build_tree([]).nodes == ()
    tree = build_tree([span("a", None, 5, None), span("b", "a", 7, -3)])
    assert tree.duration_s == 2


def test_a_hundred_thousand_spans_take_time_in_proportion() -> None:
    """CPU time of ten times as many spans, chained as deep as they are many, is about ten times as long, not a hundred."""

    def cpu(size: int) -> float:
        spans = [
            span(str(n), str(n - 1) if n else None, n, 1, name=f"n{n % 3}", request_hash=str(n % 7))
            for n in range(size)
        ]
        began = time.process_time()
        tree = build_tree(spans)
        assert len(tree.nodes) == size
        assert isinstance(tree.nodes[-1], Node)
        return time.process_time() - began

    cpu(1_000)
    assert cpu(100_000) < 40 * cpu(10_000)


@pytest.mark.parametrize(
    ("values", "unit", "told"),
    [
        ((1.0, 1 - 2.7e-8), "ratio", ""),
        ((0.5, 0.38), "ratio", "−12 pt"),
        ((5.0, 8.5), "s", "+3.5 s"),
        ((2, 2), "count", ""),
    ],
)
def test_a_difference_is_no_noise_and_of_shares_in_points(values, unit, told):
    assert moved(*values, unit) == told
