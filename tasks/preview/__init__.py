"""Pages that show what writers make of a few scenes, before money is spent."""
