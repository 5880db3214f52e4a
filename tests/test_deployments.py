"""`prefect.yaml` is checked before it is deployed, and deploys on a real server as it is meant."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from prefect import Flow

from flows.service.deploy import faults_of, flow_of, notices_of, read_deployments, replaced_in
from tasks.errors import UserError
from tasks.ledger import sha256_of
from tasks.manifest import Manifest, utc_now, write_manifest
from tests.end_to_end.test_prefect import found, server

ROOT = Path(__file__).resolve().parents[1]
DEPLOYMENTS = read_deployments(ROOT / "prefect.yaml")
SCHEDULED_S = 60
DEPLOY = "from pathlib import Path; import sys; from flows.service.deploy import deploy; deploy({})"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_entrypoint_is_a_flow_named_by_module(deployment) -> None:
    assert ".py:" not in deployment["entrypoint"]
    assert isinstance(flow_of(deployment), Flow)


def test_there_is_nothing_wrong_with_what_is_deployed() -> None:
    assert list(faults_of(DEPLOYMENTS)) == []


def test_no_two_builds_and_no_two_trainings_of_a_deployment_run_at_once() -> None:
    assert all(deployment["concurrency_limit"]["limit"] == 1 for deployment in DEPLOYMENTS)


def changed(which: str, **more: Any) -> dict[str, Any]:
    """Return a deployment of prefect.yaml with other keys."""
    (deployment,) = (dict(d) for d in DEPLOYMENTS if d["name"] == which)
    return {**deployment, **more}


SOURCES = {"sources": {"own": "somewhere"}, "out": "dataset"}


@pytest.mark.parametrize(
    ("deployment", "told"),
    [
        (
            changed("train", entrypoint="flows.trian.train"),
            "'flows.trian.train' cannot be imported",
        ),
        (changed("train", entrypoint="flows.train.fit"), "'flows.train.fit' is no flow"),
        (changed("train", entrypoint="flows/train.py:train"), "write it as module.function"),
        (changed("train", parameters={"dta": "x"}), "train, parameters: .*'dta'"),
        (changed("train", parameters={}), "data: Field required .*out: Field required"),
        (
            changed("regenerate", parameters={"config": {**SOURCES, "captions": True}}),
            "regenerate, parameters: config.captions: Extra inputs are not permitted; the keys of "
            "this version are in the UI's form",
        ),
        (
            changed("train", parameters={"data": "x", "out": "y", "settings": {"preset": "huge"}}),
            "settings.*preset.*'tiny'",
        ),
        (changed("reconcile", schedules=[{"cron": "0 25 * * *"}]), 'Invalid cron string: "0 25'),
        (changed("reconcile", schedules=[{"cron": "0 2 * * *", "timezone": "Mars"}]), '"Mars"'),
        (changed("reconcile", schedules=[{"cronn": "0 2 * * *"}]), "needs one of cron, interval"),
        (changed("train", triggers=[{"type": "event", "macth": {}}]), "unknown keys macth"),
        (changed("train", triggers=[{"type": "event", "within": "soon"}]), "trigger .*valid"),
    ],
)
def test_what_is_wrong_is_named(deployment, told) -> None:
    with pytest.raises(UserError, match=told):
        raise UserError("\n".join(faults_of([deployment])))


def test_a_build_whose_archive_is_not_there_is_a_notice(tmp_path) -> None:
    config = {"sources": {"bigearthnet": str(tmp_path / "gone")}, "out": str(tmp_path / "out")}
    (notice,) = notices_of([changed("regenerate", parameters={"config": config})])
    assert notice == (
        f"regenerate cannot run yet: source bigearthnet: {tmp_path}/gone is not a folder; "
        "check the path"
    )


def test_what_the_server_has_otherwise_is_told_and_the_order_of_keys_is_nothing() -> None:
    train = changed("train", parameters={"data": "d", "settings": {"a": 1, "b": 2}, "out": None})

    class Server:
        def read_deployment_by_name(self, name: str) -> SimpleNamespace:
            assert name == "train/train"
            kept = {"settings": {"b": 2, "a": 1}, "data": "other", "processes": 2}
            return SimpleNamespace(parameters=kept)

    assert list(replaced_in(Server(), [train])) == [
        'train, parameter data: was "other" on the server, is "d" in prefect.yaml',
        "train, parameter out: was not given on the server, is null in prefect.yaml",
        "train, parameter processes: was 2 on the server, is not given in prefect.yaml",
    ]


def test_a_deployment_without_a_name_is_told() -> None:
    (told,) = faults_of([changed("train", name="")])
    assert told == "a deployment of flows.train.train has no name; give it one"


@pytest.mark.parametrize("text", ["", "deployments", "[", "name: x"])
def test_a_file_without_deployments_is_told(text, tmp_path) -> None:
    (tmp_path / "prefect.yaml").write_text(text)
    with pytest.raises(UserError, match=r"prefect\.yaml holds no deployments"):
        read_deployments(tmp_path / "prefect.yaml")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Iterator[tuple[Any, dict[str, str]]]:
    with server(tmp_path_factory.mktemp("prefect")) as (client, env):
        command = [sys.executable, "-m", "flows.service.deploy"]
        subprocess.run(command, cwd=ROOT, env=env, check=True)
        yield client, env


@pytest.fixture(scope="module")
def by_name(deployed) -> dict[str, dict[str, Any]]:
    return {deployment["name"]: deployment for deployment in found(deployed[0], "deployments")}


@pytest.mark.prefect
@pytest.mark.slow
def test_all_deployments_are_there_and_run_in_this_checkout(by_name) -> None:
    assert by_name.keys() == {deployment["name"] for deployment in DEPLOYMENTS}
    for deployment in DEPLOYMENTS:
        there = by_name[deployment["name"]]
        assert there["work_pool_name"] == deployment["work_pool"]["name"]
        assert there["entrypoint"] == deployment["entrypoint"]
        (step,) = there["pull_steps"]
        (where,) = step.values()
        assert where == {"directory": str(ROOT)}
        assert len(there["description"]) > 100
        assert there["global_concurrency_limit"]["limit"] == 1


@pytest.mark.prefect
@pytest.mark.slow
def test_every_key_of_the_forms_explains_itself(by_name) -> None:
    for deployment in by_name.values():
        schema = deployment["parameter_openapi_schema"]
        tables = [schema, *schema.get("definitions", {}).values()]
        keys = {k: v for table in tables for k, v in table.get("properties", {}).items()}
        assert [key for key, value in keys.items() if "description" not in value] == []
        assert [key for key, value in keys.items() if "position" not in value] == []


@pytest.mark.prefect
@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "starts", "brought"),
    [
        ("dataset", "train-published", ("dataset", "manifest_sha256")),
        ("checkpoint", "bench-published", ("model",)),
    ],
)
def test_what_is_published_starts_what_follows(deployed, by_name, what, starts, brought) -> None:
    expected = [f"terrascope.{what}.published"]
    (automation,) = (
        one for one in found(deployed[0], "automations") if one["trigger"]["expect"] == expected
    )
    assert automation["enabled"]
    assert automation["trigger"]["match"] == {"prefect.resource.id": f"terrascope.{what}.*"}
    (action,) = automation["actions"]
    assert action["deployment_id"] == by_name[starts]["id"]
    assert action["parameters"] == {key: f"{{{{ event.payload.{key} }}}}" for key in brought}


@pytest.mark.prefect
@pytest.mark.slow
def test_every_schedule_comes(deployed) -> None:
    due = {s["slug"] for d in DEPLOYMENTS for s in d.get("schedules", ())}
    given_up_at = time.monotonic() + SCHEDULED_S
    while True:
        runs = found(deployed[0], "flow_runs")
        made_by = {run["created_by"]["display_value"] for run in runs if run["auto_scheduled"]}
        if made_by == due:
            break
        assert time.monotonic() < given_up_at, f"{due - made_by} made no run"
        time.sleep(0.5)


@pytest.mark.prefect
@pytest.mark.slow
def test_a_key_of_another_version_is_refused_before_a_run_is_made(deployed, by_name) -> None:
    config = {**SOURCES, "captions": True}
    answer = deployed[0].post(
        f"/deployments/{by_name['regenerate']['id']}/create_flow_run",
        json={"parameters": {"config": config}},
    )
    assert answer.status_code == 409
    assert "captions" in answer.text


RECONCILED = """
import socket, sys
from pathlib import Path

