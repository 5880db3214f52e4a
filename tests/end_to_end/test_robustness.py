"""What a full disk, a killed worker, a closed folder and damaged files do to a build."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from tasks.ledger import Ledger, Record

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def digests(dataset: Path) -> dict[str, str]:
    files = [p for name in ("data", "quarantine") for p in (dataset / name).rglob("*.*")]
    return {str(p.relative_to(dataset)): sha256(p.read_bytes()).hexdigest() for p in files}


def records_of(dataset: Path) -> list[dict]:
    return [
        json.loads(path.read_text())
        for stage in ("ingest", "l1", "shards")
        for path in sorted((dataset / ".work" / stage).glob("*.json"))
    ]


def assert_finished_granules_are_valid(dataset: Path) -> None:
    """A record stands only beside whole outputs, nothing half-written is left, no manifest."""
    records = records_of(dataset)
    assert records
    for record in records:
        for output in record["outputs"]:
            content = (dataset / output["path"]).read_bytes()
            assert sha256(content).hexdigest() == output["sha256"]
    assert not list(dataset.rglob(".*.part"))
    assert not (dataset / "manifest.json").exists()


def one_line(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if "granules" not in line.split(":")[-1]]
    (line,) = [line for line in lines if line]
    assert line.startswith("terrascope: ")
    return line


def mounted(folder: Path, *options: str) -> bool:
    """Mount a small file system in memory; False where this is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of 6 MiB, too small for the dataset."""
    disk = tmp_path / "disk"
    if not mounted(disk, "size=6m"):
        pytest.skip("needs the right to mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def copy(dataset: Path, tmp_path: Path) -> Path:
    """Return a finished dataset that may be damaged."""
    return Path(shutil.copytree(dataset, tmp_path / dataset.name))


def test_a_full_disk_keeps_finished_granules_and_the_same_command_goes_on(
    terrascope, dataset, sources, small_disk
) -> None:
    out = small_disk / dataset.name
    command = ("build", *sources, "--out", out, "--engine=local", "--workers=2")
    done = terrascope(*command)
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in one_line(done.stderr)
    assert f"MiB free in {out}" in one_line(done.stderr)
    assert_finished_granules_are_valid(out)
    before = {path: path.stat().st_mtime_ns for path in (out / ".work/ingest").glob("*.json")}
    subprocess.run(["mount", "-o", "remount,size=128m", str(small_disk)], check=True)
    assert terrascope(*command).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert digests(out) == digests(dataset)


def test_a_file_that_may_not_grow_is_named_and_the_rest_is_kept(
    terrascope, dataset, sources, tmp_path
) -> None:
    out = tmp_path / dataset.name
    command = ["build", *sources, "--out", str(out), "--engine=local", "--workers=1"]
    # in KiB: under the size of some scene tables, over that of the first ones
    limited = ["bash", "-c", 'ulimit -f 1024 && exec "$@"', "bash"]
    done = subprocess.run(
        [*limited, sys.executable, "-m", "cli", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    line = one_line(done.stderr)
    assert f"cannot write {out}/.work/ingest/" in line
    assert "File too large" in line
    assert_finished_granules_are_valid(out)
    assert terrascope(*command).returncode == 0
    assert digests(out) == digests(dataset)


def test_a_killed_worker_is_told_and_the_next_run_gives_the_same_bytes(
    terrascope, dataset, sources, tmp_path
) -> None:
    out = tmp_path / dataset.name
    command = ["build", *sources, "--out", str(out), "--engine=local", "--workers=2"]
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.kill(first_worker(process), signal.SIGKILL)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "a worker process was killed" in one_line(stderr)
    assert "run the same command to go on" in one_line(stderr)
    assert not (out / "manifest.json").exists()
    assert terrascope(*command).returncode == 0
    assert digests(out) == digests(dataset)


def first_worker(process: "subprocess.Popen[str]") -> int:
    """Wait for the pool, whose workers are forked by a server; return one worker's id."""
    for _ in range(1200):
        assert process.poll() is None, "the build ended before it had a worker"
        for server in psutil.Process(process.pid).children():
            for worker in server.children():
                return worker.pid
        time.sleep(0.02)
    raise AssertionError("no worker in 24 s")


