"""Runs one command and leaves nothing of it behind, whatever becomes of the process that asked.

A program of its own, of the standard library alone: `python -I -S guard.py OWNER_PID GRACE_S
COMMAND...`. It leads its own session and ends the command when its standard input is closed or
written to, when its owner is gone (a forked child of the owner may keep the other end of that pipe
open), or on SIGTERM; and it ends what is left when the command ends by itself. Whatever the command
starts, however deep, comes to the guard when its parent dies (a "child subreaper", so Linux only),
so the guard knows when nothing is left. Temporary files go to a folder that is removed at the end:
vLLM leaves its sockets behind. Should the guard itself be killed, the command is too.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
LOOK_MS = 200
ORPHANS_GRACE_S = 3.0  # for processes whose parent is gone to see that and end by themselves
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(owner: int, grace_s: float, command: Sequence[str]) -> int:
    """Run `command` until it ends or is to end; return its status, 128 + N for signal N."""
    told: list[int] = []
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, frame: told.append(number))
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
    # a short name: that of a socket in it holds about a hundred characters
    with tempfile.TemporaryDirectory(prefix="ts-", ignore_cleanup_errors=True) as folder:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": folder},
            preexec_fn=_die_with_the_guard,
        )
        while child.poll() is None and not told and os.getppid() == owner:
            if poll.poll(LOOK_MS):
                break
        status = end(child, grace_s)
        end_descendants(min(grace_s, ORPHANS_GRACE_S))
    return status if status >= 0 else 128 - status


def end(child: subprocess.Popen[bytes], grace_s: float) -> int:
    """End the command: politely, and after `grace_s` for certain; return its status."""
    child.terminate()
    try:
        return child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def end_descendants(grace_s: float) -> None:
    """End what the command has left; after `grace_s` for certain. Returns when nothing is left."""
    certain_at = time.monotonic() + grace_s
    for pid in descendants(os.getpid()):
        _send(pid, signal.SIGTERM)
    while _reap():
        if time.monotonic() > certain_at:
            for pid in descendants(os.getpid()):
                _send(pid, signal.SIGKILL)
        time.sleep(0.02)


def descendants(root: int) -> list[int]:
    """Return the processes below `root`, its children first; zombies do not count."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))) and fields[0] not in "ZX":
            children.setdefault(int(fields[1]), []).append(int(name))
    found = list(children.get(root, []))
    for pid in found:
        found += children.get(pid, [])
    return found


def birth(pid: int) -> str | None:
    """Return when a process was started, which tells it from a later one of the same number.

    None where it has ended, whether or not its parent has taken note.
    """
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in "ZX" else None


def _stat(pid: int) -> list[str]:
    """Return what /proc says of a process from its state on; nothing where it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()  # a name may hold spaces and brackets
    except (FileNotFoundError, ProcessLookupError):
        return []


def _reap() -> bool:
    """Collect what has ended; tell whether a child, of one's own or adopted, is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def _die_with_the_guard() -> None:
    guard = os.getppid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
