"""Experiments by state: the one-pager, what came out, and the steps between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from aether_tui.actions import Where, shown
from aether_tui.report_model import Prose, SavedReport
from screens.base import ReportScreen

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.experiment import Choice, Experiment
    from aether_tui.workspace.kinds.playbook import Kind
    from aether_tui.workspace.written import Edit

    Step = Callable[[Experiment, str, date], Experiment]
    """A step of an experiment that somebody takes on a day; it raises CheckFailed where it may not be taken."""

TABLE = "experiments.items"
WAY = (
    ("fill", "fill"), ("review", "review"), ("start", "start"), ("result", "result"), ("observe", "observe"), ("decide", "decide"),
    ("codify", "codify"),
)  # fmt: skip
"""The steps of an experiment in order, by action."""


class Experiments(ReportScreen):
    """Each row says its next step; every step asks who takes it, and can be taken back."""

    FIRST: ClassVar[str] = TABLE
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"experiments"}

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._who = ""

    def adorn(self, report: SavedReport) -> SavedReport:
        """The way of an experiment by its keys, above the list."""
        import msgspec

        keys = {name: shown(self.shell.keymap.keys[f"experiments.{name}"].split(",")[0]) for name, _ in WAY}
        way = " → ".join(f"{keys[name]} {words}" for name, words in WAY)
        first = [number for number, block in enumerate(report.blocks) if block.id == TABLE][:1]
        blocks = list(report.blocks)
        for number in first:
            blocks.insert(number, Prose(id="experiments.way", text=way))
        return msgspec.structs.replace(report, blocks=tuple(blocks))

    def _selected(self) -> str:
        item = self.page.selected
        if item is None or item.block != TABLE:
            self.shell.say("select an experiment first (j, k), or add one (n)")
            return ""
        return item.row

    def _edit(self, work: Callable[[], Edit]) -> None:
        self.shell.edit(work, rebuild=self.report)

    def _ask_who(self, label: str, may: Step, then: Callable[[Experiment, str], None]) -> None:
        """Ask who takes a step of the selected experiment, unless it may not be taken; `then` gets it and the answer."""
        identity, workspace, now = self._selected(), self.shell.workspace, self.shell.now()

        def look() -> Experiment:
            from aether_tui.workspace.kinds.experiment import Experiment
            from aether_tui.workspace.store import Store

            one = Store(workspace).get(Experiment, identity).document
            may(one, "somebody", now.date())
            return one

        def asked(one: Experiment) -> None:
            def done(who: str | None) -> None:
                if who:
                    self._who = who
                    then(one, who)

            self.ask(f"{identity}: {label}", self._who, done)

        if identity:
            self.shell.first(look, asked)

    def _step(self, identity: str, step: Step, who: str, what: str) -> None:
        """Take a step of an experiment, and rebuild the list."""
        from screens import trial_edits as edits

        workspace, now = self.shell.workspace, self.shell.now()
        self._edit(lambda: edits.step(workspace, identity, lambda one: step(one, who, now.date()), now, what))

    def action_new(self) -> None:
        from screens import trial_edits as edits

        def make(words: str | None) -> None:
            def opened(edit: Edit) -> None:
                self.begun(
                    TABLE, edit, {"id": edit.identity, "title": words or "", "state": "draft", "next": "fill it in (f)"}
                )
                self.shell.open_form("experiment", edit.identity)

            if words:
                work = lambda: edits.new(self.shell.workspace, words, self.shell.now())  # noqa: E731
                self.shell.edit(work, rebuild=self.report, done=opened)

        self.ask("title, or an opportunity such as OPP-3", "", make)

    def action_fill(self) -> None:
        identity = self._selected()
        if identity:
            self.shell.open_form("experiment", identity)

    def action_review(self) -> None:
        from aether_tui.workspace import trials

        self._ask_who(
            "who read it", trials.review, lambda one, who: self._step(one.id, trials.review, who, f"reviewed by {who}")
        )

    def action_start(self) -> None:
        self._start(shadow=False)

    def action_shadow(self) -> None:
        self._start(shadow=True)

    def _start(self, *, shadow: bool) -> None:
        from aether_tui.workspace import trials

        start = partial(trials.start, shadow=shadow)
        label, what = ("who starts it in shadow", "running in shadow") if shadow else ("who starts it", "running")
        self._ask_who(label, start, lambda one, who: self._step(one.id, start, who, what))

    def action_result(self) -> None:
        from aether_tui.workspace import trials
        from screens import trial_edits as edits

        def ask(one: Experiment, who: str) -> None:
            workspace, now = self.shell.workspace, self.shell.now()

            def read(arms: str) -> str:
                if arms:
                    edits.typed(one, arms, who, now)
                return arms

            make = lambda arms: self._edit(lambda: edits.record(workspace, one.id, arms, who, now))  # noqa: E731
            how = "[metric] control treatment, as 120/1000 140/1010 or 4.2±1.1/300 3.9±1.2/310; empty: cached tasks"
            self.ask_right(how, "", read, make)

        self._ask_who("who read the result", lambda one, _who, _day: trials.record(one, []), ask)

    def action_observe(self) -> None:
        from aether_tui.workspace import trials

        def ask(one: Experiment, who: str) -> None:
            def read(text: str) -> Step:
                seen: Step = lambda old, who, day: trials.observe(old, text, who, day)  # noqa: E731
                seen(one, who, self.shell.now().date())
                return seen

            make = lambda seen: self._step(one.id, seen, who, "observation written")  # noqa: E731
            self.ask_right("what was seen, in ten characters or more", "", read, make)

        self._ask_who("who saw it", lambda one, _who, _day: one, ask)

    def action_decide(self) -> None:
        from aether_tui.workspace import trials
        from screens import trial_edits as edits

        def may(one: Experiment, who: str, day: date) -> Experiment:
            return trials.decide(one, "kill", "none", who, day)

        def ask(one: Experiment, who: str) -> None:
            workspace, now = self.shell.workspace, self.shell.now()

            def staying(rail: str) -> str:
                trials.decide(one, "scale", "none", who, now.date(), guardrail=rail)
                return rail

            def chosen(choice: Choice) -> None:
                if choice == "scale":
                    self.ask_right("guardrail that stays", "", staying, lambda rail: noted(choice, rail))
                else:
                    noted(choice, "")

            def noted(choice: Choice, rail: str) -> None:
                self.ask_right("why (may be empty)", "", str, lambda note: make(choice, rail, note))

            def make(choice: Choice, rail: str, note: str) -> None:
                self._edit(lambda: edits.decision(workspace, one.id, choice, who, rail, note, now))

            self.ask_right("kill, iterate or scale", "", edits.choice_of, chosen)

        self._ask_who("who decides", may, ask)

    def action_codify(self) -> None:
        from aether_tui.workspace import trials
        from screens import trial_edits as edits

        def ask(one: Experiment, owner: str) -> None:
            def read(won: str) -> str:
                edits.won_of(won)
                return won

            def chosen(kind: Kind) -> None:
                label = "budget to keep it won, as refund.cost 0.10 USD/task (may be empty)"
                self.ask_right(label, "", read, lambda won: write(kind, won))

            def write(kind: Kind, won: str) -> None:
                workspace, now = self.shell.workspace, self.shell.now()
                self._edit(lambda: edits.codify(workspace, one.id, kind, owner, won, now))

            kinds = "kind: 1 prompt, 2 router rule, 3 test, 4 onboarding, 5 taxonomy"
            self.ask_right(kinds, "3", edits.kind_of, chosen)

        self._ask_who("who keeps it true", partial(trials.codify, link=""), ask)

    def action_back(self) -> None:
        from aether_tui.workspace import trials

        def ask(one: Experiment, who: str) -> None:
            def read(note: str) -> Step:
                back: Step = partial(trials.back, note=note)
                back(one, who, self.shell.now().date())
                return back

            self.ask_right("why", "", read, lambda back: self._step(one.id, back, who, "one step back"))

        self._ask_who("who takes it back", partial(trials.back, note="still to be said"), ask)
