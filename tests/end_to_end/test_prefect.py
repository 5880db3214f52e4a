"""The build through Prefect: the same bytes, and a run that stays visible."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.manifest import read_manifest
from tasks.publication.unpublished import UNPUBLISHED_NAME
from tasks.versions import versions_of
from tests.end_to_end.test_publication import leak

pytestmark = [pytest.mark.prefect, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
LIMIT = 2
MATERIALIZED = "prefect.asset.materialization.succeeded"
SERVER_START_S = 120

# starts a command that is ended by the kernel should these tests be killed (1 is PR_SET_PDEATHSIG)
LEASHED = """
import ctypes, os, signal, sys

if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""

# a hook that runs before anything else in every process, and notes who is spoken to
WATCH = """
import sys

def note(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in ("127.0.0.1", "localhost", "::1", "0.0.0.0", None):
        with open({log!r}, "a") as log:
            log.write(f"{{event}} {{host}}\\n")

sys.addaudithook(note)
"""


def environment(home: Path, **more: object) -> dict[str, str]:
    """Return this environment without anyone's Prefect settings, with a home of its own.

    `CI` is left out as well: it would switch Prefect's telemetry off by itself.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "CI"))}
    return {**kept, "PREFECT_HOME": str(home), **{k: str(v) for k, v in more.items()}}


def digests(dataset: Path) -> dict[str, str]:
    files = [path for path in (dataset / "data").rglob("*") if path.is_file()]
    return {f"{p.relative_to(dataset)}": sha256(p.read_bytes()).hexdigest() for p in files}


@contextmanager
def running(
    command: list[str], env: dict[str, str], log: Path
) -> Iterator["subprocess.Popen[Any]"]:
    """Run a command in a group of its own, and end the whole group."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", LEASHED, *command],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def server(home: Path) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """Start a real server on a free port; yield a client of its API, and what its users set."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    env = environment(home, PREFECT_SERVER_API_PORT=port, PREFECT_API_URL=url)
    log = home / "server.log"
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    with running(command, env, log) as process, httpx.Client(base_url=url, timeout=30) as client:
        for _ in range(SERVER_START_S * 2):
            assert process.poll() is None, log.read_text()
            try:
                if client.get("/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.5)
        else:
            raise AssertionError(log.read_text())
        yield client, env


def found(client: httpx.Client, what: str) -> list[dict[str, Any]]:
    answer = client.post(f"/{what}/filter", json={})
    answer.raise_for_status()
    return answer.json()


def events(client: httpx.Client) -> list[dict[str, Any]]:
    """Return the latest events that the server knows."""
    answer = client.post("/events/filter", json={"limit": 50})
    answer.raise_for_status()
    return answer.json()["events"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one PREFECT_HOME for all tests here: its database is made but once."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def archive(planet: Path) -> str:
    return f"--source=bigearthnet={planet / 'bigearthnet'}"


def test_a_run_gives_the_bytes_of_the_local_engine_and_stays_visible(
    terrascope, archive, home, tmp_path
) -> None:
    talks, watch = tmp_path / "talks.txt", tmp_path / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH.format(log=str(talks)))
    arguments = ("build", archive, "--limit", LIMIT, "--workers", 1)
    local = terrascope(*arguments, "--out", tmp_path / "local" / "forests", "--engine", "local")
    assert local.returncode == 0, local.stderr
    out = tmp_path / "forests"
    done = terrascope(*arguments, "--out", out, env=environment(home, PYTHONPATH=watch))
    assert done.returncode == 0, done.stderr
    assert digests(out) == digests(tmp_path / "local" / "forests")
    assert done.stderr == ""  # Prefect's own lines go to the UI, not to the terminal
    assert f"report   {out / 'report' / 'index.html'}" in done.stdout.splitlines()
    assert not talks.exists(), talks.read_text()
    with server(home) as (client, _):
        runs = {run["name"]: run["state_type"] for run in found(client, "flow_runs")}
        names = ("forests", "captions of forests", "questions of forests")
        assert runs == dict.fromkeys(names, "COMPLETED")
        tasks = found(client, "task_runs")
        assert {task["state_type"] for task in tasks} == {"COMPLETED"}
        first_words = {task["name"].split(" bigearthnet")[0] for task in tasks}
        making = {"caption", "ask L1", "compose L2"}
        shown = {"show speeds", "show gates", "show"}
        ends = {"fingerprint", "select", "judge", "publish", *shown, "announce"}
        stages = {"catalogue", "ingest", *making, *ends}
        shards = {"shards cap_cot", "shards l1", "shards l2"}
        flows = {"cap-cot-0", "terra-cot-0"}  # each is one node of the run
        assert first_words == {*stages, *shards, *flows}
        artifacts = {artifact["key"]: artifact for artifact in found(client, "artifacts")}
        names = ("counts", "gates", "publication", "written", "lineage", "report", "throughput")
        # on a machine that is busy a stage may take so long that it shows its progress
        keys = {key for key in artifacts if not key.startswith("progress-")}
        assert keys == {f"{name}-forests" for name in names}
        speeds = {row["stage"]: row for row in json.loads(artifacts["throughput-forests"]["data"])}
        assert speeds.keys() == {"ingest", "cap_cot", "l1", "l2", "fingerprint", "shards"}
        assert speeds["ingest"]["taken anew"] == LIMIT
        assert speeds["ingest"]["kept"] == 0
        rows = json.loads(artifacts["counts-forests"]["data"])
        counts = read_manifest(out).counts
        assert rows == [count.model_dump(exclude={"reasons", "tallies"}) for count in counts]
        written = json.loads(artifacts["written-forests"]["data"])
        assert {"replies", "steps proved"} <= {row["what"] for row in written}
        assert (out / "report/index.html").as_uri() in artifacts["report-forests"]["data"]
        (run_id,) = (run["id"] for run in found(client, "flow_runs") if run["name"] == "forests")
        assert read_manifest(out).run == run_id
        assert f'click n0 "/v2/runs/flow-run/{run_id}"' in artifacts["lineage-forests"]["data"]
        assert found(client, "logs")
        (event,) = (e for e in events(client) if e["event"] == "terrascope.dataset.published")
        assert event["resource"]["prefect.resource.id"] == "terrascope.dataset.forests"
        manifest = (out / "manifest.json").read_bytes()
        assert event["payload"]["manifest_sha256"] == sha256(manifest).hexdigest()
        assert event["payload"]["digest"] == read_manifest(out).digest
        assert event["payload"]["samples"] == sum(file.rows for file in read_manifest(out).files)
        (made,) = (e for e in events(client) if e["event"] == MATERIALIZED)
        assert made["resource"]["prefect.resource.id"] == "terrascope://datasets/forests"
        assert made["payload"]["digest"] == read_manifest(out).digest
        assert {
            "prefect.resource.id": "terrascope://archives/bigearthnet",
            "prefect.resource.role": "asset",
        } in made["related"]
        settings = client.get("/admin/settings").json()
        assert settings["server"]["analytics_enabled"] is False
    assert not list((home / "storage").glob("*"))  # no result is kept twice


STORED_KEY = """
import os
from prefect.blocks.system import Secret
from flows.keys import export_key
from tasks.captions.settings import CaptionerSettings

