"""A Dask cluster: `dask scheduler` somewhere, and workers of one thread each."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from uuid import uuid4

from tasks.engine.cluster import ATTEMPTS, CONNECT_S, FIRST_WORKER_S, Batch, Lost, Work
from tasks.engine.work import Seen, look, work_through
from tasks.errors import ConfigError
from tasks.ledger import Record


class DaskCluster:
    """Batches as tasks of a Dask cluster.

    An attempt that raises is made again, `ATTEMPTS` in all. One whose worker dies is made again
    elsewhere as often as the scheduler allows (`distributed.scheduler.allowed-failures`, 3).
    """

    def __init__(self, address: str) -> None:
        """Connect; ConfigError where nothing answers, or its workers cannot be used."""
        from distributed import Client

        try:
            self._client = Client(address, timeout=CONNECT_S)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"no Dask scheduler answers at {address} ({error}); start one with `dask "
                "scheduler`, or check engine.address"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=FIRST_WORKER_S)
        except TimeoutError as error:
            self.close()
            raise ConfigError(
                f"the Dask cluster {address} has no worker; start some with `dask worker {address} "
                "--nworkers auto --nthreads 1`"
            ) from error
        if any(threads > 1 for threads in self._client.nthreads().values()):
            self.close()
            raise ConfigError(
                f"workers of the Dask cluster {address} have several threads, which would share a "
                "core: start them with --nworkers auto --nthreads 1"
            )

    @property
    def lanes(self) -> int:
        """Workers; each works through one batch at a time."""
        return len(self._client.nthreads())

    def look(self, paths: Sequence[str]) -> Mapping[str, Seen]:
        """Return what each worker sees; ConfigError where one does not have the program."""
        try:
            return dict(self._client.run(look, paths))
        except ImportError as error:
            raise ConfigError(
                f"a worker of the Dask cluster cannot import this program ({error}); install it on "
                "all machines from one commit"
            ) from error

    def run(self, work: Work, batches: Sequence[Batch]) -> Iterator[list[Record] | Lost]:
        """Yield what became of each batch; see `tasks.engine.cluster.Cluster`."""
        from distributed import as_completed

        futures = {
            self._client.submit(
                work_through,
                work,
                batch,
                key=f"{batch[0].name}-{uuid4().hex}",
                retries=ATTEMPTS - 1,
                pure=False,
            ): batch
            for batch in batches
        }
        try:
            for future in as_completed(futures):
                if future.status == "finished":
                    yield future.result()
                else:
                    error = None if future.cancelled() else future.exception()
                    error = error or CancelledError("the scheduler is gone")
                    yield Lost(batch=futures[future], error=error)
        finally:
            self._client.cancel(list(futures))

    def close(self) -> None:
        """Close the connection; the cluster stays."""
        self._client.close()
