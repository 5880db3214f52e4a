"""What the verdicts on an item come to."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from tasks.reviewing.verdict import Opinion

VERDICTS_DUE = 3  # of an item
LEAST = 2  # who say the same
BOTH_SEE = 2  # who call the same mask wrong


class Outcome(StrEnum):
    """What an item's verdicts come to; `open` has too few of them."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CORRECTED = "corrected"
    DISPUTED = "disputed"
    OPEN = "open"


_OUTCOMES = {
    "accept": Outcome.ACCEPTED,
    "reject": Outcome.REJECTED,
    "correct": Outcome.CORRECTED,
}


def outcome_of(opinions: Sequence[Opinion], least: int = LEAST) -> Outcome:
    """Return what the verdicts on an item come to, one a reviewer.

    Two who call the same mask wrong reject it. Else what `least` of them say holds, the same letter
    where they correct it; it is disputed where two different things are said so often, or all
    verdicts are there and none is.
    """
    wrong = Counter(number for one in opinions for number in one.wrong_masks)
    if any(voices >= BOTH_SEE for voices in wrong.values()):
        return Outcome.REJECTED
    said = Counter(one.said for one in opinions)
    agreed = [what for what, voices in said.items() if voices >= least]
    if len(agreed) == 1:
        return _OUTCOMES[agreed[0].split()[0]]
    if agreed or len(opinions) >= VERDICTS_DUE:
        return Outcome.DISPUTED
    return Outcome.OPEN
