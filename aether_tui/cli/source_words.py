"""What `sources map` sees: every word of a tracker or host that nobody mapped, how often it occurs, and what it may mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aether_tui.config import Mapping as Mapped

_OWN: Final = "($source::VARCHAR IS NULL OR source = $source)"
STATES: Final = f"""
SELECT state, sum(items)::BIGINT AS items,
  CASE WHEN bool_and(category IS NOT NULL) THEN max(category) END AS category,
  CASE WHEN bool_and(phase IS NOT NULL) THEN max(phase) END AS phase
FROM (
  SELECT state, category, phase, 1 AS items FROM work_items WHERE state IS NOT NULL AND {_OWN}
  UNION ALL
  SELECT DISTINCT to_state, to_category, to_phase, 0 FROM work_transitions WHERE to_state IS NOT NULL AND {_OWN}
)
GROUP BY state
ORDER BY items DESC, state
"""
_TYPES: Final = f"""
SELECT source_type AS word, count(*) AS n FROM work_items WHERE type = 'other' AND {_OWN} GROUP BY ALL ORDER BY n DESC, word
"""
_LABELS: Final = f"""
SELECT word, count(*) AS n, bool_or(typed) AS typed FROM (
  SELECT unnest(labels) AS word, type IS NOT NULL AND type <> 'other' AS typed FROM work_items WHERE {_OWN}
  UNION ALL
  SELECT unnest(labels), TRUE FROM pull_requests WHERE {_OWN}
)
GROUP BY word ORDER BY n DESC, word
"""
_ENVIRONMENTS: Final = f"""
SELECT source_environment AS word, count(*) AS n FROM deployments
WHERE environment = 'other' AND source_environment IS NOT NULL AND {_OWN} GROUP BY ALL ORDER BY n DESC, word
"""
_REPOS: Final = f"""
WITH requests AS (
  SELECT repo, team, unnest(CASE WHEN len(item_keys) > 0 THEN item_keys ELSE [NULL] END) AS key FROM pull_requests WHERE {_OWN}
), named AS (
  SELECT repo, i.team, count(*) AS n FROM requests JOIN work_items AS i USING (key)
  WHERE requests.team IS NULL AND i.team IS NOT NULL GROUP BY ALL
)
SELECT repo AS word, count(*) AS n,
  (SELECT max_by(named.team, (named.n, named.team)) FROM named WHERE named.repo = requests.repo AND named.n * 2 > (
    SELECT sum(every.n) FROM named AS every WHERE every.repo = requests.repo)) AS team
FROM requests WHERE team IS NULL AND repo IS NOT NULL GROUP BY repo ORDER BY n DESC, word
"""

Rows = Callable[[str], Sequence[Mapping[str, object]]]
"""The rows of a query."""


@dataclass(frozen=True, slots=True)
class Said:
    """A word that no `[mapping]` maps: of which table, how many rows say it, what it may mean and why; null where nothing tells."""

    table: str
    word: str
    rows: int
    proposed: str | None
    because: str = ""


def said(rows: Rows, mapped: Mapped) -> Iterator[Said]:
    """Types, teams, features and environments that could be mapped, most used first."""
    from aether_tui.ingest import propose
    from aether_tui.ingest.words import Words

    types, environments = Words(mapped.types), Words(mapped.environments)
    for word, n, _ in _counted(rows(_TYPES)):
        if types.find(word) is None:
            yield Said("types", word, n, propose.item_type(word))
    labels = list(_counted(rows(_LABELS)))
    known = (("types", propose.item_type, types), ("teams", propose.team, Words(mapped.teams)),
             ("features", propose.feature, Words(mapped.features)))  # fmt: skip
    for table, suggest, words in known:
        for word, n, row in labels:
            meant = None if table == "types" and row["typed"] else suggest(word)
            if meant and words.find(word) is None:
                yield Said(table, word, n, meant, "label")
    for word, n, row in _counted(rows(_REPOS)):
        team = row["team"]
        yield Said("teams", word, n, str(team) if team else None, "keys of its items" if team else "")
    for word, n, _ in _counted(rows(_ENVIRONMENTS)):
        if environments.find(word) is None:
            yield Said("environments", word, n, propose.environment(word))


def _counted(rows: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, int, Mapping[str, object]]]:
    for row in rows:
        n = row["n"]
        if row["word"]:
            yield str(row["word"]), n if isinstance(n, int) else 0, row
