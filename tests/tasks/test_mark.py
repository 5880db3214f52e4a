"""What becomes of a scene without labels, by what an annotator marked in it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from masks.rle import decode, encode
from schemas.rejection import Rejected
from tasks.annotation.mark import marked_scene

SIZE_HW = (4, 10)


def columns_HW(first: int, end: int) -> NDArray[np.bool_]:
    mask_HW = np.zeros(SIZE_HW, np.bool_)
    mask_HW[:, first:end] = True
    return mask_HW


def marked(
    label: str, mask_HW: NDArray[np.bool_], confidence: float, **more: Any
) -> dict[str, Any]:
    counts = encode(mask_HW).decode()
    place = {"scene_id": "bare", "layer": "cover", "date_index": 0}
    return {**place, "label": label, "counts": counts, "confidence": confidence, **more}


def bare(*layers: str) -> dict[str, Any]:
    return {
        "scene_id": "bare",
        "source": "own",
        "grid": {"height": 4, "width": 10},
        "layers": [
            {"layer": layer, "date_index": 0, "product": "", "classes": ["water", "trees"]}
            for layer in layers
        ],
        "scene_masks": [],
    }


def pixels(scene: dict[str, Any] | Rejected) -> dict[tuple[str, str], NDArray[np.bool_]]:
    assert isinstance(scene, dict)
    return {
        (mask["kind"], mask["label"]): decode(mask["counts"].encode(), SIZE_HW)
        for mask in scene["scene_masks"]
    }


def test_sure_classes_are_the_labels_and_all_other_pixels_are_unlabelled() -> None:
    found = [
        marked("water", columns_HW(0, 5), 0.9),
        marked("trees", columns_HW(5, 8), 0.7),  # the floor itself is enough
        marked("fields", columns_HW(8, 10), 0.69),
    ]
    scene = marked_scene(bare("cover"), found, 0.7, "annotator abc")
    masks = pixels(scene)
    assert masks.keys() == {("class", "water"), ("class", "trees"), ("valid", "cover")}
    assert (masks["valid", "cover"] == columns_HW(0, 8)).all()
    assert isinstance(scene, dict)
    assert {mask["origin"] for mask in scene["scene_masks"]} == {"predicted"}
    assert [layer["product"] for layer in scene["layers"]] == ["annotator abc"]


@pytest.mark.parametrize(
    ("found", "reason", "told"),
    [
        ([], "no_label", "marked none of the classes"),
        (
            [marked("water", columns_HW(0, 4), 0.9), marked("trees", columns_HW(4, 10), 0.5)],
            "low_valid_share",
            "sure of 40.0% of layer cover; at least 50% is needed",
        ),
        ([marked("water", columns_HW(0, 10), 0.1)], "low_valid_share", "sure of 0.0%"),
    ],
)
def test_a_scene_of_which_too_little_is_sure_is_refused(
    found: list[dict[str, Any]], reason: str, told: str
) -> None:
    scene = marked_scene(bare("cover"), found, 0.7, "annotator abc")
    assert isinstance(scene, Rejected)
    assert (scene.sample_id, scene.stage, scene.reason) == ("bare", "mark", reason)
    assert told in scene.detail


def test_a_layer_of_which_no_class_was_ever_learnt_is_left_out() -> None:
    found = [marked("water", columns_HW(0, 10), 0.9)]
    scene = marked_scene(bare("cover", "crops"), found, 0.7, "annotator abc")
    assert isinstance(scene, dict)
    assert [layer["layer"] for layer in scene["layers"]] == ["cover"]
