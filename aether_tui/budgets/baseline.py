"""Baselines in files, for git: what was measured on the base branch, one sample per line.

`<store>/<surface>/<metric>….json` is one object per metric and match. Keys are sorted; those of samples start with
their instant, so every sample is one line that never changes, and merging two branches by union gives a file again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median

import msgspec

from aether_tui.budgets.file import METRICS, Budget, BudgetFile, Surface
from aether_tui.budgets.model import Estimate, Measured, Sample, Series
from aether_tui.errors import ConfigurationError
from aether_tui.stats.ranks import mad
from aether_tui.text import one_line

MAX_BYTES = 1 << 20
SAMPLES = 30
"""How many samples a file holds, unless a budget asks for a longer window."""
ATTRIBUTES = "*.json merge=union\n"
"""What `.gitattributes` in the store says, so that git keeps the samples of both branches."""
_SURFACES: tuple[Surface, ...] = ("ci", "cost", "llm", "tests")
_MACHINE = frozenset({"suite.duration", "benchmark.duration"})
"""Metrics of files that may not say which machine they come from."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One measurement; median and MAD are those of the `n` samples of the window when it was added."""

    commit: str = ""
    fingerprint: str = ""
    mad: float = 0.0
    median: float
    n: int
    value: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """Measurements of one thing on the base branch, oldest first, by their key: instant, commit, place."""

    metric: str
    match: Mapping[str, str]
    lines: Mapping[str, Line]

    @property
    def surface(self) -> Surface:
        """The surface of its metric."""
        return METRICS[self.metric].surface

    @property
    def name(self) -> str:
        """Path in the store."""
        if not self.match:
            return f"{self.surface}/{self.metric}.json"
        text = "-".join(self.match[key] for key in sorted(self.match)).lower()
        mark = hashlib.sha256(json.dumps(self.match, sort_keys=True).encode()).hexdigest()[:8]
        slug = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:60].strip("-")
        return f"{self.surface}/{self.metric}.{slug + '-' if slug else ''}{mark}.json"

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, oldest first."""
        return tuple(Sample(line.value, _instant(key), line.fingerprint) for key, line in self.lines.items())

    def encoded(self, currency: str) -> bytes:
        """The file: sorted keys, one sample per line."""
        unit = METRICS[self.metric].kind.replace("money", currency)
        about = {"match": self.match, "metric": self.metric, "unit": unit}
        rows = {key: msgspec.to_builtins(line) for key, line in self.lines.items()} | about
        lines = [f"{json.dumps(key)}: {json.dumps(rows[key], sort_keys=True)}" for key in sorted(rows)]
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


@dataclass(frozen=True, slots=True)
class Added:
    """A baseline after an update, and how many samples were new."""

    baseline: Baseline
    count: int


def read_baselines(store: Path, currency: str) -> tuple[Baseline, ...]:
    """Every baseline of a store; none where there is no store. Raises ConfigurationError naming the file."""
    paths = (path for surface in _SURFACES for path in sorted((store / surface).glob("*.json")))
    return tuple(_read(path, f"{store.name}/{path.parent.name}/{path.name}", currency) for path in paths)


def _read(path: Path, shown: str, currency: str) -> Baseline:
    fix = "restore it from git, or remove it and run `aether-tui budget baseline --update`"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigurationError("larger than 1 MiB", where=shown, next_step=fix)
        raw = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        metric = msgspec.json.decode(raw.pop("metric"), type=str)
        match = msgspec.json.decode(raw.pop("match"), type=dict[str, str])
        unit = msgspec.json.decode(raw.pop("unit"), type=str)
        lines = {key: msgspec.json.decode(raw[key], type=Line) for key in sorted(raw)}
        for key in lines:
            _instant(key)
    except KeyError as error:
        raise ConfigurationError(f"not a baseline: it has no {error}", where=shown, next_step=fix) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"not a baseline: {one_line(str(error), 200)}", where=shown, next_step=fix) from error
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=shown, next_step=fix) from error
    if metric not in METRICS:
        raise ConfigurationError(f"no metric {one_line(metric, 60)!r}", where=shown, next_step="remove the file")
    wanted = METRICS[metric].kind.replace("money", currency)
    if unit != wanted:
        raise ConfigurationError(
            f"in {one_line(unit, 40)}, the budgets are in {wanted}",
            where=shown,
            next_step="amounts are never converted",
        )
    return Baseline(metric, match, lines)


def stamped(
    measured: Mapping[str, Sequence[Measured]], file: BudgetFile, fingerprint: str
) -> dict[str, list[Measured]]:
    """The measurements with this machine's fingerprint where their files do not say which machine it was."""
    metric = {budget.id: budget.metric for budget in file.budgets}

    def mark(one: Measured, identity: str) -> Measured:
        if not isinstance(one, Series) or metric[identity] not in _MACHINE:
            return one
        return replace(
            one, now=tuple(replace(sample, fingerprint=sample.fingerprint or fingerprint) for sample in one.now)
        )

    return {identity: [mark(one, identity) for one in found] for identity, found in measured.items()}


