"""Worker processes and the program that they work for."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60.0
PROGRAM = """
from pathlib import Path
from time import sleep

from tasks.granules import GranuleId
from tasks.pool import run_in_processes


def work(granule):
    Path(__file__).with_name(granule.bucket).touch()
    sleep(3600)


def main():
    list(run_in_processes(work, [GranuleId("made-up", "train", name) for name in "ab"], 2))
"""


def test_workers_end_with_a_program_that_is_killed(tmp_path):
    """SIGKILL leaves a program no time to stop what works for it."""
    (tmp_path / "sleeping.py").write_text(PROGRAM)
    script = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import sleeping; sleeping.main()"
    program = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    since = time.monotonic()
    while not all((tmp_path / name).exists() for name in "ab"):
        assert time.monotonic() - since < LIMIT_S
        time.sleep(0.1)
    workers = psutil.Process(program.pid).children(recursive=True)
    program.send_signal(signal.SIGKILL)
    program.wait()
    _, alive = psutil.wait_procs(workers, timeout=LIMIT_S)
    assert not alive
