"""Every kind of authored document by name, and a snapshot of all that was written down."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from aether_tui.workspace.document import Document
from aether_tui.workspace.store import Store

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.problems import Problem
    from aether_tui.workspace.folder import Workspace
    from aether_tui.workspace.kinds.cycle import Cycle
    from aether_tui.workspace.kinds.decision import Decision
    from aether_tui.workspace.kinds.opportunity import Opportunity

D = TypeVar("D", bound=Document)


class Kinds(Mapping[str, type[Document]]):
    """Kinds by the name `doc` commands use; a module is imported when its kind is asked for."""

    _NAMED: Mapping[str, tuple[str, str, str]] = {
        # name: (module, class, place under `engagement/`)
        "opportunity": ("opportunity", "Opportunity", "opportunities"),
        "cycle": ("cycle", "Cycle", "cycles"),
        "decision": ("decision", "Decision", "decisions"),
        "experiment": ("experiment", "Experiment", "experiments"),
        "playbook": ("playbook", "PlaybookEntry", "playbook"),
        "value-stream": ("value_stream", "ValueStream", "value-streams"),
        "failure-review": ("failure_review", "FailureReview", "failure-reviews"),
        "taxonomy": ("taxonomy", "Taxonomy", "taxonomy"),
        "north-star": ("north_star", "NorthStar", "north-star.yaml"),
        "canvas": ("canvas", "Canvas", "canvas.yaml"),
        "lifecycle": ("lifecycle", "Lifecycle", "lifecycle.yaml"),
        "ritual": ("ritual", "Ritual", "rituals"),
        "decision-right": ("decision_right", "DecisionRight", "decision-rights"),
        "agreement": ("agreement", "Agreement", "agreements"),
        "team": ("team", "Team", "teams"),
        "event": ("event", "Event", "events"),
        "commitment": ("commitment", "Commitment", "commitments"),
        "tool": ("tool", "Tool", "tools"),
        "postmortem": ("postmortem", "Postmortem", "postmortems"),
        "interview": ("interview", "Interview", "interviews"),
        "assessment": ("assessment", "Assessment", "assessments"),
        "onboarding": ("onboarding", "Onboarding", "onboarding"),
    }

    def __getitem__(self, name: str) -> type[Document]:
        module, attribute, _ = self._NAMED[name]
        kind: object = getattr(importlib.import_module(f"aether_tui.workspace.kinds.{module}"), attribute)
        assert isinstance(kind, type) and issubclass(kind, Document)
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(self._NAMED)

    def __len__(self) -> int:
        return len(self._NAMED)

    def at(self, file: Path) -> type[Document] | None:
        """The kind of a document by where its file is, `engagement/` being its folder or the one above; None for other files."""
        place = file.name if file.parent.name == "engagement" else file.parent.name
        return next((self[name] for name, (_, _, own) in self._NAMED.items() if own == place), None)

    def place(self, name: str, workspace: Workspace) -> Path:
        """Folder of a kind, or the file of one that is single; nothing is imported."""
        return workspace.engagement / self._NAMED[name][2]


KINDS = Kinds()


@dataclass(frozen=True)
class Documents:
    """What the engagement's authors wrote; each kind is read once, when it is first asked for.

    Broken files are in `problems`, everything else is usable.
    """

    workspace: Workspace
    config: Config

    @cached_property
    def opportunities(self) -> tuple[Opportunity, ...]:
        """By number."""
        from aether_tui.workspace.kinds.opportunity import Opportunity

        return self.of(Opportunity)

    @cached_property
    def cycles(self) -> tuple[Cycle, ...]:
        """By number."""
        from aether_tui.workspace.kinds.cycle import Cycle

        return self.of(Cycle)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """By number."""
        from aether_tui.workspace.kinds.decision import Decision

        return self.of(Decision)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with files of any kind."""
        return tuple(
            problem
            for name in KINDS
            if KINDS.place(name, self.workspace).exists()
            for problem in self._read(KINDS[name])[1]
        )

    def running(self, today: date) -> Cycle | None:
        """The running cycle: the newest that has begun by `today` and not ended by then."""
        from aether_tui.workspace.document import AHEAD

        begun = (one for one in reversed(self.cycles) if one.started <= today + AHEAD)
        return next((one for one in begun if one.ended is None or one.ended > today), None)

    def of(self, kind: type[D]) -> tuple[D, ...]:
        """Every readable document of a kind, by number."""
        return self._read(kind)[0]

    @cached_property
    def _found(self) -> dict[type[Document], tuple[tuple[Document, ...], list[Problem]]]:
        return {}

    def _read(self, kind: type[D]) -> tuple[tuple[D, ...], list[Problem]]:
        if kind not in self._found:
            stored, problems = Store(self.workspace).all(kind)
            self._found[kind] = tuple(item.document for item in stored), problems
        documents, problems = self._found[kind]
        return cast("tuple[D, ...]", documents), problems


def read_documents(workspace: Workspace, config: Config) -> Documents:
    """A snapshot of all documents; reading never fails because of one file."""
    return Documents(workspace, config)


def offered(workspace: Workspace, kind: type[Document]) -> dict[str, object]:
    """Values that other documents offer a new one of this kind; what cannot be read, or is not said, offers none."""
    found: dict[str, object] = {}
    for name, (other, key) in kind.OFFERED.items():
        documents, _ = Store(workspace).all(KINDS[other])
        value = getattr(documents[-1].document, key) if documents else None
        if value is not None:
            found[name] = value
    return found
