"""What becomes of a build on a real server when something goes: it goes on, or begins again."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from flows.service.database import NAME as POSTGRES
from flows.service.processes import pid_of
from tasks.manifest import read_manifest
from tasks.verify import verify
from tasks.versions import versions_of
from tests.end_to_end.test_prefect import digests
from tests.end_to_end.test_service import (
    ENDS_WITHIN_S,
    SHORT,
    Patient,
    Up,
    awaited,
    command,
    free_port,
)
from tests.flows.test_database import HAS_POSTGRES

pytestmark = [pytest.mark.full, pytest.mark.prefect, pytest.mark.slow]
AWAY_S = 5.0
NOTICED_S = 12.0  # after which a run that is gone is no longer taken to be just beginning


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """Start a service on a database of its own; its path is short enough for a socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        folder, port = Path(made), free_port()
        folder.chmod(0o755)
        begun = command("up", "--port", port, "--folder", folder)
        assert begun.returncode == 0, begun.stderr
        api = f"http://127.0.0.1:{port}/api"
        try:
            with closing(httpx.Client(base_url=api, timeout=60, transport=Patient())) as client:
                service = Up(client=client, folder=folder, port=port)
                train_shortly(service)
                yield service
        finally:
            command("down", "--folder", folder)


@pytest.fixture(scope="module")
def undisturbed(terrascope, planet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "meadows"
    done = terrascope(
        *("build", f"--source=bigearthnet={planet / 'bigearthnet'}"),
        *("--out", out, "--engine", "local", "--workers", 1),
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def config(up: Up, planet: Path) -> Iterator[dict[str, Any]]:
    """Return a build into a folder that is not there; what it publishes is trained shortly."""
    train_shortly(up)
    out = up.folder / "meadows"
    yield {"sources": {"bigearthnet": str(planet / "bigearthnet")}, "out": str(out)}
    shutil.rmtree(out, ignore_errors=True)


def train_shortly(up: Up) -> None:
    up.change("train-published", models=str(up.folder / "models"), settings=SHORT)


def up_again(up: Up) -> None:
    """Start what is missing, as a person does with `make up`."""
    done = command("up", "--port", up.port, "--folder", up.folder)
    assert done.returncode == 0, done.stderr
    train_shortly(up)


def in_the_midst(up: Up, config: dict[str, Any], **more: object) -> str:
    """Start a build, and return its run when its first granule has been asked about."""
    records = Path(config["out"]) / ".work" / "l1"
    before = {path: path.stat().st_mtime_ns for path in records.glob("*.json")}
    run = up.run("regenerate", config={**config, **more})

    def begun() -> bool:
        return any(
            path.stat().st_mtime_ns != before.get(path) for path in records.glob("[!.]*.json")
        )

    awaited(begun, ENDS_WITHIN_S)
    return run


def kill(pid: int | None) -> None:
    """Kill a process and all below it."""
    assert pid is not None
    process = psutil.Process(pid)
    gone = [*process.children(recursive=True), process]
    for one in gone:
        one.kill()
    psutil.wait_procs(gone, timeout=30)


def test_a_server_that_is_killed_in_mid_build_is_waited_for(up, config, undisturbed) -> None:
    run = in_the_midst(up, config)
    kill(pid_of(up.folder, "server"))
    up_again(up)
    assert up.ended(run)["state_type"] == "COMPLETED"
    assert digests(Path(config["out"])) == digests(undisturbed)


@pytest.mark.skipif(not HAS_POSTGRES, reason="no PostgreSQL on this machine")
def test_a_database_that_is_away_for_seconds_is_waited_for(up, config, undisturbed) -> None:
    run = in_the_midst(up, config)
    pid = pid_of(up.folder, POSTGRES)
    assert pid is not None
    os.kill(pid, signal.SIGINT)  # at once, and in order
    awaited(lambda: pid_of(up.folder, POSTGRES) is None, 30)
    time.sleep(AWAY_S)
    up_again(up)
    assert up.ended(run)["state_type"] == "COMPLETED"
    assert digests(Path(config["out"])) == digests(undisturbed)


def test_a_build_whose_worker_is_killed_is_marked_and_goes_on_when_run_again(
    up, config, undisturbed
) -> None:
    out = Path(config["out"])
    lost = in_the_midst(up, config)
    kill(pid_of(up.folder, "worker-cpu"))
    assert not (out / "manifest.json").exists()
    assert up.client.get(f"/flow_runs/{lost}").json()["state_type"] == "RUNNING"
    up_again(up)
    time.sleep(NOTICED_S)
    up.ended(up.run("reconcile", datasets=[], grace_s=0))
    assert up.client.get(f"/flow_runs/{lost}").json()["state_type"] == "CRASHED"
    assert up.built(**config)["state_type"] == "COMPLETED"
    assert digests(out) == digests(undisturbed)
    assert len(versions_of(out)) == 1


def test_a_cancelled_build_leaves_what_was_published_and_goes_on_when_run_again(up, config) -> None:
    out = Path(config["out"])
    assert up.built(**config)["state_type"] == "COMPLETED"
    before = read_manifest(out)
    run = in_the_midst(up, config, seed=5)
    asked = {"state": {"type": "CANCELLING"}}
    up.client.post(f"/flow_runs/{run}/set_state", json=asked).raise_for_status()
    assert up.ended(run)["state_type"] == "CANCELLED"
    assert read_manifest(out) == before
    assert up.built(**config, seed=5)["state_type"] == "COMPLETED"
    assert [version.number for version in versions_of(out)] == [1, 2]
    assert verify(out).ok


def test_a_run_that_is_due_while_a_build_works_is_cancelled_and_harms_nothing(
    up, config, undisturbed
) -> None:
    first = in_the_midst(up, config)
    second = up.built(**config)
    assert second["state_type"] == "CANCELLED"
    assert up.ended(first)["state_type"] == "COMPLETED"
    assert digests(Path(config["out"])) == digests(undisturbed)
