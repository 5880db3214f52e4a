"""The service as a person starts it: what is published is trained, once, whatever is lost."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from PIL import Image

from flows.service.processes import pid_of
from tasks.serving.guard import birth, descendants
from tests.end_to_end.test_prefect import ROOT, environment, events, found

pytestmark = [pytest.mark.full, pytest.mark.prefect, pytest.mark.slow]
NAMES = ("server", "worker-cpu", "worker-gpu")
SHORT = {"stage1_steps": 4, "stage2_steps": 2, "batch_size": 2, "eval_split": "none"}
RUNS_WITHIN_S = 15.0
ENDS_WITHIN_S = 300.0
LOST_S = 5.0  # an event that is taken note of starts a run in a second


def command(
    name: str, *options: object, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flows.service", name, *map(str, options)],
        cwd=ROOT,
        env=environment(Path.home(), OMP_NUM_THREADS=1) | dict(env or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Patient(httpx.HTTPTransport):
    """Asks again where SQLite is locked, as Prefect's own clients do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        while (response := super().handle_request(request)).status_code == 503:
            time.sleep(0.2)
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A service that is up: a client of its API, and the folder of its files."""

    client: httpx.Client
    folder: Path
    port: int

    def deployment(self, name: str) -> dict[str, Any]:
        (there,) = (d for d in found(self.client, "deployments") if d["name"] == name)
        return there

    def change(self, name: str, **parameters: object) -> None:
        """Change parameters of a deployment, as a person does in the UI."""
        there = self.deployment(name)
        changed = {"parameters": {**there["parameters"], **parameters}}
        self.client.patch(f"/deployments/{there['id']}", json=changed).raise_for_status()

    def make_small(self, **settings: object) -> None:
        """Let training be short, and its bench small; `up` takes both back."""
        models, scores = str(self.folder / "models"), str(self.folder / "scores")
        self.change("train-published", models=models, settings={**SHORT, **settings})
        benches = [str(self.folder / "two.csv")]
        self.change("bench-published", benches=benches, scores=scores)

    def run(self, name: str, **parameters: object) -> str:
        path = f"/deployments/{self.deployment(name)['id']}/create_flow_run"
        answer = self.client.post(path, json={"parameters": parameters})
        answer.raise_for_status()
        return str(answer.json()["id"])

    def runs(self, name: str) -> list[dict[str, Any]]:
        """Return the runs of a deployment that were not scheduled, the first one first."""
        own = self.deployment(name)["id"]
        runs = [r for r in found(self.client, "flow_runs") if r["deployment_id"] == own]
        return sorted(
            (r for r in runs if not r["auto_scheduled"]), key=lambda run: str(run["created"])
        )

    def ended(self, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run."""

        def end() -> dict[str, Any] | None:
            run = self.client.get(f"/flow_runs/{run_id}").json()
            is_over = run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
            return run if is_over else None

        return awaited(end, ENDS_WITHIN_S)

    def built(self, **config: object) -> dict[str, Any]:
        return self.ended(self.run("regenerate", config=config))


def awaited(look: Callable[[], Any], within_s: float) -> Any:
    given_up_at = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < given_up_at
        time.sleep(0.1)
    return seen


def digest_of(dataset: Path) -> str:
    return sha256((dataset / "manifest.json").read_bytes()).hexdigest()


def two_questions(folder: Path) -> None:
    """Write a bench of two questions on a picture, in the layout of Landsat30-AU-VQA."""
    Image.new("RGB", (64, 64), "green").save(folder / "green.png")
    (folder / "two.csv").write_text(
        "qa_id,image_path,question,question_type,options,answer\n"
        "1,green.png,Is it green?,colour,\"['Yes', 'No']\",Yes\n"
        "2,green.png,Is it red?,colour,\"['Yes', 'No']\",No\n"
    )


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder, port = tmp_path_factory.mktemp("service"), free_port()
    begun = command("up", "--port", port, "--folder", folder, "--database", "sqlite")
    assert begun.returncode == 0, begun.stderr
    assert f"UI       http://127.0.0.1:{port}/v2/dashboard" in begun.stdout.splitlines()
    api = f"http://127.0.0.1:{port}/api"
    try:
        with closing(httpx.Client(base_url=api, timeout=60, transport=Patient())) as client:
            service = Up(client=client, folder=folder, port=port)
            two_questions(folder)
            service.make_small()
            yield service
    finally:
        command("down", "--folder", folder)


