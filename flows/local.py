"""The build without Prefect: the same stages in the same order, in this process."""

from tasks.config import BuildConfig
from tasks.publish import Published
from tasks.stages import (
    ask_batch,
    ingest_batch,
    list_sources,
    publish_dataset,
    select_samples,
    write_batch,
)
from tasks.workspace import claimed


def build(config: BuildConfig) -> Published:
    """Archives -> scenes -> L1 questions -> selection -> shards -> a published dataset."""
    with claimed(config):
        plan = list_sources(config)
        scenes = [ingest_batch(config, batch) for batch in plan.batches]
        asked = [ask_batch(config, done) for done in scenes]
        select_samples(config, plan)
        for done in asked:
            write_batch(config, done)
        return publish_dataset(config, plan)