def test_a_read_only_folder_is_one_clear_line(terrascope, sources, tmp_path) -> None:
    closed = tmp_path / "closed"
    is_mount = os.geteuid() == 0  # permissions do not stop root
    if is_mount and not mounted(closed, "ro"):
        pytest.skip("needs the right to mount a read-only file system, or not to be root")
    closed.mkdir(exist_ok=True)
    if not is_mount:
        closed.chmod(0o555)
    try:
        done = terrascope("build", *sources, "--out", closed / "dataset", "--engine=local")
    finally:
        if is_mount:
            subprocess.run(["umount", str(closed)], check=True)
    assert done.returncode == 2
    assert str(closed / "dataset") in one_line(done.stderr)


DAMAGES = {
    "truncated": lambda text: text[: len(text) // 2],
    "null": lambda _: "null",
    "empty": lambda _: "",
    "not UTF-8": lambda text: text[:9] + "\udcff",
    "of another version": lambda text: text.replace('"stage"', '"step"'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_counts_as_none(damage, tmp_path) -> None:
    ledger = Ledger(tmp_path)
    record = Record(stage="ingest", granule="a", key="k", outputs=(), taken=1, out=1)
    ledger.store(record)
    assert ledger.load("ingest", "a") == record
    path = ledger.path("ingest", "a", ".json")
    text = DAMAGES[damage](path.read_text())
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert ledger.load("ingest", "a") is None


def timeless(record: Path) -> str:
    """Return a record without the times at which its outputs were written."""
    return re.sub(r'"mtime_ns": \d+', "", record.read_text())


def test_damaged_records_and_shards_are_done_again(terrascope, dataset, sources, copy) -> None:
    damages = [*DAMAGES.values()]
    records = {}
    for number, stage in enumerate(
        ("ingest", "l1", "cap_cot", "shards-l1", "shards-cap", "select")
    ):
        path = sorted((copy / ".work" / stage).glob("*.json"))[0]
        records[path] = timeless(path)
        path.write_text(damages[number % 3](path.read_text()))
    deleted, truncated, *others = sorted((copy / "data").rglob("*.parquet"))[:-2]
    deleted.unlink()
    truncated.write_bytes(truncated.read_bytes()[:1000])
    again = {f"{path.stem}.parquet" for path in records}  # shards whose records are damaged
    times = {path: path.stat().st_mtime_ns for path in others if path.name not in again}
    done = terrascope("build", *sources, "--out", copy, "--engine=local", "--workers=1")
    assert done.returncode == 0, done.stderr
    assert {path: timeless(path) for path in records} == records
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert digests(copy) == digests(dataset)
    assert terrascope("verify", copy).returncode == 0


def test_a_damaged_marker_of_the_folder_stops_before_any_work(terrascope, sources, copy) -> None:
    marker = copy / ".work" / "dataset.json"
    marker.write_text(marker.read_text()[:20])
    before = digests(copy)
    done = terrascope("build", *sources, "--out", copy, "--engine=local")
    assert done.returncode == 2
    assert "dataset.json is damaged" in one_line(done.stderr)
    assert digests(copy) == before


def test_a_build_cut_off_before_its_marker_goes_on(terrascope, sources, tmp_path) -> None:
    out = tmp_path / "dataset"
    (out / ".work").mkdir(parents=True)
    (out / ".work" / "lock").touch()
    (out / ".work" / ".dataset.json.part").write_text('{"sour')
    command = ("build", *sources, "--out", out, "--engine=local", "--limit=1")
    assert terrascope(*command).returncode == 0
