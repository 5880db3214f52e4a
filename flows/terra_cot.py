"""Terra-CoT: scenes in, questions with proved answers out; L1 and L2 fan out side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from prefect import flow, task, unmapped
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.keys import export_key
from flows.turns import turn
from tasks.compose import writers_of
from tasks.config import BuildConfig
from tasks.stages import Done, ask_batch, compose_batch, composers_for
from tasks.writers.opened import Served

ask = task(name="ask L1", task_run_name="ask L1 {scenes.batch[0].name}")(ask_batch)

THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)  # the work is in processes


@flow(name="terra-cot", flow_run_name="questions of {config.dataset}", task_runner=THREADS)
def terra_cot(config: BuildConfig, scenes: Sequence[Done]) -> list[Done]:
    """Ask the templates' questions and compose those of several steps, of all ingested batches."""
    asked = ask.map(unmapped(config), list(scenes) if "l1" in config.stages else [])
    if "l2" not in config.stages:
        return asked.result()
    for settings in writers_of(config).values():
        export_key(settings)
    with composers_for(config, scenes) as served:
        composed = compose.map(unmapped(config), list(scenes), unmapped(served)).result()
    return [*asked.result(), *composed]


@task(name="compose L2", task_run_name="compose L2 {scenes.batch[0].name}")
def compose(config: BuildConfig, scenes: Done, served: Mapping[str, Served]) -> Done:
    """Compose a batch, by models when it is this build's turn."""
    with turn(config.composer.asks_models):
        return compose_batch(config, scenes, served)
