"""The build without Prefect: the same stages in the same order, in this process."""

from concurrent.futures import ThreadPoolExecutor

from tasks.annotation.folds import Annotator
from tasks.config import BuildConfig
from tasks.progress import told
from tasks.publish import Published
from tasks.refine import REFINED_TIERS
from tasks.stages import (
    annotate_batch,
    annotators_of,
    ask_batch,
    caption_batch,
    captioner_for,
    compose_batch,
    composers_for,
    fingerprint_batch,
    fit_annotator,
    folds_to_fit,
    ingest_batch,
    list_sources,
    publish_dataset,
    refine_batch,
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
        annotators: list[Annotator] = []
        if config.annotates:
            folds = folds_to_fit(config, scenes)
            with ThreadPoolExecutor() as side_by_side:
                fitted = [side_by_side.submit(fit_annotator, config, f, told) for f in folds]
            for one in fitted:
                one.result()
            annotators = annotators_of(config, folds)
            for done in scenes:
                annotate_batch(config, done, annotators)
            for done in made:
                if done.stage in REFINED_TIERS:
                    refine_batch(config, done)
        if config.control.near_duplicates:
            for done in scenes:
                fingerprint_batch(config, done)
        select_samples(config, plan)
        for done in made:
            write_batch(config, done)
        return publish_dataset(config, plan, annotators)
