"""Test reports in the artifacts of workflow runs: downloaded, read, and thrown away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zipfile import is_zipfile

from aether_tui.records.tables import TEST_CASES, TEST_RUNS
from connectors.base import Malformed, Page, Row, Table, Value
from connectors.fields import Node, text
from connectors.files import expand, sample
from connectors.junit import JUnitFiles


def report_pages(archive: Path, artifact: Node, repo: str, created: datetime) -> list[Page]:
    """Runs and cases of every test report inside; other files are left alone, what cannot be read is a problem.

    Raises Malformed for an archive that is damaged or hostile.
    """
    if not is_zipfile(archive):
        raise Malformed("not a zip archive, or cut short", hint="run sync again")
    return list(_pages(archive, artifact, repo, created))


def _pages(archive: Path, artifact: Node, repo: str, created: datetime) -> Iterator[Page]:
    reader = JUnitFiles()
    for path in expand([archive]):
        try:
            if not reader.recognises(sample(path)):
                continue
            for page in reader.pages([path], created):
                yield Page(_placed(page.rows, artifact, repo), problems=page.problems)
        except Malformed as error:
            yield Page(problems=[f"{repo}: {text(artifact, 'name')}: {error.what.replace(str(archive.parent), '')}"])


def _placed(found: Mapping[str, Sequence[Row]], artifact: Node, repo: str) -> dict[str, Sequence[Row]]:
    """Test runs with the repository, branch and commit they belong to. What a cache answers reports the same to the byte in
    run after run: each artifact is a run of its own."""
    branch, sha = text(artifact, "workflow_run", "head_branch"), text(artifact, "workflow_run", "head_sha")
    of = {"repo": repo, "branch": branch, "sha": sha}
    rows = {name: list(some) for name, some in found.items()}
    for table, key, more in ((TEST_RUNS, "id", of), (TEST_CASES, "run_id", {})):
        rows[table.name] = [_renamed(row, table, key, artifact, more) for row in rows.get(table.name, ())]
    return dict(rows)


def _renamed(row: Row, table: Table, key: str, artifact: Node, more: Mapping[str, Value]) -> Row:
    named = dict(zip((column.name for column in table.raw), row, strict=True))
    return table.row(**{**named, key: f"{text(artifact, 'id')}:{named[key]}", **more})
