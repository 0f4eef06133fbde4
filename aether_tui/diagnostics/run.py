"""Building a report by name, for every face."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct, structs

from aether_tui.diagnostics import looked
from aether_tui.diagnostics.frame import EVERYTHING, Clock, Data, Filters, Readable, written
from aether_tui.diagnostics.registry import REPORTS, ReportSpec
from aether_tui.errors import ConfigurationError
from aether_tui.report_model import Report
from aether_tui.text import one_line

if TYPE_CHECKING:
    from aether_tui.config import Config
    from aether_tui.workspace.documents import Documents
    from aether_tui.workspace.folder import Workspace


class Diagnostic(Protocol):
    """A module of `aether_tui.diagnostics` that builds a report."""

    def build(self, data: Data, documents: Documents, clock: Clock) -> Report[Struct]:
        """The report."""
        ...


def spec(name: str) -> ReportSpec:
    """The report of that name; raises ConfigurationError naming the nearest one."""
    if name in REPORTS:
        return REPORTS[name]
    near = difflib.get_close_matches(name, REPORTS, 1)
    raise ConfigurationError(
        f"no report {name!r}" + (f", did you mean {near[0]!r}?" if near else ""),
        next_step=f"there are {', '.join(REPORTS)}",
    )


def diagnostic(name: str) -> Diagnostic:
    """The module that builds it, imported now; raises ConfigurationError for an unknown name."""
    return cast(Diagnostic, importlib.import_module(spec(name).module))


def built(name: str, data: Data, documents: Documents, clock: Clock) -> Report[Struct]:
    """A report over these data, built once however many ask for it; the clock is that of the data."""
    if name not in data.built:
        data.built[name] = _built(diagnostic(name), data, name, documents, clock)
    return cast("Report[Struct]", data.built[name])


def brief(name: str, data: Data, documents: Documents, clock: Clock) -> Report[Struct]:
    """The same, or its module's `brief` where it has one and nobody asked for the whole: for reports that show a block of it."""
    made = diagnostic(name)
    if name in data.built or not hasattr(made, "brief"):
        return built(name, data, documents, clock)
    return looked.completed(_dated(made.brief(data, documents, clock), name, documents, clock), data)


def ask(names: Iterable[str], data: Data, documents: Documents, clock: Clock) -> None:
    """Ask side by side what reports of these names ask first (`asks` of their modules), for one that is made of them."""
    made = [diagnostic(name) for name in names if name not in data.built]
    data.together(*(one for module in made if hasattr(module, "asks") for one in module.asks(data, documents, clock)))


def open_data(config: Config, clock: Clock, cache: Readable | None, filters: Filters = EVERYTHING) -> Data:
    """Data for one or several reports of one clock, to be used as a context."""
    stale_after_s = config.console.stale_after_hours * 3600
    return Data(cache, clock, filters, stale_after_s=stale_after_s, derived_by=config.derived_by())


def run_report(
    name: str,
    workspace: Workspace,
    config: Config,
    clock: Clock,
    cache: Readable | None = None,
    filters: Filters = EVERYTHING,
    *,
    leaves: bool = False,
) -> Report[Struct]:
    """One report, from documents and cache as they are now; an empty workspace gives one that says what is missing.
    One that `leaves` the workspace rests on documents without names of people who did not agree to be named.

    Raises ConfigurationError for an unknown name or a broken document, CacheTrouble when the cache cannot be read.
    """
    module = diagnostic(name)
    documents = documents_of(workspace, config, leaves=leaves)
    with open_data(config, clock, cache, filters) as data:
        return _built(module, data, name, documents, clock)


def _built(module: Diagnostic, data: Data, name: str, documents: Documents, clock: Clock) -> Report[Struct]:
    return looked.completed(_dated(module.build(data, documents, clock), name, documents, clock), data)


def queries(
    name: str, workspace: Workspace, config: Config, clock: Clock, cache: Readable, filters: Filters = EVERYTHING
) -> str:
    """What the report asks of the cache, each query with its parameters in place. Raises as `run_report` does."""
    module = diagnostic(name)
    documents = documents_of(workspace, config, leaves=False)
    with open_data(config, clock, cache, filters) as data:
        module.build(data, documents, clock)
        asked = [f"-- {one}.sql\n{written(one, given)};\n" for (one, _), given in data.asked.items()]
    return "\n".join(asked) or f"-- report {name} asks nothing of the cache\n"


def documents_of(workspace: Workspace, config: Config, *, leaves: bool) -> Documents:
    """A snapshot of all documents: as they are written, or as they may leave the workspace."""
    if leaves:
        from aether_tui.workspace.anonymous import public

        return public(workspace, config)
    from aether_tui.workspace.documents import read_documents

    return read_documents(workspace, config)


def run_draft(name: str, workspace: Workspace, config: Config, clock: Clock) -> tuple[Report[Struct], bool]:
    """A report of documents without what takes long, and whether anything was left out. Raises as `run_report` does."""
    from aether_tui.workspace.documents import read_documents

    documents = read_documents(workspace, config)
    report, left = importlib.import_module(spec(name).module).draft(documents, clock)
    return _dated(report, name, documents, clock), bool(left)


def _dated(report: Report[Struct], name: str, documents: Documents, clock: Clock) -> Report[Struct]:
    """The report, and which documents it rests on are dated later than its clock."""
    from aether_tui.diagnostics import ahead

    later = ahead.findings(name, documents, clock.now)
    bad = sum(one.severity == "bad" for one in report.findings)
    return (
        structs.replace(report, findings=(*report.findings[:bad], *later, *report.findings[bad:])) if later else report
    )


def run_all(
    workspace: Workspace, config: Config, clock: Clock, cache: Readable | None = None, *, leaves: bool = False
) -> tuple[dict[str, Report[Struct]], tuple[str, ...]]:
    """Every report over one read of documents and cache, and the notices that belong on each page; `leaves` as in `run_report`."""
    from aether_tui.workspace.kinds.decision import active_override

    documents = documents_of(workspace, config, leaves=leaves)
    with open_data(config, clock, cache) as data:
        reports = {}
        for name in REPORTS:
            reports[name] = built(name, data, documents, clock)
            data.release()
    override = active_override(documents.decisions, clock.now.date())
    if override is None:
        return reports, ()
    held = override.override
    who, why = one_line(held.name), one_line(held.reason, 400)
    return reports, (f"The go/no-go gate is overridden by {override.decision.id} until {held.expires}: {who}: {why}",)
