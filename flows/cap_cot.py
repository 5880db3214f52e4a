"""Cap-CoT: scenes in, grounded captions out, by a model that is served for as long as it takes."""

from collections.abc import Sequence
from typing import Any

from prefect import flow, task, unmapped
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.keys import export_key
from flows.turns import turn
from tasks.config import BuildConfig
from tasks.stages import Done, caption_batch, captioner_for
from tasks.writers.opened import Served

THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)


@flow(name="cap-cot", flow_run_name="captions of {config.dataset}", task_runner=THREADS)
def cap_cot(config: BuildConfig, scenes: Sequence[Done]) -> list[Done]:
    """Caption all ingested batches; the model's server, if there is one, ends with the flow."""
    export_key(config.captioner)
    with captioner_for(config, scenes) as served:
        return caption.map(unmapped(config), list(scenes), unmapped(served)).result()


@task(name="caption", task_run_name="caption {scenes.batch[0].name}")
def caption(config: BuildConfig, scenes: Done, served: Served | None) -> Done:
    """Caption a batch, by a model when it is this build's turn."""
    with turn(config.captioner.is_model):
        return caption_batch(config, scenes, served)
