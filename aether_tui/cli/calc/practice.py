"""Calculators of how work is organised: gains per cycle, rituals, release trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from aether_tui.cli.calc.common import (
    LARGEST,
    NUMBER,
    cell,
    file_argument,
    numbers,
    only,
    positive,
    read_document,
    read_table,
    seed_option,
    share,
    show,
    usable,
)
from aether_tui.cli.output import FORMAT
from aether_tui.errors import CheckFailed, ConfigurationError, NoData

if TYPE_CHECKING:
    from aether_tui.diagnostics.gains import Work
    from aether_tui.diagnostics.rituals import Ritual

COLUMNS = ("cycle", "cluster", "value_weighted_successes", "cost_usd", "tasks")


@click.command()
@file_argument("FILE.csv")
@click.option("--level", type=NUMBER, default=0.95, show_default=True, help="Of the intervals.")
@FORMAT
def gain(file: str, level: float, form: str) -> None:
    """Gain in output per dollar per cycle at a fixed task mix, and cumulative. Cycles in the order of the file."""
    from aether_tui.diagnostics.gains import METHOD, gains

    cycles = _cycles(file)
    rows = [asdict(row) for row in gains(list(cycles.items()), share("--level", level))]
    last = rows[-1] if rows else None
    show(
        {
            "cumulative": last["cumulative"] if last else None,
            "cumulative_low": last["cumulative_low"] if last else None,
            "cumulative_high": last["cumulative_high"] if last else None,
            "interval": METHOD,
            "level": level,
            "cycles": rows,
        },
        form,
    )
    if len(rows) < 2:
        raise NoData("a gain needs two cycles", where="calc gain", next_step="add rows of another cycle")


def _cycles(file: str) -> dict[str, dict[str, Work]]:
    from aether_tui.diagnostics.gains import Work

    cycles: dict[str, dict[str, Work]] = {}
    for line, row in read_table(file, COLUMNS):
        where = f"{file}: line {line}"
        successes, cost, tasks = (cell(row, name, where) for name in COLUMNS[2:])
        if min(successes, cost) < 0 or tasks <= 0:
            raise ConfigurationError("successes and cost are zero or more, tasks above zero", where=where)
        clusters = cycles.setdefault(row["cycle"], {})
        if row["cluster"] in clusters:
            raise ConfigurationError(f"cycle {row['cycle']!r} has cluster {row['cluster']!r} twice", where=where)
        clusters[row["cluster"]] = Work(successes, cost, tasks)
    return cycles


@click.command()
@file_argument("FILE.yaml")
@click.option(
    "--draws", type=click.IntRange(100, 100_000), default=2000, show_default=True, help="Draws from the ranges."
)
@seed_option
@FORMAT
def ritual(file: str, draws: int, seed: int, form: str) -> None:
    """Cost, break-even and return of recurring meetings. A value may be a range [low, mode, high]."""
    from aether_tui.diagnostics.rituals import judge

    rows = [asdict(judge(one, seed=seed, draws=draws)) for one in _rituals(file)]
    show({"rituals": rows}, form)


def _rituals(file: str) -> list[Ritual]:
    document = read_document(file)
    rows = document.get("rituals") if isinstance(document, dict) and set(document) == {"rituals"} else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigurationError("needs one key, rituals: a list of tables", where=file)
    found: dict[str, Ritual] = {}
    for number, row in enumerate(rows, 1):
        name = row.get("name")
        if not isinstance(name, str) or not name.strip():
            raise ConfigurationError("has no name", where=f"{file}: ritual {number}")
        if name in found:
            raise ConfigurationError(f"two rituals have the name {name!r}", where=file)
        found[name] = _ritual(row, name, f"{file}: ritual {name}")
    return list(found.values())


MOST = {"probability_gain": 1.0, "roti": 4.0, "per_year": 10_000.0, "attendees": 10_000.0, "minutes": 10_000.0}
POSITIVE = {"per_year", "minutes", "attendees", "hourly_rate"}


def _ritual(row: Mapping[str, object], name: str, where: str) -> Ritual:
    from aether_tui.diagnostics.rituals import QUANTITIES, Ritual

    only(row, ("name", "roti", *QUANTITIES), where)
    given = {key: _range(row[key], key, where) for key in QUANTITIES if row.get(key) is not None}
    for key in sorted(POSITIVE):
        if key not in given:
            raise ConfigurationError(f"{key} is missing", where=where, next_step="without it there is no cost")
    roti = None if row.get("roti") is None else _range(row["roti"], "roti", where)[1]
    return Ritual(name=name, roti=roti, **given)


def _range(value: object, key: str, where: str) -> tuple[float, float, float]:
    parts = value if isinstance(value, list) else [value] * 3
    found = [float(part) for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
    if len(parts) != 3 or len(found) != 3 or not all(map(usable, found)):
        raise ConfigurationError(f"{key} must be a number or [low, mode, high], not {value!r}", where=where)
    low, mode, high = found
    least, most = (-1.0 if key == "probability_gain" else 0.0), MOST.get(key, LARGEST)
    if not least <= low <= mode <= high <= most or (key in POSITIVE and low == 0):
        bounds = "above 0" if key in POSITIVE and low == 0 else f"from {least:g} to {most:g}"
        hint = f"; {mode:g} % is {mode / 100:g}" if key == "probability_gain" and 1 < mode <= 100 else ""
        raise ConfigurationError(f"{key} must be {bounds}, low ≤ mode ≤ high, not {value!r}{hint}", where=where)
    return low, mode, high


@click.command()
@click.option(
    "--arrivals", required=True, help="Changes that become ready a day: one number, or that of past days 3,0,5,…"
)
@click.option("--interval", type=NUMBER, required=True, help="Days between trains.")
@click.option("--release-time", type=NUMBER, default=0.02, show_default=True, help="Days one release takes.")
@click.option("--failure-rate", type=NUMBER, default=0.05, show_default=True, help="Share of changes that break one.")
@FORMAT
def train(arrivals: str, interval: float, release_time: float, failure_rate: float, form: str) -> None:
    """Release train against release on demand: wait, batch and risk. Times in days."""
    from statistics import fmean

    from aether_tui.stats import trains

    days = numbers("--arrivals", arrivals)
    if min(days) < 0:
        raise ConfigurationError("--arrivals cannot be negative", where="calc train")
    if release_time < 0:
        raise ConfigurationError("--release-time cannot be negative", where="calc train")
    rate = positive("--arrivals", fmean(days))
    risk = share("--failure-rate", failure_rate, closed=True)
    scheduled = trains.train(rate, positive("--interval", interval), release_time, risk)
    single = trains.on_demand(rate, release_time, risk)
    policies = [{"policy": "train", **asdict(scheduled)}, {"policy": "on demand", **asdict(single)}]
    show({"arrivals": rate, "release_time": release_time, "failure_rate": risk, "policies": policies}, form)
    if scheduled.wait is None and single.wait is None:
        raise CheckFailed(
            "unstable: releases take longer than they are apart, on a train and on demand", where="calc train",
            next_step="make releases faster, or leave days between trains",
        )  # fmt: skip
