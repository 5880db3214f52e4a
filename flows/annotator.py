"""TerraScope-Cap: captions in, annotators out of fold, and the masks that they predict.

Of scenes with labels these refine the annotation; scenes without are marked by them.
"""

from collections.abc import Sequence
from typing import Any

from prefect import flow, get_run_logger, task, unmapped
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.annotation.folds import Annotator, Fold
from tasks.config import BuildConfig
from tasks.progress import told
from tasks.stages import (
    Done,
    annotate_batch,
    annotators_of,
    fit_annotator,
    folds_to_fit,
    mark_batch,
)

fold_captions = task(name="fold captions", task_run_name="fold captions")(folds_to_fit)
mark = task(name="mark", task_run_name="mark {scenes.batch[0].name}")(mark_batch)
annotate = task(name="annotate", task_run_name="annotate {scenes.batch[0].name}")(annotate_batch)

THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)  # the work is in processes


@flow(name="annotator", flow_run_name="annotator of {config.dataset}", task_runner=THREADS)
def annotator(config: BuildConfig, scenes: Sequence[Done]) -> tuple[list[Annotator], list[Done]]:
    """Train an annotator a fold on the captions, and let each segment what it has not seen.

    The second are the batches of scenes without labels that were marked.
    """
    folds = fold_captions(config, scenes)
    fit.map(unmapped(config), folds).result()
    annotators = annotators_of(config, folds)
    marked = mark.map(unmapped(config), list(scenes), unmapped(annotators)).result()
    marked = [done for done in marked if done.batch]
    annotate.map(unmapped(config), [*scenes, *marked], unmapped(annotators)).result()
    return annotators, marked


@task(name="fit", task_run_name="fit fold {fold.number}")
def fit(config: BuildConfig, fold: Fold) -> None:
    """Train one annotator in a process of its own; its lines go to the run's log."""
    logger = get_run_logger()

    def say(line: str) -> None:
        logger.info(line)
        told(line)

    fit_annotator(config, fold, say)
