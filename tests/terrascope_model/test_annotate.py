"""What is made of an annotator's masks, and which picture it is shown."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from masks.rle import decode, encode
from schemas.prediction import Outcome, fold_of
from terrascope_model.annotate import (
    Annotator,
    AskedClass,
    asked_classes,
    predict,
    prediction_row,
)
from terrascope_model.sample import Picture, StepMask

LEFT_HW = np.zeros((4, 6), np.bool_)
LEFT_HW[:, :3] = True
WATER = AskedClass(
    scene_id="scene",
    place="place",
    image_index=0,
    size_HW=(4, 6),
    picture=Picture(image=Image.new("RGB", (6, 4))),
    mask={"layer": "cover", "label": "W", "date_index": 0, "counts": encode(LEFT_HW).decode()},
    phrase="water",
)


def row_of(found: StepMask | None) -> dict[str, Any]:
    return prediction_row(WATER, found, Outcome.NEVER_LEARNT)


@pytest.mark.parametrize(
    ("mask_HW", "outcome", "pixels"),
    [
        (LEFT_HW, Outcome.MARKED, (12, 12)),
        (~LEFT_HW, Outcome.MARKED, (12, 0)),
        (np.zeros((4, 6), np.bool_), Outcome.NOTHING, (0, 0)),
        (np.ones((4, 6), np.bool_), Outcome.EVERYTHING, (24, 12)),
    ],
)
def test_masks_that_say_nothing_are_told_apart(
    mask_HW: NDArray[np.bool_], outcome: Outcome, pixels: tuple[int, int]
) -> None:
    row = row_of(StepMask(picture=0, mask_HW=mask_HW, confidence=0.75))
    assert (row["outcome"], row["confidence"], row["annotated_px"]) == (outcome, 0.75, 12)
    assert (row["predicted_px"], row["shared_px"]) == pixels
    assert (decode(row["counts"].encode(), (4, 6)) == mask_HW).all()


def test_of_a_class_that_was_never_learnt_no_mask_is_taken() -> None:
    row = row_of(None)
    assert (row["outcome"], row["counts"]) == (Outcome.NEVER_LEARNT, "")
    assert (row["confidence"], row["predicted_px"], row["shared_px"]) == (0.0, 0, 0)


def test_everything_is_the_mask_of_a_class_that_covers_all() -> None:
    whole = {**WATER.mask, "counts": encode(np.ones((4, 6), np.bool_)).decode()}
    found = StepMask(picture=0, mask_HW=np.ones((4, 6), np.bool_))
    row = prediction_row(replace(WATER, mask=whole), found, Outcome.NEVER_LEARNT)
    assert row["outcome"] == Outcome.MARKED


class Painter:
    """Stands for a model: its masks are `wide` columns wide, so that one knows whose they are."""

    def __init__(self, wide: int) -> None:
        self.wide, self.asked = wide, 0

    def segment(self, pictures: Sequence[Picture], phrases: Sequence[str]) -> list[StepMask]:
        self.asked += len(phrases)
        mask_HW = np.zeros((4, 6), np.bool_)
        mask_HW[:, : self.wide] = True
        return [StepMask(picture=0, mask_HW=mask_HW) for _ in pictures]


def test_each_place_is_shown_to_the_annotator_of_its_fold_alone() -> None:
    """Whatever the batches, and to the last of them."""
    painters = [Painter(1), Painter(2)]
    annotators = [Annotator(answerer=p, names=None) for p in painters]  # type: ignore[arg-type]
    asked = [replace(WATER, scene_id=f"{n}", place=f"place {n}") for n in range(23)]
    rows = list(predict(iter(asked), annotators, batch_size=4))
    assert sorted(int(row["scene_id"]) for row in rows) == list(range(23))
    for row in rows:
        fold = fold_of(f"place {row['scene_id']}", 2)
        assert row["predicted_px"] == 4 * painters[fold].wide
    assert min(painter.asked for painter in painters) > 4


def test_a_class_without_a_picture_of_its_date_is_told_and_not_asked() -> None:
    (row,) = predict(iter([replace(WATER, picture=None, image_index=-1)]), [], batch_size=4)
    assert (row["outcome"], row["counts"], row["annotated_px"]) == (Outcome.NOT_SHOWN, "", 12)


def test_a_clear_picture_is_looked_at_before_a_cloudy_one_and_radar_at_last() -> None:
    assert looked_at("clear", "cloudy", "radar") == 0
    assert looked_at("cloudy", "radar", "clear") == 2
    assert looked_at("radar", "cloudy") == 1
    assert looked_at("other radar", "radar") == 1
    assert looked_at("other radar") == -1


def looked_at(*kinds: str) -> int:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4)).save(buffer, "PNG")
    infos: list[dict[str, Any]] = [
        {
            "modality": "sar" if "radar" in kind else "optical",
            "rendering": "vh_vv_mean" if "other" in kind else "vv_vh",
            "cloudy": kind == "cloudy",
            "date_index": 0,
        }
        for kind in kinds
    ]
    row = {
        "scene_id": "scene",
        "place": "place",
        "words": json.dumps({"cover": {"water": {"phrase": "water"}}}),
        "images": [{"bytes": buffer.getvalue()} for _ in kinds],
        "image_info": infos,
        "grid": {"height": 4, "width": 6},
        "scene_masks": [
            {
                "kind": "class",
                "origin": "annotated",
                "layer": "cover",
                "label": "water",
                "date_index": 0,
                "counts": encode(LEFT_HW).decode(),
            }
        ],
    }
    (found,) = asked_classes(row, "vv_vh")
    assert (found.picture is None) == (found.image_index == -1)
    return found.image_index
