"""Where the verdicts on a bench lie: beside it, never in it."""

from pathlib import Path

from tasks.errors import UserError
from tasks.manifest import VERSIONS


def reviews_beside(bench: Path, given: Path | None) -> Path:
    """Return the folder of verdicts on a bench, or on a version of it; UserError if it is inside.

    All versions share one: an item that has not changed keeps its verdicts.
    """
    folder = bench.resolve()
    if folder.parent.name == VERSIONS:
        folder = folder.parents[1]
    reviews = folder.with_name(f"{folder.name}-reviews") if given is None else given.resolve()
    if reviews.is_relative_to(folder):
        raise UserError(f"--reviews {reviews} lies in the bench; name a folder beside it")
    return reviews
