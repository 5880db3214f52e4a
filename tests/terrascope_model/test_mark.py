"""Which class a pixel of a scene without labels is said to be."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from masks.rle import decode
from terrascope_model.looked_at import Annotator
from terrascope_model.mark import marked_classes
from terrascope_model.sample import Picture

# probability in each of the four pixels of a scene
SAID = {
    "water": [0.9, 0.6, 0.4, 0.2],
    "trees": [0.3, 0.8, 0.4, 0.7],
    "fields": [0.1, 0.1, 0.45, 0.9],
    "roads": [0.99, 0.99, 0.99, 0.99],
}


class Oracle:
    """Stands for a model that says what is written above."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def probabilities(self, picture: Picture, phrases: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(phrases))
        return np.array([[SAID[phrase]] for phrase in phrases], np.float32)


def marked(oracle: Oracle, batch_size: int, **more: Any) -> dict[str, tuple[list[bool], float]]:
    known = frozenset({"water", "trees", "fields"})
    annotator = Annotator(answerer=oracle, names=known)  # type: ignore[arg-type]
    found = marked_classes({**SCENE, **more}, annotator, "vv_vh", batch_size)
    return {
        one["label"]: (decode(one["counts"].encode(), (1, 4))[0].tolist(), one["confidence"])
        for one in found
    }


def encoded() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 1)).save(buffer, "PNG")
    return buffer.getvalue()


SCENE: dict[str, Any] = {
    "scene_id": "bare",
    "place": "place",
    "images": [{"bytes": encoded()}],
    "image_info": [{"modality": "optical", "rendering": "", "cloudy": False, "date_index": 0}],
    "layers": [{"layer": "cover", "date_index": 0, "classes": sorted(SAID)}],
    "words": json.dumps({"cover": {name: {"phrase": name} for name in SAID}}),
}


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_the_most_probable_class_takes_a_pixel_however_many_are_asked_at_once(
    batch_size: int,
) -> None:
    oracle = Oracle()
    found = marked(oracle, batch_size)
    assert {name: pixels for name, (pixels, _) in found.items()} == {
        "water": [True, False, False, False],
        "trees": [False, True, False, False],
        "fields": [False, False, False, True],
    }  # and in the third pixel none is more probable than not
    assert [found[name][1] for name in ("water", "trees", "fields")] == pytest.approx(
        [0.9, 0.8, 0.9]
    )
    assert "roads" not in [phrase for phrases in oracle.asked for phrase in phrases]


def test_a_date_without_a_picture_and_a_layer_never_learnt_have_no_marks() -> None:
    late = [{"layer": "cover", "date_index": 1, "classes": sorted(SAID)}]
    unknown = [{"layer": "cover", "date_index": 0, "classes": ["roads"]}]
    oracle = Oracle()
    assert marked(oracle, 8, layers=late) == marked(oracle, 8, layers=unknown) == {}
    assert oracle.asked == []
