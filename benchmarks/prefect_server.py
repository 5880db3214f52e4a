"""A Prefect server of one's own for a benchmark: on a free port, with a database of its own."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

START_LIMIT_S = 300.0  # with a new database, on a busy machine
ROOT = Path(__file__).resolve().parents[1]  # its prefect.toml is the server's


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers: its API, the environment that leads to it, its process and log."""

    api: str
    env: dict[str, str]
    pid: int
    start_s: float
    log: Path


@contextmanager
def server(home: Path, database_url: str = "") -> Iterator[Server]:
    """Run a Prefect server whose home is `home`, with SQLite there unless another is named."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    env = {"PREFECT_HOME": str(home), "PREFECT_API_URL": api, "DO_NOT_TRACK": "1"}
    its_own = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url} if database_url else {}
    start, log = perf_counter(), home / "server.log"
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **env, **its_own},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(f"{api}/health", process)
        started_s = perf_counter() - start
        yield Server(api=api, env=env, pid=process.pid, start_s=started_s, log=log)
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return when the server answers; RuntimeError if it ends or takes too long."""
    start = perf_counter()
    while process.poll() is None and perf_counter() - start < START_LIMIT_S:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            sleep(0.2)
    raise RuntimeError(f"no Prefect server at {url}; exit status {process.poll()}")
