"""Small clusters of Dask and Ray on this machine, in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

DASK = """
import sys
from distributed import LocalCluster
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
    print("at", cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""
RAY = """
import logging, sys
import ray
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
print("at", ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""
SETTINGS = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2",
    "RAY_USAGE_STATS_ENABLED": "0",
    "OMP_NUM_THREADS": "1",
}
TOKEN = {"RAY_AUTH_TOKEN": "0f" * 32}  # Ray asks for one by default, and would write it into ~


@contextmanager
def cluster(kind: str) -> Iterator[str]:
    """Yield the address of a cluster of two workers; its token stands in the environment."""
    with mock.patch.dict(os.environ, TOKEN):
        yield from _cluster(kind)


def _cluster(kind: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", {"dask": DASK, "ray": RAY}[kind]],
        env={**os.environ, **SETTINGS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = next(line for line in process.stdout if line.startswith("at "))
        yield said.split()[1]
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
