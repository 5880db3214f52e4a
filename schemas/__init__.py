"""Nouns of the data engine; imports nothing of ours."""
