"""Processes that outlive the command which starts them, and are found again to be ended.

Each has a file NAME.pid with its number and the time of its start, which tells it from a later
process of the same number, and a NAME.log, both in one folder.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tasks.atomic import place_text
from tasks.serving.guard import birth, descendants

LOOK_EVERY_S = 0.1
KILLED_S = 5.0  # for the kernel to end what was killed
TAIL_LINES = 20


def start(
    folder: Path,
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    user: str | None = None,
) -> None:
    """Start a command in a session of its own, in a folder and as a user if they are named."""
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            user=user,
        )
    noted = {"pid": process.pid, "born": birth(process.pid)}
    place_text(folder / f"{name}.pid", json.dumps(noted) + "\n")


def pid_of(folder: Path, name: str) -> int | None:
    """Return the number of a process that was started and is alive; None where there is none."""
    file = folder / f"{name}.pid"
    if not file.exists():
        return None
    noted = json.loads(file.read_text(encoding="utf-8"))
    alive = noted["born"] is not None and birth(noted["pid"]) == noted["born"]
    return int(noted["pid"]) if alive else None


def stop(
    folder: Path, name: str, number: signal.Signals, grace_s: float, *, children_first: bool = False
) -> bool:
    """End a process and all below it; return whether there was one.

    It gets the signal, and after `grace_s` what is left is killed. With `children_first` these get
    SIGTERM before: a worker that ends first kills its runs, and they could not say so any more.
    """
    pid = pid_of(folder, name)
    if pid is not None:
        seen = {below: birth(below) for below in (pid, *descendants(pid))}
        if children_first:
            for child in _children(pid):
                _send(child, signal.SIGTERM, seen)
            _ended({below: born for below, born in seen.items() if below != pid}, grace_s)
        _send(pid, number, seen)
        if not _ended(seen, grace_s):
            for below in seen:
                _send(below, signal.SIGKILL, seen)
            _ended(seen, KILLED_S)
    (folder / f"{name}.pid").unlink(missing_ok=True)
    return pid is not None


def tail(folder: Path, name: str) -> str:
    """Return the last lines of a process's log."""
    lines = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-TAIL_LINES:])


def _children(pid: int) -> list[int]:
    grandchildren = {low for child in descendants(pid) for low in descendants(child)}
    return [below for below in descendants(pid) if below not in grandchildren]


def _send(pid: int, number: signal.Signals, seen: Mapping[int, str | None]) -> None:
    """Signal a process that was seen, unless the number is another's by now."""
    if pid in seen and birth(pid) == seen[pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _ended(seen: Mapping[int, str | None], within_s: float) -> bool:
    """Wait until none of the processes is left; tell whether that came about in time."""
    given_up_at = time.monotonic() + within_s
    while any(birth(pid) == born for pid, born in seen.items()):
        if time.monotonic() > given_up_at:
            return False
        time.sleep(LOOK_EVERY_S)
    return True
