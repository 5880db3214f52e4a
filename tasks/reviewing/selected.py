"""What reviewers leave of a bench: the reason of every item that is not accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.manifest import ReviewCount
from tasks.progress import told
from tasks.reviewing.agreement import alpha, percent_agreement
from tasks.reviewing.consensus import Outcome, outcome_of
from tasks.reviewing.kept import read_reviews

MOST_FAULTS = 3  # that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """Why items are left out, by id, and how many verdicts of how many people say so."""

    why: dict[str, str]
    count: ReviewCount


def reviewed(folder: Path, least: int, shown: Mapping[str, str]) -> Reviewed:
    """Return what is left out of some items; UserError where there is no such folder.

    Args:
        folder: Verdicts.
        least: How many have to accept an item.
        shown: Item -> digest of what it is now.
    """
    reviews = read_reviews(folder)
    for fault in reviews.faults[:MOST_FAULTS]:
        told(f"review: a line that cannot be read: {fault}")
    if len(reviews.faults) > MOST_FAULTS:
        told(f"review: {len(reviews.faults):,} such lines in all")
    given = {id_: reviews.of(id_, digest) for id_, digest in shown.items()}
    outcomes = {id_: outcome_of([*said.values()], least) for id_, said in given.items()}
    units = [[one.said for one in said.values()] for said in given.values()]
    return Reviewed(
        why={
            id_: f"review: {outcome}"
            for id_, outcome in outcomes.items()
            if outcome is not Outcome.ACCEPTED
        },
        count=ReviewCount(
            items=sum(map(bool, given.values())),
            verdicts=sum(map(len, given.values())),
            reviewers=len({name for said in given.values() for name in said}),
            agreement=percent_agreement(units),
            alpha=alpha(units),
        ),
    )


def decides(folder: Path, least: int) -> dict[str, Any]:
    """Return all that decides what reviewers leave but the items."""
    return {"least": least, "verdicts": read_reviews(folder).digest}
