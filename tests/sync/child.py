"""A sync in a process of its own, to be killed: `python -m tests.sync.child ROOT SETTINGS-AS-JSON`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from aether_tui.sync.engine import Event, run
from tests.sync.fake import jobs, workspace, writer

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def tell(event: Event) -> None:
    print(event.event, event.source, event.stream, event.counts.rows, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job inherits that it is ignored
    place, config = workspace(Path(sys.argv[1]), **json.loads(sys.argv[2]))
    outcomes = asyncio.run(run(jobs(place, config, NOW), writer(place, config, NOW), tell))
    sys.exit(any(outcome.error for outcome in outcomes))
