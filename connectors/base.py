"""Everything a connector needs to import: re-exported from `aether_tui.records`."""

from aether_tui.records import Column, Row, Table, Value
from aether_tui.records.source import (
    Access,
    Bulk,
    Denied,
    Derived,
    Deriving,
    FileKind,
    Forbidden,
    Gone,
    Limit,
    Malformed,
    Memory,
    Network,
    Offline,
    Page,
    Price,
    Priced,
    Pushed,
    RateLimited,
    Refused,
    Reject,
    Replace,
    Sample,
    Source,
    SourceError,
    Stream,
    Tally,
    Transient,
    Whole,
)

__all__ = [
    "Access", "Bulk", "Column", "Denied", "Derived", "Deriving", "FileKind", "Forbidden", "Gone", "Limit", "Malformed", "Memory",
    "Network", "Offline", "Page", "Price", "Priced", "Pushed", "RateLimited", "Refused", "Reject", "Replace", "Row", "Sample",
    "Source", "SourceError", "Stream", "Table", "Tally", "Transient", "Value", "Whole",
]  # fmt: skip
