"""A bench: its questions, and a way to their pictures."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import zip_longest

from tasks.asked_pictures import AskedPicture
from tasks.scoring.item import BenchItem

Pictures = tuple[AskedPicture, ...]
# yields the pictures of some items by id, in an order of its own
Look = Callable[[Collection[str]], Iterator[tuple[str, Pictures]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Questions to be scored.

    Attributes:
        digest: Of the dataset, or of the bench's file.
        items: What is scored.
        look: The way to the pictures.
        other_ids: What the file holds besides, and is not scored now.
        left_out: Rows that no question could be made of, by reason.
    """

    name: str
    digest: str
    items: tuple[BenchItem, ...]
    look: Look
    other_ids: frozenset[str] = frozenset()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def by_id(self) -> dict[str, BenchItem]:
        """Return the items by id."""
        return {item.item_id: item for item in self.items}

    def drawn(self, number: int, seed: int) -> "Bench":
        """Return a bench of some items, drawn by seed, its tasks in turn."""
        by_task: dict[str, list[BenchItem]] = {}
        for item in sorted(self.items, key=lambda item: _drawn_at(item, seed)):
            by_task.setdefault(item.task, []).append(item)
        turns = zip_longest(*(by_task[task] for task in sorted(by_task)))
        drawn = [item for turn in turns for item in turn if item is not None][:number]
        chosen = {item.item_id for item in drawn}
        return replace(
            self,
            items=tuple(item for item in self.items if item.item_id in chosen),
            other_ids=self.other_ids | {i.item_id for i in self.items if i.item_id not in chosen},
        )

    def pictures(self, wanted: Sequence[str]) -> dict[str, Pictures]:
        """Return the pictures of some items, by id."""
        return dict(self.look(frozenset(wanted)))


def _drawn_at(item: BenchItem, seed: int) -> str:
    return sha256(f"{seed}:{item.item_id}".encode()).hexdigest()