@pytest.fixture(scope="module")
def config(planet: Path, up: Up) -> dict[str, object]:
    """Return a small build whose archive is named as in the checkout: relative to it."""
    archive = os.path.relpath(planet / "bigearthnet", ROOT)
    return {"sources": {"bigearthnet": archive}, "out": str(up.folder / "forests"), "limit": 4}


def test_up_again_changes_nothing_and_another_port_is_refused(up) -> None:
    pids = {name: pid_of(up.folder, name) for name in NAMES}
    again = command("up", "--port", up.port, "--folder", up.folder)
    assert again.returncode == 0, again.stderr
    assert {name: pid_of(up.folder, name) for name in NAMES} == pids
    other = command("up", "--port", up.port + 1, "--folder", up.folder)
    assert other.returncode == 1
    assert f"the service is up at http://127.0.0.1:{up.port}" in other.stderr
    for name, key in (("bench", "benches"), ("train", "models"), ("train", "settings")):
        assert f"note     {name}-published, parameter {key}: was " in again.stdout
    up.make_small()


def test_a_port_that_is_taken_is_told_and_nothing_is_started(up, tmp_path) -> None:
    done = command("up", "--port", up.port, "--folder", tmp_path / "other")
    assert done.returncode == 1
    assert f"127.0.0.1:{up.port} cannot be used" in done.stderr
    assert "make up PORT=4300" in done.stderr
    assert not (tmp_path / "other").exists()


def test_a_server_that_does_not_start_is_told_and_nothing_is_left(tmp_path) -> None:
    given = {"PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://u@127.0.0.1:1/none"}
    done = command("up", "--port", free_port(), "--folder", tmp_path, env=given)
    assert done.returncode == 1
    assert "server did not start" in done.stderr
    assert "Connect" in done.stderr  # the end of its log says why
    assert [pid_of(tmp_path, name) for name in NAMES] == [None, None, None]


def test_the_pages_of_another_port_look_for_the_server_there(up) -> None:
    settings = httpx.get(f"http://127.0.0.1:{up.port}/ui-settings").json()
    assert settings["api_url"] == f"http://127.0.0.1:{up.port}/api"


def test_what_is_published_is_trained_within_seconds_and_what_is_not_new_is_not(up, config) -> None:
    assert up.built(**config)["state_type"] == "COMPLETED"
    (run,) = awaited(lambda: up.runs("train-published"), RUNS_WITHIN_S)
    awaited(lambda: up.runs("train-published")[0]["start_time"], 2 * RUNS_WITHIN_S)
    (event,) = (e for e in events(up.client) if e["event"] == "terrascope.dataset.published")
    run = up.runs("train-published")[0]
    assert time_of(run["start_time"]) - time_of(event["occurred"]) < RUNS_WITHIN_S
    assert up.ended(run["id"])["state_type"] == "COMPLETED"
    dataset = up.folder / "forests"
    model = up.folder / "models" / f"forests-{digest_of(dataset)[:12]}"
    assert (model / "model.safetensors").exists()
    awaited(lambda: checkpoints(up), 10)
    (published,) = checkpoints(up)
    assert published["resource"]["prefect.resource.id"] == f"terrascope.checkpoint.{model.name}"
    assert published["payload"] == {
        "model": str(model),
        "dataset": str(dataset),
        "manifest_sha256": digest_of(dataset),
    }
    (scoring,) = awaited(lambda: up.runs("bench-published"), RUNS_WITHIN_S)
    assert scoring["parameters"]["model"] == str(model)
    assert up.ended(scoring["id"])["state_type"] == "COMPLETED"
    score = json.loads((up.folder / "scores" / model.name / "two.csv" / "bench.json").read_text())
    assert score["all"]["items"] == 2
    awaited(lambda: [e for e in events(up.client) if e["event"] == "terrascope.bench.scored"], 10)
    assert up.built(**config)["state_type"] == "COMPLETED"
    up.ended(up.run("reconcile", datasets=[str(dataset)], grace_s=0))
    time.sleep(LOST_S)
    assert len(up.runs("train-published")) == 1


def checkpoints(up: Up) -> list[dict[str, Any]]:
    return [e for e in events(up.client) if e["event"] == "terrascope.checkpoint.published"]


