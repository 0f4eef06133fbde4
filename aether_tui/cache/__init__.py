"""The local DuckDB file: leases, schema, merge and rollups."""
