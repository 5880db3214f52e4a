"""Mark: what annotators predict of scenes without labels becomes the label map of such a scene.

A class stays where the mean probability of its pixels reaches the floor; other pixels are not
labelled, so that a scene of which too little is left is refused as any that is labelled too little.
All masks of a marked scene have the origin "predicted". Marked scenes are a granule of their own,
ingested as far as later stages can tell.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from masks.rle import decode, encode
from schemas.mask import MaskKind, Origin, SceneMask
from schemas.prediction import fold_of
from schemas.rejection import Reason, Rejected
from tasks.annotation.folds import Annotator
from tasks.annotation.shown_to import show
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ingest import MIN_VALID_SHARE, marks_unlabelled, unlabelled_path
from tasks.ledger import Ledger, Record, output_of
from tasks.scene_file import scene_file, scenes_in
from tasks.scene_table import mask_row
from tasks.shards import write_rejects
from tasks.stage_names import INGEST, MARK

VERSION = 1

Layer = tuple[str, int]  # name, date
Marked = Mapping[str, Any]  # a row of MARKED_SCHEMA


def mark_granules(
    config: BuildConfig,
    granules: Sequence[GranuleId],
    annotators: Sequence[Annotator],
    advance: Callable[[], None],
) -> list[Record]:
    """Mark the scenes without labels of granules that have such; return what became of them.

    The records are those of ingest, for the granules of marked scenes. TrainingFailed where an
    annotator cannot be loaded or a process does not end well.
    """
    ledger = Ledger(config.out)
    records: dict[GranuleId, Record] = {}
    due: dict[GranuleId, dict[str, Any]] = {}
    for granule in granules:
        if not marks_unlabelled(config, granule):
            continue
        scenes = ledger.load(INGEST, granule.name)
        assert scenes is not None, f"{granule.name} was not ingested"
        _, _, unlabelled = scenes.outputs
        if not unlabelled.rows:
            continue
        named = [[one.digest, sorted(one.names or ())] for one in annotators]
        parts = {**decides(config), "scenes": unlabelled.sha256, "annotators": named}
        done = ledger.done(INGEST, granule.unlabelled.name, digest_of(parts))
        if done is None:
            due[granule] = parts
        else:
            records[granule] = replace(done, reused=True)
            advance()

    def marked(granule: GranuleId) -> None:
        records[granule] = _taken(config, ledger, granule, annotators, due[granule])
        advance()

    tables = {granule: unlabelled_path(ledger, granule) for granule in due}
    show(config, MARK, tables, annotators, marked, labelled=False)
    return [records[granule] for granule in granules if granule in records]


def decides(config: BuildConfig) -> dict[str, Any]:
    """Return all that decides what is marked but scenes and annotators."""
    return {
        "stage": VERSION,
        "sar_rendering": config.sar_rendering,
        "confidence_floor": config.annotator.confidence_floor,
    }


def marked_scene(
    row: dict[str, Any], marked: Sequence[Marked], floor: float, product: str
) -> dict[str, Any] | Rejected:
    """Return a scene with the masks that a model marked in it, or why it cannot be asked about.

    `row` is of `SCENE_SCHEMA`, without a labelled pixel.
    """
    size_HW = (row["grid"]["height"], row["grid"]["width"])
    by_layer: dict[Layer, list[Marked]] = defaultdict(list)
    for one in marked:
        by_layer[one["layer"], one["date_index"]].append(one)
    if not by_layer:
        return _rejected(row, Reason.NO_LABEL, "an annotator marked none of the classes in it")
    layers, masks = [], []
    for layer in row["layers"]:
        key = (layer["layer"], layer["date_index"])
        if key not in by_layer:
            continue  # none of its classes was ever learnt: of no use here
        sure = [one for one in by_layer[key] if one["confidence"] >= floor]
        valid_HW = np.zeros(size_HW, np.bool_)
        for one in sure:
            valid_HW |= decode(one["counts"].encode("ascii"), size_HW)
            masks.append(_mask(MaskKind.CLASS, key, one["label"], one["counts"].encode("ascii")))
        valid_share = float(valid_HW.mean())
        if valid_share < MIN_VALID_SHARE:
            return _rejected(
                row,
                Reason.LOW_VALID_SHARE,
                f"an annotator is sure of {valid_share:.1%} of layer {layer['layer']}; at least "
                f"{MIN_VALID_SHARE:.0%} is needed (annotator.confidence_floor {floor})",
            )
        masks.append(_mask(MaskKind.VALID, key, layer["layer"], encode(valid_HW)))
        layers.append({**layer, "product": product})
    return {**row, "layers": layers, "scene_masks": masks}


def _taken(
    config: BuildConfig,
    ledger: Ledger,
    granule: GranuleId,
    annotators: Sequence[Annotator],
    parts: dict[str, Any],
) -> Record:
    """Write the scene table and the record of a granule that was marked."""
    floor = config.annotator.confidence_floor
    by_scene: dict[str, list[Marked]] = defaultdict(list)
    tallies: Counter[str] = Counter()
    for one in pq.read_table(ledger.path(MARK, granule.name, ".parquet")).to_pylist():
        by_scene[one["scene_id"]].append(one)
        tallies["marked: sure" if one["confidence"] >= floor else "marked: under the floor"] += 1
    name = granule.unlabelled.name
    path = ledger.path(INGEST, name, ".parquet")
    rejected: list[Rejected] = []
    with scene_file(path) as file:
        for row in scenes_in(unlabelled_path(ledger, granule)):
            annotator = annotators[fold_of(row["place"], len(annotators))]
            product = f"annotator {annotator.digest[:12]}"
            scene = marked_scene(row, by_scene[row["scene_id"]], floor, product)
            if isinstance(scene, Rejected):
                rejected.append(scene)
            else:
                file.add(scene)
    rejects = write_rejects(ledger.path(INGEST, name, ".rejects.parquet"), rejected)
    record = Record(
        stage=INGEST,
        granule=name,
        key=digest_of(parts),
        parts=parts,
        outputs=(
            output_of(config.out, path, file.rows),
            output_of(config.out, rejects.path, len(rejected)),
        ),
        taken=file.rows + len(rejected),
        out=file.rows,
        rejected=len(rejected),
        tallies={
            "scenes without labels": file.rows + len(rejected),
            **dict(sorted(tallies.items())),
        },
    )
    ledger.store(record)
    return record


def _mask(kind: MaskKind, layer: Layer, label: str, counts: bytes) -> dict[str, Any]:
    return mask_row(
        SceneMask(
            kind=kind,
            layer=layer[0],
            label=label,
            date_index=layer[1],
            counts=counts,
            origin=Origin.PREDICTED,
        )
    )


def _rejected(row: Mapping[str, Any], reason: Reason, detail: str) -> Rejected:
    return Rejected(
        sample_id=row["scene_id"],
        source=row["source"],
        stage=MARK,
        reason=reason,
        detail=f"{row['scene_id']}: {detail}",
    )
