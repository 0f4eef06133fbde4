"""Playbook entries on their way out: anonymised packs for another engagement, promptfoo and pytest cases for a pipeline."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from aether_tui.errors import ConfigurationError, NoData

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.playbook import PlaybookEntry

FORMAT = "aether-playbook"
SHARED = ("title", "kind", "when_to_use", "body", "cases")
"""What travels: never owner, experiment, evidence, budget or where it came from."""


def anonymous(clean: Callable[[str], str], names: Iterable[str]) -> Callable[[str], str]:
    """`clean` with the engagement's own names replaced too, whole and by their parts, longest first and without regard to case;
    and with given names of people nobody named.
    """
    from aether_tui.workspace.anonymous import PART, ROLES
    from aether_tui.workspace.names import WORD, given

    whole = {name.strip() for name in names if len(name.strip()) > 2}
    parts = {part for name in whole for part in PART.findall(name) if part.casefold() not in ROLES}
    known = sorted(whole | parts, key=len, reverse=True)
    pattern = (
        re.compile("|".join(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])" for name in known), re.I) if known else None
    )

    def made(text: str) -> str:
        cleaned = clean(pattern.sub("[name]", text) if pattern else text)
        return WORD.sub(lambda found: "[name]" if found[0].casefold() in given() else found[0], cleaned)

    return made


def pack(entries: Sequence[PlaybookEntry], clean: Callable[[str], str]) -> bytes:
    """A pack of entries with every text cleaned. Raises NoData without entries."""
    from aether_tui.workspace.yaml_file import write_yaml

    if not entries:
        raise NoData("no entry to pack", where="playbook pack", next_step="codify a decided experiment first")
    shared = [
        {
            name: _cleaned(value, clean)
            for name in SHARED
            if (value := one.model_dump(mode="json")[name]) not in ("", [])
        }
        for one in entries
    ]
    return write_yaml({"format": FORMAT, "version": 1, "entries": shared}, None)


def _cleaned(value: object, clean: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item, clean) for item in value]
    if isinstance(value, dict):
        return {key: _cleaned(item, clean) for key, item in value.items()}
    return value


def unpack(data: bytes, file: str, owner: str, today: date, review_days: int = 90) -> list[PlaybookEntry]:
    """The entries of a pack, owned by `owner` from now on. Raises ConfigurationError for anything that is not a pack."""
    from pydantic import ValidationError

    from aether_tui.problems import explain, raise_first
    from aether_tui.workspace.kinds.playbook import PlaybookEntry
    from aether_tui.workspace.yaml_file import read_yaml

    value, lines = read_yaml(data, file)
    rows = value.get("entries") if isinstance(value, dict) else None
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(rows, list):
        raise ConfigurationError("is not a playbook pack", where=file, next_step="`aether-tui playbook pack` makes one")
    if value.get("version") != 1:
        raise ConfigurationError(
            f"version {value.get('version')!r} is not known", where=file, next_step="update aether-tui"
        )
    origin = f"pack {hashlib.sha256(data).hexdigest()[:8]}"
    found = []
    for number, row in enumerate(rows):
        given = dict(row) if isinstance(row, dict) else {}
        if unknown := sorted(set(given) - set(SHARED)):
            raise ConfigurationError(f"entry {number + 1} has {unknown[0]!r}, which no pack carries", where=file)
        fields = {"id": f"PLAY-{number + 1}", **given, "owner": owner, "origin": origin, "created": today,
                  "review_by": today + timedelta(days=review_days)}  # fmt: skip
        try:
            found.append(PlaybookEntry.model_validate(fields))
        except ValidationError as error:
            raise_first(explain(error.errors(include_url=False), PlaybookEntry, file, lines, ("entries", number)))
            raise
    return found


def same(one: PlaybookEntry, other: PlaybookEntry) -> bool:
    """Whether two entries say the same, whoever owns them."""
    return all(getattr(one, name) == getattr(other, name) for name in SHARED)


def promptfoo(entries: Sequence[PlaybookEntry]) -> bytes:
    """Cases as a promptfoo test file: each asks `{{input}}` and expects texts to be there or not."""
    from aether_tui.workspace.yaml_file import write_yaml

    tests = [
        {
            "description": f"{one.id} {case.name}",
            "vars": {"input": case.input},
            "assert": [
                *({"type": "contains", "value": text} for text in case.contains),
                *({"type": "not-contains", "value": text} for text in case.lacks),
            ],
        }
        for one in _with_cases(entries)
        for case in one.cases
    ]
    return write_yaml({"tests": tests}, None)


_PYTEST = '''"""Regression checks of the playbook. ASK is the command that answers: it reads the question from stdin."""

import json
import os
import shlex
import subprocess

import pytest

CASES = json.loads({cases})


@pytest.mark.skipif(not os.environ.get("ASK"), reason="set ASK to the command that answers a question from stdin")
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_playbook(case):
    answer = subprocess.run(
        shlex.split(os.environ["ASK"]), input=case["input"], capture_output=True, text=True, check=True
    ).stdout
    for text in case["contains"]:
        assert text in answer
    for text in case["lacks"]:
        assert text not in answer
'''


def pytest_file(entries: Sequence[PlaybookEntry]) -> bytes:
    """Cases as a pytest module that asks the command in `ASK`."""
    cases = [
        {"id": f"{one.id} {case.name}", "input": case.input, "contains": case.contains, "lacks": case.lacks}
        for one in _with_cases(entries)
        for case in one.cases
    ]
    return _PYTEST.format(cases=ascii(json.dumps(cases))).encode()


def _with_cases(entries: Sequence[PlaybookEntry]) -> list[PlaybookEntry]:
    found = [one for one in entries if one.cases]
    if not found:
        raise NoData("no entry has a regression check", where="playbook export", next_step="add `cases` to an entry")
    return found
