import os
import socket
import subprocess
import sys

from flows.whereabouts import BORN, HOST, PID, is_gone
from tasks.serving.guard import birth


def noted(**more: object) -> dict[str, object]:
    own = {HOST: socket.gethostname(), PID: os.getpid(), BORN: birth(os.getpid())}
    return {**own, **{f"terrascope.{key}": value for key, value in more.items()}}


def test_a_process_that_is_there_is_not_gone() -> None:
    assert is_gone(noted()) is False


def test_a_process_that_has_ended_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        labels = noted(pid=process.pid, born=birth(process.pid))
        assert is_gone(labels) is False
        process.kill()
    assert is_gone(labels) is True


def test_a_later_process_of_the_same_number_is_another() -> None:
    assert is_gone(noted(born="1")) is True


def test_of_another_machine_or_of_a_run_without_labels_nothing_is_known() -> None:
    assert is_gone(noted(host="elsewhere")) is None
    assert is_gone(noted(born="")) is None  # a system without /proc
    assert is_gone({}) is None
