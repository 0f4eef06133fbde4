"""Connectors: each outside system turned into records. They know their own source and nothing else."""
