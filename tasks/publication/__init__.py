"""The gates before publishing: what has to hold of a dataset before it becomes a version."""
