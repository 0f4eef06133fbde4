"""From the sources' words to ours, one value at a time: pure functions of the words and the workspace's mapping.

What the user maps comes first. Then a source's own class of states, or a word whose meaning nobody disputes (`DEFAULT_…`
below). Else null: unmapped is shown as unmapped, never guessed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from functools import lru_cache
from typing import Literal

from aether_tui.config import Category, Environment, ItemType, Mapping, Phase
from aether_tui.ingest.words import Words, plain

DEFAULT_CATEGORIES: dict[str, Category] = {
    # Linear: WorkflowState.type
    "triage": "backlog", "backlog": "backlog", "unstarted": "queue", "started": "active", "completed": "done",
    "canceled": "cancelled", "cancelled": "cancelled", "duplicate": "cancelled",
    # Jira: the status category's key
    "new": "queue", "indeterminate": "active", "done": "done",
}  # fmt: skip
"""The trackers' own classes of states."""

DEFAULT_TYPES: dict[str, ItemType] = {
    "bug": "bug", "bugs": "bug", "defect": "bug", "regression": "bug", "fault": "bug",
    "feature": "feature", "new feature": "feature", "feature request": "feature", "story": "feature",
    "user story": "feature", "epic": "feature", "improvement": "feature", "enhancement": "feature",
    "incident": "incident", "[system] incident": "incident", "outage": "incident", "major incident": "incident",
    "opportunity": "opportunity", "idea": "opportunity", "insight": "opportunity",
    "chore": "chore", "task": "chore", "sub-task": "chore", "subtask": "chore", "technical task": "chore",
    "tech debt": "chore", "maintenance": "chore", "documentation": "chore", "refactoring": "chore", "spike": "chore",
}  # fmt: skip
"""Types and labels that mean the same everywhere."""

DEFAULT_ENVIRONMENTS: dict[str, Environment] = {
    "prod": "production", "production": "production", "prd": "production", "live": "production",
    "staging": "staging", "stage": "staging", "stag": "staging", "stg": "staging", "preprod": "staging",
    "preproduction": "staging", "uat": "staging", "qa": "staging",
    "dev": "dev", "develop": "dev", "development": "dev", "test": "dev", "testing": "dev", "tst": "dev",
    "sandbox": "dev", "local": "dev", "preview": "dev", "nonprod": "dev", "nonproduction": "dev",
}  # fmt: skip
"""Words of environment names; a name with words of two environments is none of them."""

_WORDS = re.compile(r"[^\W\d_]+")
_PREFIXED = re.compile(r"\b(pre|non|not|hors|vor)[ _\-]+(prod|production)\b")


@lru_cache(maxsize=16_384)
def environment_words(name: str) -> Environment | None:
    """The environment that the words of a name say, if they say exactly one."""
    words = _WORDS.findall(_PREFIXED.sub(r"\1\2", plain(name).replace("_", "-")))
    found = {DEFAULT_ENVIRONMENTS[word] for word in words if word in DEFAULT_ENVIRONMENTS}
    return found.pop() if len(found) == 1 else None


