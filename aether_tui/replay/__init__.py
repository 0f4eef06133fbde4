"""Replay: recorded requests sent to a model again, after their cost was shown and somebody agreed to it."""
