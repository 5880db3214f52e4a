import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.service.processes import pid_of, stop, tail
from tasks.serving.guard import birth

# a worker: its run notes that it was asked to end, as long as its worker is alive
WORKER = """
import signal, subprocess, sys, time
RUN = '''
import os, signal, sys, time
from pathlib import Path
worker = os.getppid()
def end(number, frame):
    time.sleep(0.3)
    Path(sys.argv[1]).write_text("noted" if os.getppid() == worker else "too late")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("run", flush=True)
time.sleep(60)
'''
run = subprocess.Popen([sys.executable, "-c", RUN, sys.argv[1]])
run.wait()
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("on", flush=True)
time.sleep(60)
"""
SLEEP = "import time; time.sleep(60)"
STARTER = """
import os, sys
from pathlib import Path
from flows.service.processes import start
start(Path(sys.argv[1]), "one", [sys.executable, "-c", *sys.argv[2:]], os.environ)
"""


def started(folder: Path, *program: object) -> int:
    """Start a program as a command does that ends at once; return its number."""
    subprocess.run([sys.executable, "-c", STARTER, folder, *map(str, program)], check=True)
    pid = pid_of(folder, "one")
    assert pid is not None
    return pid


def until(said: str, folder: Path) -> None:
    given_up_at = time.monotonic() + 20
    while said not in tail(folder, "one"):
        assert time.monotonic() < given_up_at
        time.sleep(0.02)


def test_a_process_is_found_again_and_ended(tmp_path) -> None:
    assert pid_of(tmp_path, "one") is None
    pid = started(tmp_path, SLEEP)
    assert os.getsid(pid) == pid  # a Ctrl-C in the terminal is not meant for it
    assert stop(tmp_path, "one", signal.SIGTERM, 10)
    assert birth(pid) is None
    assert pid_of(tmp_path, "one") is None
    assert not stop(tmp_path, "one", signal.SIGTERM, 10)


def test_a_later_process_of_the_same_number_is_left_alone(tmp_path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as other:
        noted = {"pid": other.pid, "born": str(int(birth(other.pid) or 0) - 1)}
        (tmp_path / "one.pid").write_text(json.dumps(noted))
        assert pid_of(tmp_path, "one") is None
        assert not stop(tmp_path, "one", signal.SIGTERM, 10)
        assert other.poll() is None
        other.kill()


def test_runs_of_a_worker_end_before_it_and_can_say_so(tmp_path) -> None:
    noted = tmp_path / "noted"
    started(tmp_path, WORKER, noted)
    until("run", tmp_path)
    assert stop(tmp_path, "one", signal.SIGTERM, 10, children_first=True)
    assert noted.read_text() == "noted"


def test_what_does_not_end_is_killed(tmp_path) -> None:
    pid = started(tmp_path, STUBBORN)
    until("on", tmp_path)
    assert stop(tmp_path, "one", signal.SIGTERM, 0.2)
    assert birth(pid) is None


@pytest.mark.parametrize("lines", [1, 30])
def test_the_end_of_a_log_is_told(lines, tmp_path) -> None:
    (tmp_path / "one.log").write_text("".join(f"line {i}\n" for i in range(lines)))
    assert tail(tmp_path, "one").splitlines()[-1] == f"line {lines - 1}"
    assert len(tail(tmp_path, "one").splitlines()) == min(lines, 20)
