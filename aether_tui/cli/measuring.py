"""Reading files for `measure` and `budget check`: recognised by content, cleaned, mapped; nothing is stored."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aether_tui.budgets.bench import Report, measure_reports, read_report
from aether_tui.budgets.costs import measure_cost
from aether_tui.budgets.measurements import (
    SURFACE,
    Benchmarks,
    Cost,
    Measurement,
    Pipelines,
    Records,
    Resource,
    Tests,
    Tokens,
)
from aether_tui.budgets.model import Surface
from aether_tui.budgets.runs import measure_ci
from aether_tui.budgets.suites import measure_tests
from aether_tui.budgets.terraform import read_plan
from aether_tui.budgets.tokens import measure_tokens
from aether_tui.cli.ci_json import CiRows, read_ci
from aether_tui.errors import ConfigurationError
from aether_tui.records import TABLES, Row

if TYPE_CHECKING:
    from aether_tui.cli.context import Context
    from aether_tui.config import Config
    from aether_tui.records.source import FileKind

MAX_STDIN = 1 << 30
KINDS = {
    "junit": "connectors.junit:JUnitFiles", "infracost": "connectors.infracost:InfracostFiles",
    "focus": "connectors.focus:FocusFiles", "devlake": "connectors.devlake:DevLakeFiles",
    "langfuse": "connectors.langfuse_files:LangfuseFiles", "otlp": "connectors.otlp:OtlpFiles",
}  # fmt: skip
"""What reads a budget's files, the quick to recognise first. By name: searching entry points takes as long as judging."""
_SURFACES: dict[str, Surface] = {
    "junit": "tests", "infracost": "cost", "focus": "cost", "devlake": "ci", "runs": "ci", "otlp": "llm", "langfuse": "llm",
}  # fmt: skip
_PRINTED: dict[str, type[Measurement]] = {
    "by_suite": Tests, "by_benchmark": Benchmarks, "by_workflow": Pipelines, "by_scenario": Tokens, "diff_monthly_cost": Cost,
}  # fmt: skip
"""The key by which JSON that `measure` printed is known."""


def measure_files(context: Context, paths: Sequence[str], surface: Surface | None = None) -> list[Measurement]:
    """Measurements of files, folders, patterns or stdin (`-`), one per surface. `surface` refuses any other.

    Raises ConfigurationError for a file that cannot be read or is of no use here.
    """
    from aether_tui.records.source import SourceError
    from connectors import files

    with _stdin(paths) as named:
        found = list(files.expand([path for name in named for path in _globbed(name)]))
        if not found:
            raise ConfigurationError("no file", where=", ".join(paths), next_step="name a report")
        try:
            return _measure(context, found, surface)
        except SourceError as error:
            raise ConfigurationError(error.what, next_step=error.hint or "write the report again") from error


def _measure(context: Context, paths: Sequence[Path], surface: Surface | None) -> list[Measurement]:
    kinds: dict[str, tuple[FileKind | None, list[Path]]] = {}
    measurements: list[Measurement] = []
    reports: list[Report] = []
    changes: list[Resource] = []
    by_surface: dict[Surface, Records] = {}
    for path in paths:
        printed = _printed(path)
        if printed is not None:
            measurements.append(printed)
            continue
        plan = read_plan(path)
        if plan is not None:
            changes += plan
            by_surface.setdefault("cost", Records())
            continue
        report = read_report(path)
        if report is not None:
            reports.append(report)
            continue
        name, kind = _recognise(path)
        if name not in _SURFACES or (surface and _SURFACES[name] != surface):
            wants = f"`measure {surface}`" if surface else "a budget"
            raise ConfigurationError(f"a file of kind {name} says nothing to {wants}", where=str(path))
        kinds.setdefault(name, (kind, []))[1].append(path)
    for found in measure_reports(reports):
        if surface and SURFACE[type(found)] != surface:
            raise ConfigurationError(
                f"an evaluation or benchmark says nothing to `measure {surface}`", where=str(paths[0])
            )
        measurements.append(found)
    if changes and surface not in (None, "cost"):
        raise ConfigurationError(f"a Terraform plan says nothing to `measure {surface}`", where=str(paths[0]))
    for name, (kind, members) in kinds.items():
        if name == "junit":
            measurements.append(measure_tests(members))
        else:
            records = by_surface.setdefault(_SURFACES[name], Records())
            _read(context, records, kind, members)
    if "ci" in by_surface:
        measurements.append(measure_ci(by_surface["ci"]))
    if "cost" in by_surface:
        measurements.append(measure_cost(by_surface["cost"], changes))
    if "llm" in by_surface:
        measurements.append(measure_tokens(by_surface["llm"]))
    return measurements


