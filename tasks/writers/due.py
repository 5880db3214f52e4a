"""Which granules a writer has still to do: what is done stays, but for replies that were lost."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record

UNANSWERED = "calls without a reply"  # as tallied; other calls of the granule are stored


class Work(Protocol):
    """What a stage does with a granule, and the key under which it is done."""

    @property
    def granule(self) -> GranuleId:
        """Which granule."""
        ...

    @property
    def key(self) -> str:
        """The key of its record."""
        ...


SomeWork = TypeVar("SomeWork", bound=Work)


def record_of(ledger: Ledger, stage: str, work: Work) -> Record | None:
    """Return a granule's record; None where it is not done, or lacks replies and is done again."""
    record = ledger.done(stage, work.granule.name, work.key)
    return None if record is not None and record.tallies.get(UNANSWERED) else record


def all_done(ledger: Ledger, stage: str, works: Sequence[Work]) -> bool:
    """Return whether every granule is as it would be now: then no server is needed."""
    return all(record_of(ledger, stage, work) is not None for work in works)


def with_due_done(
    ledger: Ledger,
    stage: str,
    works: Sequence[SomeWork],
    do: Callable[[Mapping[GranuleId, SomeWork]], Coroutine[Any, Any, Mapping[GranuleId, Record]]],
    on_granule: Callable[[], None],
) -> list[Record]:
    """Return the records of granules, in order; `do` makes those of what is due.

    `on_granule` is called here for each that was done before.
    """
    kept = {work.granule: record_of(ledger, stage, work) for work in works}
    due = {work.granule: work for work in works if kept[work.granule] is None}
    for _ in range(len(works) - len(due)):
        on_granule()
    fresh = asyncio.run(do(due)) if due else {}
    return [
        fresh[granule] if record is None else replace(record, reused=True)
        for granule, record in kept.items()
    ]