from prefect import get_client
from prefect.states import Pending, Running

import flows.reconcile
from flows.reconcile import mark_abandoned, reconcile
from flows.train import train
from flows.whereabouts import BORN, HOST, PID

with get_client(sync_client=True) as client:
    for host in (socket.gethostname(), "elsewhere"):
        run = client.create_flow_run(train, name=f"lost on {host[:9]}", state=Running())
        client.update_flow_run_labels(run.id, {HOST: host, PID: 2**22 - 1, BORN: "1"})
        call = client.create_task_run(mark_abandoned, run.id, "0", state=Running())
        below = f"below {host[:9]}"
        client.create_flow_run(train, name=below, parent_task_run_id=call.id, state=Pending())
flows.reconcile.SETTLED_S = 0.0
for _ in range(2):
    reconcile([Path(sys.argv[1]), Path("none")], grace_s=0)
"""


def in_python(program: str, env: dict[str, str], *arguments: object) -> str:
    """Return what a program prints that speaks with the server."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.prefect
@pytest.mark.slow
def test_missed_training_is_started_once_and_only_a_proved_loss_is_marked(
    deployed, by_name, tmp_path
) -> None:
    client, env = deployed
    manifest = Manifest(
        dataset="forests", files=(), counts=(), config={}, config_digest="", seed=0, commit="",
        stages={}, created=utc_now(),
    )  # fmt: skip
    digest = sha256_of(write_manifest(tmp_path, manifest))
    in_python(RECONCILED, env, tmp_path)
    runs = found(client, "flow_runs")
    (training,) = (r for r in runs if r["deployment_id"] == by_name["train-published"]["id"])
    assert training["parameters"] == {
        **by_name["train-published"]["parameters"],
        "dataset": str(tmp_path),
        "manifest_sha256": digest,
    }
    states = {run["name"]: run["state_type"] for run in runs}
    here = socket.gethostname()[:9]
    assert (states[f"lost on {here}"], states[f"below {here}"]) == ("CRASHED", "CRASHED")
    assert (states["lost on elsewhere"], states["below elsewhere"]) == ("RUNNING", "PENDING")
    key = {"artifacts": {"key": {"any_": ["reconciled"]}}}
    (artifact,) = client.post("/artifacts/latest/filter", json=key).json()
    told = {row["what"]: (row["done"], row["why"]) for row in json.loads(artifact["data"])}
    assert told[f"dataset {tmp_path}"] == ("left", f"run {training['name']} is scheduled")
    assert told["dataset none"][1].startswith("none holds no manifest.json")
    assert told["run lost on elsewhere"][1].startswith("runs on elsewhere, not on this one")


