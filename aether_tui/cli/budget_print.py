"""The faces of a run of the gate on a terminal and in CI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from aether_tui.budgets.model import Result
from aether_tui.budgets.outputs import (
    MAX_SUMMARY,
    MIN_SUMMARY,
    Comment,
    Outcome,
    github_commands,
    junit,
    markdown,
    number,
    says_something,
    signed_share,
)
from aether_tui.cli.output import print_table
from aether_tui.errors import ConfigurationError
from aether_tui.report_model import GLYPHS


def print_outcome(
    outcome: Outcome, form: str, summary: Path | None, comment: Comment, results: Sequence[Result]
) -> None:
    """One face on stdout: text, json, md, junit, or github with the Markdown in the step summary."""
    if form in _FACES:
        click.echo(_FACES[form](outcome, comment, results), nl=False)
    elif form == "github":
        for line in github_commands(outcome):
            click.echo(line)
        if summary:
            _summarise(outcome, summary)
    else:
        header = ("", "BUDGET", "NOW", "BASE", "Δ", "LIMIT", "N", "WHY")
        print_table(header, [(GLYPHS[one.verdict], *_cells(one, outcome.currency)) for one in outcome.results])
        click.echo(f"\n{GLYPHS[outcome.verdict]} {outcome.headline()}")
        for said in outcome.expiries():
            click.echo(f"{GLYPHS['block']} {said}")


def write_faces(
    outcome: Outcome, also: Sequence[tuple[str, Path]], comment: Comment, results: Sequence[Result]
) -> None:
    """More faces of the same run, into files. Raises ConfigurationError for a file that cannot be written."""
    from aether_tui.workspace.store import write_whole

    for form, path in also:
        try:
            write_whole(path, _FACES[form](outcome, comment, results).encode("utf-8", "replace"))
        except OSError as error:
            raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _markdown(outcome: Outcome, comment: Comment, results: Sequence[Result]) -> str:
    """The text of a comment; empty when there is no reason for one."""
    return markdown(outcome) if says_something(outcome, comment) else ""


def _json(outcome: Outcome, comment: Comment, results: Sequence[Result]) -> str:
    """One object. `base` is the merge-base of a change, null elsewhere."""
    import msgspec

    printed = {
        "verdict": outcome.verdict,
        "currency": outcome.currency,
        "base": outcome.base or None,
        "budgets": results,
        "expired_waivers": [one.id for one in outcome.expired],
        "unjustified": sorted({one.id for one in outcome.unjustified}),
        "advisory": outcome.advisory,
    }
    return msgspec.json.encode(printed).decode() + "\n"


_FACES: dict[str, Callable[[Outcome, Comment, Sequence[Result]], str]] = {
    "md": _markdown,
    "json": _json,
    "junit": lambda outcome, comment, results: junit(outcome),
}


def _summarise(outcome: Outcome, path: Path) -> None:
    """Append to the step's summary, as far as it has room."""
    try:
        room = MAX_SUMMARY - (path.stat().st_size if path.exists() else 0)
        if room < MIN_SUMMARY:
            click.echo("note: the summary of this step is full: nothing was added", err=True)
            return
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(markdown(outcome, room))
    except OSError as error:
        raise ConfigurationError(
            f"the summary cannot be written: {error.strerror}", where=str(path), next_step="check GITHUB_STEP_SUMMARY"
        ) from error


def _cells(one: Result, currency: str) -> tuple[str, ...]:
    n = f"{one.n_now}/{one.n_base}" if one.n_base else str(one.n_now)
    now = number(one.now, one, currency, one.limit)
    base, limit = number(one.baseline, one, currency), number(one.limit, one, currency)
    why = one.why + (f"; next: {one.next}" if one.next else "")
    return one.name, now, base, signed_share(one.shift), limit, n, why
