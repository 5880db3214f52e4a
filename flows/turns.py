"""Whose turn it is to ask a model, where several builds share one server of Prefect."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.concurrency.sync import concurrency

TURNS = "terrascope-models"


@contextmanager
def turn(asks_model: bool) -> Iterator[None]:
    """Hold one of the server's turns to ask models for one batch; where it has none, go ahead.

    Calls of one build are paced in its own process; a turn is what keeps two builds from asking the
    same server or spending the same quota at once.
    """
    if not asks_model:
        yield
        return
    with concurrency(TURNS):
        yield
