"""Granules worked through by the engine that the configuration names."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

from tasks.atomic import place_text
from tasks.config import BuildConfig
from tasks.engine.cluster import Batch, Cluster, Lost
from tasks.engine.on_dask import DaskCluster
from tasks.engine.on_ray import RayCluster
from tasks.engine.settings import EngineSettings
from tasks.engine.work import look
from tasks.errors import BatchFailed, ConfigError
from tasks.granules import GranuleId
from tasks.ledger import Record, kept
from tasks.pool import run_in_processes

# Of a configuration and a granule; it asks its ledger whether it is done before it does anything.
GranuleWork = Callable[..., Record]
LEAST_GRANULES, MOST_GRANULES = 2, 8  # of a cluster's task; eight are some 2,000 scenes
MOST_LOOKED_AT = 256  # granules, a millisecond or two each
MOST_NAMED = 10
_HIRED: dict[EngineSettings, Cluster] = {}  # by whom work is done in this process


@contextmanager
def hired(config: BuildConfig) -> Iterator[None]:
    """Hold the connection to the cluster of a claimed build, if it has one.

    Raises:
        ConfigError: no cluster answers, or one of its workers does not see the folders of the
            build, or has another version of the program or of what it stands on.
    """
    if config.engine.kind == "processes":
        yield
        return
    engines: dict[str, Callable[[str], Cluster]] = {"dask": DaskCluster, "ray": RayCluster}
    cluster = engines[config.engine.kind](config.engine.address)
    try:
        _check_workers(cluster, config)
        _HIRED[config.engine] = cluster
        yield
    finally:
        _HIRED.pop(config.engine, None)
        cluster.close()


def lanes_of(config: BuildConfig) -> int:
    """Return how many batches are worked through at once, 1 by processes that share each batch."""
    cluster = _HIRED.get(config.engine)
    return 1 if cluster is None else cluster.lanes


def run_granules(
    work: GranuleWork, config: BuildConfig, granules: Sequence[GranuleId]
) -> Iterator[Record]:
    """Yield the record of every granule as it is finished.

    Of those for this machine's processes, what is done already is found here, as far as the first
    that is due: to start processes takes longer. Of very many granules they look at the others.

    Raises:
        WorkerDied: a worker process of this machine was killed; what is finished stays valid.
        BatchFailed: a batch came to nothing on a cluster, tried again and again.
    """
    cluster = _HIRED.get(config.engine)
    if cluster is None:
        num_kept = 0
        for granule in granules[:MOST_LOOKED_AT]:
            if (record := kept(partial(work, config, granule))) is None:
                break
            yield record
            num_kept += 1
        yield from run_in_processes(partial(work, config), granules[num_kept:], config.workers)
        return
    there = config.model_copy(update={"out": config.out.resolve()})
    for done in cluster.run(partial(work, there), cut(granules, cluster.lanes)):
        if isinstance(done, Lost):
            raise _failed(config, done) from done.error
        yield from done


def cut(granules: Sequence[GranuleId], lanes: int) -> list[Batch]:
    """Cut granules into tasks of a cluster: for every lane one, of two to eight granules each."""
    even = -(-len(granules) // lanes)
    size = min(MOST_GRANULES, max(LEAST_GRANULES, even))
    return [tuple(granules[start : start + size]) for start in range(0, len(granules), size)]


def _failed(config: BuildConfig, lost: Lost) -> BatchFailed:
    named = ", ".join(granule.name for granule in lost.batch[:MOST_NAMED])
    more = f" and {len(lost.batch) - MOST_NAMED} more" * (len(lost.batch) > MOST_NAMED)
    reason = (str(lost.error).strip() or repr(lost.error)).splitlines()[-1]
    return BatchFailed(
        f"{config.engine.kind} cluster {config.engine.address}: a batch failed again and "
        f"again, with the granules {named}{more}: {type(lost.error).__name__}: {reason}; finished "
        "granules are kept: run the same command to go on"
    )


def _check_workers(cluster: Cluster, config: BuildConfig) -> None:
    """Raise ConfigError where a worker could not do the work, or would do it otherwise."""
    out = config.out.resolve()
    token = out / ".work" / f"seen-{uuid4().hex}"  # a new name, which no cache of a share knows
    place_text(token, "")
    try:
        paths = [str(token), *map(str, config.sources.values())]
        here = look(paths)
        seen = cluster.look(paths)
    finally:
        token.unlink()
    for name, there in sorted(seen.items()):
        where = f"{config.engine.kind} cluster {config.engine.address}: worker {name}"
        if str(token) in there.missing:
            raise ConfigError(
                f"{where} does not see {out} as it is here; --out has to lie on storage that all "
                "machines share under one path"
            )
        if there.missing:
            raise ConfigError(
                f"{where} does not see {', '.join(there.missing)}; archives have to lie on storage "
                "that all machines share under one path"
            )
        if there.code != here.code:
            raise ConfigError(f"{where} has another version of this program; give all the same")
        others = sorted({*there.versions} - {*here.versions})
        if others:
            raise ConfigError(
                f"{where} has {', '.join(others)}, unlike this machine; install the same "
                "constraints.txt on all"
            )
