"""The desk of one reviewer: what is to be judged next, and what has been said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tasks.manifest import utc_now
from tasks.reviewing.items import ReviewItem
from tasks.reviewing.kept import read_reviews
from tasks.reviewing.queue import queue_of
from tasks.reviewing.verdict import Opinion, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a reviewer is: `judged` in the order of the last verdicts, `waiting` as they come.

    `verdicts` counts those of all reviewers.
    """

    judged: dict[str, Verdict]
    waiting: tuple[str, ...]
    verdicts: int

    def before(self, item: str) -> str:
        """Return what was judged before an item, "" where nothing was."""
        ids = [*self.judged]
        earlier = ids[: ids.index(item)] if item in self.judged else ids
        return earlier[-1] if earlier else ""


class Desk:
    """What a reviewer judges of a bench; `add` writes a verdict into the folder `reviews`."""

    def __init__(
        self,
        items: Mapping[str, ReviewItem],
        reviews: Path,
        reviewer: str,
        add: Callable[[Verdict], None],
        seed: int = 0,
    ) -> None:
        self.items, self.reviewer = items, reviewer
        self._reviews, self._add, self._seed = reviews, add, seed
        self._one_at_a_time = Lock()

    def standing(self) -> Standing:
        """Return how far it is now, by what all reviewers have written."""
        reviews = read_reviews(self._reviews)
        given = {id_: reviews.of(id_, item.shown) for id_, item in self.items.items()}
        own = reviews.by_reviewer[self.reviewer]
        return Standing(
            judged={id_: one for id_, one in own.items() if self.reviewer in given.get(id_, {})},
            waiting=tuple(queue_of(self.reviewer, self.items, given, self._seed)),
            verdicts=sum(map(len, given.values())),
        )

    def judge(self, item: str, opinion: Opinion) -> None:
        """Write what is said of an item; ValueError where the item has no such letter or mask."""
        known = self.items[item]
        if opinion.letter is not None and opinion.letter not in known.letters:
            raise ValueError(f"letter {opinion.letter} is not offered: {known.letters}")
        if opinion.letter == known.right:
            raise ValueError(f"letter {opinion.letter} is the answer as it stands")
        if any(number >= known.num_masks for number in opinion.wrong_masks):
            raise ValueError(f"masks {opinion.wrong_masks}: the item has {known.num_masks}")
        verdict = Verdict(
            item=item, shown=known.shown, at=utc_now().isoformat(), **opinion.model_dump()
        )
        with self._one_at_a_time:
            self._add(verdict)
