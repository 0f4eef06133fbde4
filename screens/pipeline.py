"""From opportunity to impact: where items stay, and what never arrives."""

from __future__ import annotations

from typing import ClassVar

from screens.drill import Drill


class Pipeline(Drill):
    """Stages, monthly cohorts, items that grew old."""

    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = "pipeline.glance"
    BEHIND: ClassVar[tuple[str, ...]] = ("pipeline.stages", "pipeline.glance/pipeline.stage.")
