"""The review of the window: a paragraph to read aloud, and what its agenda asks."""

from __future__ import annotations

from typing import ClassVar

from screens.drill import Drill


class Review(Drill):
    """Sentences that open on their facts; the window decides whether it is the week's, the month's or the quarter's."""

    FIRST: ClassVar[str] = "review.facts"
