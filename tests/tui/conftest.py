"""Children of the console are forked from a process that has everything imported.

`test_builds.py` and `tests/pty` start real ones.
"""

import pytest
from textual import _wait

# After each key Textual's pilot waits three times for 20 ms in which little was computed; 8 ms tell as much.
_wait.SLEEP_GRANULARITY = 0.008
_wait.SLEEP_IDLE = _wait.SLEEP_GRANULARITY / 20
_wait.wait_for_idle.__defaults__ = (_wait.SLEEP_GRANULARITY, 1)


@pytest.fixture(autouse=True)
def _quick(quick_children: None) -> None:
    """For every test here."""
