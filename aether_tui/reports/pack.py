"""The Markdown pack: an index, one page per report and one per document. Written whole or not at all, the same bytes for the
same clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from aether_tui.diagnostics.registry import REPORTS
from aether_tui.errors import ConfigurationError
from aether_tui.report_model import Block, Boxes, Gap, Prose, Report, Table
from aether_tui.reports import draw, markdown

PAPERS = "documents"
"""Folder of the documents' pages."""


def pages(
    reports: Mapping[str, Report[Struct]],
    name: str,
    notices: Sequence[str] = (),
    papers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """File name → text: `index.md`, a page for each report that has something to say, and the documents' pages.

    `notices` stand at the top of every page (a gate override must be seen wherever a number is read).
    """
    speaking = {key: _for_others(report) for key, report in reports.items() if not silent(key, report)}
    top = "".join(f"> ▲ {markdown.escape(notice)}\n\n" for notice in notices)
    found = {f"{key}.md": top + markdown.render(report) for key, report in speaking.items()}
    found["index.md"] = top + _index(reports, speaking, name) + contents(papers or {})
    return found | {f"{PAPERS}/{key}": top + text for key, text in (papers or {}).items()}


def handbook(report: Report[Struct], papers: Mapping[str, str]) -> dict[str, str]:
    """The handbook as the index of a pack of its own, with the documents' pages beside it."""
    first = {"index.md": markdown.render(report) + contents(papers)}
    return first | {f"{PAPERS}/{key}": text for key, text in papers.items()}


def contents(papers: Mapping[str, str]) -> str:
    """The documents' pages by kind, which their third line names, and title."""
    lines: list[str] = []
    for key, text in papers.items():
        first, _, kind = text.split("\n")[:3]
        heading = f"### {kind.strip('*').capitalize()}"
        if heading not in lines:
            lines += ["", heading, ""]
        lines.append(f"- [{first.removeprefix('# ')}]({PAPERS}/{key})")
    return "\n".join(["", "## Documents", *lines]) + "\n" if lines else ""


def silent(name: str, report: Report[Struct]) -> bool:
    """Whether a report has nothing but gaps to show, or lives on data and there are none."""
    spec = REPORTS.get(name)
    blind = spec is not None and spec.needs_data and not report.freshness
    return blind or (bool(report.blocks) and all(_blank(block) for block in report.blocks))


def _for_others(report: Report[Struct]) -> Report[Struct]:
    """The report without what only its author can do."""
    return structs.replace(report, blocks=tuple(block for block in report.blocks if not _aside(block)))


def _aside(block: Block) -> bool:
    return isinstance(block, Table) and block.aside


def _blank(block: Block) -> bool:
    """A gap, boxes nobody has written in, an empty table, a paragraph on how to read the rest, or what stands aside."""
    if isinstance(block, Boxes):
        return all(box.state == "no-data" for row in block.rows for box in row)
    untitled = isinstance(block, Prose) and not block.title
    return untitled or isinstance(block, Gap) or (isinstance(block, Table) and (block.aside or not block.rows))


FIRST = "readout"
"""One page for the client; the index begins with it."""


def _index(reports: Mapping[str, Report[Struct]], speaking: Mapping[str, Report[Struct]], name: str) -> str:
    lines = [f"# {markdown.escape(name) or 'Engagement'}", ""]
    for report in list(reports.values())[:1]:
        lines += [f"*As of {draw.stamp(report.as_of)}; window {markdown.escape(report.window.label)}*", ""]
    lines += [
        f"- [{markdown.escape(report.title)}]({key}.md): {markdown.escape(report.headline)}"
        for key, report in sorted(speaking.items(), key=lambda one: one[0] != FIRST)
    ]
    if quiet := [report.title for key, report in reports.items() if key not in speaking]:
        lines += ["", f"Nothing to say yet: {markdown.escape(', '.join(quiet))}."]
    return "\n".join(lines) + "\n"


def write(folder: Path, found: Mapping[str, str]) -> list[Path]:
    """Write all pages into `folder`, the index last; pages of an earlier export that are no longer made are removed.

    Raises ConfigurationError when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(key.startswith(f"{PAPERS}/") for key in found):
            (folder / PAPERS).mkdir(exist_ok=True)
        before = folder / "index.md"
        old = set(_linked(before.read_text("utf-8"))) if before.exists() else set()
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    order = sorted(found, key=lambda key: (key == "index.md", key))
    for key in order:
        write_file(folder / key, found[key].encode())
    for key in old - set(found):
        (folder / key).unlink(missing_ok=True)
    return [folder / key for key in order]


def write_file(path: Path, data: bytes) -> None:
    """Replace one file atomically; raises ConfigurationError naming it when it cannot be written."""
    from aether_tui.workspace.store import write_whole

    try:
        write_whole(path, data)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            next_step="check the folder, its permissions and space",
        ) from error


def _linked(index: str) -> list[str]:
    """Pages the index of an earlier export names (only plain names such as `lens.md` and `documents/OPP-1.md`)."""
    papers = re.findall(rf"\(({PAPERS}/[A-Za-z0-9-]+\.md)\)$", index, re.M)
    return [*papers, *(f"{name}.md" for name in REPORTS if f"({name}.md)" in index)]
