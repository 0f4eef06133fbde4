"""The Markdown pack: an index, one page per report and one per document. Written whole or not at all, the same bytes for the
same clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from aether_tui.diagnostics.registry import REPORTS
from aether_tui.errors import ConfigurationError
from aether_tui.report_model import Block, Boxes, Gap, Plot, Prose, Report, Table
from aether_tui.reports import draw, markdown, svg
from aether_tui.reports.client import without_commands

PAPERS, CHARTS = "documents", "charts"
"""Folders of the documents' pages, and of the pictures."""


def pages(
    reports: Mapping[str, Report[Struct]],
    name: str,
    notices: Sequence[str] = (),
    papers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """File name → text: `index.md`, a page for each report that has something to say with its charts, and the documents' pages.

    `notices` stand at the top of every page (a gate override must be seen wherever a number is read).
    """
    speaking = {key: without_commands(report) for key, report in reports.items() if not silent(key, report)}
    top = "".join(f"> ▲ {markdown.escape(notice)}\n\n" for notice in notices)
    found: dict[str, str] = {}
    for key, report in speaking.items():
        charts = _charts(key, report)
        found |= {place: picture for _, place, picture in charts}
        found[f"{key}.md"] = top + markdown.render(report, charts={block: place for block, place, _ in charts})
    found["index.md"] = top + _index(reports, speaking, name) + contents(papers or {})
    return found | {f"{PAPERS}/{key}": top + text for key, text in (papers or {}).items()}


def handbook(report: Report[Struct], papers: Mapping[str, str]) -> dict[str, str]:
    """The handbook as the index of a pack of its own, with the documents' pages beside it."""
    first = {"index.md": markdown.render(without_commands(report)) + contents(papers)}
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


def _charts(name: str, report: Report[Struct]) -> list[tuple[str, str, str]]:
    """Of each plot that can be drawn: its id, the file of its picture, and the picture."""
    found = []
    for block in report.blocks:
        if isinstance(block, Plot) and (picture := svg.render(block)):
            place = re.sub(r"[^a-z0-9]+", "-", f"{name}-{block.id}".lower()).strip("-")
            found.append((block.id, f"{CHARTS}/{place}.svg", picture))
    return found


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
    """Write all pages into `folder`, the index last; what an earlier export made and this one does not is removed.

    Raises ConfigurationError when the folder cannot be written.
    """
    try:
        for place in {folder, *((folder / key).parent for key in found)}:
            place.mkdir(parents=True, exist_ok=True)
        old = set(_made(folder))
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    order = sorted(found, key=lambda key: (key.startswith("index."), key))
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


def _made(folder: Path) -> Iterator[str]:
    """Files of an earlier export: the pages its index names, only by plain names of ours, and the charts on them."""
    for end in ("md", "html"):
        index = folder / f"index.{end}"
        if not index.exists():
            continue
        text = index.read_text("utf-8")
        papers = re.findall(rf"""[("]({PAPERS}/[A-Za-z0-9-]+\.{end})[)"]""", text)
        pages = [*papers, *(f"{name}.{end}" for name in REPORTS if re.search(rf"""[("]{name}\.{end}[)"]""", text))]
        yield from (index.name, *pages)
        for page in pages:
            if (folder / page).is_file():
                content = (folder / page).read_text("utf-8", errors="replace")
                yield from re.findall(rf"""[("]({CHARTS}/[a-z0-9-]+\.svg)[)"]""", content)
