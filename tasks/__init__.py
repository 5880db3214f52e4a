"""Steps: read a granule, call pure code, write a granule; `sources` are the archive readers."""