def time_of(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def test_training_whose_event_was_lost_is_started_once(up, config) -> None:
    old = digest_of(up.folder / "forests")
    (automation,) = (
        one for one in found(up.client, "automations") if one["name"] == "train what is published"
    )
    switch = f"/automations/{automation['id']}"
    up.client.patch(switch, json={"enabled": False}).raise_for_status()
    assert up.built(**config, seed=1)["state_type"] == "COMPLETED"
    new = digest_of(up.folder / "forests")
    time.sleep(LOST_S)
    before = len(up.runs("train-published"))
    for _ in range(3):
        up.ended(up.run("reconcile", datasets=[str(up.folder / "forests")], grace_s=0))
    started = up.runs("train-published")[before:]
    assert [run["parameters"]["manifest_sha256"] for run in started] == [new]
    up.client.patch(switch, json={"enabled": True}).raise_for_status()
    superseded = up.run("train-published", dataset=str(up.folder / "forests"), manifest_sha256=old)
    assert up.ended(started[0]["id"])["state_type"] == "COMPLETED"
    state = up.ended(superseded)["state"]
    assert (state["type"], state["name"]) == ("COMPLETED", "Superseded")
    assert f"holds the version {new[:12]}" in state["message"]
    assert len(list((up.folder / "models").iterdir())) == 2


def test_a_second_build_at_the_same_time_is_cancelled(up, config) -> None:
    runs = [up.run("regenerate", config=config) for _ in range(2)]
    assert sorted(up.ended(run)["state_type"] for run in runs) == ["CANCELLED", "COMPLETED"]


def test_a_schedule_without_its_folder_fails_with_the_folders_name(up, config, tmp_path) -> None:
    run = up.built(**{**config, "sources": {"bigearthnet": str(tmp_path / "gone")}})
    assert run["state_type"] == "FAILED"
    assert f"source bigearthnet: {tmp_path}/gone is not a folder" in run["state"]["message"]


def test_training_that_is_ended_or_killed_goes_on_and_nothing_is_left(up, config) -> None:
    long = {"stage1_steps": 5000, "save_steps": 50}
    up.make_small(**long)
    before = len(up.runs("train-published"))

    def at_work(number: int) -> dict[str, Any]:
        """Wait until so many runs were started, and the last of them is in training."""

        def last() -> dict[str, Any] | None:
            runs = up.runs("train-published")[before:]
            return runs[-1] if len(runs) == number and runs[-1]["state_type"] == "RUNNING" else None

        return awaited(last, 4 * RUNS_WITHIN_S)

    def reconciled() -> list[tuple[str, str]]:
        up.ended(up.run("reconcile", datasets=[str(up.folder / "forests")], grace_s=0))
        key = {"artifacts": {"key": {"any_": ["reconciled"]}}}
        (artifact,) = up.client.post("/artifacts/latest/filter", json=key).json()
        return [(row["done"], row["why"]) for row in json.loads(artifact["data"])]

    assert up.built(**config, seed=2)["state_type"] == "COMPLETED"
    first = at_work(1)
    pids = [pid for name in NAMES if (pid := pid_of(up.folder, name))]
    below = [child for pid in pids for child in descendants(pid)]
    born = {pid: birth(pid) for pid in (*pids, *below)}
    assert len(pids) == 3
    assert below
    done = command("down", "--folder", up.folder)
    assert done.stdout.split() == [
        word for name in NAMES[1:] + NAMES[:1] for word in ("ended", name)
    ]
    assert [pid for pid in born if birth(pid) == born[pid]] == []
    assert (
        command("up", "--port", up.port, "--folder", up.folder, "--database", "sqlite").returncode
        == 0
    )
    up.make_small(**long)
    assert up.client.get(f"/flow_runs/{first['id']}").json()["state_type"] == "CRASHED"
    assert [done for done, _ in reconciled()] == ["started"]

    second = at_work(2)

    def below_second() -> list[dict[str, Any]]:
        asked = {"flow_runs": {"parent_flow_run_id": {"any_": [second["id"]]}}}
        return up.client.post("/flow_runs/filter", json=asked).json()

    awaited(below_second, RUNS_WITHIN_S)
    worker = psutil.Process(pid_of(up.folder, "worker-gpu"))
    killed = [*worker.children(recursive=True), worker]
    for process in (worker, *killed[:1]):
        process.kill()
    psutil.wait_procs(killed, timeout=30)
    assert up.client.get(f"/flow_runs/{second['id']}").json()["state_type"] == "RUNNING"
    assert command("up", "--port", up.port, "--folder", up.folder).returncode == 0
    up.make_small(**long)
    (marked, _), *others = reconciled()
    assert marked == "marked as crashed"
    assert [done for done, _ in others][-1] == "started"
    assert up.client.get(f"/flow_runs/{second['id']}").json()["state_type"] == "CRASHED"
    assert {run["state_type"] for run in below_second()} == {"CRASHED"}
    third = at_work(3)
    assert [done for done, _ in reconciled()] == ["left"]  # neither it nor the run that looks
    assert up.client.get(f"/flow_runs/{third['id']}").json()["state_type"] == "RUNNING"
