"""Ingest: read a granule's scenes from the archive and write them as one scene table."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from schemas.parquet import SCENE_SCHEMA
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import INVALID_ID, Scene, SceneRef
from tasks.atomic import place_text, placing
from tasks.config import BuildConfig, digest_of
from tasks.granules import Granule, GranuleId, load_granule
from tasks.ledger import Ledger, Record, output_of
from tasks.scene_table import scenes_to_table
from tasks.shards import write_rejects
from tasks.sources.faults import refusing_faults
from tasks.sources.registry import SOURCES

STAGE = "ingest"
VERSION = 1
MIN_VALID_SHARE = 0.5
PAPER_PIXEL_M = 10.0  # the paper's r for every Sentinel pixel (supplement, bench rules)
PAPER_SOURCES = ("bigearthnet", "chatearthnet")
_COMPRESSION = {"images.list.element.bytes": "none"}  # PNG and JPEG do not shrink again
FILES = ".files"  # what was there when a granule was read: JSON, [path, size, time of change]
SCENES_A_WRITE = 16  # scenes held in memory at a time: two 1.5 MB pictures each at most


def ingest_granule(config: BuildConfig, granule_id: GranuleId) -> Record:
    """Read a granule unless it is done already; refused scenes are stored with their reason."""
    ledger = Ledger(config.out)
    granule = load_granule(ledger, granule_id)
    parts = key_parts(config, granule)
    key = digest_of(parts)
    done = ledger.done(STAGE, granule.id.name, key)
    if done is not None:
        return replace(done, reused=True)
    path = ledger.path(STAGE, granule.id.name, ".parquet")
    rejected: list[Rejected] = []
    with placing(path) as temporary:
        num_scenes = _write_scenes(temporary, config, granule, rejected)
    rejects = write_rejects(ledger.path(STAGE, granule.id.name, ".rejects.parquet"), rejected)
    place_text(ledger.path(STAGE, granule.id.name, FILES), json.dumps(parts["files"]))
    record = Record(
        stage=STAGE,
        granule=granule.id.name,
        key=key,
        parts={**parts, "files": digest_of(parts["files"])},
        outputs=(
            output_of(config.out, path, num_scenes),
            output_of(config.out, rejects.path, len(rejected)),
        ),
        taken=len(granule.refs),
        out=num_scenes,
        rejected=len(rejected),
    )
    ledger.store(record)
    return record


def read_scene(config: BuildConfig, root: Path, ref: SceneRef) -> Scene:
    """Read one scene.

    Raises:
        Refusal: what the reader refuses, LOW_VALID_SHARE for too few valid pixels, READER_FAILED
            for what it fails on.
    """
    reader = SOURCES[ref.source]
    with refusing_faults(ref.scene_id):
        scene = reader.read(root, ref)
    for layer in scene.layers:
        valid_share = float((layer.ids_HW != INVALID_ID).mean())
        if valid_share < MIN_VALID_SHARE:
            raise Refusal(
                Reason.LOW_VALID_SHARE,
                f"{ref.scene_id}: {valid_share:.1%} of layer {layer.layer} carries a label; "
                f"at least {MIN_VALID_SHARE:.0%} is needed",
            )
    if config.pixel_size == "paper" and ref.source in PAPER_SOURCES:
        return replace(scene, grid=replace(scene.grid, pixel_size_m=(PAPER_PIXEL_M, PAPER_PIXEL_M)))
    return scene


def _write_scenes(
    path: Path, config: BuildConfig, granule: Granule, rejected: list[Rejected]
) -> int:
    """Write the readable scenes of a granule, a few at a time; return how many there are."""
    root = config.sources[granule.id.source]
    held: list[Scene] = []
    num_scenes = 0
    with pq.ParquetWriter(path, SCENE_SCHEMA, compression=_COMPRESSION) as writer:
        for ref in granule.refs:
            try:
                held.append(read_scene(config, root, ref))
            except Refusal as refusal:
                rejected.append(_rejected(ref, refusal))
            if len(held) == SCENES_A_WRITE:
                num_scenes += _flush(writer, held)
        num_scenes += _flush(writer, held)
    return num_scenes


def _flush(writer: pq.ParquetWriter, held: list[Scene]) -> int:
    table = scenes_to_table(held)
    if held:
        writer.write_table(table)
    held.clear()
    return int(table.num_rows)


def _rejected(ref: SceneRef, refusal: Refusal) -> Rejected:
    return Rejected(
        sample_id=ref.scene_id,
        source=ref.source,
        stage=STAGE,
        reason=refusal.reason,
        detail=refusal.detail,
    )


def decides(config: BuildConfig, source: str) -> dict[str, Any]:
    """Return all that decides a source's scenes but its files."""
    return {
        "stage": VERSION,
        "source": SOURCES[source].version,
        "pixel_size": config.pixel_size,
    }


def key_parts(config: BuildConfig, granule: Granule) -> dict[str, Any]:
    """Return all that decides the scene table; files count by name, size and time of change."""
    source = granule.id.source
    return {
        **decides(config, source),
        "listing": granule.listing_digest(),
        "files": _file_stats(config.sources[source], granule),
    }


def _file_stats(root: Path, granule: Granule) -> list[list[str | int]]:
    """Return path, size and modification time of every file; without a file the size is -1."""
    stats: list[list[str | int]] = []
    for name in sorted({name for ref in granule.refs for name in ref.files}):
        try:
            status = os.stat(os.path.join(root, name))
            stats.append([name, status.st_size, status.st_mtime_ns])
        except (OSError, ValueError):  # ValueError: a name that no file can have
            stats.append([name, -1, 0])
    return stats
