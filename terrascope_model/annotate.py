"""Annotate: trained models segment the annotated classes of scenes, or scenes without labels.

`python -m terrascope_model.annotate --jobs JSON` works off tables of scenes
(`schemas.parquet.SCENE_SCHEMA`) in a process of its own and prints the number of each that is done.
With several models each scene is shown to the one of its place's fold.
"""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from transformers.utils.logging import disable_progress_bar

from masks.rle import area_px, decode, encode
from masks.shared import shared_regions
from schemas.mask import MaskKind, Origin
from schemas.prediction import MARKED_SCHEMA, PREDICTION_SCHEMA, Outcome, fold_of
from terrascope_model.answer import ModelFolderError
from terrascope_model.looked_at import (
    Annotator,
    best_picture,
    load_annotator,
    picture_at,
    read_scenes,
)
from terrascope_model.mark import marked_classes
from terrascope_model.sample import Picture, StepMask
from terrascope_model.settings import FAULT

_COLUMNS = ("scene_id", "place", "images", "image_info", "grid", "layers", "scene_masks", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedClass:
    """An annotated class of a scene: its row of the scene's masks, and the picture to ask of."""

    scene_id: str
    place: str
    image_index: int
    size_HW: tuple[int, int]
    picture: Picture | None
    mask: Mapping[str, Any]
    phrase: str


def predict(
    asked: Iterator[AskedClass], annotators: Sequence[Annotator], batch_size: int
) -> Iterator[dict[str, Any]]:
    """Yield a row of `PREDICTION_SCHEMA` for every class that is asked for."""
    waiting: dict[int, list[AskedClass]] = {}
    for one in asked:
        if one.picture is None:
            yield prediction_row(one, None, Outcome.NOT_SHOWN)
            continue
        fold = fold_of(one.place, len(annotators))
        of_fold = waiting.setdefault(fold, [])
        of_fold.append(one)
        if len(of_fold) == batch_size:
            yield from _predicted(waiting.pop(fold), annotators[fold])
    for fold, of_fold in waiting.items():
        yield from _predicted(of_fold, annotators[fold])


def asked_classes(row: Mapping[str, Any], sar_rendering: str) -> Iterator[AskedClass]:
    """Yield the annotated classes of a scene, each with one picture of its date."""
    words = json.loads(row["words"])
    pictures: dict[int, Picture] = {}
    for mask in row["scene_masks"]:
        annotated = (mask["kind"], mask["origin"]) == (MaskKind.CLASS, Origin.ANNOTATED)
        image_index = best_picture(row["image_info"], mask["date_index"], sar_rendering)
        if not annotated or not area_px(mask["counts"].encode("ascii")):
            continue
        if image_index is not None and image_index not in pictures:
            pictures[image_index] = picture_at(row, image_index)
        yield AskedClass(
            scene_id=row["scene_id"],
            place=row["place"],
            image_index=-1 if image_index is None else image_index,
            picture=None if image_index is None else pictures[image_index],
            size_HW=(row["grid"]["height"], row["grid"]["width"]),
            mask=mask,
            phrase=words[mask["layer"]][mask["label"]]["phrase"],
        )


def _predicted(asked: Sequence[AskedClass], annotator: Annotator) -> Iterator[dict[str, Any]]:
    pictures = [one.picture for one in asked if one.picture is not None]
    found = annotator.answerer.segment(pictures, [one.phrase for one in asked])
    for one, mask in zip(asked, found, strict=True):
        learnt = annotator.knows(one.phrase)
        yield prediction_row(one, mask if learnt else None, Outcome.NEVER_LEARNT)


def prediction_row(asked: AskedClass, found: StepMask | None, without: Outcome) -> dict[str, Any]:
    """Return a row of `PREDICTION_SCHEMA`; `without` is the outcome where there is no mask."""
    annotated_HW = decode(asked.mask["counts"].encode("ascii"), asked.size_HW)
    none_HW = np.zeros_like(annotated_HW)
    found_HW = none_HW if found is None else found.mask_HW
    return {
        "scene_id": asked.scene_id,
        "image_index": asked.image_index,
        "layer": asked.mask["layer"],
        "label": asked.mask["label"],
        "date_index": asked.mask["date_index"],
        "outcome": (without if found is None else _outcome(found_HW, annotated_HW)).value,
        "counts": "" if found is None else encode(found_HW).decode("ascii"),
        "confidence": 0.0 if found is None else found.confidence,
        "annotated_px": int(annotated_HW.sum()),
        "predicted_px": int(found_HW.sum()),
        "shared_px": int((found_HW & annotated_HW).sum()),
        "regions_px": int(shared_regions(annotated_HW, found_HW).sum()),
    }


def _outcome(found_HW: NDArray[np.bool_], annotated_HW: NDArray[np.bool_]) -> Outcome:
    if not found_HW.any():
        return Outcome.NOTHING
    if found_HW.all() and not annotated_HW.all():
        return Outcome.EVERYTHING
    return Outcome.MARKED


def _rows(
    job: Mapping[str, Any], jobs: Mapping[str, Any], annotators: Sequence[Annotator]
) -> Iterator[dict[str, Any]]:
    """Yield what is found of a table of scenes, with labels or without."""
    sar_rendering, batch_size = jobs["sar_rendering"], jobs["batch_size"]
    scenes = read_scenes(Path(job["scenes"]), _COLUMNS)
    if jobs["labelled"]:
        asked = (one for row in scenes for one in asked_classes(row, sar_rendering))
        yield from predict(asked, annotators, batch_size)
        return
    for row in scenes:
        annotator = annotators[fold_of(row["place"], len(annotators))]
        yield from marked_classes(row, annotator, sar_rendering, batch_size)


def main() -> None:
    """Work off the jobs of a file; a model that cannot be loaded is one line and status 2."""
    parser = ArgumentParser(prog="python -m terrascope_model.annotate", description=__doc__)
    parser.add_argument(
        "--jobs", type=Path, required=True, help="JSON of tasks/annotation/shown_to.py."
    )
    jobs = json.loads(parser.parse_args().jobs.read_text(encoding="utf-8"))
    disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        annotators = [load_annotator(model, device) for model in jobs["models"]]
    except ModelFolderError as error:
        sys.stderr.write(f"{FAULT}{' '.join(str(error).split())}\n")
        sys.exit(2)
    for number, job in enumerate(jobs["tables"]):
        schema = PREDICTION_SCHEMA if jobs["labelled"] else MARKED_SCHEMA
        table = pa.Table.from_pylist(list(_rows(job, jobs, annotators)), schema=schema)
        temporary = Path(f"{job['out']}.part")
        pq.write_table(table, temporary, compression="zstd")
        os.replace(temporary, job["out"])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
