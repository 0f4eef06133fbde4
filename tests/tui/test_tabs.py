"""The line of screens: the current one is always named, whatever the width and however many there are."""

import pytest

from screens import ORDER, SCREENS, ScreenSpec
from screens.widgets.chrome import columns_of, tabs
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
