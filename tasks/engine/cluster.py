"""A cluster as a build sees it: lanes to work in, and batches of granules that come back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tasks.engine.work import Seen
from tasks.granules import GranuleId
from tasks.ledger import Record

ATTEMPTS = 3  # of a batch, each on another worker where there is one
CONNECT_S = 10.0
FIRST_WORKER_S = 30.0

Batch = tuple[GranuleId, ...]
Work = Callable[[GranuleId], Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A batch that came to nothing, and the error that its last attempt ended with."""

    batch: Batch
    error: BaseException


class Cluster(Protocol):
    """What Dask and Ray have in common."""

    @property
    def lanes(self) -> int:
        """How many batches it works through at once."""
        ...

    def look(self, paths: Sequence[str]) -> Mapping[str, Seen]:
        """Return what each of its workers, or machines, sees."""
        ...

    def run(self, work: Work, batches: Sequence[Batch]) -> Iterator[list[Record] | Lost]:
        """Yield what became of each batch as it is finished, after at most `ATTEMPTS`."""
        ...

    def close(self) -> None:
        """Leave the cluster as it was."""
        ...
