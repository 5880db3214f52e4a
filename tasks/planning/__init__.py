"""What a build would do, and why, before it does anything."""
