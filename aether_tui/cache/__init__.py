"""The local DuckDB file: leases, schema, merge and rollups."""

from aether_tui.cache.damage import CacheDamaged
from aether_tui.cache.export import OlderExport
from aether_tui.cache.look import ReadLease
from aether_tui.cache.merge import Merged
from aether_tui.cache.store import Cache, StreamState

__all__ = ["Cache", "CacheDamaged", "Merged", "OlderExport", "ReadLease", "StreamState"]
