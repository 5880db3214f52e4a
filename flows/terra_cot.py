"""Terra-CoT: scenes in, questions with proved answers out; L1 and L2 fan out side by side."""

from collections.abc import Sequence
from typing import Any

from prefect import flow, task, unmapped
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.config import BuildConfig
from tasks.stages import Done, ask_batch, compose_batch

ask = task(name="ask L1", task_run_name="ask L1 {scenes.batch[0].name}")(ask_batch)
compose = task(name="compose L2", task_run_name="compose L2 {scenes.batch[0].name}")(compose_batch)

THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)  # the work is in processes


@flow(name="terra-cot", flow_run_name="questions of {config.dataset}", task_runner=THREADS)
def terra_cot(config: BuildConfig, scenes: Sequence[Done]) -> list[Done]:
    """Ask the templates' questions and compose those of several steps, of all ingested batches."""
    asked = ask.map(unmapped(config), list(scenes) if "l1" in config.stages else [])
    composed = compose.map(unmapped(config), list(scenes) if "l2" in config.stages else [])
    return [*asked.result(), *composed.result()]
