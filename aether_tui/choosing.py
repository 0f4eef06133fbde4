"""Choosing what all screens look at: the window, what it is compared with, and a team, service or feature."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial

from aether_tui import looking
from aether_tui.background import Background
from aether_tui.errors import ConfigurationError
from aether_tui.looking import Looking
from aether_tui.report_model import Table
from aether_tui.session import Session


class Choosing(Background):
    """An app whose view is chosen by keys, and remembered."""

    _session: Session

    def look_at(self, wanted: Looking) -> None:
        super().look_at(wanted)
        self._session.looking = wanted
        self._memory.keep_session(self._session)  # a terminal that is closed leaves no other time for it
        back = "; esc returns to 28d, everything" if wanted.key else ""
        self.say(f"looking at {wanted.words() or wanted.window}{back}")

    def action_wider(self) -> None:
        self._step(1)

    def action_narrower(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        self.look_at(looking.stepped(self.looking(), step, self._usual()))

    def _usual(self) -> tuple[str, ...]:
        return looking.usual(self.now(), self._session.fiscal_start_month)

    def nearby(self) -> Sequence[Looking]:
        """The other usual windows."""
        return looking.nearby(self.looking(), self._usual())

    def action_window(self) -> None:
        """Type a window: days, a fiscal quarter, or two dates."""
        self._ask_looking(
            "window (UTC days): 7d, 90d, q this quarter, 2026-Q3, 2026-07-01..2026-09-30",
            "",
            lambda now, text: looking.windowed(now, text, self.workspace, self.now(), self._session.fiscal_start_month),
        )

    def action_compare(self) -> None:
        """Type what the window is compared with; the last two frozen reviews are offered by name."""
        from aether_tui.workspace import reviews

        frozen = ", ".join(("", *reviews.names(self.workspace)[-2:]))
        self._ask_looking(
            f"compare with: previous, a date such as 2026-08-31{frozen}",
            "",
            lambda now, text: looking.compared(now, text, self.workspace, self.now(), self._session.fiscal_start_month),
        )

    def action_narrow(self) -> None:
        """Narrow everything to a team, service or feature."""
        known, now = self._narrowable(), self.looking()
        said = ", ".join(f"{name} {value}" for name in looking.NARROW if (value := getattr(now, name)))
        offered = looking.listed(known, self.size.width - max(len(said) + 2, 20) - len("only ; or a name") - 2)
        label = f"only {offered}; or a name" if offered else "only, such as: team payments (nothing: all)"
        narrowed = partial(looking.narrowed, known=known)
        self._ask_looking(label, said, narrowed, empty=True, likely=partial(looking.is_known, known=known))

    def _narrowable(self) -> tuple[tuple[str, str], ...]:
        """Teams, services and features that data name, as the last report of the sources has them."""
        report = self.saved("sources", whole=True)
        tables = (b for b in report.blocks if isinstance(b, Table) and b.id == "sources.names") if report else ()
        return tuple((str(row.cells[0]), row.id.partition(".")[2]) for table in tables for row in table.rows)

    def _ask_looking(
        self,
        label: str,
        value: str,
        check: Callable[[Looking, str], Looking],
        *,
        empty: bool = False,
        likely: Callable[[Looking], bool] = bool,
    ) -> None:
        """Ask for a view; what is typed is looked ahead at as soon as it is a `likely` one."""
        screen = self.page_screen()

        def read(text: str) -> Looking:
            return check(self.looking(), text) if text or empty else self.looking()

        def changed(text: str) -> None:
            with contextlib.suppress(ConfigurationError):  # not yet
                if likely(view := check(self.looking(), text.strip())):
                    self.look_ahead(view)

        if screen is not None:
            self.look_ahead(None)
            screen.ask_right(label, value, read, self.look_at, changed=changed, passing=True)
