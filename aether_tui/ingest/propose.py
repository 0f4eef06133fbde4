"""A mapping proposed from the words a tracker uses: to be read by a person, never applied by itself."""

from __future__ import annotations

import re

from aether_tui.config import Category, Phase

_WORD = re.compile(r"[a-z]+")

# In the order in which they are tried: a state such as "Ready for review" waits, whatever else it says.
CATEGORY_CUES: tuple[tuple[Category, tuple[str, ...]], ...] = (
    ("cancelled", ("cancel*", "wont", "won", "duplicate*", "reject*", "declin*", "invalid", "abandon*", "obsolete")),
    ("wait", ("block*", "wait*", "hold", "pending", "paused", "stalled", "ready for", "ready to", "await*", "external")),
    ("done", ("done", "closed", "resolved", "complete*", "released", "shipped", "deployed", "live", "finished", "verified")),
    ("active", ("progress", "doing", "develop*", "implement*", "coding", "build*", "review*", "test*", "qa", "validat*",
                "investigat*", "design*", "measur*", "started", "working", "discovery", "research*")),
    ("queue", ("todo", "to do", "ready", "selected", "planned", "next", "scheduled", "accepted", "approved", "open", "reopen*")),
    ("backlog", ("backlog", "icebox", "inbox", "triage", "new", "idea*", "someday", "later", "funnel", "proposed")),
)  # fmt: skip
PHASE_CUES: tuple[tuple[Phase, tuple[str, ...]], ...] = (
    ("measure", ("measur*", "monitor*", "observ*", "experiment*")),
    ("release", ("ready to release", "ready for release", "releas*", "deploy*", "staging", "rollout", "launch*")),
    ("validation", ("validat*", "discovery", "research*", "interview*", "prototyp*", "explor*")),
    ("build", ("review*", "test*", "qa")),
    ("specification", ("spec*", "refin*", "groom*", "design*", "todo", "to do", "ready", "selected", "planned", "shap*", "next")),
    ("build", ("progress", "doing", "develop*", "implement*", "coding", "build*", "block*", "wait*", "started", "hold")),
    ("learn", ("done", "closed", "resolved", "complete*", "shipped", "live", "learn*", "decided")),
    ("ideation", ("backlog", "icebox", "inbox", "triage", "new", "idea*", "someday", "funnel", "proposed", "open")),
)  # fmt: skip


def category(state: str) -> Category | None:
    """The category that the words of a state suggest, if any does."""
    return next((name for name, cues in CATEGORY_CUES if _says(state, cues)), None)


def phase(state: str) -> Phase | None:
    """The lifecycle phase that the words of a state suggest, if any does."""
    return next((name for name, cues in PHASE_CUES if _says(state, cues)), None)


def _says(state: str, cues: tuple[str, ...]) -> bool:
    words = _WORD.findall(state.casefold())
    joined = f" {' '.join(words)} "
    return any(
        any(word.startswith(cue[:-1]) for word in words) if cue.endswith("*") else f" {cue} " in joined for cue in cues
    )
