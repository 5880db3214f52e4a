"""Which items a reviewer judges next."""

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256

from tasks.reviewing.consensus import VERDICTS_DUE


def queue_of(
    reviewer: str, items: Iterable[str], judged: Mapping[str, Collection[str]], seed: int
) -> list[str]:
    """Return what a reviewer is to judge: items with the fewest verdicts first.

    Neither what the reviewer has judged, nor what has all its verdicts from others. Those with as
    many verdicts come in an order of the reviewer's own.

    Args:
        reviewer: Who asks.
        items: Ids.
        judged: Item -> its reviewers; an item of which nothing is said may be left out.
        seed: Draws the order.
    """
    due = [
        item
        for item in items
        if reviewer not in judged.get(item, ()) and len(judged.get(item, ())) < VERDICTS_DUE
    ]
    return sorted(due, key=lambda item: (len(judged.get(item, ())), _drawn(seed, reviewer, item)))


def _drawn(seed: int, reviewer: str, item: str) -> bytes:
    return sha256(f"{seed}\n{reviewer}\n{item}".encode()).digest()