def against_stored(
    file: BudgetFile, measured: Mapping[str, Sequence[Measured]], baselines: Sequence[Baseline], shown: str
) -> dict[str, list[Measured]]:
    """The measurements with their baseline from files (`shown` is the store's name) where those know more."""
    budgets = {budget.id: budget for budget in file.budgets}
    return {
        identity: [_with_base(budgets[identity], one, baselines, shown) for one in found]
        for identity, found in measured.items()
    }


def _with_base(budget: Budget, one: Measured, baselines: Sequence[Baseline], shown: str) -> Measured:
    stored = _find(budget, one, baselines)
    if stored is None or not stored.lines:
        return one
    samples = stored.samples[-budget.window :]
    source = f"{shown}/{stored.name}"
    if isinstance(one, Estimate) and one.past is None:
        return replace(one, past=Decimal(str(samples[-1].value)), source=source)
    if isinstance(one, Series) and len(samples) > len(one.base):
        return replace(one, base=samples, source=source)
    return one


def _find(budget: Budget, one: Measured, baselines: Sequence[Baseline]) -> Baseline | None:
    """The baseline of the same thing; of another branch where only one of those is there."""
    wanted = match_of(budget, one)
    same = [stored for stored in baselines if stored.metric == budget.metric]
    exact = [stored for stored in same if dict(stored.match) == wanted]
    if exact:
        return exact[0]
    elsewhere = [stored for stored in same if _without_branch(stored.match) == _without_branch(wanted)]
    return elsewhere[0] if len(elsewhere) == 1 else None


def _without_branch(match: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in match.items() if key != "branch"}


def match_of(budget: Budget, one: Measured) -> dict[str, str]:
    """What a measurement is about: the budget's `match`, wildcards filled in."""
    labels = one.labels if isinstance(one, Series) else {}
    return {**budget.match, **{key: value for key, value in labels.items() if value}}


def updated(
    file: BudgetFile,
    measured: Mapping[str, Sequence[Measured]],
    baselines: Sequence[Baseline],
    *,
    commit: str,
    now: datetime,
) -> tuple[list[Added], list[str]]:
    """Baselines with the measurements appended, and sentences about what was left out. A sample is added once."""
    known = {stored.name: stored for stored in baselines}
    counts: dict[str, int] = {}
    windows: dict[str, int] = {}
    left: list[str] = []
    for budget in file.budgets:
        for one in measured.get(budget.id, ()):
            samples, why = _addable(one)
            if why:
                left.append(f"{budget.id}: {why}")
                continue
            fresh = Baseline(budget.metric, match_of(budget, one), {})
            before = known.get(fresh.name, fresh)
            window = windows[fresh.name] = max(windows.get(fresh.name, SAMPLES), budget.window)
            lines = _appended(before.lines, samples, commit, now, window)
            counts[fresh.name] = counts.get(fresh.name, 0) + sum(key not in before.lines for key in lines)
            known[fresh.name] = replace(before, lines=lines)
    return [Added(known[name], counts[name]) for name in sorted(counts)], sorted(set(left))


def _addable(one: Measured) -> tuple[tuple[Sample, ...], str]:
    if isinstance(one, Estimate):
        return (Sample(float(one.monthly)),), f"incomplete, {one.errors[0]}" if one.errors else ""
    if isinstance(one, Series):
        return (*one.base, *one.now), one.problem
    return (), "money spent is not a baseline"


def _appended(
    lines: Mapping[str, Line], samples: Iterable[Sample], commit: str, now: datetime, window: int
) -> dict[str, Line]:
    """The newest `window` lines. A run that says when it was keeps its key, whoever adds it and when."""
    every = dict(lines)
    taken: set[str] = set()
    for sample in samples:
        of = "" if sample.at else commit[:12]
        start = f"{_utc(sample.at or now):%Y-%m-%dT%H:%M:%SZ} {of or '-'}"
        key = next(key for key in (start, *(f"{start} {place:03}" for place in range(2, 10_000))) if key not in taken)
        taken.add(key)
        if key not in every:
            before = [every[one].value for one in sorted(every) if one < key][-(window - 1) :]
            values = [*before, sample.value]
            every[key] = Line(
                commit=of, fingerprint=sample.fingerprint, mad=_rounded(mad(values)), median=_rounded(median(values)),
                n=len(values), value=_rounded(sample.value),
            )  # fmt: skip
    return {key: every[key] for key in sorted(every)[-window:]}


def _rounded(value: float) -> float:
    """Nine significant figures: no tail of binary fractions in a diff."""
    return float(f"{value:.9g}")


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _instant(key: str) -> datetime:
    """The instant a key starts with, naive UTC. Raises ValueError."""
    return datetime.fromisoformat(key.partition(" ")[0]).astimezone(UTC).replace(tzinfo=None)
