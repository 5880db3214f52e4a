"""What a server under load or a machine that went down has missed: found every hour, put right."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, get_client, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from flows.whereabouts import HOST, is_gone, note_process
from tasks.errors import ConfigError
from tasks.manifest import MANIFEST_NAME, ManifestError
from tasks.missed import PastRun, decide, model_folder, published_digest

LATEST_RUNS = 200  # of the training deployment, among which those of a version are looked for
SETTLED_S = 10.0  # until a run that has just begun has noted where it is
ABANDONED = "the process of this run is gone, and no one had noticed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one dataset or run, and what was done."""

    what: str
    done: str
    why: str


@flow(name="reconcile", flow_run_name="reconcile", on_running=[note_process])
def reconcile(
    datasets: list[Path],
    training: str = "train-published/train-published",
    grace_s: int = 300,
) -> None:
    """Mark runs whose process is gone, then start each training run that is missing, once.

    Args:
        datasets: Folders of the datasets whose published version is to have a model.
        training: Deployment that trains a version, as FLOW/NAME; its own parameters say where to.
        grace_s: Seconds for which a fresh version is left to the event that it was published with.
    """
    abandoned = mark_abandoned()
    missed = [start_missed(dataset, training, grace_s) for dataset in datasets]
    show([*abandoned, *missed])


@task(name="mark abandoned", task_run_name="mark abandoned")
def mark_abandoned() -> list[Finding]:
    """Mark running flow runs of this machine as Crashed, with what is below, if it is gone.

    A run of another machine is named and left: silence of a machine is no proof from here.
    """
    with get_client(sync_client=True) as client:
        running = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING]))
            )
        )
        settled = [run for run in running if _running_s(run) > SETTLED_S]
        found = [_marked(client, run) for run in settled]
    return [finding for finding in found if finding is not None]


def _running_s(run: FlowRun) -> float:
    assert run.state is not None
    return (datetime.now(UTC) - run.state.timestamp).total_seconds()


def _marked(client: SyncPrefectClient, run: FlowRun) -> Finding | None:
    """Return what was found of a running run, and done; None where all is well."""
    gone = is_gone(run.labels)
    if gone is None and run.parent_task_run_id is not None:
        return None  # it goes with the run above it
    if gone is None:
        where = run.labels.get(HOST, "no known machine")
        why = f"runs on {where}, not on this one: look there if it stands still"
        return Finding(what=f"run {run.name}", done="left", why=why)
    if not gone or not _is_running(client.read_flow_run(run.id)):  # it may have ended just now
        return None
    below = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id])
        )
    )
    for lost in (run, *filter(_is_unfinished, below)):
        client.set_flow_run_state(lost.id, Crashed(message=ABANDONED), force=True)
    return Finding(what=f"run {run.name}", done="marked as crashed", why=ABANDONED)


def _is_running(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_running()


def _is_unfinished(run: FlowRun) -> bool:
    return run.state is None or not run.state.is_final()  # one that was about to begin is lost too


@task(name="start missed", task_run_name="start missed {dataset.name}")
def start_missed(dataset: Path, training: str, grace_s: float) -> Finding:
    """Start training of a dataset's published version where it has no model and no run.

    ConfigError where there is no such deployment.
    """
    try:
        digest = published_digest(dataset)
        age_s = time.time() - (dataset / MANIFEST_NAME).stat().st_mtime
    except (ManifestError, FileNotFoundError) as error:  # a build may take it away just now
        return Finding(what=f"dataset {dataset}", done="left", why=str(error))
    with get_client(sync_client=True) as client:
        deployment = _deployment(client, training)
        runs = _runs_of(client, deployment, digest)
    models = Path(deployment.parameters.get("models", "models"))
    decision = decide(model_folder(models, dataset, digest), runs, age_s, grace_s)
    if decision.start:
        run = run_deployment(
            training,
            parameters={"dataset": str(dataset.resolve()), "manifest_sha256": digest},
            idempotency_key=f"train-{digest}-{len(runs)}",
            timeout=0,
            as_subflow=False,
        )
        assert isinstance(run, FlowRun), "a task that is not async starts at once"
        why = f"{decision.why}: run {run.name}"
        return Finding(what=f"dataset {dataset}", done="started", why=why)
    return Finding(what=f"dataset {dataset}", done="left", why=decision.why)


def _deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound as error:
        raise ConfigError(
            f"training {name!r}: the server has no such deployment; `prefect deployment ls` lists "
            "them, `make up` deploys those of prefect.yaml"
        ) from error


def _runs_of(
    client: SyncPrefectClient, deployment: DeploymentResponse, digest: str
) -> list[PastRun]:
    """Return the runs that were to train a version, whoever started them, the latest first."""
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment.id])),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=LATEST_RUNS,
    )
    return [
        PastRun(name=run.name, state=run.state_type.value)
        for run in runs
        if run.parameters.get("manifest_sha256") == digest and run.state_type is not None
    ]


@task(name="show", task_run_name="show")
def show(findings: Sequence[Finding]) -> None:
    """Leave what was found and done in the run's log and in the Prefect UI."""
    logger = get_run_logger()
    for finding in findings:
        logger.info("%s: %s (%s)", finding.what, finding.done, finding.why)
    create_table_artifact(
        [asdict(finding) for finding in findings],
        key="reconciled",
        description="What was found of datasets and runs, and what was done",
    )
