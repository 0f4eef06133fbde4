"""The tables connectors fill: the one contract between connectors and cache."""

from aether_tui.records.model import Column, Row, Table, Value
from aether_tui.records.tables import TABLES

__all__ = ["TABLES", "Column", "Row", "Table", "Value"]
