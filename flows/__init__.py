"""What happens, in order; no logic."""
