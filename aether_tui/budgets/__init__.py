"""Budgets of four surfaces: the file, the measurements, the verdicts."""
