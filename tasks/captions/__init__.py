"""Captions: what a writer is asked, what becomes of its reply, and the stage that makes them."""
