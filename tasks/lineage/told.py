"""Lineage in words: of a dataset stage by stage, and of one sample down to its files."""

import json
from collections.abc import Iterator
from pathlib import Path

from tasks.lineage.graph import Lineage, changes, lineage_of, short
from tasks.manifest import DataFile, Manifest, read_manifest
from tasks.rows import Row, read_rows
from tasks.show import shard_with
from tasks.versions import before, first_with

_HEADS = {
    "source": "sources",
    "stage": "stages",
    "checkpoint": "annotators",
    "shards": "shards",
    "dataset": "dataset",
}


def dataset_lines(dataset: Path) -> Iterator[str]:
    """Yield what a dataset was made of, by which stages, and what changed since the one before.

    ManifestError where the folder holds no finished dataset.
    """
    manifest = read_manifest(dataset)
    previous = before(dataset, manifest)
    lineage = lineage_of(manifest, previous)
    for kind, head in _HEADS.items():
        yield from _nodes(lineage, kind, head)
    yield from _circumstances(manifest)
    if previous is None:
        return
    yield f"since version {previous.version}"
    found = [(stage, one) for stage, ones in changes(manifest, previous).items() for one in ones]
    yield from (f"  {stage:<12}{one}" for stage, one in found)
    if not found:
        yield "  whatever decides a stage is as it was"


def sample_lines(dataset: Path, sample_id: str) -> Iterator[str]:
    """Yield where one sample comes from: files, template or writer, code, run.

    Raises:
        ManifestError: the folder holds no finished dataset.
        UserError: it holds no such sample.
    """
    manifest = read_manifest(dataset)
    shard = shard_with(dataset, manifest, sample_id)
    row = read_rows(dataset / shard.path, {sample_id})[sample_id]
    yield from row_lines(row, manifest, shard, first_with(dataset, manifest, shard))


def row_lines(row: Row, manifest: Manifest, shard: DataFile, brought: Manifest) -> Iterator[str]:
    """Yield where a row of a shard comes from; `brought` is the version that brought the shard."""
    made = row.provenance
    yield f"sample         {row.sample_id}  {row.tier} {row.task}"
    yield f"scene          {row.scene_id}  {row.source}, {row.split}, {row.place}"
    for file in made.files:
        yield f"file           {file.path}  sha256 {file.sha256}"
    yield f"template       {made.template}, version {made.template_version}, seed {made.seed}"
    yield from _writer(made.writer)
    yield from _masks(row, manifest)
    stages = json.loads(made.stages)
    yield f"code           {', '.join(f'{name} {version}' for name, version in stages.items())}"
    yield f"configuration  {made.config_digest}"
    yield f"shard          {shard.path}  sha256 {shard.sha256}"
    yield from _circumstances(brought)


def _writer(writer: str) -> Iterator[str]:
    """Yield who wrote the words, name by name; nothing where a template did."""
    if writer:
        told = json.loads(writer)
        yield from (f"writer         {name}: {told[name]}" for name in sorted(told) if told[name])


def _masks(row: Row, manifest: Manifest) -> Iterator[str]:
    origins = [mask.origin.value for mask in row.masks]
    counted = [f"{origins.count(origin)} {origin}" for origin in sorted(set(origins))]
    if counted:
        yield f"masks          {', '.join(counted)}"
    if {"intersection", "predicted"} & set(origins):
        yield from (f"annotator      weights {digest}" for digest in manifest.annotators)


def _circumstances(manifest: Manifest) -> Iterator[str]:
    parent = f", after {short(manifest.parents[0])}" if manifest.parents else ""
    yield f"version        {manifest.version}  {manifest.digest}{parent}"
    yield f"commit         {manifest.commit or 'none'}"
    yield f"run            {manifest.run or 'without Prefect'}"
    yield f"made           {manifest.created.isoformat()}"


def _nodes(lineage: Lineage, kind: str, head: str) -> Iterator[str]:
    nodes = [node for node in lineage.nodes if node.kind == kind]
    if nodes:
        yield head
    for node in nodes:
        yield f"  {node.title:<18}  {'  '.join(node.lines)}{'  changed' * node.changed}"
