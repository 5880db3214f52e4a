"""The service on this machine: started in the order of need, waited for, and ended."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from flows.service.database import NAME as POSTGRES
from flows.service.database import Kind, database, start_again
from flows.service.processes import pid_of, start, stop, tail
from tasks.atomic import place_text
from tasks.errors import UserError
from tasks.training import num_gpus

ROOT = Path(__file__).resolve().parents[2]
SERVER, WORKERS = "server", {"cpu": "worker-cpu", "gpu": "worker-gpu"}
PASSWORD = "PREFECT_API_AUTH_STRING"  # what commands send; the server asks for the same
ADDRESS = "address"  # file of the folder: that of the UI, while the service is up
HEALTHY_S, ONLINE_S = 180.0, 60.0  # a new database takes some twenty seconds
GRACE_S = 30.0  # for a run to be noted as crashed, and its training to end
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where the service is: its folder of process files and logs, and its address."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 4200

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://{self.host}:{self.port}"

    @property
    def api(self) -> str:
        """What PREFECT_API_URL is for those who use it."""
        return f"{self.url}/api"

    def environment(self) -> dict[str, str]:
        """Return the environment of workers and commands."""
        return {
            **os.environ,
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": self.api,
            "PREFECT_UI_URL": f"{self.url}/v2",  # links in logs; the older pages draw no Mermaid
        }

    def server_environment(self, database_url: str) -> dict[str, str]:
        """Return the environment of the server: on another port, its pages look for it at 4200."""
        word = os.environ.get(PASSWORD)
        return {
            **self.environment(),
            **({"PREFECT_SERVER_API_AUTH_STRING": word} if word else {}),
            "PREFECT_SERVER_API_HOST": self.host,
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
            "PREFECT_SERVER_UI_API_URL": self.api,
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        }


def up(service: Service, kind: Kind, say: Say) -> None:
    """Start what is not running, deploy `prefect.yaml`, and say where all of it is.

    UserError where something does not come up or `prefect.yaml` is wrong; what this call has
    started is ended then.
    """
    was_up = pid_of(service.folder, SERVER) is not None
    _check_address(service, was_up)
    # a job behind `&` ignores SIGINT, and so would a worker, which ends by it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    service.folder.mkdir(parents=True, exist_ok=True)
    try:
        if was_up:
            start_again(service.folder)
        else:
            _start_server(service, kind, say)
        _deploy(service, say)
        for pool, name in WORKERS.items():
            _start_worker(service, pool, name)
    except (UserError, KeyboardInterrupt):
        if not was_up:
            down(service.folder, lambda line: None)
        raise
    if not num_gpus():
        say("gpu      none here: the worker of the pool gpu trains on the CPU")
    say(f"logs     {service.folder}/*.log")
    say(f"commands export PREFECT_API_URL={service.api}")
    say(f"UI       {service.url}/v2/dashboard")


def down(folder: Path, say: Say) -> None:
    """End the workers with their runs, the server and the database, and nothing else."""
    ended = {
        name: stop(folder, name, signal.SIGTERM, GRACE_S, children_first=True)
        for name in WORKERS.values()
    }
    ended[SERVER] = stop(folder, SERVER, signal.SIGTERM, GRACE_S)
    ended[POSTGRES] = stop(folder, POSTGRES, signal.SIGINT, GRACE_S)  # at once, and in order
    for name, was_there in ended.items():
        if was_there:
            say(f"ended    {name}")
    (folder / ADDRESS).unlink(missing_ok=True)


def _check_address(service: Service, was_up: bool) -> None:
    """Raise UserError where the address is another's, or the service has another."""
    if was_up:
        found = (service.folder / ADDRESS).read_text(encoding="utf-8").strip()
        if found != service.url:
            raise UserError(f"the service is up at {found}, not at {service.url}: make down first")
        return
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((service.host, service.port))
        except OSError as error:
            raise UserError(
                f"{service.host}:{service.port} cannot be used ({error.strerror}); "
                "name another: make up PORT=4300, or HOST=ADDRESS of this machine"
            ) from error


def _start_server(service: Service, kind: Kind, say: Say) -> None:
    kept = database(service.folder, kind)
    say(f"database {kept.told}")
    command = [sys.executable, "-m", "prefect", "server", "start"]
    environment = service.server_environment(kept.url)
    start(service.folder, SERVER, command, environment, cwd=ROOT)  # where prefect.toml is
    place_text(service.folder / ADDRESS, service.url + "\n")
    _await(service, SERVER, HEALTHY_S, lambda: _asked(f"{service.api}/health") is True)


def _start_worker(service: Service, pool: str, name: str) -> None:
    """Start the worker of a pool, unless it is there, and wait until the server knows it."""
    known_as = f"{pool}@{socket.gethostname()}"
    if pid_of(service.folder, name) is None:
        command = [
            *(sys.executable, "-m", "prefect", "worker", "start", "--type", "process"),
            *("--pool", pool, "--name", known_as),
            *(("--limit", "1") if pool == "gpu" else ()),
        ]
        start(service.folder, name, command, service.environment(), cwd=ROOT)

    def online() -> bool:
        found = _asked(f"{service.api}/work_pools/{pool}/workers/filter", {})
        assert isinstance(found, list | None)
        return any(w["name"] == known_as and w["status"] == "ONLINE" for w in found or ())

    _await(service, name, ONLINE_S, online)


def _deploy(service: Service, say: Say) -> None:
    quiet = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}  # faults are told once
    done = subprocess.run(
        [sys.executable, "-m", "flows.service.deploy"],
        cwd=ROOT,
        env={**service.environment(), **quiet},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(done.stderr.strip().removeprefix("terrascope: "))
    for line in done.stdout.splitlines():
        say(line)


def _await(service: Service, name: str, within_s: float, ready: Callable[[], bool]) -> None:
    """Wait for a process to be ready; UserError with the end of its log where it is not."""
    given_up_at = time.monotonic() + within_s
    while not ready():
        if pid_of(service.folder, name) is None or time.monotonic() > given_up_at:
            raise UserError(f"{name} did not start:\n{tail(service.folder, name)}")
        time.sleep(0.2)


def _asked(url: str, body: object = None) -> object:
    """Return what the server says, read from JSON; None while it does not answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if word := os.environ.get(PASSWORD):
        headers["Authorization"] = f"Basic {base64.b64encode(word.encode()).decode()}"
    request = Request(url, data, headers)
    with suppress(OSError, HTTPException, ValueError), urlopen(request, timeout=5) as answer:
        return json.load(answer)
    return None
