"""What was learned, and which model does what how well."""

from __future__ import annotations

from typing import ClassVar

from screens.base import ReportScreen


class Playbook(ReportScreen):
    """Entries with owner and review date, and the capability map."""

    FIRST: ClassVar[str] = "playbook.entries"
