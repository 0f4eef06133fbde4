"""Small exact statistics on the standard library and numpy."""