TURNS = """
import time
from concurrent.futures import ThreadPoolExecutor

from flows.turns import turn

def batch(_):
    with turn(asks_model=True):
        begun = time.monotonic()
        time.sleep(0.5)
        return begun, time.monotonic()

with ThreadPoolExecutor(2) as builds:
    first, second = sorted(builds.map(batch, range(2)))
print(first[1] <= second[0])
with turn(asks_model=False):
    pass
"""


@pytest.mark.prefect
@pytest.mark.slow
def test_batches_that_ask_models_take_turns(deployed) -> None:
    assert in_python(TURNS, deployed[1]).strip() == "True"


@pytest.mark.full
@pytest.mark.prefect
@pytest.mark.slow
def test_deployed_again_all_is_there_once_and_what_was_changed_is_told_or_left(
    deployed, by_name
) -> None:
    client, env = deployed
    changed = client.patch("/v2/concurrency_limits/terrascope-models", json={"limit": 3})
    assert changed.status_code == 204
    own = {"datasets": ["my/own"]}
    reconcile = f"/deployments/{by_name['reconcile']['id']}"
    client.patch(reconcile, json={"parameters": own}).raise_for_status()
    command = [sys.executable, "-m", "flows.service.deploy"]
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    assert (
        'note     reconcile, parameter datasets: was ["my/own"] on the server, '
        'is ["demo/dataset"] in prefect.yaml'
    ) in done.stdout.splitlines()
    assert done.stdout.count("on the server") == 1
    assert len(found(client, "deployments")) == len(DEPLOYMENTS)
    assert len(found(client, "automations")) == sum(len(d.get("triggers", ())) for d in DEPLOYMENTS)
    assert client.get("/v2/concurrency_limits/terrascope-models").json()["limit"] == 3


@pytest.mark.prefect
@pytest.mark.slow
def test_of_a_file_with_a_fault_nothing_is_deployed(deployed, tmp_path) -> None:
    client, env = deployed
    wrong = [
        changed("train", name="first"),
        changed("train", name="second", work_pool={"name": "gpus"}),
        changed("regenerate", name="third", parameters={"config": {**SOURCES, "sed": 1}}),
    ]
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump({"deployments": wrong}))
    done = subprocess.run(
        [sys.executable, "-c", DEPLOY.format("Path(sys.argv[1])"), tmp_path],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "nothing was deployed" in done.stderr
    assert "second: no work pool 'gpus', so nothing would run it; there are cpu, gpu" in (
        done.stderr
    )
    assert "third, parameters: config.sed: Extra inputs" in done.stderr
    names = {deployment["name"] for deployment in found(client, "deployments")}
    assert names == {deployment["name"] for deployment in DEPLOYMENTS}