class Mapper:
    """The workspace's mapping, ready for lookups."""

    def __init__(self, mapping: Mapping) -> None:
        self._states: Words[Category] = Words(mapping.states)
        self._phases: Words[Phase] = Words(mapping.phases)
        self._types: Words[ItemType] = Words(mapping.types)
        self._teams: Words[str] = Words(mapping.teams)
        self._services: Words[str] = Words(mapping.services)
        self._features: Words[str] = Words(mapping.features)
        self._environments: Words[Environment] = Words(mapping.environments)
        self._tags = mapping.cost_tags
        self._scores: Words[list[str]] = Words(mapping.scores)

    def category(self, state: str | None, state_type: str | None, team: str | None) -> Category | None:
        """Category of a tracker state: `TEAM/State`, `State`, else by the tracker's own class of the state."""
        if state is None:
            return None
        mapped = self._states.find(f"{team}/{state}" if team else None, state)
        return mapped or DEFAULT_CATEGORIES.get((state_type or "").casefold())

    def phase(self, state: str | None, team: str | None) -> Phase | None:
        """Lifecycle phase of a tracker state, where the user maps it."""
        return self._phases.find(f"{team}/{state}" if team and state else None, state)

    def type(self, source_type: str | None, labels: Sequence[str]) -> ItemType | None:
        """Type of a work item: the user's word for its type or labels, else the usual words, else `other`.

        Null when the tracker has no types and no label says one.
        """
        mapped = self._types.find(source_type, *labels)
        if mapped is not None:
            return mapped
        for word in (source_type or "", *labels):
            if word.casefold() in DEFAULT_TYPES:
                return DEFAULT_TYPES[word.casefold()]
        return "other" if source_type else None

    def team(self, own: str | None, *others: str | None) -> str | None:
        """Team: the user's word for the source's own team or for any of `others`, else the source's own."""
        return self._teams.find(own, *others) or own

    def service(self, own: str | None, *others: str | None) -> str | None:
        """Service: the user's word for the source's own name or for any of `others`, else the source's own."""
        return self._services.find(own, *others) or own

    def service_of_repo(self, repo: str | None) -> str | None:
        """Service of a repository: the user's word for `owner/name` or `name`, else the repository's name."""
        return None if repo is None else self._services.find(repo, _name(repo)) or _name(repo)

    def team_of_repo(self, repo: str | None, labels: Sequence[str] = ()) -> str | None:
        """Team of a repository or of one of its labels, where the user maps it."""
        return None if repo is None else self._teams.find(repo, _name(repo), *labels)

    def feature(self, own: str | None, *others: str | None) -> str | None:
        """Feature: the user's word for the source's own name or for any of `others`, else the source's own."""
        return self._features.find(own, *others) or own

    def environment(self, name: str | None) -> Environment | None:
        """Environment of an environment's name; `other` for a name that says none."""
        if not name:
            return None
        return self._environments.find(name) or environment_words(name) or "other"

    def environment_hinted(self, *names: str | None) -> Environment | None:
        """Environment of an account or project: the user's word, else the words of its name; null when neither says."""
        mapped = self._environments.find(*names)
        if mapped is not None:
            return mapped
        return next((found for name in names if name and (found := environment_words(name))), None)

    def cost_dimensions(
        self, tags: Map[str, str], account: str | None, source_service: str | None
    ) -> tuple[Environment | None, str | None, str | None, str | None]:
        """Environment, service, team and feature of a cost row."""
        folded = {key.casefold(): value for key, value in tags.items()}

        def tag(names: Sequence[str]) -> str | None:
            return next((folded[name.casefold()] for name in names if folded.get(name.casefold())), None)

        named = tag(self._tags.environment)
        return (
            self.environment(named) if named else self.environment_hinted(account),
            self.service(tag(self._tags.service), source_service),
            self.team(tag(self._tags.team), account),
            self.feature(tag(self._tags.feature), account),
        )

    def outcome(self, name: str | None, value: str | None) -> Literal["success", "failure"] | None:
        """What a score says of its task; null for a name that is not mapped, and where there is no value."""
        wanted = self._scores.find(name)
        if wanted is None or value is None:
            return None
        return "success" if any(_meets(value, one) for one in wanted) else "failure"


_BOUNDS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def _meets(value: str, wanted: str) -> bool:
    """Whether a value is the word or number wanted, or within the bound."""
    sign = next((sign for sign in _BOUNDS if wanted.lstrip().startswith(sign)), "")
    try:
        found, bound = float(value), float(wanted.strip().removeprefix(sign))
    except ValueError:
        return not sign and value.casefold() == wanted.strip().casefold()
    return _BOUNDS[sign](found, bound) if sign else found == bound


def _name(repo: str) -> str:
    return repo.rpartition("/")[2]
