"""Annotate: trained models segment the annotated classes of scenes, by name, picture by picture.

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
from schemas.mask import MaskKind, Origin
from schemas.prediction import PREDICTION_SCHEMA, Outcome, fold_of
from terrascope_model.answer import Answer, Answerer, Asking, ModelFolderError
from terrascope_model.naming import AT_ONCE, marked_phrases, segment_question
from terrascope_model.sample import Picture, Sample
from terrascope_model.settings import FAULT

SCENES_A_READ = 16  # rows with pictures held at a time
TOKENS_A_NAME = 40  # that a class may take in an answer
_COLUMNS = ("scene_id", "place", "images", "image_info", "scene_masks", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPicture:
    """A picture of a scene, and some annotated classes of its date that are asked for."""

    scene_id: str
    place: str
    image_index: int
    picture: Picture
    masks: tuple[Mapping[str, Any], ...]
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """A trained model, and the names that its training asked for, None where that is not known."""

    answerer: Answerer
    names: frozenset[str] | None


def predict(
    asked: Iterator[AskedPicture], annotators: Sequence[Annotator], batch_size: int
) -> Iterator[dict[str, Any]]:
    """Yield a row of `PREDICTION_SCHEMA` for every class that is asked for, picture by picture."""
    waiting: dict[int, list[AskedPicture]] = {}
    for picture in asked:
        fold = fold_of(picture.place, len(annotators))
        of_fold = waiting.setdefault(fold, [])
        of_fold.append(picture)
        if len(of_fold) == batch_size:
            yield from _answered(waiting.pop(fold), annotators[fold])
    for fold, of_fold in waiting.items():
        yield from _answered(of_fold, annotators[fold])


def asked_pictures(row: Mapping[str, Any], sar_rendering: str) -> Iterator[AskedPicture]:
    """Yield the pictures of a scene with the classes that an annotator is asked for.

    Of each layer and date one picture: a clear optical one before a cloudy one, radar at last.
    """
    words = json.loads(row["words"])
    classes: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for mask in row["scene_masks"]:
        annotated = (mask["kind"], mask["origin"]) == (MaskKind.CLASS, Origin.ANNOTATED)
        if annotated and area_px(mask["counts"].encode("ascii")):
            classes.setdefault((mask["layer"], mask["date_index"]), []).append(mask)
    for (layer, date_index), masks in classes.items():
        image_index = _best_picture(row["image_info"], date_index, sar_rendering)
        if image_index is None:
            continue
        encoded = row["images"][image_index]["bytes"]
        picture = Picture(
            image=Image.open(io.BytesIO(encoded)).convert("RGB"),
            modality=row["image_info"][image_index]["modality"],
        )
        for first in range(0, len(masks), AT_ONCE):
            some = tuple(masks[first : first + AT_ONCE])
            yield AskedPicture(
                scene_id=row["scene_id"],
                place=row["place"],
                image_index=image_index,
                picture=picture,
                masks=some,
                phrases=tuple(words[layer][mask["label"]]["phrase"] for mask in some),
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


def _answered(asked: Sequence[AskedPicture], annotator: Annotator) -> Iterator[dict[str, Any]]:
    samples = [
        Sample(
            sample_id=one.scene_id,
            pictures=(one.picture,),
            question=segment_question(one.phrases),
        )
        for one in asked
    ]
    most = max(len(one.phrases) for one in asked)
    asking = Asking(max_new_tokens=TOKENS_A_NAME * most, max_masks=most)
    for one, answer in zip(asked, annotator.answerer.answer(samples, asking), strict=True):
        yield from rows_of(one, answer, annotator.names)


def rows_of(
    asked: AskedPicture, answer: Answer, names: frozenset[str] | None
) -> Iterator[dict[str, Any]]:
    """Yield what an answer says of each class; of one that is marked twice the first mask counts.

    A mask is of the class that is named before it; where none is, nothing is known of it.
    """
    named = dict(reversed(list(zip(marked_phrases(answer.text), answer.masks, strict=False))))
    for mask, phrase in zip(asked.masks, asked.phrases, strict=True):
        annotated_HW = decode(mask["counts"].encode("ascii"), asked.picture.image.size[::-1])
        found = named.get(phrase)
        learnt = names is None or phrase in names
        row: dict[str, Any] = {
            "scene_id": asked.scene_id,
            "image_index": asked.image_index,
            "layer": mask["layer"],
            "label": mask["label"],
            "date_index": mask["date_index"],
            "outcome": (Outcome.NOT_MARKED if learnt else Outcome.NEVER_LEARNT).value,
            "counts": "",
            "confidence": 0.0,
            "annotated_px": int(annotated_HW.sum()),
            "predicted_px": 0,
            "shared_px": 0,
        }
        if found is not None and found.mask_HW.shape != annotated_HW.shape:
            row["outcome"] = Outcome.WRONG_SIZE.value
        elif found is not None:
            row |= {
                "outcome": _outcome(found.mask_HW, annotated_HW).value,
                "counts": encode(found.mask_HW).decode("ascii"),
                "confidence": found.confidence,
                "predicted_px": int(found.mask_HW.sum()),
                "shared_px": int((found.mask_HW & annotated_HW).sum()),
            }
        yield row


def _outcome(found_HW: NDArray[np.bool_], annotated_HW: NDArray[np.bool_]) -> Outcome:
    if not found_HW.any():
        return Outcome.NOTHING
    if found_HW.all() and not annotated_HW.all():
        return Outcome.EVERYTHING
    return Outcome.MARKED


def _pictures(path: Path, sar_rendering: str) -> Iterator[AskedPicture]:
    with pq.ParquetFile(path) as file:
        for table in file.iter_batches(SCENES_A_READ, columns=list(_COLUMNS)):
            for row in table.to_pylist():
                yield from asked_pictures(row, sar_rendering)


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
        asked = _pictures(Path(job["scenes"]), jobs["sar_rendering"])
        rows = list(predict(asked, annotators, jobs["batch_size"]))
        table = pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA)
        temporary = Path(f"{job['out']}.part")
        pq.write_table(table, temporary, compression="zstd")
        os.replace(temporary, job["out"])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
