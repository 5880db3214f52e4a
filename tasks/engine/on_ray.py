"""A Ray cluster: `ray start --head` somewhere, and machines that joined it."""

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tasks.engine.cluster import ATTEMPTS, CONNECT_S, Batch, Lost, Work
from tasks.engine.work import Seen, look, work_through
from tasks.errors import ConfigError
from tasks.ledger import Record


class RayCluster:
    """Batches as tasks of a Ray cluster, of one core each.

    An attempt that raises or whose worker dies is made again, `ATTEMPTS` in all.
    """

    def __init__(self, address: str) -> None:
        """Connect; ConfigError where nothing answers."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if _has_token():
            os.environ.setdefault("RAY_AUTH_MODE", "token")
        import ray

        self._ray = ray
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(
                f"no Ray cluster answers at {address} ({error}); start one with `ray start "
                "--head`, check engine.address, or if the cluster asks for a token, put it into "
                "RAY_AUTH_TOKEN or ~/.ray/auth_token"
            ) from error

    @property
    def lanes(self) -> int:
        """Cores; each works through one batch at a time."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 0)))

    def look(self, paths: Sequence[str]) -> Mapping[str, Seen]:
        """Return what each machine sees; ConfigError where one does not have the program."""
        from ray.exceptions import RayError
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        looking = self._ray.remote(look)
        asked = {
            node["NodeName"]: looking.options(
                num_cpus=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False),
            ).remote(list(paths))
            for node in self._ray.nodes()
            if node["Alive"] and node["Resources"].get("CPU")
        }
        try:
            return {name: self._ray.get(ref) for name, ref in asked.items()}
        except RayError as error:
            raise ConfigError(
                f"a machine of the Ray cluster cannot run this program ({error}); install it on "
                "all of them from one commit"
            ) from error

    def run(self, work: Work, batches: Sequence[Batch]) -> Iterator[list[Record] | Lost]:
        """Yield what became of each batch; see `tasks.engine.cluster.Cluster`."""
        from ray.exceptions import RayError

        task = self._ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1, retry_exceptions=True)(
            work_through
        )
        pending = {task.options(name=batch[0].name).remote(work, batch): batch for batch in batches}
        try:
            while pending:
                (ref, *_), _ = self._ray.wait(list(pending))
                batch = pending.pop(ref)
                try:
                    done = self._ray.get(ref)
                except RayError as error:
                    yield Lost(batch=batch, error=error)
                else:
                    yield done
        finally:
            for ref in pending:
                self._ray.cancel(ref)

    def close(self) -> None:
        """Close the connection; the cluster stays."""
        self._ray.shutdown()


def _has_token() -> bool:
    """Return whether a token lies here; a cluster that has one takes only those who show it.

    A cluster that Ray starts where a token lies asks for it, a client does not look for one.
    """
    given = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys()
    return bool(given) or (Path.home() / ".ray" / "auth_token").exists()


def _knock(address: str) -> None:
    """OSError where nobody listens at HOST:PORT; Ray itself tries for two minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
