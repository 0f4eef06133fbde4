"""Children that give way to the console."""

from __future__ import annotations

import contextlib
import os


def be_nice(pid: int) -> None:
    """Let a process of ours have what others leave of the processor; it cannot be taken back."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, 10)
