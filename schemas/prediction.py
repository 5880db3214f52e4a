"""What an annotator predicts of a scene's classes, and which annotator a scene is shown to."""

import hashlib
from enum import StrEnum

import pyarrow as pa

PREDICTION_SCHEMA = pa.schema(
    [
        ("scene_id", pa.string()),
        ("image_index", pa.int32()),  # of the scene: the picture that was looked at; -1 for none
        ("layer", pa.string()),
        ("label", pa.string()),
        ("date_index", pa.int32()),
        ("outcome", pa.string()),
        ("counts", pa.string()),  # COCO RLE; "" of a class that was never learnt or not shown
        ("confidence", pa.float64()),  # mean probability of the mask's pixels
        ("annotated_px", pa.int64()),
        ("predicted_px", pa.int64()),
        ("shared_px", pa.int64()),
        ("regions_px", pa.int64()),  # of the annotated regions that the prediction has a part of
    ]
)

MARKED_SCHEMA = pa.schema(  # of a scene without labels; its masks lie apart
    [
        ("scene_id", pa.string()),
        ("layer", pa.string()),
        ("label", pa.string()),
        ("date_index", pa.int32()),
        ("counts", pa.string()),  # COCO RLE
        ("confidence", pa.float64()),  # mean probability of the mask's pixels
    ]
)


class Outcome(StrEnum):
    """What became of a class that an annotator was asked for."""

    MARKED = "marked"
    NOTHING = "nothing"  # a mask without a pixel
    EVERYTHING = "everything"  # a mask of all pixels, of a class that does not cover them
    NEVER_LEARNT = "never_learnt"  # its training never asked for the name: no mask is taken
    NOT_SHOWN = "not_shown"  # the scene has no picture of its date


def fold_of(place: str, folds: int) -> int:
    """Return the fold of a place; its scenes are shown to that fold's annotator."""
    return int(hashlib.sha256(place.encode()).hexdigest()[:8], 16) % folds
