"""CI, cost, tests and tokens against their budgets, as they run."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.actions import BY_ID, Where
from aether_tui.budgets.waive import check_waiver
from screens.base import ReportScreen

TABLE = "budgets.rows"
FORM: tuple[tuple[str, str], ...] = (
    ("reason", "reason, in ten characters or more"),
    ("owner", "owner: who answers for it"),
    ("expires", "last day (2026-12-31), at most 90 days away"),
    ("raise_to", "new limit; empty: a block only warns"),
)
"""Fields of a waiver in the order they are asked for; the last may stay empty."""


class Budgets(ReportScreen):
    """Four surfaces, each number with its limit; `↵` opens what is behind one."""

    LEAD: ClassVar[int] = 100
    FIRST: ClassVar[str] = TABLE
    LIVE: ClassVar[bool] = True
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"budgets", "drill"}

    @property
    def budget(self) -> str:
        """The id of the selected budget, or nothing."""
        item = self.page.selected
        return item.row.partition(" · ")[0] if item is not None and item.block == TABLE else ""

    def action_waive(self) -> None:
        """Ask for the fields of a waiver one after the other, then write it."""
        if not self.budget:
            self.shell.say("select a budget first (j, k)")
            return
        self._ask_field(self.budget, {})

    def _ask_field(self, budget: str, given: dict[str, str]) -> None:
        from screens.edits import waive

        if len(given) == len(FORM):
            now = self.shell.now()
            workspace = self.shell.workspace
            work = lambda: waive(workspace, budget, given, now)  # noqa: E731
            self.shell.write(work, workspace.budgets_path, rebuild=self.report)
            return
        name, label = FORM[len(given)]

        def read(value: str) -> dict[str, str]:
            said = {**given, name: value}
            check_waiver(self.shell.workspace.budgets_path, budget, said, self.shell.now().date())
            return said

        self.ask_right(
            f"waive {budget}, {label}", "", read, lambda said: self._ask_field(budget, said),
            given_up=lambda: self.shell.say("no waiver was written"),
        )  # fmt: skip

    def action_baseline(self) -> None:
        """Write only after a yes: from now on, everything is compared with these measurements."""

        def done(value: str | None) -> None:
            if value is not None and value.casefold() in {"y", "yes"}:
                writes = self.shell.workspace.baselines
                self.shell.command("baseline", "budget", "baseline", "--update", writes=writes)
            else:
                self.shell.say("the baselines stay as they are")

        folder = self.shell.workspace.baselines.name
        self.ask(f"add the newest measurements to {folder}/ as baseline? y or n", "", done, passing=True)

    def action_receiver(self) -> None:
        self.shell.receive()

    def action_levers(self) -> None:
        self.run_worker(self.shell.perform(BY_ID["go.levers"]))
