"""A demonstration engagement: made-up sources, generated in the sources' own formats from a fixed seed."""
