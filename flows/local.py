"""The build without Prefect: the same stages in the same order, in this process."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tasks.annotation.folds import Annotator
from tasks.config import BuildConfig
from tasks.engine.run import hired
from tasks.progress import told
from tasks.publish import Published
from tasks.refine import REFINED_TIERS
from tasks.stages import (
    Done,
    annotate_batch,
    annotators_of,
    ask_batch,
    ask_bench_batch,
    caption_batch,
    captioner_for,
    compose_batch,
    composers_for,
    fingerprint_batch,
    fit_annotator,
    folds_to_fit,
    gather_bench,
    ingest_batch,
    item_batch,
    judge_dataset,
    list_sources,
    mark_batch,
    publish_dataset,
    refine_batch,
    rephrase_batch,
    rephraser_for,
    select_samples,
    store_dataset,
    write_batch,
)
from tasks.workspace import claimed


def build(config: BuildConfig) -> Published:
    """Archives -> scenes -> captions and questions -> selection -> shards -> a dataset."""
    with claimed(config), hired(config):
        plan = list_sources(config)
        scenes = [ingest_batch(config, batch) for batch in plan.batches]
        made = []
        if "cap_cot" in config.stages:
            made += _captioned(config, scenes)
        annotators: list[Annotator] = []
        if config.annotates:
            annotators, marked = _annotated(config, scenes)
            plan, scenes = plan.with_marked(marked), [*scenes, *marked]
            if marked and "cap_cot" in config.stages:
                made += _captioned(config, marked)
        made += [ask_batch(config, done) for done in scenes if "l1" in config.stages]
        if "l2" in config.stages:
            with composers_for(config, scenes) as composers:
                made += [compose_batch(config, done, composers) for done in scenes]
        if config.makes_bench:
            made += _bench(config, scenes)
        for done in made:
            if config.annotates and done.stage in REFINED_TIERS:
                refine_batch(config, done)
        if config.control.near_duplicates:
            for done in scenes:
                fingerprint_batch(config, done)
        select_samples(config, plan)
        if config.rephrases:
            with rephraser_for(config, made) as served:
                for done in made:
                    rephrase_batch(config, done, served)
        for done in made:
            write_batch(config, done)
        published = publish_dataset(config, plan, judge_dataset(config, plan, annotators))
        store_dataset(config, published)
        return published


def _bench(config: BuildConfig, scenes: Sequence[Done]) -> list[Done]:
    asked = [ask_bench_batch(config, done) for done in scenes]
    around = gather_bench(config, asked)
    return [item_batch(config, done, around) for done in asked]


def _captioned(config: BuildConfig, scenes: Sequence[Done]) -> list[Done]:
    with captioner_for(config, scenes) as served:
        return [caption_batch(config, done, served) for done in scenes]


def _annotated(config: BuildConfig, scenes: Sequence[Done]) -> tuple[list[Annotator], list[Done]]:
    """Return the annotators, and the batches of scenes without labels that they marked."""
    folds = folds_to_fit(config, scenes)
    with ThreadPoolExecutor() as side_by_side:
        fitted = [side_by_side.submit(fit_annotator, config, fold, told) for fold in folds]
    for one in fitted:
        one.result()
    annotators = annotators_of(config, folds)
    marked = [mark_batch(config, done, annotators) for done in scenes]
    marked = [done for done in marked if done.batch]
    for done in [*scenes, *marked]:
        annotate_batch(config, done, annotators)
    return annotators, marked
