"""Which items of a bench are more than were wanted of their task."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256


def beyond_wanted(
    kept: Iterable[tuple[str, str]], wanted: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """Return the ids of items beyond the number wanted of their task, and in words what is short.

    Which items stay follows from a hash of their id: the id itself decided, at rates that differ by
    answer, what was kept so far.

    Args:
        kept: Task and sample id of every item.
        wanted: Task -> items; of a task that is not in it all stay.
    """
    by_task: dict[str, list[str]] = defaultdict(list)
    for task, sample_id in kept:
        by_task[task].append(sample_id)
    beyond: list[str] = []
    short: list[str] = []
    for task, number in wanted.items():
        ids = sorted(by_task[task], key=lambda id_: sha256(id_.encode()).digest())
        beyond += ids[number:]
        if len(ids) < number:
            short.append(f"{task}: {number:,} items wanted, {len(ids):,} reached")
    return beyond, short
