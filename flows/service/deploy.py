"""Check `prefect.yaml` as a whole, then make pools and limits and deploy: all of it, or nothing.

`python -m flows.service.deploy`, on the server of PREFECT_API_URL.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow, get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import DeploymentTriggerTypes
from prefect.exceptions import ObjectNotFound, ParameterTypeError
from prefect.utilities.importtools import import_object
from pydantic import TypeAdapter, ValidationError

from flows.turns import TURNS
from tasks.config import BuildConfig, check_config
from tasks.errors import ConfigError, UserError

ROOT = Path(__file__).resolve().parents[2]
POOLS = {
    "cpu": "Reads, asks, proves and writes: machines without a GPU.",
    "gpu": "Serves and trains models: one run a worker.",
}
TRIGGERS: TypeAdapter[DeploymentTriggerTypes] = TypeAdapter(DeploymentTriggerTypes)
KEYS = "the keys of this version are in the UI's form, tasks/config.py and docs/model.md"
_REFUSED = "Flow run received invalid parameters:"
Deployment = Mapping[str, Any]


def deploy(root: Path = ROOT) -> list[str]:
    """Deploy what `prefect.yaml` holds; return what it took the place of, and what will go wrong.

    Raises:
        UserError: something in it is wrong; every fault is named, and nothing was deployed.
    """
    deployments = read_deployments(root / "prefect.yaml")
    with get_client(sync_client=True) as client:
        make_pools(client)
        faults = [*faults_of(deployments), *unknown_pools(client, deployments)]
        if faults:
            raise UserError("nothing was deployed:\n" + "\n".join(f"  {one}" for one in faults))
        replaced = list(replaced_in(client, deployments))
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"prefect deploy failed:\n{done.stdout}{done.stderr}")
    return [*replaced, *notices_of(deployments)]


def read_deployments(file: Path) -> list[Deployment]:
    """Return the deployments of a `prefect.yaml`; UserError where it holds none."""
    try:
        deployments = yaml.safe_load(file.read_text(encoding="utf-8"))["deployments"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise UserError(f"{file} holds no deployments: {error}") from error
    return list(deployments)


def make_pools(client: SyncPrefectClient) -> None:
    """Make the work pools and the limit on models, as far as they are not there."""
    for name, description in POOLS.items():
        try:
            client.read_work_pool(name)
        except ObjectNotFound:
            client.create_work_pool(
                WorkPoolCreate(name=name, type="process", description=description)
            )
    try:
        client.read_global_concurrency_limit_by_name(TURNS)
    except ObjectNotFound:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=TURNS, limit=1))


def faults_of(deployments: Iterable[Deployment]) -> Iterator[str]:
    """Yield what is wrong with deployments: entrypoints, parameters, schedules, triggers."""
    for deployment in deployments:
        if not (name := deployment.get("name")):
            yield f"a deployment of {deployment.get('entrypoint')} has no name; give it one"
            continue
        try:
            flow = flow_of(deployment)
            flow.validate_parameters(_completed(deployment))
        except UserError as error:
            yield f"{name}: {error}"
        except (ParameterTypeError, TypeError) as error:
            told = " ".join(str(error).removeprefix(_REFUSED).split()).removeprefix("- ")
            yield f"{name}, parameters: {told}; {KEYS}"
        for schedule in deployment.get("schedules", ()):
            yield from (f"{name}, schedule {schedule}: {fault}" for fault in _late(schedule))
        for trigger in deployment.get("triggers", ()):
            yield from (f"{name}, trigger {trigger}: {fault}" for fault in _deaf(trigger))


def flow_of(deployment: Deployment) -> Flow[..., Any]:
    """Return the flow of a deployment; UserError where its entrypoint is none."""
    entrypoint = str(deployment.get("entrypoint", ""))
    try:
        flow = None if ":" in entrypoint else import_object(entrypoint)  # a file has no package
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"entrypoint {entrypoint!r} cannot be imported: {error}") from error
    if not isinstance(flow, Flow):
        raise UserError(f"entrypoint {entrypoint!r} is no flow; write it as module.function")
    return flow


def unknown_pools(client: SyncPrefectClient, deployments: Iterable[Deployment]) -> Iterator[str]:
    """Yield the deployments whose work pool the server does not have."""
    known = sorted(pool.name for pool in client.read_work_pools())
    for deployment in deployments:
        pool = deployment.get("work_pool", {}).get("name")
        if pool not in known:
            yield (
                f"{deployment.get('name')}: no work pool {pool!r}, so nothing would run it; "
                f"there are {', '.join(known)}; `prefect work-pool create` makes another"
            )


def replaced_in(client: SyncPrefectClient, deployments: Iterable[Deployment]) -> Iterator[str]:
    """Yield the parameters on the server that the file gives another value, or none."""
    for deployment in deployments:
        name = deployment["name"]
        try:
            there = client.read_deployment_by_name(f"{flow_of(deployment).name}/{name}").parameters
        except ObjectNotFound:
            continue
        given = deployment.get("parameters") or {}
        for key in sorted(there.keys() | given.keys()):
            old, new = (_value(of, key) for of in (there, given))
            if old != new:
                yield f"{name}, parameter {key}: was {old} on the server, is {new} in prefect.yaml"


def _value(parameters: Mapping[str, Any], key: str) -> str:
    """Return a parameter in one spelling: a database may keep keys in an order of its own."""
    if key not in parameters:
        return "not given"
    return json.dumps(parameters[key], sort_keys=True, default=str)


def notices_of(deployments: Iterable[Deployment]) -> Iterator[str]:
    """Yield the builds that cannot run as things are, such as those without their archive."""
    for deployment in deployments:
        given = flow_of(deployment).validate_parameters(_completed(deployment))
        for config in given.values():
            if isinstance(config, BuildConfig):
                try:
                    check_config(config)
                except ConfigError as error:
                    yield f"{deployment['name']} cannot run yet: {error}"


def _completed(deployment: Deployment) -> dict[str, Any]:
    """Return the parameters of a deployment with those that its triggers will bring."""
    brought = [trigger.get("parameters", {}) for trigger in deployment.get("triggers", ())]
    return {
        key: value
        for part in (deployment.get("parameters") or {}, *brought)
        for key, value in part.items()
    }


def _late(schedule: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a schedule would never come."""
    if len({"cron", "interval", "rrule"} & schedule.keys()) != 1:
        yield "it needs one of cron, interval, rrule"
    if "cron" in schedule:
        given = {key: schedule[key] for key in ("cron", "timezone") if key in schedule}
        try:
            CronSchedule(**given)
        except ValidationError as error:
            yield _told(error)


def _deaf(trigger: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a trigger would never fire, or not as it is meant."""
    try:
        read = TRIGGERS.validate_python(trigger)
    except ValidationError as error:
        yield _told(error)
        return
    if unknown := sorted(trigger.keys() - type(read).model_fields.keys()):
        yield f"unknown keys {', '.join(unknown)}"


def _told(error: ValidationError) -> str:
    return "; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())


def main() -> None:
    """Deploy; what a person can put right is told in a few lines, with exit status 1."""
    try:
        notices = deploy()
    except UserError as error:
        sys.exit(f"terrascope: {error}")
    for notice in notices:
        sys.stdout.write(f"note     {notice}\n")


if __name__ == "__main__":
    main()
