"""Words that several kinds of documents of the organisation share."""

from __future__ import annotations

from typing import Literal

Function = Literal["product", "design", "engineering", "data", "operations", "go-to-market", "support"]
"""The seven functions that agree on what they give each other."""

LifecyclePhase = Literal["ideation", "validation", "specification", "build", "release", "measure", "learn"]
"""The seven phases of the lifecycle, as `[mapping.phases]` names them."""

Level = Literal["ad hoc", "defined", "managed", "optimized", "adaptive"]
"""The five levels of maturity."""
