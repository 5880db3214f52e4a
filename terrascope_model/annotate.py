"""Annotate: trained models segment the annotated classes of scenes, each by its name.

`python -m terrascope_model.annotate --jobs JSON` works off tables of scenes
(`schemas.parquet.SCENE_SCHEMA`) in a process of its own and prints the number of each that is done.
With several models each scene is shown to the one of its place's fold.
"""

import io
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers.utils.logging import disable_progress_bar

from masks.rle import area_px, decode, encode
from masks.shared import shared_regions
from schemas.mask import MaskKind, Origin
from schemas.prediction import PREDICTION_SCHEMA, Outcome, fold_of
from terrascope_model.answer import Answerer, ModelFolderError
from terrascope_model.sample import Picture, StepMask
from terrascope_model.settings import FAULT

SCENES_A_READ = 16  # rows with pictures held at a time
_COLUMNS = ("scene_id", "place", "images", "image_info", "grid", "scene_masks", "words")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """A trained model, and the names that its training asked for, None where that is not known."""

    answerer: Answerer
    names: frozenset[str] | None


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
    """Yield the annotated classes of a scene, each with one picture of its date.

    A clear optical picture before a cloudy one, radar at last.
    """
    words = json.loads(row["words"])
    pictures: dict[int, Picture] = {}
    for mask in row["scene_masks"]:
        annotated = (mask["kind"], mask["origin"]) == (MaskKind.CLASS, Origin.ANNOTATED)
        image_index = _best_picture(row["image_info"], mask["date_index"], sar_rendering)
        if not annotated or not area_px(mask["counts"].encode("ascii")):
            continue
        if image_index is not None and image_index not in pictures:
            encoded = row["images"][image_index]["bytes"]
            pictures[image_index] = Picture(
                image=Image.open(io.BytesIO(encoded)).convert("RGB"),
                modality=row["image_info"][image_index]["modality"],
            )
        yield AskedClass(
            scene_id=row["scene_id"],
            place=row["place"],
            image_index=-1 if image_index is None else image_index,
            picture=None if image_index is None else pictures[image_index],
            size_HW=(row["grid"]["height"], row["grid"]["width"]),
            mask=mask,
            phrase=words[mask["layer"]][mask["label"]]["phrase"],
        )


def _best_picture(
    infos: Sequence[Mapping[str, Any]], date_index: int, sar_rendering: str
) -> int | None:
    """Return which picture of a date is looked at, None where there is none."""
    of_date = [(at, info) for at, info in enumerate(infos) if info["date_index"] == date_index]
    optical = [(at, info) for at, info in of_date if info["modality"] == "optical"]
    clear = [at for at, info in optical if not info["cloudy"]]
    radar = [at for at, info in of_date if info["rendering"].startswith(sar_rendering)]
    return next(chain(clear, (at for at, _ in optical), radar), None)


def _predicted(asked: Sequence[AskedClass], annotator: Annotator) -> Iterator[dict[str, Any]]:
    pictures = [one.picture for one in asked if one.picture is not None]
    found = annotator.answerer.segment(pictures, [one.phrase for one in asked])
    for one, mask in zip(asked, found, strict=True):
        learnt = annotator.names is None or one.phrase in annotator.names
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


def _asked(path: Path, sar_rendering: str) -> Iterator[AskedClass]:
    with pq.ParquetFile(path) as file:
        for table in file.iter_batches(SCENES_A_READ, columns=list(_COLUMNS)):
            for row in table.to_pylist():
                yield from asked_classes(row, sar_rendering)


def _loaded(model: Mapping[str, Any], device: str) -> Annotator:
    answerer = Answerer.from_pretrained(Path(model["folder"]))
    answerer.model.to(device)
    names = model["names"]
    return Annotator(answerer=answerer, names=None if names is None else frozenset(names))


def main() -> None:
    """Work off the jobs of a file; a model that cannot be loaded is one line and status 2."""
    parser = ArgumentParser(prog="python -m terrascope_model.annotate", description=__doc__)
    parser.add_argument("--jobs", type=Path, required=True, help="JSON of tasks/annotation/run.py.")
    jobs = json.loads(parser.parse_args().jobs.read_text(encoding="utf-8"))
    disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        annotators = [_loaded(model, device) for model in jobs["models"]]
    except ModelFolderError as error:
        sys.stderr.write(f"{FAULT}{' '.join(str(error).split())}\n")
        sys.exit(2)
    for number, job in enumerate(jobs["tables"]):
        asked = _asked(Path(job["scenes"]), jobs["sar_rendering"])
        rows = list(predict(asked, annotators, jobs["batch_size"]))
        table = pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA)
        temporary = Path(f"{job['out']}.part")
        pq.write_table(table, temporary, compression="zstd")
        os.replace(temporary, job["out"])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
