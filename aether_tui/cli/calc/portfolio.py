"""The ICE-P calculator: a ranked portfolio from a file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from aether_tui.cli.calc.common import NUMBER, file_argument, positive, read_input, seed_option, show
from aether_tui.cli.output import FORMAT
from aether_tui.errors import ConfigurationError

if TYPE_CHECKING:
    from aether_tui.diagnostics.icep import Candidate, Range

KEYS = {"id", "title", "impact", "confidence", "reversibility", "effort_weeks", "strategic_bet"}


@click.command()
@file_argument("FILE.yaml|csv")
@click.option("--high", type=NUMBER, help="What counts as a high score.  [default: the top third]")
@click.option(
    "--draws", type=click.IntRange(100, 100_000), default=2000, show_default=True, help="Draws from the ranges."
)
@seed_option
@FORMAT
def icep(file: str, high: float | None, draws: int, seed: int, form: str) -> None:
    """Rank opportunities by Impact × Confidence × Reversibility ÷ Effort. A value may be a range LOW,MODE,HIGH."""
    from aether_tui.diagnostics.icep import rank

    data = read_input(file)
    rows = _from_csv(data, file) if data.lstrip()[:1] not in {b"{", b""} and _is_csv(data) else _from_yaml(data, file)
    candidates = [_candidate(row, f"{file}: opportunity {number}") for number, row in enumerate(rows, 1)]
    seen: set[str] = set()
    for candidate in candidates:
        if candidate.id in seen:
            raise ConfigurationError(f"two opportunities have the id {candidate.id!r}", where=file)
        seen.add(candidate.id)
    if high is not None:
        positive("--high", high)
    ranking = rank(candidates, high_score=high, seed=seed, draws=draws)
    show(
        {
            "high": ranking.high,
            "opportunities": [
                {
                    "rank": item.rank,
                    "id": item.candidate.id,
                    "title": item.candidate.title,
                    "score": item.score,
                    "bucket": item.bucket,
                    "p_top3": item.p_top3,
                    "rank_low": item.rank_low,
                    "rank_high": item.rank_high,
                }
                for item in ranking.items
            ],
        },
        form,
    )


def _is_csv(data: bytes) -> bool:
    first = data.decode("utf-8-sig", "replace").lstrip().partition("\n")[0]
    return "," in first and ":" not in first


def _from_csv(data: bytes, file: str) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = []
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), restkey="", strict=True)
        for row in reader:
            if "" in row or None in row.values():
                wanted = len(reader.fieldnames or ())
                raise ConfigurationError(f"is not {wanted} cells", where=f"{file}: line {reader.line_num}")
            rows.append({key: value for key, value in row.items() if value})
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"is not CSV: {error}", where=file) from error
    return rows


def _from_yaml(data: bytes, file: str) -> list[Mapping[str, object]]:
    from aether_tui.workspace.yaml_file import read_yaml

    document, _ = read_yaml(data, file)
    rows = document.get("opportunities") if isinstance(document, dict) and set(document) == {"opportunities"} else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationError("needs one key, opportunities: a list of tables", where=file)
    return rows


def _candidate(row: Mapping[str, object], where: str) -> Candidate:
    from aether_tui.diagnostics.icep import Candidate

    unknown = sorted(set(map(str, row)) - KEYS)
    if unknown:
        raise ConfigurationError(f"unknown key {unknown[0]!r} (known: {', '.join(sorted(KEYS))})", where=where)
    if not row.get("id"):
        raise ConfigurationError("has no id", where=where)
    return Candidate(
        id=str(row["id"]),
        title=str(row.get("title", "")),
        impact=_range(row, "impact", where, 1, 10),
        confidence=_range(row, "confidence", where, 1, 10),
        reversibility=_range(row, "reversibility", where, 1, 10),
        effort_weeks=_range(row, "effort_weeks", where, 1e-9, 520),
        strategic_bet=row.get("strategic_bet") in {True, "true", "yes", "1"},
    )


def _range(row: Mapping[str, object], name: str, where: str, least: float, most: float) -> Range:
    value = row.get(name)
    if isinstance(value, str):
        value = [part for part in value.strip("[] ").replace(";", ",").split(",") if part.strip()]
    parts = value if isinstance(value, list) else [value]
    try:
        found = [float(str(part)) for part in parts]
        if isinstance(value, bool) or len(found) not in {1, 3} or not all(map(math.isfinite, found)):
            raise ValueError
    except ValueError:
        raise ConfigurationError(
            f"{name} must be a number or [low, mode, high], not {row.get(name)!r}", where=where
        ) from None
    low, mode, high = found * 3 if len(found) == 1 else found
    if not least <= low <= mode <= high <= most:
        wanted = "above 0 weeks" if name == "effort_weeks" else "between 1 and 10"
        raise ConfigurationError(f"{name} must be {wanted}, low ≤ mode ≤ high, not {row.get(name)!r}", where=where)
    return low, mode, high
