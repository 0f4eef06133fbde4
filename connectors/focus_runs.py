"""Runs of one scheduled FOCUS export side by side: each holds the whole period again, and only the newest counts.

Azure writes `20261001-20261031/<run id>/part_0_0001.csv` with a `manifest.json`, some with a folder of the time above the run id;
AWS, where it does not overwrite, a folder for each run below `BILLING_PERIOD=2026-10` or `20261001-20261101`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from connectors.base import Malformed
from connectors.fields import text
from connectors.files import name_of, read_all, written_at

_PERIOD = re.compile(r"\d{8}-\d{8}|billing_period=.+", re.I)
_RUN = re.compile(r"(\d{8}T?\d{4,6}Z?)|(.*?)-?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_MOST_BYTES = 1 << 20


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
    return [path for path in paths if path not in left], told


def _when(run: Path, files: Sequence[Path], now: datetime) -> tuple[str, datetime]:
    """When a run began, as its manifest or name says, and when its newest file was written."""
    named = _RUN.fullmatch(run.name)
    began = (named[1] or named[2] or "") if named else ""
    try:
        manifest = json.loads(read_all(files[0].parent / "manifest.json", _MOST_BYTES))
        began = text(manifest, "runInfo", "submittedTime") or began
    except (Malformed, ValueError, RecursionError):
        pass
    return began, max(written_at(path, now) for path in files)
