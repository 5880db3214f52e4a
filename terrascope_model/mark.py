"""Mark: a trained model says of every pixel of a scene without labels which class it is.

Every class of a layer that the model has learnt is asked for by its name. A pixel is of the class
that is the most probable in it, or of none where none is more probable than not.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from masks.rle import encode
from terrascope_model.looked_at import Annotator, best_picture, picture_at

LIKELY = 0.5


def marked_classes(
    row: Mapping[str, Any], annotator: Annotator, sar_rendering: str, batch_size: int
) -> Iterator[dict[str, Any]]:
    """Yield a row of `MARKED_SCHEMA` for every class that is marked in a scene; they are apart.

    A layer of which no class was learnt, or whose date has no picture, has none.
    """
    words = json.loads(row["words"])
    for layer in row["layers"]:
        of_layer = words[layer["layer"]]
        known = [name for name in layer["classes"] if annotator.knows(of_layer[name]["phrase"])]
        image_index = best_picture(row["image_info"], layer["date_index"], sar_rendering)
        if not known or image_index is None:
            continue
        picture = picture_at(row, image_index)
        best_HW = np.full(picture.size_HW, LIKELY, np.float32)
        ids_HW = np.full(picture.size_HW, -1, np.int64)
        for first in range(0, len(known), batch_size):
            phrases = [of_layer[name]["phrase"] for name in known[first : first + batch_size]]
            found_MHW = annotator.answerer.probabilities(picture, phrases)
            better_HW = found_MHW.max(axis=0) > best_HW
            ids_HW[better_HW] = first + found_MHW.argmax(axis=0)[better_HW]
            best_HW = np.maximum(best_HW, found_MHW.max(axis=0))
        for number in np.unique(ids_HW[ids_HW >= 0]).tolist():
            mask_HW = ids_HW == number
            yield {
                "scene_id": row["scene_id"],
                "layer": layer["layer"],
                "label": known[number],
                "date_index": layer["date_index"],
                "counts": encode(mask_HW).decode("ascii"),
                "confidence": float(best_HW[mask_HW].mean()),
            }
