"""Custom fields of a Jira site: their ids differ from site to site, so they are found by name and kind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from connectors.base import Refused
from connectors.fields import Node, dig, text

_STORY_POINTS = frozenset({"story points", "story point estimate"})
_CUES: Mapping[str, tuple[str, ...]] = {
    "impact": ("impact", "business impact", "customer impact", "value", "business value"),
    "effort": ("effort", "delivery effort", "development effort", "effort estimate"),
    "confidence": ("confidence", "confidence level"),
    "reversibility": ("reversibility",),
}
SCORES = tuple(_CUES)
"""What an idea can say of itself, in the words of an opportunity."""


@dataclass(frozen=True)
class JiraFields:
    """The fields that hold estimates (tried in order), sprints, and by our word what an idea says of itself."""

    estimates: tuple[str, ...] = ()
    sprints: tuple[str, ...] = ()
    ideas: Mapping[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """All of them, to be asked for."""
        return tuple(dict.fromkeys((*self.estimates, *self.sprints, *self.ideas.values())))


def find_fields(fields: Sequence[Node], estimate: str, ideas: Mapping[str, str]) -> JiraFields:
    """The fields of a site, from `/field`. Raises Refused for a name or id that no field has."""
    estimates = (_named(fields, estimate, "estimate_field"),) if estimate else estimate_fields(fields)
    found = {word: _named(fields, wanted, f"discovery.{word}") for word, wanted in ideas.items()}
    return JiraFields(estimates, sprint_fields(fields), found)


def estimate_fields(fields: Iterable[Node]) -> tuple[str, ...]:
    """Ids of the custom fields that hold story points, by their kind or name: names come in the language of the token's owner."""
    found = (
        text(one, "id")
        for one in fields
        if (text(one, "schema", "custom") or "").endswith("jsw-story-points")
        or (text(one, "name") or "").casefold() in _STORY_POINTS
    )
    return tuple(sorted(filter(None, found)))


def sprint_fields(fields: Iterable[Node]) -> tuple[str, ...]:
    """Ids of the custom fields that hold sprints, by their kind: the name is the site's own."""
    found = (text(one, "id") for one in fields if (text(one, "schema", "custom") or "").endswith("gh-sprint"))
    return tuple(sorted(filter(None, found)))


def field_proposal(fields: Sequence[Node], source: str) -> list[str]:
    """TOML lines that name the fields whose names say what they hold; every further candidate is a comment."""
    lines = []
    for place, one in enumerate(estimate_fields(fields)):
        lines.append(f'{"# " * bool(place)}estimate_field = "{one}"  # {_name(fields, one)}')
    ideas = []
    for word, cues in _CUES.items():
        fitting = [one for one in fields if (text(one, "name") or "").casefold().strip() in cues and text(one, "id")]
        fitting.sort(key=lambda one: cues.index((text(one, "name") or "").casefold().strip()))
        ideas += [
            f'{"# " * bool(place)}{word} = "{text(one, "id")}"  # {_shown(text(one, "name"))}'
            for place, one in enumerate(fitting)
        ]
    header = [f"[sources.{source}]", *lines] if lines else []
    return header + (["", f"[sources.{source}.discovery]", *ideas] if ideas else [])


def idea_labels(fields: object, known: JiraFields) -> tuple[str, ...]:
    """What an idea says of itself, as labels such as `impact: 8`, for `opportunity import --map impact=label:impact`."""
    said = ((word, _said(dig(fields, one))) for word, one in known.ideas.items())
    return tuple(f"{word}: {value}" for word, value in said if value)


def _said(value: object) -> str | None:
    """A number, a choice, or the first of several; null is nothing."""
    if isinstance(value, list):
        return next((said for one in value if (said := _said(one))), None)
    if isinstance(value, Mapping):
        return text(value, "value") or text(value, "name")
    found = text({"value": value}, "value")
    return found.removesuffix(".0") if found and isinstance(value, float) else found


def _named(fields: Sequence[Node], wanted: str, key: str) -> str:
    """The id of the field with that id or name."""
    ids = {text(one, "id") for one in fields}
    if wanted in ids:
        return wanted
    by_name = {(text(one, "name") or "").casefold(): text(one, "id") for one in fields}
    if found := by_name.get(wanted.casefold()):
        return found
    near = get_close_matches(wanted.casefold(), [name for name in by_name if name], 1)
    meant = f"did you mean {_name(fields, by_name[near[0]] or '')!r}? " if near else ""
    raise Refused(
        f"{key}: Jira has no field {_shown(wanted)!r}",
        hint=f"{meant}`aether-tui sources map` lists the fields that may fit",
    )


def _name(fields: Sequence[Node], wanted: str) -> str:
    return _shown(next((text(one, "name") for one in fields if text(one, "id") == wanted), ""))


def _shown(name: str | None) -> str:
    from aether_tui.text import one_line

    return one_line(name or "", 60)
