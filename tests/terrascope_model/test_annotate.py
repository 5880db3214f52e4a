"""What is made of what an annotator writes: masks by name, and the ways in which one is missing."""

import io
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from masks.rle import encode
from schemas.prediction import Outcome
from terrascope_model.annotate import AskedPicture, asked_pictures, rows_of
from terrascope_model.answer import Answer
from terrascope_model.naming import marked_phrases, segment_trace
from terrascope_model.sample import Picture, StepMask

LEFT_HW = np.zeros((4, 6), np.bool_)
LEFT_HW[:, :3] = True
NAMES = frozenset({"water", "trees"})


def asked(*phrases: str) -> AskedPicture:
    counts = encode(LEFT_HW).decode()
    return AskedPicture(
        scene_id="scene",
        place="place",
        image_index=0,
        picture=Picture(image=Image.new("RGB", (6, 4))),
        masks=tuple(
            {"layer": "cover", "label": phrase.upper(), "date_index": 0, "counts": counts}
            for phrase in phrases
        ),
        phrases=phrases,
    )


def answer(*marked: tuple[str, NDArray[np.bool_]]) -> Answer:
    masks = tuple(StepMask(picture=0, mask_HW=mask, confidence=0.75) for _, mask in marked)
    text = segment_trace([phrase for phrase, _ in marked])
    return Answer(text=text, answer="", masks=masks, ended=True)


def outcomes(picture: AskedPicture, written: Answer) -> list[str]:
    return [row["outcome"] for row in rows_of(picture, written, NAMES)]


def test_what_is_written_tells_what_each_mask_is_of() -> None:
    assert marked_phrases("I mark water [SEG]. I mark the sea [SEG].") == ["water", "the sea"]
    assert marked_phrases("Here is [SEG].") == [""]
    assert marked_phrases("I mark nothing.") == []


def test_a_mask_is_of_the_class_that_is_named_before_it() -> None:
    written = answer(("trees", ~LEFT_HW), ("water", LEFT_HW))
    water, trees = rows_of(asked("water", "trees"), written, NAMES)
    assert (water["label"], water["outcome"]) == ("WATER", Outcome.MARKED)
    assert (water["annotated_px"], water["predicted_px"], water["shared_px"]) == (12, 12, 12)
    assert water["confidence"] == 0.75
    assert (trees["predicted_px"], trees["shared_px"]) == (12, 0)


def test_of_a_class_that_is_marked_twice_the_first_mask_counts() -> None:
    written = answer(("water", LEFT_HW), ("water", ~LEFT_HW))
    assert next(rows_of(asked("water"), written, NAMES))["shared_px"] == 12


@pytest.mark.parametrize(
    ("mask_HW", "outcome"),
    [
        (np.zeros((4, 6), np.bool_), Outcome.NOTHING),
        (np.ones((4, 6), np.bool_), Outcome.EVERYTHING),
        (np.ones((6, 4), np.bool_), Outcome.WRONG_SIZE),
        (LEFT_HW, Outcome.MARKED),
    ],
)
def test_masks_that_say_nothing_are_told_apart(
    mask_HW: NDArray[np.bool_], outcome: Outcome
) -> None:
    assert outcomes(asked("water"), answer(("water", mask_HW))) == [outcome]


def test_a_class_without_a_mask_is_told_and_one_that_was_never_learnt() -> None:
    written = answer(("water", LEFT_HW))
    found = outcomes(asked("water", "trees", "glaciers"), written)
    assert found == [Outcome.MARKED, Outcome.NOT_MARKED, Outcome.NEVER_LEARNT]


def test_a_clear_picture_is_looked_at_before_a_cloudy_one_and_radar_at_last() -> None:
    assert looked_at("clear", "cloudy", "radar") == 0
    assert looked_at("cloudy", "radar", "clear") == 2
    assert looked_at("radar", "cloudy") == 1
    assert looked_at("other radar", "radar") == 1
    assert looked_at("other radar") is None


def looked_at(*kinds: str) -> int | None:
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
    found = list(asked_pictures(row, "vv_vh"))
    return found[0].image_index if found else None
