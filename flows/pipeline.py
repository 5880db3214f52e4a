"""The whole way of the data as a Prefect flow: archives in, proved Parquet out."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task, unmapped
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.assets import add_asset_metadata, materialize
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.annotator import annotator
from flows.assets import archive_assets, dataset_asset, model_asset
from flows.bench_items import bench_items, bench_words
from flows.cap_cot import cap_cot
from flows.progress import Stages, key_of
from flows.terra_cot import terra_cot
from flows.whereabouts import note_process
from tasks.annotation.folds import Annotator
from tasks.candidate import tiers_of
from tasks.config import BuildConfig
from tasks.engine.run import hired
from tasks.ledger import sha256_of
from tasks.lineage.mermaid import markdown_of
from tasks.manifest import MANIFEST_NAME, GateResult, read_manifest
from tasks.progress import watched
from tasks.publication.shown import COLUMNS, gate_row
from tasks.publish import Published
from tasks.refine import REFINED_TIERS
from tasks.stage_names import SHARDS
from tasks.stages import (
    Done,
    Plan,
    fingerprint_batch,
    ingest_batch,
    judge_dataset,
    list_sources,
    publish_dataset,
    refine_batch,
    select_samples,
    store_dataset,
    write_batch,
)
from tasks.throughput import COST_COLUMNS, SPEED_COLUMNS, costs, speeds
from tasks.versions import before
from tasks.workspace import claimed

ingest = task(name="ingest", task_run_name="ingest {batch[0].name}")(ingest_batch)
fingerprint = task(name="fingerprint", task_run_name="fingerprint {scenes.batch[0].name}")(
    fingerprint_batch
)
refine = task(name="refine", task_run_name="refine {made.stage} {made.batch[0].name}")(refine_batch)
select = task(name="select", task_run_name="select")(select_samples)
write = task(name="write shards", task_run_name="shards {made.stage} {made.batch[0].name}")(
    write_batch
)
judge = task(name="judge", task_run_name="judge")(judge_dataset)
store = task(name="store", task_run_name="store")(store_dataset)
seal = task(name="publish", task_run_name="publish")(publish_dataset)

PUBLISHED = "terrascope.dataset.published"
THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=2)  # the work is in processes


@flow(
    name="terrascope",
    flow_run_name="{config.dataset}",
    task_runner=THREADS,
    on_running=[note_process],
)
def pipeline(config: BuildConfig) -> Published:
    """Archives -> scenes -> captions, questions -> refined -> selection -> shards -> a dataset.

    Args:
        config: Which archives, what is made of them, and the folder of the dataset.
    """
    with claimed(config), hired(config):
        plan = catalogue(config)
        stages = Stages(config.dataset, len(plan.granules), {SHARDS: len(tiers_of(config))})
        with watched(stages):
            plan, annotators, done = made(config, plan)
        show_speeds(config, list(speeds(done, stages.seconds)))
        judged = judge(config, plan, annotators, str(flow_run.id or ""))
        show_gates(config, judged)
        published: Published = seal(config, plan, judged)
        stored = store(config, published) if config.storage else False
    show(published)
    if published.changed or stored:
        settings = config.annotator
        models = [Path(settings.model)] if settings.kind == "folder" else []
        announcing = announce.with_options(
            assets=[dataset_asset(config.out)],
            asset_deps=[*archive_assets(config.sources), *map(model_asset, models)],
        )
        announcing(published)
    return published


def made(config: BuildConfig, plan: Plan) -> tuple[Plan, list[Annotator], list[Done]]:
    """Make all shards; return the plan with marked scenes, by whom, and what each stage did."""
    scenes = ingest.map(unmapped(config), plan.batches, unmapped(plan.as_read)).result()
    captioned = cap_cot(config, scenes) if "cap_cot" in config.stages else []
    annotators, marked = annotator(config, scenes) if config.annotates else ([], [])
    if marked:
        plan, scenes = plan.with_marked(marked), [*scenes, *marked]
        captioned += cap_cot(config, marked) if "cap_cot" in config.stages else []
    asked = terra_cot(config, scenes) if {"l1", "l2"} & set(config.stages) else []
    asked += bench_items(config, scenes) if config.makes_bench else []
    refined = [d for d in asked if config.annotates and d.stage in REFINED_TIERS]
    refined = refine.map(unmapped(config), refined).result()
    near = config.control.near_duplicates
    printed = fingerprint.map(unmapped(config), scenes).result() if near else []
    select(config, plan)
    worded = bench_words(config, asked) if config.rephrases else []
    written = chain(*write.map(unmapped(config), [*captioned, *asked]).result())
    done = [*scenes, *captioned, *asked, *refined, *printed, *worded, *written]
    return plan, annotators, done


@task(name="catalogue", task_run_name="catalogue")
def catalogue(config: BuildConfig) -> Plan:
    """List the sources, and log what there is to do and why."""
    return list_sources(config, get_run_logger().info)


@task(name="show gates", task_run_name="show gates")
def show_gates(config: BuildConfig, judged: Sequence[GateResult]) -> None:
    """Leave what every gate found in the Prefect UI, before one that does not hold ends the run."""
    create_table_artifact(
        _table(COLUMNS, map(gate_row, judged)),
        key=key_of("publication", config.dataset),
        description=f"What has to hold before a version of {config.dataset} is published",
    )


@task(name="show speeds", task_run_name="show speeds")
def show_speeds(config: BuildConfig, rows: Sequence[Sequence[Any]]) -> None:
    """Leave what this run did of each stage in the Prefect UI, and how fast."""
    create_table_artifact(
        _table(SPEED_COLUMNS, rows),
        key=key_of("throughput", config.dataset),
        description=f"What this run did of each stage of {config.dataset}, and how fast",
    )


@materialize("terrascope://datasets/any", name="announce", task_run_name="announce")
def announce(published: Published) -> None:
    """Emit the events by which others learn that there is a new dataset, or a new version of one.

    The flow says which asset it is, and what that was made from.
    """
    folder = published.dataset.resolve()
    manifest = read_manifest(folder)
    add_asset_metadata(
        dataset_asset(folder), {"version": manifest.version, "digest": manifest.digest}
    )
    emit_event(
        PUBLISHED,
        resource={
            "prefect.resource.id": f"terrascope.dataset.{folder.name}",
            "prefect.resource.name": folder.name,
        },
        payload={
            "dataset": str(folder),
            "manifest_sha256": sha256_of(folder / MANIFEST_NAME),
            "version": manifest.version,
            "digest": manifest.digest,
            "samples": sum(file.rows for file in manifest.files),
        },
    )


@task(name="show", task_run_name="show")
def show(published: Published) -> None:
    """Leave counts, lineage and the link to the report in the Prefect UI."""
    name = published.dataset.resolve().name
    manifest = read_manifest(published.dataset)
    create_table_artifact(
        [count.model_dump(exclude={"reasons", "tallies"}) for count in published.counts],
        key=key_of("counts", name),
        description=f"What every stage of {name} took and gave: taken = out + rejected + left out",
    )
    create_table_artifact(
        _table(("stage", "gate", "dropped", "of", "share"), published.gates),
        key=key_of("gates", name),
        description=f"What every gate of {name} dropped, of what came to its stage",
    )
    create_table_artifact(
        [
            {"stage": count.stage, "what": what, "number": number}
            for count in published.counts
            for what, number in count.tallies.items()
        ],
        key=key_of("written", name),
        description=f"What was written for {name}: replies, tokens, verdicts",
    )
    if cost := _table(COST_COLUMNS, costs(published.counts)):
        create_table_artifact(
            cost,
            key=key_of("cost", name),
            description=f"What models were asked for {name}; cost in the unit of the prices",
        )
    if manifest.refined:
        create_table_artifact(
            [one.model_dump() for one in manifest.refined],
            key=key_of("masks", name),
            description=f"How an annotator's masks lie to those of {name}, class by class",
        )
    create_markdown_artifact(
        markdown_of(manifest, before(published.dataset, manifest)),
        key=key_of("lineage", name),
        description=f"Where {name} comes from, from its sources to its shards",
    )
    create_link_artifact(
        published.report.resolve().as_uri(),
        key=key_of("report", name),
        link_text=f"Report of {name}",
        description=f"Samples of {name} with their masks, and all its counts",
    )


def _table(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]
