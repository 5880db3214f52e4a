"""The whole way of the data as a Prefect flow: archives in, proved Parquet out."""

import re
from collections.abc import Sequence
from typing import Any

from prefect import flow, get_run_logger, task, unmapped
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.annotator import annotator
from flows.cap_cot import cap_cot
from flows.terra_cot import terra_cot
from flows.whereabouts import note_process
from tasks.config import BuildConfig
from tasks.engine.run import hired
from tasks.ledger import sha256_of
from tasks.lineage.mermaid import markdown_of
from tasks.manifest import MANIFEST_NAME, GateResult, read_manifest
from tasks.publication.shown import COLUMNS, gate_row
from tasks.publish import Published
from tasks.refine import REFINED_TIERS
from tasks.stages import (
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
        scenes = ingest.map(unmapped(config), plan.batches).result()
        captioned = cap_cot(config, scenes) if "cap_cot" in config.stages else []
        annotators, marked = annotator(config, scenes) if config.annotates else ([], [])
        if marked:
            plan, scenes = plan.with_marked(marked), [*scenes, *marked]
            captioned += cap_cot(config, marked) if "cap_cot" in config.stages else []
        asked = terra_cot(config, scenes) if {"l1", "l2"} & set(config.stages) else []
        if config.annotates:
            refine.map(unmapped(config), [d for d in asked if d.stage in REFINED_TIERS]).result()
        if config.control.near_duplicates:
            fingerprint.map(unmapped(config), scenes).result()
        select(config, plan)
        write.map(unmapped(config), [*captioned, *asked]).result()
        judged = judge(config, plan, annotators, str(flow_run.id or ""))
        show_gates(config, judged)
        published: Published = seal(config, plan, judged)
        stored = store(config, published)
    show(published)
    if published.changed or stored:
        announce(published)
    return published


@task(name="catalogue", task_run_name="catalogue")
def catalogue(config: BuildConfig) -> Plan:
    """List the sources, and log what there is to do and why."""
    return list_sources(config, get_run_logger().info)


@task(name="show gates", task_run_name="show gates")
def show_gates(config: BuildConfig, judged: Sequence[GateResult]) -> None:
    """Leave what every gate found in the Prefect UI, before one that does not hold ends the run."""
    create_table_artifact(
        [dict(zip(COLUMNS, gate_row(gate), strict=True)) for gate in judged],
        key=f"publication-{_key(config.dataset)}",
        description=f"What has to hold before a version of {config.dataset} is published",
    )


@task(name="announce", task_run_name="announce")
def announce(published: Published) -> None:
    """Emit the event by which others learn that there is a new dataset, or a new version of one."""
    folder = published.dataset.resolve()
    manifest = read_manifest(folder)
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
    key = _key(name)
    create_table_artifact(
        [count.model_dump(exclude={"reasons", "tallies"}) for count in published.counts],
        key=f"counts-{key}",
        description=f"What every stage of {name} took and gave: taken = out + rejected + left out",
    )
    columns = ("stage", "gate", "dropped", "of", "share")
    create_table_artifact(
        [dict(zip(columns, gate, strict=True)) for gate in published.gates],
        key=f"gates-{key}",
        description=f"What every gate of {name} dropped, of what came to its stage",
    )
    create_table_artifact(
        [
            {"stage": count.stage, "what": what, "number": number}
            for count in published.counts
            for what, number in count.tallies.items()
        ],
        key=f"written-{key}",
        description=f"What was written for {name}: replies, tokens, verdicts",
    )
    manifest = read_manifest(published.dataset)
    create_markdown_artifact(
        markdown_of(manifest, before(published.dataset, manifest)),
        key=f"lineage-{key}",
        description=f"Where {name} comes from, from its sources to its shards",
    )
    create_link_artifact(
        published.report.resolve().as_uri(), key=f"report-{key}", link_text=f"Report of {name}"
    )


def _key(name: str) -> str:
    """Return a dataset's name as keys of artifacts may be written."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
