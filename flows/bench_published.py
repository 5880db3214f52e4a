"""Scoring of a published model on benches, by the event that it is published with."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.events import emit_event
from prefect.runtime import flow_run

from flows.progress import key_of
from flows.whereabouts import note_process
from tasks.errors import UserError
from tasks.scoring.apart import read_score, score_apart
from tasks.scoring.opened import open_bench

SCORED = "terrascope.bench.scored"


def model_name() -> str:
    """Return the name of the run that is being made: the model's."""
    return Path(flow_run.parameters["model"]).name


@flow(name="bench-published", flow_run_name=model_name, on_running=[note_process])
def bench_published(
    model: Path,
    benches: list[Path],
    scores: Path = Path("scores"),
    number: int | None = None,
    max_new_tokens: int = 512,
) -> None:
    """Ask a model all items of benches, and score its answers and masks.

    What a run before has asked of the same model is not asked again. UserError where a bench
    cannot be read, or two have one name, before the model is asked anything.

    Args:
        model: Folder of a trained model, as the worker sees it.
        benches: Folders of built benches, or files of others (docs/scoring.md).
        scores: Folder below which results lie: name of the model, then of the bench.
        number: Items of each bench, drawn by seed; all if not given.
        max_new_tokens: Tokens of a reply at most.
    """
    folders = folders_of(benches, scores / model.resolve().name)
    for bench in benches:
        open_bench(bench, None, None, ())
    for bench, folder in folders.items():
        score = scored(bench, model, folder, number, max_new_tokens)
        show(score, folder)
        announce(score, model, folder)


def folders_of(benches: Sequence[Path], scores: Path) -> dict[Path, Path]:
    """Return a folder for the results of each bench; UserError where two would share one."""
    folders = {bench: scores / bench.resolve().name for bench in benches}
    shared = [folder.name for folder, number in Counter(folders.values()).items() if number > 1]
    if shared:
        raise UserError(
            f"benches: several are called {shared[0]}, and would share a folder of results; leave "
            "all but one out, or rename them"
        )
    return folders


@task(name="score", task_run_name="score on {bench.name}")
def scored(
    bench: Path, model: Path, folder: Path, number: int | None, max_new_tokens: int
) -> dict[str, Any]:
    """Ask and score in a process of its own; its lines go to the run's log."""
    logger = get_run_logger()
    for line in score_apart(bench, model, folder, number, max_new_tokens):
        logger.info(line)
    return read_score(folder)


@task(name="show", task_run_name="show")
def show(score: dict[str, Any], folder: Path) -> None:
    """Leave the figures of each task and the way to the page in the Prefect UI."""
    name = f"{score['name']} {score['bench']}"
    create_table_artifact(
        [
            {
                "task": one["name"],
                "items": one["items"],
                "accuracy": _value(one["accuracy"]),
                "by chance": one["chance"],
                "right and grounded": _value(one["grounded"]),
                "IoU": _value(one["item_iou"]),
            }
            for one in (*score["tasks"], score["all"], score["macro"])
        ],
        key=key_of("scores", name),
        description=f"Answers and masks of {score['name']} on {score['bench']}",
    )
    create_link_artifact(
        (folder / "bench.html").resolve().as_uri(),
        key=key_of("bench", name),
        link_text="the page, with the best and the worst items",
        description=f"{score['name']} on {score['bench']}",
    )


@task(name="announce", task_run_name="announce")
def announce(score: dict[str, Any], model: Path, folder: Path) -> None:
    """Emit the event by which others learn of a score."""
    name = model.resolve().name
    emit_event(
        SCORED,
        resource={
            "prefect.resource.id": f"terrascope.score.{name}.{score['bench']}",
            "prefect.resource.name": f"{name} on {score['bench']}",
        },
        related=[
            {
                "prefect.resource.id": f"terrascope.checkpoint.{name}",
                "prefect.resource.role": "checkpoint",
            }
        ],
        payload={
            "folder": str(folder.resolve()),
            "bench_digest": score["bench_digest"],
            "items": score["all"]["items"],
            "accuracy": _value(score["macro"]["accuracy"]),
            "iou": _value(score["all"]["item_iou"]),
        },
    )


def _value(estimate: dict[str, float] | None) -> float | None:
    return None if estimate is None else round(estimate["value"], 4)
