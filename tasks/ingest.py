"""Ingest: read a granule's scenes from the archive and write them as one scene table.

Scenes without labels are refused, or, of the training split and where an annotator is to mark them,
written to a table of their own.
"""

import json
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import INVALID_ID, Scene, SceneRef, Unlabelled
from tasks.atomic import place_text
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import Granule, GranuleId, load_granule
from tasks.ledger import Ledger, Record, output_of
from tasks.scene_file import scene_file
from tasks.scene_table import scene_row
from tasks.shards import write_rejects
from tasks.sources.faults import refusing_faults
from tasks.sources.registry import SOURCES
from tasks.stage_names import INGEST

VERSION = 1
MIN_VALID_SHARE = 0.5
PAPER_PIXEL_M = 10.0  # the paper's r for every Sentinel pixel (supplement, bench rules)
PAPER_SOURCES = ("bigearthnet", "chatearthnet")
FILES = ".files"  # what was there when a granule was read: JSON, [path, size, time of change]


def ingest_granule(config: BuildConfig, granule_id: GranuleId) -> Record:
    """Read a granule unless it is done already; refused scenes are stored with their reason."""
    ledger = Ledger(config.out)
    granule = load_granule(ledger, granule_id)
    parts = key_parts(config, granule)
    key = digest_of(parts)
    done = ledger.done(INGEST, granule.id.name, key)
    if done is not None:
        return replace(done, reused=True)
    path = ledger.path(INGEST, granule.id.name, ".parquet")
    aside = unlabelled_path(ledger, granule.id)
    root = config.sources[granule.id.source]
    rejected: list[Rejected] = []
    with (
        scene_file(path) as labelled,
        scene_file(aside) if marks_unlabelled(config, granule.id) else nullcontext() as unlabelled,
    ):
        for ref in granule.refs:
            try:
                labelled.add(scene_row(read_scene(config, root, ref)))
            except Refusal as refusal:
                if unlabelled and isinstance(refusal, Unlabelled):
                    unlabelled.add(scene_row(refusal.scene))
                else:
                    rejected.append(_rejected(ref, refusal))
    rejects = write_rejects(ledger.path(INGEST, granule.id.name, ".rejects.parquet"), rejected)
    place_text(ledger.path(INGEST, granule.id.name, FILES), json.dumps(parts["files"]))
    outputs = [
        output_of(config.out, path, labelled.rows),
        output_of(config.out, rejects.path, len(rejected)),
    ]
    if unlabelled:
        outputs.append(output_of(config.out, aside, unlabelled.rows))
    record = Record(
        stage=INGEST,
        granule=granule.id.name,
        key=key,
        parts={**parts, "files": digest_of(parts["files"])},
        outputs=tuple(outputs),
        taken=labelled.rows + len(rejected),
        out=labelled.rows,
        rejected=len(rejected),
    )
    ledger.store(record)
    return record


def read_scene(config: BuildConfig, root: Path, ref: SceneRef) -> Scene:
    """Read one scene.

    Raises:
        Unlabelled: no label says anything of it.
        Refusal: what else the reader refuses, LOW_VALID_SHARE for too few valid pixels,
            READER_FAILED for what it fails on.
    """
    reader = SOURCES[ref.source]
    try:
        with refusing_faults(ref.scene_id):
            scene = reader.read(root, ref)
    except Unlabelled as found:
        raise Unlabelled(found.detail, _as_configured(config, found.scene)) from found
    for layer in scene.layers:
        valid_share = float((layer.ids_HW != INVALID_ID).mean())
        if valid_share < MIN_VALID_SHARE:
            raise Refusal(
                Reason.LOW_VALID_SHARE,
                f"{ref.scene_id}: {valid_share:.1%} of layer {layer.layer} carries a label; "
                f"at least {MIN_VALID_SHARE:.0%} is needed",
            )
    return _as_configured(config, scene)


def unlabelled_path(ledger: Ledger, granule: GranuleId) -> Path:
    """Return where the scenes of a granule are kept that have no labels yet."""
    return ledger.path(INGEST, granule.name, ".unlabelled.parquet")


def marks_unlabelled(config: BuildConfig, granule: GranuleId) -> bool:
    """Return whether scenes of a granule that have no labels are kept, for an annotator to mark."""
    return config.annotator.unlabelled and granule.split == "train"


def _as_configured(config: BuildConfig, scene: Scene) -> Scene:
    if config.pixel_size == "paper" and scene.ref.source in PAPER_SOURCES:
        return replace(scene, grid=replace(scene.grid, pixel_size_m=(PAPER_PIXEL_M, PAPER_PIXEL_M)))
    return scene


def _rejected(ref: SceneRef, refusal: Refusal) -> Rejected:
    return Rejected(
        sample_id=ref.scene_id,
        source=ref.source,
        stage=INGEST,
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
    marked = {"unlabelled": True} if marks_unlabelled(config, granule.id) else {}
    return {
        **decides(config, source),
        **marked,
        "listing": granule.listing_digest(),
        "files": _file_stats(config.sources[source], granule),
    }


def _file_stats(root: Path, granule: Granule) -> list[list[str | int]]:
    """Return path, size and modification time of every file; without a file the size is -1."""
    stats: list[list[str | int]] = []
    folder = os.fspath(root)
    for name in sorted({name for ref in granule.refs for name in ref.files}):
        try:
            status = os.stat(os.path.join(folder, name))
            stats.append([name, status.st_size, status.st_mtime_ns])
        except (OSError, ValueError):  # ValueError: a name that no file can have
            stats.append([name, -1, 0])
    return stats
