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
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

import msgspec

from aether_tui.budgets.file import METRICS, Budget, BudgetFile
from aether_tui.budgets.git import BACK, Base
from aether_tui.budgets.model import DRIFT_DAYS, Estimate, Measured, Sample, Series, Surface, Used
from aether_tui.budgets.store import MAX_BYTES, Store
from aether_tui.errors import ConfigurationError
from aether_tui.stats.ranks import mad
from aether_tui.text import one_line

SAMPLES = 30
"""How many samples a file holds, unless a budget asks for a longer window."""
KEPT_DAYS = 4
"""Of what is older than the window, one sample in so many days stays until it is past `DRIFT_DAYS`."""
_MACHINE = frozenset({"suite.duration", "benchmark.duration"})
"""Metrics of files that may not say which machine they come from."""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One measurement; median and MAD are those of the `n` samples of the window when it was added."""

    commit: str = ""
    fingerprint: str = ""
    mad: float = 0.0
    median: float
    n: int
    usage: tuple[Used, ...] = ()
    usd: float | None = None
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
        return tuple(
            Sample(line.value, instant_of(key), line.fingerprint, commit=line.commit, usage=line.usage, usd=line.usd)
            for key, line in self.lines.items()
        )

    def encoded(self, currency: str) -> bytes:
        """The file: sorted keys, one sample per line."""
        unit = METRICS[self.metric].kind.replace("money", currency)
        about = {"match": self.match, "metric": self.metric, "unit": unit}
        rows = {key: _row(line) for key, line in self.lines.items()} | about
        lines = [f"{json.dumps(key)}: {json.dumps(rows[key], sort_keys=True)}" for key in sorted(rows)]
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _row(line: Line) -> dict[str, object]:
    """Only what costs have is left out where there is none."""
    row: dict[str, object] = msgspec.to_builtins(line)
    return row if line.usage else {key: value for key, value in row.items() if key not in ("usage", "usd")}


@dataclass(frozen=True, slots=True)
class Added:
    """A baseline after an update, and how many samples were new."""

    baseline: Baseline
    count: int


def read_baselines(store: Store, currency: str) -> tuple[Baseline, ...]:
    """Every baseline of a store; none where there is no store. Raises ConfigurationError naming the file."""
    return tuple(_read(data, f"{store.name}/{name}", currency) for name, data in sorted(store.files().items()))


def _read(data: bytes, shown: str, currency: str) -> Baseline:
    fix = "restore it from git, or remove it and run `aether-tui budget baseline --update`"
    try:
        if len(data) > MAX_BYTES:
            raise ConfigurationError("larger than 1 MiB", where=shown, next_step=fix)
        raw = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        metric = msgspec.json.decode(raw.pop("metric"), type=str)
        match = msgspec.json.decode(raw.pop("match"), type=dict[str, str])
        unit = msgspec.json.decode(raw.pop("unit"), type=str)
        lines = {key: msgspec.json.decode(raw[key], type=Line) for key in sorted(raw)}
        for key in lines:
            instant_of(key)
    except KeyError as error:
        raise ConfigurationError(f"not a baseline: it has no {error}", where=shown, next_step=fix) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"not a baseline: {one_line(str(error), 200)}", where=shown, next_step=fix) from error
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


def known_at(stored: Baseline, base: Base) -> tuple[Baseline, str]:
    """The baseline as the merge-base knew it, or the nearest commit before it that was measured, and which that is.

    Samples that name no commit count up to the time of the merge-base.
    """
    for back, commit in enumerate(base.ancestors):
        own = [key for key, line in stored.lines.items() if line.commit and commit.startswith(line.commit)]
        if own:
            said = "the merge-base" if not back else f"{back} before the merge-base, which was not measured"
            return _until(stored, max(own)), f"at {commit[:8]}, {said}"
    dated = [key for key, line in stored.lines.items() if not line.commit and instant_of(key) <= base.time]
    if dated:
        return _until(stored, max(dated)), f"of {instant_of(max(dated)):%Y-%m-%d}, the last before the merge-base"
    return replace(stored, lines={}), f"none at the merge-base {base.ancestors[0][:8]} or {BACK} commits before it"


def _until(stored: Baseline, last: str) -> Baseline:
    return replace(stored, lines={key: line for key, line in stored.lines.items() if key <= last})


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
    file: BudgetFile,
    measured: Mapping[str, Sequence[Measured]],
    baselines: Sequence[Baseline],
    shown: str,
    base: Base | None = None,
) -> dict[str, list[Measured]]:
    """The measurements with their baseline from files (`shown` is the store's name) where those know more.

    With a `base` the baseline is what was measured there.
    """  # fmt: skip
    budgets = {budget.id: budget for budget in file.budgets}
    by_metric: dict[str, list[Baseline]] = {}
    for stored in baselines:
        by_metric.setdefault(stored.metric, []).append(stored)
    return {
        identity: [
            _with_base(budgets[identity], one, by_metric.get(budgets[identity].metric, ()), shown, base)
            for one in found
        ]
        for identity, found in measured.items()
    }


def _with_base(budget: Budget, one: Measured, baselines: Sequence[Baseline], shown: str, base: Base | None) -> Measured:
    stored = _find(budget, one, baselines)
    if stored is None:
        return one
    known, said = known_at(stored, base) if base else (stored, "")
    source = f"{shown}/{stored.name}" + (f" {said}" if said else "")
    if not known.lines:
        return replace(one, source=source) if isinstance(one, Series) and not one.base else one
    every = known.samples
    samples = every[-budget.window :]
    if isinstance(one, Estimate) and one.past is None:
        return replace(one, past=Decimal(str(samples[-1].value)), source=source)
    if isinstance(one, Series) and len(samples) > len(one.base):
        return replace(one, base=samples, drift=one.drift or _long_ago(one, every, budget), source=source)
    return one


def _long_ago(one: Series, samples: Sequence[Sample], budget: Budget) -> tuple[Sample, ...]:
    """The samples of about 90 days before the newest, on the same machine: against them slow drift shows."""
    newest = samples[-1].at
    mark = one.now[-1].fingerprint if one.now else ""
    if newest is None:
        return ()
    first, last = (newest - timedelta(days=days) for days in reversed(DRIFT_DAYS))
    return tuple(one for one in samples if one.at and first <= one.at <= last and one.fingerprint == mark)[
        -budget.window :
    ]


def _find(budget: Budget, one: Measured, baselines: Sequence[Baseline]) -> Baseline | None:
    """The baseline of the same thing; of another branch where only one of those is there."""
    wanted = match_of(budget, one)
    exact = next((stored for stored in baselines if stored.match == wanted), None)
    if exact:
        return exact
    elsewhere = [stored for stored in baselines if _without_branch(stored.match) == _without_branch(wanted)]
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
    """The newest `window` lines, and a few of the months before. A run that says when it was keeps its key, whoever adds it and when."""
    every = dict(lines)
    taken: set[str] = set()
    for sample in samples:
        of = "" if sample.at else (sample.commit or commit)[:12]
        start = f"{_utc(sample.at or now):%Y-%m-%dT%H:%M:%SZ} {of or '-'}"
        key = next(key for key in (start, *(f"{start} {place:03}" for place in range(2, 10_000))) if key not in taken)
        taken.add(key)
        if key not in every:
            before = [every[one].value for one in sorted(every) if one < key][-(window - 1) :]
            values = [*before, sample.value]
            every[key] = Line(
                commit=of or sample.commit[:12], fingerprint=sample.fingerprint, mad=_rounded(mad(values)), median=_rounded(median(values)),
                n=len(values), value=_rounded(sample.value), usage=sample.usage, usd=sample.usd,
            )  # fmt: skip
    keys = sorted(every)
    return {key: every[key] for key in [*_thinned(keys[:-window], keys[-1:]), *keys[-window:]]}


def _thinned(keys: Sequence[str], newest: Sequence[str]) -> list[str]:
    """The first key of every few days, as long as it can be compared with as that of 90 days ago."""
    kept: dict[int, str] = {}
    for key in keys:
        at = instant_of(key)
        if instant_of(newest[0]) - at <= timedelta(days=DRIFT_DAYS[1]):
            kept.setdefault(at.toordinal() // KEPT_DAYS, key)
    return list(kept.values())


def _rounded(value: float) -> float:
    """Nine significant figures: no tail of binary fractions in a diff."""
    return float(f"{value:.9g}")


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def instant_of(key: str) -> datetime:
    """The instant a key starts with, naive UTC. Raises ValueError."""
    return datetime.fromisoformat(key.partition(" ")[0]).astimezone(UTC).replace(tzinfo=None)
