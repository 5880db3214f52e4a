"""One server process and all that it starts, behind a guard that outlives us by moments only."""

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tasks.serving.guard import birth, descendants

LOG = logging.getLogger(__name__)
GUARD = Path(__file__).with_name("guard.py")
KILLED_S = 15.0  # for the guard to end what does not end by itself, after the grace it was given
FREED_S = 30.0  # a driver gives memory back as a process ends, and may take a moment to say so
TAIL_LINES = 20
TAIL_ERRORS = 5
TAIL_BYTES = 2**20
ERROR = re.compile(r"\b\w*(Error|Exception): ")


class ServerProcess:
    """A started command; its output goes to the end of `log`."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, grace_s: float
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log, self._grace_s = log, grace_s
        self._log_start = log.stat().st_size if log.exists() else 0
        self._seen: dict[int, str | None] = {}
        guard = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(grace_s)]
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                [*guard, *command],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    def pids(self) -> list[int]:
        """Processes of the server that are alive now, the one that was started first."""
        alive = descendants(self._guard.pid)
        self._seen.update((pid, birth(pid)) for pid in alive)
        return alive

    @property
    def end(self) -> str | None:
        """How it ended by itself, once nothing of it is left; None until then."""
        status = self._guard.poll()
        if status is None:
            return None
        number = status - 128 if status > 128 else -status
        if number in signal.valid_signals():
            return f"was ended by {signal.Signals(number).name}"
        return f"ended with status {status}"

    def stop(self) -> None:
        """End the server and all that it started; returns when nothing is left of it.

        Raises:
            TimeoutError: a process cannot be ended (it waits for a driver or a disk).
        """
        self.pids()
        assert self._guard.stdin is not None
        if not self._guard.stdin.closed:
            with suppress(BrokenPipeError):
                self._guard.stdin.write(b"\n")  # a forked child of ours may hold the pipe open
            self._guard.stdin.close()
        try:
            killed = self._guard.wait(self._grace_s + KILLED_S) < 0
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"processes {self.pids()} of the server do not end") from None
        if killed:  # not the server but its guard: then what is left is ours to end
            self._kill_seen()
        self._await_gpu_memory()

    def tail(self) -> str:
        """Last lines that this process wrote, after the errors that it wrote before them.

        vLLM ends with a long trace of its first process; what went wrong in another stands above.
        """
        with self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start, size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
        # a progress bar writes its states over one another
        lines = [line.rpartition("\r")[2].rstrip() for line in text.split("\n")]
        lines = [line for line in lines if line]
        errors = [line for line in lines[:-TAIL_LINES] if ERROR.search(line)]
        return "\n".join(errors[-TAIL_ERRORS:] + lines[-TAIL_LINES:])

    def _kill_seen(self) -> None:
        for pid, born in self._seen.items():
            if born is not None and birth(pid) == born:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self._guard.pid, signal.SIGKILL)

    def _await_gpu_memory(self) -> None:
        given_up_at = time.monotonic() + FREED_S
        while held := gpu_processes() & self._seen.keys():
            if time.monotonic() > given_up_at:
                LOG.warning("the GPU memory of ended processes %s is not free yet", sorted(held))
                return
            time.sleep(0.5)


def gpu_processes() -> set[int]:
    """Return the processes that hold memory of an NVIDIA GPU; none where there is no such GPU."""
    if shutil.which("nvidia-smi") is None:
        return set()
    asked = subprocess.run(
        ["nvidia-smi", "--query-compute-apps=pid", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(line) for line in asked.stdout.split() if line.isdigit()}
