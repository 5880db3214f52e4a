"""`terrascope build` with a model behind HTTP: what is kept, refused, repeated and paid for."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.captions.prompted import FAULT_MIX, lie, lying, text_of, well_read
from tests.completer.fault_server import MODEL, Behaviour, FaultServer

ROOT = Path(__file__).resolve().parents[2]
CLIENT = {"backoff_s": 0.01, "max_backoff_s": 0.05, "timeout_s": 3.0, "max_pause_s": 2.0}
Build = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    with ExitStack() as servers:

        def start(answer: Any = well_read, **behaviour: Any) -> FaultServer:
            return servers.enter_context(FaultServer(Behaviour(**behaviour), answer))

        yield start


@pytest.fixture
def configured(tmp_path: Path, planet: Path) -> Callable[..., list[str]]:
    """Write a configuration of a build by URL and return the command that runs it."""

    def command(server: FaultServer, name: str = "dataset", **captioner: Any) -> list[str]:
        config = {
            "sources": {a: str(planet / a) for a in ("bigearthnet", "chatearthnet", "xbd")},
            "out": str(tmp_path / name),
            "stages": ["cap_cot"],
            "limit": 5,
            "captioner": {
                "kind": "url",
                "url": server.base_url,
                "model": MODEL,
                "client": CLIENT,
                **captioner,
            },
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        build = [sys.executable, "-m", "cli", "build", "--config", str(path)]
        return [*build, "--out", str(tmp_path / name), "--engine", "local", "--workers", "1"]

    return command


def ran(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def captions(dataset: Path) -> list[dict[str, Any]]:
    files = sorted((dataset / "data" / "cap").glob("*.parquet"))
    columns = ["scene_id", "trace", "steps", "claims", "title", "answer"]
    return [row for file in files for row in pq.ParquetFile(file).read(columns).to_pylist()]


def refused(dataset: Path) -> list[dict[str, Any]]:
    files = sorted((dataset / "quarantine").glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [row for row in rows if row["stage"] == "cap_cot"]


def told_lies(server: FaultServer) -> set[str]:
    """Return all sentences, marks aside, that the server could have lied with."""
    return {lie(body, random.Random(seed)) for body in server.bodies for seed in range(8)}


def counts(dataset: Path) -> dict[str, Any]:
    manifest = json.loads((dataset / "manifest.json").read_text())
    return next(count for count in manifest["counts"] if count["stage"] == "cap_cot")


def test_a_model_that_reads_its_prompt_has_all_its_captions_kept_and_proved(
    serve, configured, tmp_path, terrascope
):
    server = serve()
    done = ran(configured(server))
    assert done.returncode == 0, done.stderr
    count = counts(tmp_path / "dataset")
    assert count["rejected"] == 0, refused(tmp_path / "dataset")
    assert count["out"] == len(captions(tmp_path / "dataset")) > 10
    assert count["tallies"]["replies"] == 2 * count["out"]  # a caption, and its short fields
    assert count["tallies"]["prompt tokens"] > 0
    assert all(row["title"].startswith("A scene with") for row in captions(tmp_path / "dataset"))
    proved = terrascope("verify", tmp_path / "dataset")
    assert proved.returncode == 0, proved.stdout


def test_a_build_run_again_asks_nothing(serve, configured, tmp_path):
    server = serve()
    command = configured(server)
    assert ran(command).returncode == 0
    asked = server.num_requests
    again = ran(command)
    assert "unchanged" in again.stdout
    assert server.num_requests == asked


def test_a_lie_is_told_to_the_model_once_and_refused_if_it_lies_again(serve, configured, tmp_path):
    server = serve(answer=lying(0.6))
    done = ran(configured(server))
    assert done.returncode == 0, done.stderr
    dataset = tmp_path / "dataset"
    rejects = refused(dataset)
    count = counts(dataset)
    assert rejects
    assert {row["reason"] for row in rejects} == {"false_claim"}
    assert count["taken"] == count["out"] + count["rejected"] + count["left_out"]
    assert count["tallies"]["repair turns"] > count["rejected"]
    assert not any(lie in row["trace"] for row in captions(dataset) for lie in told_lies(server))
    told = [
        text_of(body, turn=1)
        for body in server.bodies
        if "cannot be used" in text_of(body, turn=-1)
    ]
    assert told
    assert all("false: " in text for text in told)


def test_with_cut_a_false_sentence_goes_and_the_caption_stays(serve, configured, tmp_path):
    server = serve(answer=lying(1.0))
    done = ran(configured(server, on_false="cut", repair=False))
    assert done.returncode == 0, done.stderr
    count = counts(tmp_path / "dataset")
    assert count["rejected"] == 0
    assert count["tallies"]["sentences cut"] == count["out"]
    kept = captions(tmp_path / "dataset")
    assert not any(lie in row["trace"] for row in kept for lie in told_lies(server))


def test_with_faults_in_three_of_ten_requests_no_scene_is_lost_and_no_lie_kept(
    serve, configured, tmp_path, terrascope
):
    rates = {fault: 0.3 / len(FAULT_MIX) for fault in FAULT_MIX}
    server = serve(answer=lying(0.2), rates=rates, seed=5)
    done = ran(configured(server))
    assert done.returncode == 0, done.stderr
    dataset = tmp_path / "dataset"
    count = counts(dataset)
    kept = {row["scene_id"] for row in captions(dataset)}
    gone = {row["sample_id"] for row in refused(dataset)}
    assert kept.isdisjoint(gone)
    assert len(kept) + len(gone) + count["left_out"] == count["taken"]
    assert server.faults.total() > 2
    assert not any(lie in row["trace"] for row in captions(dataset) for lie in told_lies(server))
    assert terrascope("verify", dataset).returncode == 0


def test_a_build_killed_in_the_midst_repeats_no_call_that_had_been_answered(
    serve, configured, tmp_path
):
    server = serve(latency_s=0.15)
    command = configured(server, client={**CLIENT, "max_concurrency": 4})
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while server.answered.total() < 12 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = ran(command)
    assert done.returncode == 0, done.stderr
    repeated = sum(times - 1 for times in server.answered.values())
    assert repeated <= 4  # those whose replies were on their way
    assert counts(tmp_path / "dataset")["rejected"] == 0


def test_a_call_without_a_reply_is_asked_again_by_the_next_build_and_no_other(
    serve, configured, tmp_path
):
    server = serve(script=["503"])
    command = configured(server, client={**CLIENT, "retries": 0})
    assert ran(command).returncode == 0
    assert [row["reason"] for row in refused(tmp_path / "dataset")] == ["call_failed"]
    asked = server.num_requests
    assert ran(command).returncode == 0
    assert refused(tmp_path / "dataset") == []
    assert server.num_requests == asked + 2  # that caption, and its short fields


def test_a_model_that_never_answers_stops_the_build_and_says_so(serve, configured, tmp_path):
    server = serve(rates={"503": 1.0})
    budget = {**CLIENT, "retries": 1, "error_budget": {"consecutive": 3}}
    done = ran(configured(server, client=budget))
    assert done.returncode == 2
    assert "503" in done.stderr
    assert not (tmp_path / "dataset" / "manifest.json").exists()


def test_a_server_that_is_not_there_is_one_clear_line(configured, serve, tmp_path):
    server = serve()
    command = configured(server)
    server.stop()
    done = ran(command)
    assert done.returncode == 2
    assert server.base_url in done.stderr
    assert "Traceback" not in done.stderr
