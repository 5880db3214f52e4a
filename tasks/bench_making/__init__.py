"""The making of a bench: questions of the test split, options from all its scenes, what is left."""
