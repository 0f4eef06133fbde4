"""Runs of one scheduled FOCUS export side by side: each holds the whole period again, and only the newest counts, if it is whole.

Azure writes `20261001-20261031/<run id>/part_0_0001.csv` with a `manifest.json`, some with a folder of the time above the run id;
AWS, where it does not overwrite, a folder for each run below `BILLING_PERIOD=2026-10` or `20261001-20261101`, its files as
`NAME-00001.csv.gz`, with `NAME-Manifest.json` where `metadata` stands for `data` in their path. Manifests name all files of a run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import cast

from connectors.base import Malformed
from connectors.fields import text
from connectors.files import name_of, read_all, written_at

_PERIOD = re.compile(r"\d{8}-\d{8}|billing_period=.+", re.I)
_RUN = re.compile(r"(\d{8}T?\d{4,6}Z?)|(.*?)-?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_PART = re.compile(r"(?:(part)_\d+_\d{4}|(.*?)(?:-\d{5}|\d{12}))\.(.+)", re.I)
_PACKED = re.compile(r"\.(gz|zst|xz|bz2|zip)$", re.I)
_MOST_BYTES = 16 << 20
_DEEPEST = 8


def newest_runs(paths: Sequence[Path], now: datetime) -> tuple[list[Path], list[str]]:
    """The files that count, and a sentence for each run that does not.

    Raises Malformed where nothing tells which of two runs is the newer one.
    """
    periods: dict[Path, dict[Path, list[Path]]] = {}
    for path in paths:
        if run := next(
            (one for one in path.parents if _RUN.fullmatch(one.name) and _PERIOD.fullmatch(one.parent.name)), None
        ):
            periods.setdefault(run.parent, {}).setdefault(run, []).append(path)
    left: set[Path] = set()
    told: list[str] = []
    for runs in periods.values():
        oldest_first = sorted((_when(run, files, now), run) for run, files in runs.items())
        if len(oldest_first) > 1 and oldest_first[-1][0] == oldest_first[-2][0]:
            raise Malformed(
                f"{name_of(runs[oldest_first[-1][1]][0])}: lies beside another run of the same export, and nothing tells which is newer",
                hint="load the folder of one run",
            )
        for _, run in oldest_first[:-1]:
            left.update(runs[run])
            told.append(f"{name_of(run)}: left out, a newer run of the same export lies beside it")
    newest = [path for path in paths if path not in left]
    _whole(newest)
    return newest, told


def _whole(paths: Sequence[Path]) -> None:
    """Raise Malformed for a part of an export: what is loaded takes the place of the whole period."""
    folders: dict[Path, dict[str, Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, {})[_plain(path.name)] = path
    for folder, files in folders.items():
        checked: set[str] = set()
        for name, path in files.items():
            if name in checked:
                continue
            promised = _named(_manifest(path))
            if name not in promised:
                promised = _alike(path) if folder.is_dir() else set()
            checked |= promised
            if missing := sorted(promised - files.keys()):
                others = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
                raise Malformed(
                    f"{name_of(path)}: one part of an export; {others} belong{'s' * (len(missing) == 1)} to it",
                    hint="load them together, or their folder; fetch what is not there",
                )


def _manifest(path: Path) -> object:
    """What was written about the run of a file, beside it or where AWS puts it; None where there is nothing."""
    part, parts = _PART.fullmatch(path.name), path.parent.parts
    name = f"{part[2]}-Manifest.json" if part else "manifest.json"
    places = [path.parent / "manifest.json", path.parent / name]
    places += [Path(*parts[:at], "metadata", *parts[at + 1 :]) / name for at, one in enumerate(parts) if one == "data"]
    for place in places:
        with suppress(Malformed, ValueError, RecursionError):
            return cast("object", json.loads(read_all(place, _MOST_BYTES)))
    return None


def _named(manifest: object, depth: int = 0) -> set[str]:
    """The data files that a manifest lists, whatever it calls the list."""
    inside = manifest.values() if isinstance(manifest, dict) else manifest if isinstance(manifest, list) else None
    if inside is not None:
        return set().union(*(_named(one, depth + 1) for one in inside)) if depth < _DEEPEST else set()
    name = _plain(manifest.rpartition("/")[2]) if isinstance(manifest, str) else ""
    return {name} if name.endswith((".csv", ".parquet")) else set()


def _alike(path: Path) -> set[str]:
    """Names in the same folder that differ from that of a part in its number only."""
    own = _PART.fullmatch(_plain(path.name))
    parts = map(_PART.fullmatch, (_plain(one.name) for one in path.parent.iterdir())) if own else ()
    return {part[0] for part in parts if own and part and part.groups() == own.groups()}


def _plain(name: str) -> str:
    return _PACKED.sub("", name)


def _when(run: Path, files: Sequence[Path], now: datetime) -> tuple[str, datetime]:
    """When a run began, as its manifest or name says, and when its newest file was written."""
    named = _RUN.fullmatch(run.name)
    began = (named[1] or named[2] or "") if named else ""
    began = text(_manifest(files[0]), "runInfo", "submittedTime") or began
    return began, max(written_at(path, now) for path in files)
