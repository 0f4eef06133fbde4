"""Everything a connector needs to import: re-exported from `aether_tui.records`."""

from aether_tui.records import Column, Row, Table, Value
from aether_tui.records.source import (
    BY_AGE,
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
    Run,
    Sample,
    Scan,
    Source,
    SourceError,
    Stream,
    Tally,
    Transient,
    Unlisted,
    Whole,
)

__all__ = [
    "BY_AGE", "Access", "Bulk", "Column", "Denied", "Derived", "Deriving", "FileKind", "Forbidden", "Gone", "Limit", "Malformed", "Memory",
    "Network", "Offline", "Page", "Price", "Priced", "Pushed", "RateLimited", "Refused", "Reject", "Replace", "Row", "Run", "Sample",
    "Scan", "Source", "SourceError", "Stream", "Table", "Tally", "Transient", "Unlisted", "Value", "Whole",
]  # fmt: skip
