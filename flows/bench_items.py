"""A bench: scenes of the test split in, items out whose options come from all of them."""

from collections.abc import Sequence
from typing import Any

from prefect import flow, task, unmapped
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.keys import export_key
from flows.turns import turn
from tasks.config import BuildConfig
from tasks.stages import (
    Done,
    ask_bench_batch,
    gather_bench,
    item_batch,
    rephrase_batch,
    rephraser_for,
)
from tasks.writers.opened import Served

ask = task(name="ask bench", task_run_name="ask bench {scenes.batch[0].name}")(ask_bench_batch)
gather = task(name="gather answers", task_run_name="gather answers")(gather_bench)
make = task(name="make items", task_run_name="make items {asked.batch[0].name}")(item_batch)

THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)  # the work is in processes


@flow(name="bench-items", flow_run_name="items of {config.dataset}", task_runner=THREADS)
def bench_items(config: BuildConfig, scenes: Sequence[Done]) -> list[Done]:
    """Ask all ingested batches, gather their answers, then pick options among these."""
    asked = ask.map(unmapped(config), list(scenes)).result()
    around = gather(config, asked)
    return make.map(unmapped(config), asked, unmapped(around)).result()


@flow(name="bench-words", flow_run_name="words of {config.dataset}", task_runner=THREADS)
def bench_words(config: BuildConfig, items: Sequence[Done]) -> list[Done]:
    """Rephrase what selection kept of all batches; the model's server, if any, ends with this."""
    export_key(config.composer)
    with rephraser_for(config, items) as served:
        return rephrase.map(unmapped(config), list(items), unmapped(served)).result()


@task(name="rephrase", task_run_name="rephrase {items.batch[0].name}")
def rephrase(config: BuildConfig, items: Done, served: Served | None) -> Done:
    """Rephrase a batch, when it is this build's turn."""
    with turn(asks_model=True):
        return rephrase_batch(config, items, served)