def _recognise(path: Path) -> tuple[str, FileKind | None]:
    """The kind of a file, and what reads it (None: a JSON list of pipeline runs)."""
    from connectors import files
    from connectors.sniff import why_not_data

    sample = files.sample(path)
    for name, place in KINDS.items():
        kind = _kind(place)
        if kind.recognises(sample):
            return name, kind
    if sample.head.lstrip()[:1] in (b"{", b"[") and read_ci(path) is not None:
        return "runs", None
    others = "pipeline runs and jobs as JSON, Terraform plans, pytest-benchmark, hyperfine, promptfoo, and what `measure` prints"
    known = f"known are {', '.join(KINDS)}, {others}"
    raise ConfigurationError(why_not_data(sample), where=str(path), next_step=known)


def _kind(place: str) -> FileKind:
    from importlib import import_module

    module, _, name = place.partition(":")
    found: FileKind = getattr(import_module(module), name)()
    return found


def _read(context: Context, records: Records, kind: FileKind | None, paths: Sequence[Path]) -> None:
    """Rows of files of one kind, cleaned and mapped as a sync would."""
    from aether_tui.cache import Cache
    from aether_tui.ingest import Ingest
    from aether_tui.records.source import Reject

    ingest = Ingest(config_of(context), b"\0" * 32)  # people are not looked at here, so their key does not matter

    def keep(table: str, rows: Sequence[Row]) -> None:
        columns = [column.name for column in TABLES[table].columns]
        full = ingest.prepare(TABLES[table], rows)
        records.rows.setdefault(table, []).extend(dict(zip(columns, row, strict=True)) for row in full)

    if kind is None:
        for path in paths:
            found = read_ci(path) or CiRows()
            keep("pipeline_runs", found.runs)
            keep("pipeline_jobs", [row for row, _ in found.jobs])
            if found.jobs:
                for row, (_, about) in zip(records.rows["pipeline_jobs"][-len(found.jobs) :], found.jobs, strict=True):
                    row |= {key: ingest.clean_text(value) for key, value in about.items() if not row.get(key)}
        return
    for page in kind.pages(paths, context.now()):
        rejects: list[Reject] = list(page.rejects)
        for table, rows in page.rows.items():
            keep(table, rows)
        if page.bulk is not None:
            for chunk in Cache(Path("unused")).read_bulk(page.bulk, 50_000, rejects):
                for table, rows in chunk.items():
                    keep(table, rows)
        records.problems += map(ingest.clean_text, page.problems)
        records.problems += [ingest.clean_text(f"{reject.where}: {reject.reason}") for reject in rejects]


def config_of(context: Context) -> Config:
    """The workspace's mapping where there is a workspace, else the defaults."""
    from aether_tui.config import Config

    try:
        context.workspace()
    except ConfigurationError:
        return Config()
    return context.config()


def _printed(path: Path) -> Measurement | None:
    """What `measure --format json` printed, read back; None for any other file."""
    import msgspec

    from connectors.files import read_all, sample

    if sample(path).head.lstrip()[:1] != b"{":
        return None
    data = read_all(path, 256 << 20)
    try:
        keys = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return None
    model = next((model for key, model in _PRINTED.items() if key in keys), None)
    if model is None:
        return None
    try:
        found = msgspec.json.decode(data, type=model)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"not what `measure` prints: {error}", where=str(path)) from error
    if isinstance(found, Tests) and found.runs > 1:
        raise ConfigurationError(
            f"tests of {found.runs:,} runs in one sum, of which no limit can be told",
            where=str(path),
            next_step="aether-tui budget check, without files, judges the runs of the cache",
        )
    return found


def _globbed(name: str) -> list[Path]:
    from glob import glob, has_magic

    path = Path(name)
    if path.exists() or not has_magic(name):
        if not path.exists():
            raise ConfigurationError("no such file", where=name, next_step="check the path")
        return [path]
    found = sorted(Path(one) for one in glob(name, recursive=True))  # noqa: PTH207  # absolute patterns, too
    if not found:
        raise ConfigurationError("no file matches", where=name, next_step="check the pattern")
    return found


@contextmanager
def _stdin(paths: Sequence[str]) -> Iterator[list[str]]:
    """The paths, with `-` replaced by a file that holds what came on stdin."""
    if "-" not in paths:
        yield list(paths)
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "stdin"
        data = sys.stdin.buffer.read(MAX_STDIN + 1)
        if len(data) > MAX_STDIN:
            raise ConfigurationError("more than 1 GiB", where="stdin", next_step="give the file's path instead")
        if not data.strip():
            raise ConfigurationError("nothing came", where="stdin", next_step="pipe a report in")
        place.write_bytes(data)
        try:
            yield [str(place) if path == "-" else path for path in paths]
        except ConfigurationError as error:
            error.where = error.where.replace(str(place), "stdin")
            raise