Secret(value="sk-of-a-block").save("captioner-key")
asked = {"kind": "url", "url": "http://127.0.0.1:9/v1", "model": "any"}
named = {"api_key_block": "captioner-key", "client": {"api_key_env": "CAPTIONER_KEY"}}
export_key(CaptionerSettings(**asked, **named))
print(os.environ["CAPTIONER_KEY"] == "sk-of-a-block")
"""


def test_a_key_may_lie_in_a_secret_block(home) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STORED_KEY],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().endswith("True"), done.stderr
    assert "sk-of-a-block" not in done.stdout + done.stderr


PROGRESS = """
from prefect import flow, task
from prefect.artifacts import Artifact
from flows import progress
from tasks.progress import Bar, watched

progress.LONG_S = 0.0

@task
def ask():
    bar = Bar("l1", 2)
    with bar.shown():
        bar.advance()
        bar.advance()

@flow
def build():
    with watched(progress.Stages("My Fields", 4, {})):
        ask()
        print(Artifact.get("progress-l1-my-fields").data)
        ask()
    print(Artifact.get("progress-l1-my-fields").data)

build()
"""


def test_a_long_stage_shows_how_far_its_granules_are(home) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRESS],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [float(percent) for percent in done.stdout.split()[-2:]] == [50.0, 100.0]


def test_a_version_whose_gates_do_not_hold_fails_its_run_and_says_why(
    terrascope, planet, home, tmp_path
) -> None:
    archive, out = tmp_path / "xbd", tmp_path / "towns"
    shutil.copytree(planet / "xbd", archive)
    command = ("build", f"--source=xbd={archive}", "--stage=cap_cot", "--workers=1", "--out", out)
    published = terrascope(*command, "--engine", "local")
    assert published.returncode == 0, published.stderr
    old, files = read_manifest(out), digests(out)
    leak(archive)
    done = terrascope(*command, env=environment(home))
    assert done.returncode == 2
    why = done.stderr.strip().splitlines()
    assert why[0].startswith("terrascope: not published: 1 of ")
    assert why[1].startswith("leakage: images of the same bytes in two splits: 1, limit 0")
    assert (read_manifest(out), digests(out)) == (old, files)
    assert [version.number for version in versions_of(out)] == [1]
    assert (out / UNPUBLISHED_NAME).is_file()
    with server(home) as (client, _):
        (run,) = (run for run in found(client, "flow_runs") if run["name"] == "towns")
        assert run["state_type"] == "FAILED"
        assert "images of the same bytes in two splits" in run["state"]["message"]
        artifacts = {artifact["key"]: artifact for artifact in found(client, "artifacts")}
        gates = json.loads(artifacts["publication-towns"]["data"])
        assert [row["what"] for row in gates if row["holds"] == "no"] == [
            "images of the same bytes in two splits"
        ]
        assert "counts-towns" not in artifacts  # nothing is shown as published
        told = [e for e in events(client) if "towns" in e["resource"]["prefect.resource.id"]]
        assert not [e for e in told if e["event"] in ("terrascope.dataset.published", MATERIALIZED)]


@pytest.mark.parametrize("command", ["build", "train"])
def test_a_server_that_is_not_there_is_one_clear_line(
    terrascope, archive, home, tmp_path, command
) -> None:
    arguments = {
        "build": (archive, "--limit", 1, "--out", tmp_path / "forests"),
        "train": ("--data", tmp_path, "--out", tmp_path / "model"),
    }[command]
    url = "http://127.0.0.1:1/api"
    done = terrascope(command, *arguments, env=environment(home, PREFECT_API_URL=url))
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"terrascope: the Prefect server {url} does not answer")
    assert "--engine local" in line


def test_a_failing_stage_is_one_clear_line(terrascope, archive, home, tmp_path) -> None:
    out = tmp_path / "forests"
    (out / ".work").mkdir(parents=True)
    (out / ".work" / "ingest").write_text("a file where a folder is due")
    done = terrascope("build", archive, "--limit", 1, "--out", out, env=environment(home))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("terrascope: ")
    assert "ingest" in line
