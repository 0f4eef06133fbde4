"""The line of screens: the current one is always named, whatever the width and however many there are."""

from unittest.mock import PropertyMock, patch

import pytest
from textual.geometry import Size

from screens import ORDER, SCREENS, ScreenSpec
from screens.widgets.chrome import Status, StatusBar, TabBar, columns_of, tabs
from screens.widgets.spans import width_of

LETTERS = "hfitvckpeabldwjmrcoxynszqu"
TWENTY = [
    ScreenSpec(name, letter, name.title(), "", name, "", "") for name, letter in zip(ORDER, LETTERS, strict=False)
]


def text(line):
    return "".join(part for part, _ in line)


@pytest.mark.parametrize("room", [30, 42, 60, 80, 100, 120, 160])
@pytest.mark.parametrize("specs", [TWENTY, TWENTY[:8], TWENTY[:1]])
def test_the_current_screen_is_always_named_and_marked(room, specs):
    for spec in specs:
        line = tabs(specs, spec.name, room)
        assert width_of(line) <= room
        assert [part.strip() for part, role in line if role == "mark"] == [spec.title]


def test_titles_give_way_to_letters_and_letters_to_arrows():
    three = TWENTY[:3]
    assert text(tabs(three, "home", 60)).split() == ["Home", "Flywheel", "Interview"]
    assert text(tabs(three, "flywheel", 24)).split() == ["h", "Flywheel", "i"]
    crowded = text(tabs(TWENTY, "portfolio", 40))
    assert crowded.startswith("‹") and crowded.endswith("›")
    assert text(tabs(TWENTY, "home", 40))[0] == " "
    assert text(tabs(TWENTY, "sources", 40))[-1] == " "


def test_screens_stand_in_the_order_of_the_work():
    known = [name for name in SCREENS if name in ORDER]
    assert known == sorted(known, key=ORDER.index)
    assert next(iter(SCREENS)) == "home"


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_every_letter_has_its_name_while_g_waits(width):
    pairs = [(spec.letter, spec.title) for spec in TWENTY]
    lines = columns_of(pairs, width)
    assert len(lines) <= 9
    assert all(width_of(line) <= width for line in lines)
    page = " ".join(text(line) for line in lines)
    assert all(f"{letter} {title}" in page for letter, title in pairs)


@pytest.fixture
def eighty():
    with patch("textual.widget.Widget.size", new_callable=PropertyMock, return_value=Size(80, 1)):
        yield


def test_tabs_stay_where_they_are_while_the_note_beside_them_grows_and_shrinks(eighty):
    bar, seen = TabBar(), []
    for name, note in (("budgets", "↻ updating · 28d · 22 m old"), ("budgets", "28d · now"), ("home", "28d · now")):
        bar.tell(name, note)
        seen.append(text(bar._left))
    assert seen[0] == seen[1] and seen[0].startswith("‹")
    assert seen[2] == text(tabs(tuple(SCREENS.values()), "home", 70))


def test_a_long_job_leaves_room_for_who_and_where(eighty):
    bar = StatusBar()
    job = "● 0 spans/min :4318  ↻ sync amplitude active_users 120 rows"
    bar.tell(Status("Northwind Assist", (("cycle-2", "dim"), (" · gate ✓ go", "good")), age="synced now", job=job))
    assert text(bar._left).split() == ["Northwind", "A…", "cycle-2", "·", "gate", "✓", "go"]
    assert text(bar._right).split()[-2:] == ["synced", "now"] and "120 rows" in text(bar._right)
