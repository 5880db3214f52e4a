"""Training as a Prefect flow: in a process of its own, with curves and figures left in the UI."""

import base64
from pathlib import Path
from uuid import UUID

from prefect import flow, get_run_logger, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.assets import materialize
from prefect.events import emit_event

from flows.assets import dataset_asset, model_asset
from flows.progress import key_of
from flows.whereabouts import note_process
from tasks.curves import draw_curves
from tasks.manifest import read_manifest
from tasks.missed import published_digest
from tasks.progress import told
from tasks.training import Trained, learn, share_done, trained
from terrascope_model.settings import TrainSettings

PUBLISHED = "terrascope.checkpoint.published"


@flow(name="train", flow_run_name="{out}", on_running=[note_process])
def train(
    data: Path, out: Path, settings: TrainSettings | None = None, processes: int | None = None
) -> Trained:
    """A dataset -> grounding -> reasoning with masks -> a model, and how well it segments.

    Args:
        data: Folder of a finished dataset.
        out: Folder of the model; one that was begun is gone on with.
        settings: How it is trained (docs/model.md).
        processes: Processes that train; one a GPU if not given.
    """
    digest = published_digest(data)
    model = fit(data, out, settings or TrainSettings(), processes)
    show(model)
    announcing = announce.with_options(assets=[model_asset(out)], asset_deps=[dataset_asset(data)])
    announcing(model, data, digest)
    return model


@task(name="fit", task_run_name="fit {settings.preset}")
def fit(data: Path, out: Path, settings: TrainSettings, processes: int | None) -> Trained:
    """Train in a process of its own; its lines go to the run's log, its steps to a bar."""
    logger = get_run_logger()
    bar = create_progress_artifact(
        0.0, key=key_of("steps", out.resolve().name), description=f"Steps of {out}"
    )
    assert isinstance(bar, UUID), "a task that is not async creates at once"
    for line in learn(data, out, settings, processes):
        logger.info(line)
        told(line)
        done = share_done(line, settings)
        if done is not None:
            update_progress_artifact(bar, 100 * done)
    return trained(out)


@task(name="show", task_run_name="show")
def show(model: Trained) -> None:
    """Leave IoU and the picture of the losses, if any steps were made, in the Prefect UI."""
    name = model.out.resolve().name
    if model.curves:
        picture = model.out / "losses.png"
        draw_curves(model.curves, picture)
        encoded = base64.b64encode(picture.read_bytes()).decode()
        create_markdown_artifact(
            f"![losses](data:image/png;base64,{encoded})",
            key=key_of("losses", name),
            description=f"Losses of {name} over steps",
        )
    create_table_artifact(
        [{"pictures": group, "mean IoU": iou} for group, iou in model.iou.items()],
        key=key_of("iou", name),
        description=f"IoU of named classes that {name} has not seen",
    )


@materialize("terrascope://models/any", name="announce", task_run_name="announce")
def announce(model: Trained, data: Path, manifest_sha256: str) -> None:
    """Emit the events by which others learn that there is a model; a repeated run does again."""
    folder = model.out.resolve()
    emit_event(
        PUBLISHED,
        resource={
            "prefect.resource.id": f"terrascope.checkpoint.{folder.name}",
            "prefect.resource.name": folder.name,
        },
        related=[
            {
                "prefect.resource.id": f"terrascope.dataset.{read_manifest(data).dataset}",
                "prefect.resource.role": "dataset",
            }
        ],
        payload={
            "model": str(folder),
            "dataset": str(data.resolve()),
            "manifest_sha256": manifest_sha256,
        },
    )
