"""Worker processes and the program that they work for."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tasks.granules import GranuleId
from tasks.pool import handed

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


@pytest.mark.parametrize(
    ("number", "at_once"), [(1, 1), (8, 1), (64, 1), (127, 1), (640, 10), (100_000, 16)]
)
def test_of_very_many_granules_a_worker_is_handed_some_at_once(number, at_once):
    granules = [GranuleId("made-up", "train", str(index)) for index in range(number)]
    parts = list(handed(granules, workers=2))
    assert [one for part in parts for one in part] == granules
    assert max(map(len, parts)) == at_once


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
