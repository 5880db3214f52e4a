"""The planet: a procedural world and writers of four archives in their true on-disk layouts."""
