"""Writing a waiver into budgets.yaml, for the command line and the console alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from aether_tui.budgets.edit import next_id, with_waiver
from aether_tui.budgets.file import NAME, parse_budgets
from aether_tui.errors import ConfigurationError


def add_waiver(path: Path, budget: str, fields: Mapping[str, str], today: date, shown: str = NAME) -> str:
    """Add a waiver (`reason`, `owner`, `expires` as a day, maybe `raise_to`) to the file; returns its id.

    Raises ConfigurationError for anything the gate would refuse, a day that is over included.
    """
    from aether_tui.workspace.store import write_whole

    identity, changed = _waived(path, budget, fields, today, shown)
    try:
        write_whole(path, changed)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=shown) from error
    return identity


def check_waiver(path: Path, budget: str, fields: Mapping[str, str], today: date) -> None:
    """Raise ConfigurationError where the gate would refuse what has been said of a waiver so far."""
    unsaid = {"reason": "still to be said", "owner": "still to be said", "expires": today.isoformat()}
    _waived(path, budget, {**unsaid, **fields}, today, NAME)


def _waived(path: Path, budget: str, fields: Mapping[str, str], today: date, shown: str) -> tuple[str, bytes]:
    """The id of the waiver, and the file with it."""
    try:
        expires = date.fromisoformat(fields["expires"])
    except ValueError as error:
        raise ConfigurationError(
            f"{fields['expires']!r} is no day", where="expires", next_step="write it as 2026-12-31"
        ) from error
    if expires < today:
        raise ConfigurationError(f"{expires} is over", where="expires", next_step="name a day to come")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=shown) from error
    waiver: dict[str, str | date] = {"id": next_id(parse_budgets(data, shown, today), today), "budget": budget}
    waiver |= {name: fields[name] for name in ("reason", "owner", "raise_to") if fields.get(name)}
    return str(waiver["id"]), with_waiver(data, shown, {**waiver, "expires": expires}, today)
