"""Granules on this machine: one process pool per program, none for a single worker."""

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from threading import Lock, Thread

from tasks.engine.work import work_through
from tasks.errors import WorkerDied
from tasks.granules import GranuleId
from tasks.ledger import Record

MOST_AT_ONCE = 16
TURNS = 32  # at least, of each worker: then none waits long for the last one
_POOL_LOCK = Lock()  # two batches may run at once, each in a thread of its own


def run_in_processes(
    work: Callable[[GranuleId], Record], granules: Sequence[GranuleId], workers: int
) -> Iterator[Record]:
    """Yield the record of every granule as it is finished.

    Raises:
        WorkerDied: a worker process was killed; what is finished stays valid.
    """
    if workers == 1 or len(granules) <= 1:
        gc.freeze()
        yield from map(work, granules)
        return
    futures: list[Future[list[Record]]] = []
    with _POOL_LOCK:
        pool = _pool(workers)
    try:
        futures += (pool.submit(work_through, work, own) for own in handed(granules, workers))
        for future in as_completed(futures):
            yield from future.result()
    except BrokenProcessPool as error:
        pool.shutdown()  # or its thread may be closing its pipe while the program ends and uses it
        _pool.cache_clear()
        raise WorkerDied(
            "a worker process was killed (out of memory, or from outside); finished granules are "
            "kept: run the same command to go on, with fewer --workers if memory is short"
        ) from error
    finally:
        for future in futures:
            future.cancel()


def handed(granules: Sequence[GranuleId], workers: int) -> Iterator[Sequence[GranuleId]]:
    """Yield the granules that a worker is handed at once: one, of very many some.

    To send one and take its record back costs as much as to find that it is done already.
    """
    number = min(MOST_AT_ONCE, max(1, len(granules) // (workers * TURNS)))
    for start in range(0, len(granules), number):
        yield granules[start : start + number]


@lru_cache(maxsize=1)
def _pool(workers: int) -> ProcessPoolExecutor:
    """Return the pool; workers are forked from a clean server that has the stages imported.

    It has the kernels compiled as well: in a fresh checkout that takes ten seconds. What is
    imported is never garbage: frozen, it is not walked over with every granule's rows (a
    tenth of the question stage's time).
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tasks.worker_start"])
    return ProcessPoolExecutor(workers, context, initializer=_begin)


def _begin() -> None:
    """Freeze what is there, and end with the program, which may be killed without a word."""
    gc.freeze()
    Thread(target=_end_with_program, daemon=True).start()


def _end_with_program() -> None:
    program = multiprocessing.parent_process()
    assert program is not None, "a worker has a parent"
    program.join()
    os._exit(1)
