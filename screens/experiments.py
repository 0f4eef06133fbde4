"""Experiments by state: the one-pager, what came out, and the steps between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from aether_tui.actions import Where, shown
from aether_tui.report_model import Prose, SavedReport
from screens.base import ReportScreen

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.experiment import Choice
    from aether_tui.workspace.kinds.playbook import Kind
    from aether_tui.workspace.written import Edit

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

    def _ask_who(self, label: str, then: Callable[[str, str], None]) -> None:
        """Ask who takes a step of the selected experiment; `then` receives its id and the answer."""
        identity = self._selected()

        def done(who: str | None) -> None:
            if who:
                self._who = who
                then(identity, who)

        if identity:
            self.ask(label, self._who, done)

    def _then_ask(self, label: str, then: Callable[[str], None], value: str = "") -> None:
        def done(answer: str | None) -> None:
            if answer is not None:
                then(answer.strip())

        self.ask(label, value, done)

    def action_new(self) -> None:
        from screens import trial_edits as edits

        def make(words: str) -> None:
            def opened(edit: Edit) -> None:
                self.begun(
                    TABLE, edit, {"id": edit.identity, "title": words, "state": "draft", "next": "fill it in (f)"}
                )
                self.shell.open_form("experiment", edit.identity)

            if words:
                work = lambda: edits.new(self.shell.workspace, words, self.shell.now())  # noqa: E731
                self.shell.edit(work, rebuild=self.report, done=opened)

        self._then_ask("title, or an opportunity such as OPP-3", make)

    def action_fill(self) -> None:
        identity = self._selected()
        if identity:
            self.shell.open_form("experiment", identity)

    def action_review(self) -> None:
        from aether_tui.workspace import trials
        from screens import trial_edits as edits

        def make(identity: str, who: str) -> None:
            now = self.shell.now()
            update = lambda one: trials.review(one, who, now.date())  # noqa: E731
            self._edit(lambda: edits.step(self.shell.workspace, identity, update, now, f"reviewed by {who}"))

        self._ask_who("who read it", make)

    def action_start(self) -> None:
        self._start(shadow=False)

    def action_shadow(self) -> None:
        self._start(shadow=True)

    def _start(self, *, shadow: bool) -> None:
        from aether_tui.workspace import trials
        from screens import trial_edits as edits

        def make(identity: str, who: str) -> None:
            now = self.shell.now()
            update = lambda one: trials.start(one, who, now.date(), shadow=shadow)  # noqa: E731
            what = "running in shadow" if shadow else "running"
            self._edit(lambda: edits.step(self.shell.workspace, identity, update, now, what))

        self._ask_who("who starts it in shadow" if shadow else "who starts it", make)

    def action_result(self) -> None:
        from screens import trial_edits as edits

        def ask(identity: str, who: str) -> None:
            def make(arms: str) -> None:
                self._edit(lambda: edits.record(self.shell.workspace, identity, arms, who, self.shell.now()))

            self._then_ask("[metric] 120/1000 140/1010; empty reads cached tasks:", make)

        self._ask_who("who read the result", ask)

    def action_observe(self) -> None:
        from aether_tui.workspace import trials
        from screens import trial_edits as edits

        def ask(identity: str, who: str) -> None:
            def make(text: str) -> None:
                now = self.shell.now()
                update = lambda one: trials.observe(one, text, who, now.date())  # noqa: E731
                if text:
                    self._edit(lambda: edits.step(self.shell.workspace, identity, update, now, "observation written"))

            self._then_ask("what was seen", make)

        self._ask_who("who saw it", ask)

    def action_decide(self) -> None:
        from screens import trial_edits as edits

        def ask(identity: str, who: str) -> None:
            def chosen(choice: str) -> None:
                if choice not in edits.CHOICES:
                    self.shell.say(f"▲ {choice!r} is none of kill, iterate, scale")
                elif choice == "scale":
                    self._then_ask("guardrail that stays", lambda rail: noted(choice, rail))
                else:
                    noted(choice, "")

            def noted(choice: str, rail: str) -> None:
                self._then_ask("why (may be empty)", lambda note: make(choice, rail, note))

            def make(choice: str, rail: str, note: str) -> None:
                workspace, now = self.shell.workspace, self.shell.now()
                taken = cast("Choice", choice)
                self._edit(lambda: edits.decision(workspace, identity, taken, who, rail, note, now))

            self._then_ask("kill, iterate or scale", chosen)

        self._ask_who("who decides", ask)

    def action_codify(self) -> None:
        from screens import trial_edits as edits

        def ask(identity: str, owner: str) -> None:
            def make(answer: str) -> None:
                kind = edits.KINDS[int(answer) - 1] if answer in {"1", "2", "3", "4", "5"} else answer
                if kind not in edits.KINDS:
                    self.shell.say(f"▲ {kind!r} is none of {', '.join(edits.KINDS)}")
                    return
                self._then_ask("budget to keep it won, as refund.cost 0.10 USD/task:", lambda won: write(kind, won))

            def write(kind: str, won: str) -> None:
                now = self.shell.now()
                self._edit(lambda: edits.codify(self.shell.workspace, identity, cast("Kind", kind), owner, won, now))

            self._then_ask("kind: 1 prompt, 2 router rule, 3 test, 4 onboarding, 5 taxonomy", make, "3")

        self._ask_who("who keeps it true", ask)

    def action_back(self) -> None:
        from aether_tui.workspace import trials
        from screens import trial_edits as edits

        def ask(identity: str, who: str) -> None:
            def make(note: str) -> None:
                now = self.shell.now()
                update = lambda one: trials.back(one, who, now.date(), note)  # noqa: E731
                self._edit(lambda: edits.step(self.shell.workspace, identity, update, now, "one step back"))

            self._then_ask("why", make)

        self._ask_who("who takes it back", ask)
