"""The small world of the diagnostics tests."""

from tests.diagnostics.conftest import empty, filled

__all__ = ["empty", "filled"]
