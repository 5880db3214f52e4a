"""What `terrascope` can be told to do: a module for each kind of command."""
