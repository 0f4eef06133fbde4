"""The action registry: one table, no clashes, every key leads to something that exists."""

import importlib

from textual.app import App

from aether_tui.actions import ACTIONS, BY_ID, GROUPS, Keymap, markdown, shown
from aether_tui.app import AetherApp
from screens import SCREENS
from screens.base import PageScreen, ReportScreen
from screens.documents import Documents
from screens.drill import Drill, ReplayPage, RowsPage, TracePage
from screens.form import Form
from screens.interview_sitting import Sitting
from screens.organisation import Papers
from screens.widgets.page import Page


def test_defaults_have_no_problems():
    assert Keymap().problems == ()


def test_ids_are_unique_and_groups_known():
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    assert {action.group for action in ACTIONS} == set(GROUPS)


def test_every_action_has_a_method_where_it_acts():
    screens = {name: getattr(importlib.import_module(spec.module), spec.attribute) for name, spec in SCREENS.items()}
    nodes = {
        "app": AetherApp,
        "page": PageScreen,
        "report": ReportScreen,
        "list": Page,
        "form": Form,
        "documents": Documents,
        "papers": Papers,
        "sitting": Sitting,
        "trace": TracePage,
        "rows": RowsPage,
        "drill": Drill,
        "replay": ReplayPage,
        **screens,
    }
    for action in ACTIONS:
        method = "action_" + action.call("1").partition("(")[0]
        node = nodes[action.where]
        assert hasattr(node, method), action.id
        inherited = getattr(App, method, None)
        assert getattr(node, method) is not inherited or action.id in {"app.quit", "app.suspend-process"}, (
            f"{action.id} is Textual's own"
        )


def test_every_screen_can_be_gone_to():
    assert {f"g {spec.letter}" for spec in SCREENS.values()} <= {action.keys for action in ACTIONS}


def test_the_users_keys_replace_the_defaults_and_are_checked():
    keymap = Keymap({"report.why": "Q, ?", "go.home": "g H"})
    assert keymap.keys["report.why"] == "Q,question_mark"
    everywhere = frozenset(action.where for action in ACTIONS)
    assert keymap.find("g H", everywhere) is BY_ID["go.home"]
    assert keymap.find("g h", everywhere) is None
    assert keymap.find("Q", everywhere) is BY_ID["report.why"]
    assert keymap.find("Q", frozenset({"app"})) is None
    assert any("report.why" in problem and "app.help" in problem for problem in keymap.problems)


def test_problems_name_the_nearest_action_and_what_cannot_be_reached():
    problems = " ".join(Keymap({"report.wy": "W", "go.lens": "z l", "portfolio.rate": "a"}).problems)
    assert "did you mean 'report.why'" in problems
    assert "'z l' of go.lens cannot be reached" in problems
    assert "portfolio.rate keeps its digits" in problems


def test_the_page_of_keys_lists_every_action():
    page = markdown()
    for action in ACTIONS:
        assert f"| `{action.id}` |" in page
    assert "`g h`" in page
    assert "_mark" not in page
    assert shown("down,j") == "↓ j"
