"""Training of one published version of a dataset, by the event that it is published with."""

from pathlib import Path

from prefect import State, flow
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.train import train
from flows.whereabouts import note_process
from tasks.missed import DIGEST_CHARS, model_folder, published_digest
from tasks.training import Trained
from terrascope_model.settings import TrainSettings


def version_name() -> str:
    """Return the name of the run that is being made: its dataset's, and which version of it."""
    given = flow_run.parameters
    return f"{Path(given['dataset']).name} {given['manifest_sha256'][:DIGEST_CHARS]}"


@flow(name="train-published", flow_run_name=version_name, on_running=[note_process])
def train_published(
    dataset: str,
    manifest_sha256: str,
    models: Path = Path("models"),
    settings: TrainSettings | None = None,
    processes: int | None = None,
) -> Trained | State:
    """Train on a published version of a dataset, once; one that is no longer there is left alone.

    Args:
        dataset: Folder of the dataset, as the worker sees it.
        manifest_sha256: SHA-256 of the manifest.json that was published there.
        models: Folder below which the model gets one of its own: name of the dataset and digest.
        settings: How it is trained (docs/model.md).
        processes: Processes that train; one a GPU if not given.
    """
    data = Path(dataset)
    out = model_folder(models, data, manifest_sha256)
    found = published_digest(data)
    if found != manifest_sha256:
        return Completed(
            name="Superseded",
            message=f"{data} holds the version {found[:DIGEST_CHARS]}, whose own event trains it; "
            f"{manifest_sha256[:DIGEST_CHARS]} is no longer there, and nothing was trained",
        )
    return train(data, out, settings, processes)
