"""Children of the console are forked from a process that has everything imported.

`test_builds.py` and `tests/pty` start real ones.
"""

import pytest


@pytest.fixture(autouse=True)
def _quick(quick_children: None) -> None:
    """For every test here."""
