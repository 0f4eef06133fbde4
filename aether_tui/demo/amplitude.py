"""Product use, as answers of Amplitude's Dashboard REST interface."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from aether_tui.demo.recording import Recordings
from aether_tui.demo.world import DAYS, PROMPT_CHANGE_DAYS, WEEKDAY_TRAFFIC, World

EVENTS = ("Assistant Opened", "Answer Shown", "Answer Accepted", "Handover Requested")
_PER_USER = {"Assistant Opened": 1.3, "Answer Shown": 2.4, "Answer Accepted": 1.55, "Handover Requested": 0.11}


def _series(world: World) -> dict[str, list[int]]:
    """Values by day of each metric: growing slowly, with the shape of the week."""
    rng = world.rng("amplitude")
    found: dict[str, list[int]] = {"active": [], "new": [], **{event: [] for event in EVENTS}}
    for index, day in enumerate(world.days()):
        week = WEEKDAY_TRAFFIC[day.weekday()]
        active = 2300 * (0.86 + 0.3 * index / DAYS) * week * rng.gauss(1.0, 0.03)
        found["active"].append(int(active))
        found["new"].append(int(active * 0.041 * rng.gauss(1.0, 0.12)))
        for event in EVENTS:
            # Accepted answers fell a little when the refund prompt changed.
            trouble = 0.96 if event == "Answer Accepted" and world.ago(day) <= PROMPT_CHANGE_DAYS else 1.0
            found[event].append(int(active * _PER_USER[event] * trouble * rng.gauss(1.0, 0.04)))
    return found


def write(world: World, path: Path) -> None:
    """Active users, new users and the counts of four events."""
    recordings = Recordings()
    days = [f"{day:%Y-%m-%d}" for day in world.days()]
    found = _series(world)

    def answer(values: Sequence[int], label: str) -> dict[str, object]:
        return {"data": {"series": [values], "seriesMeta": [{"segmentIndex": 0, "label": label}], "xValues": days}}

    for measure in ("active", "new"):
        recordings.get("/api/2/users", answer(found[measure], measure), {"m": measure})
    for event in EVENTS:
        asked = {"e": json.dumps({"event_type": event}), "m": "totals"}
        recordings.get("/api/2/events/segmentation", answer(found[event], event), asked)
    recordings.write(path)
