"""What stands between a source and the cache: cleaning, mapping, aliases and prices."""
