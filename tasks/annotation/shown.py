"""Examples of refinement for the report: annotation, prediction, and what they share."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from masks.rle import decode
from tasks.annotation.predictions import prediction_of
from tasks.annotation.settings import RefineSettings
from tasks.granules import GranuleId
from tasks.ledger import Ledger
from tasks.refine import SHARED
from tasks.scene_table import read_words
from tasks.shown import Picture, picture_of
from tasks.stage_names import ANNOTATE, INGEST

NUM_SHOWN = 6
LEAST_SHARE = 0.02  # of a picture; smaller masks can hardly be seen


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinedView:
    """One class of one scene in three pictures, and what became of it, in words."""

    pictures: tuple[Picture, ...]
    text: str


def refined_views(
    ledger: Ledger, granules: Sequence[GranuleId], settings: RefineSettings, seed: int
) -> list[RefinedView]:
    """Return some classes that were marked, drawn by seed: sources take turns.

    Of each source those that are intersected and those that stay take turns as well.
    """
    drawn: dict[tuple[str, bool], list[tuple[GranuleId, dict[str, Any]]]] = {}
    for granule in granules:
        for row in pq.read_table(ledger.path(ANNOTATE, granule.name, ".parquet")).to_pylist():
            if row["counts"]:
                taken = settings.takes(prediction_of(row).iou)
                drawn.setdefault((granule.source, not taken), []).append((granule, row))
    rng = random.Random(f"refined:{seed}")
    for rows in drawn.values():
        rng.shuffle(rows)
    order = sorted(drawn, key=lambda key: (key[1], key[0]))
    views: list[RefinedView] = []
    for turn in range(NUM_SHOWN):
        for key in order:
            if turn < len(drawn[key]) and len(views) < NUM_SHOWN:
                view = _view(ledger, *drawn[key][turn], settings)
                views += [view] if view else []
    return views


def _view(
    ledger: Ledger, granule: GranuleId, row: dict[str, Any], settings: RefineSettings
) -> RefinedView | None:
    """Return a prediction as it is shown; None where the class is too small to be seen."""
    path = ledger.path(INGEST, granule.name, ".parquet")
    columns = ["scene_id", "images", "grid", "scene_masks", "words"]
    (scene,) = pq.read_table(
        path, columns=columns, filters=[("scene_id", "==", row["scene_id"])]
    ).to_pylist()
    size_HW = (scene["grid"]["height"], scene["grid"]["width"])
    if row["annotated_px"] < LEAST_SHARE * size_HW[0] * size_HW[1]:
        return None
    (annotated,) = (
        mask["counts"]
        for mask in scene["scene_masks"]
        if mask["kind"] == "class"
        and all(mask[name] == row[name] for name in ("layer", "label", "date_index"))
    )
    annotated_HW, predicted_HW = (
        decode(counts.encode("ascii"), size_HW) for counts in (annotated, row["counts"])
    )
    found = prediction_of(row)
    taken = settings.takes(found.iou)
    shared_HW = SHARED[settings.policy](annotated_HW, predicted_HW)
    final_HW = shared_HW if taken else annotated_HW
    phrase = read_words(scene["words"])[row["layer"]][row["label"]].phrase
    encoded = scene["images"][row["image_index"]]["bytes"]
    shown = (("annotation", annotated_HW), ("prediction", predicted_HW), ("step mask", final_HW))
    return RefinedView(
        pictures=tuple(
            picture_of(encoded, title, [(number, mask_HW.astype(np.int32))], size_HW)
            for number, (title, mask_HW) in enumerate(shown)
        ),
        text=f"{granule.source}, {phrase}: IoU {found.iou:.2f}, confidence "
        f"{found.confidence:.2f}; {_outcome(shared_HW.sum() / annotated_HW.sum(), taken)}",
    )


def _outcome(share: float, taken: bool) -> str:
    if not taken:
        return "under the floor, the annotated mask stays"
    return f"{share:.0%} of the annotated area is left"
