"""Reading strangers' JSON: instants of every form, numbers that are none, guards of paging."""

from __future__ import annotations

import pytest

from connectors.base import Malformed
from connectors.fields import instant, integer, mapped, number, objects, text
from connectors.paging import PageGuard


@pytest.mark.parametrize(
    "written",
    [
        "2021-04-01T08:52:27.109+0800",
        "2021-04-01T08:52:27.109+08:00",
        "2021-04-01T00:52:27.109Z",
        "2021-04-01T00:52:27.109000000Z",
        "2021-04-01T00:52:27.1090000Z",
        "2021-04-01 00:52:27.109 UTC",
        "2021-04-01 00:52:27.109",
        "2021-03-31T19:52:27.109-0500",
        1617238347.109,
        1617238347109,
        1617238347109000,
        1617238347109000000,
    ],
)
def test_one_instant_in_every_form(written: object) -> None:
    read = instant({"at": written}, "at")
    assert read is not None
    assert read.isoformat(timespec="milliseconds") == "2021-04-01T00:52:27.109"


def test_hours_around_a_change_to_summer_time_stay_apart() -> None:
    before, after = (instant({"at": at}, "at") for at in ("2026-03-29T01:59:59+0100", "2026-03-29T03:00:00+0200"))
    assert before is not None
    assert after is not None
    assert (after - before).total_seconds() == 1


@pytest.mark.parametrize(
    "written",
    ["yesterday", "2021-13-01", True, ["2021"], {"at": 1}, "1617238347109", "1761101512345", float("inf")],
)
def test_an_unknown_form_is_an_error(written: object) -> None:
    with pytest.raises(ValueError, match="instant"):
        instant({"at": written}, "at")


def test_missing_is_none() -> None:
    node = {"null": None, "empty": "", "list": [1, "x", {"a": 1}], "nan": float("nan"), "flag": True, "word": "x"}
    assert instant(node, "null") is None
    assert instant(node, "empty") is None
    assert instant(node, "absent", "deeper") is None
    assert [text(node, name) for name in ("null", "empty", "list", "flag", "absent")] == [None] * 5
    assert [number(node, name) for name in ("nan", "flag", "word", "list")] == [None] * 4
    assert objects(node, "list") == [{"a": 1}]


def test_big_ids_stay_exact() -> None:
    assert text({"id": 9007199254740993}, "id") == "9007199254740993"
    assert integer({"id": "9007199254740993"}, "id") == 9007199254740993
    assert (integer({"id": "4.5"}, "id"), integer({"id": float("inf")}, "id")) == (None, None)


def test_a_reject_carries_ids_numbers_and_dates_but_neither_people_nor_texts() -> None:
    def mapper(node: object) -> dict[str, list[tuple[None]]]:
        instant(node, "at")
        return {"work_items": [(None,)]}

    person = {"login": "ada", "id": "a1"}
    told = {
        "id": 7,
        "at": "soon",
        "ended": "2026-10-01T08:00:00+0800",
        "author": person,
        "body": ["what Ada said", 3, None],
    }
    rows, rejects = mapped([told, {"at": None}], "work_items", mapper)
    assert len(rows["work_items"]) == 1
    kept = '{"id": 7, "at": "…", "ended": "2026-10-01T08:00:00+0800", "author": {"login": "…", "id": "…"}, "body": ["…", "…", null]}'
    assert [(reject.where, reject.raw) for reject in rejects] == [("7", kept)]
    assert "soon" in rejects[0].reason


@pytest.mark.parametrize("error", [OverflowError("too large"), ZeroDivisionError("none"), RecursionError("deep")])
def test_a_record_of_numbers_beyond_all_bounds_is_one_reject(error: Exception) -> None:
    def mapper(node: object) -> dict[str, list[tuple[None]]]:
        if integer(node, "id") == 2:
            raise error
        return {"work_items": [(None,)]}

    rows, rejects = mapped([{"id": 1}, {"id": 2}, {"id": 3}], "work_items", mapper)
    assert (len(rows["work_items"]), [reject.where for reject in rejects]) == (2, ["2"])


def test_guards() -> None:
    guard = PageGuard("The list")
    for number_ in range(20):
        guard.follow(f"t{number_}", rows=1)
    with pytest.raises(Malformed, match="same page twice"):
        guard.follow("t3", rows=1)
    guard = PageGuard("The list")
    for number_ in range(3):
        guard.follow(f"e{number_}", rows=0)
    guard.follow("full", rows=5)
    for number_ in range(3, 6):
        guard.follow(f"e{number_}", rows=0)
    with pytest.raises(Malformed, match="4 empty"):
        guard.follow("e6", rows=0)
