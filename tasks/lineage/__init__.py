"""Where a dataset comes from: stages, what decided them, and what changed between versions."""
