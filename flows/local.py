"""The build without Prefect: the same stages in the same order, in this process."""

from tasks.config import BuildConfig
from tasks.publish import Published
from tasks.stages import (
    ask_batch,
    caption_batch,
    captioner_for,
    compose_batch,
    composers_for,
    fingerprint_batch,
    ingest_batch,
    list_sources,
    publish_dataset,
    select_samples,
    write_batch,
)
from tasks.workspace import claimed


def build(config: BuildConfig) -> Published:
    """Archives -> scenes -> captions and questions -> selection -> shards -> a dataset."""
    with claimed(config):
        plan = list_sources(config)
        scenes = [ingest_batch(config, batch) for batch in plan.batches]
        made = []
        if "cap_cot" in config.stages:
            with captioner_for(config, scenes) as served:
                made += [caption_batch(config, done, served) for done in scenes]
        made += [ask_batch(config, done) for done in scenes if "l1" in config.stages]
        if "l2" in config.stages:
            with composers_for(config, scenes) as composers:
                made += [compose_batch(config, done, composers) for done in scenes]
        if config.control.near_duplicates:
            for done in scenes:
                fingerprint_batch(config, done)
        select_samples(config, plan)
        for done in made:
            write_batch(config, done)
        return publish_dataset(config, plan)
