"""Exactly one kind claims each file of data; every other file is refused with the reason."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from connectors.base import FileKind, Sample
from connectors.devlake import DevLakeFiles
from connectors.files import expand, sample
from connectors.focus import FocusFiles
from connectors.infracost import InfracostFiles
from connectors.junit import JUnitFiles
from connectors.langfuse_files import LangfuseFiles
from connectors.otlp import OtlpFiles
from connectors.sniff import why_not_data
from connectors.spans import SpanFiles

KINDS: tuple[FileKind, ...] = (
    DevLakeFiles(), FocusFiles(), InfracostFiles(), JUnitFiles(), LangfuseFiles(), OtlpFiles(), SpanFiles(),
)  # fmt: skip

SPECIFICATION = "is a specification, not data"
TEXT = "is a text for people, not data"
EVENT = "is a single webhook event, not an export"
UNKNOWN = "is of no kind that is known here"
EXPECTED = (
    ("*.openapi.json.xz", SPECIFICATION), ("phoenix/*", SPECIFICATION), ("linear/schema.graphql.xz", SPECIFICATION),
    ("otlp/opentelemetry/*", SPECIFICATION), ("genai/*", SPECIFICATION), ("infracost/infracost.schema.json", SPECIFICATION),
    ("LICENSES/*", TEXT), ("*README.md", TEXT),
    ("langfuse/*.tar.xz", "is a tar archive; unpack it first"),
    ("terraform/*", "is a Terraform plan: it says what changes, not what it costs; run infracost on it"),
    ("github/webhook_*", EVENT), ("gitlab/webhook_*", EVENT),
    ("junit/odd/empty.xml", "is empty"), ("junit/*.xml", "junit"),
    ("focus/*.csv.gz", "focus"), ("infracost/*.json", "infracost"), ("langfuse/framework-traces/*", "langfuse"),
    ("otlp/captured/*", "otlp"),
    ("ci/*", "devlake"), ("jira/*.csv.gz", "devlake"), ("github/*.csv.gz", "devlake"), ("gitlab/*.csv.gz", "devlake"),
    # Not data of an engagement, or inputs of the budget gate alone.
    ("facts.json", UNKNOWN), ("focus/focus_columns*", UNKNOWN), ("github/octokit-webhooks-examples*", UNKNOWN),
    ("devlake_dora/*", "devlake"), ("dora/*", UNKNOWN), ("requests/*", UNKNOWN), ("llm/*", UNKNOWN), ("bench/*", UNKNOWN),
    ("gitlab/pipeline_test_report.json", UNKNOWN),
)  # fmt: skip
"""Pattern of a path → the kind that claims it, or the reason why none does; the first that fits."""


def outcome(beginning: Sample) -> str:
    claimed = [kind.kind for kind in KINDS if kind.recognises(beginning)]
    assert len(claimed) <= 1, (beginning.path, claimed)
    return claimed[0] if claimed else why_not_data(beginning)


def test_every_file_of_the_contracts_has_one_outcome(contracts: Path) -> None:
    wrong: dict[str, tuple[str, str]] = {}
    used: set[str] = set()
    for path in expand([contracts]):
        name = path.relative_to(contracts).as_posix()
        pattern, expected = next((pair for pair in EXPECTED if fnmatch(name, pair[0])), ("", "not expected"))
        used.add(pattern)
        if (found := outcome(sample(path))) != expected:
            wrong[name] = (found, expected)
    assert not wrong
    assert used == {pattern for pattern, _ in EXPECTED}


def test_kinds_are_named_as_in_the_entry_points() -> None:
    from importlib.metadata import entry_points

    points = {point.name: point.value for point in entry_points(group="aether_tui.files")}
    for kind in KINDS:
        assert points[kind.kind] == f"{type(kind).__module__}:{type(kind).__name__}"
        assert kind.title
